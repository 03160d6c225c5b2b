package journey

import (
	"strconv"
	"time"

	"throughline.dev/throughline/internal/audience"
)

func splitKind() KindSpec {
	return KindSpec{
		Kind: KindSplit, Title: "Split", Arms: true,
		Ports:   []Port{{Name: "<n>", Doc: "For the contacts of arm n."}},
		Summary: "Divides contacts by weight, for an experiment. The same contact always gets the same arm of the same step.",
		Beside:  experimentFields(),
		Fields: []Field{
			{Name: "weight", Type: FieldInteger, Required: true, Doc: "The arm's share of the sum of all weights; a whole number from 1.", Example: "45"},
			{Name: "name", Type: FieldText, Doc: "What reports call the arm.", Example: "short"},
			{Name: "holdout", Type: FieldFlag, Default: "false", Doc: "true for the arm that is left alone, to compare with.", Example: "true"},
			{Name: "go", Type: FieldStep, Required: true, Doc: "Where this arm leads.", Example: "nudge_short"},
		},
		Example: "- id: nudge\n  split:\n    - {weight: 45, name: short, go: nudge_short}\n    - {weight: 45, name: long, go: nudge_long}\n    - {weight: 10, holdout: true, go: done}\n  experiment: {goal: {event: Subscription Started}, within: 14d, winner: automatic}\n",
		decode: func(b *body, s *Step) {
			for _, o := range b.arms {
				s.Split = append(s.Split, SplitArm{Weight: o.integer("weight"), Name: o.text("name"), Holdout: o.flag("holdout"), Go: o.text("go"), Pointer: o.at})
			}
			s.Experiment = decodeExperiment(b.step.object(experimentField), b.step)
		},
		encode: func(s *Step) *node {
			list := listNode()
			for _, arm := range s.Split {
				n := objectNode().with("weight", intNode(arm.Weight)).withText("name", arm.Name)
				if arm.Holdout {
					n.with("holdout", flagNode(true))
				}
				list.items = append(list.items, n.withText("go", arm.Go))
			}
			return list
		},
		beside: func(s *Step, n *node) { n.with(experimentField, experimentNode(s.Experiment)) },
		check:  checkSplit,
		exits: func(s *Step) []exit {
			var all []exit
			for i, arm := range s.Split {
				all = append(all, exit{strconv.Itoa(i), arm.Go, arm.Pointer + "/go"})
			}
			return all
		},
		act: actSplit,
	}
}

const maxWeight = 1_000_000

func checkSplit(c *checker, s *Step) {
	if len(s.Split) < 2 {
		c.errorf(s.Pointer+"/split", s.ID, "weights", "The split %q needs at least two arms.", s.ID)
	}
	holdouts := 0
	for _, arm := range s.Split {
		if arm.Weight < 1 || arm.Weight > maxWeight {
			c.errorf(arm.Pointer+"/weight", s.ID, "weights", "A weight is a whole number from 1 to %d.", maxWeight)
		}
		if arm.Holdout {
			holdouts++
		}
	}
	if holdouts > 1 {
		c.errorf(s.Pointer+"/split", s.ID, "weights", "The split %q has %d holdouts; there can be one.", s.ID, holdouts)
	}
	checkExperiment(c, s)
}

// experimentField stands in a split beside its arms.
const experimentField = "experiment"

func experimentFields() []Field {
	return []Field{{Name: experimentField, Type: FieldObject, Doc: "How the arms are compared, and what follows from it.", Fields: append(goalFields(),
		Field{Name: "winner", Type: FieldChoice, Default: string(WinnerByHand), Choices: []string{string(WinnerByHand), string(WinnerAutomatic)}, Doc: "automatic: as soon as one arm is decidedly better than every other one, all new contacts get it. Those who got another one keep it.", Example: string(WinnerAutomatic)},
		Field{Name: "mode", Type: FieldChoice, Default: string(ModeWeights), Choices: []string{string(ModeWeights), string(ModeThompson)}, Doc: "thompson: new contacts are divided by how likely each arm is the best, so that the better arm gets more of them while the experiment runs. It begins with the weights.", Example: string(ModeThompson)},
		Field{Name: "floor", Type: FieldInteger, Default: "5", Doc: "With thompson: the percent of new contacts that each arm gets at least.", Example: "10"},
	)}}
}

