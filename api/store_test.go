package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// realPort is the store behind the API's ports; main has the same conversions.
type realPort struct{ *store.Store }

func (p realPort) FindKey(ctx context.Context, key string) (APIKey, error) {
	k, err := p.Store.FindKey(ctx, key)
	return APIKey(k), err
}

func (p realPort) ListKeys(ctx context.Context, cursor string, limit int) (Page[KeyRecord], error) {
	page, err := p.Store.ListKeys(ctx, cursor, limit)
	out := Page[KeyRecord]{Next: page.Next}
	for _, k := range page.Items {
		out.Items = append(out.Items, KeyRecord(k))
	}
	return out, err
}

func (p realPort) CreateKey(ctx context.Context, name, key string, scopes []string, now time.Time) (KeyRecord, error) {
	k, err := p.Store.CreateKey(ctx, name, key, scopes, now)
	return KeyRecord(k), err
}

func (p realPort) FindSession(ctx context.Context, token string, now time.Time) (APIKey, error) {
	k, err := p.Store.FindSession(ctx, token, now)
	return APIKey(k), err
}

func (p realPort) SavePersonSession(ctx context.Context, token string, who APIKey, now, until time.Time) error {
	return p.Store.SavePersonSession(ctx, token, store.APIKey(who), now, until)
}

func (p realPort) ListJourneys(ctx context.Context, cursor string, limit int) (Page[journey.Draft], error) {
	page, err := p.Store.ListJourneys(ctx, cursor, limit)
	return Page[journey.Draft](page), err
}

func (p realPort) ListVersions(ctx context.Context, key, cursor string, limit int) (Page[journey.Version], error) {
	page, err := p.Store.ListVersions(ctx, key, cursor, limit)
	return Page[journey.Version](page), err
}

func (p realPort) ListTemplates(ctx context.Context, cursor string, limit int) (Page[email.TemplateVersion], error) {
	page, err := p.Store.ListTemplates(ctx, cursor, limit)
	return Page[email.TemplateVersion](page), err
}

func (p realPort) ListMessages(ctx context.Context, filter email.MessageFilter, cursor string, limit int) (Page[email.Message], error) {
	page, err := p.Store.ListMessages(ctx, filter, cursor, limit)
	return Page[email.Message](page), err
}

func (p realPort) ListHandoffs(ctx context.Context, status sales.HandoffStatus, cursor string, limit int) (Page[sales.Handoff], error) {
	page, err := p.Store.ListHandoffs(ctx, status, cursor, limit)
	return Page[sales.Handoff](page), err
}

func (p realPort) Timeline(ctx context.Context, contactID string, after int64, limit int) ([]TimelineEntry, int64, error) {
	entries, next, err := p.Store.Timeline(ctx, contactID, after, limit)
	out := make([]TimelineEntry, 0, len(entries))
	for _, e := range entries {
		out = append(out, TimelineEntry{ID: e.JournalID, At: e.At, Kind: string(e.Kind), Event: e.Event, Decision: e.Decision,
			Message: e.Message, Handoff: e.Handoff, Score: e.Score, Pause: e.Pause})
	}
	return out, next, err
}

func (p realPort) Enroll(ctx context.Context, contactID, key, idempotencyKey string, now time.Time,
	allowed func(journey.Version, *journey.Enrollment) (bool, string)) (journey.Enrollment, bool, error) {
	return p.Store.Enroll(ctx, contactID, key, idempotencyKey, now, allowed)
}

// newRealWorld is a handler on a PostgreSQL of its own. The keys, the desk and unsubscribing stay in memory.
func newRealWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	port := realPort{storetest.New(t)}
	real := func(o *Options) {
		o.Events, o.Journeys, o.Templates, o.Contacts, o.Messages, o.Handoffs = port, port, port, port, port, port
		o.Segments, o.Scoring, o.Brands, o.Glossaries = port, port, port, port
	}
	return newWorld(t, append([]func(*Options){real}, change...)...)
}

func decode[T any](t *testing.T, w *world, c call, status int) T {
	t.Helper()
	rec := w.do(t, c)
	require.Equal(t, status, rec.Code, "%s %s: %s", c.method, c.url, rec.Body)
	var out T
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &out))
	return out
}

func admin(method, url, body string) call {
	return call{method: method, url: url, key: "key-admin", body: body}
}

