package sales

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"sort"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// maxReasons bounds the reasons that are listed of one point of a history.
const maxReasons = 5

// HistoryPoint is a score at a moment and what has changed it since the point before: since ever, for the first.
type HistoryPoint struct {
	At           time.Time       `json:"at"`
	ModelVersion int             `json:"model_version" doc:"The scoring model that counted then; 0: none."`
	Score        audience.Score  `json:"score"`
	Reasons      []HistoryReason `json:"reasons" nullable:"false" doc:"What has changed it, the weightiest first, at most five. Their points, and the fading of older ones, are the difference."`
}

// HistoryReason is one thing that has changed a score.
type HistoryReason struct {
	Kind   string  `json:"kind" enum:"rule,given,fit,rest" doc:"rule: events earned points; given: by a journey or a person; fit: what the contact is; rest: what has faded, what a cap held back, what another model counts otherwise."`
	Of     string  `json:"of,omitempty" doc:"The rule, or the words of who gave the points."`
	Points float64 `json:"points"`
	Events int     `json:"events,omitempty" doc:"How many events earned them."`
}

// The kinds of reasons.
const (
	ReasonRule  = "rule"
	ReasonGiven = "given"
	ReasonFit   = "fit"
	ReasonRest  = "rest"
)

// CountingFrom is a model and since when it counts.
type CountingFrom struct {
	Model *Model
	From  time.Time
}

// ScoreJournal is what a history is made of. The order of events and points does not matter.
type ScoreJournal struct {
	Models  []CountingFrom // in the order of their versions; before the first there was none
	Moments []time.Time    // in the order of time: the points
	Facts   func(at time.Time) audience.Facts
	Events  iter.Seq2[audience.Event, error] // of the names that any of the models listens to
	Points  iter.Seq2[ScoreChange, error]    // given by journeys and people
}

// History works out a contact's score at every moment as Explain does at one, in one walk through the journal: what was known between two
// moments is added up by itself, and the sums are added up from the first moment to the last. That may be, because the order in which a score
// is folded does not matter.
func History(j ScoreJournal) ([]HistoryPoint, error) {
	h := &history{journal: j, counts: make([]int, len(j.Moments)), given: make([]int, len(j.Moments)), reasons: make([]map[HistoryReason]*HistoryReason, len(j.Moments))}
	used := map[int]bool{}
	for i, at := range j.Moments {
		h.counts[i] = -1
		for m, model := range j.Models {
			if !model.From.After(at) {
				h.counts[i] = m
			}
		}
		used[h.counts[i]] = true
		h.reasons[i] = map[HistoryReason]*HistoryReason{}
	}
	h.spans = make([][]map[string]Decayed, len(j.Models))
	for m := range j.Models {
		if used[m] {
			h.spans[m] = make([]map[string]Decayed, len(j.Moments))
		}
	}
	for event, err := range j.Events {
		if err != nil {
			return nil, err
		}
		if err := h.event(&event); err != nil {
			return nil, err
		}
	}
	for change, err := range j.Points {
		if err != nil {
			return nil, err
		}
		if i := h.span(change.At); i < len(j.Moments) {
			h.given[i] += change.Points
			h.because(i, ReasonGiven, change.Reason, float64(change.Points), 0)
		}
	}
	return h.points()
}

// history is the walk: of each span between two moments, what it added.
type history struct {
	journal ScoreJournal
	counts  []int                  // of each moment, the model that counted; -1: none
	spans   [][]map[string]Decayed // of each model that counts at some moment and each span, by group
	given   []int
	reasons []map[HistoryReason]*HistoryReason
}

// span is the place of the first moment at which something that became known at a time was known.
func (h *history) span(known time.Time) int {
	return sort.Search(len(h.journal.Moments), func(i int) bool { return !known.After(h.journal.Moments[i]) })
}

func (h *history) event(e *audience.Event) error {
	i := h.span(e.ReceivedAt)
	if i == len(h.journal.Moments) {
		return nil
	}
	for m, spans := range h.spans {
		if spans == nil {
			continue
		}
		model := h.journal.Models[m].Model
		for _, rule := range model.byEvent[e.Name] {
			applies, err := rule.applies(e)
			if err != nil {
				return err
			}
			if !applies {
				continue
			}
			g := model.groups[rule.group]
			if spans[i] == nil {
				spans[i] = map[string]Decayed{}
			}
			spans[i][g.key] = spans[i][g.key].plus(Decayed{rule.points, instant(e.OccurredAt)}, g.halfLife)
			if h.counts[i] == m {
				h.because(i, ReasonRule, rule.id, rule.points, 1)
			}
		}
	}
	return nil
}

func (h *history) because(i int, kind, of string, points float64, events int) {
	key := HistoryReason{Kind: kind, Of: of}
	if h.reasons[i][key] == nil {
		h.reasons[i][key] = &HistoryReason{Kind: kind, Of: of}
	}
	h.reasons[i][key].Points += points
	h.reasons[i][key].Events += events
}

// points adds the spans up.
func (h *history) points() ([]HistoryPoint, error) {
	sums := make([]map[string]Decayed, len(h.journal.Models))
	out := make([]HistoryPoint, 0, len(h.journal.Moments))
	given, before := 0, audience.Score{}
	for i, at := range h.journal.Moments {
		for m := range h.spans {
			sums[m] = h.journal.Models[m].Model.added(sums[m], h.spans[m], i)
		}
		given += h.given[i]
		var model *Model
		state := ScoreState{Points: given}
		if m := h.counts[i]; m >= 0 {
			model, state.Engagement = h.journal.Models[m].Model, sums[m]
		}
		state.Model = model.Version()
		if model.Rates() {
			if err := model.Rate(&state, h.journal.Facts(at)); err != nil {
				return nil, fmt.Errorf("score of %s: %w", at.Format(time.DateOnly), err)
			}
		}
		score := model.Worth(state, at)
		if score.Fit != before.Fit {
			h.because(i, ReasonFit, "", float64(score.Fit-before.Fit), 0)
		}
		out = append(out, HistoryPoint{At: at, ModelVersion: model.Version(), Score: score, Reasons: h.reasonsOf(i, score.Total-before.Total)})
		before = score
	}
	return out, nil
}

// added is a sum with what a span adds to it.
func (m *Model) added(sum map[string]Decayed, spans []map[string]Decayed, i int) map[string]Decayed {
	if spans == nil || spans[i] == nil {
		return sum
	}
	if sum == nil {
		sum = map[string]Decayed{}
	}
	for _, g := range m.groups {
		if amount, ok := spans[i][g.key]; ok {
			sum[g.key] = sum[g.key].plus(amount, g.halfLife)
		}
	}
	return sum
}

// Rates tells whether the model looks at what a contact is.
func (m *Model) Rates() bool { return m != nil && (len(m.fit) > 0 || len(m.personas) > 0) }

// reasonsOf lists what has changed the score, and as the rest what no event and nobody has.
func (h *history) reasonsOf(i, difference int) []HistoryReason {
	out, rest := []HistoryReason{}, float64(difference)
	for _, reason := range h.reasons[i] {
		rest -= reason.Points
		out = append(out, *reason)
	}
	if rest = math.Round(rest); rest != 0 {
		out = append(out, HistoryReason{Kind: ReasonRest, Points: rest})
	}
	slices.SortFunc(out, func(a, b HistoryReason) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Points), math.Abs(a.Points)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Of, b.Of))
	})
	return out[:min(len(out), maxReasons)]
}
