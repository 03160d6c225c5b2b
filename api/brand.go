package api

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// Brands keeps what every mail shows of its sender. While nobody has saved one, the brand of revision 0 is that of the configuration.
type Brands interface {
	FindBrand(ctx context.Context) (email.BrandVersion, error)
	SaveBrand(ctx context.Context, b email.Brand, expected *int64, now time.Time) (email.BrandVersion, error)
}

// SavedBrand is a brand with what may be a mistake in it.
type SavedBrand struct {
	email.Brand
	Revision  int64           `json:"revision" doc:"0 while nobody has saved a brand: then the BRAND_* variables of the process say what it is."`
	UpdatedAt *time.Time      `json:"updated_at,omitempty" doc:"Absent while nobody has saved a brand."`
	Problems  []fault.Problem `json:"problems" nullable:"false" doc:"Warnings."`
}

func (s *server) brandRoutes() {
	documentRoutes(s, document[Brands, email.Brand, email.Brand, SavedBrand]{
		name: "brand", path: "/v1/brand", tag: "templates", port: s.Brands, loaded: Brands.FindBrand, saved: Brands.SaveBrand,
		find: operation{id: "find-brand", summary: "Read the brand", doc: "What every mail shows of its sender.", access: anyOf(ScopeJourneys, ScopeRead)},
		save: operation{id: "save-brand", summary: "Save the brand", maxBody: email.MaxBrandSource, access: anyOf(ScopeAdmin),
			doc: "The next mail of every process shows it; a mail that is made already stays as it is, also when it is tried again. From then on the BRAND_* variables count no more."},
		read: func(b email.Brand) (email.Brand, []fault.Problem) { return b, email.ValidateBrand(b) },
		view: func(b email.BrandVersion) SavedBrand {
			return SavedBrand{Brand: b.Document, Revision: b.Revision, UpdatedAt: b.UpdatedAt, Problems: orEmpty(email.ValidateBrand(b.Document))}
		},
	})
}
