package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// memorySnippets knows one, which a template shows in its button's link.
type memorySnippets struct{}

func (memorySnippets) snippet() email.Snippet {
	return email.Snippet{Key: "path", Text: "start"}
}

func (m memorySnippets) ListSnippets(context.Context, string, int) (Page[email.SnippetVersion], error) {
	return Page[email.SnippetVersion]{Items: []email.SnippetVersion{{Snippet: m.snippet(), Version: 1}}}, nil
}

func (m memorySnippets) FindSnippet(_ context.Context, key string) (email.SnippetVersion, error) {
	if key != "path" {
		return email.SnippetVersion{}, absent("snippet")
	}
	return email.SnippetVersion{Snippet: m.snippet(), Version: 1}, nil
}

func (m memorySnippets) FindSnippets(context.Context, []string) (map[string]email.Snippet, error) {
	return map[string]email.Snippet{"path": m.snippet()}, nil
}

func (memorySnippets) SaveSnippet(_ context.Context, sn email.Snippet, _ string, _ *int, _ time.Time) (email.SnippetVersion, error) {
	return email.SnippetVersion{Snippet: sn, Version: 2}, nil
}

func (memorySnippets) DeleteSnippet(_ context.Context, key string) error {
	if key != "path" {
		return absent("snippet")
	}
	return fault.New(fault.Conflict, "snippet_in_use", "It is shown by the template welcome. Take it out there first.")
}

func (memorySnippets) TemplatesUsing(_ context.Context, key string) ([]email.TemplateVersion, error) {
	if key != "path" {
		return nil, nil
	}
	return []email.TemplateVersion{{Template: email.Template{Key: "welcome", Subject: "s", Body: email.Body{
		Actions: []email.Action{{Button: email.Button{Text: "{% render 'path' %}", Link: "https://example.com/"}}},
		Intros:  []string{"{% if contact.a %}{% if contact.b %}{% if contact.c %}{% render 'path' %}{% endif %}{% endif %}{% endif %}"},
	}}}}, nil
}

func TestSnippets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(method, path, body string) (int, string) {
		answer := serve(w, call{method: method, url: path, key: "key-journeys", body: body})
		return answer.Code, answer.Body.String()
	}
	code, body := ask("GET", "/v1/snippets/path", "")
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, body, `"used_by":["welcome"]`)
	code, body = ask("GET", "/v1/snippets", "")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, `"key":"path"`)
	code, body = ask("PUT", "/v1/snippets/path", `{"text":"Hi {{ contact.first_name | default: 'you' }}"}`)
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, body, `"used_by":["welcome"]`)
	code, body = ask("PUT", "/v1/snippets/path", `{"text":"{{ nobody }}"}`)
	require.Equal(t, http.StatusUnprocessableEntity, code)
	require.Contains(t, body, `"unknown_variable"`)
	code, body = ask("PUT", "/v1/snippets/path", `{"text":"{% if contact.x %}deeper{% endif %}"}`)
	require.Equal(t, http.StatusUnprocessableEntity, code, "right by itself, and too deep where it stands")
	require.Contains(t, body, "In the template welcome, at /body/intros/0: Blocks are nested more than 3 deep.")
	code, _ = ask("PUT", "/v1/snippets/BAD", `{"text":"x"}`)
	require.Equal(t, http.StatusUnprocessableEntity, code)
	code, body = ask("DELETE", "/v1/snippets/path", "")
	require.Equal(t, http.StatusConflict, code)
	require.Contains(t, body, "the template welcome")
	code, _ = ask("DELETE", "/v1/snippets/none", "")
	require.Equal(t, http.StatusNotFound, code)
}

func TestPreviewShowsSnippetsAndLanguages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const document = `{"subject":"Hello","locale":"en","body":{"intros":["{% render 'path' %}"]},"locales":{"de":{"subject":"Hallo","body":{"intros":["Auf Deutsch"]}}}}`
	for locale, want := range map[string]string{"": "Hello", "en": "Hello", "de": "Hallo"} {
		answer := serve(w, call{method: "POST", url: "/v1/templates/preview", key: "key-read", body: `{"template":` + document + `,"locale":"` + locale + `"}`})
		require.Equal(t, http.StatusOK, answer.Code)
		require.Contains(t, answer.Body.String(), `"subject":"`+want+`"`)
	}
	answer := serve(w, call{method: "PUT", url: "/v1/templates/hello", key: "key-journeys", body: `{"subject":"a","body":{"intros":["{% render 'nobody' %}"]}}`})
	require.Equal(t, http.StatusUnprocessableEntity, answer.Code)
	require.Contains(t, answer.Body.String(), "unknown_snippet")
}
