package segmentsql

import (
	"fmt"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// moment is a sum of times and spans: column (added, taken away or not there), as many nows, and a span.
type moment struct {
	column   string
	nullable bool
	columns  int // 1, −1 or 0
	nows     int
	span     time.Duration
}

// farthest bounds spans, so that no sum of them leaves the calendar.
const farthest = 100 * 365 * 24 * time.Hour

// moments compares two sums of times: now - last("Seen") > duration("336h") is last("Seen") < now - duration("336h").
func (b *builder) moments(operator string, left, right ast.Expr, w want) (string, bool) {
	if operator == operators.Equals || operator == operators.NotEquals {
		return b.never(operator, left, right, w)
	}
	l, ok := b.moment(left)
	r, also := b.moment(right)
	d, combined := l.plus(r, -1)
	if !ok || !also || !combined || d.columns+d.nows != 0 || d.columns == 0 || d.span%time.Microsecond != 0 {
		return "", false
	}
	// columns·column + nows·now + span is compared with zero.
	border := b.now.Add(-d.span)
	if d.columns < 0 {
		operator, border = turned(operator), b.now.Add(d.span)
	}
	failed := ""
	if d.nullable {
		failed = d.column + " IS NULL"
	}
	return exactly(w, fmt.Sprintf("COALESCE(%s %s %s, false)", d.column, inSQL(operator), b.arg(border, "timestamptz")), failed), true
}

// never writes last("Seen") == null.
func (b *builder) never(operator string, left, right ast.Expr, w want) (string, bool) {
	if isNull(left) {
		left, right = right, left
	}
	if !isNull(right) || left.Kind() != ast.CallKind || left.AsCall().FunctionName() != fnLast {
		return "", false
	}
	m, ok := b.moment(left)
	if !ok {
		return "", false
	}
	if operator == operators.NotEquals {
		w = w.mirrored()
	}
	return exactly(w, m.column+" IS NULL", ""), true
}

func isNull(e ast.Expr) bool {
	return e.Kind() == ast.LiteralKind && e.AsLiteral().Type().TypeName() == "null_type"
}

func (b *builder) moment(e ast.Expr) (moment, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return moment{nows: 1}, e.AsIdent() == "now" && !b.event
	case ast.SelectKind:
		root, keys, ok := steps(e)
		is := ok && !b.event && !e.AsSelect().IsTestOnly() && root.Kind() == ast.IdentKind && root.AsIdent() == "contact" && len(keys) == 1 && keys[0] == "created_at"
		return moment{column: "c.created_at", columns: 1}, is
	case ast.CallKind:
		return b.calculated(e)
	}
	return moment{}, false
}

func (b *builder) calculated(e ast.Expr) (moment, bool) {
	call := e.AsCall()
	args := call.Args()
	switch f := call.FunctionName(); f {
	case fnLast:
		name, ok := text(args[0])
		if !ok || b.event {
			return moment{}, false
		}
		column := fmt.Sprintf("(SELECT max(e.occurred_at) FROM events e WHERE e.contact_id = c.id AND e.name = %s AND e.occurred_at <= %s)",
			b.arg(name, "text"), b.arg(b.now, "timestamptz"))
		return moment{column: column, nullable: true, columns: 1}, true
	case "duration":
		length, ok := span(e)
		return moment{span: length}, ok && length < farthest && length > -farthest
	case "timestamp":
		if len(args) != 1 {
			return moment{}, false
		}
		written, ok := text(args[0])
		if !ok {
			return moment{}, false
		}
		at, err := time.Parse(time.RFC3339, written)
		away := at.Sub(b.now)
		return moment{nows: 1, span: away}, err == nil && away < farthest && away > -farthest
	case operators.Add, operators.Subtract:
		if len(args) != 2 {
			return moment{}, false
		}
		l, ok := b.moment(args[0])
		r, also := b.moment(args[1])
		if !ok || !also {
			return moment{}, false
		}
		if f == operators.Add {
			return l.plus(r, 1)
		}
		return l.plus(r, -1)
	}
	return moment{}, false
}

// plus adds another sum, or takes it away. Of two columns it makes none.
func (m moment) plus(other moment, sign int) (moment, bool) {
	if m.columns != 0 && other.columns != 0 {
		return moment{}, false
	}
	sum := moment{
		column: m.column + other.column, nullable: m.nullable || other.nullable, columns: m.columns + sign*other.columns,
		nows: m.nows + sign*other.nows, span: m.span + time.Duration(sign)*other.span,
	}
	return sum, sum.span < farthest && sum.span > -farthest
}
