package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// CreateBroadcast keeps the draft of a broadcast. A draft may be wrong and always saves.
func (s *Store) CreateBroadcast(ctx context.Context, plan email.BroadcastPlan, by string, now time.Time) (email.Broadcast, error) {
	document, err := json.Marshal(plan)
	if err != nil {
		return email.Broadcast{}, fmt.Errorf("create broadcast: %w", err)
	}
	row, err := s.q.InsertBroadcast(ctx, dbsqlc.InsertBroadcastParams{
		ID: newID(), Name: clean(plan.Name), Segment: clean(plan.Segment), Document: []byte(clean(string(document))), ChangedBy: clean(by), Now: now,
	})
	if err != nil {
		return email.Broadcast{}, failure("create broadcast", err)
	}
	return broadcastOf(row)
}

// SaveBroadcast changes the plan of a draft. With an expected revision a save over somebody else's is refused as a Conflict; a plan that has
// been started is one, too.
func (s *Store) SaveBroadcast(ctx context.Context, id string, plan email.BroadcastPlan, expected *int64, by string, now time.Time) (email.Broadcast, error) {
	document, err := json.Marshal(plan)
	if err != nil {
		return email.Broadcast{}, fmt.Errorf("save broadcast: %w", err)
	}
	return s.changeBroadcast(ctx, id, func(q *dbsqlc.Queries, row dbsqlc.Broadcast) (dbsqlc.Broadcast, error) {
		if row.State != string(email.BroadcastDraft) {
			return row, fault.New(fault.Conflict, "broadcast_started", "This broadcast has been started: its plan can't be changed any more.")
		}
		if expected != nil && *expected != row.Revision {
			return row, staleBroadcast()
		}
		return q.UpdateBroadcastPlan(ctx, dbsqlc.UpdateBroadcastPlanParams{
			ID: row.ID, Name: clean(plan.Name), Segment: clean(plan.Segment), Document: []byte(clean(string(document))), ChangedBy: clean(by), Now: now,
		})
	})
}

// ActOnBroadcast starts, pauses, resumes or cancels a broadcast for somebody. That its workflow has to be told is part of the same commit.
func (s *Store) ActOnBroadcast(ctx context.Context, id string, action email.BroadcastAction, expected *int64, by string, now time.Time) (email.Broadcast, error) {
	return s.changeBroadcast(ctx, id, func(q *dbsqlc.Queries, row dbsqlc.Broadcast) (dbsqlc.Broadcast, error) {
		if expected != nil && *expected != row.Revision {
			return row, staleBroadcast()
		}
		before, err := broadcastOf(row)
		if err != nil {
			return row, err
		}
		after, err := before.After(action, now)
		if err != nil || after.State == before.State {
			return row, err
		}
		row.PendingSince, row.ChangedBy = &now, clean(by)
		return moveBroadcast(ctx, q, row, after, now)
	})
}

// MoveBroadcast lets the engine take a broadcast to where it comes by itself, under its lock: whoever pauses it meanwhile is not overruled.
func (s *Store) MoveBroadcast(ctx context.Context, id string, now time.Time, move func(email.Broadcast) email.Broadcast) (email.Broadcast, error) {
	return s.changeBroadcast(ctx, id, func(q *dbsqlc.Queries, row dbsqlc.Broadcast) (dbsqlc.Broadcast, error) {
		before, err := broadcastOf(row)
		if err != nil {
			return row, err
		}
		after := move(before)
		if after.State == before.State {
			return row, nil
		}
		return moveBroadcast(ctx, q, row, after, now)
	})
}

func moveBroadcast(ctx context.Context, q *dbsqlc.Queries, row dbsqlc.Broadcast, to email.Broadcast, now time.Time) (dbsqlc.Broadcast, error) {
	return q.UpdateBroadcastState(ctx, dbsqlc.UpdateBroadcastStateParams{
		ID: row.ID, State: string(to.State), PausedFrom: string(to.PausedFrom), OpensAt: to.OpensAt, TestedAt: to.TestedAt, Winner: nullableInt(to.Winner), Verdict: clean(to.Verdict),
		StartedAt: to.StartedAt, EndedAt: to.EndedAt, PendingSince: row.PendingSince, ChangedBy: row.ChangedBy, Now: now,
	})
}

