package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/workflows"
)

// A handoff that sales leaves alone expires; one whose contact buys by itself is taken back. Both ways the rep's list is
// cleared, and a late action is refused with a sentence.
func TestHandoffEndsWithoutSales(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.publish(t, `
journey: desk
enter: [{event: Call me}]
goal: {event: Bought}
steps:
  - id: to_sales
    handoff: {why: Asked for a call, won: done, lost: done, rejected: done, expires: {after: 30d, go: late}}
  - id: late
    exit: late
  - id: done
    exit: done
`)
	p.publish(t, `
journey: hasty
enter: [{event: Call me now}]
steps:
  - id: to_sales
    handoff: {why: Asked for a call, won: done, lost: done, rejected: done, expires: {after: 1s, go: late}}
  - id: late
    exit: late
  - id: done
    exit: done
`)
	for _, tc := range []struct {
		name, enter, then, reason string
		status                    sales.HandoffStatus
	}{
		{name: "taken back", enter: "Call me", then: "Bought", reason: "goal", status: sales.HandoffCancelled},
		{name: "expired", enter: "Call me now", reason: "late", status: sales.HandoffExpired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, who := p.temporal(t), newPerson()
			id := p.identify(t, who, nil)
			p.track(t, who, tc.enter, nil)
			var handoff sales.Handoff
			eventually(t, "the handoff is made", func() bool {
				for _, h := range admin[list[sales.Handoff]](t, p, "GET", "/v1/handoffs?limit=200", "").Data {
					if h.ContactID == id {
						handoff = h
					}
				}
				return handoff.ID != ""
			})
			if tc.then != "" {
				p.track(t, who, tc.then, nil)
			}
			require.Equal(t, tc.reason, p.ended(t, id).Reason)
			require.Equal(t, tc.status, admin[sales.Handoff](t, p, "GET", "/v1/handoffs/"+handoff.ID, "").Status)

			var status sales.HandoffStatus
			require.NoError(t, c.GetWorkflow(t.Context(), workflows.HandoffID(handoff.ID), "").Get(t.Context(), &status), "the handoff's workflow ends")
			require.Equal(t, tc.status, status)
			code, body := p.do(t, "POST", "/v1/handoffs/"+handoff.ID+"/accept", p.config.AdminKey, `{"owner":"ana"}`)
			require.Equal(t, 409, code, string(body))
			require.Contains(t, string(body), "is over")
			record(t, c, workflows.HandoffID(handoff.ID), "", "handoff-"+string(tc.status))
			record(t, c, workflows.JourneyID(id), "", "journey-handoff-"+string(tc.status))
		})
	}
}
