package journey

import "throughline.dev/throughline/internal/fault"

// events looks the names that the definition listens to up in the catalogue.
func (c *checker) events() {
	for _, list := range [][]Match{c.def.Enter, c.def.Goal, c.def.Exit} {
		for _, m := range list {
			c.event(m.Pointer+"/event", "", m.Event)
		}
	}
	for i := range c.def.Steps {
		s := &c.def.Steps[i]
		if s.WaitFor == nil {
			continue
		}
		for _, arm := range s.WaitFor.Arms {
			c.event(arm.Match.Pointer+"/event", s.ID, arm.Match.Event)
		}
	}
}

// event warns of a name that no event has come with. It is a warning for ever: what was never seen may come tomorrow.
func (c *checker) event(pointer, stepID, name string) {
	if code, message := c.known.Events.Hint(name); code != "" {
		c.add(fault.LevelWarning, pointer, stepID, code, "%s", message)
	}
}
