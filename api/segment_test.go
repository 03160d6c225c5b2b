package api

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/analytics-go/v3"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
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
		{name: "gzip bomb", call: post("/v1/batch", zipped(items(200_000)), key), status: 413, contains: []string{`"success":false`}},
		{name: "BOM", call: post("/v1/track", "\xef\xbb\xbf"+track, key), status: 200},
		{name: "no json", call: post("/v1/batch", `{"batch":[secret`, key), status: 400, contains: []string{"invalid json"}, notContains: []string{"secret"}},
		{name: "null", call: post("/v1/batch", `null`, key), status: 400},
		{name: "list", call: post("/v1/batch", `[]`, key), status: 400},
		{name: "empty", call: post("/v1/batch", ``, key), status: 400},
		{name: "no batch", call: post("/v1/batch", track, key), status: 400},
		{name: "batch null", call: post("/v1/batch", `{"batch":null}`, key), status: 400},
		{name: "too deep for anyone", call: post("/v1/track", strings.Repeat("[", 20_000), key), status: 400},
		{name: "one call too large", call: post("/v1/track", `{"userId":"u","event":"`+strings.Repeat("e", maxTrackingItem)+`"}`, key), status: 400},
		{name: "batch too large", call: post("/v1/batch", items(13_000), key), status: 413, contains: []string{`"success":false`}},
		{name: "nothing usable is still taken", call: post("/v1/batch", `{"batch":[1,null,{},{"type":"track"}]}`, key), status: 200, contains: []string{yes}},
	})
}

func TestTrackingItems(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time { v, err := time.Parse(time.RFC3339, s); require.NoError(t, err); return v }
	for _, tc := range []struct {
		name, item string
		want       audience.Incoming
		refused    string
	}{
		{name: "track", item: `{"type":"track","userId":"u1","event":" Project Created ","properties":{"n":1},"messageId":"m","timestamp":"2026-11-23T11:00:00Z"}`,
			want: audience.Incoming{Type: "track", UserID: "u1", Name: "Project Created", MessageID: "m", Properties: map[string]any{"n": 1.0},
				OccurredAt: at("2026-11-23T11:00:00Z")}},
		{name: "identify", item: `{"type":"identify","anonymousId":"a1","messageId":"m","traits":{"email":"Ana@Example.test","plan":null},"context":{"timezone":"Europe/Berlin","locale":"de-DE"}}`,
			want: audience.Incoming{Type: "identify", AnonymousID: "a1", MessageID: "m", Email: "Ana@example.test", Timezone: "Europe/Berlin", Locale: "de-DE",
				Traits: map[string]any{"email": "Ana@Example.test", "plan": nil}, OccurredAt: testNow}},
		{name: "numeric id, null anonymousId", item: `{"type":"track","userId":12345678901234567,"anonymousId":null,"event":"e","messageId":"m"}`,
			want: audience.Incoming{Type: "track", UserID: "12345678901234567", Name: "e", MessageID: "m", OccurredAt: testNow}},
		{name: "address from the context", item: `{"type":"track","userId":"u","event":"e","messageId":"m","properties":{"email":"p@example.test"},"context":{"traits":{"email":"c@example.test"}}}`,
			want: audience.Incoming{Type: "track", UserID: "u", Name: "e", MessageID: "m", Email: "c@example.test", Properties: map[string]any{"email": "p@example.test"}, OccurredAt: testNow}},
		{name: "address from the properties", item: `{"type":"track","userId":"u","event":"e","messageId":"m","properties":{"email":"p@example.test"}}`,
			want: audience.Incoming{Type: "track", UserID: "u", Name: "e", MessageID: "m", Email: "p@example.test", Properties: map[string]any{"email": "p@example.test"}, OccurredAt: testNow}},
		{name: "address from the user id", item: `{"type":"track","userId":"u@example.test","event":"e","messageId":"m","properties":{"email":"none"}}`,
			want: audience.Incoming{Type: "track", UserID: "u@example.test", Name: "e", MessageID: "m", Email: "u@example.test", Properties: map[string]any{"email": "none"}, OccurredAt: testNow}},
		{name: "NUL is taken out", item: `{"type":"track","userId":"u\u0000","event":"e","messageId":"m","properties":{"a\u0000":["\u0000b"]}}`,
			want: audience.Incoming{Type: "track", UserID: "u", Name: "e", MessageID: "m", Properties: map[string]any{"a": []any{"b"}}, OccurredAt: testNow}},
		{name: "what is no object is empty", item: `{"type":"identify","userId":"u","messageId":"m","traits":[],"context":"x","properties":1}`,
			want: audience.Incoming{Type: "identify", UserID: "u", MessageID: "m", OccurredAt: testNow}},
		{name: "a zone that is none", item: `{"type":"identify","userId":"u","messageId":"m","context":{"timezone":"../etc/passwd","locale":"<b>"}}`,
			want: audience.Incoming{Type: "identify", UserID: "u", MessageID: "m", OccurredAt: testNow}},
		{name: "no id", item: `{"type":"track","event":"e","properties":{"email":"p@example.test"}}`, refused: "no_id"},
		{name: "no event", item: `{"type":"track","userId":"u"}`, refused: "no_event_name"},
		{name: "long event", item: `{"type":"track","userId":"u","event":"` + strings.Repeat("é", 201) + `"}`, refused: "event_name_too_long"},
		{name: "long id", item: `{"type":"track","event":"e","userId":"` + strings.Repeat("u", 256) + `"}`, refused: "id_too_long"},
		{name: "no type", item: `{"userId":"u"}`, refused: "no_type"},
		{name: "unknown type", item: `{"type":"dance","userId":"u"}`, refused: "unknown_type"},
		{name: "page", item: `{"type":"page","userId":"u"}`, refused: "page"},
		{name: "no object", item: `7`, refused: "not_an_object"},
		{name: "large", item: `{"type":"track","event":"e","userId":"u","properties":{"a":"` + strings.Repeat("a", maxTrackingItem) + `"}}`, refused: "too_large"},
		{name: "deep", item: `{"type":"track","event":"e","userId":"u","properties":` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40) + `}`, refused: "too_deep"},
		{name: "a number that does not fit", item: `{"type":"track","event":"e","userId":"u","properties":{"a":1e999}}`, refused: "bad_value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			body, err := decodeTracking([]byte(`{"batch":[`+tc.item+`]}`), "")
			require.NoError(t, err)
			in := body.incoming("key", testNow)
			if tc.refused != "" {
				require.Empty(t, in.events)
				require.Len(t, in.dropped, 1)
				require.Equal(t, tc.refused, in.reasons()[0].text)
				return
			}
			require.Empty(t, in.dropped)
			tc.want.Source = "key"
			require.Equal(t, []audience.Incoming{tc.want}, in.events)
		})
	}
}

