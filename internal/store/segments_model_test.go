package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store"
)

// modelConditions are what the model's segments choose from: traits, behaviour with and without windows, absence, and the clock.
var modelConditions = []string{
	`contact.plan == "trial"`, `contact.n > 3 && contact.plan != "paid"`, `has(contact.plan)`, `!has(contact.n)`, `did("Bought")`,
	`count("Seen", "2d") >= 2`, `did("Seen") && !did("Seen", "14d")`, `!did("Seen", "1d")`, `count("Bought", "30d", "event.amount > 50") >= 2`,
	`last("Seen") > now - duration("48h")`, `contact.created_at < now - duration("240h")`, `did("Seen", "3d") != did("Bought", "10d")`,
	`contact.plan == "trial" || count("Bought", "7d") > 1`,
}

// modelContact is what is known about a contact, in memory. It is the facts that a condition asks.
type modelContact struct {
	id      string
	created time.Time
	traits  map[string]any
	events  []audience.Event
	now     time.Time
}

func (c *modelContact) Contact() audience.Contact {
	return audience.Contact{ID: c.id, UserID: "set", Stage: "subscriber", Traits: maps.Clone(c.traits), CreatedAt: c.created}
}
func (c *modelContact) Event() *audience.Event                { return nil }
func (c *modelContact) Company() map[string]any               { return nil }
func (c *modelContact) Persona() string                       { return "" }
func (c *modelContact) Score() audience.Score                 { return audience.Score{} }
func (c *modelContact) Object(string) (map[string]any, error) { return nil, nil }
func (c *modelContact) InSegment(string) (bool, error)        { return false, nil }
func (c *modelContact) Now() time.Time                        { return c.now }

func (c *modelContact) Tally(q audience.Question) (audience.Tally, error) {
	return audience.TallyEvents(c.events, q, c.now)
}

func (c *modelContact) Last(name string) (time.Time, bool, error) {
	var last time.Time
	for _, e := range c.events {
		if e.Name == name && !e.OccurredAt.After(c.now) && e.OccurredAt.After(last) {
			last = e.OccurredAt
		}
	}
	return last, !last.IsZero(), nil
}

// modelSegment is a segment in memory, and what must have been noted about it.
type modelSegment struct {
	condition string
	filling   bool
	in        map[string]bool // by user
	noted     map[string]int  // by user and name
}

// segmentModel drives the store and the memory side by side.
type segmentModel struct {
	t        testing.TB
	s        *store.Store
	conn     *pgx.Conn
	run      string // keeps the runs of one database apart
	n        int
	now      time.Time
	contacts map[string]*modelContact
	segments map[string]*modelSegment
}

func (m *segmentModel) user(r *rapid.T) string {
	return m.run + rapid.SampledFrom([]string{"ana", "bob", "eve"}).Draw(r, "user")
}

func (m *segmentModel) key(r *rapid.T) string {
	return m.run + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "segment")
}

func (m *segmentModel) ingest(in audience.Incoming) {
	m.n++
	in.Source, in.MessageID = "test", fmt.Sprint(m.run, m.n)
	c, known := m.contacts[in.UserID]
	if !known {
		c = &modelContact{traits: map[string]any{}, created: m.now}
		m.contacts[in.UserID] = c
	}
	c.id = ingest(m.t, m.s, m.now, in)[0].ContactID
	for name, value := range in.Traits {
		if value == nil {
			delete(c.traits, name)
		} else {
			c.traits[name] = value
		}
	}
	if in.Name != "" {
		c.events = append(c.events, audience.Event{Type: in.Type, Name: in.Name, Properties: in.Properties, OccurredAt: in.OccurredAt})
	}
}

func (m *segmentModel) track(r *rapid.T) {
	ago := time.Duration(rapid.IntRange(0, 20*24).Draw(r, "hours ago")) * time.Hour
	if rapid.Bool().Draw(r, "just now") {
		ago = 0
	}
	m.ingest(audience.Incoming{
		Type: audience.TypeTrack, UserID: m.user(r), Name: rapid.SampledFrom([]string{"Seen", "Bought", "Other"}).Draw(r, "event"),
		Properties: map[string]any{"amount": float64(rapid.IntRange(0, 100).Draw(r, "amount"))}, OccurredAt: m.now.Add(-ago),
	})
}

func (m *segmentModel) identify(r *rapid.T) {
	traits := map[string]any{}
	if rapid.Bool().Draw(r, "says the plan") {
		traits["plan"] = rapid.SampledFrom([]any{"trial", "paid", nil}).Draw(r, "plan")
	} else {
		traits["n"] = rapid.SampledFrom([]any{1.0, 5.0, "5", nil}).Draw(r, "n")
	}
	m.ingest(audience.Incoming{Type: audience.TypeIdentify, UserID: m.user(r), Traits: traits, OccurredAt: m.now})
}

