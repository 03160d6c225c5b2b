package journey

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// ExperimentPlan is what a split says of itself as an experiment. The zero value divides by the weights as written, by the journey's goal.
type ExperimentPlan struct {
	Goal   []Match       // empty: the journey's
	Within time.Duration // of the assignment; 0: whenever
	Winner WinnerRule
	Mode   ExperimentMode
	Floor  int // percent, with thompson
}

// WinnerRule says who ends an experiment.
type WinnerRule string

// The rules. Empty is by hand.
const (
	WinnerByHand    WinnerRule = "by_hand"
	WinnerAutomatic WinnerRule = "automatic" // new contacts all get the winner, as soon as it is decided
)

// ExperimentMode says how new contacts are divided.
type ExperimentMode string

// The modes. Empty is weights.
const (
	ModeWeights  ExperimentMode = "weights"
	ModeThompson ExperimentMode = "thompson" // by weights that are drawn again and again from what was counted
)

// defaultFloor is the percent of new contacts that each arm gets at least with thompson, where nothing else is said.
const defaultFloor = 5

// Holdout withholds a mail from a part of the contacts, to compare with.
type Holdout struct {
	Percent int
	Goal    []Match // empty: the journey's
	Within  time.Duration
}

// The arms of a mail's holdout.
const (
	ArmSent     = 0
	ArmWithheld = 1
)

// Design is what makes an experiment the one that it is: as long as a version has the same, it is the same experiment, whatever else was
// edited.
type Design struct {
	Journey string        `json:"journey"`
	Step    string        `json:"step"`
	Kind    Kind          `json:"kind"` // split, or send for a holdout
	Arms    []DesignArm   `json:"arms"`
	Goals   []DesignGoal  `json:"goals"`
	Own     bool          `json:"own,omitempty"` // the journey's own goal: who completes it has reached it, too
	Within  time.Duration `json:"within,omitempty"`
}

// DesignArm is one arm: where it leads is part of it, because that is what its contacts get.
type DesignArm struct {
	Name    string `json:"name,omitempty"`
	Weight  int    `json:"weight"`
	Holdout bool   `json:"holdout,omitempty"`
	Go      string `json:"go,omitempty"`
}

// DesignGoal is an event that counts, under a condition or not.
type DesignGoal struct {
	Event string `json:"event"`
	When  string `json:"when,omitempty"`
}

// ID names the experiment.
func (d Design) ID() string {
	raw, err := json.Marshal(d)
	if err != nil { // texts and numbers always encode
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])[:hashLength]
}

// Conditional lists the names of the events that count under a condition; Unconditional those that count always.
func (d Design) Conditional() []string { return d.events(true) }

// Unconditional lists the events that count always.
func (d Design) Unconditional() []string { return d.events(false) }

func (d Design) events(conditional bool) []string {
	names := []string{}
	for _, g := range d.Goals {
		if (g.When != "") == conditional {
			names = append(names, g.Event)
		}
	}
	return names
}

// Planned is an experiment of a definition, and how it is run: that may be changed without beginning another one.
type Planned struct {
	Design
	Automatic bool
	Thompson  bool
	Floor     int
}

// Experiments lists the experiments of a definition: its splits, and the mails that are withheld from a part of the contacts.
func (d *Definition) Experiments() []Planned {
	var all []Planned
	for i := range d.Steps {
		if p, ok := d.experimentOf(&d.Steps[i]); ok {
			all = append(all, p)
		}
	}
	return all
}

// Experiment finds the experiment of a step.
func (d *Definition) Experiment(stepID string) (Planned, bool) {
	if s := d.Step(stepID); s != nil {
		return d.experimentOf(s)
	}
	return Planned{}, false
}

func (d *Definition) experimentOf(s *Step) (Planned, bool) {
	p := Planned{Design: Design{Journey: d.Journey, Step: s.ID, Kind: s.Kind}}
	goal := s.Experiment.Goal
	switch {
	case s.Kind == KindSplit:
		for i, arm := range s.Split {
			p.Arms = append(p.Arms, DesignArm{Name: orElse(arm.Name, "no. "+strconv.Itoa(i+1)), Weight: arm.Weight, Holdout: arm.Holdout, Go: arm.Go})
		}
		p.Within, p.Automatic, p.Thompson = s.Experiment.Within, s.Experiment.Winner == WinnerAutomatic, s.Experiment.Mode == ModeThompson
		if p.Floor = s.Experiment.Floor; p.Floor == 0 {
			p.Floor = min(defaultFloor, 100/(2*max(1, len(s.Split))))
		}
	case s.Kind == KindSend && s.Send.Holdout != nil:
		h := s.Send.Holdout
		p.Arms = []DesignArm{{Name: "sent", Weight: 100 - h.Percent}, {Name: "left alone", Weight: h.Percent, Holdout: true}}
		p.Within, goal = h.Within, h.Goal
	default:
		return Planned{}, false
	}
	if p.Own = len(goal) == 0; p.Own {
		goal = d.Goal
	}
	p.Goals = []DesignGoal{}
	for _, m := range goal {
		p.Goals = append(p.Goals, DesignGoal{Event: m.Event, When: m.When})
	}
	return p, true
}

// Has tells whether the experiment has an arm of this port.
func (d Design) Has(port string) bool {
	arm, err := strconv.Atoi(port)
	return err == nil && arm >= 0 && arm < len(d.Arms) && strconv.Itoa(arm) == port
}

// NewExperiments warns of experiments that are not the ones of the live version any more, and so begin anew.
func (d *Definition) NewExperiments(live *Definition) []fault.Problem {
	var all []fault.Problem
	for _, p := range d.Experiments() {
		before, ok := live.Experiment(p.Step)
		if !ok || before.Kind != p.Kind || before.ID() == p.ID() {
			continue
		}
		all = append(all, fault.Problem{
			Path: d.Step(p.Step).Pointer, StepID: p.Step, Code: "new_experiment", Level: fault.LevelWarning,
			Message: fmt.Sprintf("What %q compares was changed: publishing begins a new experiment there, which counts from zero. What the one before has counted stays in the list of experiments.", p.Step),
		})
	}
	return all
}

// weights are those that were written.
func (d Design) weights() []int {
	weights := make([]int, len(d.Arms))
	for i, arm := range d.Arms {
		weights[i] = arm.Weight
	}
	return weights
}
