package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/sales"
)

const trialYAML = `journey: trial
enter:
  - event: Signed Up
steps:
  - id: welcome
    send: {template: welcome}
  - id: done
    exit: finished
`

const welcomeYAML = `key: welcome
subject: "Welcome, {{ contact.first_name | default: 'there' }}"
body:
  intros: ["Good to have you."]
`

func TestJourneysAreSavedCheckedAndPublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Brands = settledBrand{} })
	put := func(url, body string, header ...string) call {
		c := call{method: "PUT", url: url, key: "key-journeys", body: body, header: map[string]string{"Content-Type": "application/yaml"}}
		if len(header) == 2 {
			c.header[header[0]] = header[1]
		}
		return c
	}
	post := func(url, body string) call { return call{method: "POST", url: url, key: "key-journeys", body: body} }
	get := func(url string) call { return call{method: "GET", url: url, key: "key-read"} }
	asJSON := `{"journey":"trial","enter":[{"event":"Signed Up"}],"steps":[{"id":"done","exit":"finished"}]}`
	w.run(t, []row{
		{name: "unknown", call: get("/v1/journeys/trial"), status: 404},
		{name: "unknown", call: get("/v1/journeys/trial/versions"), status: 404},
		{name: "unknown", call: post("/v1/journeys/trial/publish", `{}`), status: 404},
		{name: "a draft may be wrong", call: put("/v1/journeys/trial", trialYAML), status: 200,
			contains: []string{`"revision":1`, `"unknown_template"`, `"step_id":"welcome"`}},
		{name: "but it isn't published", call: post("/v1/journeys/trial/publish", ""), status: 422, contains: []string{"unknown_template"}},
		{name: "nor enrolled into", call: post("/v1/journeys/trial/enrollments", `{"user_id":"u1"}`), status: 409, contains: []string{"not_published"}},
		{name: "a template", call: put("/v1/templates/welcome", welcomeYAML), status: 200, contains: []string{`"version":1`}},
		{name: "lint", call: post("/v1/journeys/lint", trialYAML), status: 200, contains: []string{`"problems":[]`}},
		{name: "lint says more", call: post("/v1/journeys/lint", "journey: x\nsteps: 7"), status: 200, contains: []string{"wrong_type"}},
		{name: "stale", call: put("/v1/journeys/trial", trialYAML, "If-Match", `"7"`), status: 409, contains: []string{"stale_revision"}},
		{name: "fresh", call: put("/v1/journeys/trial", trialYAML, "If-Match", `"1"`), status: 200, contains: []string{`"revision":2`, `"problems":[]`}},
		{name: "stale by query", call: put("/v1/journeys/trial?expected_revision=1", trialYAML), status: 409},
		{name: "no revision", call: put("/v1/journeys/trial", trialYAML, "If-Match", `"secret"`), status: 422, contains: []string{"bad_revision"}, notContains: []string{"secret"}},
		{name: "published late", call: post("/v1/journeys/trial/publish", `{"expected_revision":1}`), status: 409, contains: []string{"stale_revision"}},
		{name: "published", call: post("/v1/journeys/trial/publish", `{"expected_revision":2}`), status: 200, contains: []string{`"version":1`, `"hash":"`, `"published_at"`}},
		{name: "published again", call: post("/v1/journeys/trial/publish", ""), status: 200, contains: []string{`"version":1`}},
		{name: "the draft", call: get("/v1/journeys/trial"), status: 200, contains: []string{`"key":"trial"`, `"document":{`, `"revision":2`}},
		{name: "the list", call: get("/v1/journeys"), status: 200, contains: []string{`"key":"trial"`, `"errors":0`}, notContains: []string{"next_cursor"}},
		{name: "the versions", call: get("/v1/journeys/trial/versions"), status: 200, contains: []string{`"version":1`}},
		{name: "one version", call: get("/v1/journeys/trial/versions/1"), status: 200, contains: []string{`"Signed Up"`}},
		{name: "no such version", call: get("/v1/journeys/trial/versions/2"), status: 404},
		{name: "JSON", call: put("/v1/journeys/trial", asJSON, "Content-Type", "application/json"), status: 200, contains: []string{`"revision":3`, `"problems":[]`}},
		{name: "text", call: put("/v1/journeys/trial", asJSON, "Content-Type", "text/plain"), status: 200},
		{name: "compact JSON", call: put("/v1/journeys/json", `{"journey":"json"}`), status: 200},
		{name: "says it all", call: get("/v1/journeys/json"), status: 200, contains: []string{`"document":{"journey":"json"}`}, notContains: []string{`"source"`}},
		{name: "comments", call: put("/v1/journeys/said", "# why\njourney: said\n"), status: 200},
		{name: "stay", call: get("/v1/journeys/said"), status: 200, contains: []string{`"document":{"journey":"said"}`, `"source":"# why\njourney: said\n"`}},
		{name: "another key", call: put("/v1/journeys/other", trialYAML), status: 200, contains: []string{"key_mismatch"}},
		{name: "is not published", call: post("/v1/journeys/other/publish", ""), status: 422, contains: []string{"key_mismatch"}},
		{name: "not even YAML", call: put("/v1/journeys/broken", "journey: [secret"), status: 200, contains: []string{`"syntax"`}},
		{name: "is kept", call: get("/v1/journeys/broken"), status: 200, contains: []string{`"document":"journey: [secret"`}},
		{name: "and not published", call: post("/v1/journeys/broken/publish", ""), status: 422, contains: []string{`"syntax"`}},
		{name: "no key", call: put("/v1/journeys/Big%20Key", trialYAML), status: 422, contains: []string{"bad_key"}},
		{name: "NUL", call: put("/v1/journeys/nul", `{"journey":"nul\u0000"}`), status: 400},
		{name: "large", call: put("/v1/journeys/large", strings.Repeat("a", maxDocument+1)), status: 413},
		{name: "empty", call: put("/v1/journeys/empty", ""), status: 400},
	})
	require.Equal(t, `"4"`, w.do(t, get("/v1/journeys/trial")).Header().Get("ETag"))
}

