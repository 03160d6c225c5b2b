package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// SaveSegment makes a segment or replaces its name and condition. With an expected revision (0: there is none yet) a save over somebody
// else's is refused as a Conflict; without one the last save wins. Another condition makes the rules others, and the walk that follows
// fills the segment anew, silently. The condition has to be one that segments may have: see audience.CompileSegment.
func (s *Store) SaveSegment(ctx context.Context, key, name, condition string, expectedRevision *int64, now time.Time) (audience.SegmentState, error) {
	if err := checkSegment(key, condition); err != nil {
		return audience.SegmentState{}, err
	}
	var state audience.SegmentState
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.LockRules(ctx); err != nil {
			return err
		}
		before, err := q.FindSegment(ctx, key)
		if err != nil && !isNoRows(err) {
			return err
		}
		if expectedRevision != nil && *expectedRevision != before.Revision { // of none: 0
			return fault.New(fault.Conflict, "stale_revision", "Somebody else has saved this segment meanwhile. Load it again.")
		}
		same := before.Revision > 0 && before.Condition == condition
		if !same || before.Name != clean(name) {
			if before, err = q.UpsertSegment(ctx, dbsqlc.UpsertSegmentParams{Key: key, Name: clean(name), Condition: condition, Now: now}); err != nil {
				return err
			}
		}
		if !same {
			if err := raiseRules(ctx, q); err != nil {
				return err
			}
		}
		members, err := q.CountSegmentMembers(ctx, key)
		state = segmentOf(before, members)
		return err
	})
	return state, failure("save segment "+key, err)
}

func checkSegment(key, condition string) error {
	if !audience.IsSegmentKey(key) {
		return fault.New(fault.Invalid, "bad_key", "A segment's key has lower case letters, digits and dashes, at most 64, and does not begin with a dash.")
	}
	_, err := audience.CompileSegment(condition)
	return err
}

// FindSegment finds a segment by its key.
func (s *Store) FindSegment(ctx context.Context, key string) (audience.SegmentState, error) {
	row, err := s.q.FindSegment(ctx, clean(key))
	if err != nil {
		return audience.SegmentState{}, segmentNotFound("find segment", err)
	}
	members, err := s.q.CountSegmentMembers(ctx, row.Key)
	if err != nil {
		return audience.SegmentState{}, failure("count the members of a segment", err)
	}
	return segmentOf(row, members), nil
}

// ListSegments lists segments by key; the cursor is the last key of the page before.
func (s *Store) ListSegments(ctx context.Context, cursor string, limit int) (Page[audience.SegmentState], error) {
	limit = clampLimit(limit)
	rows, err := s.q.ListSegments(ctx, clean(cursor), int32(limit+1))
	if err != nil {
		return Page[audience.SegmentState]{}, failure("list segments", err)
	}
	convert := func(row dbsqlc.ListSegmentsRow) (audience.SegmentState, error) {
		return segmentOf(dbsqlc.Segment{
			Key: row.Key, Name: row.Name, Condition: row.Condition, Revision: row.Revision, FilledAt: row.FilledAt, CreatedAt: row.CreatedAt,
			UpdatedAt: row.UpdatedAt,
		}, row.Members), nil
	}
	return page(rows, limit, convert, func(row dbsqlc.ListSegmentsRow) string { return row.Key })
}

// SegmentKeys lists the keys of all segments, sorted.
func (s *Store) SegmentKeys(ctx context.Context) ([]string, error) {
	keys, err := s.q.ListSegmentKeys(ctx)
	return keys, failure("list the keys of segments", err)
}

// DeleteSegment takes a segment away, unless a live journey uses it. It is gone at once; its members leave silently, in small steps of the
// walk, so that no delete holds the locks of many contacts.
func (s *Store) DeleteSegment(ctx context.Context, key string, now time.Time) error {
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.LockRules(ctx); err != nil {
			return err
		}
		if _, err := q.FindSegment(ctx, clean(key)); err != nil {
			return segmentNotFound("find segment", err)
		}
		users, err := journeysUsing(ctx, q, key)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return stillUsed(users)
		}
		broadcasts, err := q.ListBroadcastsOfSegment(ctx, key)
		if err != nil {
			return err
		}
		if len(broadcasts) > 0 {
			return fault.New(fault.Conflict, "segment_in_use", "Broadcasts that are not over use this segment: "+strings.Join(broadcasts, ", ")+".")
		}
		if err := q.MarkSegmentDeleted(ctx, now, key); err != nil {
			return err
		}
		return raiseRules(ctx, q)
	})
	return failure("delete segment", err)
}

