package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// Snippets keeps pieces of text that templates share.
type Snippets interface {
	ListSnippets(ctx context.Context, cursor string, limit int) (Page[email.SnippetVersion], error)
	FindSnippet(ctx context.Context, key string) (email.SnippetVersion, error)
	// FindSnippets finds those that are there, and those that they name.
	FindSnippets(ctx context.Context, keys []string) (map[string]email.Snippet, error)
	SaveSnippet(ctx context.Context, sn email.Snippet, hash string, expected *int, now time.Time) (email.SnippetVersion, error)
	// DeleteSnippet refuses, as a Conflict, what is in use.
	DeleteSnippet(ctx context.Context, key string) error
	// TemplatesUsing are the templates that show a snippet, by themselves or by another one.
	TemplatesUsing(ctx context.Context, key string) ([]email.TemplateVersion, error)
}

// SnippetInput names a snippet.
type SnippetInput struct {
	Key string `path:"key" doc:"The snippet."`
}

// SaveSnippetInput is a snippet.
type SaveSnippetInput struct {
	SnippetInput
	ExpectedVersion int `query:"expected_version" minimum:"-1" default:"-1" doc:"The version that the change is based on, 0 for none: 409 stale_version when there is another."`
	Body            struct {
		Text    string            `json:"text" doc:"With placeholders, as in a template."`
		Locale  string            `json:"locale,omitempty" doc:"The language of text; required beside locales." example:"en"`
		Locales map[string]string `json:"locales,omitempty" doc:"The same in other languages, by their BCP 47 tags."`
	}
}

// UsedSnippet is a snippet and the templates that show it.
type UsedSnippet struct {
	email.SnippetVersion
	UsedBy []string `json:"used_by" nullable:"false" doc:"The templates that show it, by themselves or by another snippet: they show the newest version, with their next mail."`
}

// SavedSnippet says what it was saved as.
type SavedSnippet struct {
	Key      string          `json:"key"`
	Version  int             `json:"version"`
	UsedBy   []string        `json:"used_by" nullable:"false" doc:"The templates whose next mail shows it."`
	Problems []fault.Problem `json:"problems" nullable:"false" doc:"Warnings."`
}

type (
	snippetOutput      struct{ Body UsedSnippet }
	savedSnippetOutput struct{ Body SavedSnippet }
)

func (s *server) snippetRoutes() {
	write, read := anyOf(ScopeJourneys), anyOf(ScopeJourneys, ScopeRead)
	handle(s, operation{id: "list-snippets", method: http.MethodGet, path: "/v1/snippets", tag: "templates",
		summary: "List snippets", doc: "The newest version of each, by key.", access: read}, s.listSnippets)
	handle(s, operation{id: "find-snippet", method: http.MethodGet, path: "/v1/snippets/{key}", tag: "templates",
		summary: "Read a snippet", doc: "The newest version, and which templates show it.", access: read}, s.findSnippet)
	handle(s, operation{id: "save-snippet", method: http.MethodPut, path: "/v1/snippets/{key}", tag: "templates", maxBody: maxDocument,
		errors: []int{http.StatusConflict}, summary: "Save a snippet", doc: "Templates put it in by `{% render \"key\" %}`, and show it with their next mail. What would make a mail of one of them impossible is refused: 422 says " +
			"in which template and where.", access: write}, s.saveSnippet)
	handle(s, operation{id: "delete-snippet", method: http.MethodDelete, path: "/v1/snippets/{key}", tag: "templates", status: http.StatusNoContent,
		errors: []int{http.StatusConflict}, summary: "Delete a snippet", doc: "409 `snippet_in_use` while a template or another snippet shows it.", access: write}, s.deleteSnippet)
}

func (s *server) listSnippets(ctx context.Context, in *ListInput) (*listOutput[email.SnippetVersion], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Snippets.ListSnippets(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list snippets: %w", err)
	}
	return listOf(page), nil
}

func (s *server) findSnippet(ctx context.Context, in *SnippetInput) (*snippetOutput, error) {
	snippet, err := s.Snippets.FindSnippet(ctx, in.Key)
	if err != nil {
		return nil, fmt.Errorf("find snippet: %w", err)
	}
	users, err := s.Snippets.TemplatesUsing(ctx, in.Key)
	if err != nil {
		return nil, fmt.Errorf("find templates of snippet: %w", err)
	}
	return &snippetOutput{Body: UsedSnippet{SnippetVersion: snippet, UsedBy: keysOf(users)}}, nil
}

func (s *server) saveSnippet(ctx context.Context, in *SaveSnippetInput) (*savedSnippetOutput, error) {
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	snippet := email.Snippet{Key: in.Key, Text: in.Body.Text, Locale: in.Body.Locale, Locales: in.Body.Locales}
	others, err := s.Snippets.FindSnippets(ctx, snippet.Uses())
	if err != nil {
		return nil, fmt.Errorf("find snippets: %w", err)
	}
	users, err := s.Snippets.TemplatesUsing(ctx, in.Key)
	if err != nil {
		return nil, fmt.Errorf("find templates of snippet: %w", err)
	}
	problems := email.ValidateSnippet(snippet, others)
	if !fault.HasErrors(problems) {
		problems = append(problems, brokenBy(snippet, others, users)...)
	}
	if fault.HasErrors(problems) {
		return nil, fault.WithProblems("invalid", "The snippet has problems; see problems.", problems)
	}
	hash, err := documentHash(snippet)
	if err != nil {
		return nil, err
	}
	saved, err := s.Snippets.SaveSnippet(ctx, snippet, hash, expected(in.ExpectedVersion), s.now())
	if err != nil {
		return nil, fmt.Errorf("save snippet: %w", err)
	}
	return &savedSnippetOutput{Body: SavedSnippet{Key: saved.Key, Version: saved.Version, UsedBy: keysOf(users), Problems: orEmpty(problems)}}, nil
}

// brokenBy lists what a new text would break in the templates that show it.
func brokenBy(snippet email.Snippet, others map[string]email.Snippet, users []email.TemplateVersion) []fault.Problem {
	var problems []fault.Problem
	for _, user := range users {
		if user.Snippets == nil {
			user.Snippets = map[string]email.Snippet{}
		}
		for key, other := range others {
			user.Snippets[key] = other
		}
		user.Snippets[snippet.Key] = snippet
		for _, p := range email.ValidateTemplate(user.Template) {
			if p.Level == fault.LevelError {
				p.Message = fmt.Sprintf("In the template %s, at %s: %s", user.Key, p.Path, p.Message)
				p.Path = "/text"
				problems = append(problems, p)
			}
		}
	}
	return problems
}

func (s *server) deleteSnippet(ctx context.Context, in *SnippetInput) (*struct{}, error) {
	if err := s.Snippets.DeleteSnippet(ctx, in.Key); err != nil {
		return nil, fmt.Errorf("delete snippet: %w", err)
	}
	return nil, nil //nolint:nilnil // 204
}

func keysOf(templates []email.TemplateVersion) []string {
	keys := make([]string, len(templates))
	for i, t := range templates {
		keys[i] = t.Key
	}
	return keys
}

// withSnippets adds what a template shows besides its own words.
func (s *server) withSnippets(ctx context.Context, t *email.Template) error {
	keys := t.Uses()
	if len(keys) == 0 {
		return nil
	}
	var err error
	if t.Snippets, err = s.Snippets.FindSnippets(ctx, keys); err != nil {
		return fmt.Errorf("find snippets: %w", err)
	}
	return nil
}
