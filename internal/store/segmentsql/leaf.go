package segmentsql

import (
	"fmt"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// leaf writes a part that is made of values.
func (b *builder) leaf(e ast.Expr, w want) (string, bool) {
	if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
		return b.has(e, w)
	}
	if e.Kind() == ast.CallKind {
		call := e.AsCall()
		switch f := call.FunctionName(); f {
		case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
			return b.comparison(f, call.Args()[0], call.Args()[1], w)
		case operators.In:
			return b.in(call.Args()[0], call.Args()[1], w)
		case "contains", "startsWith", "endsWith":
			return b.substring(call, w)
		case fnDid:
			return b.did(call, w)
		case operators.Index:
		default:
			return "", false
		}
	}
	v, ok := b.value(e)
	if !ok || v.kind != kindJSON {
		return "", false
	}
	none := fmt.Sprintf("jsonb_typeof(%s) IS DISTINCT FROM 'boolean'", v.sql)
	return exactly(w, fmt.Sprintf("COALESCE(%s = 'true', false)", v.sql), or(none, v.failed)), true
}

// turned is the operator with its sides changed.
func turned(operator string) string {
	switch operator {
	case operators.Less:
		return operators.Greater
	case operators.LessEquals:
		return operators.GreaterEquals
	case operators.Greater:
		return operators.Less
	case operators.GreaterEquals:
		return operators.LessEquals
	}
	return operator
}

// opposite holds where the operator does not.
func opposite(operator string) string {
	switch operator {
	case operators.Less:
		return operators.GreaterEquals
	case operators.LessEquals:
		return operators.Greater
	case operators.Greater:
		return operators.LessEquals
	case operators.GreaterEquals:
		return operators.Less
	case operators.Equals:
		return operators.NotEquals
	}
	return operators.Equals
}

// inSQL is the operator's sign.
func inSQL(operator string) string {
	return map[string]string{operators.Less: "<", operators.LessEquals: "<=", operators.Greater: ">", operators.GreaterEquals: ">="}[operator]
}

func (b *builder) comparison(operator string, left, right ast.Expr, w want) (string, bool) {
	if sql, ok := b.moments(operator, left, right, w); ok {
		return sql, true
	}
	if isLiteral(left) {
		left, right, operator = right, left, turned(operator)
	}
	if !isLiteral(right) {
		return "", false // memory compares two values of any kind
	}
	to, ok := literal(right)
	if !ok {
		return "", false
	}
	v, ok := b.value(left)
	if !ok {
		return "", false
	}
	switch v.kind {
	case kindNumber:
		return b.number(operator, v, to.exact, w)
	case kindJSON, kindText:
		if operator == operators.Equals || operator == operators.NotEquals {
			if operator == operators.NotEquals {
				w = w.mirrored()
			}
			return b.equal(v, to.exact, w)
		}
		return b.order(operator, v, to.exact, w)
	default:
		return "", false
	}
}

func isLiteral(e ast.Expr) bool { return e.Kind() == ast.LiteralKind }

// number compares a number that lies between two.
func (b *builder) number(operator string, v value, to any, w want) (string, bool) {
	number, ok := to.(float64)
	if !ok {
		return "", false
	}
	if w == isFalse || w == notTrue { // a number always compares, so that untrue and not true are one
		operator = opposite(operator)
	}
	k := b.arg(number, "float8")
	switch operator {
	case operators.Less, operators.LessEquals:
		return fmt.Sprintf("(%s %s %s)", v.low, inSQL(operator), k), true
	case operators.Greater, operators.GreaterEquals:
		return fmt.Sprintf("(%s %s %s)", v.high, inSQL(operator), k), true
	case operators.Equals:
		return fmt.Sprintf("(%s <= %s AND %s >= %s)", v.low, k, v.high, k), true
	}
	return fmt.Sprintf("NOT (%s = %s AND %s = %s)", v.low, k, v.high, k), true
}