func journeysUsing(ctx context.Context, q *dbsqlc.Queries, segment string) ([]string, error) {
	rows, err := q.ListLiveDocuments(ctx)
	if err != nil {
		return nil, failure("list live journeys", err)
	}
	var users []string
	for _, row := range rows {
		definition, _ := journey.Parse(row.Document)
		if slices.Contains(definition.Segments(), segment) {
			users = append(users, row.Key)
		}
	}
	return users, nil
}

func stillUsed(users []string) error {
	f := fault.New(fault.Conflict, "segment_in_use", "Live journeys use this segment: "+strings.Join(users, ", ")+". Publish them without it first.")
	for _, user := range users {
		f.Problems = append(f.Problems, fault.Problem{Code: "used_by_journey", Level: fault.LevelError, Message: fmt.Sprintf("The journey %q uses it.", user)})
	}
	return f
}

// ListMembers lists who is in a segment, the newest first; the cursor is what the page before gave.
func (s *Store) ListMembers(ctx context.Context, key, cursor string, limit int) (Page[audience.Member], error) {
	before, err := parseMemberCursor(cursor)
	if err != nil {
		return Page[audience.Member]{}, err
	}
	if _, err := s.q.FindSegment(ctx, clean(key)); err != nil {
		return Page[audience.Member]{}, segmentNotFound("find segment", err)
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListMembers(ctx, dbsqlc.ListMembersParams{Segment: key, BeforeAt: before.at, BeforeID: before.id, MaxRows: int32(limit + 1)})
	if err != nil {
		return Page[audience.Member]{}, failure("list members", err)
	}
	convert := func(row dbsqlc.ListMembersRow) (audience.Member, error) {
		contact, err := contactOf(row.Contact)
		return audience.Member{Contact: contact, EnteredAt: row.EnteredAt}, err
	}
	return page(rows, limit, convert, func(row dbsqlc.ListMembersRow) string {
		return row.EnteredAt.UTC().Format(time.RFC3339Nano) + "_" + row.Contact.ID.String()
	})
}

type memberCursor struct {
	at time.Time
	id uuid.UUID
}

func parseMemberCursor(text string) (memberCursor, error) {
	if text == "" {
		return memberCursor{time.Unix(math.MaxInt32*4, 0), uuid.Max}, nil
	}
	at, id, _ := strings.Cut(text, "_")
	moment, err := time.Parse(time.RFC3339Nano, at)
	contact, errID := uuid.Parse(id)
	if err != nil || errID != nil || moment.Year() < 1 || moment.Year() > 9999 {
		return memberCursor{}, fault.New(fault.Invalid, "bad_cursor", "The cursor is not one that a list gave out.")
	}
	return memberCursor{moment, contact}, nil
}

// ContactSegments lists the segments that a contact is in, and since when, by key.
func (s *Store) ContactSegments(ctx context.Context, contactID string) ([]audience.Membership, error) {
	id, err := parseID(contactID)
	if err != nil {
		return nil, contactNotFound("list the segments of a contact", err)
	}
	if _, err := s.q.FindContact(ctx, id); err != nil {
		return nil, contactNotFound("find contact", err)
	}
	rows, err := s.q.ListContactSegments(ctx, id)
	if err != nil {
		return nil, failure("list the segments of a contact", err)
	}
	out := make([]audience.Membership, len(rows))
	for i, row := range rows {
		out[i] = audience.Membership{Key: row.Key, Name: row.Name, EnteredAt: row.EnteredAt}
	}
	return out, nil
}

// IsMember tells whether a contact is in a segment.
func (s *Store) IsMember(ctx context.Context, key, contactID string) (bool, error) {
	id, err := parseID(contactID)
	if err != nil {
		return false, contactNotFound("look for a member", err)
	}
	in, err := s.q.IsSegmentMember(ctx, key, id)
	return in, failure("look for a member", err)
}

func segmentOf(row dbsqlc.Segment, members int64) audience.SegmentState {
	return audience.SegmentState{
		Segment: audience.Segment{
			Key: row.Key, Name: row.Name, Condition: row.Condition, Revision: row.Revision, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
		},
		Members: members, FilledAt: row.FilledAt,
	}
}

func segmentNotFound(op string, err error) error {
	return notFound(op, "segment_not_found", "There is no such segment.", err)
}
