package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// Brands keeps what every mail shows of its sender. While nobody has saved one, the brand of revision 0 is that of the configuration.
type Brands interface {
	FindBrand(ctx context.Context) (email.BrandVersion, error)
	SaveBrand(ctx context.Context, b email.Brand, expected *int64, now time.Time) (email.BrandVersion, error)
}

// SaveBrandInput is a brand, and the one that it replaces.
type SaveBrandInput struct {
	IfMatch          string `header:"If-Match" maxLength:"40" doc:"The ETag that the change is based on."`
	ExpectedRevision string `query:"expected_revision" maxLength:"20" doc:"The same as a number, 0 for none; If-Match wins."`
	Body             email.Brand
}

// SavedBrand is a brand with what may be a mistake in it.
type SavedBrand struct {
	email.BrandVersion
	Problems []fault.Problem `json:"problems" nullable:"false" doc:"Warnings."`
}

type brandOutput struct {
	ETag string `header:"ETag"`
	Body SavedBrand
}

func (s *server) brandRoutes() {
	handle(s, operation{id: "find-brand", method: http.MethodGet, path: "/v1/brand", tag: "templates", summary: "Read the brand",
		doc: "What every mail shows of its sender.", access: anyOf(ScopeJourneys, ScopeRead)}, s.findBrand)
	handle(s, operation{id: "save-brand", method: http.MethodPut, path: "/v1/brand", tag: "templates", maxBody: email.MaxBrandSource, errors: []int{http.StatusConflict},
		summary: "Save the brand", doc: "The next mail of every process shows it; a mail that is made already stays as it is, also when it is tried again. From then on the " +
			"BRAND_* variables count no more. 422 lists every problem at once; 409 `stale_revision` when somebody else has saved since.", access: anyOf(ScopeAdmin)}, s.saveBrand)
}

func (s *server) findBrand(ctx context.Context, _ *struct{}) (*brandOutput, error) {
	brand, err := s.Brands.FindBrand(ctx)
	if err != nil {
		return nil, fmt.Errorf("find brand: %w", err)
	}
	return brandAnswer(brand), nil
}

func (s *server) saveBrand(ctx context.Context, in *SaveBrandInput) (*brandOutput, error) {
	expected, err := expectedRevision(in.IfMatch, in.ExpectedRevision)
	if err != nil {
		return nil, err
	}
	if problems := email.ValidateBrand(in.Body); fault.HasErrors(problems) {
		return nil, fault.WithProblems("invalid", "The brand has problems; see problems.", problems)
	}
	brand, err := s.Brands.SaveBrand(ctx, in.Body, expected, s.now())
	if err != nil {
		return nil, fmt.Errorf("save brand: %w", err)
	}
	return brandAnswer(brand), nil
}

func brandAnswer(b email.BrandVersion) *brandOutput {
	return &brandOutput{ETag: etag(b.Revision), Body: SavedBrand{BrandVersion: b, Problems: orEmpty(email.ValidateBrand(b.Brand))}}
}