func TestEnrollments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	enroll := func(body, idempotency string) call {
		return call{method: "POST", url: "/v1/journeys/trial/enrollments", key: "key-ingest", body: body, header: map[string]string{"Idempotency-Key": idempotency}}
	}
	setup := func(method, url, body string) row {
		return row{name: "setup " + url, status: 200, call: call{method: method, url: url, key: "key-journeys", body: body,
			header: map[string]string{"Content-Type": "application/yaml"}}}
	}
	publish := setup("POST", "/v1/journeys/trial/publish", "")
	w.run(t, []row{
		{name: "unknown journey", call: enroll(`{"user_id":"u1"}`, ""), status: 404},
		setup("PUT", "/v1/templates/welcome", welcomeYAML), setup("PUT", "/v1/journeys/trial", trialYAML), publish,
		{name: "unknown contact", call: enroll(`{"user_id":"nobody"}`, ""), status: 404},
		{name: "an id that is none", call: enroll(`{"contact_id":"secret"}`, ""), status: 404, notContains: []string{"secret"}},
		{name: "nobody", call: enroll(`{}`, ""), status: 422, contains: []string{"one_identity"}},
		{name: "two", call: enroll(`{"user_id":"u1","email":"ana@example.test"}`, ""), status: 422, contains: []string{"one_identity"}},
		{name: "new", call: enroll(`{"email":"ana@example.test"}`, "k1"), status: 201, contains: []string{`"contact_id":"` + contactID}},
		{name: "again", call: enroll(`{"contact_id":"`+contactID+`"}`, "k1"), status: 200},
		{name: "another", call: enroll(`{"user_id":"u1"}`, "k2"), status: 409, contains: []string{`"already_enrolled"`}},
	})
	require.NoError(t, w.handler.Drain(t.Context()))
	require.Contains(t, w.poked, contactID)
	for id, e := range w.enrolled {
		e.State = "completed"
		w.enrolled[id] = e
	}
	w.run(t, []row{{name: "later", call: enroll(`{"user_id":"u1"}`, "k3"), status: 409, contains: []string{`"reentry"`}}})
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	put := func(key, body string) call {
		return call{method: "PUT", url: "/v1/templates/" + key, key: "key-journeys", body: body, header: map[string]string{"Content-Type": "text/plain"}}
	}
	w.run(t, []row{
		{name: "YAML", call: put("welcome", welcomeYAML), status: 200, contains: []string{`"version":1`}},
		{name: "the same", call: put("welcome", welcomeYAML), status: 200, contains: []string{`"version":1`}},
		{name: "changed", call: put("welcome", strings.Replace(welcomeYAML, "Good", "Great", 1)), status: 200, contains: []string{`"version":2`}},
		{name: "JSON without key", call: put("other", `{"subject":"Hi","body":{"intros":["Hello."]}}`), status: 200, contains: []string{`"key":"other"`}},
		{name: "another key", call: put("third", welcomeYAML), status: 422, contains: []string{"key_mismatch", `"path":"/key"`}},
		{name: "all problems at once", call: put("bad", `{"body":{"intros":["{{ nope | nope }}"],"actions":[{"button":{"text":"x","link":"javascript:alert(1)"}}]}}`), status: 422,
			contains: []string{"/subject", "/body/intros/0", "/body/actions/0/button/link"}},
		{name: "unknown field", call: put("bad", `{"subjekt":"secret"}`), status: 422, contains: []string{"unknown_field"}},
		{name: "no key", call: put("Bad", welcomeYAML), status: 422, contains: []string{"bad_key"}},
		{name: "find", call: call{method: "GET", url: "/v1/templates/welcome", key: "key-read"}, status: 200, contains: []string{"Great to have you."}},
		{name: "absent", call: call{method: "GET", url: "/v1/templates/bad", key: "key-read"}, status: 404},
		{name: "list", call: call{method: "GET", url: "/v1/templates", key: "key-read"}, status: 200, contains: []string{`"key":"welcome"`, `"key":"other"`}},
	})
}

