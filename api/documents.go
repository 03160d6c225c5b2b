package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// SaveDocumentInput is a document of which there is one, and the revision that it replaces.
type SaveDocumentInput[B any] struct {
	IfMatch          string `header:"If-Match" maxLength:"40" doc:"The ETag that the change is based on."`
	ExpectedRevision string `query:"expected_revision" maxLength:"20" doc:"The same as a number, 0 for none; If-Match wins."`
	Body             B
}

type documentOutput[V any] struct {
	ETag string `header:"ETag"`
	Body V
}

// document declares a document of which there is one: read with GET, and saved with PUT upon a revision, so that nobody's save is lost. It is
// written as a B, kept as a T by the port P, and shown as a V.
type document[P, B, T, V any] struct {
	name   string // brand, in sentences
	path   string
	tag    string
	find   operation // what is left out of both is the same for all
	save   operation
	port   P
	loaded func(port P, ctx context.Context) (audience.Revised[T], error)
	saved  func(port P, ctx context.Context, document T, expected *int64, now time.Time) (audience.Revised[T], error)
	read   func(written B) (T, []fault.Problem)
	view   func(kept audience.Revised[T]) V
}

func documentRoutes[P, B, T, V any](s *server, d document[P, B, T, V]) {
	d.find.method, d.find.path, d.find.tag = http.MethodGet, d.path, d.tag
	d.save.method, d.save.path, d.save.tag, d.save.errors = http.MethodPut, d.path, d.tag, []int{http.StatusConflict}
	d.save.doc += " 422 lists every problem at once; 409 `stale_revision` when somebody else has saved since."
	answer := func(kept audience.Revised[T]) *documentOutput[V] {
		return &documentOutput[V]{ETag: etag(kept.Revision), Body: d.view(kept)}
	}
	handle(s, d.find, func(ctx context.Context, _ *struct{}) (*documentOutput[V], error) {
		kept, err := d.loaded(d.port, ctx)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", d.name, err)
		}
		return answer(kept), nil
	})
	handle(s, d.save, func(ctx context.Context, in *SaveDocumentInput[B]) (*documentOutput[V], error) {
		expected, err := expectedRevision(in.IfMatch, in.ExpectedRevision)
		if err != nil {
			return nil, err
		}
		written, problems := d.read(in.Body)
		if fault.HasErrors(problems) {
			return nil, fault.WithProblems("invalid", "The "+d.name+" has problems; see problems.", problems)
		}
		kept, err := d.saved(d.port, ctx, written, expected, s.now())
		if err != nil {
			return nil, fmt.Errorf("save %s: %w", d.name, err)
		}
		return answer(kept), nil
	})
}
