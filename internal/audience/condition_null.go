package audience

import (
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// missingIsNull makes a field that is not there null instead of an error, at any depth, and has() of it false. What null can't do (be
// compared by size, be calculated with) is still an error, which behaves as SQL's unknown: the condition does not hold, and || and &&
// look past it. presence holds the ids of the has() tests.
func missingIsNull(presence map[int64]bool) interpreter.InterpretableDecoratorV2 {
	return func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		attribute, ok := i.(interpreter.InterpretableAttribute)
		if !ok {
			return i, nil
		}
		if presence[attribute.ID()] {
			return &presenceTest{InterpretableV2: i}, nil
		}
		return &lenient{InterpretableAttribute: attribute}, nil
	}
}

// presenceTests finds the has() tests of a condition.
func presenceTests(tree *ast.AST) map[int64]bool {
	tests := map[int64]bool{}
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
			tests[e.ID()] = true
		}
	}))
	return tests
}

// lenient is an attribute that gives null where it leads nowhere.
type lenient struct {
	interpreter.InterpretableAttribute
}

// Exec evaluates the attribute.
func (l *lenient) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := l.InterpretableAttribute.Exec(frame)
	if isMissing(value) {
		return types.NullValue
	}
	return value
}

// Eval evaluates the attribute for callers of the older interface.
func (l *lenient) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, l.Exec)
}

// presenceTest is has(). It is no attribute any more, so that CEL does not take it apart when it is a branch of a choice.
type presenceTest struct {
	interpreter.InterpretableV2
}

// Exec evaluates the test.
func (p *presenceTest) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := p.InterpretableV2.Exec(frame)
	if isMissing(value) {
		return types.False
	}
	return value
}

// Eval evaluates the test for callers of the older interface.
func (p *presenceTest) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, p.Exec)
}

// isMissing recognises a failed look-up. CEL keeps the error's type to itself, so its text has to tell.
func isMissing(value ref.Val) bool {
	failed, ok := value.(*types.Err)
	if !ok {
		return false
	}
	text := failed.String()
	return strings.HasPrefix(text, "no such key") || strings.HasPrefix(text, "index out of bounds")
}

// mixedNumbers lets whole and decimal numbers be calculated with each other. JSON has one kind of number, which arrives as a decimal,
// while a marketer writes 1 and means any number: contact.seats + 1.
func mixedNumbers(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || len(call.Args()) != 2 {
		return i, nil
	}
	switch call.Function() {
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide:
		return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), arithmetic(call.Function())), nil
	}
	return i, nil
}

func arithmetic(operator string) func(args ...ref.Val) ref.Val {
	return func(args ...ref.Val) ref.Val {
		left, right := sameNumber(args[0], args[1])
		switch operator {
		case operators.Add:
			if l, ok := left.(traits.Adder); ok {
				return l.Add(right)
			}
		case operators.Subtract:
			if l, ok := left.(traits.Subtractor); ok {
				return l.Subtract(right)
			}
		case operators.Multiply:
			if l, ok := left.(traits.Multiplier); ok {
				return l.Multiply(right)
			}
		case operators.Divide:
			if l, ok := left.(traits.Divider); ok {
				return l.Divide(right)
			}
		}
		return types.MaybeNoSuchOverloadErr(left)
	}
}

func sameNumber(left, right ref.Val) (ref.Val, ref.Val) {
	l, leftInt := left.(types.Int)
	_, leftDouble := left.(types.Double)
	r, rightInt := right.(types.Int)
	_, rightDouble := right.(types.Double)
	switch {
	case leftInt && rightDouble:
		return types.Double(l), right
	case leftDouble && rightInt:
		return left, types.Double(r)
	}
	return left, right
}
