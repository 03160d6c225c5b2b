package main

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// What the product says of a company and of an object enrolls a contact, stands in its mail, and is in the catalogue, renames included.
func TestCompaniesAndObjectsReachTheMail(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "upgrade", "{{ company.name }} pays {{ object.subscription.mrr }} for {{ object.addon.name | default: 'no add-on' }}")
	p.saveSegment(t, "paying", `object("subscription").mrr > 100 && company.plan == "team"`)
	p.publish(t, "journey: upgrade\nenter: [{segment: paying}]\nsteps:\n  - id: offer\n    send: {template: upgrade}\n  - id: done\n    exit: finished\n")
	admin[audience.EventName](t, p, http.MethodPut, "/v1/events/catalogue/project_created", `{"renamed_to":"Project Created"}`)
	admin[audience.TraitName](t, p, http.MethodPut, "/v1/traits/catalogue/seats", `{"declared":"number"}`)

	who, group := newPerson(), "acme/"+uuid.NewString()
	id := p.identify(t, who, nil)
	p.segment(t, "/v1/group", map[string]any{"userId": who.user, "groupId": group, "messageId": uuid.NewString(), "traits": map[string]any{"name": "Acme"}})
	admin[audience.Object](t, p, http.MethodPut, "/v1/objects/subscription/"+uuid.NewString(), `{"user_id":"`+who.user+`","fields":{"mrr":120.5}}`)
	company := admin[list[audience.Company]](t, p, http.MethodGet, "/v1/companies?group_id="+group, "").Data[0]
	require.Equal(t, "Acme", company.Traits["name"])
	admin[audience.Company](t, p, http.MethodPatch, "/v1/companies/"+group[:4]+"%2F"+group[5:], `{"traits":{"plan":"team"}}`)
	eventually(t, "the offer is sent", func() bool {
		m := p.messageAt(t, id, "offer")
		return m != nil && m.State == email.Sent
	})
	require.Equal(t, "Acme pays 120.5 for no add-on", p.messageAt(t, id, "offer").Subject)

	// The rules were made before the mail went its way, so they are known by now.
	p.track(t, who, "project_created", map[string]any{"plan": "pro"})
	p.identify(t, who, map[string]any{"seats": "42"})
	require.InDelta(t, 42, p.contact(t, who).Traits["seats"], 0)
	eventually(t, "the catalogue has the event", func() bool {
		found := admin[list[audience.EventName]](t, p, http.MethodGet, "/v1/events/catalogue?q=created", "")
		for _, name := range found.Data {
			if name.Name == "Project Created" {
				return name.Count == 1
			}
		}
		return false
	})
	detail := admin[api.EventNameDetail](t, p, http.MethodGet, "/v1/events/catalogue/Project%20Created", "")
	require.Equal(t, "plan", detail.Properties[0].Name)
	require.Empty(t, detail.Properties[0].Types[0].Samples, "one contact's value is nobody else's business")
}
