package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// TemplateInput names a template.
type TemplateInput struct {
	Key string `path:"key" doc:"The template."`
}

// SaveTemplateInput is a template as YAML or JSON.
type SaveTemplateInput struct {
	TemplateInput
	ExpectedVersion int `query:"expected_version" minimum:"-1" default:"-1" doc:"The version that the change is based on, 0 for none: 409 stale_version when there is another."`
	DocumentInput
}

// SavedTemplate says what it was saved as.
type SavedTemplate struct {
	Key      string          `json:"key"`
	Version  int             `json:"version"`
	Hash     string          `json:"hash"`
	Problems []fault.Problem `json:"problems" nullable:"false" doc:"Warnings."`
}

type savedTemplateOutput struct{ Body SavedTemplate }

type templateOutput struct{ Body email.TemplateVersion }

func (s *server) templateRoutes() {
	write, read := anyOf(ScopeJourneys), anyOf(ScopeJourneys, ScopeRead)
	handle(s, operation{id: "list-templates", method: http.MethodGet, path: "/v1/templates", tag: "templates",
		summary: "List templates", doc: "The newest version of each.", access: read}, s.listTemplates)
	handle(s, operation{id: "find-template", method: http.MethodGet, path: "/v1/templates/{key}", tag: "templates",
		summary: "Read a template", doc: "The newest version.", access: read}, s.findTemplate)
	handle(s, operation{id: "save-template", method: http.MethodPut, path: "/v1/templates/{key}", tag: "templates", maxBody: maxDocument,
		errors: []int{http.StatusConflict}, summary: "Save a template", doc: "The body is YAML or JSON. Journeys send the newest version, so a template with an error is " +
			"not saved: 422 lists every problem at once. Nothing changed: the same version again.", access: write}, s.saveTemplate)
}

func (s *server) listTemplates(ctx context.Context, in *ListInput) (*listOutput[email.TemplateVersion], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Templates.ListTemplates(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	return listOf(page), nil
}

func (s *server) findTemplate(ctx context.Context, in *TemplateInput) (*templateOutput, error) {
	template, err := s.Templates.FindTemplate(ctx, in.Key)
	if err != nil {
		return nil, fmt.Errorf("find template: %w", err)
	}
	return &templateOutput{Body: template}, nil
}

func (s *server) saveTemplate(ctx context.Context, in *SaveTemplateInput) (*savedTemplateOutput, error) {
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	template, problems := email.DecodeTemplate(bytes.Clone(in.RawBody))
	if !fault.HasErrors(problems) {
		switch template.Key {
		case "", in.Key:
			template.Key = in.Key
		default:
			problems = append(problems, fault.Problem{Path: "/key", Code: "key_mismatch", Level: fault.LevelError,
				Message: "The document names another template than the address that it is saved under."})
		}
		if err := s.withSnippets(ctx, &template); err != nil {
			return nil, err
		}
		problems = append(problems, email.ValidateTemplate(template)...)
		var err error
		if problems, err = s.lintTemplate(ctx, template, problems); err != nil {
			return nil, err
		}
	}
	if fault.HasErrors(problems) {
		return nil, fault.WithProblems("invalid", "The template has problems; see problems.", problems)
	}
	hash, err := documentHash(template)
	if err != nil {
		return nil, err
	}
	saved, err := s.Templates.SaveTemplate(ctx, template, hash, expected(in.ExpectedVersion), s.now())
	if err != nil {
		return nil, fmt.Errorf("save template: %w", err)
	}
	return &savedTemplateOutput{Body: SavedTemplate{Key: saved.Key, Version: saved.Version, Hash: saved.Hash, Problems: orEmpty(problems)}}, nil
}

// documentHash names what a document says, and refuses what PostgreSQL can't keep.
func documentHash(document any) (string, error) {
	canonical, err := json.Marshal(document)
	if err != nil {
		return "", fmt.Errorf("marshal document: %w", err)
	}
	if checkJSON(canonical) != nil {
		return "", newProblem(http.StatusBadRequest, "malformed", "The document holds a NUL character.")
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:16]), nil
}

// expected is the version that a change is based on; nil: whatever it is.
func expected(version int) *int {
	if version < 0 {
		return nil
	}
	return &version
}
