package journey

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

const (
	maxTextBytes = 2000
	maxNameBytes = 200
)

// decoder turns the tree into a definition and notes every problem on the way.
type decoder struct {
	problems []fault.Problem
	step     string // the id of the step at hand
	broken   bool   // the step at hand has a problem
}

func (d *decoder) problem(path, code, format string, args ...any) {
	d.broken = true
	d.problems = append(d.problems, fault.Problem{
		Path: path, StepID: d.step, Code: code, Level: fault.LevelError, Message: fmt.Sprintf(format, args...),
	})
}

// body is a step's body in the form that its kind has.
type body struct {
	object *object   // when the kind's body is one object
	arms   []*object // when it is a list
	step   *object   // what it stands in
}

// object is an object of the document whose fields have been checked. Its getters give the zero value for what is missing or wrong,
// because the problem is noted already.
type object struct {
	d     *decoder
	at    string
	nodes map[string]*node // the fields that are right
	wrong map[string]bool  // the fields that are there and wrong
	// strange: it is no object at all, which is noted; every field counts as wrong, and nothing else is to be said.
	strange bool
	specs   []Field
}

// object checks a value against the fields that it may have. others are field names that are allowed and looked at elsewhere.
func (d *decoder) object(n *node, at string, fields []Field, others ...string) *object {
	o := &object{d: d, at: at, nodes: map[string]*node{}, wrong: map[string]bool{}, specs: fields}
	if n == nil || n.typ != typeObject {
		d.problem(at, "wrong_type", "%s must be an object with fields%s.", named(at), listed(fieldNames(fields)))
		o.strange = true
		for _, f := range fields {
			o.wrong[f.Name] = true
		}
		return o
	}
	for _, f := range n.fields {
		i := slices.IndexFunc(fields, func(spec Field) bool { return spec.Name == f.name })
		if i < 0 {
			if !slices.Contains(others, f.name) {
				hint := didYouMean(f.name, append(fieldNames(fields), others...))
				if f.value.typ == typeNull { // the usual slip: {brief: short, kind} is read as two fields
					hint = ". A text with a comma in it needs quotes."
				}
				d.problem(pointerTo(at, f.name), "unknown_field", "%s has no field %q%s", named(at), clip(f.name), hint)
			}
			continue
		}
		before := len(d.problems)
		d.check(f.value, pointerTo(at, f.name), fields[i])
		if len(d.problems) > before && fields[i].Type != FieldObject {
			o.wrong[f.name] = true
			continue
		}
		o.nodes[f.name] = f.value
	}
	for _, spec := range fields {
		if spec.Required {
			o.require(spec.Name)
		}
	}
	return o
}

func (o *object) has(name string) bool { return o.nodes[name] != nil || o.wrong[name] }

func (o *object) require(name string) {
	if !o.has(name) {
		o.d.problem(o.at, "missing_field", "%s needs the field %q.", named(o.at), name)
	}
}

func (o *object) forbid(names ...string) {
	for _, name := range names {
		if o.has(name) {
			o.d.problem(pointerTo(o.at, name), "unknown_field", "The field %q does not belong in this arm.", name)
		}
	}
}

func (o *object) problem(at, code, format string, args ...any) {
	o.d.problem(o.at+at, code, format, args...)
}

func (o *object) text(name string) string {
	if n := o.nodes[name]; n != nil {
		return n.text
	}
	return ""
}

func (o *object) integer(name string) int {
	i, _ := strconv.Atoi(o.text(name))
	return i
}

func (o *object) flag(name string) bool { return o.text(name) == "true" }

func (o *object) duration(name string) time.Duration {
	if o.nodes[name] == nil {
		return 0
	}
	d, _ := audience.ParseDuration(o.text(name))
	return d
}

func (o *object) time(name string) *time.Time {
	if o.nodes[name] == nil {
		return nil
	}
	t, err := time.Parse(time.RFC3339, o.text(name))
	if err != nil {
		return nil
	}
	return &t
}

func (o *object) object(name string) *object {
	n := o.nodes[name]
	if n == nil || n.typ != typeObject {
		return nil
	}
	i := slices.IndexFunc(o.specs, func(f Field) bool { return f.Name == name })
	quiet := &decoder{} // its problems were noted by the check of the field
	return quiet.object(n, pointerTo(o.at, name), o.specs[i].Fields)
}

// matches reads one event match or a list of them. outer notes what is wrong: an object inside of another one is looked at twice, and says
// it once.
func (o *object) matches(name string, outer *object) []Match {
	return outer.d.matches(o.nodes[name], pointerTo(o.at, name))
}

func (o *object) values(name string) map[string]any {
	n := o.nodes[name]
	if n == nil {
		return nil
	}
	values := make(map[string]any, len(n.fields))
	for _, f := range n.fields {
		values[f.name] = scalar(f.value)
	}
	return values
}

