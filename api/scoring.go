package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
)

// previewListed is how many contacts a preview names for each stage, each way.
const previewListed = 50

// PublishModelInput publishes a scoring model, or checks it.
type PublishModelInput struct {
	DryRun   bool   `query:"dry_run" doc:"Only check: nothing is published."`
	IfMatch  string `header:"If-Match" maxLength:"40" doc:"The ETag of the model that the change is based on."`
	Expected string `query:"expected_version" maxLength:"20" doc:"The same as a number (0: there was none); If-Match wins."`
	DocumentInput
}

// PublishedModel says what was published, or would be.
type PublishedModel struct {
	Version     int             `json:"version,omitempty" doc:"Absent in a dry run."`
	Hash        string          `json:"hash"`
	PublishedAt *time.Time      `json:"published_at,omitempty"`
	Problems    []fault.Problem `json:"problems" nullable:"false" doc:"Warnings; in a dry run all problems."`
}

type publishedModelOutput struct {
	ETag string `header:"ETag"`
	Body PublishedModel
}

type modelOutput struct {
	ETag string `header:"ETag"`
	Body sales.ModelVersion
}

// ModelVersionInput names a published scoring model.
type ModelVersionInput struct {
	Version int `path:"version" minimum:"1" maximum:"2147483647"`
}

type impactOutput struct{ Body sales.Impact }

// ScoreInput asks for a contact's score.
type ScoreInput struct {
	ContactInput
	At    time.Time `query:"at" doc:"The moment, such as 2026-11-23T09:00:00Z; now when absent."`
	Limit int       `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"How many events and given points are listed at most; all of them count."`
}

type scoreOutput struct{ Body sales.Explanation }

func (s *server) scoringRoutes() {
	write, read := anyOf(ScopeJourneys), anyOf(ScopeJourneys, ScopeRead, ScopeSales)
	op := func(id, method, path, summary, doc string, a access) operation {
		return operation{id: id, method: method, path: "/v1/scoring" + path, tag: "scoring", summary: summary, doc: doc, access: a}
	}
	handle(s, op("find-scoring", http.MethodGet, "", "Read the scoring model that counts", "404 while none has been published.", read).answers(http.StatusNotFound), s.findModel)
	publish := op("publish-scoring", http.MethodPut, "", "Publish a scoring model",
		"The body is the model, YAML or JSON. It counts at once for what comes in, and within minutes for everybody: scores are worked out anew from the journal. "+
			"422 lists every problem at once. Nothing changed: the same version again. 409 `stale_version` when somebody else has published since.", write)
	publish.maxBody = maxDocument
	handle(s, publish.answers(http.StatusConflict), s.publishModel)
	preview := op("preview-scoring", http.MethodPost, "/preview", "See whom a scoring model would concern",
		"Who would become or stop being, say, mql, and how scores and labels would lie: over all contacts and their whole journal. Publishes nothing.", write)
	preview.maxBody = maxDocument
	handle(s, preview, s.previewModel)
	handle(s, op("list-scoring-versions", http.MethodGet, "/versions", "List published scoring models", "Newest first.", read), s.listModels)
	handle(s, op("find-scoring-version", http.MethodGet, "/versions/{version}", "Read a published scoring model", "", read), s.findModelVersion)
	handle(s, operation{id: "explain-score", method: http.MethodGet, path: "/v1/contacts/{id}/score", tag: "contacts", summary: "Read a contact's score, with the origin of every point",
		doc: "Exact at any moment: from what was known then, by the model that counted then, every point faded to that moment.", access: anyOf(ScopeRead, ScopeSales)}, s.explainScore)
	s.scoreHistoryRoute()
}

// answers adds statuses to those that every operation may answer.
func (op operation) answers(statuses ...int) operation {
	op.errors = append(op.errors, statuses...)
	return op
}

