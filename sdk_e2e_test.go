package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/segmentio/analytics-go/v3"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api/tracking"
	"throughline.dev/throughline/internal/audience"
)

// everyType is what the server libraries send (e2e/lib.mjs), as it has to stand in the timeline: each once.
func everyType() []string {
	return []string{"alias", "group", "identify", "page Page Viewed", "screen Screen Viewed", "track Project Created", "track Seen Before"}
}

// event finds the contact's only event of a name, or of a type that has none.
func (p *product) event(t *testing.T, contactID, nameOrType string) audience.Event {
	t.Helper()
	var found []audience.Event
	for _, e := range p.timeline(t, contactID) {
		if e.Event != nil && (e.Event.Name == nameOrType || e.Event.Name == "" && string(e.Event.Type) == nameOrType) {
			found = append(found, *e.Event)
		}
	}
	require.Len(t, found, 1, nameOrType)
	return found[0]
}

func requireServerCalls(t *testing.T, p *product, who person) {
	t.Helper()
	contact := p.contact(t, who)
	require.Equal(t, everyType(), p.arrived(t, contact.ID), "each once, and what the alias names is the same contact's")
	require.Equal(t, who.email, contact.Email)
	require.Equal(t, "trial", contact.Traits["plan"])
	require.Equal(t, []string{"Europe/Berlin", "de-DE"}, []string{contact.Timezone, contact.Locale})
	created := p.event(t, contact.ID, "Project Created")
	require.Equal(t, map[string]any{"kind": "demo", "seats": 3.0}, created.Properties)
	require.Equal(t, map[string]any{"source": "news", "name": "spring"}, created.Context["campaign"])
	require.NotContains(t, created.Context, "library")
	require.Equal(t, "Pricing", p.event(t, contact.ID, audience.PageViewed).Properties["name"])
}

func TestSDKSegmentNode(t *testing.T) {
	t.Parallel()
	p, f := fronted(t, down, busy, unheard)
	who := newPerson()
	result, err := node(t, p, f.plain, who, []string{"segment-node.mjs"})
	require.NoError(t, err)
	require.Empty(t, result.Failed)
	f.allHappened(t)
	requireServerCalls(t, p, who)
}

func TestSDKRudderStackNode(t *testing.T) {
	t.Parallel()
	p, f := fronted(t, down, busy, unheard) // one less than it tries
	who := newPerson()
	_, err := node(t, p, f.plain, who, []string{"rudderstack-node.mjs"})
	require.NoError(t, err, "the client's process lives on")
	f.allHappened(t)
	requireServerCalls(t, p, who)
}

// A refusal that RudderStack's library gives up on ends the process that uses it, unless it has an error handler.
func TestSDKRudderStackNodeIsRefused(t *testing.T) {
	t.Parallel()
	p, f := fronted(t)
	who := newPerson()
	_, err := node(t, p, f.plain, who, []string{"rudderstack-node.mjs"}, "WRITE_KEY=no-such-key")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
	result, err := node(t, p, f.plain, who, []string{"rudderstack-node.mjs"}, "WRITE_KEY=no-such-key", "ERROR_HANDLER=1")
	require.NoError(t, err)
	require.Contains(t, result.Failed, "401")
}

func TestSDKSegmentGo(t *testing.T) {
	t.Parallel()
	p, f := fronted(t, down, busy, unheard)
	who, context := newPerson(), &analytics.Context{Locale: "de-DE", Timezone: "Europe/Berlin", Campaign: analytics.CampaignInfo{Source: "news", Name: "spring"}}
	heard := heardBack{sent: make(chan analytics.Message, 10), failed: make(chan error, 10)}
	client, err := analytics.NewWithConfig(p.config.WriteKey, analytics.Config{Endpoint: f.plain, BatchSize: 7, Callback: heard})
	require.NoError(t, err)
	anonymous := "anon-" + who.user
	for _, message := range []analytics.Message{
		analytics.Identify{UserId: who.user, Traits: analytics.NewTraits().SetEmail(who.email).Set("plan", "trial"), Context: context},
		analytics.Track{UserId: who.user, Event: "Project Created", Properties: analytics.NewProperties().Set("kind", "demo").Set("seats", 3), Context: context},
		analytics.Page{UserId: who.user, Name: "Pricing", Properties: analytics.NewProperties().SetURL("https://shop.test/pricing"), Context: context},
		analytics.Screen{UserId: who.user, Name: "Inbox", Context: context},
		analytics.Group{UserId: who.user, GroupId: "acme-" + who.user, Traits: analytics.NewTraits().Set("name", "Acme"), Context: context},
		analytics.Track{AnonymousId: anonymous, Event: "Seen Before", Context: context},
		analytics.Alias{PreviousId: anonymous, UserId: who.user, Context: context},
	} {
		require.NoError(t, client.Enqueue(message))
	}
	for range 7 { // closed while it waits for its next try, it would drop the batch
		select {
		case <-heard.sent:
		case err := <-heard.failed:
			require.NoError(t, err)
		}
	}
	require.NoError(t, client.Close())
	f.allHappened(t)
	requireServerCalls(t, p, who)
}

// heardBack hears from the library what became of each message.
type heardBack struct {
	sent   chan analytics.Message
	failed chan error
}

func (h heardBack) Success(m analytics.Message)            { h.sent <- m }
func (h heardBack) Failure(_ analytics.Message, err error) { h.failed <- err }

