package api

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/analytics-go/v3"
	"github.com/stretchr/testify/require"
)

func basic(user string) map[string]string {
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(user))}
}

func zipped(s string) string {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	_, _ = zw.Write([]byte(s))
	_ = zw.Close()
	return b.String()
}

func TestTrackingAnswers(t *testing.T) {
	t.Parallel()
	const track = `{"userId":"u1","event":"Seen"}`
	post := func(url, body string, header map[string]string) call {
		return call{method: http.MethodPost, url: url, body: body, header: header}
	}
	with := func(header map[string]string, name, value string) map[string]string {
		out := map[string]string{name: value}
		for k, v := range header {
			out[k] = v
		}
		return out
	}
	key := basic("key-ingest:")
	items := func(n int) string {
		return `{"batch":[` + strings.TrimSuffix(strings.Repeat(`{"type":"track","userId":"u","event":"e"},`, n), ",") + `]}`
	}
	const yes = `{"success":true}`
	newWorld(t).run(t, []row{
		{name: "basic", call: post("/v1/track", track, key), status: 200, contains: []string{yes}},
		{name: "basic without colon", call: post("/v1/track", track, basic("key-ingest")), status: 200, contains: []string{yes}},
		{name: "basic without padding", call: post("/v1/track", track, map[string]string{"Authorization": "Basic " +
			base64.RawStdEncoding.EncodeToString([]byte("key-ingest:"))}), status: 200},
		{name: "bearer", call: call{method: "POST", url: "/v1/track", body: track, key: "key-ingest"}, status: 200},
		{name: "in the body", call: post("/v1/track", `{"writeKey":"key-ingest","userId":"u","event":"e"}`, nil), status: 200},
		{name: "in the batch", call: post("/v1/batch", `{"writeKey":"key-ingest","batch":[]}`, nil), status: 200},
		{name: "no key", call: post("/v1/track", track, nil), status: 401, contains: []string{`"success":false`}},
		{name: "unknown key", call: post("/v1/track", track, basic("secret:")), status: 401, contains: []string{`"success":false`}, notContains: []string{"secret"}},
		{name: "an unknown key in the header wins", call: post("/v1/track", `{"writeKey":"key-ingest","userId":"u","event":"e"}`, basic("secret:")), status: 401},
		{name: "broken header", call: post("/v1/track", track, map[string]string{"Authorization": "Basic %%%"}), status: 401},
		{name: "wrong scope", call: post("/v1/track", track, basic("key-read:")), status: 403, contains: []string{`"success":false`}},
		{name: "trailing slash", call: post("/v1/track/", track, key), status: 200},
		{name: "trailing slash", call: post("/v1/batch/", items(1), key), status: 200},
		{name: "text/plain", call: post("/v1/track", track, with(key, "Content-Type", "text/plain")), status: 200},
		{name: "form", call: post("/v1/track", track, with(key, "Content-Type", "application/x-www-form-urlencoded")), status: 200},
		{name: "gzip", call: post("/v1/track", zipped(track), with(key, "Content-Encoding", "gzip")), status: 200},
		{name: "gzip without header", call: post("/v1/track", zipped(track), key), status: 200},
		{name: "header without gzip", call: post("/v1/track", track, with(key, "Content-Encoding", "gzip")), status: 200},
		{name: "broken gzip", call: post("/v1/track", zipped(track)[:20], key), status: 400},
		{name: "gzip bomb", call: post("/v1/batch", zipped(items(200_000)), key), status: 400, contains: []string{`"success":false`}},
		{name: "BOM", call: post("/v1/track", "\xef\xbb\xbf"+track, key), status: 200},
		{name: "no json", call: post("/v1/batch", `{"batch":[secret`, key), status: 400, contains: []string{"invalid json"}, notContains: []string{"secret"}},
		{name: "null", call: post("/v1/batch", `null`, key), status: 400},
		{name: "list", call: post("/v1/batch", `[]`, key), status: 400},
		{name: "empty", call: post("/v1/batch", ``, key), status: 400},
		{name: "no batch", call: post("/v1/batch", track, key), status: 400},
		{name: "batch null", call: post("/v1/batch", `{"batch":null}`, key), status: 400},
		{name: "too deep for anyone", call: post("/v1/track", strings.Repeat("[", 20_000), key), status: 400},
		{name: "one call too large", call: post("/v1/track", `{"userId":"u","event":"`+strings.Repeat("e", maxTrackingItem)+`"}`, key), status: 400},
		{name: "batch too large", call: post("/v1/batch", items(13_000), key), status: 400, contains: []string{`"success":false`}},
		{name: "nothing usable is still taken", call: post("/v1/batch", `{"batch":[1,null,{},{"type":"track"}]}`, key), status: 200, contains: []string{yes}},
	})
}

func TestTooManyItemsAreCutOffAndCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	items := strings.TrimSuffix(strings.Repeat(`{"type":"track","userId":"u","event":"e"},`, maxTrackingItems+5), ",")
	w.run(t, []row{{name: "batch", call: call{method: "POST", url: "/v1/batch", key: "key-ingest", body: `{"batch":[` + items + `]}`}, status: 200}})
	require.Len(t, w.events, maxTrackingItems)
	metrics := w.do(t, call{method: "GET", url: "/metrics"}).Body.String()
	require.Contains(t, metrics, `throughline_events_total{outcome="refused",reason="too_many_items"} 5`)
	require.Contains(t, metrics, fmt.Sprintf(`throughline_events_total{outcome="accepted",reason=""} %d`, maxTrackingItems))
	require.Contains(t, metrics, `throughline_http_requests_total{method="POST",route="/v1/batch",status="200"} 1`)
}

func TestMessageIDs(t *testing.T) {
	t.Parallel()
	require.Equal(t, "abc", messageID("abc"))
	require.Len(t, messageID(""), 36)
	require.NotEqual(t, messageID(""), messageID(""))
	long := strings.Repeat("x", 101)
	require.Equal(t, messageID(long), messageID(long), "a retry of a long id is still a duplicate")
	require.NotEqual(t, messageID(long), messageID(long+"y"))
	require.LessOrEqual(t, len(messageID(long)), maxMessageID)
}

func TestARepeatedCallIsADuplicateOfItsKeyOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	track := `{"userId":"u1","event":"Wake","messageId":"m1"}`
	for _, key := range []string{"key-ingest", "key-ingest", "key-admin"} {
		w.run(t, []row{{name: key, call: call{method: "POST", url: "/v1/track", key: key, body: track}, status: 200}})
	}
	require.Len(t, w.events, 2)
	require.Equal(t, []string{"id-ingest", "id-admin"}, []string{w.events[0].Source, w.events[1].Source})
	require.NoError(t, w.handler.Drain(t.Context()))
	require.NotEmpty(t, w.poked)
	require.Contains(t, w.do(t, call{method: "GET", url: "/metrics"}).Body.String(), `throughline_events_total{outcome="duplicate",reason=""} 1`)
}

// outcome hears from the SDK what became of each message.
type outcome struct{ sent, failed chan analytics.Message }

func (o outcome) Success(m analytics.Message)          { o.sent <- m }
func (o outcome) Failure(m analytics.Message, _ error) { o.failed <- m }

func TestTheSegmentGoClientIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	defer server.Close()
	heard := outcome{sent: make(chan analytics.Message, 10), failed: make(chan analytics.Message, 10)}
	w.now = time.Now().Add(time.Second).UTC()
	client, err := analytics.NewWithConfig("key-ingest", analytics.Config{Endpoint: server.URL, BatchSize: 3, Callback: heard, Logger: quiet{t}})
	require.NoError(t, err)
	require.NoError(t, client.Enqueue(analytics.Identify{UserId: "u1", Traits: analytics.NewTraits().SetEmail("ana@example.test").Set("plan", "trial"),
		Context: &analytics.Context{Timezone: "Europe/Berlin", Locale: "de-DE"}}))
	require.NoError(t, client.Enqueue(analytics.Track{UserId: "u1", Event: "Project Created", Properties: analytics.NewProperties().Set("kind", "demo")}))
	require.NoError(t, client.Enqueue(analytics.Page{UserId: "u1", Name: "Home"}))
	require.NoError(t, client.Close())
	require.Len(t, heard.sent, 3)
	require.Empty(t, heard.failed)
	require.Len(t, w.events, 3)
	identify, track := w.events[0], w.events[1]
	require.Equal(t, "trial", identify.Traits["plan"])
	require.Equal(t, []string{"ana@example.test", "Europe/Berlin", "de-DE"}, []string{identify.Email, identify.Timezone, identify.Locale})
	require.Equal(t, []string{"Project Created", "u1"}, []string{track.Name, track.UserID})
	require.Equal(t, "demo", track.Properties["kind"])
	require.NotEmpty(t, track.MessageID)
	require.Equal(t, "Home", w.events[2].Properties["name"])
	require.WithinDuration(t, time.Now(), track.OccurredAt, 10*time.Second)
}

type quiet struct{ t *testing.T }

func (q quiet) Logf(format string, args ...any)   { q.t.Logf(format, args...) }
func (q quiet) Errorf(format string, args ...any) { q.t.Errorf(format, args...) }
