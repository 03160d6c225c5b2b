package journey

import (
	"slices"
	"strings"

	"throughline.dev/throughline/internal/audience"
)

// MatchWord is the word that a match is written with. All but event are short for the name of an event that Throughline itself notes:
// a plan listens to names alone, and so do triggers and interests.
type MatchWord string

// The words of a match; exactly one stands in each.
const (
	MatchEvent       MatchWord = "event" // also the zero value
	MatchSegment     MatchWord = "segment"
	MatchLeftSegment MatchWord = "left_segment"
	MatchStage       MatchWord = "stage"
)

// matchWord says what a word stands for.
type matchWord struct {
	word   MatchWord
	prefix string // of the name of the event; none: the name is written out
	field  Field
}

// matchWords is the table of the words, in the order of the docs.
func matchWords() []matchWord {
	return []matchWord{
		{word: MatchEvent, field: Field{Name: "event", Type: FieldEvent, Doc: "The event's name.", Example: "Signed Up"}},
		{word: MatchSegment, prefix: audience.SegmentEnteredPrefix, field: Field{
			Name: "segment", Type: FieldSegment, InsteadOf: "event", Doc: "Instead of event: the contact enters this segment.", Example: "trial-idle"}},
		{word: MatchLeftSegment, prefix: audience.SegmentLeftPrefix, field: Field{
			Name: "left_segment", Type: FieldSegment, InsteadOf: "event", Doc: "Instead of event: the contact leaves this segment.", Example: "trial-idle"}},
		{word: MatchStage, prefix: audience.StageEnteredPrefix, field: Field{
			Name: "stage", Type: FieldChoice, Choices: stages(), InsteadOf: "event", Doc: "Instead of event: the contact reaches this lifecycle stage.", Example: "mql"}},
	}
}

// stages are the lifecycle stages, as package sales has them, which this one must not import; a test holds the two equal.
func stages() []string {
	return []string{firstStage, "lead", "mql", "sql", "opportunity", "customer", "evangelist"}
}

// wordFields are the fields of the words, of which a match has exactly one.
func wordFields() []Field {
	var fields []Field
	for _, w := range matchWords() {
		fields = append(fields, w.field)
	}
	return fields
}

// hasWord tells whether an object says what to listen to.
func (o *object) hasWord() bool {
	return slices.ContainsFunc(matchWords(), func(w matchWord) bool { return o.has(w.field.Name) })
}

// match reads what to listen to, and under which condition.
func (o *object) match() Match {
	m := Match{When: o.text("when"), Pointer: o.at}
	if o.strange {
		return m
	}
	var found []matchWord
	for _, w := range matchWords() {
		if o.has(w.field.Name) {
			found = append(found, w)
		}
	}
	switch {
	case len(found) == 0:
		o.problem("", "missing_field", "%s needs one of event, segment, left_segment and stage.", named(o.at))
		return m
	case len(found) > 1:
		o.problem("/"+found[1].field.Name, "two_words", "%s listens to more than one thing: keep one of %q and %q.",
			named(o.at), found[0].field.Name, found[1].field.Name)
	}
	word := found[0]
	if word.word != MatchEvent {
		m.Word = word.word
	}
	text := o.text(word.field.Name)
	switch {
	case text == "": // its problem is noted
	case word.prefix == "":
		m.Event = text
		o.refuseReserved(text)
	default:
		m.Event = word.prefix + text
	}
	return m
}

// refuseReserved points to the word for an event that Throughline itself notes: nobody may send one, and a slip of its name would show
// nowhere.
func (o *object) refuseReserved(name string) {
	for _, w := range matchWords() {
		if key, ok := strings.CutPrefix(name, w.prefix); ok && w.prefix != "" {
			o.problem("/event", "reserved_event", "This name is one of Throughline's own: write %s: %s instead.", w.field.Name, clip(key))
		}
	}
}

// word finds how a match was written.
func (m Match) word() matchWord {
	words := matchWords()
	i := slices.IndexFunc(words, func(w matchWord) bool { return w.word == m.Word })
	return words[max(i, 0)]
}

// Segment is the key of the segment that the match listens to, or "".
func (m Match) Segment() string {
	if m.Word != MatchSegment && m.Word != MatchLeftSegment {
		return ""
	}
	return strings.TrimPrefix(m.Event, m.word().prefix)
}

// node is the match as its author would write it.
func (m Match) node() *node {
	w := m.word()
	return objectNode().withText(w.field.Name, strings.TrimPrefix(m.Event, w.prefix)).withText("when", m.When)
}

// Segments lists the keys of the segments that a definition depends on, sorted: those that it listens to and those in its conditions.
// Conditions that can't be compiled name none.
func (d *Definition) Segments() []string {
	var keys []string
	for _, m := range d.matches() {
		if key := m.Segment(); key != "" {
			keys = append(keys, key)
		}
	}
	for _, at := range d.Conditions() {
		if c, err := audience.CompileCondition(at.Source); err == nil {
			keys = append(keys, c.Names().Segments...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// segments looks for the segments that matches listen to.
func (c *checker) segments() {
	for _, m := range c.def.matches() {
		if key := m.Segment(); key != "" {
			c.segment(m.Pointer+"/"+m.word().field.Name, c.stepAt(m.Pointer), key)
		}
	}
}

// segment notes a problem when there is no such segment.
func (c *checker) segment(path, stepID, key string) {
	if c.known.Segments != nil && !c.known.Segments(key) {
		c.errorf(path, stepID, "unknown_segment", "There is no segment %q%s", clip(key), didYouMean(key, c.known.SegmentKeys))
	}
}

// stepAt is the id of the step that a match belongs to, or "".
func (c *checker) stepAt(pointer string) string {
	for i := range c.def.Steps {
		if strings.HasPrefix(pointer, c.def.Steps[i].Pointer+"/") {
			return c.def.Steps[i].ID
		}
	}
	return ""
}

// checkSegmentKey notes what can't be a segment's key.
func (d *decoder) checkSegmentKey(text, at string) {
	if !journeyKey.MatchString(text) {
		d.problem(at, "bad_key", "%s: a segment's key has lower case letters, digits and dashes, at most 64, and does not begin with a dash.", named(at))
	}
}