func TestSignals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signal := func(body, idempotency string) call {
		return call{method: "POST", url: "/v1/contacts/" + contactID + "/signals", key: "key-ingest", body: body, header: map[string]string{"Idempotency-Key": idempotency}}
	}
	w.run(t, []row{
		{name: "new", call: signal(`{"name":"Wake","properties":{"a":1},"message_id":"m1","occurred_at":"2026-11-01T00:00:00+01:00"}`, "ignored"), status: 202,
			contains: []string{`"duplicate":false`, `"seq":1`, `"event_id":"`}},
		{name: "again", call: signal(`{"name":"Wake"}`, "m1"), status: 202, contains: []string{`"duplicate":true`, `"seq":1`}},
		{name: "of the future", call: signal(`{"name":"Next","occurred_at":"2030-01-01T00:00:00Z"}`, ""), status: 202, contains: []string{`"seq":2`}},
		{name: "a long key", call: signal(`{"name":"x"}`, strings.Repeat("k", 101)), status: 422, contains: []string{"header:Idempotency-Key"}},
	})
	require.Equal(t, time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC), w.events[0].OccurredAt)
	require.Equal(t, testNow, w.events[1].OccurredAt)
	require.NoError(t, w.handler.Drain(t.Context()))
	require.Equal(t, []string{contactID}, w.poked)
}

