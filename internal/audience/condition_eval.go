package audience

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"throughline.dev/throughline/internal/fault"
)

// Verdict is a condition's answer and what it rests on.
type Verdict struct {
	Holds bool   `json:"holds"`
	Terms []Term `json:"terms,omitempty"` // the values that were looked at, in the order of the source
	Note  string `json:"note,omitempty"`  // why there is no clear answer, when there is none
}

// Term is one value that a condition looked at. Values may be personal: they go into the journal, never into a log.
type Term struct {
	Expression string `json:"expression"`
	Value      any    `json:"value,omitempty"` // nil, and left out: it has none
}

// Holds evaluates the condition. Missing data is never an error: what can't be compared does not hold, and the note says so.
// An error means that the facts could not be read; the caller tries again.
func (c *Condition) Holds(facts Facts) (Verdict, error) {
	asked := &questions{facts: facts, now: facts.Now()}
	value, details, evalErr := asked.evaluate(c.program)
	if asked.err != nil {
		return Verdict{}, fmt.Errorf("read the facts for a condition: %w", asked.err)
	}
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(evalErr, &cancelled):
		// The cost depends on the data alone, so this answer is the same at every attempt.
		return Verdict{Note: "the contact's data is too large for this condition"}, nil
	case errors.Is(evalErr, interpreter.InterruptError{}) || errors.Is(evalErr, errTooSlow):
		return Verdict{}, fault.Wrap(fault.Unavailable, "condition_interrupted", "The condition took too long.", evalErr)
	}
	verdict := Verdict{Terms: terms(c.leaves, details.State())}
	if evalErr != nil {
		verdict.Note = noteFor(verdict.Terms)
		return verdict, nil
	}
	switch answer := value.(type) {
	case types.Bool:
		verdict.Holds = bool(answer)
	case types.Null:
		verdict.Note = noteFor(verdict.Terms)
	default:
		verdict.Note = "the result is neither true nor false"
	}
	return verdict, nil
}