func (s *Store) changeBroadcast(ctx context.Context, id string, change func(*dbsqlc.Queries, dbsqlc.Broadcast) (dbsqlc.Broadcast, error)) (email.Broadcast, error) {
	parsed, err := parseID(id)
	if err != nil {
		return email.Broadcast{}, broadcastNotFound("change broadcast", err)
	}
	var row dbsqlc.Broadcast
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if row, err = q.LockBroadcast(ctx, parsed); err != nil {
			return err
		}
		row, err = change(q, row)
		return err
	})
	if err != nil {
		return email.Broadcast{}, broadcastNotFound("change broadcast", err)
	}
	return broadcastOf(row)
}

// FindBroadcast finds a broadcast.
func (s *Store) FindBroadcast(ctx context.Context, id string) (email.Broadcast, error) {
	return s.readBroadcast(ctx, id, s.q.FindBroadcast)
}

// TakeBroadcast is FindBroadcast for the workflow: what it reads it has been told.
func (s *Store) TakeBroadcast(ctx context.Context, id string) (email.Broadcast, error) {
	return s.readBroadcast(ctx, id, s.q.TakeBroadcast)
}

func (s *Store) readBroadcast(ctx context.Context, id string, read func(context.Context, uuid.UUID) (dbsqlc.Broadcast, error)) (email.Broadcast, error) {
	parsed, err := parseID(id)
	if err != nil {
		return email.Broadcast{}, broadcastNotFound("find broadcast", err)
	}
	row, err := read(ctx, parsed)
	if err != nil {
		return email.Broadcast{}, broadcastNotFound("find broadcast", err)
	}
	return broadcastOf(row)
}

// ListBroadcasts lists broadcasts, the newest first.
func (s *Store) ListBroadcasts(ctx context.Context, cursor string, limit int) (Page[email.Broadcast], error) {
	before, err := parseCursorID(cursor, uuid.Max)
	if err != nil {
		return Page[email.Broadcast]{}, err
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListBroadcasts(ctx, before, int32(limit+1))
	if err != nil {
		return Page[email.Broadcast]{}, failure("list broadcasts", err)
	}
	return page(rows, limit, broadcastOf, func(row dbsqlc.Broadcast) string { return row.ID.String() })
}

// StaleBroadcasts lists broadcasts whose workflow was not woken, or did not look: the sweeper pokes them again.
func (s *Store) StaleBroadcasts(ctx context.Context, now time.Time, olderThan time.Duration, limit int) ([]string, error) {
	ids, err := s.q.ListStaleBroadcasts(ctx, now.Add(-olderThan), int32(clampLimit(limit)))
	if err != nil {
		return nil, failure("list stale broadcasts", err)
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out, nil
}

func broadcastOf(row dbsqlc.Broadcast) (email.Broadcast, error) {
	b := email.Broadcast{
		ID: row.ID.String(), State: email.BroadcastState(row.State), PausedFrom: email.BroadcastState(row.PausedFrom), Revision: row.Revision,
		OpensAt: row.OpensAt, GatheredAt: row.GatheredAt, TestedAt: row.TestedAt, Winner: intOf(row.Winner), Verdict: row.Verdict, ChangedBy: row.ChangedBy,
		StartedAt: row.StartedAt, EndedAt: row.EndedAt, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if err := json.Unmarshal(row.Document, &b.Plan); err != nil {
		return b, fmt.Errorf("decode broadcast %s: %w", row.ID, err)
	}
	return b, nil
}

func intOf(n *int32) *int {
	if n == nil {
		return nil
	}
	v := int(*n)
	return &v
}

func nullableInt(n *int) *int32 {
	if n == nil {
		return nil
	}
	v := int32(*n)
	return &v
}

func staleBroadcast() error {
	return fault.New(fault.Conflict, "stale_revision", "Somebody else has saved this broadcast meanwhile. Load it again.")
}

func broadcastNotFound(op string, err error) error {
	return notFound(op, "broadcast_not_found", "There is no such broadcast.", err)
}
