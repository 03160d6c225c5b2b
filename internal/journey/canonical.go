package journey

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"throughline.dev/throughline/internal/fault"
)

// ToJSON turns a document (YAML or JSON) into the JSON that is stored, with the author's order of fields. It only needs to be readable,
// not right. A document that can't be read is kept as a JSON string, so that no draft is lost; one that is too large is refused (nil).
func ToJSON(data []byte) (json.RawMessage, []fault.Problem) {
	n, err := read(data)
	if err == nil {
		return n.appendJSON(nil, false), nil
	}
	problems := []fault.Problem{syntaxProblem(err)}
	if len(data) > MaxDocumentBytes {
		return nil, problems
	}
	source := string(data)
	// What is a JSON string already was kept before: it is not wrapped again.
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '"' {
		var inner string
		if json.Unmarshal(trimmed, &inner) == nil {
			source = inner
		}
	}
	return appendText(nil, source), problems
}

// hashLength is how many hexadecimal digits of the content hash are kept: 128 bits.
const hashLength = 32

// Hash is the content hash of a document: independent of the order of fields, of white space and of how numbers are written.
func Hash(document json.RawMessage) string {
	if n, err := read(document); err == nil {
		return hashOf(n)
	}
	return hashBytes(document)
}

func hashOf(n *node) string { return hashBytes(n.appendJSON(nil, true)) }

func hashBytes(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:hashLength]
}

// Locate finds the line and column of the value at a JSON pointer, or of the nearest one around it.
func Locate(data []byte, pointer string) (line, column int, ok bool) {
	root, err := read(data)
	if err != nil {
		return 0, 0, false
	}
	for {
		if n := root.at(pointer); n != nil && n.line > 0 {
			return n.line, n.column, true
		}
		cut := bytes.LastIndexByte([]byte(pointer), '/')
		if cut < 0 {
			return 0, 0, false
		}
		pointer = pointer[:cut]
	}
}

// Format writes a definition as JSON, the way the language's author would: with the short forms, without defaults.
func Format(def *Definition) (json.RawMessage, error) {
	n, err := definitionNode(def)
	if err != nil {
		return nil, fmt.Errorf("format journey %s: %w", def.Journey, err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, n.appendJSON(nil, false), "", "  "); err != nil {
		return nil, fmt.Errorf("format journey %s: %w", def.Journey, err)
	}
	return b.Bytes(), nil
}

func definitionNode(def *Definition) (*node, error) {
	n := objectNode().withText("journey", def.Journey).withText("name", def.Name)
	n.with("enter", matchesNode(def.Enter))
	n.withText("reenter", def.Reenter.String())
	if def.Priority != 0 {
		n.with("priority", &node{typ: typeNumber, text: strconv.Itoa(def.Priority)})
	}
	n.withText("during_handoff", string(def.DuringHandoff))
	n.with("goal", matchesNode(def.Goal)).with("exit", matchesNode(def.Exit))
	steps := listNode()
	for i := range def.Steps {
		s := &def.Steps[i]
		spec, ok := kindSpec(s.Kind)
		if !ok {
			return nil, fmt.Errorf("step %s: unknown kind", s.ID)
		}
		step := objectNode().withText("id", s.ID).with(string(s.Kind), spec.encode(s))
		if spec.beside != nil {
			spec.beside(s, step)
		}
		steps.items = append(steps.items, step.withText("next", s.Next))
	}
	return n.with("steps", steps), nil
}

func matchesNode(matches []Match) *node {
	if len(matches) == 0 {
		return nil
	}
	list := listNode()
	for _, m := range matches {
		list.items = append(list.items, m.node())
	}
	return list
}
