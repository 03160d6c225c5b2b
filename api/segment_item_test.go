package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
)

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
				Traits: map[string]any{"email": "Ana@Example.test", "plan": nil}, OccurredAt: testNow,
				Context: map[string]any{"timezone": "Europe/Berlin", "locale": "de-DE"}}},
		{name: "numeric id, null anonymousId", item: `{"type":"track","userId":12345678901234567,"anonymousId":null,"event":"e","messageId":"m"}`,
			want: audience.Incoming{Type: "track", UserID: "12345678901234567", Name: "e", MessageID: "m", OccurredAt: testNow}},
		{name: "address from the context", item: `{"type":"track","userId":"u","event":"e","messageId":"m","properties":{"email":"p@example.test"},"context":{"traits":{"email":"c@example.test"}}}`,
			want: audience.Incoming{Type: "track", UserID: "u", Name: "e", MessageID: "m", Email: "c@example.test", Properties: map[string]any{"email": "p@example.test"}, OccurredAt: testNow,
				Context: map[string]any{"traits": map[string]any{"email": "c@example.test"}}}},
		{name: "address from the properties", item: `{"type":"track","userId":"u","event":"e","messageId":"m","properties":{"email":"p@example.test"}}`,
			want: audience.Incoming{Type: "track", UserID: "u", Name: "e", MessageID: "m", Email: "p@example.test", Properties: map[string]any{"email": "p@example.test"}, OccurredAt: testNow}},
		{name: "address from the user id", item: `{"type":"track","userId":"u@example.test","event":"e","messageId":"m","properties":{"email":"none"}}`,
			want: audience.Incoming{Type: "track", UserID: "u@example.test", Name: "e", MessageID: "m", Email: "u@example.test", Properties: map[string]any{"email": "none"}, OccurredAt: testNow}},
		{name: "NUL is taken out", item: `{"type":"track","userId":"u\u0000","event":"e","messageId":"m","properties":{"a\u0000":["\u0000b"]}}`,
			want: audience.Incoming{Type: "track", UserID: "u", Name: "e", MessageID: "m", Properties: map[string]any{"a": []any{"b"}}, OccurredAt: testNow}},
		{name: "what is no object is empty", item: `{"type":"identify","userId":"u","messageId":"m","traits":[],"context":"x","properties":1}`,
			want: audience.Incoming{Type: "identify", UserID: "u", MessageID: "m", OccurredAt: testNow}},
		{name: "a zone that is none", item: `{"type":"identify","userId":"u","messageId":"m","context":{"timezone":"../etc/passwd","locale":"<b>"}}`,
			want: audience.Incoming{Type: "identify", UserID: "u", MessageID: "m", OccurredAt: testNow,
				Context: map[string]any{"timezone": "../etc/passwd", "locale": "<b>"}}},
		{name: "traits in the context", item: `{"type":"identify","userId":"u","messageId":"m","context":{"traits":{"email":"c@example.test","plan":"pro","timezone":"UTC"}}}`,
			want: audience.Incoming{Type: "identify", UserID: "u", MessageID: "m", Email: "c@example.test", Timezone: "UTC", OccurredAt: testNow,
				Traits: map[string]any{"email": "c@example.test", "plan": "pro", "timezone": "UTC"}}},
		{name: "own traits win over those of the context", item: `{"type":"identify","userId":"u","messageId":"m","traits":{"plan":"trial"},"context":{"traits":{"plan":"pro"}}}`,
			want: audience.Incoming{Type: "identify", UserID: "u", MessageID: "m", Traits: map[string]any{"plan": "trial"}, OccurredAt: testNow}},
		{name: "page", item: `{"type":"page","userId":null,"anonymousId":"a1","messageId":"m","name":"Home","category":"Docs","properties":{"path":"/","name":"of the properties"}}`,
			want: audience.Incoming{Type: "page", AnonymousID: "a1", Name: "Page Viewed", MessageID: "m", OccurredAt: testNow,
				Properties: map[string]any{"path": "/", "name": "Home", "category": "Docs"}}},
		{name: "page with nothing", item: `{"type":"page","anonymousId":"a1","messageId":"m"}`,
			want: audience.Incoming{Type: "page", AnonymousID: "a1", Name: "Page Viewed", MessageID: "m", OccurredAt: testNow}},
		{name: "screen", item: `{"type":"Screen","userId":"u","anonymousId":"a1","messageId":"m","name":"Inbox"}`,
			want: audience.Incoming{Type: "screen", UserID: "u", AnonymousID: "a1", Name: "Screen Viewed", MessageID: "m", OccurredAt: testNow,
				Properties: map[string]any{"name": "Inbox"}}},
		{name: "group", item: `{"type":"group","userId":"u","groupId":7,"messageId":"m","traits":{"email":"office@acme.test","timezone":"UTC","name":"Acme"},"context":{"traits":{"email":"c@example.test"}}}`,
			want: audience.Incoming{Type: "group", UserID: "u", GroupID: "7", MessageID: "m", Email: "c@example.test", OccurredAt: testNow,
				GroupTraits: map[string]any{"email": "office@acme.test", "timezone": "UTC", "name": "Acme"},
				Context:     map[string]any{"traits": map[string]any{"email": "c@example.test"}}}},
		{name: "alias", item: `{"type":"alias","userId":"u","previousId":"a1","anonymousId":"a1","messageId":"m"}`,
			want: audience.Incoming{Type: "alias", UserID: "u", PreviousID: "a1", AnonymousID: "a1", MessageID: "m", OccurredAt: testNow}},
		{name: "alias of itself", item: `{"type":"alias","userId":"u","previousId":"u"}`, refused: "alias_of_itself"},
		{name: "alias of nobody", item: `{"type":"alias","userId":"u"}`, refused: "no_previous_id"},
		{name: "alias without a user", item: `{"type":"alias","anonymousId":"a","previousId":"p"}`, refused: "no_id"},
		{name: "alias of a long id", item: `{"type":"alias","userId":"u","previousId":"` + strings.Repeat("p", 256) + `"}`, refused: "id_too_long"},
		{name: "group without a company", item: `{"type":"group","userId":"u"}`, refused: "no_group_id"},
		{name: "group of a long id", item: `{"type":"group","userId":"u","groupId":"` + strings.Repeat("p", 256) + `"}`, refused: "id_too_long"},
		{name: "page without an id", item: `{"type":"page","name":"Home"}`, refused: "no_id"},
		{name: "a name of ours", item: `{"type":"track","userId":"u","event":" Segment Entered: vip"}`, refused: "reserved_name"},
		{name: "a type of ours", item: `{"type":"system","userId":"u","event":"x"}`, refused: "unknown_type"},
		{name: "a signal", item: `{"type":"signal","userId":"u","event":"x"}`, refused: "unknown_type"},
		{name: "traits too deep", item: `{"type":"group","groupId":"g","userId":"u","traits":` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40) + `}`, refused: "too_deep"},
		{name: "no id", item: `{"type":"track","event":"e","properties":{"email":"p@example.test"}}`, refused: "no_id"},
		{name: "no event", item: `{"type":"track","userId":"u"}`, refused: "no_event_name"},
		{name: "long event", item: `{"type":"track","userId":"u","event":"` + strings.Repeat("é", 201) + `"}`, refused: "event_name_too_long"},
		{name: "long id", item: `{"type":"track","event":"e","userId":"` + strings.Repeat("u", 256) + `"}`, refused: "id_too_long"},
		{name: "no type", item: `{"userId":"u"}`, refused: "no_type"},
		{name: "unknown type", item: `{"type":"dance","userId":"u"}`, refused: "unknown_type"},
		{name: "no object", item: `7`, refused: "not_an_object"},
		{name: "large", item: `{"type":"track","event":"e","userId":"u","properties":{"a":"` + strings.Repeat("a", maxTrackingItem) + `"}}`, refused: "too_large"},
		{name: "deep", item: `{"type":"track","event":"e","userId":"u","properties":` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40) + `}`, refused: "too_deep"},
		{name: "a number that does not fit", item: `{"type":"track","event":"e","userId":"u","properties":{"a":1e999}}`, refused: "bad_value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			body, err := decodeTracking([]byte(`{"batch":[`+tc.item+`]}`), "")
			require.NoError(t, err)
			in := body.incoming(sender{source: "key", now: testNow})
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
	in := body.incoming(sender{source: "key", now: testNow})
	require.Len(t, in.events, 2)
	require.Equal(t, []string{"fr", "Europe/Berlin", "de"}, []string{in.events[0].Locale, in.events[0].Timezone, in.events[1].Locale})
	require.Equal(t, testNow.Add(-time.Hour), in.events[0].OccurredAt)
	require.Equal(t, testNow.Add(-30*time.Minute), in.events[1].OccurredAt)
}

