package journey

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// Known is what exists outside of a definition. A nil function means that it is not known, and not checked.
type Known struct {
	Templates func(key string) bool
	Segments  func(key string) bool
	// SegmentKeys are the keys that there are, for suggestions.
	SegmentKeys []string
	// Events are the names in the catalogue, for hints; nil: no hints.
	Events *audience.KnownEvents
	// Words are what texts for people are held against; nil: nothing.
	Words *audience.Lexicon
	Now   time.Time // to warn of moments that are past; zero: no warning
}

// Validate finds what is wrong with the meaning of a definition that could be read: all problems at once, sorted.
func Validate(def *Definition, known Known) []fault.Problem {
	c := &checker{def: def, known: known}
	if len(def.Enter) == 0 {
		c.add(fault.LevelWarning, "", "", "no_trigger", "No event enrolls anybody: only the API can.")
	}
	c.duplicates()
	c.conditions()
	c.segments()
	c.events()
	for i := range def.Steps {
		s := &def.Steps[i]
		if spec, ok := kindSpec(s.Kind); ok && !s.broken && spec.check != nil {
			spec.check(c, s)
		}
	}
	c.graph()
	c.words()
	return sortProblems(c.problems)
}

// checker collects the problems of one definition.
type checker struct {
	def      *Definition
	known    Known
	problems []fault.Problem
}

func (c *checker) add(level, path, stepID, code, format string, args ...any) {
	c.problems = append(c.problems, fault.Problem{Path: path, StepID: stepID, Code: code, Level: level, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) errorf(path, stepID, code, format string, args ...any) {
	c.add(fault.LevelError, path, stepID, code, format, args...)
}

func (c *checker) duplicates() {
	first := map[string]int{}
	for i := range c.def.Steps {
		s := &c.def.Steps[i]
		if s.ID == "" {
			continue
		}
		if before, ok := first[s.ID]; ok {
			c.errorf(s.Pointer+"/id", s.ID, "duplicate_step", "Steps %d and %d are both called %q.", before+1, i+1, clip(s.ID))
			continue
		}
		first[s.ID] = i
	}
}

// conditions compiles every condition, and looks for the segments that they name.
func (c *checker) conditions() {
	for _, at := range c.def.Conditions() {
		condition, err := audience.CompileCondition(at.Source)
		if err != nil {
			c.condition(at, err)
			continue
		}
		for _, key := range condition.Names().Segments {
			c.segment(at.Pointer, at.StepID, key)
		}
		for _, name := range condition.Names().Events {
			c.event(at.Pointer, at.StepID, name)
		}
	}
}

func (c *checker) condition(at ConditionAt, err error) {
	f, ok := fault.As(err)
	switch {
	case !ok:
		c.errorf(at.Pointer, at.StepID, "condition_type", "The condition can't be used.")
	case len(f.Problems) == 0:
		c.errorf(at.Pointer, at.StepID, f.Code, "%s", f.Message)
	default:
		for _, p := range f.Problems {
			c.errorf(at.Pointer, at.StepID, p.Code, "%s", p.Message)
		}
	}
}

// sortProblems orders by place (numbers by size), then by code and message, drops doubles, and cuts off what nobody would read.
func sortProblems(problems []fault.Problem) []fault.Problem {
	slices.SortStableFunc(problems, func(a, b fault.Problem) int {
		return cmp.Or(comparePointers(a.Path, b.Path), strings.Compare(a.Code, b.Code), strings.Compare(a.Message, b.Message))
	})
	problems = slices.Compact(problems)
	return problems[:min(len(problems), maxProblems)]
}

func comparePointers(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "/"), strings.Split(b, "/"), func(x, y string) int {
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		if errX == nil && errY == nil {
			return cmp.Compare(i, j)
		}
		return strings.Compare(x, y)
	})
}