// The public snippet with its host changed. A visitor whose history begins without a name turns out to be a contact that is known.
func TestSDKSnippet(t *testing.T) {
	t.Parallel()
	p, f := fronted(t, down, busy, unheard)
	who := newPerson()
	known := p.identify(t, who, nil)
	result, err := node(t, p, f.secure, who, []string{"browser.mjs", "visit"}, "PLAIN="+f.plain)
	require.NoError(t, err)
	f.allHappened(t)
	require.Empty(t, result.Foreign, "the page asks nobody but us")
	contact := p.contact(t, who)
	require.Equal(t, known, contact.ID, "the contact that was known first")
	require.Equal(t, []string{"group", "identify", "identify", "page Page Viewed", "page Page Viewed", "track Pricing Seen", "track Signed In"},
		p.arrived(t, contact.ID), "one contact with all of it, each once")
	seen := p.event(t, contact.ID, "Pricing Seen")
	require.Equal(t, map[string]any{"source": "news", "name": "spring", "medium": "mail"}, seen.Context["campaign"])
	require.Equal(t, "https://search.test/find", seen.Context["page"].(map[string]any)["referrer"])
	require.Contains(t, seen.Context["userAgent"], "Chrome")
	require.NotContains(t, seen.Context, "ip")
	require.NotContains(t, seen.Context, "library")
	require.Equal(t, []string{"Europe/Berlin", "de-DE"}, []string{contact.Timezone, contact.Locale})
}

func TestSDKForms(t *testing.T) {
	t.Parallel()
	p, f := fronted(t, late, late, late)
	who := newPerson()
	shots := os.Getenv("SHOTS")
	result, err := node(t, p, f.secure, who, []string{"browser.mjs", "form"}, "PLAIN="+f.plain)
	require.NoError(t, err)
	require.Empty(t, result.Foreign)
	f.allHappened(t)
	require.GreaterOrEqual(t, result.LeftAt, f.lastAnswer.UnixMilli(), "the page is left when all has arrived")
	var contacts []audience.Contact
	eventually(t, "the form arrives", func() bool {
		contacts = admin[list[audience.Contact]](t, p, "GET", "/v1/contacts?email="+who.email, "").Data
		return len(contacts) == 1 && len(p.arrived(t, contacts[0].ID)) == 3
	})
	contact := contacts[0]
	require.Equal(t, []string{"identify", "page Page Viewed", "track Form Submitted"}, p.arrived(t, contact.ID),
		"each once")
	require.Equal(t, "Zoe", contact.Traits["first_name"])
	for _, secret := range []string{"password", "card", "cc"} {
		require.NotContains(t, contact.Traits, secret)
	}
	submitted := p.event(t, contact.ID, "Form Submitted")
	require.Equal(t, map[string]any{"form": "Newsletter", "page": "/", "topic": "offers", "terms": true}, submitted.Properties)
	if shots != "" {
		_, err = node(t, p, f.plain, who, []string{"browser.mjs", "shot"}, "TIMELINE="+p.base+"/contacts/"+contact.ID, "KEY="+p.config.AdminKey)
		require.NoError(t, err)
	}
}

func TestSDKFormsThatThePageSendsItself(t *testing.T) {
	t.Parallel()
	p, f := fronted(t)
	who := newPerson()
	_, err := node(t, p, f.secure, who, []string{"browser.mjs", "ajax"}, "PLAIN="+f.plain)
	require.NoError(t, err)
	contacts := admin[list[audience.Contact]](t, p, "GET", "/v1/contacts?email="+who.email, "").Data
	require.Len(t, contacts, 1)
	require.Equal(t, []string{"identify", "identify", "page Page Viewed", "page Page Viewed", "track Form Submitted", "track Form Submitted"},
		p.arrived(t, contacts[0].ID), "each form once")
}

func TestSDKLinksLoadTheirPartFromUs(t *testing.T) {
	t.Parallel()
	p, f := fronted(t)
	result, err := node(t, p, f.secure, newPerson(), []string{"browser.mjs", "link"}, "PLAIN="+f.plain)
	require.NoError(t, err)
	require.Empty(t, result.Foreign)
}

// The npm package in a page, one call at a time and in batches.
func TestSDKBrowserPackage(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]string{"standard": "BATCHING=", "batching": "BATCHING=1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, f := fronted(t, down, busy, unheard)
			who := newPerson()
			result, err := node(t, p, f.secure, who, []string{"browser.mjs", "npm"}, env)
			require.NoError(t, err)
			f.allHappened(t)
			require.Empty(t, result.Foreign)
			require.Equal(t, []string{"group", "identify", "page Page Viewed", "screen Screen Viewed", "track Project Created"},
				p.arrived(t, p.contact(t, who).ID))
		})
	}
}

// What is vendored is what the package has.
func TestSDKVendoredScript(t *testing.T) {
	t.Parallel()
	if os.Getenv("E2E") == "" {
		t.Skip("E2E is not set: make e2e installs the package to compare with")
	}
	sourceMap := regexp.MustCompile(`(?m)^//# sourceMappingURL=.*$`)
	same := func(vendored, packaged string) {
		want, err := os.ReadFile(filepath.Join("e2e/node_modules/@segment/analytics-next/dist/umd", packaged))
		require.NoError(t, err)
		have, err := os.ReadFile(filepath.Join("api/tracking/dist", vendored))
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(sourceMap.ReplaceAllString(string(want), "")), strings.TrimSpace(string(have)), vendored)
	}
	same("analytics.js", "standalone.js")
	bundles, err := filepath.Glob("api/tracking/dist/*.bundle.*.js")
	require.NoError(t, err)
	require.Len(t, bundles, 3)
	for _, file := range bundles {
		same(filepath.Base(file), filepath.Base(file))
		_, served := tracking.Bundle(filepath.Base(file))
		require.True(t, served)
	}
}