func TestContactsMessagesAndTimeline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	get := func(url string) call { return call{method: "GET", url: url, key: "key-read"} }
	w.run(t, []row{
		{name: "by user id", call: get("/v1/contacts?user_id=u1"), status: 200, contains: []string{contactID}},
		{name: "by address", call: get("/v1/contacts?email=ana%40example.test"), status: 200, contains: []string{contactID}},
		{name: "nobody", call: get("/v1/contacts?user_id=u2"), status: 200, contains: []string{`"data":[]`}},
		{name: "one", call: get("/v1/contacts/" + contactID), status: 200, contains: []string{`"traits":{}`, "ana@example.test"}},
		{name: "by the rep", call: call{method: "GET", url: "/v1/contacts/" + contactID, key: "key-sales"}, status: 200},
		{name: "absent", call: get("/v1/contacts/" + absentID), status: 404},
		{name: "a braced id", call: get("/v1/contacts/{" + contactID[:34] + "}"), status: 404},
		{name: "messages", call: get("/v1/messages?contact_id=" + contactID), status: 200, contains: []string{messageOf}, notContains: []string{"<p>"}},
		{name: "messages of nobody", call: get("/v1/messages?contact_id=x"), status: 200, contains: []string{`"data":[]`}},
		{name: "message", call: get("/v1/messages/" + messageOf), status: 200, contains: []string{`"html":"<p>Hi</p>"`}},
		{name: "timeline of nobody", call: get("/v1/contacts/" + absentID + "/timeline"), status: 404},
	})
	// Page by page gives all, once, in order.
	var names []string
	for cursor := ""; ; {
		var page List[TimelineEntry]
		require.NoError(t, json.Unmarshal(w.do(t, get("/v1/contacts/"+contactID+"/timeline?limit=2&cursor="+cursor)).Body.Bytes(), &page))
		require.LessOrEqual(t, len(page.Data), 2)
		for _, e := range page.Data {
			names = append(names, e.Event.Name)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	require.Equal(t, []string{"Event 1", "Event 2", "Event 3", "Event 4", "Event 5"}, names)
}

func TestHandoffs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := func(action, body string) call {
		return call{method: "POST", url: "/v1/handoffs/" + handoffID + "/" + action, key: "key-sales", body: body}
	}
	w.run(t, []row{
		{name: "list", call: call{method: "GET", url: "/v1/handoffs?status=open", key: "key-sales"}, status: 200, contains: []string{handoffID}},
		{name: "list", call: call{method: "GET", url: "/v1/handoffs?status=won", key: "key-sales"}, status: 200, contains: []string{`"data":[]`}},
		{name: "find", call: call{method: "GET", url: "/v1/handoffs/" + handoffID, key: "key-sales"}, status: 200, contains: []string{"Five seats"}},
		{name: "absent", call: call{method: "POST", url: "/v1/handoffs/" + absentID + "/accept", key: "key-sales", body: `{"owner":"ana"}`}, status: 404},
		{name: "won too early", call: act("won", `{"amount":1}`), status: 409, contains: []string{"handoff_open", "Accept this handoff first"}},
		{name: "no owner", call: act("accept", `{}`), status: 422, contains: []string{"missing_field"}},
		{name: "empty owner", call: act("accept", `{"owner":""}`), status: 422},
		{name: "accept", call: act("accept", `{"owner":"ana"}`), status: 200, contains: []string{`"status":"accepted"`}},
		{name: "again", call: act("accept", `{"owner":"ben"}`), status: 409, contains: []string{"handoff_accepted"}},
		{name: "less than nothing", call: act("won", `{"amount":-1}`), status: 422},
		{name: "an amount in words", call: act("won", `{"amount":"4900"}`), status: 422, contains: []string{"wrong_type"}},
		{name: "won", call: act("won", `{"amount":4900}`), status: 200, contains: []string{`"status":"won"`}},
		{name: "over", call: act("lost", `{"reason":"late"}`), status: 409, contains: []string{"handoff_over"}},
	})
	require.Equal(t, []any{"ana", 4900.0}, w.decided)
	require.Equal(t, sales.HandoffWon, w.handoffs[handoffID].Status)
}

