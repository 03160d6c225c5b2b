package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// maxImportBytes is the size of a file unless Options.MaxImport says otherwise.
const maxImportBytes = 2 << 30

// ImportInput says how a file is going to be read.
type ImportInput struct {
	Body struct {
		Name    string                  `json:"name,omitempty" maxLength:"200" doc:"For people." example:"leads.csv"`
		Kind    string                  `json:"kind,omitempty" enum:"identify,track" default:"identify" doc:"What a row is: who somebody is, or what somebody did."`
		Event   string                  `json:"event,omitempty" maxLength:"200" doc:"Of track: the name of every event. Without it a column has to be mapped to event."`
		Mapping []audience.ImportColumn `json:"mapping,omitempty" maxItems:"1000" doc:"What is not named goes where its header says: a field of that name, else a trait, or a property of an event."`
		DryRun  bool                    `json:"dry_run,omitempty" doc:"Read the whole file and change nothing."`
	}
}

// ImportSample is a row as it was, or would be, taken in. It is shown to who sends the file and kept nowhere.
type ImportSample struct {
	Line       int64          `json:"line"`
	UserID     string         `json:"user_id,omitempty"`
	Email      string         `json:"email,omitempty"`
	Anonymous  string         `json:"anonymous_id,omitempty"`
	Timezone   string         `json:"timezone,omitempty"`
	Locale     string         `json:"locale,omitempty"`
	Event      string         `json:"event,omitempty"`
	OccurredAt string         `json:"occurred_at,omitempty"`
	CreatedAt  string         `json:"created_at,omitempty"`
	Traits     map[string]any `json:"traits,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
}

// ImportResult is what an upload came to.
type ImportResult struct {
	audience.Import
	Columns []audience.ImportColumn `json:"columns" doc:"Where each column of the file goes."`
	Sample  []ImportSample          `json:"sample,omitempty" doc:"Of a dry run: the first rows as they would be taken in."`
}

type importOutput struct{ Body audience.Import }

func (s *server) importRoutes() {
	admin := anyOf(ScopeAdmin)
	handle(s, operation{id: "create-import", method: http.MethodPost, path: "/v1/imports", tag: "imports", status: http.StatusCreated,
		summary: "Say how a CSV file is going to be imported", doc: "The file itself follows with PUT /v1/imports/{id}/file.", access: admin}, s.createImport)
	handle(s, operation{id: "list-imports", method: http.MethodGet, path: "/v1/imports", tag: "imports", summary: "List imports, the newest first",
		access: admin}, s.listImports)
	handle(s, operation{id: "find-import", method: http.MethodGet, path: "/v1/imports/{id}", tag: "imports",
		summary: "See how far an import has come", access: admin}, s.findImport)
	handle(s, operation{id: "list-import-problems", method: http.MethodGet, path: "/v1/imports/{id}/problems", tag: "imports",
		summary: "Read what was wrong with rows", doc: "In the order of lines, the first 10,000. Values are never repeated.", access: admin}, s.listImportProblems)

	statuses := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict,
		http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable}
	responses := s.problemResponses(statuses)
	responses["200"] = &huma.Response{Description: "The file has been read to its end.", Content: map[string]*huma.MediaType{
		"application/json": {Schema: s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ImportResult](), true, "ImportResult")}}}
	s.plain(&huma.Operation{OperationID: "upload-import", Method: http.MethodPut, Path: "/v1/imports/{id}/file", Tags: []string{"imports"},
		Summary: "Send the CSV file of an import",
		Description: "Always the whole file: what was taken in before is skipped, so an upload that broke off is simply sent again. UTF-8; comma, " +
			"semicolon or tab; the first line names the columns. 200 means that the file has been read to its end; see `rejected` for its bad rows.\n\nScope: `admin`.",
		Security: []map[string][]string{{"key": {}}}, Responses: responses, BodyReadTimeout: -1, MaxBodyBytes: -1,
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}},
	}, admin, s.uploadImport)
	s.exportRoutes()
}

func (s *server) createImport(ctx context.Context, in *ImportInput) (*importOutput, error) {
	b := in.Body
	spec := audience.ImportSpec{Kind: audience.EventType(b.Kind), Event: b.Event, Columns: b.Mapping}
	if b.Event != "" {
		spec.Kind = audience.TypeTrack
	}
	if problems := spec.Check(); len(problems) > 0 {
		return nil, fault.WithProblems("invalid", "The mapping has problems; see problems.", problems)
	}
	made, err := s.Imports.CreateImport(ctx, b.Name, spec, b.DryRun, s.now())
	if err != nil {
		return nil, fmt.Errorf("create import: %w", err)
	}
	return &importOutput{Body: made}, nil
}

// ImportPath names an import.
type ImportPath struct {
	ID string `path:"id" doc:"The import."`
}

func (s *server) findImport(ctx context.Context, in *ImportPath) (*importOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	found, err := s.Imports.FindImport(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("find import: %w", err)
	}
	return &importOutput{Body: found}, nil
}

func (s *server) listImports(ctx context.Context, in *ListInput) (*listOutput[audience.Import], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Imports.ListImports(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return listOf(page), nil
}

func (s *server) listImportProblems(ctx context.Context, in *struct {
	ImportPath
	ListInput
}) (*listOutput[audience.ImportProblem], error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	cursor, _, err := in.numberCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Imports.ListImportProblems(ctx, id, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list import problems: %w", err)
	}
	return listOf(page), nil
}
