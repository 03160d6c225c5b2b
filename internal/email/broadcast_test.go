package email_test

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

var broadcastDay = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// A model of a broadcast: people act as they like, the engine does what is next, and recipients settle. Whatever comes, nobody is mailed while
// it does not run, nobody of the rest before there is a winner, and left alone it comes to its end with everybody settled.
func TestBroadcastModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := email.Broadcast{State: email.BroadcastDraft, Plan: email.BroadcastPlan{Schedule: email.BroadcastSchedule{Kind: email.ScheduleNow}}}
		if rapid.Bool().Draw(t, "later") {
			at := broadcastDay.Add(time.Hour)
			b.Plan.Schedule = email.BroadcastSchedule{Kind: email.ScheduleAt, At: &at}
		}
		tested, rest := rapid.IntRange(0, 5).Draw(t, "tested"), 0
		if rapid.Bool().Draw(t, "test") {
			b.Plan.Variants = []email.BroadcastVariant{{Name: "A"}, {Name: "B"}}
			b.Plan.Test = &email.BroadcastTest{Share: 20, Minutes: 60}
			rest = rapid.IntRange(0, 5).Draw(t, "rest")
		}
		m := &broadcastModel{b: b, now: broadcastDay, waits: [2]int{tested, rest}}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "who") == 0 {
				m.act(t, rapid.SampledFrom([]email.BroadcastAction{email.StartBroadcast, email.PauseBroadcast, email.ResumeBroadcast, email.CancelBroadcast}).Draw(t, "action"))
			} else {
				m.step(t)
			}
		}
		m.act(t, email.StartBroadcast)
		m.act(t, email.ResumeBroadcast)
		for range 60 {
			m.step(t)
		}
		require.Contains(t, []email.BroadcastState{email.BroadcastCompleted, email.BroadcastCancelled}, m.b.State)
		require.Equal(t, [2]int{}, m.waits, "everybody has what they get, or a reason")
		require.NotNil(t, m.b.EndedAt)
	})
}

type broadcastModel struct {
	b     email.Broadcast
	now   time.Time
	waits [2]int // before the rest, and the rest
}

func (m *broadcastModel) act(t *rapid.T, action email.BroadcastAction) {
	after, err := m.b.After(action, m.now)
	if err != nil {
		require.Equal(t, fault.Conflict, fault.KindOf(err))
		require.Equal(t, m.b, after, "what is refused changes nothing")
		return
	}
	again, err := after.After(action, m.now)
	if action != email.StartBroadcast {
		require.NoError(t, err, "done twice is done")
		require.Equal(t, after, again)
	}
	m.b = after
	if m.b.State == email.BroadcastCancelled && m.b.GatheredAt == nil {
		m.waits = [2]int{} // nobody was written down
	}
}

func (m *broadcastModel) queue() email.BroadcastQueue {
	q := email.BroadcastQueue{Busy: m.waits[0] > 0}
	due := broadcastDay
	if m.waits[0] > 0 {
		q.NextDue = &due
	}
	if m.waits[1] > 0 {
		q.NextRest = &due
	}
	if m.b.GatheredAt == nil {
		return email.BroadcastQueue{}
	}
	return q
}

func (m *broadcastModel) step(t *rapid.T) {
	do, at := m.b.Next(m.queue(), m.now)
	switch do {
	case email.DoWait:
		if at != nil {
			require.True(t, at.After(m.now), "a wait ends later")
			m.now = *at
		}
	case email.DoGather:
		m.b = m.b.Opened()
		m.b.GatheredAt = &m.now
	case email.DoSend:
		require.True(t, m.b.State.Sends(), "only what runs sends")
		part := 0
		if m.waits[0] == 0 {
			part = 1
			require.False(t, m.b.Undecided(), "the rest waits for the winner")
		}
		require.Positive(t, m.waits[part])
		m.waits[part]--
	case email.DoTested, email.DoDecide:
		m.b = m.b.Tested(m.now)
		require.Equal(t, email.BroadcastDeciding, m.b.State)
		if m.now.Before(m.b.TestEnds()) {
			look := m.b.NextLook(m.now)
			require.True(t, look.After(m.now) && !look.After(m.b.TestEnds()))
			m.now = look
			return
		}
		m.b = m.b.Decided(1, "why")
	case email.DoComplete:
		require.Equal(t, [2]int{}, m.waits)
		m.b = m.b.Completed(m.now)
	case email.DoClose:
		m.waits = [2]int{}
	case email.DoNothing:
	}
}