func TestAStoryOnTheRealStore(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	yaml := func(method, url, body string) call {
		c := admin(method, url, body)
		c.header = map[string]string{"Content-Type": "application/yaml"}
		return c
	}
	w.run(t, []row{
		{name: "brand", call: admin("PUT", "/v1/brand", `{"name":"Example","link":"https://example.com","address":"1 Example Street, Example Town"}`), status: 200},
		{name: "template", call: yaml("PUT", "/v1/templates/welcome", welcomeYAML), status: 200, contains: []string{`"version":1`}},
		{name: "template again", call: yaml("PUT", "/v1/templates/welcome", welcomeYAML), status: 200, contains: []string{`"version":1`}},
		{name: "draft", call: yaml("PUT", "/v1/journeys/trial", trialYAML), status: 200, contains: []string{`"revision":1`, `"problems":[]`}},
		{name: "stale", call: yaml("PUT", "/v1/journeys/trial?expected_revision=7", trialYAML), status: 409, contains: []string{"stale_revision"}},
		{name: "broken draft", call: yaml("PUT", "/v1/journeys/broken", "journey: ["), status: 200, contains: []string{"syntax"}},
		{name: "its publication", call: admin("POST", "/v1/journeys/broken/publish", ""), status: 422, contains: []string{"syntax"}},
		{name: "published", call: admin("POST", "/v1/journeys/trial/publish", `{"expected_revision":1}`), status: 200, contains: []string{`"version":1`}},
		{name: "again", call: admin("POST", "/v1/journeys/trial/publish", ""), status: 200, contains: []string{`"version":1`}},
		{name: "list", call: admin("GET", "/v1/journeys?limit=1", ""), status: 200, contains: []string{`"key":"broken"`, "next_cursor"}},
		{name: "versions", call: admin("GET", "/v1/journeys/trial/versions", ""), status: 200, contains: []string{`"version":1`}},
		{name: "identify", call: admin("POST", "/v1/identify", `{"userId":"u1","messageId":"i","traits":{"email":"Ana@Example.test","plan":"trial"}}`), status: 200},
		{name: "track", call: admin("POST", "/v1/batch", `{"batch":[{"type":"track","userId":"u1","event":"Signed Up","messageId":"t"}]}`), status: 200},
		{name: "track again", call: admin("POST", "/v1/batch", `{"batch":[{"type":"track","userId":"u1","event":"Signed Up","messageId":"t"}]}`), status: 200},
		{name: "nobody", call: admin("GET", "/v1/contacts?user_id=u2", ""), status: 200, contains: []string{`"data":[]`}},
		{name: "nobody's signal", call: admin("POST", "/v1/contacts/"+absentID+"/signals", `{"name":"x"}`), status: 404},
		{name: "nobody's timeline", call: admin("GET", "/v1/contacts/"+absentID+"/timeline", ""), status: 404},
		{name: "no message", call: admin("GET", "/v1/messages/"+absentID, ""), status: 404},
		{name: "no handoff", call: admin("GET", "/v1/handoffs/"+absentID, ""), status: 404},
		{name: "no handoffs", call: admin("GET", "/v1/handoffs?status=open", ""), status: 200, contains: []string{`"data":[]`}},
	})
	found := decode[List[audience.Contact]](t, w, admin("GET", "/v1/contacts?email=ana%40example.test", ""), 200)
	require.Len(t, found.Data, 1)
	id := found.Data[0].ID
	require.Equal(t, "trial", found.Data[0].Traits["plan"])
	require.NoError(t, w.handler.Drain(t.Context()))
	require.Equal(t, []string{id}, w.poked, "the trigger of the published journey wakes the contact, once")

	signal := fmt.Sprintf("/v1/contacts/%s/signals", id)
	first := decode[SignalReceipt](t, w, admin("POST", signal, `{"name":"Invoice Paid","message_id":"s1"}`), 202)
	again := decode[SignalReceipt](t, w, admin("POST", signal, `{"name":"Invoice Paid","message_id":"s1"}`), 202)
	require.Equal(t, SignalReceipt{EventID: first.EventID, Seq: 3, Duplicate: true}, again)
	require.False(t, first.Duplicate)

	enroll := call{method: "POST", url: "/v1/journeys/trial/enrollments", key: "key-admin", body: `{"user_id":"u1"}`, header: map[string]string{"Idempotency-Key": "k"}}
	one := decode[journey.Enrollment](t, w, enroll, 201)
	two := decode[journey.Enrollment](t, w, enroll, 200)
	require.Equal(t, one.ID, two.ID)
	enroll.header["Idempotency-Key"] = "other"
	require.Contains(t, w.do(t, enroll).Body.String(), `"already_enrolled"`)

	var kinds []string
	for cursor := ""; ; {
		page := decode[List[TimelineEntry]](t, w, admin("GET", "/v1/contacts/"+id+"/timeline?limit=2&cursor="+cursor, ""), 200)
		for _, e := range page.Data {
			kinds = append(kinds, e.Kind)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	require.Equal(t, []string{"event", "event", "event"}, kinds[:3])
	require.Contains(t, kinds[3:], "decision", "the refused entry is in the journal")
}

// What a client may send, however odd, is an answer below 500 on a database with its own ideas of text and numbers.
func TestOddInputIsNoServerError(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	id := func() string {
		w.do(t, admin("POST", "/v1/identify", `{"userId":"odd","traits":{"email":"odd@example.test"}}`))
		return decode[List[audience.Contact]](t, w, admin("GET", "/v1/contacts?user_id=odd", ""), 200).Data[0].ID
	}()
	for _, c := range []call{
		admin("POST", "/v1/track", `{"userId":"u\u0000v","event":"\u0000e","properties":{"\u0000":"\ud800","n":1e308}}`),
		admin("POST", "/v1/track", "{\"userId\":\"\xff\xfe\",\"event\":\"\xff\"}"),
		admin("POST", "/v1/identify", `{"userId":"w","traits":{"email":null,"timezone":"Mars/Base","a":{"b":[[[]]]}},"timestamp":"0000-01-01T00:00:00Z"}`),
		admin("POST", "/v1/identify", `{"anonymousId":"x","traits":{"email":"ODD@EXAMPLE.test","user_id":7,"score":"high"}}`),
		admin("POST", "/v1/contacts/"+id+"/signals", `{"name":"é\ud83d\ude00","properties":{"a":"\ud800"},"occurred_at":"0001-01-01T00:00:00Z"}`),
		admin("GET", "/v1/journeys/a%00b", ""), admin("GET", "/v1/templates/%ff", ""), admin("GET", "/v1/contacts?user_id=a%00b", ""),
		admin("GET", "/v1/contacts?user_id=%F0%9F%98%80", ""), admin("GET", "/v1/contacts?email=%40", ""),
		admin("GET", "/v1/journeys?cursor="+cursorOf("'; --"), ""), admin("GET", "/v1/handoffs?cursor="+cursorOf("9223372036854775807"), ""),
		admin("GET", "/v1/journeys/trial/versions/2147483647", ""), admin("GET", "/v1/messages?contact_id="+absentID+"&cursor="+cursorOf("1"), ""),
		admin("PUT", "/v1/journeys/odd", `{"journey":"\ud800","name":1e400}`), admin("PUT", "/v1/journeys/odd", "\xff\xfe\x00"),
		admin("PUT", "/v1/templates/odd", "\xff\xfe"), admin("PUT", "/v1/journeys/odd?expected_revision=9223372036854775807", "{}"),
	} {
		rec := w.do(t, c)
		require.Less(t, rec.Code, 500, "%s %s: %s\n%s", c.method, c.url, rec.Body, w.log)
	}
}

func TestTheStoresKeysOpenTheDoor(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	_, err := s.UpsertKey(t.Context(), "reader", "thr_test_reader", []string{"read"}, testNow)
	require.NoError(t, err)
	w := newWorld(t, func(o *Options) { o.Keys = realPort{s} })
	w.run(t, []row{
		{name: "known", call: call{method: http.MethodGet, url: "/v1/templates", key: "thr_test_reader"}, status: 200},
		{name: "unknown", call: call{method: http.MethodGet, url: "/v1/templates", key: "thr_test_reade"}, status: 401},
		{name: "scope", call: call{method: http.MethodGet, url: "/v1/handoffs", key: "thr_test_reader"}, status: 403},
	})
	s.Close()
	rec := w.do(t, call{method: http.MethodGet, url: "/v1/templates", key: "another"})
	require.GreaterOrEqual(t, rec.Code, 500, "a database that is gone is not an unknown key: SDKs drop what gets 401")
}

// noSuppressions suppresses nobody: what the list does is tested on the store.
type noSuppressions struct{}

func (noSuppressions) ListSuppressions(context.Context, string, string, int) (Page[audience.SuppressedAddress], error) {
	return Page[audience.SuppressedAddress]{}, nil
}

func (noSuppressions) SuppressAll(_ context.Context, addresses []string, _, _ string, _ time.Time) (int, error) {
	return len(addresses), nil
}

func (noSuppressions) Unsuppress(context.Context, string) error { return nil }
