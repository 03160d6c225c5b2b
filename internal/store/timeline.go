package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// EntryKind is what an entry of a timeline is about.
type EntryKind string

// The kinds of entries.
const (
	EntryEvent    EntryKind = "event"
	EntryDecision EntryKind = "decision"
	EntryMessage  EntryKind = "message"
	EntryHandoff  EntryKind = "handoff"
	EntryScore    EntryKind = "score"
	EntryDelivery EntryKind = "delivery"
	EntryPause    EntryKind = "pause" // of a journey, while the contact was in it: kept once for all contacts, and woven in
)

// TimelineEntry is one thing that happened to a contact. The pointer of its kind is set, the others are nil.
type TimelineEntry struct {
	JournalID int64
	At        time.Time
	Kind      EntryKind
	Event     *audience.Event
	Decision  *journey.Decision
	Message   *email.Message // without its bodies
	Handoff   *sales.Handoff
	Score     *sales.ScoreChange
	Pause     *journey.Pause
	Delivery  *email.DeliveryEntry
}

// Timeline reads what happened to a contact in its order, from after a journal id (0: from the beginning). next is where to go on, or 0
// when this was all there is so far.
func (s *Store) Timeline(ctx context.Context, contactID string, cursor int64, limit int) (entries []TimelineEntry, next int64, err error) {
	id, err := parseID(contactID)
	if err != nil {
		return nil, 0, contactNotFound("read timeline", err)
	}
	limit = clampLimit(limit)
	// One snapshot: between two statements a page could lose an entry that has just come in between.
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		contact, err := findFollowing(ctx, q, id)
		if err != nil {
			return contactNotFound("find contact", err)
		}
		id = contact.ID
		keys, err := q.ListTimelineKeys(ctx, id, cursor, int32(limit+1))
		if err != nil {
			return err
		}
		if len(keys) > limit {
			keys = keys[:limit]
			next = keys[limit-1].JournalID
		}
		entries, err = readEntries(ctx, q, id, keys)
		return err
	})
	if err != nil {
		return nil, 0, failure("read timeline", err)
	}
	return entries, next, nil
}

// readEntries reads the rows behind the keys, a statement for each kind that there is.
func readEntries(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, keys []dbsqlc.ListTimelineKeysRow) ([]TimelineEntry, error) {
	refs := map[EntryKind][]int64{}
	for _, key := range keys {
		refs[EntryKind(key.Kind)] = append(refs[EntryKind(key.Kind)], key.Ref)
	}
	readers := map[EntryKind]func(context.Context, *dbsqlc.Queries, uuid.UUID, []int64) ([]TimelineEntry, error){
		EntryEvent: eventEntries, EntryDecision: decisionEntries, EntryMessage: messageEntries, EntryHandoff: handoffEntries, EntryScore: scoreEntries,
		EntryPause: pauseEntries, EntryDelivery: deliveryEntries,
	}
	out := make([]TimelineEntry, 0, len(keys))
	for kind, wanted := range refs {
		found, err := readers[kind](ctx, q, id, wanted)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b TimelineEntry) int { return cmp.Compare(a.JournalID, b.JournalID) })
	return out, nil
}

func eventEntries(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, seqs []int64) ([]TimelineEntry, error) {
	rows, err := q.ListEventsBySeq(ctx, id, seqs)
	return entriesOf(rows, err, func(row dbsqlc.Event) (TimelineEntry, error) {
		e, err := eventOf(row)
		return TimelineEntry{JournalID: row.JournalID, At: row.ReceivedAt, Kind: EntryEvent, Event: &e}, err
	})
}

func decisionEntries(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, journal []int64) ([]TimelineEntry, error) {
	rows, err := q.ListDecisionsByJournal(ctx, id, journal)
	return entriesOf(rows, err, func(row dbsqlc.Decision) (TimelineEntry, error) {
		d, err := decisionOf(row)
		return TimelineEntry{JournalID: row.JournalID, At: row.At, Kind: EntryDecision, Decision: &d}, err
	})
}

func messageEntries(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, journal []int64) ([]TimelineEntry, error) {
	rows, err := q.ListMessagesByJournal(ctx, id, journal)
	entries, err := entriesOf(rows, err, func(row dbsqlc.ListMessagesByJournalRow) (TimelineEntry, error) {
		m := messageOf(dbsqlc.Message(row))
		return TimelineEntry{JournalID: row.JournalID, At: row.CreatedAt, Kind: EntryMessage, Message: &m}, nil
	})
	if err != nil {
		return nil, err
	}
	mails := make([]*email.Message, len(entries))
	for i := range entries {
		mails[i] = entries[i].Message
	}
	return entries, engagement(ctx, q, mails)
}

func handoffEntries(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, journal []int64) ([]TimelineEntry, error) {
	rows, err := q.ListHandoffsByJournal(ctx, id, journal)
	return entriesOf(rows, err, func(row dbsqlc.Handoff) (TimelineEntry, error) {
		h := handoffOf(row)
		return TimelineEntry{JournalID: row.JournalID, At: row.CreatedAt, Kind: EntryHandoff, Handoff: &h}, nil
	})
}

func scoreEntries(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, journal []int64) ([]TimelineEntry, error) {
	rows, err := q.ListScoreChangesByJournal(ctx, id, journal)
	return entriesOf(rows, err, func(row dbsqlc.ScoreChange) (TimelineEntry, error) {
		c := scoreChangeOf(row)
		return TimelineEntry{JournalID: row.JournalID, At: row.At, Kind: EntryScore, Score: &c}, nil
	})
}

func deliveryEntries(ctx context.Context, q *dbsqlc.Queries, _ uuid.UUID, journal []int64) ([]TimelineEntry, error) {
	rows, err := q.ListDeliveriesByJournal(ctx, journal)
	return entriesOf(rows, err, func(row dbsqlc.ListDeliveriesByJournalRow) (TimelineEntry, error) {
		d := email.DeliveryEntry{
			Reported:  email.NewReported(email.Status(row.Delivery), email.Bounce(row.Bounce), row.Code, row.At),
			MessageID: row.MessageID.String(), Journey: row.Journey, StepID: row.StepID, Subject: row.Subject, Suppressed: row.Suppressed,
		}
		return TimelineEntry{JournalID: row.JournalID, At: row.CreatedAt, Kind: EntryDelivery, Delivery: &d}, nil
	})
}

func pauseEntries(ctx context.Context, q *dbsqlc.Queries, _ uuid.UUID, journal []int64) ([]TimelineEntry, error) {
	rows, err := q.ListPausesByJournal(ctx, journal)
	return entriesOf(rows, err, func(row dbsqlc.JourneyPause) (TimelineEntry, error) {
		p := journey.Pause{Journey: row.Journey, PausedAt: row.PausedAt, ResumedAt: row.ResumedAt, PausedBy: row.PausedBy, ResumedBy: row.ResumedBy}
		return TimelineEntry{JournalID: row.JournalID, At: row.PausedAt, Kind: EntryPause, Pause: &p}, nil
	})
}

func entriesOf[R any](rows []R, err error, convert func(R) (TimelineEntry, error)) ([]TimelineEntry, error) {
	if err != nil {
		return nil, err
	}
	out := make([]TimelineEntry, len(rows))
	for i, row := range rows {
		if out[i], err = convert(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}
