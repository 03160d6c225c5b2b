package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
)

func TestFaultKindsHaveTheirStatus(t *testing.T) {
	t.Parallel()
	for kind, status := range map[fault.Kind]int{
		fault.Invalid: 422, fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409,
		fault.TooLarge: 413, fault.Limited: 429, fault.Unavailable: 503, fault.Internal: 500, "made up": 500,
	} {
		p := problemOf(fmt.Errorf("wrapped: %w", fault.Wrap(kind, "a_code", "A sentence.", errors.New("secret cause"))))
		require.Equal(t, status, p.Status, kind)
		require.NotContains(t, fmt.Sprint(p), "secret")
		require.Equal(t, status == 429 || status == 503, p.GetHeaders().Get("Retry-After") != "", kind)
	}
	require.Equal(t, 500, problemOf(errors.New("secret")).Status)
}

// bad holds every way in which a request can be malformed, with a value in it that must not come back.
func bad() []row {
	const secret = "ana.secret@example.test"
	never := []string{"secret", "goroutine", "json:", "unmarshal", "strconv", "uuid"}
	signal := "/v1/contacts/" + contactID + "/signals"
	post := func(url, key, body string) call { return call{method: http.MethodPost, url: url, key: key, body: body} }
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	rows := []row{
		{name: "no json", call: post(signal, "key-ingest", `{"name": `+secret), status: 400, contains: []string{`"code":"malformed"`}},
		{name: "no body", call: post(signal, "key-ingest", ""), status: 400, contains: []string{"malformed"}},
		{name: "a list", call: post(signal, "key-ingest", `["`+secret+`"]`), status: 422, contains: []string{"wrong_type"}},
		{name: "unknown field", call: post(signal, "key-ingest", `{"name":"x","nme":"`+secret+`"}`), status: 422,
			contains: []string{`"unknown_field"`, `"path":"/nme"`}},
		{name: "an unknown field that is an address", call: post(signal, "key-ingest", `{"name":"x","`+secret+`":1}`), status: 422,
			contains: []string{`"unknown_field"`, `"path":"/*"`}},
		{name: "missing field", call: post(signal, "key-ingest", `{"properties":{"email":"`+secret+`"}}`), status: 422,
			contains: []string{`"missing_field"`, "name"}},
		{name: "wrong types", call: post(signal, "key-ingest", `{"name":{"a":"`+secret+`"},"properties":"`+secret+`"}`), status: 422,
			contains: []string{`"path":"/name"`, `"path":"/properties"`, `"wrong_type"`}},
		{name: "a number that does not fit", call: post(signal, "key-ingest", `{"name":"x","properties":{"a":1e999}}`), status: 400},
		{name: "a time that is none", call: post(signal, "key-ingest", `{"name":"x","occurred_at":"`+secret+`"}`), status: 422,
			contains: []string{`"path":"/occurred_at"`}},
		{name: "too long", call: post(signal, "key-ingest", `{"name":"`+strings.Repeat(secret, 20)+`"}`), status: 422, contains: []string{"invalid_value"}},
		{name: "too deep", call: post(signal, "key-ingest", `{"name":"x","properties":`+deep+`}`), status: 400, contains: []string{"malformed"}},
		{name: "NUL", call: post(signal, "key-ingest", `{"name":"secret\u0000"}`), status: 400, contains: []string{"malformed"}},
		{name: "too large", call: post(signal, "key-ingest", `{"name":"`+strings.Repeat("s", maxBody)+`"}`), status: 413, contains: []string{"too_large"}},
		{name: "unknown query", call: call{method: "GET", url: "/v1/contacts?emial=" + secret, key: "key-read"}, status: 400,
			contains: []string{"unknown_parameter", "query:emial"}},
		{name: "query that is no text", call: call{method: "GET", url: "/v1/contacts?email=a%00secret", key: "key-read"}, status: 400},
		{name: "path that is no text", call: call{method: "GET", url: "/v1/journeys/a%00secret", key: "key-read"}, status: 404},
		{name: "broken UTF-8", call: call{method: "GET", url: "/v1/journeys/%ff%fesecret", key: "key-read"}, status: 404},
		{name: "limit 0", call: call{method: "GET", url: "/v1/journeys?limit=0", key: "key-read"}, status: 422, contains: []string{"query:limit"}},
		{name: "limit 201", call: call{method: "GET", url: "/v1/journeys?limit=201", key: "key-read"}, status: 422, contains: []string{"query:limit"}},
		{name: "limit of words", call: call{method: "GET", url: "/v1/journeys?limit=secret", key: "key-read"}, status: 422, contains: []string{"wrong_type"}},
		{name: "cursor of ours for another list", call: call{method: "GET", url: "/v1/handoffs?cursor=" + cursorOf("secret"), key: "key-sales"},
			status: 422, contains: []string{"bad_cursor"}},
		{name: "cursor of nobody", call: call{method: "GET", url: "/v1/journeys?cursor=secret", key: "key-read"}, status: 422, contains: []string{"bad_cursor"}},
		{name: "text of nobody as cursor", call: call{method: "GET", url: "/v1/journeys?cursor=YWJj", key: "key-read"}, status: 422, contains: []string{"bad_cursor"}},
		{name: "an empty identity", call: call{method: "GET", url: "/v1/contacts?email=", key: "key-read"}, status: 422, contains: []string{"one_identity"}},
		{name: "two identities", call: call{method: "GET", url: "/v1/contacts?user_id=u1&email=" + secret, key: "key-read"}, status: 422},
		{name: "status that is none", call: call{method: "GET", url: "/v1/handoffs?status=secret", key: "key-sales"}, status: 422, contains: []string{"query:status"}},
		{name: "form", call: call{method: "POST", url: signal, key: "key-ingest", body: "name=secret",
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, status: 415, contains: []string{"unsupported_media_type"}},
		{name: "no such contact", call: post("/v1/contacts/"+absentID+"/signals", "key-ingest", `{"name":"x"}`), status: 404},
		{name: "an id that is none", call: post("/v1/contacts/secret/signals", "key-ingest", `{"name":"x"}`), status: 404},
		{name: "no such route", call: call{method: "GET", url: "/v1/secret", key: "key-admin"}, status: 404, contains: []string{"not_found"}},
		{name: "no such method", call: call{method: "DELETE", url: "/v1/journeys", key: "key-admin"}, status: 405, contains: []string{"method_not_allowed"}},
		{name: "no such page", call: call{method: "GET", url: "/secret"}, status: 404},
		{name: "a post to a page", call: call{method: "POST", url: "/", body: "{}"}, status: 404},
	}
	for i := range rows {
		rows[i].notContains = append(rows[i].notContains, never...)
	}
	return rows
}

func TestMalformedRequestsAreRefusedWithoutRepeatingThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, bad())
	require.NotContains(t, w.log.String(), "ana.secret")
	require.Empty(t, w.events)
}

func TestAbsentAndHiddenLookTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	header := map[string]string{requestIDHeader: "the-same"}
	one := w.do(t, call{method: "GET", url: "/v1/contacts/" + absentID, key: "key-read", header: header})
	two := w.do(t, call{method: "GET", url: "/v1/contacts/no-id-at-all", key: "key-read", header: header})
	three := w.do(t, call{method: "GET", url: "/v1/no-such-route", key: "key-read", header: header})
	require.Equal(t, one.Body.String(), two.Body.String())
	require.Equal(t, one.Body.String(), three.Body.String())
}

// everyCall is a call of each operation that gets as far as its ports.
func everyCall() []call {
	c := func(method, url, body string) call {
		return call{method: method, url: url, key: "key-admin", body: body}
	}
	return []call{
		c("POST", "/v1/contacts/"+contactID+"/signals", `{"name":"x"}`),
		c("POST", "/v1/journeys/trial/enrollments", `{"user_id":"u1"}`),
		c("PUT", "/v1/journeys/trial", `{"journey":"trial"}`),
		c("GET", "/v1/journeys/trial", ""), c("POST", "/v1/journeys/trial/publish", `{}`), c("GET", "/v1/journeys", ""),
		c("GET", "/v1/journeys/trial/versions", ""), c("GET", "/v1/journeys/trial/versions/1", ""),
		c("PUT", "/v1/templates/welcome", `{"subject":"Hi","body":{"intros":["Hi"]}}`), c("GET", "/v1/templates", ""), c("GET", "/v1/templates/welcome", ""),
		c("GET", "/v1/contacts?user_id=nobody", ""), c("GET", "/v1/contacts/"+contactID, ""), c("GET", "/v1/contacts/"+contactID+"/timeline", ""),
		c("GET", "/v1/messages?contact_id="+contactID, ""), c("GET", "/v1/messages/"+messageOf, ""),
		c("GET", "/v1/handoffs", ""), c("GET", "/v1/handoffs/"+handoffID, ""), c("POST", "/v1/handoffs/"+handoffID+"/accept", `{"owner":"ana"}`),
		c("POST", "/v1/handoffs/"+handoffID+"/reject", `{"reason":"no"}`), c("POST", "/v1/handoffs/"+handoffID+"/won", `{"amount":1}`),
		c("POST", "/v1/handoffs/"+handoffID+"/lost", `{"reason":"no"}`),
		c("GET", "/u/good-token", ""), c("POST", "/u/good-token", ""),
		c("POST", "/v1/track", `{"userId":"u1","event":"Seen"}`), c("POST", "/v1/batch", `{"batch":[{"type":"track","userId":"u1","event":"Seen"}]}`),
	}
}

