package api

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
)

// Scoring keeps the scoring models, and tells what contacts' scores and stages are made of. Lists are newest first, with numbers as
// cursors.
type Scoring interface {
	PublishModel(ctx context.Context, document []byte, hash string, expected *int, now time.Time) (sales.ModelVersion, error)
	LiveModel(ctx context.Context) (sales.ModelVersion, error)
	FindModel(ctx context.Context, version int) (sales.ModelVersion, error)
	ListModels(ctx context.Context, cursor string, limit int) (Page[sales.ModelVersion], error)
	PreviewModel(ctx context.Context, candidate *sales.Model, listed int, now time.Time) (sales.Impact, error)
	// ExplainScore explains the score of now (at is nil) or of a moment.
	ExplainScore(ctx context.Context, contactID string, at *time.Time, limit int, now time.Time) (sales.Explanation, error)
	// ScoreHistory works out the score at moments of the past, in their order. Those from before the contact was known are left out.
	ScoreHistory(ctx context.Context, contactID string, moments []time.Time) ([]sales.HistoryPoint, error)
	// MoveStage wakes the contact's journey where that waits for the stage.
	MoveStage(ctx context.Context, contactID, stage, reason string, now time.Time) (audience.Contact, error)
	StageClocks(ctx context.Context, contactID string, now time.Time) ([]sales.StageClock, error)
}
