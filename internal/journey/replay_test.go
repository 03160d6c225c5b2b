package journey_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/journey"
)

// looping is a plan with every kind of pause, in a circle.
func looping() *journey.Plan {
	day := 24 * time.Hour
	return &journey.Plan{Journey: "loop", Hash: "h", First: "hello", Steps: map[string]journey.PlanStep{
		"hello":  {Kind: journey.KindSend, Ports: map[string]string{"next": "listen"}},
		"listen": {Kind: journey.KindWaitFor, For: 3 * day, Ports: map[string]string{"0": "fork", "timeout": "rest"}, Arms: []journey.Arm{{Event: "A"}}},
		"fork":   {Kind: journey.KindBranch, Ports: map[string]string{"0": "sales", "1": "listen", "else": "rest"}},
		"sales":  {Kind: journey.KindHandoff, For: 14 * day, Ports: map[string]string{"won": "done", "lost": "rest", "rejected": "listen", "expired": "rest"}},
		"rest":   {Kind: journey.KindWait, For: day, Ports: map[string]string{"next": "hello"}},
		"done":   {Kind: journey.KindExit, ExitReason: "finished"},
	}}
}

// run drives an enrollment through random outcomes, the way the workflow and the store do it, and stops anywhere.
type run struct {
	state      journey.State
	enrollment journey.Enrollment
	progress   journey.Progress
	now        time.Time
}

func (r *run) later(t *rapid.T, what string, most time.Duration) {
	r.now = r.now.Add(time.Duration(rapid.Int64Range(1, int64(most)).Draw(t, what)))
}

// record writes an outcome down; the workflow hears of it a moment later.
func (r *run) record(t *rapid.T, p *journey.Plan, o journey.Outcome) {
	r.progress.Records = append(r.progress.Records, journey.Record{
		Step: r.state.Step, Visit: r.state.Visit(), Kind: p.Steps[r.state.Step].Kind, Outcome: o, At: r.now,
	})
	r.later(t, "lag", time.Second)
	r.state, _ = p.Next(r.state, o, r.now)
}

// sync is what the row says once the inbox was read.
func (r *run) sync() {
	r.enrollment.State, r.enrollment.WakeAt, r.enrollment.Step = journey.Active, nil, r.state.Step
	if park := r.state.Park; park != nil {
		r.enrollment.State, r.enrollment.WakeAt = journey.Waiting, park.Deadline
	}
}

func (r *run) step(t *rapid.T, p *journey.Plan) {
	r.later(t, "passes", 2*time.Hour)
	kind := p.Steps[r.state.Step].Kind
	if r.state.Park == nil && kind == journey.KindHandoff {
		r.state, _ = p.Next(r.state, journey.Outcome{Port: journey.PortParked}, r.now)
		return
	}
	ports := map[journey.Kind][]string{
		journey.KindSend: {"next"}, journey.KindWait: {"next"}, journey.KindWaitFor: {"0", "timeout", "goal"},
		journey.KindBranch: {"0", "1", "else"}, journey.KindHandoff: {"won", "lost", "rejected", "expired"},
	}[kind]
	o := journey.Outcome{Port: rapid.SampledFrom(ports).Draw(t, "port")}
	switch o.Port {
	case "goal":
		o = journey.Outcome{Goal: true, Seq: r.state.Seq + 1}
	case "timeout", "expired":
		at := *r.state.Park.Deadline
		o.At, r.now = &at, at
	case "0":
		if kind == journey.KindWaitFor {
			o.Seq = r.state.Seq + rapid.Int64Range(1, 5).Draw(t, "events")
		}
	}
	r.record(t, p, o)
}

// Wherever an enrollment stands, what is recorded leads to the same place: step, visits, cursor, and the deadline to the microsecond.
func TestReplayStandsWhereTheWorkflowStood(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, began := looping(), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		r := &run{now: began, enrollment: journey.Enrollment{State: journey.Active, EnteredSeq: 7, EnteredAt: began}}
		r.later(t, "adopted", time.Second)
		r.state, _ = p.Start(7, r.now)
		for range rapid.IntRange(0, 25).Draw(t, "steps") {
			if r.state.End != nil {
				break
			}
			r.step(t, p)
			if rapid.Bool().Draw(t, "inbox read") && r.state.End == nil {
				r.sync()
			}
		}
		if r.state.Park != nil {
			r.sync()
		}
		got := p.Replay(r.enrollment, r.progress)
		require.Equal(t, r.state, got)
	})
}

// Before the inbox was read again the row speaks of an earlier pause: the deadline is worked out, and nothing that was looked at then is
// taken for looked at now.
func TestReplayDoesNotTrustAnOldRow(t *testing.T) {
	t.Parallel()
	p, began := looping(), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return began.Add(d) }
	first := at(72 * time.Hour)
	e := journey.Enrollment{State: journey.Waiting, Step: "listen", WakeAt: &first, EnteredAt: began, EnteredSeq: 1}
	progress := journey.Progress{Scanned: 90, Records: []journey.Record{
		{Step: "hello", Visit: 1, Kind: journey.KindSend, Outcome: journey.Outcome{Port: "next"}, At: began},
	}}
	s := p.Replay(e, progress)
	require.Equal(t, []any{"listen", first, int64(90)}, []any{s.Step, *s.Park.Deadline, s.Seq})
	progress.Records = append(progress.Records,
		journey.Record{Step: "listen", Visit: 1, Kind: journey.KindWaitFor, Outcome: journey.Outcome{Port: "0", Seq: 4}, At: at(time.Hour)},
		journey.Record{Step: "fork", Visit: 1, Kind: journey.KindBranch, Outcome: journey.Outcome{Port: "1"}, At: at(2 * time.Hour)})
	s = p.Replay(e, progress)
	require.Equal(t, []any{"listen", 2, at(74 * time.Hour), int64(4)}, []any{s.Step, s.Visit(), *s.Park.Deadline, s.Seq})
}