// The engine never overrules people: what it does to a broadcast that was paused or cancelled meanwhile changes nothing.
func TestTheEngineDoesNotOverrulePeople(t *testing.T) {
	t.Parallel()
	for _, state := range []email.BroadcastState{email.BroadcastDraft, email.BroadcastPaused, email.BroadcastCancelled, email.BroadcastCompleted} {
		b := email.Broadcast{State: state, Plan: email.BroadcastPlan{Test: &email.BroadcastTest{Minutes: 1}}}
		require.Equal(t, b, b.Opened())
		require.Equal(t, b, b.Tested(broadcastDay))
		require.Equal(t, b, b.Decided(0, "x"))
		require.Equal(t, b, b.Completed(broadcastDay))
	}
}

func TestLocalTimes(t *testing.T) {
	t.Parallel()
	local := email.BroadcastSchedule{Kind: email.ScheduleLocal, Date: "2026-03-29", Time: "02:30"}
	long := broadcastDay
	opens := local.Opens(long)
	require.Equal(t, time.Date(2026, 3, 28, 12, 30, 0, 0, time.UTC), opens, "when the first clock of the world shows it")
	for name, want := range map[string]string{
		"Pacific/Kiritimati": "2026-03-28T12:30:00Z", "Asia/Tokyo": "2026-03-28T17:30:00Z", "UTC": "2026-03-29T02:30:00Z", "America/New_York": "2026-03-29T06:30:00Z",
		"Europe/Berlin": "2026-03-29T01:00:00Z", // clocks skip 2:30: it is when they do
	} {
		require.Equal(t, want, local.For(zone(t, name), opens).UTC().Format(time.RFC3339), name)
	}
	late := time.Date(2026, 3, 29, 3, 0, 0, 0, time.UTC)
	require.Equal(t, late, local.For(zone(t, "Asia/Tokyo"), local.Opens(late)), "what has passed there is now")
	require.Equal(t, late, email.BroadcastSchedule{Kind: email.ScheduleNow}.For(zone(t, "Asia/Tokyo"), late))
}

func TestPlanIsChecked(t *testing.T) {
	t.Parallel()
	good := email.BroadcastPlan{Name: "n", Segment: "s", Template: "t", Schedule: email.BroadcastSchedule{Kind: email.ScheduleNow}}
	require.Empty(t, good.Check(broadcastDay))
	past := broadcastDay.Add(-time.Hour)
	for name, test := range map[string]struct {
		change func(p *email.BroadcastPlan)
		want   []string
	}{
		"nothing": {func(p *email.BroadcastPlan) { *p = email.BroadcastPlan{} }, []string{"/name", "/segment", "/template", "/schedule/kind"}},
		"numbers": {func(p *email.BroadcastPlan) { p.Holdout, p.Rate = 91, -1 }, []string{"/holdout", "/rate"}},
		"words":   {func(p *email.BroadcastPlan) { p.Otherwise = "exit" }, []string{"/otherwise"}},
		"past":    {func(p *email.BroadcastPlan) { p.Schedule = email.BroadcastSchedule{Kind: email.ScheduleAt, At: &past} }, []string{"/schedule/at"}},
		"no time": {func(p *email.BroadcastPlan) { p.Schedule = email.BroadcastSchedule{Kind: email.ScheduleAt} }, []string{"/schedule/at"}},
		"past anywhere": {func(p *email.BroadcastPlan) {
			p.Schedule = email.BroadcastSchedule{Kind: email.ScheduleLocal, Date: "2026-03-01", Time: "09:00"}
		}, []string{"/schedule/date"}},
		"no date": {func(p *email.BroadcastPlan) {
			p.Schedule = email.BroadcastSchedule{Kind: email.ScheduleLocal, Date: "3 March", Time: "9"}
		}, []string{"/schedule/date"}},
		"variants": {func(p *email.BroadcastPlan) {
			p.Variants = []email.BroadcastVariant{{Name: "A"}, {Name: "A", Subject: "{{ x"}, {}}
		}, []string{"/variants/1/name", "/variants/1/subject", "/variants/2/name"}},
		"goal":           {func(p *email.BroadcastPlan) { p.Goal = &email.BroadcastGoal{} }, []string{"/goal/event", "/goal/days"}},
		"test of nobody": {func(p *email.BroadcastPlan) { p.Test = &email.BroadcastTest{Fallback: "x"} }, []string{"/test", "/test/share", "/test/minutes", "/test/fallback"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := good
			test.change(&plan)
			var paths []string
			for _, p := range plan.Check(broadcastDay) {
				paths = append(paths, p.Path)
				require.NotEmpty(t, p.Message)
			}
			require.ElementsMatch(t, test.want, slices.Compact(paths))
		})
	}
}
