package sales

import (
	"fmt"
	"slices"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// Model is a compiled scoring model: what marketing and sales have agreed on. It is immutable and safe for concurrent use. The nil model
// knows points given by journeys and nothing else.
type Model struct {
	version  int
	personas []persona
	fit      []fitRule
	fitCap   int
	groups   []group
	byEvent  map[string][]eventRule
	order    [][]string // the rules of each group, in the order of the document
	labels   *Labels
	stages   []stageThreshold // in the order of stages
	fitNames audience.Names
}

type persona struct {
	key  string
	when *audience.Condition
}

type fitRule struct {
	id     string
	when   *audience.Condition
	points int
}

type group struct {
	key      string
	cap      float64 // +Inf: none
	halfLife time.Duration
}

type eventRule struct {
	id     string
	group  int // its place in Model.groups
	when   *audience.Condition
	points float64
}

type stageThreshold struct {
	stage string
	Threshold
}

// Compile makes a model of a definition without errors, under the number of its version (0: a candidate that is not published).
func Compile(def *Definition, version int) (*Model, error) {
	m := &Model{version: version, fitCap: def.Fit.Cap, labels: def.Labels, byEvent: map[string][]eventRule{}}
	for _, p := range def.Personas {
		when, err := m.compile("persona "+p.Key, p.When)
		if err != nil {
			return nil, err
		}
		m.personas = append(m.personas, persona{p.Key, when})
	}
	for _, rule := range def.Fit.Rules {
		when, err := m.compile("rule "+rule.ID, rule.When)
		if err != nil {
			return nil, err
		}
		m.fit = append(m.fit, fitRule{rule.ID, when, rule.Points})
	}
	for i := range def.Engagement.Groups {
		if err := m.addGroup(&def.Engagement.Groups[i]); err != nil {
			return nil, err
		}
	}
	for _, stage := range Stages() {
		if t, ok := def.Stages[stage]; ok {
			m.stages = append(m.stages, stageThreshold{stage, t})
		}
	}
	m.fitNames = m.collectNames()
	return m, nil
}

func (m *Model) compile(what, source string) (*audience.Condition, error) {
	condition, err := audience.CompileCondition(source)
	if err != nil {
		return nil, fmt.Errorf("compile %s of the scoring model: %w", what, err)
	}
	return condition, nil
}

func (m *Model) addGroup(g *Group) error {
	compiled := group{key: g.Key, cap: noCap}
	if g.Cap > 0 {
		compiled.cap = float64(g.Cap)
	}
	if g.HalfLife != "" {
		span, err := audience.ParseDuration(g.HalfLife)
		if err != nil {
			return fmt.Errorf("half-life of group %s: %w", g.Key, err)
		}
		compiled.halfLife = span
	}
	var ids []string
	for _, rule := range g.Rules {
		ids = append(ids, rule.ID)
		r := eventRule{id: rule.ID, group: len(m.groups), points: float64(rule.Points)}
		if rule.When != "" {
			var err error
			if r.when, err = m.compile("rule "+rule.ID, rule.When); err != nil {
				return err
			}
		}
		m.byEvent[rule.Event] = append(m.byEvent[rule.Event], r)
	}
	m.groups, m.order = append(m.groups, compiled), append(m.order, ids)
	return nil
}

// collectNames is what personas and fit rules look at, each list sorted. The persona itself is worked out from the rest.
func (m *Model) collectNames() audience.Names {
	var all audience.Names
	add := func(c *audience.Condition) {
		n := c.Names()
		all.Traits, all.Fields = append(all.Traits, n.Traits...), append(all.Fields, n.Fields...)
		all.CompanyTraits, all.Objects = append(all.CompanyTraits, n.CompanyTraits...), append(all.Objects, n.Objects...)
		all.Company = all.Company || n.Company
	}
	for _, p := range m.personas {
		add(p.when)
	}
	for _, rule := range m.fit {
		add(rule.when)
	}
	for _, list := range []*[]string{&all.Traits, &all.Fields, &all.CompanyTraits, &all.Objects} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return all
}

// Version is the number of the published model; 0 of the nil model.
func (m *Model) Version() int {
	if m == nil {
		return 0
	}
	return m.version
}

// Listens tells whether an event of that name can earn points.
func (m *Model) Listens(name string) bool {
	if m == nil || name == "" {
		return false
	}
	_, ok := m.byEvent[name]
	return ok
}

// EventNames lists the names of events that can earn points, sorted.
func (m *Model) EventNames() []string {
	if m == nil {
		return []string{}
	}
	names := make([]string, 0, len(m.byEvent))
	for name := range m.byEvent {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ConditionalNames are those of EventNames for which a rule looks into the event, sorted.
func (m *Model) ConditionalNames() []string {
	names := m.EventNames()
	return slices.DeleteFunc(names, func(name string) bool {
		return !slices.ContainsFunc(m.byEvent[name], func(r eventRule) bool { return r.when != nil })
	})
}

// FitNames is what personas and fit rules look at: when nothing of it changed, Rate need not be asked again.
func (m *Model) FitNames() audience.Names {
	if m == nil {
		return audience.Names{}
	}
	return m.fitNames
}

// GroupLimits is what makes a group's worth of what it has added up to: the same numbers for whoever computes it elsewhere, such as SQL.
type GroupLimits struct {
	Key      string
	Cap      int           // 0: none
	HalfLife time.Duration // 0: it does not fade
}

// Groups lists the model's groups in the order of the document.
func (m *Model) Groups() []GroupLimits {
	if m == nil {
		return nil
	}
	out := make([]GroupLimits, len(m.groups))
	for i, g := range m.groups {
		out[i] = GroupLimits{Key: g.key, HalfLife: g.halfLife}
		if g.cap != noCap {
			out[i].Cap = int(g.cap)
		}
	}
	return out
}

// Matrix is the thresholds of the labels, or nil when the model gives none.
func (m *Model) Matrix() *Labels {
	if m == nil || m.labels == nil {
		return nil
	}
	labels := *m.labels
	return &labels
}

// Rate works out the persona and the fit anew from the contact's facts.
func (m *Model) Rate(s *ScoreState, facts audience.Facts) error {
	if m == nil {
		return nil
	}
	persona, err := m.persona(facts)
	if err != nil {
		return err
	}
	known := personaFacts{facts, persona}
	sum := 0
	for _, rule := range m.fit {
		standing, err := rule.when.Stands(known)
		if err != nil {
			return fmt.Errorf("rate rule %s: %w", rule.id, err)
		}
		if standing.Holds {
			sum += rule.points
		}
	}
	s.Persona, s.Fit = persona, m.capFit(sum)
	return nil
}

func (m *Model) persona(facts audience.Facts) (string, error) {
	for _, p := range m.personas {
		standing, err := p.when.Stands(facts)
		if err != nil {
			return "", fmt.Errorf("rate persona %s: %w", p.key, err)
		}
		if standing.Holds {
			return p.key, nil
		}
	}
	return "", nil
}

func (m *Model) capFit(sum int) int {
	if m.fitCap == 0 {
		return sum
	}
	return min(max(sum, -m.fitCap), m.fitCap)
}

// personaFacts are facts with the persona that they give.
type personaFacts struct {
	audience.Facts
	persona string
}

func (f personaFacts) Persona() string { return f.persona }

// eventFacts is an event without a contact.
type eventFacts struct{ event *audience.Event }

func (eventFacts) Contact() audience.Contact             { return audience.Contact{} }
func (f eventFacts) Event() *audience.Event              { return f.event }
func (eventFacts) Company() map[string]any               { return nil }
func (eventFacts) Persona() string                       { return "" }
func (eventFacts) Score() audience.Score                 { return audience.Score{} }
func (eventFacts) Object(string) (map[string]any, error) { return nil, nil }
func (eventFacts) Tally(audience.Question) (audience.Tally, error) {
	return audience.Tally{}, errOutOfScope
}
func (eventFacts) Last(string) (time.Time, bool, error) { return time.Time{}, false, errOutOfScope }
func (eventFacts) InSegment(string) (bool, error)       { return false, errOutOfScope }
func (f eventFacts) Now() time.Time                     { return f.event.OccurredAt }

// errOutOfScope can't happen to a model that was checked.
var errOutOfScope = fault.New(fault.Invalid, "condition_out_of_scope", "An engagement rule's condition looks at event. alone.")
