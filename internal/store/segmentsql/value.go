package segmentsql

import (
	"encoding/json"
	"fmt"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// value is a part that is no truth, as SQL.
type value struct {
	kind   kind
	sql    string // jsonb (kindJSON; NULL: missing, which is null) or text (kindText; NULL where it failed)
	failed string // when it has no value at all, such as the lower case of a number; "" is never
	low    string // kindNumber: a whole number that is at most the value,
	high   string // and one that is at least the value
	exact  any    // kindLiteral: string, float64, bool or nil
}

type kind int

const (
	kindJSON kind = iota + 1
	kindText
	kindNumber
	kindLiteral
)

// maxWhole is up to where a whole number is the same as a decimal one.
const maxWhole = 1 << 53

// value writes a part, if it can.
func (b *builder) value(e ast.Expr) (value, bool) {
	switch e.Kind() {
	case ast.LiteralKind:
		return literal(e)
	case ast.IdentKind:
		return b.variable(e.AsIdent())
	case ast.SelectKind:
		if !e.AsSelect().IsTestOnly() {
			return b.path(e)
		}
	case ast.CallKind:
		return b.called(e)
	}
	return value{}, false
}

func (b *builder) called(e ast.Expr) (value, bool) {
	call := e.AsCall()
	switch call.FunctionName() {
	case operators.Index, fnObject:
		return b.path(e)
	case fnCount:
		return b.count(call)
	case "lowerAscii", "upperAscii":
		if !call.IsMemberFunction() || len(call.Args()) > 0 {
			break
		}
		of, ok := b.value(call.Target())
		if !ok {
			break
		}
		text, ok := of.text()
		if !ok {
			break
		}
		const lower, upper = "'abcdefghijklmnopqrstuvwxyz'", "'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"
		from, to := upper, lower
		if call.FunctionName() == "upperAscii" {
			from, to = lower, upper
		}
		text.sql = fmt.Sprintf("translate(%s, %s, %s)", text.sql, from, to)
		return text, true
	}
	return value{}, false
}

func literal(e ast.Expr) (value, bool) {
	v := value{kind: kindLiteral}
	switch exact := e.AsLiteral().Value().(type) {
	case string, bool, float64:
		v.exact = exact
	case int64:
		if exact > maxWhole || exact < -maxWhole {
			return value{}, false
		}
		v.exact = float64(exact)
	default:
		if e.AsLiteral().Type().TypeName() != "null_type" {
			return value{}, false
		}
	}
	return v, true
}

// variable writes what has a name of its own.
func (b *builder) variable(name string) (value, bool) {
	if b.event {
		return value{}, false
	}
	switch name {
	case "stage":
		return value{kind: kindJSON, sql: "to_jsonb(c.stage)"}, true
	case "persona":
		return value{kind: kindJSON, sql: "to_jsonb(COALESCE(c.score_state->>'persona', ''))"}, true
	case "fit":
		return value{kind: kindNumber, low: sqlFit, high: sqlFit}, true
	case "score":
		return b.score(), true
	case "engagement":
		return b.engagement(), true
	}
	return value{}, false
}

// text is the value as a text; it fails where it is none.
func (v value) text() (value, bool) {
	switch v.kind {
	case kindText:
		return v, true
	case kindJSON:
		sql := fmt.Sprintf("(CASE WHEN jsonb_typeof(%s) = 'string' THEN %s #>> '{}' END)", v.sql, v.sql)
		return value{kind: kindText, sql: sql, failed: sql + " IS NULL"}, true
	default:
		return value{}, false
	}
}

// json writes a literal as JSON, for comparing it with one.
func (b *builder) json(exact any) (string, bool) {
	raw, err := json.Marshal(exact)
	if err != nil {
		return "", false // an endless number
	}
	return b.arg(string(raw), "jsonb"), true
}