func (o *object) numbers(name string) map[string]float64 {
	n := o.nodes[name]
	if n == nil {
		return nil
	}
	numbers := make(map[string]float64, len(n.fields))
	for _, f := range n.fields {
		numbers[f.name], _ = strconv.ParseFloat(f.value.text, 64)
	}
	return numbers
}

func scalar(n *node) any {
	switch n.typ {
	case typeText:
		return n.text
	case typeNumber:
		f, _ := strconv.ParseFloat(n.text, 64)
		return f
	case typeFlag:
		return n.text == "true"
	case typeNull, typeObject, typeList:
	}
	return nil
}

// check tests one value against its field's type.
func (d *decoder) check(n *node, at string, f Field) {
	want := map[FieldType]nodeType{
		FieldInteger: typeNumber, FieldFlag: typeFlag, FieldValues: typeObject, FieldNumbers: typeObject, FieldObject: typeObject,
	}[f.Type]
	if want == "" {
		want = typeText
	}
	if f.Type == FieldMatches {
		return // decoded where it stands: an object or a list
	}
	if n.typ != want {
		code := "wrong_type"
		if f.Type == FieldDuration {
			code = "bad_duration"
		}
		d.problem(at, code, "%s must be %s%s, not %s.", named(at), typePhrase(f.Type), example(f), nodePhrase(n.typ))
		return
	}
	switch f.Type {
	case FieldObject:
		d.object(n, at, f.Fields)
	case FieldInteger:
		if _, err := strconv.ParseInt(n.text, 10, 32); err != nil {
			d.problem(at, "wrong_type", "%s must be a whole number%s.", named(at), example(f))
		}
	case FieldValues, FieldNumbers:
		d.checkMap(n, at, f)
	case FieldFlag:
	case FieldText, FieldTemplate, FieldStep, FieldEvent, FieldSegment, FieldTopic, FieldCondition, FieldDuration, FieldTime, FieldChoice, FieldURL, FieldMatches:
		d.checkText(n.text, at, f)
	}
}

func (d *decoder) checkMap(n *node, at string, f Field) {
	if len(n.fields) == 0 {
		d.problem(at, "missing_field", "%s is empty.", named(at))
	}
	for _, entry := range n.fields {
		place := pointerTo(at, entry.name)
		switch {
		case entry.name == "" || len(entry.name) > maxNameBytes:
			d.problem(place, "wrong_type", "A trait's name has 1 to %d bytes.", maxNameBytes)
		case f.Type == FieldNumbers && entry.value.typ != typeNumber:
			d.problem(place, "wrong_type", "%q must be a number, not %s.", clip(entry.name), nodePhrase(entry.value.typ))
		case entry.value.typ == typeObject || entry.value.typ == typeList:
			d.problem(place, "wrong_type", "%q must be a text, a number, true, false or null, not %s.", clip(entry.name), nodePhrase(entry.value.typ))
		case len(entry.value.text) > maxTextBytes:
			d.problem(place, "wrong_type", "%q is longer than %d bytes.", clip(entry.name), maxTextBytes)
		}
	}
}

func (d *decoder) checkText(text, at string, f Field) {
	limit := maxTextBytes
	if f.Type == FieldEvent || f.Type == FieldStep || f.Type == FieldTemplate {
		limit = maxNameBytes
	}
	switch {
	case strings.TrimSpace(text) == "" && f.Type != FieldCondition:
		d.problem(at, "missing_field", "%s is empty.", named(at))
		return
	case f.Type == FieldCondition && strings.TrimSpace(text) == "":
		d.problem(at, "condition_syntax", "The condition is empty.")
		return
	case len(text) > limit && f.Type != FieldCondition: // a condition has a limit and a code of its own
		d.problem(at, "wrong_type", "%s is longer than %d bytes.", named(at), limit)
		return
	case !utf8.ValidString(text):
		d.problem(at, "wrong_type", "%s is not UTF-8 text.", named(at))
		return
	}
	switch f.Type {
	case FieldDuration:
		if _, err := audience.ParseDuration(text); err != nil {
			d.problem(at, "bad_duration", "%s: %s.", named(at), err.Error())
		}
	case FieldTime:
		if t, err := time.Parse(time.RFC3339, text); err != nil || t.Year() < 1970 || t.Year() > 9000 {
			d.problem(at, "bad_time", "%s must be a moment with a time zone, such as 2026-12-24T09:00:00Z.", named(at))
		}
	case FieldChoice:
		if !slices.Contains(f.Choices, text) {
			d.problem(at, "wrong_type", "%s must be one of %s%s", named(at), strings.Join(f.Choices, ", "), didYouMean(text, f.Choices))
		}
	case FieldURL:
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
			d.problem(at, "bad_url", "%s must be an address that begins with https://, without a password in it.", named(at))
		}
	case FieldSegment:
		d.checkSegmentKey(text, at)
	case FieldTopic:
		if !journeyKey.MatchString(text) {
			d.problem(at, "bad_key", "%s: a topic's key has lower case letters, digits and dashes, at most 64, and does not begin with a dash.", named(at))
		}
	default:
	}
}
