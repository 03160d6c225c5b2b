package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/email"
)

// catcher is a mail catcher of the test's own: what it is told to do wrong disturbs no other test.
type catcher struct{ smtp, inbox string }

func newCatcher(t *testing.T) catcher {
	t.Helper()
	needStack(t)
	dir, smtp, inbox := t.TempDir(), freePort(t), freePort(t)
	cmd := exec.CommandContext(t.Context(), os.Getenv("DEVSTACK_BIN"), "inbox", "--dir", filepath.Join(dir, "inbox"), "--smtp-port", smtp, "--http-port", inbox)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "ready") { //nolint:revive // it reads
	}
	go func() {
		for lines.Scan() { //nolint:revive // so that it never blocks
		}
	}()
	return catcher{"smtp://127.0.0.1:" + smtp, "http://127.0.0.1:" + inbox}
}

// startCaught runs the product with a catcher of its own.
func startCaught(t *testing.T, change ...func(*config)) *product {
	t.Helper()
	c := newCatcher(t)
	p := start(t, append(change, func(conf *config) { conf.SMTPURL, conf.InboxURL = c.smtp, c.inbox })...)
	status, answer := p.do(t, http.MethodPut, "/v1/templates/reset", p.config.AdminKey, resetTemplate)
	require.Equal(t, http.StatusOK, status, string(answer))
	return p
}

// direct asks for a mail to an address and gives its id.
func (p *product) direct(t *testing.T, to string) string {
	t.Helper()
	status, m, answer := p.sendDirect(t, uuid.NewString(), `{"email":"`+to+`","template":"reset","data":{"link":"https://example.com/r"}}`)
	require.Equal(t, http.StatusAccepted, status, answer)
	return m.ID
}

func (p *product) message(t *testing.T, id string) email.Message {
	t.Helper()
	return admin[email.Message](t, p, http.MethodGet, "/v1/messages/"+id, "")
}

func (p *product) provider(t *testing.T, name string) *api.Provider {
	t.Helper()
	for _, found := range admin[list[api.Provider]](t, p, http.MethodGet, "/v1/deliverability/providers", "").Data {
		if found.Provider == name {
			return &found
		}
	}
	return nil
}

// A new mail waits for no mail that hangs, however long a send is waited for.
func TestDirectMessageWaitsForNoStuckOne(t *testing.T) {
	t.Parallel()
	p := startCaught(t, func(c *config) { c.Patience = 10 * time.Minute })
	misbehave(t, p.config.InboxURL, map[string]any{"at": "rcpt", "action": "hang", "seconds": 20, "rcpt": "stuck.example"})
	stuck := p.direct(t, "ana@stuck.example")
	eventually(t, "it is under way, and hangs", func() bool { return faultsMet(t, p.config.InboxURL) == 1 })
	for range 3 {
		id := p.direct(t, newPerson().email)
		eventually(t, "a new one is sent", func() bool { return p.message(t, id).State == email.Sent })
	}
	require.Equal(t, email.Sending, p.message(t, stuck).State, "while the other one still hangs")
}

