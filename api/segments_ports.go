package api

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Segments keeps segments and knows who is in them. Lists begin with the empty cursor and go on with the Next of the page before.
type Segments interface {
	// SaveSegment makes or replaces one; an expected revision of 0 says that there is none yet.
	SaveSegment(ctx context.Context, key, name, condition string, expectedRevision *int64, now time.Time) (audience.SegmentState, error)
	FindSegment(ctx context.Context, key string) (audience.SegmentState, error)
	ListSegments(ctx context.Context, cursor string, limit int) (Page[audience.SegmentState], error)
	SegmentKeys(ctx context.Context) ([]string, error)
	// DeleteSegment refuses as a Conflict what live journeys use.
	DeleteSegment(ctx context.Context, key string, now time.Time) error
	ListMembers(ctx context.Context, key, cursor string, limit int) (Page[audience.Member], error)
	ContactSegments(ctx context.Context, contactID string) ([]audience.Membership, error)
	PreviewSegment(ctx context.Context, condition string, now time.Time, limit int) (int64, []audience.Contact, error)
	// ClockLag is how late the most overdue contact is.
	ClockLag(ctx context.Context, now time.Time) (time.Duration, error)
}
