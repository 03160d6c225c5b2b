package audience

import (
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// The variables and functions of a condition.
const (
	varContact = "contact"
	varEvent   = "event"
	varCompany = "company"
	varScore   = "score"
	varFit     = "fit"
	varEngaged = "engagement"
	varLabel   = "label"
	varStage   = "stage"
	varPersona = "persona"
	varNow     = "now"

	fnDid       = "did"
	fnCount     = "count"
	fnLast      = "last"
	fnInSegment = "in_segment"
	fnObject    = "object"
)

// contactFields are the fields that every contact has; a trait of the same name does not override them.
var contactFields = []string{"id", "user_id", "email", "timezone", "locale", "stage", "score", "created_at", "email_verdict", "email_reasons"}

// interruptAfter ends an evaluation that hangs (on a starved machine, or a slow source of facts): the caller tries again.
const interruptAfter = 5 * time.Second

// conditionEnv is built once, because building takes milliseconds and never changes.
var conditionEnv = sync.OnceValues(newConditionEnv)

func newConditionEnv() (*cel.Env, error) {
	dynMap := cel.MapType(cel.StringType, cel.DynType)
	return cel.NewEnv(
		cel.Variable(varContact, dynMap),
		cel.Variable(varEvent, dynMap),
		cel.Variable(varCompany, dynMap),
		cel.Variable(varScore, cel.IntType),
		cel.Variable(varFit, cel.IntType),
		cel.Variable(varEngaged, cel.IntType),
		cel.Variable(varLabel, cel.StringType),
		cel.Variable(varStage, cel.StringType),
		cel.Variable(varPersona, cel.StringType),
		cel.Variable(varNow, cel.TimestampType),
		factFunction(fnDid, cel.BoolType, true),
		factFunction(fnCount, cel.IntType, true),
		// last gives a timestamp or null, so its type is only known when it runs.
		factFunction(fnLast, cel.DynType, false),
		factFunction(fnInSegment, cel.BoolType, false),
		// object gives the fields of a record or null.
		factFunction(fnObject, cel.DynType, false),
		ext.Strings(),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableMacroCallTracking(),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals()),
		cel.ParserExpressionSizeLimit(MaxConditionBytes),
		cel.ExpressionNestingDepthLimit(maxConditionDepth),
	)
}

// factFunction declares a function whose answer comes from the facts of the evaluation.
func factFunction(name string, result *cel.Type, windowed bool) cel.EnvOption {
	overloads := []cel.FunctionOpt{
		cel.Overload(name+"_name", []*cel.Type{cel.StringType}, result, cel.LateFunctionBinding()),
	}
	if windowed {
		overloads = append(overloads,
			cel.Overload(name+"_name_text", []*cel.Type{cel.StringType, cel.StringType}, result, cel.LateFunctionBinding()),
			cel.Overload(name+"_name_span", []*cel.Type{cel.StringType, cel.DurationType}, result, cel.LateFunctionBinding()),
			cel.Overload(name+"_name_text_where", []*cel.Type{cel.StringType, cel.StringType, cel.StringType}, result, cel.LateFunctionBinding()),
			cel.Overload(name+"_name_span_where", []*cel.Type{cel.StringType, cel.DurationType, cel.StringType}, result, cel.LateFunctionBinding()),
		)
	}
	return cel.Function(name, overloads...)
}

// tracked programs keep the value of every term, for the journal; the others only answer.
func programOptions(tree *ast.AST, tracked bool) []cel.ProgramOption {
	var track cel.EvalOption
	if tracked {
		track = cel.OptTrackState
	}
	return []cel.ProgramOption{
		cel.EvalOptions(track),
		cel.CustomDecoratorV2(missingIsNull(presenceTests(tree))),
		cel.CustomDecoratorV2(mixedNumbers),
		cel.CostTracking(costModel{}),
		cel.CostLimit(maxConditionCost),
		cel.InterruptCheckFrequency(100),
	}
}

// costModel prices what CEL can't know: how big a contact's values get, and that a question about events is a query.
type costModel struct{}

const (
	queryCost     = 100
	maxTextSize   = 1000 // of a trait, when nothing is known about it
	maxCollection = 200
)

// EstimateCallCost prices the functions that ask the facts.
func (costModel) EstimateCallCost(function, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	if !isFactFunction(function) {
		return nil
	}
	size := cost.FixedSizeEstimate(1)
	return &cost.CallEstimate{CostEstimate: cost.FixedCostEstimate(queryCost), ResultSize: &size}
}

// EstimateSize bounds the values that come from outside.
func (costModel) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	most := uint64(maxCollection)
	if node.Type().Kind() == types.StringKind {
		most = maxTextSize
	}
	size := cost.RangedSizeEstimate(0, most)
	return &size
}

// CallCost prices the same functions while a condition runs.
func (costModel) CallCost(function, _ string, _ []ref.Val, _ ref.Val) *uint64 {
	if !isFactFunction(function) {
		return nil
	}
	price := uint64(queryCost)
	return &price
}

func isFactFunction(name string) bool {
	return name == fnDid || name == fnCount || name == fnLast || name == fnInSegment || name == fnObject
}