// What a provider says about how much we send, per recipient: it is tried later, it is seen why, and it gets there once.
func TestProvidersAskToSlowDown(t *testing.T) {
	t.Parallel()
	p := startCaught(t)
	type mail struct{ domain, id string }
	var mails []mail
	for i, fault := range []map[string]any{
		{"at": "rcpt", "code": 450, "enhanced": "4.7.1"},
		{"at": "rcpt", "code": 451, "enhanced": "4.7.1", "text": "greylisted, come back"},
		{"at": "rcpt", "code": 421, "enhanced": "4.7.28"},
		{"at": "data", "code": 452, "enhanced": "4.5.3", "text": "too many recipients"},
		{"at": "after_dot", "code": 452, "enhanced": "4.7.0"},
	} {
		domain := fmt.Sprintf("slow%d.example", i)
		fault["action"], fault["rcpt"], fault["times"] = "reply", domain, 1
		misbehave(t, p.config.InboxURL, fault)
		mails = append(mails, mail{domain, p.direct(t, "ana@"+domain)})
	}
	for _, m := range mails {
		eventually(t, m.domain+" is put off", func() bool {
			found := p.message(t, m.id)
			require.NotEqual(t, email.Rejected, found.State)
			return found.State == email.Deferred && found.Reason == email.ReasonSlowed || found.State == email.Sent && found.Attempt == 2
		})
		provider := p.provider(t, m.domain)
		require.NotNil(t, provider)
		require.True(t, provider.Slowed)
		require.EqualValues(t, 1, provider.SlowDowns)
		require.NotNil(t, provider.RatePerMinute)
		require.InDelta(t, 30, *provider.RatePerMinute, 3, "half of what it got")
		require.Contains(t, provider.Words, "It asked us to slow down")
	}
	for _, m := range mails {
		eventually(t, m.domain+" gets its mail", func() bool { return p.message(t, m.id).State == email.Sent })
		require.Equal(t, 2, p.message(t, m.id).Attempt)
		require.Len(t, caughtAt(t, p.config.InboxURL, "ana@"+m.domain), 1)
	}
	require.Nil(t, p.provider(t, email.ProviderRelay))
	status, metrics := p.do(t, http.MethodGet, "/metrics", p.config.AdminKey, "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(metrics), "throughline_providers_slowed 5")
}

// A server that greets with 421 speaks about all mail, and no address is to blame.
func TestTheRelayAsksToSlowDown(t *testing.T) {
	t.Parallel()
	p := startCaught(t)
	misbehave(t, p.config.InboxURL, map[string]any{"at": "connect", "action": "reply", "code": 421, "enhanced": "4.3.2", "text": "too many connections"})
	id := p.direct(t, newPerson().email)
	eventually(t, "the relay is slowed", func() bool { r := p.provider(t, email.ProviderRelay); return r != nil && r.Slowed })
	eventually(t, "the mail gets there", func() bool { return p.message(t, id).State == email.Sent })
	require.Equal(t, 2, p.message(t, id).Attempt)
}

// A provider that takes nothing keeps its own mail waiting, in journeys as well as by itself, and nobody else's: its mail holds no connection,
// no worker and no page of a list.
func TestAStuckProviderKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	p := startCaught(t)
	p.template(t, "hello", "Hello")
	p.publish(t, fmt.Sprintf(twoMails, "1s"))
	admin[map[string]any](t, p, http.MethodPut, "/v1/sending_policy", `{"caps":[],"providers":[{"provider":"limited.example","per_minute":1}]}`)
	misbehave(t, p.config.InboxURL, map[string]any{"at": "rcpt", "action": "reply", "code": 421, "enhanced": "4.7.0", "rcpt": "stuck.example", "times": -1})
	var probes []string
	eventually(t, "the limit holds", func() bool {
		probes = append(probes, p.direct(t, "probe@limited.example"))
		return slices.ContainsFunc(probes, func(id string) bool { return p.message(t, id).Waits != nil })
	})
	stuck := []string{}
	for i := range 120 { // more than a page
		stuck = append(stuck, p.direct(t, fmt.Sprintf("ana%d@%s.example", i, []string{"stuck", "limited"}[i%2])))
	}
	inJourney := newPerson()
	inJourney.email = "journey@limited.example"
	held := p.identify(t, inJourney, nil)
	p.track(t, inJourney, "Signed Up", nil)
	eventually(t, "mail waits", func() bool { l := p.provider(t, "limited.example"); return l.Waiting > 20 })
	for range 5 {
		id := p.direct(t, newPerson().email)
		eventually(t, "another provider's mail is sent", func() bool { return p.message(t, id).State == email.Sent })
	}
	who := newPerson()
	contact := p.identify(t, who, nil)
	p.track(t, who, "Signed Up", nil)
	eventually(t, "a journey's mail to another provider is sent", func() bool { m := p.messageAt(t, contact, "second"); return m != nil && m.State == email.Sent })
	eventually(t, "a journey's mail waits", func() bool {
		m := p.messageAt(t, held, "first")
		return m != nil && m.Reason == email.ReasonPaced
	})
	states := map[email.State]int{}
	for _, id := range stuck {
		m := p.message(t, id)
		states[m.State]++
		if m.Waits != nil {
			require.Contains(t, []string{"stuck.example", "limited.example"}, m.Waits.Provider)
		}
	}
	require.Positive(t, states[email.Queued]+states[email.Deferred], "%v", states)
	require.LessOrEqual(t, states[email.Sent], 5, "a mail a minute")
	require.Zero(t, states[email.Rejected]+states[email.Failed]+states[email.Unknown])
}
