package email

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// SubjectSettings are how subject lines are generated.
type SubjectSettings struct {
	On         bool          `json:"on" doc:"Whether the language model is asked at all."`
	Model      string        `json:"model,omitempty" maxLength:"100" doc:"Its name; that of the configuration (OPENAI_MODEL) when empty." example:"gpt-4o-mini"`
	Approval   bool          `json:"approval,omitempty" doc:"Candidates are sent only after somebody has approved them."`
	Candidates int           `json:"candidates" minimum:"1" maximum:"8" doc:"How many the model is asked for at once."`
	Forbidden  []string      `json:"forbidden" nullable:"false" maxItems:"200" doc:"Words that no generated subject may hold." example:"[\"free\",\"guaranteed\"]"`
	Budget     SubjectBudget `json:"budget" doc:"What may be spent in a month (UTC). Beyond it the written subject goes out."`
}

// SubjectBudget is what may be spent in a month.
type SubjectBudget struct {
	Requests int64 `json:"requests" minimum:"0" maximum:"1000000" doc:"Requests at most."`
	Tokens   int64 `json:"tokens" minimum:"0" maximum:"10000000000" doc:"Tokens at most, of questions and answers. What an answer may take is put aside before it is asked for."`
}

// SubjectUsage is what was spent of it.
type SubjectUsage struct {
	Requests int64 `json:"requests"`
	Tokens   int64 `json:"tokens"`
}

const (
	maxModelName = 100
	maxForbidden = 200
	maxSubjects  = 8
	maxRequests  = 1_000_000
	maxTokens    = 10_000_000_000
)

// DefaultSubjectSettings hold until somebody saves others.
func DefaultSubjectSettings() SubjectSettings {
	return SubjectSettings{On: true, Candidates: 4, Forbidden: []string{}, Budget: SubjectBudget{Requests: 500, Tokens: 1_000_000}}
}

// Validate lists everything that is wrong with the settings, with JSON pointers.
func (s SubjectSettings) Validate() []fault.Problem {
	v := &validator{}
	if utf8.RuneCountInString(s.Model) > maxModelName || strings.ContainsFunc(s.Model, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		v.add("/model", "bad_model", "The name of a model is one word of 100 characters at most.")
	}
	if s.Candidates < 1 || s.Candidates > maxSubjects {
		v.add("/candidates", "out_of_range", fmt.Sprintf("The model is asked for 1 to %d candidates.", maxSubjects))
	}
	if s.Budget.Requests < 0 || s.Budget.Requests > maxRequests {
		v.add("/budget/requests", "out_of_range", "A budget has 0 to 1,000,000 requests.")
	}
	if s.Budget.Tokens < 0 || s.Budget.Tokens > maxTokens {
		v.add("/budget/tokens", "out_of_range", "A budget has 0 to 10,000,000,000 tokens.")
	}
	if len(s.Forbidden) > maxForbidden {
		v.add("/forbidden", "too_many", fmt.Sprintf("There are %d forbidden words at most.", maxForbidden))
		return v.problems
	}
	for i, word := range s.Forbidden {
		at := fmt.Sprintf("/forbidden/%d", i)
		if v.required(at, word, "This is empty.") {
			v.plain(at, word, 100)
		}
	}
	return v.problems
}

// Lexicon makes the forbidden words ready to look for.
func (s SubjectSettings) Lexicon() *audience.Lexicon {
	return audience.Glossary{Terms: []audience.GlossaryTerm{{Variants: s.Forbidden}}}.Lexicon("")
}