func (m *segmentModel) advance(r *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 16*24*60).Draw(r, "minutes")) * time.Minute)
	refreshDue(m.t, m.s, m.now)
}

func (m *segmentModel) save(r *rapid.T) {
	key, condition := m.key(r), rapid.SampledFrom(modelConditions).Draw(r, "condition")
	_, err := m.s.SaveSegment(m.t.Context(), key, key, condition, nil, m.now)
	require.NoError(m.t, err)
	seg := m.segments[key]
	if seg == nil {
		seg = &modelSegment{in: map[string]bool{}, noted: map[string]int{}}
		m.segments[key] = seg
	}
	seg.filling = seg.filling || seg.condition != condition
	seg.condition = condition
}

func (m *segmentModel) fill(*rapid.T) {
	walk(m.t, m.s, m.now, 3)
	for _, seg := range m.segments {
		seg.filling = false
		for user, c := range m.contacts { // silently: nothing of it is noted
			seg.in[user] = m.holds(seg, c)
		}
	}
}

func (m *segmentModel) remove(r *rapid.T) {
	key := m.key(r)
	if m.segments[key] == nil {
		requireFault(m.t, m.s.DeleteSegment(m.t.Context(), key, m.now), "not_found", "segment_not_found")
		return
	}
	require.NoError(m.t, m.s.DeleteSegment(m.t.Context(), key, m.now))
	delete(m.segments, key)
	m.fill(r)
	for user := range m.contacts { // what was noted of a segment of that name before stays in the journal
		require.NotContains(m.t, m.arrayOf(user), key)
	}
}

func (m *segmentModel) holds(seg *modelSegment, c *modelContact) bool {
	condition, err := audience.CompileSegment(seg.condition)
	require.NoError(m.t, err)
	c.now = m.now
	standing, err := condition.Stands(c)
	require.NoError(m.t, err)
	return standing.Holds
}

func (m *segmentModel) arrayOf(user string) []string {
	var keys []string
	require.NoError(m.t, m.conn.QueryRow(m.t.Context(), "SELECT segments FROM contacts WHERE id = $1", m.contacts[user].id).Scan(&keys))
	return keys
}

// check holds the tables against the conditions, evaluated by hand.
func (m *segmentModel) check(before map[string]map[string]int) {
	for user, c := range m.contacts {
		array, noted := m.arrayOf(user), notes(m.t, m.conn, c.id)
		require.True(m.t, slices.IsSorted(array))
		expected := maps.Clone(before[user])
		if expected == nil {
			expected = map[string]int{}
		}
		for key, seg := range m.segments {
			member, err := m.s.IsMember(m.t.Context(), key, c.id)
			require.NoError(m.t, err)
			require.Equal(m.t, member, slices.Contains(array, key), "the two places say the same")
			if seg.filling {
				continue
			}
			holds := m.holds(seg, c)
			require.Equal(m.t, holds, member, "%s at %s: %s", user, m.now, seg.condition)
			if holds != seg.in[user] {
				name := audience.SegmentLeftPrefix
				if holds {
					name = audience.SegmentEnteredPrefix
				}
				expected[name+key]++
			}
			seg.in[user] = holds
		}
		require.Equal(m.t, expected, noted, "exactly one note for each change, and none while a segment fills")
	}
}

func (m *segmentModel) noted() map[string]map[string]int {
	all := map[string]map[string]int{}
	for user, c := range m.contacts {
		all[user] = notes(m.t, m.conn, c.id)
	}
	return all
}

// TestMembershipIsWhatTheConditionSays lets contacts, segments and the clock do as they like, and holds the tables after every step against
// the conditions as they stand in memory.
func TestMembershipIsWhatTheConditionSays(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		m := &segmentModel{
			t: t, s: s, conn: conn, run: fmt.Sprintf("r%d-", runs), now: start, contacts: map[string]*modelContact{}, segments: map[string]*modelSegment{},
		}
		steps := []func(*rapid.T){m.track, m.track, m.track, m.identify, m.identify, m.advance, m.advance, m.save, m.fill, m.remove}
		m.save(r)
		m.save(r)
		m.fill(r)
		for range rapid.IntRange(5, 25).Draw(r, "steps") {
			before := m.noted()
			steps[rapid.IntRange(0, len(steps)-1).Draw(r, "step")](r)
			m.check(before)
		}
		for key := range m.segments { // the next run has its own
			require.NoError(t, s.DeleteSegment(t.Context(), key, m.now))
		}
		_, err := conn.Exec(t.Context(), "UPDATE contacts SET recheck_at = NULL")
		require.NoError(t, err)
		walk(t, s, m.now, 500)
	})
}
