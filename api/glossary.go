package api

import (
	"context"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// Glossaries keeps how things are called. A glossary of revision 0 says that nobody has saved one.
type Glossaries interface {
	FindGlossary(ctx context.Context) (audience.Revised[audience.Glossary], error)
	SaveGlossary(ctx context.Context, g audience.Glossary, expected *int64, now time.Time) (audience.Revised[audience.Glossary], error)
}

// SavedGlossary is a glossary with its revision.
type SavedGlossary struct {
	audience.Glossary
	Revision  int64      `json:"revision" doc:"0 while nobody has saved a glossary."`
	UpdatedAt *time.Time `json:"updated_at,omitempty"`
}

func (s *server) glossaryRoutes() {
	documentRoutes(s, document[Glossaries, audience.Glossary, audience.Glossary, SavedGlossary]{
		name: "glossary", path: "/v1/glossary", tag: "templates", port: s.Glossaries, loaded: Glossaries.FindGlossary, saved: Glossaries.SaveGlossary,
		find: operation{id: "find-glossary", summary: "Read the glossary", access: anyOf(ScopeJourneys, ScopeRead),
			doc: "How things are called, in mails, in journeys and in what sales reads of them."},
		save: operation{id: "save-glossary", summary: "Save the glossary", access: anyOf(ScopeJourneys),
			doc: "From then on templates and journeys are held against it when they are saved or checked: problems with the code `glossary_variant`. What is saved already stays as it is."},
		read: func(g audience.Glossary) (audience.Glossary, []fault.Problem) { return g, g.Validate() },
		view: func(g audience.Revised[audience.Glossary]) SavedGlossary {
			return SavedGlossary{Glossary: audience.Glossary{Terms: orNone(g.Document.Terms)}, Revision: g.Revision, UpdatedAt: g.UpdatedAt}
		},
	})
}

func orNone(terms []audience.GlossaryTerm) []audience.GlossaryTerm {
	if terms == nil {
		return []audience.GlossaryTerm{}
	}
	return terms
}

// lintTemplate adds what the glossary says of a template to its other problems.
func (s *server) lintTemplate(ctx context.Context, t email.Template, problems []fault.Problem) ([]fault.Problem, error) {
	glossary, err := s.Glossaries.FindGlossary(ctx)
	if err != nil {
		return nil, fmt.Errorf("find glossary: %w", err)
	}
	return append(problems, email.CheckWords(t, glossary.Document)...), nil
}
