package sales

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

const (
	maxDepth     = 24
	maxBrackets  = 200
	maxNameBytes = 200
	maxProblems  = 500
)

// reader turns a document into a definition and notes every problem on the way. JSON is read as the YAML that it is.
type reader struct {
	problems []fault.Problem
}

func (r *reader) add(level, path, code, format string, args ...any) {
	r.problems = append(r.problems, fault.Problem{Path: path, Code: code, Level: level, Message: fmt.Sprintf(format, args...)})
}

func (r *reader) problem(path, code, format string, args ...any) {
	r.add(fault.LevelError, path, code, format, args...)
}

// object is a mapping of the document with the fields that it may have.
type object struct {
	r      *reader
	at     string
	fields map[string]*yaml.Node
}

// tree reads the document's one value. Anchors, aliases and tags are refused: no model needs them, and a few of them blow up to gigabytes.
func (r *reader) tree(data []byte) *yaml.Node {
	switch {
	case len(data) > MaxModelBytes:
		r.problem("", "too_large", "The document is larger than %d KB.", MaxModelBytes>>10)
	case !utf8.Valid(data):
		r.problem("", "syntax", "The document is not UTF-8 text.")
	case len(bytes.TrimSpace(data)) == 0:
		r.problem("", "syntax", "The document is empty.")
	case nestedTooDeep(data):
		r.problem("", "too_large", "Values are nested deeper than %d levels.", maxDepth)
	default:
		return r.parse(data)
	}
	return nil
}

func (r *reader) parse(data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decode(decoder, &document); err != nil {
		r.problem("", "syntax", "%s", syntaxSentence(err))
		return nil
	}
	if err := decode(decoder, &second); !errors.Is(err, io.EOF) {
		r.problem("", "syntax", "Something follows the end of the model; a file holds one.")
		return nil
	}
	if len(document.Content) != 1 {
		r.problem("", "syntax", "The document is empty.")
		return nil
	}
	root := document.Content[0]
	if line, sentence := foreign(root, 0); sentence != "" {
		r.problem("", "syntax", "Line %d: %s", line, sentence)
		return nil
	}
	return root
}

// decode shields from panics of the YAML library, which reads what anybody sends.
func decode(decoder *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("yaml: the document can't be read")
		}
	}()
	return decoder.Decode(into)
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// syntaxSentence names the line and not the library's words, which may quote what was sent.
func syntaxSentence(err error) string {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		return "Line " + m[1] + ": the document can't be read as YAML or JSON. Check indentation, quotes and colons."
	}
	return "The document can't be read as YAML or JSON."
}

// foreign finds what YAML has and a model does not.
func foreign(n *yaml.Node, depth int) (line int, sentence string) {
	switch {
	case depth > maxDepth:
		return n.Line, "values are nested too deep."
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return n.Line, "anchors and aliases (& and *) are not used in models."
	case n.Style&yaml.TaggedStyle != 0:
		return n.Line, "tags (!) are not used in models."
	}
	for i, inner := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && (inner.Kind != yaml.ScalarNode || inner.Tag == "!!merge") {
			return inner.Line, "a field's name must be a plain word."
		}
		if line, sentence = foreign(inner, depth+1); sentence != "" {
			return line, sentence
		}
	}
	return 0, ""
}

// nestedTooDeep looks for a nesting that no model has, before the parser, which is recursive, is let near it.
func nestedTooDeep(data []byte) bool {
	depth := 0
	for line := range bytes.Lines(data) {
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			}
		}
		lead := line[:len(line)-len(bytes.TrimLeft(line, " -?:\t"))]
		if depth > maxBrackets || bytes.Count(lead, []byte("- ")) > maxDepth || len(lead) > 2*maxBrackets {
			return true
		}
	}
	return false
}

// object checks that a value is a mapping with known fields, each once.
func (r *reader) object(n *yaml.Node, at string, known ...string) object {
	o := object{r: r, at: at, fields: map[string]*yaml.Node{}}
	if n == nil || n.Kind != yaml.MappingNode {
		r.problem(at, "wrong_type", "%s must be an object with the fields %s.", named(at), strings.Join(known, ", "))
		return o
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		place := pointerTo(at, name)
		switch {
		case seen[name]:
			r.problem(place, "duplicate_field", "%s is written twice.", named(place))
		case !slices.Contains(known, name):
			r.problem(place, "unknown_field", "%s has no field %q%s", named(at), clip(name), didYouMean(name, known))
		case value.Tag != "!!null": // "rules:" with nothing behind it is no rules
			o.fields[name] = value
		}
		seen[name] = true
	}
	return o
}

func (o object) has(name string) bool { return o.fields[name] != nil }

func (o object) place(name string) string { return pointerTo(o.at, name) }

// text reads a text; a number or a flag that was written without quotes is one, too.
func (o object) text(name string, required bool) string {
	n := o.fields[name]
	switch {
	case n == nil:
		if required {
			o.r.problem(o.at, "missing_field", "%s needs the field %q.", named(o.at), name)
		}
	case n.Kind != yaml.ScalarNode:
		o.r.problem(o.place(name), "wrong_type", "%s must be a text.", named(o.place(name)))
	case required && strings.TrimSpace(n.Value) == "":
		o.r.problem(o.place(name), "missing_field", "%s is empty.", named(o.place(name)))
	case strings.ContainsRune(n.Value, 0):
		o.r.problem(o.place(name), "wrong_type", "%s holds a NUL character.", named(o.place(name)))
	default:
		return n.Value
	}
	return ""
}

// short reads a text of at most maxNameBytes.
func (o object) short(name string, required bool) string {
	text := o.text(name, required)
	if len(text) > maxNameBytes {
		o.r.problem(o.place(name), "too_large", "%s is longer than %d bytes.", named(o.place(name)), maxNameBytes)
		return ""
	}
	return text
}

func (o object) integer(name string, required bool, least, most int) (value int, ok bool) {
	n := o.fields[name]
	if n == nil {
		if required {
			o.r.problem(o.at, "missing_field", "%s needs the field %q.", named(o.at), name)
		}
		return 0, false
	}
	value, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil {
		o.r.problem(o.place(name), "wrong_type", "%s must be a whole number.", named(o.place(name)))
		return 0, false
	}
	if value < least || value > most {
		o.r.problem(o.place(name), "out_of_range", "%s must be from %d to %d.", named(o.place(name)), least, most)
		return 0, false
	}
	return value, true
}

func (o object) halfLife(name string) string {
	text := o.text(name, false)
	if !o.has(name) || text == "" {
		return ""
	}
	span, err := audience.ParseDuration(text)
	switch {
	case err != nil:
		o.r.problem(o.place(name), "bad_duration", "%s: %s.", named(o.place(name)), err.Error())
	case span < MinHalfLife:
		o.r.problem(o.place(name), "bad_duration", "%s must be an hour or more.", named(o.place(name)))
	default:
		return audience.FormatDuration(span)
	}
	return ""
}

// list reads a list of at most so many items.
func (o object) list(name string, most int) []*yaml.Node {
	n := o.fields[name]
	switch {
	case n == nil:
	case n.Kind != yaml.SequenceNode:
		o.r.problem(o.place(name), "wrong_type", "%s must be a list.", named(o.place(name)))
	case len(n.Content) > most:
		o.r.problem(o.place(name), "too_large", "%s has more than %d entries.", named(o.place(name)), most)
	default:
		return n.Content
	}
	return nil
}
