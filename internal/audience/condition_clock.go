package audience

import (
	"fmt"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// clock is a comparison with now in it, such as now - last("Seen") > duration("336h"). Both sides are sums of times, so they move at a
// steady pace, and the moment at which they meet follows from their values at two moments.
type clock struct {
	left, right cel.Program
}

func comparison(function string) bool {
	switch function {
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.Equals, operators.NotEquals:
		return true
	}
	return false
}

// collectClocks finds the comparisons with now, and tells whether now stands anywhere else.
func collectClocks(env *cel.Env, tree *ast.AST) (clocks []clock, free bool, err error) {
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if err != nil || e.Kind() != ast.CallKind || !comparison(e.AsCall().FunctionName()) {
			return
		}
		sides := e.AsCall().Args()
		if len(sides) != 2 || (!mentionsNow(sides[0]) && !mentionsNow(sides[1])) {
			return
		}
		if !steady(sides[0]) || !steady(sides[1]) {
			return // seen as free below
		}
		var c clock
		if c.left, err = sideOf(env, tree, sides[0]); err == nil {
			c.right, err = sideOf(env, tree, sides[1])
		}
		clocks = append(clocks, c)
	}))
	return clocks, nowOutside(tree.Expr()), err
}

func sideOf(env *cel.Env, tree *ast.AST, side ast.Expr) (cel.Program, error) {
	part := ast.NewCheckedAST(ast.NewAST(side, tree.SourceInfo()), tree.TypeMap(), tree.ReferenceMap())
	program, err := env.PlanProgram(part, programOptions(tree, false)...)
	if err != nil {
		return nil, fmt.Errorf("plan one side of a comparison: %w", err)
	}
	return program, nil
}

func mentionsNow(e ast.Expr) bool {
	found := false
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(inner ast.Expr) {
		found = found || (inner.Kind() == ast.IdentKind && inner.AsIdent() == varNow)
	}))
	return found
}

// steady tells whether now stands in an expression only as a part of sums and differences.
func steady(e ast.Expr) bool {
	if !mentionsNow(e) {
		return true
	}
	switch e.Kind() {
	case ast.IdentKind:
		return true
	case ast.CallKind:
		call := e.AsCall()
		if f := call.FunctionName(); (f != operators.Add && f != operators.Subtract) || len(call.Args()) != 2 {
			return false
		}
		return steady(call.Args()[0]) && steady(call.Args()[1])
	}
	return false
}

// nowOutside tells whether now stands somewhere that is no steady side of a comparison.
func nowOutside(e ast.Expr) bool {
	if !mentionsNow(e) {
		return false
	}
	if e.Kind() == ast.CallKind {
		call := e.AsCall()
		if comparison(call.FunctionName()) && len(call.Args()) == 2 && steady(call.Args()[0]) && steady(call.Args()[1]) {
			return false
		}
		if f := call.FunctionName(); f == operators.LogicalAnd || f == operators.LogicalOr || f == operators.LogicalNot || f == operators.Conditional {
			for _, arg := range call.Args() {
				if nowOutside(arg) {
					return true
				}
			}
			return false
		}
	}
	return true
}

// boundary is the moment at which the two sides are equal. Without one (a value is missing, or both move alike) time changes nothing.
func (c clock) boundary(asked *questions) (time.Time, bool) {
	const step = time.Hour
	first, ok := c.distance(asked, asked.now)
	if !ok {
		return time.Time{}, false
	}
	second, ok := c.distance(asked, asked.now.Add(step))
	if !ok || second == first {
		return time.Time{}, false
	}
	pace := int64(second-first) / int64(step) // 1 or −1; more if now is there several times
	if pace == 0 {
		return time.Time{}, false
	}
	return asked.now.Add(-first / time.Duration(pace)), true
}

// distance is left minus right at a moment.
func (c clock) distance(asked *questions, now time.Time) (time.Duration, bool) {
	at := *asked
	at.now = now
	left, _, leftErr := at.evaluate(c.left)
	right, _, rightErr := at.evaluate(c.right)
	if leftErr != nil || rightErr != nil {
		return 0, false
	}
	return between(left, right)
}

func between(left, right ref.Val) (time.Duration, bool) {
	switch l := left.(type) {
	case types.Timestamp:
		if r, ok := right.(types.Timestamp); ok {
			return l.Sub(r.Time), true
		}
	case types.Duration:
		if r, ok := right.(types.Duration); ok {
			return l.Duration - r.Duration, true
		}
	}
	return 0, false
}
