package audience

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"throughline.dev/throughline/internal/fault"
)

// maxNameBytes bounds an event name or a segment key inside a condition.
const maxNameBytes = 200

type nameCollector struct {
	info  *ast.SourceInfo
	names Names
	open  bool  // a question's window is not written out
	err   error // the first problem
}

func (c *nameCollector) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind:
		c.variable(e.AsIdent())
	case ast.SelectKind:
		c.field(e.AsSelect().Operand(), e.AsSelect().FieldName())
	case ast.CallKind:
		c.call(e)
	}
}

func (c *nameCollector) variable(name string) {
	switch name {
	case varScore, varFit, varEngaged, varLabel:
		c.names.Score = true
	case varStage:
		c.names.Fields = append(c.names.Fields, "stage")
	case varPersona:
		c.names.Persona = true
	case varCompany:
		c.names.Company = true
	case varEvent:
		c.names.Event = true
	case varNow:
		c.names.Now = true
	}
}

func (c *nameCollector) call(e ast.Expr) {
	call := e.AsCall()
	switch call.FunctionName() {
	case fnDid, fnCount:
		if name, ok := c.literal(call); ok {
			c.names.Events = append(c.names.Events, name)
			c.question(name, call)
		}
	case fnLast:
		if name, ok := c.literal(call); ok {
			c.names.Events, c.names.Lasts = append(c.names.Events, name), append(c.names.Lasts, name)
		}
	case fnInSegment:
		if name, ok := c.literal(call); ok {
			c.names.Segments = append(c.names.Segments, name)
		}
	case fnObject:
		if name, ok := c.literal(call); ok {
			c.names.Objects = append(c.names.Objects, name)
		}
	case operators.Index:
		if args := call.Args(); len(args) == 2 {
			if key, ok := stringLiteral(args[1]); ok {
				c.field(args[0], key)
			}
		}
	}
}

// field notes a field of the contact or its company. The contact's built-in fields are apart: a trait of the same name is not seen.
func (c *nameCollector) field(operand ast.Expr, field string) {
	if operand.Kind() != ast.IdentKind {
		return
	}
	switch operand.AsIdent() {
	case varContact:
		switch {
		case field == "score":
			c.names.Score = true
		case slices.Contains(contactFields, field):
			c.names.Fields = append(c.names.Fields, field)
		default:
			c.names.Traits = append(c.names.Traits, field)
		}
	case varCompany:
		c.names.CompanyTraits = append(c.names.CompanyTraits, field)
	}
}

// question notes what did and count ask. Window and filter are written out, so that what is asked is known before it is asked.
func (c *nameCollector) question(name string, call ast.CallExpr) {
	q := Question{Name: name}
	args := call.Args()
	if len(args) > 1 {
		within, ok := c.within(args[1], call.FunctionName())
		if !ok {
			c.open = true
			return
		}
		q.Within = within
	}
	if len(args) > 2 {
		where, ok := stringLiteral(args[2])
		if !ok {
			c.fail(args[2], fmt.Sprintf("The filter in %s(…) must be written out in quotes.", call.FunctionName()))
			return
		}
		if _, err := compileWhere(where); err != nil {
			c.fail(args[2], fmt.Sprintf("The filter in %s(…): %s", call.FunctionName(), faultSentence(err)))
			return
		}
		q.Where = where
	}
	c.names.Questions = append(c.names.Questions, q)
}

// within reads a window: a text such as "30d", or duration("720h").
func (c *nameCollector) within(arg ast.Expr, function string) (time.Duration, bool) {
	text, ok := stringLiteral(arg)
	if ok {
		within, err := ParseDuration(text)
		if err != nil {
			c.fail(arg, fmt.Sprintf("The time in %s(…): %s.", function, err.Error()))
		}
		return within, err == nil
	}
	if arg.Kind() == ast.CallKind && arg.AsCall().FunctionName() == "duration" && len(arg.AsCall().Args()) == 1 {
		if text, ok := stringLiteral(arg.AsCall().Args()[0]); ok {
			if within, err := time.ParseDuration(text); err == nil && within > 0 && within <= MaxDuration {
				return within, true
			}
		}
	}
	return 0, false // worked out when it runs
}

func (c *nameCollector) sorted() Names {
	n := &c.names
	for _, list := range []*[]string{&n.Events, &n.Segments, &n.Traits, &n.Fields, &n.CompanyTraits, &n.Objects, &n.Lasts} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	slices.SortFunc(n.Questions, func(a, b Question) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Within, b.Within), cmp.Compare(a.Where, b.Where))
	})
	n.Questions = slices.Compact(n.Questions)
	return c.names
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