func TestABatchLiesUnderItsItems(t *testing.T) {
	t.Parallel()
	body, err := decodeTracking([]byte(`{"sentAt":"2026-11-23T10:00:00Z","context":{"locale":"de","timezone":"Europe/Berlin"},"messageId":"of-the-batch","batch":[
		{"type":"track","userId":"u","event":"a","messageId":"1","timestamp":"2026-11-23T09:00:00Z","context":{"locale":"fr"}},
		{"type":"track","userId":"u","event":"b","messageId":"2","timestamp":"2026-11-23T09:00:00Z","sentAt":"2026-11-23T09:30:00Z"}]}`), "")
	require.NoError(t, err)
	in := body.incoming("key", testNow)
	require.Len(t, in.events, 2)
	require.Equal(t, []string{"fr", "Europe/Berlin", "de"}, []string{in.events[0].Locale, in.events[0].Timezone, in.events[1].Locale})
	require.Equal(t, testNow.Add(-time.Hour), in.events[0].OccurredAt)
	require.Equal(t, testNow.Add(-30*time.Minute), in.events[1].OccurredAt)
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

func TestTimesAreCorrectedForTheSendersClock(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seconds := func(name string, most int64) time.Duration {
			return time.Duration(rapid.Int64Range(0, most).Draw(t, name)) * time.Second
		}
		ago, transit := seconds("ago", 1e8), seconds("transit", 600)
		skew := time.Duration(rapid.Int64Range(-1e8, 1e8).Draw(t, "skew")) * time.Second
		happened := testNow.Add(-ago)
		sent := testNow.Add(-transit)
		if happened.After(sent) {
			happened = sent
		}
		// A clock that is off by any amount gives the same result as one that is right.
		fields := map[string]json.RawMessage{
			"timestamp": json.RawMessage(`"` + happened.Add(skew).Format(time.RFC3339Nano) + `"`),
			"sentAt":    json.RawMessage(`"` + sent.Add(skew).Format(time.RFC3339Nano) + `"`),
		}
		require.Equal(t, happened.Add(transit), occurredAt(fields, "", testNow))
	})
}

