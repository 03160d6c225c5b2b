package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// The list of the tool used before comes along by one command: nobody on it gets a mail, of whatever class, and the reason is there.
func TestSuppressCommand(t *testing.T) {
	p := start(t)
	t.Setenv("PUBLIC_URL", p.base)
	t.Setenv("THROUGHLINE_ADMIN_KEY", p.config.AdminKey)
	p.template(t, "news", "News")
	p.publish(t, "journey: news\nenter: {event: Came}\nsteps:\n  - id: ad\n    send: {template: news}\n  - id: receipt\n    send: {template: news, class: transactional}\n  - id: done\n    exit: sent\n")
	who := newPerson()
	id := p.identify(t, who, nil)
	file := filepath.Join(t.TempDir(), "never.csv")
	require.NoError(t, os.WriteFile(file, []byte("Name,Email\nAna,"+who.email+"\nBen,nonsense\nCleo,cleo@example.test\n"), 0o600))

	var out bytes.Buffer
	require.ErrorIs(t, runSuppress(t.Context(), []string{file}, &out), errProblems)
	require.Contains(t, out.String(), file+":3: This is no e-mail address.")
	require.Contains(t, out.String(), "2 added, 0 on the list already, 1 that are no address")
	out.Reset()
	require.NoError(t, os.WriteFile(file, []byte(who.email+"\ncleo@example.test\n"), 0o600))
	require.NoError(t, runSuppress(t.Context(), []string{file}, &out))
	require.Contains(t, out.String(), "0 added, 2 on the list already, 0 that are no address")

	p.track(t, who, "Came", nil)
	p.ended(t, id)
	for _, step := range []string{"ad", "receipt"} {
		m := p.messageAt(t, id, step)
		require.Equal(t, []any{email.Skipped, email.ReasonSuppressed}, []any{m.State, m.Reason}, step)
	}
	page := admin[list[audience.SuppressedAddress]](t, p, "GET", "/v1/suppressions?reason=imported", "")
	require.Len(t, page.Data, 2)
	status, _ := p.do(t, "POST", "/v1/suppressions/remove", p.config.AdminKey, `{"address":"cleo@example.test"}`)
	require.Equal(t, 204, status)
}
