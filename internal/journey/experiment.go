package journey

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"throughline.dev/throughline/internal/report"
)

// Experiment is how the variants of a split compare. It may be looked at at any time: docs/experiments.md says why.
type Experiment struct {
	Step     string            `json:"step"`
	Variants []VariantCount    `json:"variants" nullable:"false"`
	Ratio    *report.Ratio     `json:"ratio,omitempty" doc:"Whether the variants were filled as their weights say. Left out for all versions together."`
	Verdict  ExperimentVerdict `json:"verdict"`
}

// VariantCount is one arm of an experiment. Contacts count once.
type VariantCount struct {
	Port       string             `json:"port"`
	Name       string             `json:"name"`
	Holdout    bool               `json:"holdout,omitempty"`
	Entered    int64              `json:"entered"`
	Converted  int64              `json:"converted" doc:"Have reached the goal since, also after leaving; where the goal has a condition, inside the journey."`
	Conversion report.Share       `json:"conversion"`
	Difference *report.Share      `json:"difference,omitempty" doc:"To the variant that is compared with: the holdout, or else the first. Its interval is for one look at the end."`
	Lift       *report.Share      `json:"lift,omitempty" doc:"The same as a part of the other's share: 0.2 is a fifth more. Its interval is for one look at the end."`
	Always     *report.Sequential `json:"always,omitempty" doc:"The interval of the difference, and its p-value, that hold however often one looks. Shared between all pairs of variants; left out for all versions together."`
}

// What an experiment can come to.
const (
	VerdictDecided   = "decided"
	VerdictUndecided = "undecided"
	VerdictTooFew    = "too_few"
	VerdictUneven    = "uneven"
	VerdictMixed     = "mixed"
)

// ExperimentVerdict is what an experiment shows so far, in words.
type ExperimentVerdict struct {
	State    string `json:"state" enum:"decided,undecided,too_few,uneven,mixed" doc:"uneven: the variants are not filled as their weights say. mixed: versions with other weights are counted together."`
	Winner   string `json:"winner,omitempty" doc:"The port of the variant that is better than every other."`
	Sentence string `json:"sentence"`
	Needed   int64  `json:"needed,omitempty" doc:"About how many contacts each variant needs until a fifth more than with the variant that is compared with is found, in four of five cases."`
}

// worthFinding is the difference that the needed number is for, as a part of the share.
const worthFinding = 0.2

func experiment(s Step, t Tally) Experiment {
	e := Experiment{Step: s.ID}
	arms := make([]report.Arm, len(s.Split))
	base := 0
	for i, arm := range s.Split {
		arms[i].Weight = arm.Weight
		v := VariantCount{Port: strconv.Itoa(i), Name: cmp.Or(arm.Name, "no. "+strconv.Itoa(i+1)), Holdout: arm.Holdout}
		for _, tally := range t.Variants {
			if tally.Step == s.ID && tally.Port == v.Port {
				arms[i].Entered, arms[i].Converted = tally.Total, tally.Converted
			}
		}
		v.Entered, v.Converted, v.Conversion = arms[i].Entered, arms[i].Converted, report.ShareOf(arms[i].Converted, arms[i].Entered)
		if arm.Holdout {
			base = i
		}
		e.Variants = append(e.Variants, v)
	}
	for i := range e.Variants {
		if i != base {
			e.Variants[i].compare(arms[i], arms[base], e.Variants[base].Conversion, report.Comparisons(len(arms)))
		}
	}
	if t.Mixed {
		for i := range e.Variants {
			e.Variants[i].Always = nil
		}
		e.Verdict = ExperimentVerdict{State: VerdictMixed, Sentence: "These are the contacts of several versions, which may divide them differently. Look at one version to compare."}
		return e
	}
	j := report.Judge(arms, report.MinimumSample)
	e.Ratio, e.Verdict = &j.Ratio, e.verdict(j)
	if len(arms) > 0 && e.Verdict.State != VerdictDecided && e.Verdict.State != VerdictUneven {
		e.foretell(arms, base)
	}
	return e
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
