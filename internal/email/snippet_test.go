package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

func snippetBook() map[string]email.Snippet {
	return map[string]email.Snippet{
		"hello": {Key: "hello", Text: "Hello {{ contact.first_name | default: 'there' }}", Locale: "en", Locales: map[string]string{"de": "Hallo"}},
		"terms": {Key: "terms", Text: "See [the terms](https://a.test/?u={{ contact.id }}), {% render 'hello' %}."},
		"loop":  {Key: "loop", Text: "{% render 'loop2' %}"}, "loop2": {Key: "loop2", Text: "{% render 'loop' %}"},
		"a": {Key: "a", Text: "{% render 'b' %}"}, "b": {Key: "b", Text: "{% render 'c' %}"}, "c": {Key: "c", Text: "{% render 'd' %}"}, "d": {Key: "d", Text: "deep"},
	}
}

func TestSnippetsStandWhereTheyAreNamed(t *testing.T) {
	t.Parallel()
	tpl := email.Template{Key: "k", Subject: `{% render "hello" %}!`, Locale: "en", Snippets: snippetBook(), Body: email.Body{Markdown: "{% render 'terms' %} {%- render \"hello\" -%}{% comment %}{% render 'nobody' %}{% endcomment %}{% comment %}{% render 'd' %}{% endcomment %}{% render 'd' %}"},
		Locales: map[string]email.Localized{"de": {Subject: "s", Body: email.Body{Intros: []string{"{% render 'hello' %} & {% render 'd' %}"}}}}}
	require.Equal(t, []string{"d", "hello", "terms"}, tpl.Uses())
	require.Empty(t, email.ValidateTemplate(tpl))
	out, err := renderer(t).Render(tpl, someData(), email.RenderOptions{})
	require.NoError(t, err)
	require.Equal(t, "Hello Ana & <Bob>!", out.Subject)
	require.Contains(t, out.HTML, `href="https://a.test/?u=c1"`)
	require.Contains(t, out.HTML, "Hello Ana &amp; &lt;Bob&gt;.")
	data := someData()
	data.Contact.Locale = "de-AT"
	same(t, renderer(t), tpl, data, unsubscribe())
	out, err = renderer(t).Render(tpl, data, email.RenderOptions{})
	require.NoError(t, err)
	require.Contains(t, out.Text, "Hallo & deep")
}

func TestWhatIsWrongWithSnippetsIsSaid(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"{% render 'nobody' %}":                 `unknown_snippet There is no snippet "nobody".`,
		"{% render 'loop' %}":                   `snippet_cycle In the snippet "loop2": The snippet "loop" contains itself.`,
		"{% render 'a' %}":                      `snippet_too_deep In the snippet "c": Snippets are nested more than 3 deep.`,
		"{% render contact.first_name %}":       "bad_render",
		"{% render 'hello', name: 'x' %}":       "bad_render",
		"{% render %}":                          "bad_render",
		strings.Repeat("{% render 'big' %}", 5): "liquid_too_large",
	} {
		book := snippetBook()
		book["big"] = email.Snippet{Key: "big", Text: strings.Repeat("x", 16<<10)}
		tpl := email.Template{Key: "k", Subject: "s", Snippets: book, Body: email.Body{Intros: []string{source}}}
		problems := email.ValidateTemplate(tpl)
		require.Len(t, problems, 1, source)
		require.Equal(t, "/body/intros/0", problems[0].Path)
		require.Contains(t, problems[0].Code+" "+problems[0].Message, want)
		_, err := renderer(t).Render(tpl, someData(), email.RenderOptions{})
		require.ErrorContains(t, err, "/body/intros/0")
	}
}

func TestValidateSnippet(t *testing.T) {
	t.Parallel()
	require.Empty(t, email.ValidateSnippet(snippetBook()["terms"], snippetBook()))
	for want, s := range map[string]email.Snippet{
		"/key bad_key":                {Key: "A", Text: "x"},
		"/text required":              {Key: "a", Text: " "},
		"/text too_long":              {Key: "a", Text: strings.Repeat("x", 17<<10)},
		"/text unknown_variable":      {Key: "a", Text: "{{ nobody }}"},
		"/text snippet_cycle":         {Key: "a", Text: "{% render 'a' %}"},
		"/locale required":            {Key: "a", Text: "x", Locales: map[string]string{"de": "y"}},
		"/locales/de unknown_snippet": {Key: "a", Text: "x", Locale: "en", Locales: map[string]string{"de": "{% render 'z' %}"}},
		"/locales/de-at bad_locale":   {Key: "a", Text: "x", Locale: "en", Locales: map[string]string{"de-at": "y"}},
	} {
		require.Equal(t, []string{want}, codes(email.ValidateSnippet(s, nil)))
	}
}