func (s *server) findModel(ctx context.Context, _ *struct{}) (*modelOutput, error) {
	model, err := s.Scoring.LiveModel(ctx)
	if err != nil {
		return nil, fmt.Errorf("find scoring model: %w", err)
	}
	return &modelOutput{ETag: etag(int64(model.Number)), Body: model}, nil
}

func (s *server) publishModel(ctx context.Context, in *PublishModelInput) (*publishedModelOutput, error) {
	expected, err := expectedVersion(in.IfMatch, in.Expected)
	if err != nil {
		return nil, err
	}
	def, problems := sales.Parse(bytes.Clone(in.RawBody))
	if in.DryRun {
		_, hash, err := def.Canonical()
		if err != nil {
			return nil, err
		}
		return &publishedModelOutput{Body: PublishedModel{Hash: hash, Problems: orEmpty(problems)}}, nil
	}
	if fault.HasErrors(problems) {
		return nil, modelProblems(problems)
	}
	if _, err := sales.Compile(def, 0); err != nil {
		return nil, fmt.Errorf("compile scoring model: %w", err)
	}
	document, hash, err := def.Canonical()
	if err != nil {
		return nil, err
	}
	published, err := s.Scoring.PublishModel(ctx, document, hash, expected, s.now())
	if err != nil {
		return nil, fmt.Errorf("publish scoring model: %w", err)
	}
	return &publishedModelOutput{ETag: etag(int64(published.Number)), Body: PublishedModel{
		Version: published.Number, Hash: published.Hash, PublishedAt: &published.PublishedAt, Problems: orEmpty(problems),
	}}, nil
}

func modelProblems(problems []fault.Problem) error {
	return fault.WithProblems("invalid", "The scoring model has problems; see problems.", problems)
}

func expectedVersion(ifMatch, query string) (*int, error) {
	revision, err := expectedRevision(ifMatch, query)
	if err != nil || revision == nil {
		return nil, err
	}
	if *revision > maxVersion {
		return nil, invalid("query:expected_version", "bad_revision", "There is no version of this number.")
	}
	version := int(*revision)
	return &version, nil
}

const maxVersion = 1<<31 - 1

func (s *server) previewModel(ctx context.Context, in *DocumentInput) (*impactOutput, error) {
	def, problems := sales.Parse(bytes.Clone(in.RawBody))
	if fault.HasErrors(problems) {
		return nil, modelProblems(problems)
	}
	candidate, err := sales.Compile(def, 0)
	if err != nil {
		return nil, fmt.Errorf("compile scoring model: %w", err)
	}
	impact, err := s.Scoring.PreviewModel(ctx, candidate, previewListed, s.now())
	if err != nil {
		return nil, fmt.Errorf("preview scoring model: %w", err)
	}
	return &impactOutput{Body: impact}, nil
}

func (s *server) listModels(ctx context.Context, in *ListInput) (*listOutput[sales.ModelVersion], error) {
	cursor, _, err := in.numberCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Scoring.ListModels(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list scoring models: %w", err)
	}
	return listOf(page), nil
}

func (s *server) findModelVersion(ctx context.Context, in *ModelVersionInput) (*modelOutput, error) {
	model, err := s.Scoring.FindModel(ctx, in.Version)
	if err != nil {
		return nil, fmt.Errorf("find scoring model: %w", err)
	}
	return &modelOutput{ETag: etag(int64(model.Number)), Body: model}, nil
}

func (s *server) explainScore(ctx context.Context, in *ScoreInput) (*scoreOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	var at *time.Time
	switch now := s.now(); {
	case in.At.IsZero():
	case in.At.After(now):
		return nil, invalid("query:at", "in_the_future", "What will be is not known yet: ask for a moment that has passed, or leave it out.")
	default:
		at = &in.At
	}
	explanation, err := s.Scoring.ExplainScore(ctx, id, at, in.Limit, s.now())
	if err != nil {
		return nil, fmt.Errorf("explain score: %w", err)
	}
	return &scoreOutput{Body: explanation}, nil
}
