package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

// newRuled is a product with a sending policy and a template; nothing of it runs yet.
func newRuled(t *testing.T, policy email.Policy, at time.Time) *process {
	t.Helper()
	needStack(t)
	p, err := newProcess(t.Context(), testConfig(t), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.close()) })
	_, err = p.store.SaveTemplate(t.Context(), email.Template{Key: "hello", Subject: "Hello", Body: email.Body{Intros: []string{"Hello."}}}, "hash", nil, at)
	require.NoError(t, err)
	_, err = p.store.SaveSendingPolicy(t.Context(), policy, nil, at)
	require.NoError(t, err)
	return p
}

// newArbited is a product with a sending policy and journeys that all want to write to who signs up. Its clock is turned by the test.
func newArbited(t *testing.T, policy email.Policy, begin time.Time, documents ...string) *example {
	t.Helper()
	long := begin.Add(-time.Hour)
	p := newRuled(t, policy, long)
	for _, text := range documents {
		def, problems := journey.Check([]byte(text), journey.Known{})
		require.Empty(t, problems)
		document, problems := journey.ToJSON([]byte(text))
		require.Empty(t, problems)
		_, err := p.store.SaveDraft(t.Context(), journey.Draft{Journey: def.Journey, Document: document}, nil, long)
		require.NoError(t, err)
		_, err = p.store.PublishVersion(t.Context(), def.Journey, document, journey.Hash(document), []string{def.Enter[0].Event}, nil, long)
		require.NoError(t, err)
	}
	e := &example{process: p, ids: map[string]string{}, events: []journey.SimEvent{{At: begin, User: "ana", Type: "track", Event: "Signed Up"}}}
	e.ids["ana"] = e.ingest(t, journey.SimEvent{At: long, User: "ana", Type: "identify", Traits: map[string]any{"email": "ana@example.test", "timezone": "Asia/Tokyo"}}).ContactID
	return e
}

// mails are a contact's mails by journey, with what became of them in the contact's own time.
func (e *example) mails(t *testing.T, user string) map[string]string {
	t.Helper()
	page, err := e.process.store.ListMessages(t.Context(), email.MessageFilter{ContactID: e.ids[user]}, "", 100)
	require.NoError(t, err)
	out := map[string]string{}
	for _, m := range page.Items {
		out[m.Journey] = string(m.State) + " " + m.Reason
		if m.SentAt != nil {
			out[m.Journey] = m.SentAt.In(audienceZone(t)).Format("Mon 15:04")
		}
	}
	return out
}

func audienceZone(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	return zone
}

const wanting = "\nenter: {event: Signed Up}\ngoal: {event: Bought}\nsteps:\n  - id: hello\n    send: {template: hello"

// Caps, quiet hours and priorities are decided for a contact in one place, through the real workflow, ledger and mail server.
func TestArbiter(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 3, 3, 0, 0, 0, time.UTC) // Tuesday, noon in Tokyo
	night := &audience.Hours{From: 21 * 60, Until: 8 * 60}
	e := newArbited(t, email.Policy{Caps: []email.Cap{{Max: 1, Days: 1}}, QuietHours: night}, begin,
		"journey: a-first\nenter: {event: Came}"+strings.TrimPrefix(wanting, "\nenter: {event: Signed Up}")+"}\n  - {id: done, exit: sent}\n",
		"journey: b-low"+wanting+"}\n  - {id: done, exit: sent}\n",
		"journey: c-skips"+wanting+", otherwise: skip}\n  - {id: done, exit: without}\n",
		"journey: d-leaves"+wanting+", otherwise: exit}\n  - {id: done, exit: sent}\n",
		"journey: e-receipt"+wanting+", class: transactional}\n  - {id: done, exit: sent}\n",
		"journey: z-high\npriority: 10"+wanting+"}\n  - {id: done, exit: sent}\n",
	)
	e.events = append([]journey.SimEvent{{At: begin.Add(-time.Minute), User: "ana", Type: "track", Event: "Came"}}, e.events...)
	e.run(t, "ana")
	require.Equal(t, map[string]string{
		"a-first": "Tue 11:59", "e-receipt": "Tue 12:00", // the room of today, and what no cap counts
		"c-skips": "skipped capped", "d-leaves": "skipped capped",
		"z-high": "Wed 08:00", "b-low": "Thu 08:00", // both waited for the morning, and there was room for one
	}, e.mails(t, "ana"))

	entries, _, err := e.process.store.Timeline(t.Context(), e.ids["ana"], 0, 1000)
	require.NoError(t, err)
	held, ended := map[string]string{}, map[string]string{}
	for _, entry := range entries {
		if d := entry.Decision; d != nil && d.Kind == "held" {
			held[d.Journey] = d.Reason
		} else if d != nil && (d.Kind == "completed" || d.Kind == "exited") {
			ended[d.Journey] = d.Kind + " " + d.Reason
		}
	}
	require.Equal(t, map[string]string{"b-low": "capped", "z-high": "capped"}, held)
	require.Equal(t, map[string]string{"a-first": "completed sent", "b-low": "completed sent", "c-skips": "completed without", "d-leaves": "exited capped",
		"e-receipt": "completed sent", "z-high": "completed sent"}, ended)
}

// A goal that comes while a mail waits ends the journey, and nothing is sent.
func TestGoalWhileAMailWaits(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 3, 13, 0, 0, 0, time.UTC) // 22:00 in Tokyo
	e := newArbited(t, email.Policy{QuietHours: &audience.Hours{From: 21 * 60, Until: 8 * 60}}, begin, "journey: a-first"+wanting+"}\n  - {id: done, exit: sent}\n",
		"journey: b-window"+wanting+", window: {days: thu, from: \"10:00\", until: \"11:00\"}}\n  - {id: done, exit: sent}\n")
	e.events = append(e.events, journey.SimEvent{At: begin.Add(12 * time.Hour), User: "ana", Type: "track", Event: "Bought"})
	e.run(t, "ana")
	require.Equal(t, map[string]string{"a-first": "Wed 08:00"}, e.mails(t, "ana"), "the second journey's time was Thursday, and its goal came on Wednesday")
}
