package api

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/email"
)

// Broadcasts keeps broadcasts and their recipients. Lists begin with the empty cursor and go on with the Next of the page before; that of
// broadcasts is the newest first.
type Broadcasts interface {
	CreateBroadcast(ctx context.Context, plan email.BroadcastPlan, by string, now time.Time) (email.Broadcast, error)
	SaveBroadcast(ctx context.Context, id string, plan email.BroadcastPlan, expected *int64, by string, now time.Time) (email.Broadcast, error)
	FindBroadcast(ctx context.Context, id string) (email.Broadcast, error)
	ListBroadcasts(ctx context.Context, cursor string, limit int) (Page[email.Broadcast], error)
	// ActOnBroadcast also wakes the broadcast once that is committed. What it fails to wake is swept later.
	ActOnBroadcast(ctx context.Context, id string, action email.BroadcastAction, expected *int64, by string, now time.Time) (email.Broadcast, error)
	CountRecipients(ctx context.Context, id string) ([]email.RecipientCount, error)
	ListRecipients(ctx context.Context, id string, filter email.RecipientCount, cursor string, limit int) (Page[email.BroadcastRecipient], error)
	TallyBroadcast(ctx context.Context, b email.Broadcast) ([]email.VariantTally, error)
	// CountMembers counts a segment's members by whether they would get a mail of the topic now.
	CountMembers(ctx context.Context, segment, topic string) ([]email.MemberCount, error)
}
