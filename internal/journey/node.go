package journey

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// nodeType is the type of a value in a document, whatever syntax it was written in.
type nodeType string

const (
	typeObject nodeType = "object"
	typeList   nodeType = "list"
	typeText   nodeType = "text"
	typeNumber nodeType = "number"
	typeFlag   nodeType = "true/false"
	typeNull   nodeType = "nothing"
)

// node is a value of a document: one tree for YAML and JSON, with the order of the author and the place of each value.
type node struct {
	typ    nodeType
	fields []field // of an object
	items  []*node // of a list
	text   string  // a text; or the JSON literal of a number or a flag
	line   int
	column int
}

type field struct {
	name  string
	value *node
}

func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	for _, f := range n.fields {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

func textNode(s string) *node { return &node{typ: typeText, text: s} }
func intNode(i int) *node     { return &node{typ: typeNumber, text: strconv.Itoa(i)} }
func flagNode(b bool) *node   { return &node{typ: typeFlag, text: strconv.FormatBool(b)} }
func listNode(items ...*node) *node {
	return &node{typ: typeList, items: items}
}

// with appends a field, unless there is no value.
func (n *node) with(name string, value *node) *node {
	if value != nil {
		n.fields = append(n.fields, field{name, value})
	}
	return n
}

// withText appends a text, unless it is empty.
func (n *node) withText(name, value string) *node {
	if value == "" {
		return n
	}
	return n.with(name, textNode(value))
}

func objectNode() *node { return &node{typ: typeObject} }

// appendJSON writes the value as compact JSON. Canonical form sorts the fields and normalises the numbers, so that equal documents have
// equal bytes whoever stored them in between.
func (n *node) appendJSON(b []byte, canonical bool) []byte {
	switch n.typ {
	case typeObject:
		fields := n.fields
		if canonical {
			fields = slices.Clone(fields)
			slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
		}
		b = append(b, '{')
		for i, f := range fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, f.name), ':')
			b = f.value.appendJSON(b, canonical)
		}
		return append(b, '}')
	case typeList:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(b, canonical)
		}
		return append(b, ']')
	case typeText:
		return appendText(b, n.text)
	case typeNumber:
		if canonical {
			return append(b, canonicalNumber(n.text)...)
		}
		return append(b, n.text...)
	case typeFlag:
		return append(b, n.text...)
	case typeNull:
	}
	return append(b, "null"...)
}

func appendText(b []byte, s string) []byte {
	encoded, err := json.Marshal(s)
	if err != nil { // a string always encodes
		return append(b, `""`...)
	}
	return append(b, encoded...)
}

// maxExact is the largest whole number that a float holds without loss.
const maxExact = 1 << 53

func canonicalNumber(literal string) string {
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return literal
	}
	if f == float64(int64(f)) && f < maxExact && f > -maxExact {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// at finds the value that a JSON pointer names.
func (n *node) at(pointer string) *node {
	if pointer == "" {
		return n
	}
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if n == nil {
			return nil
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		if n.typ == typeList {
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(n.items) {
				return nil
			}
			n = n.items[i]
			continue
		}
		n = n.get(part)
	}
	return n
}

// pointerTo appends a name or an index to a JSON pointer.
func pointerTo(base, name string) string {
	return base + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func indexOf(base string, i int) string { return base + "/" + strconv.Itoa(i) }
