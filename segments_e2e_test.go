package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

const segmentJourney = `
journey: onboarding
enter: [{segment: trials}]
exit: [{left_segment: trials}]
steps:
  - id: welcome
    send: {template: welcome}
  - id: activated
    wait_for:
      - {segment: active, go: tips}
      - {after: 30d, go: done}
  - id: tips
    send: {template: tips}
  - id: rest
    wait: 30d
  - id: done
    exit: finished
`

// saveSegment makes a segment live and waits until the clock job has filled it.
func (p *product) saveSegment(t *testing.T, key, condition string) {
	t.Helper()
	admin[audience.SegmentState](t, p, http.MethodPut, "/v1/segments/"+key, fmt.Sprintf(`{"condition":%q}`, condition))
	eventually(t, "the segment is filled", func() bool {
		return admin[audience.SegmentState](t, p, http.MethodGet, "/v1/segments/"+key, "").FilledAt != nil
	})
}

// A segment enrolls who enters it, ends a wait, and takes out of the journey who leaves it, all by events and traits over HTTP.
func TestSegmentsDriveAJourney(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome {{ contact.first_name }}")
	p.template(t, "tips", "Tips for {{ contact.first_name }}")
	before := newPerson()
	old := p.identify(t, before, map[string]any{"plan": "trial"})
	p.saveSegment(t, "trials", `contact.plan == "trial"`)
	p.saveSegment(t, "active", `count("Project Created", "7d") >= 2`)
	p.publish(t, segmentJourney)

	who := newPerson()
	id := p.identify(t, who, map[string]any{"plan": "trial"})
	eventually(t, "the welcome is sent", func() bool {
		m := p.messageAt(t, id, "welcome")
		return m != nil && m.State == email.Sent
	})
	p.track(t, who, "Project Created", nil)
	p.track(t, who, "Project Created", nil)
	eventually(t, "the tips are sent", func() bool {
		m := p.messageAt(t, id, "tips")
		return m != nil && m.State == email.Sent
	})
	require.Len(t, caught(t, who.email), 2)
	p.identify(t, who, map[string]any{"plan": "paid"})
	require.Equal(t, string(journey.Exited), p.ended(t, id).Kind)

	require.Empty(t, caught(t, before.email), "who was there before is in the segment, and in no journey")
	members := admin[list[audience.Member]](t, p, http.MethodGet, "/v1/segments/trials/members", "")
	require.Len(t, members.Data, 1)
	require.Equal(t, old, members.Data[0].Contact.ID)
}

// Time alone moves a contact into a segment, and that enrolls it: fourteen days after it was seen, which are over in three seconds.
func TestTheClockEnrolls(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "We miss you")
	p.saveSegment(t, "idle", `did("Seen") && !did("Seen", "14d")`)
	p.publish(t, "journey: win-back\nenter: [{segment: idle}]\nsteps:\n  - id: welcome\n    send: {template: welcome}\n  - id: done\n    exit: finished\n")
	who := newPerson()
	id := p.identify(t, who, nil)
	longAgo := time.Now().Add(-14*audience.Day + 3*time.Second) // in three seconds it is fourteen days
	p.segment(t, "/v1/track", map[string]any{"userId": who.user, "event": "Seen", "timestamp": longAgo, "messageId": who.user})
	require.Empty(t, admin[list[audience.Membership]](t, p, http.MethodGet, "/v1/contacts/"+id+"/segments", "").Data)
	require.Equal(t, "finished", p.ended(t, id).Reason)
	require.Len(t, caught(t, who.email), 1)
}