// evaluate runs a program over the facts.
func (q *questions) evaluate(program cel.Program) (ref.Val, *cel.EvalDetails, error) {
	vars, err := cel.FunctionVars(q.variables(), q.functions())
	if err != nil {
		return nil, nil, fmt.Errorf("evaluate a condition: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), interruptAfter, errTooSlow) //nolint:forbidigo // pure: it waits for nobody, the context is its own alarm clock
	defer cancel()
	return program.ContextEval(ctx, vars)
}

var errTooSlow = errors.New("condition evaluation took too long")

// noteFor says why a comparison was not possible: mostly because a value is missing.
func noteFor(found []Term) string {
	for _, t := range found {
		if t.Value == nil {
			return t.Expression + " has no value"
		}
	}
	return "the values can't be compared or calculated with each other"
}

// questions answers one evaluation from the facts. Each question is asked once, however often the condition repeats it.
type questions struct {
	facts   Facts
	now     time.Time
	tallies map[Question]Tally
	err     error // the first fault of the facts
}

func (q *questions) variables() map[string]any {
	contact, score := q.facts.Contact(), q.facts.Score()
	contact.Score = score.Total
	return map[string]any{
		varContact: contactMap(contact),
		varEvent:   eventMap(q.facts.Event()),
		varCompany: orEmpty(q.facts.Company()),
		varScore:   score.Total,
		varFit:     score.Fit,
		varEngaged: score.Engagement,
		varLabel:   score.Label,
		varStage:   contact.Stage,
		varPersona: q.facts.Persona(),
		varNow:     q.now,
	}
}

func contactMap(c Contact) map[string]any {
	fields := maps.Clone(c.Traits)
	if fields == nil {
		fields = map[string]any{}
	}
	text := func(key, value string) {
		// A field that the contact does not have is missing, not an empty text: has() and null work on it.
		delete(fields, key)
		if value != "" {
			fields[key] = value
		}
	}
	text("id", c.ID)
	text("user_id", c.UserID)
	text("email", c.Email)
	text("timezone", c.Timezone)
	text("locale", c.Locale)
	text("stage", c.Stage)
	text("email_verdict", c.EmailVerdict)
	fields["email_reasons"] = listOfTexts(c.EmailReasons)
	fields["score"] = c.Score
	delete(fields, "created_at")
	if !c.CreatedAt.IsZero() {
		fields["created_at"] = c.CreatedAt
	}
	return fields
}

func listOfTexts(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}

func eventMap(e *Event) map[string]any {
	if e == nil {
		return map[string]any{}
	}
	if _, taken := e.Properties["context"]; taken || e.Context == nil {
		return orEmpty(e.Properties)
	}
	fields := maps.Clone(orEmpty(e.Properties))
	fields["context"] = e.Context
	return fields
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func (q *questions) functions() map[string]cel.LateBoundFunction {
	return map[string]cel.LateBoundFunction{
		fnDid: func(_ string, args ...ref.Val) ref.Val {
			n, failed := q.count(args)
			if failed != nil {
				return failed
			}
			return types.Bool(n > 0)
		},
		fnCount: func(_ string, args ...ref.Val) ref.Val {
			n, failed := q.count(args)
			if failed != nil {
				return failed
			}
			return types.Int(n)
		},
		fnLast:      func(_ string, args ...ref.Val) ref.Val { return q.last(args) },
		fnInSegment: func(_ string, args ...ref.Val) ref.Val { return q.inSegment(args) },
		fnObject:    func(_ string, args ...ref.Val) ref.Val { return q.object(args) },
	}
}

func (q *questions) count(args []ref.Val) (int, ref.Val) {
	name, ok := args[0].(types.String)
	if !ok {
		return 0, types.NewErr("the name is no text")
	}
	key := Question{Name: string(name)}
	if len(args) > 1 {
		within, err := span(args[1])
		if err != nil {
			return 0, types.WrapErr(err)
		}
		key.Within = within
	}
	if len(args) > 2 {
		where, ok := args[2].(types.String)
		if !ok {
			return 0, types.NewErr("the filter is no text")
		}
		key.Where = string(where)
	}
	tally, err := q.tally(key)
	if err != nil {
		return 0, q.fail(err)
	}
	return tally.Count, nil
}

func (q *questions) tally(key Question) (Tally, error) {
	if t, known := q.tallies[key]; known {
		return t, nil
	}
	t, err := q.facts.Tally(key)
	if err != nil {
		return Tally{}, err
	}
	if q.tallies == nil {
		q.tallies = map[Question]Tally{}
	}
	q.tallies[key] = t
	return t, nil
}

func (q *questions) object(args []ref.Val) ref.Val {
	kind, ok := args[0].(types.String)
	if !ok {
		return types.NewErr("the type is no text")
	}
	fields, err := q.facts.Object(string(kind))
	switch {
	case err != nil:
		return q.fail(err)
	case fields == nil:
		return types.NullValue
	}
	return types.DefaultTypeAdapter.NativeToValue(fields)
}

func (q *questions) last(args []ref.Val) ref.Val {
	name, ok := args[0].(types.String)
	if !ok {
		return types.NewErr("the name is no text")
	}
	at, found, err := q.facts.Last(string(name))
	switch {
	case err != nil:
		return q.fail(err)
	case !found:
		return types.NullValue
	}
	return types.Timestamp{Time: at}
}

func (q *questions) inSegment(args []ref.Val) ref.Val {
	key, ok := args[0].(types.String)
	if !ok {
		return types.NewErr("the key is no text")
	}
	in, err := q.facts.InSegment(string(key))
	if err != nil {
		return q.fail(err)
	}
	return types.Bool(in)
}

func (q *questions) fail(err error) ref.Val {
	if q.err == nil {
		q.err = err
	}
	return types.WrapErr(err)
}

func span(value ref.Val) (time.Duration, error) {
	switch v := value.(type) {
	case types.String:
		return ParseDuration(string(v))
	case types.Duration:
		if v.Duration <= 0 || v.Duration > MaxDuration {
			return 0, errors.New("the span must be positive and at most ten years")
		}
		return v.Duration, nil
	}
	return 0, errors.New("the span is no duration")
}
