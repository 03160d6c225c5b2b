package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// Example is a journey to begin with.
type Example struct {
	Key       string   `json:"key"`
	Name      string   `json:"name"`
	Summary   string   `json:"summary"`
	Templates []string `json:"templates" nullable:"false" doc:"The mails that it sends."`
	Steps     int      `json:"steps"`

	document []byte
}

// ExampleInput names an example.
type ExampleInput struct {
	Key string `path:"key" doc:"The example."`
}

type examplesOutput struct {
	Body List[Example]
}

func (s *server) exampleRoutes() {
	handle(s, operation{id: "list-examples", method: http.MethodGet, path: "/v1/examples", tag: "journeys",
		summary: "The journeys to begin with", access: anyOf(ScopeJourneys, ScopeRead)}, s.listExamples)
	handle(s, operation{id: "take-example", method: http.MethodPost, path: "/v1/examples/{key}", tag: "journeys", status: http.StatusCreated,
		errors: []int{http.StatusConflict}, summary: "Take an example over",
		doc: "Saves it as a draft, with the mails that it sends; mails of the same key that are there already stay as they are. " +
			"409 `stale_revision` when there is a journey of this key.", access: anyOf(ScopeJourneys)}, s.takeExample)
}

func (s *server) listExamples(context.Context, *struct{}) (*examplesOutput, error) {
	examples, err := s.examples()
	if err != nil {
		return nil, err
	}
	return &examplesOutput{Body: List[Example]{Data: examples}}, nil
}

func (s *server) takeExample(ctx context.Context, in *ExampleInput) (*savedDraftOutput, error) {
	examples, err := s.examples()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(examples, func(e Example) bool { return e.Key == in.Key })
	if i < 0 {
		return nil, notFound()
	}
	for _, key := range examples[i].Templates {
		if err := s.takeTemplate(ctx, key); err != nil {
			return nil, fmt.Errorf("take template %s over: %w", key, err)
		}
	}
	document, err := storable(examples[i].document)
	if err != nil {
		return nil, err
	}
	_, problems, err := s.checkDocument(ctx, in.Key, document)
	if err != nil {
		return nil, err
	}
	none := int64(0)
	draft, err := s.Journeys.SaveDraft(ctx, journey.Draft{Journey: in.Key, Document: document, Source: sourceOf(examples[i].document, document), Problems: problems}, &none, s.now())
	if err != nil {
		return nil, fmt.Errorf("save example: %w", err)
	}
	return &savedDraftOutput{ETag: etag(draft.Revision), Body: SavedDraft{Key: in.Key, Revision: draft.Revision, Problems: problems}}, nil
}

// takeTemplate saves a mail of the examples, unless there is one of its key.
func (s *server) takeTemplate(ctx context.Context, key string) error {
	if exists, err := s.Templates.TemplateExists(ctx, key); err != nil || exists {
		return err //nolint:wrapcheck // the caller says what it was about
	}
	data, err := fs.ReadFile(s.Examples, path.Join("templates", key+".yaml"))
	if err != nil {
		return fmt.Errorf("read example: %w", err)
	}
	template, problems := email.DecodeTemplate(data)
	if fault.HasErrors(problems) {
		return fmt.Errorf("decode example %s: %d problems", key, len(problems))
	}
	canonical, err := json.Marshal(template)
	if err != nil {
		return fmt.Errorf("marshal example: %w", err)
	}
	sum := sha256.Sum256(canonical)
	_, err = s.Templates.SaveTemplate(ctx, template, hex.EncodeToString(sum[:16]), nil, s.now())
	return err //nolint:wrapcheck // the caller says what it was about
}

// examples reads the journeys among the examples; other files beside them are none.
func (s *server) examples() ([]Example, error) {
	all := []Example{}
	if s.Examples == nil {
		return all, nil
	}
	names, err := fs.Glob(s.Examples, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list examples: %w", err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(s.Examples, name)
		if err != nil {
			return nil, fmt.Errorf("read example: %w", err)
		}
		definition, problems := journey.Parse(data)
		if definition == nil || fault.HasErrors(problems) {
			continue
		}
		example := Example{Key: definition.Journey, Name: definition.Name, Summary: opening(data), Templates: []string{}, Steps: len(definition.Steps), document: data}
		for _, step := range definition.Steps {
			if step.Send != nil && !slices.Contains(example.Templates, step.Send.Template) {
				example.Templates = append(example.Templates, step.Send.Template)
			}
		}
		all = append(all, example)
	}
	return all, nil
}

// opening is the comment that a file begins with.
func opening(data []byte) string {
	var lines []string
	for line := range strings.Lines(string(data)) {
		text, comment := strings.CutPrefix(line, "#")
		if !comment {
			break
		}
		lines = append(lines, strings.TrimSpace(text))
	}
	return strings.Join(lines, " ")
}
