package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// Event finds an event of the contact by its number.
func (tx *ContactTx) Event(ctx context.Context, seq int64) (audience.Event, error) {
	row, err := tx.q.FindEventBySeq(ctx, tx.id, seq)
	if err != nil {
		return audience.Event{}, notFound("find event", "event_not_found", "There is no such event.", err)
	}
	return eventOf(row)
}

// EventByID finds an event of the contact by its id.
func (tx *ContactTx) EventByID(ctx context.Context, id string) (audience.Event, error) {
	parsed, err := parseID(id)
	if err != nil {
		return audience.Event{}, notFound("find event", "event_not_found", "There is no such event.", err)
	}
	row, err := tx.q.FindEvent(ctx, tx.id, parsed)
	if err != nil {
		return audience.Event{}, notFound("find event", "event_not_found", "There is no such event.", err)
	}
	return eventOf(row)
}

// EventsAfter reads tracked events and signals of some names after a number, in their order. Events that came with a merge are read only
// by who came with them. Opened by the id of a merged contact, it counts as that contact's journal did.
func (tx *ContactTx) EventsAfter(ctx context.Context, seq int64, names []string, limit int) ([]audience.Event, error) {
	seq += tx.shift
	if len(names) == 0 || seq >= tx.row.LastSeq {
		return nil, nil
	}
	rows, err := tx.q.ListEventsAfter(ctx, dbsqlc.ListEventsAfterParams{ContactID: tx.id, After: seq, Names: names, MaxRows: int32(clampLimit(limit))})
	if err != nil {
		return nil, failure("read events", err)
	}
	events, err := eventsOf(rows)
	return tx.shifted(events), err
}

// RecentEvents reads the newest tracked events and signals, the newest first.
func (tx *ContactTx) RecentEvents(ctx context.Context, limit int) ([]audience.Event, error) {
	rows, err := tx.q.ListRecentEvents(ctx, tx.id, int32(clampLimit(limit)))
	if err != nil {
		return nil, failure("read recent events", err)
	}
	return eventsOf(rows)
}

func eventsOf(rows []dbsqlc.Event) ([]audience.Event, error) {
	out := make([]audience.Event, len(rows))
	for i, row := range rows {
		var err error
		if out[i], err = eventOf(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func eventOf(row dbsqlc.Event) (audience.Event, error) {
	properties, err := decodeObject(row.Properties)
	if err != nil {
		return audience.Event{}, fmt.Errorf("event %s: %w", row.ID, err)
	}
	var origin map[string]any
	if len(row.Context) > 0 {
		if origin, err = decodeObject(row.Context); err != nil {
			return audience.Event{}, fmt.Errorf("event %s: %w", row.ID, err)
		}
	}
	return audience.Event{
		ID: row.ID.String(), MessageID: row.MessageID, ContactID: row.ContactID.String(), Seq: row.Seq, Type: audience.EventType(row.Type),
		Name: row.Name, Properties: properties, Context: origin, OccurredAt: row.OccurredAt, ReceivedAt: row.ReceivedAt,
	}, nil
}

// Facts answers what a condition asks about the contact, from this transaction: the events are asked for one question at a time, when a
// condition needs them, and once. The event under consideration may be nil. It must not outlive the transaction.
func (tx *ContactTx) Facts(ctx context.Context, event *audience.Event, now time.Time) audience.Facts {
	return &facts{ctx: ctx, tx: tx, event: event, now: now, tallies: map[audience.Question]audience.Tally{}, lasts: map[string]lastEvent{}}
}

type lastEvent struct {
	at time.Time
	ok bool
}

// facts holds a context because audience.Facts, which is pure, knows none; it lives as long as one evaluation.
type facts struct {
	ctx     context.Context //nolint:containedctx // see above
	tx      *ContactTx
	event   *audience.Event
	now     time.Time
	tallies map[audience.Question]audience.Tally
	lasts   map[string]lastEvent
}

func (f *facts) Contact() audience.Contact { return f.tx.Contact() }
func (f *facts) Event() *audience.Event    { return f.event }
func (f *facts) Company() map[string]any   { return f.tx.company }
func (f *facts) Now() time.Time            { return f.now }

// state is decodable: the row was read into a contact before.
func (f *facts) state() sales.ScoreState {
	var state sales.ScoreState
	_ = json.Unmarshal(f.tx.row.ScoreState, &state)
	return state
}

func (f *facts) Persona() string { return f.state().Persona }

func (f *facts) Score() audience.Score { return f.tx.rules.model.Score(f.state(), f.now) }

// Object is the newest of its type that belongs to the contact or to its company.
func (f *facts) Object(kind string) (map[string]any, error) {
	rows, err := f.tx.q.NewestObjects(f.ctx, []int64{0}, []uuid.UUID{f.tx.id}, []string{kind})
	if err != nil || len(rows) == 0 {
		return nil, failure("find object", err)
	}
	return decodeObject(rows[0].Fields)
}

// filtered looks at the events themselves.
func (f *facts) filtered(q audience.Question, since time.Time) (audience.Tally, error) {
	rows, err := f.tx.q.ListEventsOfName(f.ctx, dbsqlc.ListEventsOfNameParams{ContactIds: []uuid.UUID{f.tx.id}, Name: q.Name, Since: since, Now: f.now})
	if err != nil {
		return audience.Tally{}, failure("read events", err)
	}
	events, err := eventsOf(rows)
	if err != nil {
		return audience.Tally{}, err
	}
	return audience.TallyEvents(events, q, f.now)
}

// Tally goes by the time at which events happened, as told and corrected: what is imported late counts where it belongs.
func (f *facts) Tally(q audience.Question) (audience.Tally, error) {
	if t, known := f.tallies[q]; known {
		return t, nil
	}
	since := beginning
	if q.Within > 0 {
		since = f.now.Add(-q.Within)
	}
	if q.Where != "" {
		t, err := f.filtered(q, since)
		if err == nil {
			f.tallies[q] = t
		}
		return t, err
	}
	row, err := f.tx.q.TallyEvents(f.ctx, dbsqlc.TallyEventsParams{ContactID: f.tx.id, Name: q.Name, Since: since, Now: f.now})
	if err != nil {
		return audience.Tally{}, failure("tally events", err)
	}
	t := audience.Tally{Count: int(min(row.N, math.MaxInt32))}
	if t.Count > 0 {
		t.Oldest = row.Oldest
	}
	f.tallies[q] = t
	return t, nil
}

// Last is the newest time at which an event of that name happened.
func (f *facts) Last(name string) (time.Time, bool, error) {
	if last, known := f.lasts[name]; known {
		return last.at, last.ok, nil
	}
	at, err := f.tx.q.LastEventAt(f.ctx, f.tx.id, name)
	if err != nil && !isNoRows(err) {
		return time.Time{}, false, failure("find last event", err)
	}
	last := lastEvent{at: at, ok: err == nil}
	f.lasts[name] = last
	return last.at, last.ok, nil
}

// InSegment answers from the row, which every event, trait and score keeps current.
func (f *facts) InSegment(key string) (bool, error) {
	_, found := slices.BinarySearch(f.tx.row.Segments, key)
	return found, nil
}
