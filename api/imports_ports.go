package api

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Imports keeps what files are imported and how far each has come, and reads contacts for exports.
type Imports interface {
	CreateImport(ctx context.Context, name string, spec audience.ImportSpec, dryRun bool, now time.Time) (audience.Import, error)
	FindImport(ctx context.Context, id string) (audience.Import, error)
	ListImports(ctx context.Context, cursor string, limit int) (Page[audience.Import], error)
	ListImportProblems(ctx context.Context, id, cursor string, limit int) (Page[audience.ImportProblem], error)
	// AdvanceImport is a Conflict when the import has moved on from where the step began.
	AdvanceImport(ctx context.Context, id string, step audience.ImportStep, now time.Time) error
	FinishImport(ctx context.Context, id string, now time.Time) (audience.Import, error)
	FailImport(ctx context.Context, id string, problems []audience.ImportProblem, now time.Time) (audience.Import, error)
	// KnownPeople tells for each event whether its contact is there already.
	KnownPeople(ctx context.Context, events []audience.Incoming) ([]bool, error)

	// CheckExport and ExportTraits are NotFound for a segment that does not exist; the empty segment is everybody.
	CheckExport(ctx context.Context, segment string) error
	ExportTraits(ctx context.Context, segment string) ([]string, error)
	// ExportPage goes on after a contact, in the order of ids.
	ExportPage(ctx context.Context, segment, after string, limit int) ([]audience.Contact, error)
}
