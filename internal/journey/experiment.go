package journey

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/report"
)

// Experiment is how the variants of a split compare, or a mail with its holdout. It may be looked at at any time: docs/experiments.md says
// why. What it counts is of all versions that have it.
type Experiment struct {
	ID        string            `json:"id"`
	Journey   string            `json:"journey"`
	Step      string            `json:"step"`
	Kind      Kind              `json:"kind" enum:"split,send" doc:"send: a mail that is withheld from a part of the contacts."`
	State     string            `json:"state" enum:"running,won,replaced" doc:"won: new contacts all get the winner. replaced: no live version has it."`
	BegunAt   *time.Time        `json:"begun_at,omitempty" doc:"Absent before the first contact has come."`
	CountedAt *time.Time        `json:"counted_at,omitempty" doc:"The moment that its counts are of."`
	Goal      string            `json:"goal" doc:"What it is judged by, in words."`
	Within    string            `json:"within,omitempty" doc:"For how long after a contact got its arm that counts."`
	Automatic bool              `json:"automatic" doc:"All new contacts get the winner as soon as it is decided."`
	Mode      ExperimentMode    `json:"mode" enum:"weights,thompson"`
	Floor     int               `json:"floor,omitempty" doc:"The percent of new contacts that each variant gets at least, with thompson."`
	Won       *ExperimentWinner `json:"won,omitempty"`
	Draw      *Draw             `json:"draw,omitempty" doc:"The weights of new contacts, with thompson."`
	Revision  int64             `json:"revision" doc:"Grows when a winner is chosen; 0 before the first contact has come."`
	Variants  []VariantCount    `json:"variants" nullable:"false"`
	Ratio     report.Ratio      `json:"ratio" doc:"Whether the variants were filled as their weights say."`
	Verdict   ExperimentVerdict `json:"verdict"`
}

// The states of an experiment.
const (
	ExperimentRunning  = "running"
	ExperimentWon      = "won"
	ExperimentReplaced = "replaced"
)

// ExperimentRecord is what is kept of an experiment.
type ExperimentRecord struct {
	Planned
	Standing
	Number    int64 // its place in lists
	Live      bool
	BegunAt   time.Time
	CountedAt *time.Time
	Counts    []ArmCount
}

// VariantCount is one arm of an experiment. Contacts count once.
type VariantCount struct {
	Port       string             `json:"port"`
	Name       string             `json:"name"`
	Holdout    bool               `json:"holdout,omitempty"`
	New        float64            `json:"new" doc:"The part of new contacts that gets it now."`
	Entered    int64              `json:"entered"`
	Converted  int64              `json:"converted" doc:"Have reached the goal since, in time, also after leaving."`
	Conversion report.Share       `json:"conversion"`
	Difference *report.Share      `json:"difference,omitempty" doc:"To the variant that is compared with: the holdout, or else the first. Its interval is for one look at the end."`
	Lift       *report.Share      `json:"lift,omitempty" doc:"The same as a part of the other's share: 0.2 is a fifth more. Its interval is for one look at the end."`
	Always     *report.Sequential `json:"always,omitempty" doc:"The interval of the difference, and its p-value, that hold however often one looks. Shared between all pairs of variants."`
}

// What an experiment can come to.
const (
	VerdictDecided   = "decided"
	VerdictUndecided = "undecided"
	VerdictTooFew    = "too_few"
	VerdictUneven    = "uneven"
)

// ExperimentVerdict is what an experiment shows so far, in words.
type ExperimentVerdict struct {
	State    string `json:"state" enum:"decided,undecided,too_few,uneven" doc:"uneven: the variants are not filled as their weights say."`
	Winner   string `json:"winner,omitempty" doc:"The port of the variant that is better than every other."`
	Sentence string `json:"sentence"`
	Needed   int64  `json:"needed,omitempty" doc:"About how many contacts each variant needs until a fifth more than with the variant that is compared with is found, in four of five cases."`
}

// worthFinding is the difference that the needed number is for, as a part of the share.
const worthFinding = 0.2

// among finds the record of an experiment; one that has not begun has counted nobody.
func (p Planned) among(records []ExperimentRecord) ExperimentRecord {
	id := p.ID()
	for _, r := range records {
		if r.ID() == id {
			return r
		}
	}
	return ExperimentRecord{Planned: p}
}

// Show compares the arms of an experiment.
func (r ExperimentRecord) Show() Experiment {
	e := Experiment{
		ID: r.ID(), Journey: r.Journey, Step: r.Step, Kind: r.Kind, State: ExperimentRunning, CountedAt: r.CountedAt, Goal: r.goalWords(), Automatic: r.Automatic,
		Mode: ModeWeights, Won: r.Winner, Revision: r.Revision,
	}
	if !r.BegunAt.IsZero() {
		e.BegunAt = &r.BegunAt
	}
	if r.Within > 0 {
		e.Within = audience.FormatDuration(r.Within)
	}
	if r.Thompson {
		e.Mode, e.Floor, e.Draw = ModeThompson, r.Floor, r.Draw
	}
	switch {
	case !r.Live && r.CountedAt != nil:
		e.State = ExperimentReplaced
	case r.Winner != nil:
		e.State = ExperimentWon
	}
	arms := r.armsOf(r.Counts)
	base, fresh := 0, r.fresh()
	for i, arm := range r.Arms {
		e.Variants = append(e.Variants, VariantCount{Port: strconv.Itoa(i), Name: arm.Name, Holdout: arm.Holdout, New: fresh[i],
			Entered: arms[i].Entered, Converted: arms[i].Converted, Conversion: report.ShareOf(arms[i].Converted, arms[i].Entered)})
		if arm.Holdout {
			base = i
		}
	}
	for i := range e.Variants {
		if i != base {
			e.Variants[i].compare(arms[i], arms[base], e.Variants[base].Conversion, report.Comparisons(len(arms)))
		}
	}
	j := report.Judge(arms, report.MinimumSample)
	e.Ratio, e.Verdict = j.Ratio, e.verdict(j)
	if len(arms) > 0 && e.Verdict.State != VerdictDecided && e.Verdict.State != VerdictUneven {
		e.foretell(arms, base)
	}
	if r.Winner != nil { // it has been stopped
		e.Verdict.Sentence = strings.NewReplacer("; you may stop", "", "; keep going", "").Replace(e.Verdict.Sentence)
	}
	return e
}