// equal compares with a literal. Values of different kinds are different.
func (b *builder) equal(v value, to any, w want) (string, bool) {
	if v.kind == kindText {
		text, ok := to.(string)
		if !ok {
			return exactly(w, sqlFalse, v.failed), true
		}
		return exactly(w, fmt.Sprintf("COALESCE(%s = %s, false)", v.sql, b.arg(text, "text")), v.failed), true
	}
	as, ok := b.json(to)
	if !ok {
		return "", false
	}
	holds := fmt.Sprintf("COALESCE(%s = %s, %t)", v.sql, as, to == nil)
	if to == nil && v.failed != "" {
		holds = and(holds, not(v.failed))
	}
	return exactly(w, holds, v.failed), true
}

// order compares by size: a number with a number, a text with a text by its code points. Nothing else has an order here.
func (b *builder) order(operator string, v value, to any, w want) (string, bool) {
	switch literal := to.(type) {
	case float64:
		if v.kind != kindJSON {
			return "", false
		}
		none := fmt.Sprintf("jsonb_typeof(%s) IS DISTINCT FROM 'number'", v.sql)
		holds := fmt.Sprintf("CASE WHEN jsonb_typeof(%s) = 'number' THEN (%s #>> '{}')::float8 %s %s ELSE false END",
			v.sql, v.sql, inSQL(operator), b.arg(literal, "float8"))
		return exactly(w, holds, or(none, v.failed)), true
	case string:
		text, ok := v.text()
		if !ok {
			return "", false
		}
		holds := fmt.Sprintf(`COALESCE(%s COLLATE "C" %s %s, false)`, text.sql, inSQL(operator), b.arg(literal, "text"))
		return exactly(w, holds, text.failed), true
	}
	return "", false
}

// in writes value in [literals], and literal in value.
func (b *builder) in(item, list ast.Expr, w want) (string, bool) {
	if list.Kind() == ast.ListKind {
		v, ok := b.value(item)
		if !ok || (v.kind != kindJSON && v.kind != kindText) {
			return "", false
		}
		var each []string
		for _, element := range list.AsList().Elements() {
			if !isLiteral(element) {
				return "", false
			}
			to, ok := literal(element)
			if !ok {
				return "", false
			}
			same, ok := b.equal(v, to.exact, isTrue)
			if !ok {
				return "", false
			}
			each = append(each, same)
		}
		return exactly(w, or(each...), v.failed), true
	}
	if !isLiteral(item) {
		return "", false
	}
	of, ok := literal(item)
	v, follows := b.value(list)
	if !ok || !follows || v.kind != kindJSON || of.exact == nil {
		return "", false
	}
	return b.contained(of.exact, v, w)
}

// contained is whether a list has an element, or a set of fields a key.
func (b *builder) contained(element any, v value, w want) (string, bool) {
	as, ok := b.json(element)
	if !ok {
		return "", false
	}
	key := sqlFalse
	if name, is := element.(string); is {
		key = fmt.Sprintf("jsonb_exists(%s, %s)", v.sql, b.arg(name, "text"))
	}
	holds := fmt.Sprintf("CASE jsonb_typeof(%s) WHEN 'array' THEN %s @> %s WHEN 'object' THEN %s ELSE false END", v.sql, v.sql, as, key)
	none := fmt.Sprintf("COALESCE(jsonb_typeof(%s) NOT IN ('array', 'object'), true)", v.sql)
	return exactly(w, holds, or(none, v.failed)), true
}

// substring writes contains, startsWith and endsWith with a literal.
func (b *builder) substring(call ast.CallExpr, w want) (string, bool) {
	if !call.IsMemberFunction() || len(call.Args()) != 1 {
		return "", false
	}
	part, ok := text(call.Args()[0])
	if !ok {
		return "", false
	}
	v, ok := b.value(call.Target())
	if !ok {
		return "", false
	}
	whole, ok := v.text()
	if !ok {
		return "", false
	}
	as := b.arg(part, "text")
	holds := map[string]string{
		"contains":   fmt.Sprintf("strpos(%s, %s) > 0", whole.sql, as),
		"startsWith": fmt.Sprintf("starts_with(%s, %s)", whole.sql, as),
		"endsWith":   fmt.Sprintf("right(%s, length(%s)) = %s", whole.sql, as, as),
	}[call.FunctionName()]
	return exactly(w, fmt.Sprintf("COALESCE(%s, false)", holds), whole.failed), true
}
