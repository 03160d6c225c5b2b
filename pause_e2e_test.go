package main

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/workflows"
)

// A paused journey stands still, whatever ends meanwhile; resumed, everybody goes on as if they had been asked one by one, and once.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, key := range []string{"welcome", "tips", "nudge"} {
		p.template(t, key, "About "+key)
	}
	p.publish(t, `
journey: held
enter: [{event: Signed Up}]
steps:
  - id: welcome
    send: {template: welcome}
  - id: activated
    wait_for:
      - {event: Project Created, go: tips}
      - {after: 6s, go: nudge}
  - id: tips
    send: {template: tips}
    next: done
  - id: nudge
    send: {template: nudge}
  - id: done
    exit: finished
`)
	idle, active, late := newPerson(), newPerson(), newPerson()
	for _, who := range []person{idle, active} {
		id := p.identify(t, who, nil)
		p.track(t, who, "Signed Up", nil)
		eventually(t, "the enrollment waits", func() bool {
			m := p.messageAt(t, id, "welcome")
			return m != nil && m.State == email.Sent && len(interests(t, p, id)) > 0
		})
	}
	paused := admin[api.JourneySummary](t, p, "POST", "/v1/journeys/held/pause", "")
	require.NotNil(t, paused.PausedAt)
	require.Equal(t, paused.PausedAt, admin[api.JourneySummary](t, p, "POST", "/v1/journeys/held/pause", "").PausedAt, "since when does not change")

	p.track(t, active, "Project Created", nil)
	p.identify(t, late, nil)
	p.track(t, late, "Signed Up", nil)
	eventually(t, "both waits are over by the clock, and all inboxes are read", func() bool {
		var over, read, inside int
		query(t, p.config.DatabaseURL, `SELECT count(*) FROM enrollments WHERE state = 'waiting' AND wake_at < now() - interval '2 s'`, nil, &over)
		query(t, p.config.DatabaseURL, `SELECT count(*) FROM contacts WHERE pending_since IS NULL AND trigger_seq = last_seq`, nil, &read)
		query(t, p.config.DatabaseURL, `SELECT count(*) FROM enrollments WHERE ended_at IS NULL`, nil, &inside)
		return over == 2 && read == 3 && inside == 3
	})
	for who, want := range map[person]int{idle: 1, active: 1, late: 0} {
		require.Len(t, p.messages(t, p.contact(t, who).ID), want, "nothing is sent in a paused journey")
	}
	require.Nil(t, p.decision(t, p.contact(t, active).ID, "activated", "wait_for"), "what came is looked at when the journey goes on")
	var before, after []string
	const versions = `SELECT array_agg(xmin::text ORDER BY id) FROM contacts`
	query(t, p.config.DatabaseURL, versions, nil, &before)
	eventually(t, "some time passes", func() bool {
		var over int
		query(t, p.config.DatabaseURL, `SELECT count(*) FROM enrollments WHERE state = 'waiting' AND wake_at < now() - interval '4 s'`, nil, &over)
		return over == 2
	})
	query(t, p.config.DatabaseURL, versions, nil, &after)
	require.Equal(t, before, after, "who stands still does not look again and again")
	numbers := admin[journey.Numbers](t, p, "GET", "/v1/journeys/held/numbers", "")
	require.Equal(t, int64(3), numbers.Entered)
	require.Equal(t, int64(2), numbers.Steps[1].Here)

	require.Nil(t, admin[api.JourneySummary](t, p, "POST", "/v1/journeys/held/resume", "").PausedAt)
	for who, step := range map[person]string{idle: "nudge", active: "tips", late: "nudge"} {
		id := p.contact(t, who).ID
		require.Equal(t, "finished", p.ended(t, id).Reason)
		require.NotNil(t, p.messageAt(t, id, step), "%s", step)
		require.Len(t, p.messages(t, id), 2)
		require.Len(t, caught(t, who.email), 2, "each mail once")
		record(t, p.temporal(t), workflows.JourneyID(id), "", "journey-paused-"+step)
	}
	numbers = admin[journey.Numbers](t, p, "GET", "/v1/journeys/held/numbers?version=1", "")
	require.Equal(t, []journey.ReasonCount{{State: "completed", Reason: "finished", Total: 3}}, numbers.Ended)
	require.Contains(t, numbers.Ways, journey.WayCount{Step: "activated", Port: "0", Total: 1})
	rows := admin[list[journey.CountedContact]](t, p, "GET", "/v1/journeys/held/contacts?step=activated&outcome=timeout", "").Data
	require.Len(t, rows, 2)
}

// A contact that is between two steps when the journey is paused does not take the second one.
func TestPauseBetweenTwoSteps(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome")
	called, release := make(chan struct{}, 10), make(chan struct{})
	var once sync.Once
	free := func() { once.Do(func() { close(release) }) }
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called <- struct{}{}; <-release }))
	t.Cleanup(hook.Close)
	t.Cleanup(free)
	p.publish(t, `
journey: between
enter: [{event: Signed Up}]
steps:
  - id: tell
    webhook: {url: "`+hook.URL+`", event: told}
  - id: welcome
    send: {template: welcome}
  - id: done
    exit: finished
`)
	who := newPerson()
	id := p.identify(t, who, nil)
	p.track(t, who, "Signed Up", nil)
	select {
	case <-called:
	case <-time.After(patience):
		require.Fail(t, "the webhook was not called")
	}
	admin[api.JourneySummary](t, p, "POST", "/v1/journeys/between/pause", "")
	free()
	eventually(t, "the webhook is recorded", func() bool { return p.decision(t, id, "tell", "webhook") != nil })
	eventually(t, "the journey has looked again after it", func() bool {
		var step string
		query(t, p.config.DatabaseURL, `SELECT step FROM enrollments WHERE contact_id = $1`, []any{id}, &step)
		return step == "welcome"
	})
	require.Empty(t, p.messages(t, id))
	admin[api.JourneySummary](t, p, "POST", "/v1/journeys/between/resume", "")
	require.Equal(t, "finished", p.ended(t, id).Reason)
	require.Len(t, caught(t, who.email), 1)
	require.Empty(t, called, "the webhook is not called again")
	record(t, p.temporal(t), workflows.JourneyID(id), "", "journey-paused-between")
}