func TestFailuresInsideSayNothingOutside(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fail   error
		panics bool
		status int
	}{
		"unknown error":   {fail: errors.New("secret: dial tcp 10.0.0.7:5432"), status: 500},
		"internal fault":  {fail: fault.Wrap(fault.Internal, "secret_code", "secret sentence", errors.New("secret cause")), status: 500},
		"a part is down":  {fail: fault.Wrap(fault.Unavailable, "secret_code", "secret sentence", errors.New("secret cause")), status: 503},
		"a panic":         {panics: true, status: 500},
		"huma's own type": {fail: fmt.Errorf("secret %w", http.ErrHandlerTimeout), status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fail, w.panics = tc.fail, tc.panics
			for _, c := range everyCall() {
				rec := w.do(t, c)
				require.Equal(t, tc.status, rec.Code, "%s %s: %s", c.method, c.url, rec.Body)
				require.NotContains(t, rec.Body.String(), "secret", c.url)
				require.Contains(t, rec.Body.String(), rec.Header().Get(requestIDHeader), "a 5xx names its request")
				require.Equal(t, tc.status == 503, rec.Header().Get("Retry-After") != "", c.url)
			}
			if !tc.panics {
				require.Contains(t, w.log.String(), "secret", "the log has what the client is not told")
			}
		})
	}
}

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.PublicURL = "https://journeys.example.test" })
	for _, c := range append(everyCall(), call{method: "GET", url: "/nowhere"}, call{method: "GET", url: "/v1/contacts"}) {
		h := w.do(t, c).Header()
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), c.url)
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'", c.url)
		require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'", c.url)
		require.NotEmpty(t, h.Get("Strict-Transport-Security"))
		require.NotContains(t, fmt.Sprint(h), "Set-Cookie")
		require.Equal(t, "no-store", h.Get("Cache-Control"), c.url)
	}
	plain := newWorld(t)
	require.Empty(t, plain.do(t, call{method: "GET", url: "/healthz"}).Header().Get("Strict-Transport-Security"))
}

func TestTheAccessLogHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range append(everyCall(), call{method: "GET", url: "/v1/contacts?email=ana%40example.test", key: "key-read"}) {
		w.do(t, c)
	}
	w.do(t, call{method: "GET", url: "/u/token-of-ana"})
	w.do(t, call{method: "GET", url: "/somewhere/ana?email=ana%40example.test"})
	log := w.log.String()
	for _, personal := range []string{"ana", contactID, "good-token", "email=", "key-admin", "key-read"} {
		require.NotContains(t, log, personal)
	}
	require.Contains(t, log, "/v1/contacts/:id/timeline")
	require.Contains(t, log, "/u/:token")
}

func TestARequestIdIsKeptWhenItIsPlain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(id string) string {
		return w.do(t, call{method: "GET", url: "/healthz", header: map[string]string{requestIDHeader: id}}).Header().Get(requestIDHeader)
	}
	require.Equal(t, "abc-123", ask("abc-123"))
	for _, odd := range []string{"", "a b", strings.Repeat("x", 65), "ana@example.test", `"}{"`} {
		require.Len(t, ask(odd), 36)
	}
}

func TestAMethodThatIsNotAllowedNamesThoseThatAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodDelete, "/v1/journeys/trial", nil))
	require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
	require.Contains(t, rec.Header().Get("Allow"), "PUT")
}

// A body without Content-Length is counted while it is read.
func TestTheLimitHoldsForStreamsToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for size, status := range map[int]int{maxDocument: http.StatusOK, maxDocument + 1: http.StatusRequestEntityTooLarge} {
		r := call{method: "PUT", url: "/v1/journeys/stream", key: "key-journeys", body: strings.Repeat("#", size)}.request()
		r.ContentLength = -1
		r.Header.Set("Content-Type", "text/plain")
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		require.Equal(t, status, rec.Code, rec.Body)
	}
}

// What can be no name of anything doesn't reach a port: here every one of them would fail.
func TestPathsThatAreNoTextGetNoFurther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail = errors.New("asked")
	for _, url := range []string{"/v1/journeys/a%00b", "/v1/templates/%ff%fe", "/u/%00"} {
		require.Equal(t, http.StatusNotFound, w.do(t, call{method: "GET", url: url, key: "key-admin"}).Code, url)
	}
}
