package journey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"throughline.dev/throughline/internal/fault"
)

// The limits of a document.
const (
	MaxDocumentBytes = 256 << 10
	MaxSteps         = 200
	maxDepth         = 24
	maxArms          = 50
	maxFields        = 500 // of one object
	maxProblems      = 500 // of one document: nobody reads more
)

// errSyntax is a document that can't be read at all.
type errSyntax struct {
	code    string
	message string
}

func (e *errSyntax) Error() string { return e.message }

func syntax(format string, args ...any) error {
	return &errSyntax{code: "syntax", message: fmt.Sprintf(format, args...)}
}

// read turns a document into a tree. What begins as JSON and is JSON is read as JSON, all else as YAML. A JSON string is what a draft
// that could not be read is stored as: its content is the document.
func read(data []byte) (*node, error) {
	if len(data) > MaxDocumentBytes {
		return nil, &errSyntax{"too_large", fmt.Sprintf("The document is larger than %d KB.", MaxDocumentBytes>>10)}
	}
	if !utf8.Valid(data) {
		return nil, syntax("The document is not UTF-8 text.")
	}
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) > 0 && trimmed[0] == '"' {
		var inner string
		if json.Unmarshal(trimmed, &inner) == nil {
			if strings.HasPrefix(strings.TrimSpace(inner), `"`) {
				return nil, syntax("Line 1: a definition is an object with journey and steps, not a text.")
			}
			trimmed = []byte(inner)
		}
	}
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid(trimmed) {
		return readJSON(trimmed)
	}
	return readYAML(trimmed)
}

func syntaxProblem(err error) fault.Problem {
	p := fault.Problem{Code: "syntax", Level: fault.LevelError, Message: err.Error()}
	var s *errSyntax
	if errors.As(err, &s) {
		p.Code = s.code
	}
	return p
}

// jsonReader builds the tree from tokens, for the order of fields, doubled keys and lines.
type jsonReader struct {
	data    []byte
	dec     *json.Decoder
	counted int64 // newlines before this offset are in line
	line    int
}

func readJSON(data []byte) (*node, error) {
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	r.dec.UseNumber()
	n, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, syntax("Line %d: something follows the end of the definition.", r.here())
	}
	return n, nil
}

func (r *jsonReader) here() int {
	offset := min(r.dec.InputOffset(), int64(len(r.data)))
	r.line += bytes.Count(r.data[r.counted:offset], []byte("\n"))
	r.counted = offset
	return r.line
}

func (r *jsonReader) value(depth int) (*node, error) {
	token, err := r.dec.Token()
	line := r.here()
	if err != nil {
		return nil, syntax("Line %d: the JSON can't be read.", line)
	}
	if depth > maxDepth {
		return nil, tooDeep(line)
	}
	n := &node{line: line, column: 1}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return n, r.object(n, depth)
		}
		n.typ = typeList
		for r.dec.More() {
			item, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		_, err = r.dec.Token()
		return n, err
	case string:
		n.typ, n.text = typeText, t
	case json.Number:
		if f, err := t.Float64(); err != nil || math.IsInf(f, 0) {
			return nil, syntax("Line %d: a number is too large.", line)
		}
		n.typ, n.text = typeNumber, t.String()
	case bool:
		n.typ, n.text = typeFlag, strconv.FormatBool(t)
	default:
		n.typ = typeNull
	}
	return n, nil
}

func (r *jsonReader) object(n *node, depth int) error {
	n.typ = typeObject
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return syntax("Line %d: the JSON can't be read.", r.here())
		}
		name, _ := token.(string)
		if n.get(name) != nil {
			return doubled(r.here(), name)
		}
		if len(n.fields) >= maxFields {
			return tooManyFields(r.here())
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.fields = append(n.fields, field{name, value})
	}
	_, err := r.dec.Token()
	return err
}

func tooDeep(line int) error {
	return &errSyntax{"too_large", fmt.Sprintf("Line %d: values are nested deeper than %d levels.", line, maxDepth)}
}

func tooManyFields(line int) error {
	return &errSyntax{"too_large", fmt.Sprintf("Line %d: an object has more than %d fields.", line, maxFields)}
}

func doubled(line int, name string) error {
	return syntax("Line %d: %q is written twice in the same place.", line, clip(name))
}