// fresh is which part of new contacts each arm gets now.
func (r ExperimentRecord) fresh() []float64 {
	weights := r.weights()
	if r.Thompson && r.Draw != nil && len(r.Draw.Weights) == len(weights) {
		weights = r.Draw.Weights
	}
	sum := 0
	for _, w := range weights {
		sum += w
	}
	out := make([]float64, len(weights))
	for i, w := range weights {
		switch {
		case r.Winner != nil && r.Winner.arm() == i:
			out[i] = 1
		case r.Winner == nil && sum > 0:
			out[i] = float64(w) / float64(sum)
		}
	}
	return out
}

// goalWords says what an experiment is judged by.
func (d Design) goalWords() string {
	words := make([]string, len(d.Goals))
	for i, g := range d.Goals {
		if words[i] = eventWords(g.Event); g.When != "" {
			words[i] += " when " + g.When
		}
	}
	if len(words) == 0 {
		return "nothing: no goal is named"
	}
	return strings.Join(words, " or ")
}

func (v *VariantCount) compare(arm, base report.Arm, with report.Share, comparisons int) {
	difference, always := report.DifferenceOf(v.Conversion, with), report.Compare(arm, base, comparisons)
	v.Difference, v.Always, v.Lift = &difference, &always, report.LiftOf(arm, base)
}

// verdict puts a judgement into words that tell what to do.
func (e *Experiment) verdict(j report.Judgement) ExperimentVerdict {
	switch {
	case j.Ratio.Alarmed:
		return ExperimentVerdict{State: VerdictUneven, Sentence: "The arms are not filled as they should be: do not trust this."}
	case j.Winner != report.NoWinner:
		leader, next := &e.Variants[j.Leader], &e.Variants[j.Next]
		than, with := next.called(), ""
		if len(e.Variants) > 2 {
			than, with = "all others", " than with "+next.called()
		}
		return ExperimentVerdict{State: VerdictDecided, Winner: leader.Port,
			Sentence: fmt.Sprintf("%s is better than %s: between %s points more reach the goal%s; you may stop.", leader.called(), than, between(j.Margin), with)}
	case j.Missing > 0:
		return ExperimentVerdict{State: VerdictTooFew,
			Sentence: fmt.Sprintf("Nothing is decided yet; keep going. Each arm must have %d contacts first; the smallest has %d.", report.MinimumSample, report.MinimumSample-j.Missing)}
	case len(j.Beaten) > 0:
		var beaten, open []string
		for i := range e.Variants {
			switch {
			case i == j.Leader:
			case slices.Contains(j.Beaten, i):
				beaten = append(beaten, e.Variants[i].called())
			default:
				open = append(open, e.Variants[i].called())
			}
		}
		leader := e.Variants[j.Leader].called()
		return ExperimentVerdict{State: VerdictUndecided, Sentence: fmt.Sprintf("%s is better than %s. Between %s and %s nothing is decided yet; keep going.",
			leader, list(beaten), leader, list(open))}
	}
	return ExperimentVerdict{State: VerdictUndecided, Sentence: "Nothing is decided yet; keep going."}
}

// foretell says how many contacts it takes until a difference that is worth finding is found.
func (e *Experiment) foretell(arms []report.Arm, base int) {
	share := e.Variants[base].Conversion.Value
	e.Verdict.Needed = rounded(report.SampleAlways(share, worthFinding, report.Comparisons(len(arms))))
	for _, arm := range arms {
		if arm.Entered < e.Verdict.Needed {
			e.Verdict.Sentence += fmt.Sprintf(" To find a fifth more than with %s, each arm needs about %d.", e.Variants[base].called(), e.Verdict.Needed)
			return
		}
	}
}

func (v *VariantCount) called() string {
	if v.Holdout && !strings.Contains(v.Name, "left alone") {
		return v.Name + " (left alone)"
	}
	return v.Name
}

// between is an interval in percentage points, fine enough to tell its ends apart.
func between(s report.Sequential) string {
	if s.High < 0.01 {
		return fmt.Sprintf("%.2f and %.2f", 100*s.Low, 100*s.High)
	}
	return fmt.Sprintf("%.1f and %.1f", 100*s.Low, 100*s.High)
}

func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// rounded leaves two digits, upwards: more would promise what an estimate does not hold.
func rounded(n int64) int64 {
	step := int64(math.Pow10(max(0, len(strconv.FormatInt(n, 10))-2)))
	return (n + step - 1) / step * step
}
