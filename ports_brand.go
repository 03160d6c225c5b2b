package main

import (
	"context"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
)

// brandPort shows the brand of the variables as long as nobody has saved one.
type brandPort struct {
	*store.Store
	fallback email.Brand
}

func (p brandPort) FindBrand(ctx context.Context) (email.BrandVersion, error) {
	brand, err := p.Store.FindBrand(ctx)
	if err == nil && brand.Revision == 0 {
		brand.Document = p.fallback
	}
	return brand, err
}