func TestTimesThatMeanNothing(t *testing.T) {
	t.Parallel()
	hour := testNow.Add(-time.Hour)
	for _, tc := range []struct {
		name, timestamp, original, sent string
		want                            time.Time
	}{
		{name: "nothing", want: testNow},
		{name: "no sentAt", timestamp: "2026-11-23T11:00:00Z", want: hour},
		{name: "nanoseconds", timestamp: "2026-11-23T11:00:00.000000000Z", want: hour},
		{name: "no zone", timestamp: "2026-11-23T11:00:00", want: hour},
		{name: "a space", timestamp: "2026-11-23 11:00:00", want: hour},
		{name: "another zone", timestamp: "2026-11-23T12:00:00+01:00", want: hour},
		{name: "the original wins", timestamp: "2026-11-23T10:00:00Z", original: "2026-11-23T11:00:00Z", want: hour},
		{name: "the future", timestamp: "2027-01-01T00:00:00Z", want: testNow},
		{name: "nonsense", timestamp: "yesterday", want: testNow},
		{name: "the zero time of Go as sentAt", timestamp: "2026-11-23T11:00:00Z", sent: "0001-01-01T00:00:00Z", want: hour},
		{name: "sent before it happened", timestamp: "2026-11-23T11:00:00Z", sent: "2026-11-23T10:00:00Z", want: testNow},
		{name: "sent in the year 9999", timestamp: "2026-11-23T11:00:00Z", sent: "9999-12-31T23:59:59Z", want: testNow},
		{name: "an import", timestamp: "2020-02-03T00:00:00Z", sent: "2026-11-23T12:00:00Z", want: time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			fields := map[string]json.RawMessage{}
			for name, value := range map[string]string{"timestamp": tc.timestamp, "originalTimestamp": tc.original, "sentAt": tc.sent} {
				if value != "" {
					fields[name] = json.RawMessage(`"` + value + `"`)
				}
			}
			require.Equal(t, tc.want, occurredAt(fields, "", testNow))
		})
	}
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
	require.Len(t, w.events, 2)
	identify, track := w.events[0], w.events[1]
	require.Equal(t, "trial", identify.Traits["plan"])
	require.Equal(t, []string{"ana@example.test", "Europe/Berlin", "de-DE"}, []string{identify.Email, identify.Timezone, identify.Locale})
	require.Equal(t, []string{"Project Created", "u1"}, []string{track.Name, track.UserID})
	require.Equal(t, "demo", track.Properties["kind"])
	require.NotEmpty(t, track.MessageID)
	require.WithinDuration(t, time.Now(), track.OccurredAt, 10*time.Second)
}

type quiet struct{ t *testing.T }

func (q quiet) Logf(format string, args ...any)   { q.t.Logf(format, args...) }
func (q quiet) Errorf(format string, args ...any) { q.t.Errorf(format, args...) }

func FuzzSegmentBatch(f *testing.F) {
	for _, seed := range []string{
		`{"batch":[{"type":"track","userId":"u","event":"e","properties":{"a":[1,{"b":null}]},"timestamp":"2026-11-23T11:00:00Z"}],"sentAt":"2026-11-23T11:00:01Z"}`,
		`{"batch":[{"type":"identify","anonymousId":1e9,"traits":{"email":"a@example.test","x\u0000":"\u0000"}}],"writeKey":"k","context":{"timezone":"UTC"}}`,
		`{"batch":[null,1,"",{},{"type":"page"}]}`, `[]`, `null`, `{"batch":{}}`, "\xef\xbb\xbf{}", "\x1f\x8b",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, single bool) {
		implied := ""
		if single {
			implied = "track"
		}
		r := httptest.NewRequest(http.MethodPost, "/v1/batch", bytes.NewReader(data))
		raw, err := readTracking(r)
		if err != nil {
			return
		}
		body, err := decodeTracking(raw, implied)
		if err != nil {
			require.GreaterOrEqual(t, problemOf(err).Status, 400)
			return
		}
		in := body.incoming("key", testNow)
		dropped := 0
		for _, n := range in.dropped {
			dropped += n
		}
		require.Equal(t, len(body.Items), len(in.events)+dropped, "every item is taken or counted")
		for _, e := range in.events {
			require.NotEmpty(t, e.UserID+e.AnonymousID)
			require.NotEmpty(t, e.MessageID)
			require.LessOrEqual(t, len([]rune(e.MessageID)), maxMessageID)
			require.Equal(t, e.Type == audience.TypeTrack, e.Name != "")
			require.False(t, e.OccurredAt.After(testNow))
			require.GreaterOrEqual(t, e.OccurredAt.Year(), 1970)
			stored, err := json.Marshal([]any{e.Traits, e.Properties, e.Name, e.UserID, e.AnonymousID, e.MessageID, e.Email, e.Locale})
			require.NoError(t, err)
			require.NoError(t, checkJSON(stored), "it can be stored")
		}
	})
}
