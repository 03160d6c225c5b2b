package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

// memoryBrand is a brand that nobody saves.
type memoryBrand struct{}

func (*memoryBrand) FindBrand(context.Context) (email.BrandVersion, error) {
	return email.BrandVersion{Document: email.Brand{Name: "Of the variables", Link: "https://example.com"}}, nil
}

func (*memoryBrand) SaveBrand(_ context.Context, b email.Brand, _ *int64, now time.Time) (email.BrandVersion, error) {
	return email.BrandVersion{Document: b, Revision: 1, UpdatedAt: &now}, nil
}

// settledBrand says where it is.
type settledBrand struct{}

func (settledBrand) FindBrand(context.Context) (email.BrandVersion, error) {
	return email.BrandVersion{Document: email.Brand{Name: "Acme", Link: "https://example.com", Address: "1 Example Street"}}, nil
}

func (settledBrand) SaveBrand(_ context.Context, b email.Brand, _ *int64, _ time.Time) (email.BrandVersion, error) {
	return email.BrandVersion{Document: b}, nil
}

// The postal address is missed where it is needed: before marketing mail is published.
func TestMarketingMailWantsAPostalAddress(t *testing.T) {
	t.Parallel()
	const lint = "/v1/journeys/lint"
	transactional := strings.Replace(trialYAML, "template: welcome", "template: welcome, class: transactional", 1)
	require.NotEqual(t, trialYAML, transactional)
	for name, row := range map[string]struct {
		brand    Brands
		document string
		warned   bool
	}{
		"marketing":              {&memoryBrand{}, trialYAML, true},
		"with an address":        {settledBrand{}, trialYAML, false},
		"transactional, without": {&memoryBrand{}, transactional, false},
	} {
		w := newWorld(t, func(o *Options) { o.Brands = row.brand })
		answer := serve(w, call{method: "POST", url: lint, key: "key-journeys", body: row.document, header: map[string]string{"Content-Type": "application/yaml"}})
		require.Equal(t, http.StatusOK, answer.Code, name)
		require.Equal(t, row.warned, strings.Contains(answer.Body.String(), `"no_postal_address"`), "%s: %s", name, answer.Body.String())
	}
}

func TestBrandOfTheVariables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, []row{
		{name: "nobody has saved one", call: call{method: "GET", url: "/v1/brand", key: "key-read"}, status: 200,
			contains: []string{`"Of the variables"`, `"revision":0`, `"no_address"`}, notContains: []string{"updated_at"}},
		{name: "its form", call: call{method: "GET", url: "/v1/brand", key: "key-journeys"}, status: 200},
		{name: "not for events", call: call{method: "GET", url: "/v1/brand", key: "key-ingest"}, status: 403},
		{name: "not for authors of journeys", call: call{method: "PUT", url: "/v1/brand", key: "key-journeys", body: `{"name":"A","link":"https://a.test"}`}, status: 403},
	})
	require.Equal(t, `"0"`, w.do(t, call{method: "GET", url: "/v1/brand", key: "key-read"}).Header().Get("ETag"))
}

func TestBrandIsSaved(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	put := func(query, body string) call { return admin("PUT", "/v1/brand"+query, body) }
	const acme = `{"name":"Acme","link":"https://acme.test","logo":"https://acme.test/l.png","copyright":"© Acme","address":"1 Example Street","color":"#1d4ed8"}`
	w.run(t, []row{
		{name: "all that is wrong at once", call: put("", `{"name":" ","link":"ftp://secret","logo":"http://secret/l.png","copyright":"secret\n","address":"secret\u0007","color":"blue"}`), status: 422,
			contains:    []string{`"/name"`, `"/link"`, `"/logo"`, `"/copyright"`, `"/address"`, `"/color"`},
			notContains: []string{"secret"}},
		{name: "an unknown field", call: put("", `{"name":"A","link":"https://a.test","colour":"#ffffff"}`), status: 422, contains: []string{"unknown_field"}},
		{name: "upon what is not there", call: put("?expected_revision=3", acme), status: 409, contains: []string{"stale_revision"}},
		{name: "no revision", call: put("?expected_revision=x", acme), status: 422, contains: []string{"bad_revision"}},
		{name: "saved", call: put("?expected_revision=0", acme), status: 200, contains: []string{`"revision":1`, `"updated_at"`, `"problems":[]`}},
		{name: "the same again", call: put("?expected_revision=0", acme), status: 200, contains: []string{`"revision":1`}},
		{name: "stale", call: put("?expected_revision=0", `{"name":"B","link":"https://b.test"}`), status: 409},
		{name: "without an address", call: put("?expected_revision=1", `{"name":"B","link":"https://b.test"}`), status: 200, contains: []string{`"revision":2`, `"no_address"`, `"warning"`}},
		{name: "read back", call: admin("GET", "/v1/brand", ""), status: 200, contains: []string{`"name":"B"`, `"revision":2`}, notContains: []string{"Acme"}},
	})
	require.Equal(t, `"2"`, w.do(t, admin("GET", "/v1/brand", "")).Header().Get("ETag"))
}

// A brand can be looked at before it is saved.
func TestPreviewWithABrand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const template = `{"subject":"Hi","body":{"actions":[{"button":{"text":"Go","link":"https://example.com/x"}}]}}`
	preview := func(brand string) string {
		answer := serve(w, call{method: "POST", url: "/v1/templates/preview", key: "key-read", body: `{"template":` + template + `,"brand":` + brand + `}`})
		require.Equal(t, http.StatusOK, answer.Code, answer.Body)
		return answer.Body.String()
	}
	require.Contains(t, preview(`{"name":"Brand new","link":"https://new.test"}`), "Brand new")
	require.Contains(t, preview(`{"name":"","link":"https://new.test"}`), `"/brand/name"`)

	show := func(brand string) (int, string) {
		form := url.Values{"template": {template}, "brand": {brand}}.Encode()
		answer := serve(w, call{method: "POST", url: "/v1/templates/preview/html", key: "key-journeys", body: form, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
		return answer.Code, answer.Body.String()
	}
	code, body := show(`{"name":"Brand new","link":"https://new.test","color":"#ffff00"}`)
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, body, "Brand new")
	require.Contains(t, body, "#ffff00")
	for _, bad := range []string{`{`, `{"name":"A","link":"https://a.test","color":"red;background:url(x)"}`, `{"nonsense":1}`} {
		code, body = show(bad)
		require.Equal(t, http.StatusUnprocessableEntity, code, body)
		require.Contains(t, body, `"/brand`)
	}
}
