package audience

import (
	"fmt"
	"slices"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"
)

// leaf is a part of a condition whose value explains the whole: a field, a question about events, a macro over a list.
type leaf struct {
	id   int64
	text string
}

// collectLeaves lists the leaves in source order, each text once.
func collectLeaves(tree *ast.AST) ([]leaf, error) {
	c := leafCollector{info: tree.SourceInfo()}
	c.walk(tree.Expr())
	return c.leaves, c.err
}

type leafCollector struct {
	info   *ast.SourceInfo
	leaves []leaf
	err    error
}

func (c *leafCollector) walk(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind, ast.ComprehensionKind:
		c.add(e)
	case ast.SelectKind:
		if isPath(e) {
			c.add(e)
			return
		}
		c.walk(e.AsSelect().Operand())
	case ast.CallKind:
		call := e.AsCall()
		if isFactFunction(call.FunctionName()) || isPath(e) {
			c.add(e)
			return
		}
		if call.IsMemberFunction() {
			c.walk(call.Target())
		}
		for _, arg := range call.Args() {
			c.walk(arg)
		}
	case ast.ListKind:
		for _, element := range e.AsList().Elements() {
			c.walk(element)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			c.walk(entry.AsMapEntry().Key())
			c.walk(entry.AsMapEntry().Value())
		}
	}
}

func (c *leafCollector) add(e ast.Expr) {
	text, err := parser.Unparse(e, c.info)
	if err != nil {
		c.err = err
		return
	}
	if !slices.ContainsFunc(c.leaves, func(l leaf) bool { return l.text == text }) {
		c.leaves = append(c.leaves, leaf{id: e.ID(), text: text})
	}
}

// isPath tells whether an expression is a way into a variable: contact.a.b, contact["a"], has(contact.a).
func isPath(e ast.Expr) bool {
	switch e.Kind() {
	case ast.IdentKind:
		return true
	case ast.SelectKind:
		return isPath(e.AsSelect().Operand())
	case ast.CallKind:
		call := e.AsCall()
		return call.FunctionName() == operators.Index && len(call.Args()) == 2 &&
			call.Args()[1].Kind() == ast.LiteralKind && isPath(call.Args()[0])
	}
	return false
}

// terms reads the leaves' values off an evaluation. A leaf without a value was not looked at, because the answer stood before it.
func terms(leaves []leaf, state interpreter.EvalState) []Term {
	found := make([]Term, 0, len(leaves))
	for _, l := range leaves {
		value, ok := state.Value(l.id)
		if !ok || value == nil {
			continue
		}
		if types.IsError(value) && !isMissing(value) {
			continue
		}
		found = append(found, Term{Expression: l.text, Value: plain(value)})
	}
	return found
}

const (
	maxTermText  = 200
	maxTermItems = 10
)

// plain turns a value into JSON that fits into a journal entry; what is long is cut short.
func plain(value ref.Val) any {
	switch v := value.(type) {
	case types.Bool:
		return bool(v)
	case types.Int:
		return int64(v)
	case types.Double:
		return float64(v)
	case types.String:
		if runes := []rune(string(v)); len(runes) > maxTermText {
			return string(runes[:maxTermText]) + "…"
		}
		return string(v)
	case types.Timestamp:
		return v.Time.UTC().Format(time.RFC3339Nano)
	case types.Duration:
		return v.Duration.String()
	case traits.Lister:
		return plainList(v)
	case traits.Mapper:
		return fmt.Sprintf("(%v fields)", v.Size())
	}
	if value == types.NullValue || types.IsError(value) {
		return nil
	}
	return fmt.Sprintf("(%s)", value.Type().TypeName())
}

func plainList(list traits.Lister) any {
	if size, ok := list.Size().(types.Int); !ok || size > maxTermItems {
		return fmt.Sprintf("(%v items)", list.Size())
	}
	items := []any{}
	for it := list.Iterator(); it.HasNext() == types.True; {
		item := it.Next()
		if _, nested := item.(traits.Lister); nested {
			items = append(items, "(list)")
			continue
		}
		items = append(items, plain(item))
	}
	return items
}
