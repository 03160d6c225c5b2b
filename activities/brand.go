package activities

import (
	"context"
	"fmt"
	"sync"

	"throughline.dev/throughline/internal/email"
)

// Renderers gives the renderer of the brand that counts now. The brand is asked for with every mail, so that each process shows a new one
// with its next mail; what is made of it is kept as long as it stays the same.
type Renderers struct {
	source   Brands
	fallback *email.Renderer // of the process's own configuration: until somebody saves a brand

	mu       sync.Mutex
	revision int64
	kept     *email.Renderer
}

// NewRenderers makes renderers of saved brands, and of a fallback while there is none.
func NewRenderers(source Brands, fallback email.Brand) *Renderers {
	return &Renderers{source: source, fallback: email.NewRenderer(fallback)}
}

// Current is the renderer for the next mail. Ask before a transaction: there is no connection to spare within one.
func (r *Renderers) Current(ctx context.Context) (*email.Renderer, error) {
	brand, err := r.source.FindBrand(ctx)
	if err != nil {
		return nil, fmt.Errorf("find brand: %w", err)
	}
	if brand.Revision == 0 {
		return r.fallback, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil || r.revision != brand.Revision {
		r.revision, r.kept = brand.Revision, email.NewRenderer(brand.Document)
	}
	return r.kept, nil
}
