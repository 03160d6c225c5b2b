package journey

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"throughline.dev/throughline/internal/report"
)

// Standing is how an experiment stands when a contact comes.
type Standing struct {
	Winner   *ExperimentWinner
	Draw     *Draw // the newest; nil: none yet
	Revision int64
}

// ExperimentWinner is the arm that all new contacts get.
type ExperimentWinner struct {
	Port  string    `json:"port"`
	Since time.Time `json:"since"`
	By    string    `json:"by" doc:"Who has chosen it: the name of a key or a person, or Throughline."`
}

// ByThroughline is who has chosen a winner that nobody has chosen by hand.
const ByThroughline = "Throughline"

// Draw is one drawing of weights from what was counted (Thompson sampling). The same counts and seed give the same weights.
type Draw struct {
	Number  int        `json:"number"`
	Weights []int      `json:"weights" nullable:"false" doc:"Of a million new contacts, by variant."`
	Seed    int64      `json:"seed"`
	Arms    []ArmCount `json:"arms" nullable:"false" doc:"The counts that they were drawn from."`
	At      time.Time  `json:"at"`
}

// ArmCount is what was counted of an arm. Contacts count once.
type ArmCount struct {
	Entered   int64   `json:"entered"`
	Converted int64   `json:"converted"`
	Expected  float64 `json:"expected,omitempty" doc:"How many should have got it, by the weights of their time."`
}

// Assigned is what a contact got in an experiment before.
type Assigned struct {
	Arm       int
	At        time.Time
	Looked    int64 // events up to this number are known not to have reached a goal with a condition
	Converted bool
}

// Assignment is the arm that a contact gets, and why.
type Assignment struct {
	Arm     int
	Draw    int  // whose weights it was given by; 0: those as written
	Counted bool // it was given by chance, so it is part of the experiment
	Kept    bool // it had it before: there is nothing to write
	Detail  map[string]any
}

// Why a contact got its arm.
const (
	WhyWeights = "weights" // by chance, by the weights as written
	WhyDrawn   = "drawn"   // by chance, by weights that were drawn from what was counted
	WhyWinner  = "winner"  // it has won
	WhyKept    = "kept"    // it had it before
)

// Assign gives a contact its arm: the one that it had before; else the winner; else one by chance, which is a hash of journey, step and
// contact, so that asking again gives the same.
func (p Planned) Assign(contactID string, s Standing, before *Assigned) Assignment {
	weights := p.weights()
	detail := map[string]any{"experiment": p.ID()}
	a := Assignment{Detail: detail}
	why := WhyWeights
	switch {
	case before != nil && before.Arm < len(p.Arms):
		a.Arm, a.Kept, why = before.Arm, true, WhyKept
		detail["since"] = before.At.UTC().Format(time.RFC3339)
	case s.Winner != nil && s.Winner.arm() < len(p.Arms):
		a.Arm, why = s.Winner.arm(), WhyWinner
		detail["since"], detail["by"] = s.Winner.Since.UTC().Format(time.RFC3339), s.Winner.By
	default:
		if p.Thompson && s.Draw != nil && len(s.Draw.Weights) == len(p.Arms) {
			weights, a.Draw, why = s.Draw.Weights, s.Draw.Number, WhyDrawn
			detail["draw"], detail["seed"], detail["counts"] = s.Draw.Number, s.Draw.Seed, s.Draw.Arms
		}
		a.Arm, a.Counted = Variant(p.Journey, p.Step, contactID, weights), true
	}
	detail["why"], detail["variant"], detail["weights"] = why, a.Arm, weights
	detail["name"], detail["holdout"] = p.Arms[a.Arm].Name, p.Arms[a.Arm].Holdout
	return a
}

func (w ExperimentWinner) arm() int {
	arm, err := strconv.Atoi(w.Port)
	if err != nil || arm < 0 {
		return math.MaxInt
	}
	return arm
}

const million = 1_000_000

// NextDraw draws the weights of new contacts from what was counted, unless too little has come since the draw before: a twentieth more
// contacts and goals, and ten. So the draws of an experiment are some hundreds at most, and each look at the same counts draws the same.
func (p Planned) NextDraw(counts []ArmCount, last *Draw, now time.Time) *Draw {
	total := func(arms []ArmCount) (n int64) {
		for _, a := range arms {
			n += a.Entered + a.Converted
		}
		return n
	}
	next := Draw{Number: 1, Arms: counts, At: now}
	before := int64(0)
	if last != nil {
		next.Number, before = last.Number+1, total(last.Arms)
	}
	if !p.Thompson || len(counts) != len(p.Arms) || total(counts) < before+max(10, before/20) {
		return nil
	}
	sum := sha256.Sum256([]byte(p.ID() + "|" + strconv.Itoa(next.Number)))
	next.Seed = int64(binary.BigEndian.Uint32(sum[:4])) // small enough for every reader of JSON
	for _, weight := range report.ThompsonWeights(p.armsOf(counts), float64(p.Floor)/100, uint64(next.Seed)) {
		next.Weights = append(next.Weights, int(math.Round(million*weight)))
	}
	return &next
}

// armsOf are the counts as statistics take them.
func (d Design) armsOf(counts []ArmCount) []report.Arm {
	arms := make([]report.Arm, len(d.Arms))
	for i, arm := range d.Arms {
		arms[i].Weight = arm.Weight
		if i < len(counts) {
			arms[i].Entered, arms[i].Converted, arms[i].Expected = counts[i].Entered, counts[i].Converted, counts[i].Expected
		}
	}
	return arms
}

// Decide is the arm that has won by what was counted, or report.NoWinner. Only a split is decided by itself, and only if it says so: a mail's
// holdout goes on until somebody ends it.
func (p Planned) Decide(counts []ArmCount) int {
	if !p.Automatic || p.Kind != KindSplit {
		return report.NoWinner
	}
	return report.Judge(p.armsOf(counts), report.MinimumSample).Winner
}

// ArmTally counts the contacts of one arm that got it by the weights of one draw.
type ArmTally struct {
	Arm, Draw          int
	Entered, Converted int64
}

// CountArms adds up what was counted, and what should have been, by the weights of each draw.
func (d Design) CountArms(tallies []ArmTally, draws []Draw) []ArmCount {
	counts := make([]ArmCount, len(d.Arms))
	entered := map[int]int64{}
	for _, t := range tallies {
		if t.Arm < len(counts) {
			counts[t.Arm].Entered += t.Entered
			counts[t.Arm].Converted += t.Converted
			entered[t.Draw] += t.Entered
		}
	}
	share := func(total int64, weights []int) {
		sum := 0
		for _, w := range weights {
			sum += w
		}
		for i := range counts {
			if i < len(weights) && sum > 0 {
				counts[i].Expected += float64(total) * float64(weights[i]) / float64(sum)
			}
		}
	}
	share(entered[0], d.weights())
	for _, draw := range draws {
		share(entered[draw.Number], draw.Weights)
	}
	return counts
}
