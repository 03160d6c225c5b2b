package api

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// plainPreviews renders as sends do, and has no model.
type plainPreviews struct{}

func (plainPreviews) Preview(_ context.Context, template email.Template, contactID string, brand *email.Brand) (email.Rendered, error) {
	if brand == nil {
		brand = &email.Brand{Name: "Acme", Link: "https://example.com"}
	}
	if contactID == absentID {
		return email.Rendered{}, absent("contact")
	}
	return email.NewRenderer(*brand).Render(template,
		email.Data{Contact: audience.Contact{ID: contactID, Traits: map[string]any{"first_name": "Ana"}}}, email.RenderOptions{})
}

func (plainPreviews) SuggestSubjects(_ context.Context, template email.Template, _ string) ([]email.SubjectLine, error) {
	if template.Key == "with-a-model" {
		return []email.SubjectLine{{Text: "Good", State: email.LineProposed}, {Text: "Visit x.com", State: email.LineRefused, Reason: email.SubjectLink, Words: "It has a link."}}, nil
	}
	return nil, fault.New(fault.Conflict, "ai_not_configured", "No language model is configured.")
}

func TestPreview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	post := func(body string) (int, string) {
		answer := serve(w, call{method: "POST", url: "/v1/templates/preview", key: "key-read", body: body})
		return answer.Code, answer.Body.String()
	}
	code, body := post(`{"template":{"subject":"Hi {{ contact.first_name }}","body":{"intros":["One."]}}}`)
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, body, "Hi Ana")
	for bad, says := range map[string]string{
		`{"template":{"subject":"","body":{}}}`:                     `"/subject"`,
		`{"template":{"subject":"{{ oh","body":{}}}`:                `"/subject"`,
		`{"template":{"subject":"a","body":{"actions":[{}]}}}`:      `/body/actions/0/button`,
		`{"template":{"subject":"a","nonsense":1}}`:                 `nonsense`,
		`{"template":{"subject":"{{ contact.nobody }}","body":{}}}`: `"/subject"`, // nothing is left of it
	} {
		code, body = post(bad)
		require.Equal(t, http.StatusOK, code, bad)
		require.Contains(t, body, says, bad)
	}
	code, _ = post(`{"template":{"subject":"a","body":{"intros":["b"]}},"contact_id":"` + absentID + `"}`)
	require.Equal(t, http.StatusNotFound, code)
}

// What is shown in the frame runs nothing, whoever asks with whatever.
func TestPreviewAsHTML(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	show := func(template, key string) (int, http.Header, string) {
		form := url.Values{"template": {template}}.Encode()
		answer := serve(w, call{method: "POST", url: "/v1/templates/preview/html", key: key, body: form, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
		return answer.Code, answer.Header(), answer.Body.String()
	}
	code, header, body := show(`{"subject":"a","body":{"intros":["<script>alert(1)</script> {{ contact.first_name }}"]}}`, "key-journeys")
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, header.Get("Content-Security-Policy"), "sandbox; default-src 'none'")
	require.Contains(t, body, "Ana")
	require.NotContains(t, body, "<script>")
	code, _, _ = show(`{"subject":""}`, "key-journeys")
	require.Equal(t, http.StatusUnprocessableEntity, code)
	code, _, _ = show(`{"subject":"a","body":{"intros":["b"]}}`, "key-sales")
	require.Equal(t, http.StatusForbidden, code)
}

func TestSubjectsWithoutAModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer := serve(w, call{method: "POST", url: "/v1/templates/subjects", key: "key-journeys", body: `{"template":{"subject":"a"}}`})
	require.Equal(t, http.StatusConflict, answer.Code, answer.Body)
	require.Contains(t, answer.Body.String(), "ai_not_configured")
}

func TestSubjectsAreSuggested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer := serve(w, call{method: "POST", url: "/v1/templates/subjects", key: "key-journeys", body: `{"template":{"key":"with-a-model","subject":"a"}}`})
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	require.JSONEq(t, `{"data":["Good"],"refused":[{"subject":"Visit x.com","code":"subject_link","words":"It has a link."}]}`, answer.Body.String())
}
