package segmentsql

import (
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// want is of what a bound is wanted: the SQL is true at least wherever the part is that.
type want int

const (
	isTrue want = iota
	isFalse
	notTrue
	notFalse
)

// mirrored is what has to be asked of a part so that its negation is what is wanted.
func (w want) mirrored() want {
	return map[want]want{isTrue: isFalse, isFalse: isTrue, notTrue: notFalse, notFalse: notTrue}[w]
}

const (
	sqlTrue  = "true"
	sqlFalse = "false"
)

// bound writes a part that is true or untrue. The SQL is never NULL.
func (b *builder) bound(e ast.Expr, w want) string {
	switch e.Kind() {
	case ast.LiteralKind:
		if value, ok := e.AsLiteral().Value().(bool); ok {
			return exactly(w, map[bool]string{true: sqlTrue, false: sqlFalse}[value], "")
		}
	case ast.CallKind:
		if sql, ok := b.made(e.AsCall(), w); ok {
			return sql
		}
	}
	if sql, ok := b.leaf(e, w); ok {
		return sql
	}
	b.exact = false
	return sqlTrue
}

// made writes what is made of truths.
func (b *builder) made(call ast.CallExpr, w want) (string, bool) {
	args := call.Args()
	switch call.FunctionName() {
	case operators.LogicalNot:
		return b.bound(args[0], w.mirrored()), true
	case operators.LogicalAnd:
		if w == isTrue || w == notFalse {
			return and(b.each(args, w)...), true
		}
		return or(b.each(args, w)...), true
	case operators.LogicalOr:
		if w == isTrue || w == notFalse {
			return or(b.each(args, w)...), true
		}
		return and(b.each(args, w)...), true
	case operators.Conditional:
		return b.choice(args[0], args[1], args[2], w), true
	case operators.Equals, operators.NotEquals:
		if b.condition.IsTruth(args[0]) && b.condition.IsTruth(args[1]) {
			if call.FunctionName() == operators.NotEquals {
				w = w.mirrored()
			}
			return b.same(args[0], args[1], w), true
		}
	}
	return "", false
}

func (b *builder) each(parts []ast.Expr, w want) []string {
	bounds := make([]string, len(parts))
	for i, part := range parts {
		bounds[i] = b.bound(part, w)
	}
	return bounds
}

// choice is test ? yes : no. Of a test without an answer nothing follows.
func (b *builder) choice(test, yes, no ast.Expr, w want) string {
	if w == isTrue || w == isFalse {
		return or(and(b.bound(test, isTrue), b.bound(yes, w)), and(b.bound(test, isFalse), b.bound(no, w)))
	}
	return and(or(b.bound(test, notTrue), b.bound(yes, w)), or(b.bound(test, notFalse), b.bound(no, w)))
}

// same is left == right of two truths.
func (b *builder) same(left, right ast.Expr, w want) string {
	pair := func(l, r want) []string { return []string{b.bound(left, l), b.bound(right, r)} }
	switch w {
	case isTrue:
		return or(and(pair(isTrue, isTrue)...), and(pair(isFalse, isFalse)...))
	case isFalse:
		return or(and(pair(isTrue, isFalse)...), and(pair(isFalse, isTrue)...))
	case notTrue:
		return and(or(pair(notTrue, notTrue)...), or(pair(notFalse, notFalse)...))
	default:
		return and(or(pair(notTrue, notFalse)...), or(pair(notFalse, notTrue)...))
	}
}

// exactly writes a part that SQL answers as memory does. failed is when it has no answer, "" is never; there, holds is untrue. Neither is
// ever NULL.
func exactly(w want, holds, failed string) string {
	if failed == "" {
		failed = sqlFalse
	}
	switch w {
	case isTrue:
		return holds
	case notTrue:
		return not(holds)
	case isFalse:
		return and(not(holds), not(failed))
	default:
		return or(holds, failed)
	}
}

func and(parts ...string) string { return joined(parts, " AND ", sqlTrue, sqlFalse) }
func or(parts ...string) string  { return joined(parts, " OR ", sqlFalse, sqlTrue) }

// joined leaves out what changes nothing, and the others where one part decides.
func joined(parts []string, word, neutral, decides string) string {
	var kept []string
	for _, part := range parts {
		switch part {
		case decides:
			return decides
		case neutral, "": // "" is the failure of what never fails
		default:
			kept = append(kept, part)
		}
	}
	switch len(kept) {
	case 0:
		return neutral
	case 1:
		return kept[0]
	}
	return "(" + strings.Join(kept, word) + ")"
}

func not(part string) string {
	switch part {
	case sqlTrue:
		return sqlFalse
	case sqlFalse:
		return sqlTrue
	}
	return "NOT (" + part + ")"
}
