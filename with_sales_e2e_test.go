package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/sales"
)

// While somebody in sales works on a contact, marketing keeps quiet in all journeys but those that say otherwise. What waited goes out as
// soon as sales is done, whoever ends it: the salesperson, or the contact that buys by itself.
func TestMarketingWaitsForSales(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "news", "News")
	p.publish(t, `
journey: desk
enter: [{event: Call me}]
goal: {event: Bought}
steps:
  - id: to_sales
    handoff: {why: Asked for a call, won: done, lost: done, rejected: done}
  - id: done
    exit: done
`)
	for _, document := range []string{
		"journey: waits\nenter: {event: Came}\nsteps:\n  - id: waiting\n    send: {template: news}\n  - id: done\n    exit: sent\n",
		"journey: skips\nenter: {event: Came}\nsteps:\n  - id: skipping\n    send: {template: news, otherwise: skip}\n  - id: done\n    exit: sent\n",
		"journey: needed\nenter: {event: Came}\nsteps:\n  - id: receipt\n    send: {template: news, class: transactional}\n  - id: done\n    exit: sent\n",
		"journey: insists\nduring_handoff: send\nenter: {event: Came}\nsteps:\n  - id: insisting\n    send: {template: news}\n  - id: done\n    exit: sent\n",
	} {
		p.publish(t, document)
	}
	for name, finish := range map[string]func(t *testing.T, who person, h sales.Handoff){
		"sales is done": func(t *testing.T, _ person, h sales.Handoff) {
			t.Helper()
			admin[sales.Handoff](t, p, "POST", "/v1/handoffs/"+h.ID+"/accept", `{"owner":"ana"}`)
			require.Nil(t, p.messageAt(t, h.ContactID, "waiting"), "accepted is not done")
			admin[sales.Handoff](t, p, "POST", "/v1/handoffs/"+h.ID+"/lost", `{"reason":"no budget"}`)
		},
		"the contact buys": func(t *testing.T, who person, _ sales.Handoff) {
			t.Helper()
			p.track(t, who, "Bought", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			who := newPerson()
			id := p.identify(t, who, nil)
			p.track(t, who, "Call me", nil)
			handoff := p.openHandoff(t, id)
			p.track(t, who, "Came", nil)
			eventually(t, "the mail waits", func() bool { return p.decision(t, id, "waiting", "held") != nil })
			require.Equal(t, "with_sales", p.decision(t, id, "waiting", "held").Reason)
			for step, want := range map[string]email.State{"skipping": email.Skipped, "receipt": email.Sent, "insisting": email.Sent} {
				eventually(t, step+" is settled", func() bool {
					m := p.messageAt(t, id, step)
					return m != nil && m.State == want
				})
			}
			require.Equal(t, "with_sales", p.messageAt(t, id, "skipping").Reason)
			require.Nil(t, p.messageAt(t, id, "waiting"))

			finish(t, who, handoff)
			eventually(t, "it goes out", func() bool {
				m := p.messageAt(t, id, "waiting")
				return m != nil && m.State == email.Sent
			})
		})
	}
}
