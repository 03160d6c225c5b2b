package audience

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"

	"throughline.dev/throughline/internal/fault"
)

// The limits of a condition. They bound what one marketer's slip can cost everybody: the source by its length, the evaluation by the
// cost model of CEL, estimated before publishing and counted while it runs.
const (
	MaxConditionBytes = 4 << 10
	maxConditionCost  = 100_000
	maxConditionDepth = 64
)

// The codes of a condition that can't be used.
const (
	CodeConditionSyntax      = "condition_syntax"
	CodeConditionUnknownName = "condition_unknown_name"
	CodeConditionType        = "condition_type"
	CodeConditionTooLong     = "condition_too_long"
	CodeConditionTooCostly   = "condition_too_costly"
)

// Condition is a compiled predicate over a contact and what it did. It is immutable and safe for concurrent use.
type Condition struct {
	source  string
	program cel.Program // keeps the value of every term
	plain   cel.Program // only answers
	leaves  []leaf
	names   Names
	clocks  []clock // comparisons with now
	trend   Trend
	tree    *ast.AST
	free    bool // how long its answer is good for can't be told: now, or a window, is calculated with
}

// Names is what a condition refers to, each list sorted: what must be known, indexed or listened to for it.
type Names struct {
	Events        []string   `json:"events,omitempty"`   // in did, count and last
	Segments      []string   `json:"segments,omitempty"` // in in_segment
	Traits        []string   `json:"traits,omitempty"`   // contact.x where x is not built in
	Fields        []string   `json:"fields,omitempty"`   // contact.x where x is built in, and stage as "stage"
	CompanyTraits []string   `json:"company_traits,omitempty"`
	Objects       []string   `json:"objects,omitempty"`   // types, in object
	Questions     []Question `json:"questions,omitempty"` // what did and count ask
	Lasts         []string   `json:"lasts,omitempty"`     // events in last
	Score         bool       `json:"score,omitempty"`     // score, fit, engagement, label, contact.score
	Company       bool       `json:"company,omitempty"`   // anything about the company
	Persona       bool       `json:"persona,omitempty"`
	Event         bool       `json:"event,omitempty"` // the event under consideration
	Now           bool       `json:"now,omitempty"`
}

// CompileCondition checks a condition and makes it ready to run. What is wrong with it comes as an Invalid fault with a sentence and a
// place (line:column) for the marketer who wrote it.
func CompileCondition(source string) (*Condition, error) {
	if len(source) > MaxConditionBytes {
		return nil, fault.New(fault.Invalid, CodeConditionTooLong,
			fmt.Sprintf("The condition is %d bytes long; at most %d are allowed.", len(source), MaxConditionBytes))
	}
	if isBlank(source) {
		return nil, fault.New(fault.Invalid, CodeConditionSyntax, "The condition is empty.")
	}
	env, err := conditionEnv()
	if err != nil {
		return nil, fmt.Errorf("prepare the condition language: %w", err)
	}
	checked, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, conditionFault(source, issues.Errors())
	}
	if err := checkResult(checked); err != nil {
		return nil, err
	}
	tree := checked.NativeRep()
	names, open, err := collectNames(tree)
	if err != nil {
		return nil, err
	}
	if err := checkCost(env, checked); err != nil {
		return nil, err
	}
	program, err := env.Program(checked, programOptions(tree, true)...)
	if err != nil {
		// The planner refuses what the checker can't see, such as a regular expression that does not compile.
		return nil, fault.Wrap(fault.Invalid, CodeConditionType, "The condition can't be evaluated: check its constants and patterns.", err)
	}
	plain, err := env.Program(checked, programOptions(tree, false)...)
	if err != nil {
		return nil, fmt.Errorf("plan a condition: %w", err)
	}
	clocks, free, err := collectClocks(env, tree)
	if err != nil {
		return nil, err
	}
	leaves, err := collectLeaves(tree)
	if err != nil {
		return nil, fmt.Errorf("list the terms of a condition: %w", err)
	}
	return &Condition{
		source: source, program: program, plain: plain, leaves: leaves, names: names, clocks: clocks, trend: trendOf(tree.Expr()), tree: tree, free: free || open,
	}, nil
}

// String is the condition's source.
func (c *Condition) String() string { return c.source }

// Names tells what the condition refers to.
func (c *Condition) Names() Names {
	names := c.names
	for _, list := range []*[]string{&names.Events, &names.Segments, &names.Traits, &names.Fields, &names.CompanyTraits, &names.Objects, &names.Lasts} {
		*list = slices.Clone(*list)
	}
	names.Questions = slices.Clone(names.Questions)
	return names
}

func checkResult(checked *cel.Ast) error {
	t := checked.OutputType()
	if t.IsExactType(cel.BoolType) || t.IsExactType(cel.DynType) {
		return nil
	}
	return fault.New(fault.Invalid, CodeConditionType,
		fmt.Sprintf("A condition must be true or false, but this one gives %s (1:1).", typeWord(t.String())))
}

func checkCost(env *cel.Env, checked *cel.Ast) error {
	estimate, err := env.EstimateCost(checked, costModel{})
	if err != nil {
		return fmt.Errorf("estimate the cost of a condition: %w", err)
	}
	if estimate.Max > maxConditionCost {
		return fault.New(fault.Invalid, CodeConditionTooCostly,
			"The condition could take too long: it goes through lists inside lists, or through very long texts (1:1).")
	}
	return nil
}

// collectNames reads the names off the tree, and refuses the ones that are not written out: what a condition looks at has to be known
// before it runs.
func collectNames(tree *ast.AST) (names Names, open bool, err error) {
	c := nameCollector{info: tree.SourceInfo()}
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(c.visit))
	if c.err != nil {
		return Names{}, false, c.err
	}
	return c.sorted(), c.open, nil
}
