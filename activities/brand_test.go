package activities_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/email"
)

type brandSource struct {
	brand email.BrandVersion
	err   error
}

func (s *brandSource) FindBrand(context.Context) (email.BrandVersion, error) { return s.brand, s.err }

func TestRenderersFollowTheBrand(t *testing.T) {
	t.Parallel()
	source := &brandSource{}
	renderers := activities.NewRenderers(source, email.Brand{Name: "Variables", Link: "https://example.test"})
	shows := func() (*email.Renderer, string) {
		r, err := renderers.Current(t.Context())
		require.NoError(t, err)
		out, err := r.Render(email.Template{Key: "k", Subject: "s", Body: email.Body{Intros: []string{"One."}}}, email.Data{}, email.RenderOptions{})
		require.NoError(t, err)
		return r, out.Text
	}
	_, text := shows()
	require.Contains(t, text, "Variables")
	var before *email.Renderer
	for revision, name := range []string{"First", "Second", "Third"} {
		source.brand = email.BrandVersion{Revision: int64(revision + 1), Document: email.Brand{Name: name, Link: "https://example.test"}}
		made, text := shows()
		require.Contains(t, text, name, "the next mail shows what was saved last")
		require.NotSame(t, before, made)
		again, _ := shows()
		require.Same(t, made, again, "it is made once a revision")
		before = made
	}
	source.err = errors.New("the database is away")
	_, err := renderers.Current(t.Context())
	require.ErrorIs(t, err, source.err, "no mail goes out in a brand that may be an old one")
}