func TestWhatIsKeptOfTheContext(t *testing.T) {
	t.Parallel()
	utm := map[string]any{"source": "news", "name": "spring", "id": "7"}
	for _, tc := range []struct {
		name, item string
		keepIP     bool
		want       map[string]any
	}{
		{name: "nothing", item: `{"type":"track","context":{}}`},
		{name: "null and empty", item: `{"type":"track","context":{"page":null,"campaign":{},"userAgent":"","externalId":[]}}`},
		{name: "what has a meaning", item: `{"type":"track","context":{"app":{"name":"a"},"device":{"type":"ios"},"os":{"name":"iOS"},"userAgent":"UA","groupId":"g",
			"externalId":[{"id":"1"}],"referrer":{"id":"r"},"page":{"path":"/","referrer":"https://from.test/"},"locale":"de","timezone":"UTC",
			"library":{"name":"x"},"network":{"wifi":true},"screen":{"width":1},"consent":{},"ip":"192.0.2.1"}}`,
			want: map[string]any{"app": map[string]any{"name": "a"}, "device": map[string]any{"type": "ios"}, "os": map[string]any{"name": "iOS"}, "userAgent": "UA",
				"groupId": "g", "externalId": []any{map[string]any{"id": "1"}}, "referrer": map[string]any{"id": "r"},
				"page": map[string]any{"path": "/", "referrer": "https://from.test/"}, "locale": "de", "timezone": "UTC"}},
		{name: "a member that can't be stored", item: `{"type":"track","context":{"page":{"path":1e999},"app":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `,"userAgent":"U\u0000A"}}`,
			want: map[string]any{"userAgent": "UA"}},
		{name: "campaign of the client", item: `{"type":"track","context":{"campaign":{"source":"own"},"page":{"search":"?utm_source=news"}}}`,
			want: map[string]any{"campaign": map[string]any{"source": "own"}, "page": map[string]any{"search": "?utm_source=news"}}},
		{name: "campaign in the search", item: `{"type":"track","context":{"campaign":{},"page":{"search":"?a=1&utm_source=news&utm_campaign=spring&utm_id=7&utm_term=&utm_%00=x"}}}`,
			want: map[string]any{"campaign": utm, "page": map[string]any{"search": "?a=1&utm_source=news&utm_campaign=spring&utm_id=7&utm_term=&utm_%00=x"}}},
		{name: "campaign in the address of the page", item: `{"type":"track","context":{"page":{"url":"https://x.test/?utm_source=a%20b#?utm_source=c"}}}`,
			want: map[string]any{"campaign": map[string]any{"source": "a b"}, "page": map[string]any{"url": "https://x.test/?utm_source=a%20b#?utm_source=c"}}},
		{name: "campaign in the properties", item: `{"type":"page","properties":{"url":"https://x.test/?utm_medium=mail"}}`,
			want: map[string]any{"campaign": map[string]any{"medium": "mail"}}},
		{name: "address as given", keepIP: true, item: `{"type":"track","context":{"ip":"192.0.2.1","library":{"name":"analytics.js"}}}`, want: map[string]any{"ip": "192.0.2.1"}},
		{name: "address of a browser", keepIP: true, item: `{"type":"track","context":{"library":{"name":"analytics.js"}}}`, want: map[string]any{"ip": "203.0.113.7"}},
		{name: "address of a device that says so", keepIP: true, item: `{"type":"track","context":{"direct":true}}`, want: map[string]any{"ip": "203.0.113.7"}},
		{name: "address of a server", keepIP: true, item: `{"type":"track","context":{"library":{"name":"analytics-node"},"direct":"true"}}`},
		{name: "no address unless asked for", item: `{"type":"track","context":{"direct":true,"ip":"192.0.2.1","library":{"name":"analytics.js"}}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			body, err := decodeTracking([]byte(`{"batch":[`+strings.Replace(tc.item, `{`, `{"userId":"u","event":"e",`, 1)+`]}`), "")
			require.NoError(t, err)
			in := body.incoming(sender{source: "key", now: testNow, keepIP: tc.keepIP, ip: "203.0.113.7"})
			require.Empty(t, in.dropped)
			require.Len(t, in.events, 1)
			require.Equal(t, tc.want, in.events[0].Context)
		})
	}
}

func TestCampaignsAreBounded(t *testing.T) {
	t.Parallel()
	var query strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&query, "&utm_p%d=v", i)
	}
	require.Len(t, campaignIn(query.String()), maxCampaign)
	require.Empty(t, campaignIn("?utm_=x&utm=y&a=utm_source"))
}