// goalFields say what an experiment is judged by.
func goalFields() []Field {
	return []Field{
		{Name: "goal", Type: FieldMatches, Default: "the journey's goal", Doc: "The events that count, of any name.", Fields: matchFields()},
		{Name: "within", Type: FieldDuration, Default: "whenever", Doc: "For how long after a contact got its arm they count.", Example: "14d"},
	}
}

func decodeExperiment(o, outer *object) ExperimentPlan {
	if o == nil {
		return ExperimentPlan{}
	}
	return ExperimentPlan{
		Goal: o.matches("goal", outer), Within: o.duration("within"), Winner: WinnerRule(o.text("winner")), Mode: ExperimentMode(o.text("mode")), Floor: o.integer("floor"),
	}
}

func experimentNode(p ExperimentPlan) *node {
	n := goalNode(objectNode(), p.Goal, p.Within).withText("winner", string(p.Winner)).withText("mode", string(p.Mode))
	if p.Floor != 0 {
		n.with("floor", intNode(p.Floor))
	}
	if len(n.fields) == 0 {
		return nil
	}
	return n
}

func goalNode(n *node, goal []Match, within time.Duration) *node {
	n.with("goal", matchesNode(goal))
	if within > 0 {
		n.withText("within", audience.FormatDuration(within))
	}
	return n
}

func checkExperiment(c *checker, s *Step) {
	e, at := s.Experiment, s.Pointer+"/"+experimentField
	if (e.Winner == WinnerAutomatic || e.Mode == ModeThompson) && len(e.Goal) == 0 && len(c.def.Goal) == 0 {
		c.errorf(at, s.ID, "no_goal", "The split %q has nothing to be judged by: name a goal, here or for the whole journey.", s.ID)
	}
	switch {
	case e.Floor == 0:
	case e.Mode != ModeThompson:
		c.errorf(at+"/floor", s.ID, "floor", "A floor belongs to mode: thompson.")
	case e.Floor < 1 || e.Floor*len(s.Split) > 100:
		c.errorf(at+"/floor", s.ID, "floor", "The floor is a whole number of percent from 1, and all %d arms together get at most 100.", len(s.Split))
	}
}

// maxHoldout is the largest part that a mail can be withheld from, in percent: a larger one is a split.
const maxHoldout = 50

func holdoutFields() []Field {
	return append([]Field{
		{Name: "percent", Type: FieldInteger, Required: true, Doc: "The part of the contacts that does not get it: 1 to 50. The same contact is always on the same side.", Example: "10"},
	}, goalFields()...)
}

func decodeHoldout(o, outer *object) *Holdout {
	if o == nil {
		return nil
	}
	return &Holdout{Percent: o.integer("percent"), Goal: o.matches("goal", outer), Within: o.duration("within")}
}

func holdoutNode(h *Holdout) *node {
	if h == nil {
		return nil
	}
	return goalNode(objectNode().with("percent", intNode(h.Percent)), h.Goal, h.Within)
}

func checkHoldout(c *checker, s *Step) {
	h, at := s.Send.Holdout, s.Pointer+"/send/holdout"
	switch {
	case h == nil:
	case h.Percent < 1 || h.Percent > maxHoldout:
		c.errorf(at+"/percent", s.ID, "holdout", "The part that does not get the mail is a whole number of percent from 1 to %d.", maxHoldout)
	case s.Send.Class == ClassTransactional:
		c.errorf(at, s.ID, "holdout", "The mail of %q is transactional: contacts need it, so it can't be withheld.", s.ID)
	case len(h.Goal) == 0 && len(c.def.Goal) == 0:
		c.errorf(at, s.ID, "no_goal", "The holdout of %q has nothing to be judged by: name a goal, here or for the whole journey.", s.ID)
	}
}
