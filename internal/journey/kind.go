package journey

// FieldType is what a field of a definition holds. It decides how the field is checked, shown in the schema and edited.
type FieldType string

// The types of fields.
const (
	FieldText      FieldType = "text"      // free text
	FieldTemplate  FieldType = "template"  // the key of a template
	FieldStep      FieldType = "step"      // the id of a step of the same journey
	FieldEvent     FieldType = "event"     // the name of an event
	FieldSegment   FieldType = "segment"   // the key of a segment
	FieldTopic     FieldType = "topic"     // the key of a topic
	FieldCondition FieldType = "condition" // a CEL expression over the contact
	FieldDuration  FieldType = "duration"  // a span such as 3d
	FieldTime      FieldType = "time"      // a moment, RFC 3339
	FieldInteger   FieldType = "integer"
	FieldFlag      FieldType = "flag"    // true or false
	FieldChoice    FieldType = "choice"  // one of Choices
	FieldURL       FieldType = "url"     // http or https
	FieldValues    FieldType = "values"  // names with texts, numbers, true/false or null
	FieldNumbers   FieldType = "numbers" // names with numbers
	FieldObject    FieldType = "object"  // Fields
	FieldMatches   FieldType = "matches" // one event match or a list of them
)

// Field is one field of a step's body, of one of its arms, or of the definition itself.
type Field struct {
	Name     string    `json:"name"`
	Type     FieldType `json:"type"`
	Required bool      `json:"required,omitempty"`
	Doc      string    `json:"doc"`
	Default  string    `json:"default,omitempty"` // in words, when leaving it out means something
	Example  string    `json:"example,omitempty"` // as YAML
	Choices  []string  `json:"choices,omitempty"`
	Fields   []Field   `json:"fields,omitempty"`
	// InsteadOf names the field that this one stands in the place of: of the two, and of others that name the same, one is given.
	InsteadOf string `json:"instead_of,omitempty"`
}

// Port is a way out of a step.
type Port struct {
	Name string `json:"name"` // "<n>" stands for the number of an arm, from 0
	Doc  string `json:"doc"`
}

// KindSpec is one entry of the kind table: everything that there is to know about a kind of step. A new kind is one new entry.
type KindSpec struct {
	Kind    Kind    `json:"kind"`
	Title   string  `json:"title"`
	Summary string  `json:"summary"`
	Arms    bool    `json:"arms,omitempty"`  // the body is a list of objects with Fields, else one such object
	Short   string  `json:"short,omitempty"` // the field that a bare text stands for, as in wait: 2d
	Fields  []Field `json:"fields" nullable:"false"`
	Beside  []Field `json:"beside,omitempty"` // what stands in the step beside the body
	Ports   []Port  `json:"ports" nullable:"false"`
	Next    bool    `json:"next,omitempty"`  // it has the port next, which leads to the following step unless told otherwise
	Waits   bool    `json:"waits,omitempty"` // it can pause the enrollment
	Example string  `json:"example"`         // a whole step, as YAML

	decode  func(b *body, s *Step)           // from the document
	encode  func(s *Step) *node              // to the document
	beside  func(s *Step, n *node)           // to the document, what stands beside the body
	check   func(c *checker, s *Step)        // what the types of the fields don't say
	exits   func(s *Step) []exit             // where it leads, next left out
	compile func(s *Step, p *PlanStep)       // what the plan keeps, ports left out
	act     func(w *simContact, s *Step) act // what the simulator does for it; nil where the plan decides alone
}

// exit is one way out of a step, as written.
type exit struct {
	port    string
	target  string
	pointer string // of the reference in the document
}

// Kinds is the kind table, in the order of the palette and the docs.
func Kinds() []KindSpec {
	return []KindSpec{
		sendKind(), waitKind(), waitForKind(), branchKind(), splitKind(),
		updateKind(), scoreKind(), webhookKind(), handoffKind(), exitKind(),
	}
}

func kindSpec(k Kind) (KindSpec, bool) {
	for _, spec := range Kinds() {
		if spec.Kind == k {
			return spec, true
		}
	}
	return KindSpec{}, false
}

func kindNames() []string {
	var names []string
	for _, spec := range Kinds() {
		names = append(names, string(spec.Kind))
	}
	return names
}

// DefinitionFields are the fields of a definition besides its steps.
func DefinitionFields() []Field {
	return []Field{
		{Name: "journey", Type: FieldText, Required: true, Doc: "The journey's key: lower case letters, digits and dashes.", Example: "trial-to-paid"},
		{Name: "name", Type: FieldText, Doc: "What people call it.", Example: "Trial to paid"},
		{Name: "enter", Type: FieldMatches, Doc: "The events that enroll a contact. Without any, only the API can.", Fields: matchFields()},
		{Name: "reenter", Type: FieldText, Default: "never", Doc: "Whether a contact may go through again: never, always, or after a time such as after 90d, counted from the end of the last enrollment. Nobody is in the same journey twice at once.", Example: "after 90d"},
		{Name: "priority", Type: FieldInteger, Default: "0", Doc: "Which journey goes first when the sending policy leaves room for fewer mails than want to go out: the larger number. From -100 to 100.", Example: "10"},
		{Name: "during_handoff", Type: FieldChoice, Default: string(DuringHandoffHold), Choices: []string{string(DuringHandoffHold), string(DuringHandoffSend)}, Doc: "What the journey's marketing mail does while sales works on the contact, whichever journey handed it over: hold waits until sales is done (a step's otherwise may say something else), send goes out all the same.", Example: string(DuringHandoffSend)},
		{Name: "goal", Type: FieldMatches, Doc: "The events that mean success: they complete the enrollment, wherever it is.", Fields: matchFields()},
		{Name: "exit", Type: FieldMatches, Doc: "The events that end the enrollment, wherever it is.", Fields: matchFields()},
	}
}

func matchFields() []Field {
	return append(wordFields(),
		Field{Name: "when", Type: FieldCondition, Default: "always", Doc: "A condition that must hold too; event.* are the event's properties.", Example: `contact.plan == "trial"`},
	)
}

// stepFields are the fields that any step has, besides the one named after its kind.
func stepFields(next bool) []Field {
	fields := []Field{{Name: "id", Type: FieldText, Required: true, Doc: "The step's name within the journey: lower case letters, digits and underscores, beginning with a letter.", Example: "welcome"}}
	if next {
		fields = append(fields, Field{Name: "next", Type: FieldStep, Default: "the following step", Doc: "The step that comes next.", Example: "activated"})
	}
	return fields
}

// StepFields are the fields that a step can have besides the one named after its kind.
func StepFields() []Field { return stepFields(true) }

func nextPort() []Port {
	return []Port{{Name: PortNext, Doc: "When it is done."}}
}

func goField(doc string) Field {
	return Field{Name: "go", Type: FieldStep, Doc: doc, Example: "thanks"}
}
