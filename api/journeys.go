package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"unicode/utf8"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// DocumentInput is a journey's definition, as YAML or JSON.
type DocumentInput struct {
	RawBody []byte `contentType:"application/yaml" required:"true"`
}

// DraftInput saves a draft.
type DraftInput struct {
	Key              string `path:"key" doc:"The journey."`
	IfMatch          string `header:"If-Match" maxLength:"40" doc:"The ETag that the change is based on."`
	ExpectedRevision string `query:"expected_revision" maxLength:"20" doc:"The same as a number; If-Match wins."`
	DocumentInput
}

// SavedDraft says how the draft stands.
type SavedDraft struct {
	Key      string          `json:"key"`
	Revision int64           `json:"revision"`
	Problems []fault.Problem `json:"problems" nullable:"false" doc:"What keeps it from being published (errors), and what may be a mistake (warnings)."`
}

type savedDraftOutput struct {
	ETag string `header:"ETag"`
	Body SavedDraft
}

type draftOutput struct {
	ETag string `header:"ETag"`
	Body journey.Draft
}

// JourneyInput names a journey.
type JourneyInput struct {
	Key string `path:"key" doc:"The journey."`
}

// PublishInput freezes the draft.
type PublishInput struct {
	JourneyInput
	Body *struct {
		ExpectedRevision *int64 `json:"expected_revision,omitempty" minimum:"1" doc:"Publish only this revision of the draft."`
	}
}

type publishOutput struct{ Body journey.Version }

// VersionInput names a version.
type VersionInput struct {
	JourneyInput
	Number int `path:"version" minimum:"1" maximum:"2147483647"`
}

type versionOutput struct{ Body journey.Version }

// Lint is what is wrong with a document.
type Lint struct {
	Problems []fault.Problem `json:"problems" nullable:"false"`
}

type lintOutput struct{ Body Lint }

func (s *server) journeyRoutes() {
	write, read := anyOf(ScopeJourneys), anyOf(ScopeJourneys, ScopeRead)
	handle(s, operation{id: "list-journeys", method: http.MethodGet, path: "/v1/journeys", tag: "journeys", summary: "List journeys", access: read}, s.listJourneys)
	handle(s, operation{id: "lint-journey", method: http.MethodPost, path: "/v1/journeys/lint", tag: "journeys", maxBody: maxDocument,
		summary: "Check a definition", doc: "Saves nothing. The body is YAML or JSON.", access: write}, s.lint)
	handle(s, operation{id: "find-journey", method: http.MethodGet, path: "/v1/journeys/{key}", tag: "journeys", summary: "Read the draft",
		doc: "A document that could not be read as YAML or JSON comes back as a string.", access: read}, s.findDraft)
	handle(s, operation{id: "save-journey", method: http.MethodPut, path: "/v1/journeys/{key}", tag: "journeys", maxBody: maxDocument,
		errors: []int{http.StatusConflict}, summary: "Save the draft",
		doc: "The body is the definition, YAML or JSON, told apart by its content. A draft may be wrong and always saves: problems say " +
			"what publishing would object to. 409 `stale_revision` when somebody else has saved since.", access: write}, s.saveDraft)
	handle(s, operation{id: "publish-journey", method: http.MethodPost, path: "/v1/journeys/{key}/publish", tag: "journeys",
		errors: []int{http.StatusConflict}, summary: "Publish the draft",
		doc:    "Freezes the draft as the next version, which new contacts enter. Nothing changed: the live version again. 422 lists every problem at once.",
		access: write}, s.publish)
	handle(s, operation{id: "list-versions", method: http.MethodGet, path: "/v1/journeys/{key}/versions", tag: "journeys",
		summary: "List published versions", doc: "Newest first.", access: read}, s.listVersions)
	handle(s, operation{id: "find-version", method: http.MethodGet, path: "/v1/journeys/{key}/versions/{version}", tag: "journeys",
		summary: "Read a published version", access: read}, s.findVersion)
}

func (s *server) listJourneys(ctx context.Context, in *ListInput) (*listOutput[JourneySummary], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	drafts, err := s.Journeys.ListJourneys(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list journeys: %w", err)
	}
	page := Page[JourneySummary]{Next: drafts.Next}
	for _, d := range drafts.Items {
		page.Items = append(page.Items, summaryOf(d))
	}
	return listOf(page), nil
}

func summaryOf(d journey.Draft) JourneySummary {
	return JourneySummary{Key: d.Journey, Revision: d.Revision, LiveVersion: d.LiveVersion, PausedAt: d.PausedAt, Errors: countErrors(d.Problems), UpdatedAt: d.UpdatedAt}
}

