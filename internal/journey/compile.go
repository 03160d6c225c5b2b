package journey

import (
	"fmt"
)

// Compile makes the plan of a definition without errors. It refuses what Validate would not let pass in the flow of control, so that a
// plan never leads nowhere; conditions and templates are not looked at again.
func Compile(def *Definition) (*Plan, error) {
	if len(def.Steps) == 0 {
		return nil, fmt.Errorf("compile journey %q: no steps", def.Journey)
	}
	plan := &Plan{
		Journey: def.Journey, Hash: def.hash, First: def.Steps[0].ID, Steps: make(map[string]PlanStep, len(def.Steps)),
		Goal: arms(def.Goal), Exit: arms(def.Exit),
	}
	for i := range def.Steps {
		s := &def.Steps[i]
		spec, ok := kindSpec(s.Kind)
		if _, double := plan.Steps[s.ID]; !ok || double || s.broken || s.ID == "" {
			return nil, fmt.Errorf("compile journey %q: step %d (%q) is not valid", def.Journey, i+1, s.ID)
		}
		p := PlanStep{Kind: s.Kind}
		if spec.compile != nil {
			spec.compile(s, &p)
		}
		for _, e := range exitsOf(def.Steps, i) {
			if def.Step(e.target) == nil {
				return nil, fmt.Errorf("compile journey %q: step %q leads nowhere by %s", def.Journey, s.ID, e.port)
			}
			if p.Ports == nil {
				p.Ports = map[string]string{}
			}
			p.Ports[e.port] = e.target
		}
		plan.Steps[s.ID] = p
	}
	return plan, nil
}

func arms(matches []Match) []Arm {
	var all []Arm
	for _, m := range matches {
		all = append(all, m.arm())
	}
	return all
}

func (m Match) arm() Arm { return Arm{Event: m.Event, Conditional: m.When != "", Pointer: m.Pointer} }
