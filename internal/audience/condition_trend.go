package audience

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// Trend says which way more events alone can move a condition's answer. It saves most of the work of keeping segments: who is in a
// segment that only grows with events needs no judging when one more event comes.
type Trend int

// The trends. A condition that does not look at events is Unknown, too: nobody asks for its trend.
const (
	Unknown Trend = iota
	Rising        // events can make it true, and never untrue: did("x"), count("x") >= 3
	Falling       // events can make it untrue, and never true: !did("x"), count("x") < 3
)

// Trend tells which way more events alone move the answer. Time, traits and scores can move it either way.
//
// It is sound with the errors of missing values as well: in the order untrue, error, true the operator && is the lesser side, || the
// greater, and ! the mirror, so that a condition of steady parts is steady.
func (c *Condition) Trend() Trend { return c.trend }

func trendOf(e ast.Expr) Trend {
	if !asksEvents(e) || e.Kind() != ast.CallKind {
		return Unknown
	}
	call := e.AsCall()
	args := call.Args()
	switch f := call.FunctionName(); {
	case f == fnDid:
		return Rising
	case f == operators.LogicalNot:
		return trendOf(args[0]).mirrored()
	case f == operators.LogicalAnd || f == operators.LogicalOr:
		return commonTrend(args)
	case len(args) == 2 && isCount(args[0]) && !asksEvents(args[1]):
		return countTrend(f)
	case len(args) == 2 && isCount(args[1]) && !asksEvents(args[0]):
		return countTrend(f).mirrored() // 3 < count("x") is count("x") > 3
	}
	return Unknown
}

// commonTrend is the trend of all parts that look at events; the others don't move with events.
func commonTrend(parts []ast.Expr) Trend {
	common := Unknown
	for _, part := range parts {
		if !asksEvents(part) {
			continue
		}
		trend := trendOf(part)
		if trend == Unknown || (common != Unknown && trend != common) {
			return Unknown
		}
		common = trend
	}
	return common
}

func countTrend(operator string) Trend {
	switch operator {
	case operators.Greater, operators.GreaterEquals:
		return Rising
	case operators.Less, operators.LessEquals:
		return Falling
	}
	return Unknown
}

func (t Trend) mirrored() Trend {
	switch t {
	case Rising:
		return Falling
	case Falling:
		return Rising
	default:
		return Unknown
	}
}

func isCount(e ast.Expr) bool {
	return e.Kind() == ast.CallKind && e.AsCall().FunctionName() == fnCount
}

// asksEvents tells whether an expression looks at the contact's events.
func asksEvents(e ast.Expr) bool {
	found := false
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(inner ast.Expr) {
		if inner.Kind() == ast.CallKind {
			f := inner.AsCall().FunctionName()
			found = found || f == fnDid || f == fnCount || f == fnLast
		}
	}))
	return found
}
