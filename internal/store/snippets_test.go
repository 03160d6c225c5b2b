package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

func TestSnippets(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx := t.Context()
	save := func(key, text string, expected *int) (email.SnippetVersion, error) {
		return s.SaveSnippet(ctx, email.Snippet{Key: key, Text: text}, text, expected, start)
	}
	none, one := 0, 1
	v, err := save("inner", "one", &none)
	require.NoError(t, err)
	require.Equal(t, 1, v.Version)
	v, err = save("inner", "one", nil)
	require.NoError(t, err)
	require.Equal(t, 1, v.Version, "nothing changed")
	_, err = save("inner", "two", &none)
	require.Equal(t, fault.Conflict, fault.KindOf(err), "somebody else was first")
	v, err = save("inner", "two", &one)
	require.NoError(t, err)
	require.Equal(t, 2, v.Version)
	_, err = save("outer", `{% render "inner" %}`, nil)
	require.NoError(t, err)
	_, err = save("other", `{% render "nobody" %}`, nil)
	require.Equal(t, fault.Conflict, fault.KindOf(err))

	_, err = s.SaveTemplate(ctx, email.Template{Key: "mail", Subject: `{% render "outer" %}`}, "h", nil, start)
	require.NoError(t, err)
	_, err = s.SaveTemplate(ctx, email.Template{Key: "bad", Subject: `{% render "nobody" %}`}, "h", nil, start)
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	found, err := s.FindTemplate(ctx, "mail")
	require.NoError(t, err)
	require.Equal(t, map[string]email.Snippet{"outer": {Key: "outer", Text: `{% render "inner" %}`}, "inner": {Key: "inner", Text: "two"}}, found.Snippets)
	users, err := s.TemplatesUsing(ctx, "inner")
	require.NoError(t, err)
	require.Len(t, users, 1)
	require.Equal(t, found, users[0])

	err = s.DeleteSnippet(ctx, "inner")
	require.ErrorContains(t, err, "the snippet outer")
	err = s.DeleteSnippet(ctx, "outer")
	require.ErrorContains(t, err, "the template mail")
	_, err = s.SaveTemplate(ctx, email.Template{Key: "mail", Subject: "plain"}, "h2", nil, start)
	require.NoError(t, err)
	require.NoError(t, s.DeleteSnippet(ctx, "outer"), "only the newest version of a template counts")
	require.NoError(t, s.DeleteSnippet(ctx, "inner"))
	require.Equal(t, fault.NotFound, fault.KindOf(s.DeleteSnippet(ctx, "inner")))
	_, err = s.FindSnippet(ctx, "inner")
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	page, err := s.ListSnippets(ctx, "", 10)
	require.NoError(t, err)
	require.Empty(t, page.Items)
}
