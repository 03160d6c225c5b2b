package segmentsql

import (
	"fmt"
	"time"

	"cel.dev/cel-go/common/ast"

	"throughline.dev/throughline/internal/audience"
)

// asked are the events that did and count look at: those that may be, and those that surely are.
type asked struct{ may, sure string }

// did writes did(…).
func (b *builder) did(call ast.CallExpr, w want) (string, bool) {
	events, ok := b.events(call)
	switch {
	case !ok:
		return "", false
	case w == isTrue || w == notFalse:
		return fmt.Sprintf("EXISTS (SELECT FROM events e WHERE %s)", events.may), true
	}
	return fmt.Sprintf("NOT EXISTS (SELECT FROM events e WHERE %s)", events.sure), true
}

// count writes count(…).
func (b *builder) count(call ast.CallExpr) (value, bool) {
	events, ok := b.events(call)
	if !ok {
		return value{}, false
	}
	number := func(which string) string { return fmt.Sprintf("(SELECT count(*) FROM events e WHERE %s)", which) }
	return value{kind: kindNumber, low: number(events.sure), high: number(events.may)}, true
}

func (b *builder) events(call ast.CallExpr) (asked, bool) {
	args := call.Args()
	name, ok := text(args[0])
	if !ok || b.event {
		return asked{}, false
	}
	where := fmt.Sprintf("e.contact_id = c.id AND e.name = %s AND e.occurred_at <= %s", b.arg(name, "text"), b.arg(b.now, "timestamptz"))
	if len(args) > 1 {
		within, ok := window(args[1])
		if !ok || within%time.Microsecond != 0 {
			return asked{}, false
		}
		where += " AND e.occurred_at > " + b.arg(b.now.Add(-within), "timestamptz")
	}
	if len(args) < 3 {
		return asked{where, where}, true
	}
	source, ok := text(args[2])
	if !ok {
		return asked{}, false
	}
	filter, err := audience.CompileFilter(source)
	if err != nil || !storable(filter.Expression()) {
		return asked{}, false
	}
	outer := b.condition
	b.condition, b.event = filter, true
	may, open := b.bound(filter.Expression(), isTrue), b.bound(filter.Expression(), notTrue)
	b.condition, b.event = outer, false
	return asked{and(where, may), and(where, not(open))}, true
}

// window reads a time that is written out.
func window(e ast.Expr) (time.Duration, bool) {
	if written, ok := text(e); ok {
		within, err := audience.ParseDuration(written)
		return within, err == nil
	}
	within, ok := span(e)
	return within, ok && within > 0 && within <= audience.MaxDuration
}

// span reads duration("…").
func span(e ast.Expr) (time.Duration, bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "duration" || len(e.AsCall().Args()) != 1 {
		return 0, false
	}
	written, ok := text(e.AsCall().Args()[0])
	if !ok {
		return 0, false
	}
	within, err := time.ParseDuration(written)
	return within, err == nil
}
