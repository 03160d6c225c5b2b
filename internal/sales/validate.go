package sales

import (
	"math"
	"slices"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// checker finds what is wrong with the meaning of a model that could be read.
type checker struct {
	*reader
	ids map[string]string // where each key and id stands; two origins of points with one name could not be told apart
}

func (c *checker) definition(def *Definition) {
	rules := len(def.Fit.Rules)
	for i, p := range def.Personas {
		at := indexOf("/personas", i)
		c.unique("persona "+p.Key, p.Key, at+"/key")
		c.condition(p.When, at+"/when", personaScope)
	}
	for i, rule := range def.Fit.Rules {
		at := indexOf("/fit/rules", i)
		c.unique("rule "+rule.ID, rule.ID, at+"/id")
		c.condition(rule.When, at+"/when", fitScope)
	}
	for i := range def.Engagement.Groups {
		rules += c.group(&def.Engagement.Groups[i], indexOf("/engagement/groups", i))
	}
	if rules > MaxRules {
		c.problem("", "too_large", "The model has %d rules; at most %d are allowed.", rules, MaxRules)
	}
	if rules == 0 && len(c.problems) == 0 {
		c.add(fault.LevelWarning, "", "no_rules", "The model has no rules: nobody gets points.")
	}
	c.thresholds(def)
}

func (c *checker) group(g *Group, at string) (rules int) {
	c.unique("group "+g.Key, g.Key, at+"/key")
	for i, rule := range g.Rules {
		place := indexOf(at+"/rules", i)
		c.unique("rule "+rule.ID, rule.ID, place+"/id")
		if audience.Reserved(rule.Event) {
			c.problem(place+"/event", "reserved_event", "Entering a segment or a stage gives no points: it may follow from the score itself.")
		}
		if rule.When != "" {
			c.condition(rule.When, place+"/when", eventScope)
		}
	}
	if g.Cap == 0 && g.HalfLife == "" && len(g.Rules) > 0 {
		c.add(fault.LevelWarning, at, "no_limit", "%s has neither a cap nor a half-life: whoever stays long enough gets any score.", named(at))
	}
	return len(g.Rules)
}

func (c *checker) unique(id, name, at string) {
	if name == "" {
		return
	}
	if earlier, ok := c.ids[id]; ok {
		c.problem(at, "duplicate_key", "%q is there already, at %s.", clip(name), earlier)
		return
	}
	c.ids[id] = at
}

// scope is what a rule's condition may look at.
type scope int

const (
	personaScope scope = iota // facts about the contact, its company and objects
	fitScope                  // the same, and the persona
	eventScope                // the event alone
)

// foreignTo names the first thing that a condition looks at and must not, in the words of the person who wrote it.
//
// Fit is what somebody is, so that it changes with facts alone: a score would go round in circles, what was done belongs to engagement,
// where it fades, and time has no say. Engagement is a fold over events, so that it is the same whenever and in whatever order they come.
func (s scope) foreignTo(n audience.Names) string {
	score := n.Score || slices.Contains(n.Fields, "score")
	if s == eventScope {
		about := len(n.Traits)+len(n.Fields)+len(n.CompanyTraits)+len(n.Objects) > 0 || n.Company || n.Persona || score
		asks := len(n.Events)+len(n.Questions)+len(n.Lasts)+len(n.Segments) > 0
		if about || asks || n.Now {
			return "An engagement rule's condition looks at event. alone: what the contact is belongs to fit, how often it did something to points and caps."
		}
		return ""
	}
	switch {
	case score || slices.Contains(n.Fields, "stage") || slices.Contains(n.CompanyTraits, "score"):
		return "Fit and personas can't depend on the score or the stage: these follow from them."
	case len(n.Events)+len(n.Questions)+len(n.Lasts) > 0:
		return "What a contact did belongs to engagement, where it can fade; fit and personas look at what it is."
	case len(n.Segments) > 0:
		return "Fit and personas can't look at segments: segments may look at the score."
	case n.Event:
		return "There is no event here: fit and personas look at the contact, its company and its objects."
	case n.Now:
		return "Fit and personas can't depend on the time; let engagement fade instead."
	case s == personaScope && n.Persona:
		return "A persona's condition can't look at the persona."
	}
	return ""
}

func (c *checker) condition(source, at string, s scope) {
	if source == "" {
		return // noted as missing
	}
	condition, err := audience.CompileCondition(source)
	if err == nil {
		if sentence := s.foreignTo(condition.Names()); sentence != "" {
			c.problem(at, "condition_out_of_scope", "%s", sentence)
		}
		return
	}
	f, ok := fault.As(err)
	switch {
	case !ok:
		c.problem(at, audience.CodeConditionType, "The condition can't be used.")
	case len(f.Problems) == 0:
		c.problem(at, f.Code, "%s", f.Message)
	default:
		for _, p := range f.Problems {
			c.problem(at, p.Code, "%s", p.Message)
		}
	}
}

// thresholds looks for stages that can't be reached, and for those that a score should not decide.
func (c *checker) thresholds(def *Definition) {
	for _, stage := range Stages() {
		t, ok := def.Stages[stage]
		if !ok {
			continue
		}
		at := "/stages/" + stage
		if len(t.Labels) > 0 && def.Labels == nil {
			c.problem(at+"/labels", "no_labels", "The model gives no labels: say in \"labels\" what A, B, 1 and 2 take.")
		}
		if t.Fit != nil && *t.Fit > mostFit(def) {
			c.problem(at+"/fit", "unreachable", "Nobody can reach a fit of %d: all rules together give %d.", *t.Fit, mostFit(def))
		}
		if Forward("mql", stage) {
			c.add(fault.LevelWarning, at, "stage_by_score", "A score alone makes people %s here. As a rule sales decides that: by accepting a handoff, or winning a deal.", stage)
		}
	}
	if def.Labels != nil && def.Labels.Fit.A > mostFit(def) && mostFit(def) > 0 {
		c.add(fault.LevelWarning, "/labels/fit/A", "unreachable", "Nobody can reach a fit of %d: all rules together give %d.", def.Labels.Fit.A, mostFit(def))
	}
}

// mostFit is the highest fit that there is.
func mostFit(def *Definition) int {
	sum := 0
	for _, rule := range def.Fit.Rules {
		sum += max(rule.Points, 0)
	}
	if def.Fit.Cap == 0 {
		return min(sum, math.MaxInt32)
	}
	return min(sum, def.Fit.Cap)
}
