package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

func (p *product) saveBrand(t *testing.T, name string) {
	t.Helper()
	status, answer := p.do(t, http.MethodPut, "/v1/brand", p.config.AdminKey, fmt.Sprintf(`{"name":%q,"link":"https://example.test","address":"1 Example Street"}`, name))
	require.Equal(t, http.StatusOK, status, string(answer))
}

// A brand that is saved in one process is shown by the next mail of every process, without a restart. A mail that was made before keeps its
// bytes, however often it is tried.
func TestBrandOfEveryProcess(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	c.Brand = email.Brand{Name: "Variables", Link: "https://example.test"}
	p, q := startWith(t, c), startWith(t, c)
	p.template(t, "hello", "Hello")
	p.publish(t, `
journey: branded
enter: [{event: Start}]
steps:
  - id: first
    send: {template: hello}
  - id: done
    exit: finished
`)
	preview := func(p *product) string {
		status, answer := p.do(t, http.MethodPost, "/v1/templates/preview", p.config.AdminKey, `{"template":{"subject":"Hi","body":{"intros":["One."]}}}`)
		require.Equal(t, http.StatusOK, status, string(answer))
		return string(answer)
	}
	require.Contains(t, preview(q), "Variables", "until somebody saves one")

	slow := newPerson()
	slowID := p.identify(t, slow, nil)
	misbehave(t, c.InboxURL, map[string]any{"at": "rcpt", "action": "reply", "code": 451, "enhanced": "4.7.1", "text": "come back", "rcpt": slow.email, "times": 1})
	p.track(t, slow, "Start", nil)
	eventually(t, "the first attempt is put off", func() bool {
		m := p.messageAt(t, slowID, "first")
		return m != nil && m.State == email.Deferred
	})
	for _, name := range []string{"Firstbrand", "Secondbrand"} {
		p.saveBrand(t, name)
		require.Contains(t, preview(q), name)
		require.Contains(t, preview(p), name)
		for range 4 { // whichever of the two workers makes it
			who := newPerson()
			p.identify(t, who, nil)
			q.track(t, who, "Start", nil)
			eventually(t, "the mail arrives", func() bool { return len(caught(t, who.email)) == 1 })
			require.Contains(t, rawMail(t, c.InboxURL, caught(t, who.email)[0].ID), name)
		}
	}
	require.Equal(t, "finished", p.ended(t, slowID).Reason)
	eventually(t, "the second attempt succeeds", func() bool { return len(caught(t, slow.email)) == 1 })
	raw := rawMail(t, c.InboxURL, caught(t, slow.email)[0].ID)
	require.Contains(t, raw, "Variables")
	require.NotContains(t, raw, "brand")
}