func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	browser := map[string]string{"Accept": "text/html"}
	w.run(t, []row{
		{name: "the page asks in the recipient's language", call: call{method: "GET", url: "/u/german-token"}, status: 200, contains: []string{`<html lang="de">`, "Diese E-Mails abbestellen?"}},
		{name: "or in the browser's", call: call{method: "GET", url: "/u/good-token", header: map[string]string{"Accept-Language": "nl, fr-CA;q=0.8, de;q=0.2"}}, status: 200, contains: []string{`<html lang="fr">`}},
		{name: "the page lets choose", call: call{method: "GET", url: "/u/topics-token"}, status: 200, contains: []string{`name="topic" value="news" checked`, `name="topic" value="beta">`, "&lt;b&gt;Beta", "Unsubscribe from all"}},
		{name: "the page asks", call: call{method: "GET", url: "/u/good-token"}, status: 200, contains: []string{"<form method=\"post\">", "<button>"}, notContains: []string{"<script", "http"}},
		{name: "a bad link", call: call{method: "GET", url: "/u/bad-token"}, status: 404, contains: []string{"not_found"}},
		{name: "a bad link for a person", call: call{method: "GET", url: "/u/bad-token", header: browser}, status: 404, contains: []string{"This link does not work"}},
	})
	require.Empty(t, w.stopped, "reading changes nothing: mail scanners follow links")
	w.run(t, []row{
		{name: "one click", call: call{method: "POST", url: "/u/good-token", body: "List-Unsubscribe=One-Click", header: form}, status: 200, contains: []string{"You are unsubscribed"}},
		{name: "again", call: call{method: "POST", url: "/u/good-token"}, status: 200},
		{name: "bad token", call: call{method: "POST", url: "/u/bad-token", body: "List-Unsubscribe=One-Click", header: form}, status: 404},
	})
	require.Equal(t, map[string]int{"good-token": 2}, w.stopped)
	multipart := map[string]string{"Content-Type": "multipart/form-data; boundary=b"}
	w.run(t, []row{
		{name: "one click as multipart", call: call{method: "POST", url: "/u/topics-token", header: multipart, body: "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"}, status: 200},
		{name: "one click that nobody can read", call: call{method: "POST", url: "/u/topics-token", header: multipart, body: "--c broken"}, status: 200, contains: []string{"You are unsubscribed"}},
		{name: "one click beside a form", call: call{method: "POST", url: "/u/topics-token", header: form, body: "save=1&topic=news&List-Unsubscribe=One-Click"}, status: 200, contains: []string{"You are unsubscribed"}},
	})
	require.Equal(t, 3, w.stopped["topics-token"], "what is no form of the page is a click")
	w.run(t, []row{{name: "chosen", call: call{method: "POST", url: "/u/topics-token", header: form, body: "save=1&topic=beta&topic=x"}, status: 200, contains: []string{"This is saved"}}})
	require.Equal(t, 3, w.stopped["topics-token"])
	require.Equal(t, []string{"beta", "x"}, w.chosen["topics-token"])
	w.run(t, []row{
		{name: "a confirmation asks", call: call{method: "GET", url: "/s/good-token"}, status: 200, contains: []string{"Do you want these e-mails?", "Beta"}},
		{name: "and is given", call: call{method: "POST", url: "/s/good-token"}, status: 200, contains: []string{"You are subscribed"}},
		{name: "by nobody else", call: call{method: "POST", url: "/s/bad-token"}, status: 404},
	})
	require.Equal(t, 1, w.stopped["confirmed"])
	w.fail = errors.New("no commit")
	require.Equal(t, 500, w.do(t, call{method: "POST", url: "/u/good-token", header: browser}).Code, "200 only after the commit")
	head := w.do(t, call{method: "GET", url: "/u/good-token"}).Header()
	require.Contains(t, head.Get("Content-Security-Policy"), "default-src 'none'")
	require.Empty(t, head.Get("Set-Cookie")+head.Get("Location"))
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	var down error
	w := newWorld(t, func(o *Options) {
		o.Readiness = map[string]func(context.Context) error{
			"postgres": func(context.Context) error { return down },
			"temporal": func(context.Context) error { return nil },
		}
	})
	w.run(t, []row{
		{name: "up", call: call{method: "GET", url: "/healthz"}, status: 200, contains: []string{`{"status":"ok"}`}},
		{name: "ready", call: call{method: "GET", url: "/readyz"}, status: 200, contains: []string{`{"status":"ok","checks":{"postgres":"ok","temporal":"ok"}}`}},
	})
	down = errors.New("secret: password of throughline refused")
	w.run(t, []row{
		{name: "down", call: call{method: "GET", url: "/readyz"}, status: 503, contains: []string{`{"status":"down","checks":{"postgres":"down","temporal":"ok"}}`}, notContains: []string{"secret"}},
		{name: "still up", call: call{method: "GET", url: "/healthz"}, status: 200},
	})
}

func TestKnownKeysAreRememberedForAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(key string) int { return w.do(t, call{method: "GET", url: "/v1/templates", key: key}).Code }
	for range 5 {
		require.Equal(t, 200, ask("key-read"))
	}
	require.Equal(t, 1, w.keyAsked)
	delete(w.keys, "key-read")
	require.Equal(t, 200, ask("key-read"), "a revoked key goes on for at most a minute")
	w.now = w.now.Add(keyTTL)
	require.Equal(t, 401, ask("key-read"))
	require.Equal(t, 401, ask("new"))
	w.keys["new"] = w.keys["key-admin"]
	require.Equal(t, 200, ask("new"), "an unknown key is not remembered")
	asked := w.keyAsked
	require.Equal(t, 401, ask(strings.Repeat("k", keyMaxSize+1)))
	require.Equal(t, asked, w.keyAsked, "nothing that long is looked up")
}