func (s *server) lint(ctx context.Context, in *DocumentInput) (*lintOutput, error) {
	_, problems, err := s.checkDocument(ctx, "", in.RawBody)
	if err != nil {
		return nil, err
	}
	return &lintOutput{Body: Lint{Problems: problems}}, nil
}

func (s *server) findDraft(ctx context.Context, in *JourneyInput) (*draftOutput, error) {
	draft, err := s.Journeys.FindDraft(ctx, in.Key)
	if err != nil {
		return nil, fmt.Errorf("find draft: %w", err)
	}
	draft.Problems = orEmpty(draft.Problems)
	return &draftOutput{ETag: etag(draft.Revision), Body: draft}, nil
}

func (s *server) saveDraft(ctx context.Context, in *DraftInput) (*savedDraftOutput, error) {
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	expected, err := expectedRevision(in.IfMatch, in.ExpectedRevision)
	if err != nil {
		return nil, err
	}
	document, err := storable(in.RawBody)
	if err != nil {
		return nil, err
	}
	_, problems, err := s.checkDocument(ctx, in.Key, in.RawBody)
	if err != nil {
		return nil, err
	}
	draft, err := s.Journeys.SaveDraft(ctx, journey.Draft{Journey: in.Key, Document: document, Source: sourceOf(in.RawBody, document), Problems: problems}, expected, s.now())
	if err != nil {
		return nil, fmt.Errorf("save draft: %w", err)
	}
	return &savedDraftOutput{ETag: etag(draft.Revision),
		Body: SavedDraft{Key: in.Key, Revision: draft.Revision, Problems: problems}}, nil
}

// publish checks the draft again: templates come and go, and a problem may be new since it was saved. What was checked
// is what is frozen, because the revision that was read is the one that the store insists on.
func (s *server) publish(ctx context.Context, in *PublishInput) (*publishOutput, error) {
	draft, err := s.Journeys.FindDraft(ctx, in.Key)
	if err != nil {
		return nil, fmt.Errorf("find draft: %w", err)
	}
	if in.Body != nil && in.Body.ExpectedRevision != nil && *in.Body.ExpectedRevision != draft.Revision {
		return nil, fault.New(fault.Conflict, "stale_revision", "The draft has been saved again since. Read it before you publish.")
	}
	definition, problems, err := s.checkDocument(ctx, in.Key, written(draft.Document))
	if err != nil {
		return nil, err
	}
	if definition == nil || fault.HasErrors(problems) {
		return nil, fault.WithProblems("invalid", "The draft has problems; see problems.", problems)
	}
	if _, err := journey.Compile(definition); err != nil {
		return nil, fmt.Errorf("compile journey %s: %w", draft.Journey, err)
	}
	version, err := s.Journeys.PublishVersion(ctx, in.Key, draft.Document, journey.Hash(draft.Document), triggers(definition), &draft.Revision, s.now())
	if err != nil {
		return nil, fmt.Errorf("publish journey %s: %w", draft.Journey, err)
	}
	s.prepareSubjects(ctx, definition)
	return &publishOutput{Body: version}, nil
}

func (s *server) listVersions(ctx context.Context, in *struct {
	JourneyInput
	ListInput
}) (*listOutput[journey.Version], error) {
	cursor, _, err := in.numberCursor()
	if err != nil {
		return nil, err
	}
	if cursor == "" { // an unknown journey is not an empty list
		if _, err := s.Journeys.FindDraft(ctx, in.Key); err != nil {
			return nil, fmt.Errorf("find journey: %w", err)
		}
	}
	page, err := s.Journeys.ListVersions(ctx, in.Key, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	return listOf(page), nil
}

func (s *server) findVersion(ctx context.Context, in *VersionInput) (*versionOutput, error) {
	version, err := s.Journeys.FindVersion(ctx, in.Key, in.Number)
	if err != nil {
		return nil, fmt.Errorf("find version: %w", err)
	}
	return &versionOutput{Body: version}, nil
}

// sourceOf is what is kept of a text beside the document that it means: all of it, unless the document is that text.
func sourceOf(data, document []byte) string {
	if bytes.Equal(bytes.TrimSpace(data), document) || !utf8.Valid(data) || bytes.ContainsRune(data, 0) {
		return ""
	}
	return string(data)
}

// storable is a document as JSON, whatever it was written in.
func storable(data []byte) (document []byte, err error) {
	document, _ = journey.ToJSON(bytes.Clone(data)) // huma takes its buffer back when the handler returns
	if checkJSON(document) != nil {
		return nil, newProblem(http.StatusBadRequest, "malformed", "The document is nested too deeply, or holds a NUL character.")
	}
	return document, nil
}