// readYAML reads YAML's plain part: no anchors, aliases, merges or tags, which a definition never needs and a bomb does.
func readYAML(data []byte) (*node, error) {
	if len(data) == 0 {
		return nil, syntax("Line 1: the document is empty.")
	}
	if line := nestedTooDeep(data); line > 0 {
		return nil, tooDeep(line)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := decodeYAML(dec, &doc); err != nil {
		return nil, yamlSyntax(err)
	}
	var second yaml.Node
	if err := decodeYAML(dec, &second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, yamlSyntax(err)
		}
		return nil, syntax("Line %d: a second document begins here; a file holds one definition.", second.Line)
	}
	if len(doc.Content) != 1 {
		return nil, syntax("Line 1: the document is empty.")
	}
	return fromYAML(doc.Content[0], 0)
}

// decodeYAML shields from panics of the YAML library, which reads what anybody sends.
func decodeYAML(dec *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("yaml: the document can't be read")
		}
	}()
	return dec.Decode(into)
}

// maxBrackets and maxDashes bound the nesting that the YAML parser, which is recursive, is let near.
const maxBrackets = 200

// nestedTooDeep looks for a flow or block nesting that no definition has, without parsing; it returns the line, or 0.
func nestedTooDeep(data []byte) int {
	depth := 0
	for i, line := range bytes.Split(data, []byte("\n")) {
		indicators := 0
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			}
		}
		for rest := bytes.TrimLeft(line, " "); len(rest) > 1 && (rest[0] == '-' || rest[0] == '?' || rest[0] == ':') && (rest[1] == ' ' || rest[1] == '\t'); {
			indicators++
			rest = bytes.TrimLeft(rest[1:], " \t")
		}
		if depth > maxBrackets || indicators > maxDepth || len(line)-len(bytes.TrimLeft(line, " ")) > maxBrackets*2 {
			return i + 1
		}
	}
	return 0
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

func yamlSyntax(err error) error {
	message, line := strings.TrimPrefix(err.Error(), "yaml: "), "1"
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line = m[1]
		message = strings.TrimPrefix(strings.TrimPrefix(message, "line "+line), ": ")
	}
	return syntax("Line %s: the YAML can't be read: %s.", line, strings.TrimSuffix(clipTo(message, 120), "."))
}

func fromYAML(y *yaml.Node, depth int) (*node, error) {
	switch {
	case depth > maxDepth:
		return nil, tooDeep(y.Line)
	case y.Kind == yaml.AliasNode || y.Anchor != "":
		return nil, syntax("Line %d: anchors and aliases (& and *) are not used in definitions.", y.Line)
	case y.Style&yaml.TaggedStyle != 0:
		return nil, syntax("Line %d: tags (!) are not used in definitions.", y.Line)
	}
	n := &node{line: y.Line, column: y.Column}
	switch y.Kind {
	case yaml.MappingNode:
		n.typ = typeObject
		for i := 0; i+1 < len(y.Content); i += 2 {
			key := y.Content[i]
			if key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Tag == "!!merge" {
				return nil, syntax("Line %d: a field's name must be a plain word.", key.Line)
			}
			if n.get(key.Value) != nil {
				return nil, doubled(key.Line, key.Value)
			}
			if len(n.fields) >= maxFields {
				return nil, tooManyFields(key.Line)
			}
			value, err := fromYAML(y.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			n.fields = append(n.fields, field{key.Value, value})
		}
	case yaml.SequenceNode:
		n.typ = typeList
		for _, c := range y.Content {
			item, err := fromYAML(c, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
	case yaml.ScalarNode:
		return n, n.scalar(y)
	default:
		return nil, syntax("Line %d: this part can't be read.", y.Line)
	}
	return n, nil
}

func (n *node) scalar(y *yaml.Node) error {
	switch y.Tag {
	case "!!null":
		n.typ = typeNull
	case "!!bool":
		n.typ, n.text = typeFlag, strings.ToLower(y.Value)
	case "!!int", "!!float":
		var f float64
		if err := y.Decode(&f); err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return syntax("Line %d: this is not a number that a definition can hold.", y.Line)
		}
		n.typ, n.text = typeNumber, strconv.FormatFloat(f, 'g', -1, 64)
		if i, err := strconv.ParseInt(y.Value, 10, 64); err == nil {
			n.text = strconv.FormatInt(i, 10)
		}
	default: // texts, and times, which are kept as they were written
		n.typ, n.text = typeText, y.Value
	}
	return nil
}

func clip(s string) string { return clipTo(s, 60) }

func clipTo(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