// slowPoker holds its pokes until it is told.
type slowPoker struct {
	mu    sync.Mutex
	count map[string]int
	hold  chan struct{}
}

func (p *slowPoker) Poke(_ context.Context, id string) error {
	<-p.hold
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count[id]++
	return nil
}

func TestPokesDontHoldAnswersUp(t *testing.T) {
	t.Parallel()
	poker := &slowPoker{count: map[string]int{}, hold: make(chan struct{})}
	w := newWorld(t, func(o *Options) { o.Poker = poker })
	for i := range 20 {
		w.run(t, []row{{name: "track", status: 200, call: call{method: "POST", url: "/v1/track", key: "key-ingest",
			body: fmt.Sprintf(`{"userId":"u1","event":"Wake","messageId":"m%d"}`, i)}}})
	}
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, w.handler.Drain(short), context.DeadlineExceeded)
	close(poker.hold)
	require.NoError(t, w.handler.Drain(t.Context()))
	require.Less(t, poker.count[contactID], 19, "a contact that is queued is not queued again")
	require.Positive(t, poker.count[contactID])
}

func TestThePokeQueueIsBoundedAndLosesNothingElse(t *testing.T) {
	t.Parallel()
	poker := &slowPoker{count: map[string]int{}, hold: make(chan struct{})}
	w := newWorld(t, func(o *Options) { o.Poker = poker })
	for i := range pokeMax + pokeWorkers + 500 {
		w.handler.server.pokes.add(fmt.Sprint(i))
	}
	close(poker.hold)
	require.NoError(t, w.handler.Drain(t.Context()))
	dropped := pokeMax + pokeWorkers + 500 - len(poker.count)
	require.GreaterOrEqual(t, dropped, 500)
	require.LessOrEqual(t, dropped, 500+pokeWorkers)
	require.Contains(t, w.do(t, call{method: "GET", url: "/metrics"}).Body.String(), fmt.Sprintf(`throughline_pokes_total{outcome="dropped"} %d`, dropped))
}

func TestCursorsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(1, 60, -1).Filter(validText).Draw(t, "key")
		back, err := ListInput{Cursor: cursorOf(key)}.keyCursor()
		require.NoError(t, err)
		require.Equal(t, key, back)
		n := rapid.Int64Min(1).Draw(t, "n")
		_, number, err := ListInput{Cursor: cursorOf(fmt.Sprint(n))}.numberCursor()
		require.NoError(t, err)
		require.Equal(t, n, number)
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add(cursorOf("trial"))
	f.Add(cursorOf("17"))
	f.Fuzz(func(t *testing.T, cursor string) {
		if key, err := (ListInput{Cursor: cursor}).keyCursor(); err == nil {
			require.True(t, validText(key))
		}
		if _, n, err := (ListInput{Cursor: cursor}).numberCursor(); err == nil {
			require.GreaterOrEqual(t, n, int64(0))
		}
	})
}

func FuzzCheckJSON(f *testing.F) {
	f.Add([]byte(`{"a":["\u0000","\\u0000",{"b":"]"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if checkJSON(data) != nil || json.Unmarshal(data, &v) != nil {
			return
		}
		require.True(t, shallow(v, maxDepth))
		again, err := json.Marshal(stripNUL(v))
		require.NoError(t, err)
		var clean any
		require.NoError(t, json.Unmarshal(again, &clean))
		require.Equal(t, v, clean, "what passed holds no NUL")
	})
}

func TestNewNamesTheMissingPorts(t *testing.T) {
	t.Parallel()
	_, err := New(Options{})
	require.ErrorContains(t, err, "Keys")
	require.ErrorContains(t, err, "Unsubscribe")
	o := optionsOf(newMemory())
	o.TrustedProxies = []string{"not a network"}
	_, err = New(o)
	require.ErrorContains(t, err, "trusted proxies")
	s := NewServer(http.NotFoundHandler(), ":0")
	for _, d := range []time.Duration{s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout} {
		require.Positive(t, d)
	}
}
