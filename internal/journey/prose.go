package journey

// ProseAt is a text that people read, and where it stands.
type ProseAt struct {
	Pointer string
	StepID  string
	Text    string
}

// Prose lists the texts of a definition that contacts, marketers or salespeople read: what a mail says, what a rep is told, and what a model
// is asked to write.
func (d *Definition) Prose() []ProseAt {
	var all []ProseAt
	add := func(pointer, stepID, text string) {
		if text != "" {
			all = append(all, ProseAt{Pointer: pointer, StepID: stepID, Text: text})
		}
	}
	add("/name", "", d.Name)
	for i := range d.Steps {
		s := &d.Steps[i]
		at := s.Pointer + "/" + string(s.Kind)
		if s.Send != nil {
			add(at+"/subject", s.ID, s.Send.Subject)
			if s.Send.AISubject != nil {
				add(at+"/ai_subject/brief", s.ID, s.Send.AISubject.Brief)
			}
		}
		if s.Score != nil {
			add(at+"/reason", s.ID, s.Score.Reason)
		}
		if s.Handoff != nil {
			add(at+"/why", s.ID, s.Handoff.Why)
		}
	}
	return all
}

// words holds them against the glossary.
func (c *checker) words() {
	if c.known.Words == nil {
		return
	}
	for _, p := range c.def.Prose() {
		for _, problem := range c.known.Words.Check(p.Pointer, p.Text) {
			problem.StepID = p.StepID
			c.problems = append(c.problems, problem)
		}
	}
}
