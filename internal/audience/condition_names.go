package audience

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"throughline.dev/throughline/internal/fault"
)

// maxNameBytes bounds an event name or a segment key inside a condition.
const maxNameBytes = 200

type nameCollector struct {
	info  *ast.SourceInfo
	names Names
	err   error // the first problem
}

func (c *nameCollector) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.SelectKind:
		c.trait(e.AsSelect().Operand(), e.AsSelect().FieldName())
	case ast.CallKind:
		call := e.AsCall()
		switch call.FunctionName() {
		case fnDid, fnCount, fnLast:
			if name, ok := c.literal(call); ok {
				c.names.Events = append(c.names.Events, name)
			}
			c.within(call)
		case fnInSegment:
			if name, ok := c.literal(call); ok {
				c.names.Segments = append(c.names.Segments, name)
			}
		case operators.Index:
			if args := call.Args(); len(args) == 2 {
				if key, ok := stringLiteral(args[1]); ok {
					c.trait(args[0], key)
				}
			}
		}
	}
}

func (c *nameCollector) trait(operand ast.Expr, field string) {
	if operand.Kind() == ast.IdentKind && operand.AsIdent() == varContact && !slices.Contains(contactFields, field) {
		c.names.Traits = append(c.names.Traits, field)
	}
}

func (c *nameCollector) literal(call ast.CallExpr) (string, bool) {
	arg := call.Args()[0]
	name, ok := stringLiteral(arg)
	switch {
	case !ok:
		c.fail(arg, fmt.Sprintf("The name in %s(…) must be written out in quotes.", call.FunctionName()))
	case name == "":
		c.fail(arg, fmt.Sprintf("The name in %s(…) is empty.", call.FunctionName()))
	case len(name) > maxNameBytes:
		c.fail(arg, fmt.Sprintf("The name in %s(…) is longer than %d bytes.", call.FunctionName(), maxNameBytes))
	default:
		return name, true
	}
	return "", false
}

// within checks a span that is written out, so that a typing error shows when the journey is saved.
func (c *nameCollector) within(call ast.CallExpr) {
	args := call.Args()
	if len(args) < 2 {
		return
	}
	if text, ok := stringLiteral(args[1]); ok {
		if _, err := ParseDuration(text); err != nil {
			c.fail(args[1], fmt.Sprintf("The time in %s(…): %s.", call.FunctionName(), err.Error()))
		}
	}
}

func (c *nameCollector) fail(e ast.Expr, sentence string) {
	if c.err != nil {
		return
	}
	at := c.info.GetStartLocation(e.ID())
	c.err = fault.New(fault.Invalid, CodeConditionType, fmt.Sprintf("%s (%d:%d)", sentence, at.Line(), at.Column()+1))
}

func stringLiteral(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().Value().(string)
	return s, ok
}
