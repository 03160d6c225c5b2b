package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
)

// All mistakes in the environment are told at once, each with the name of its variable, none with its value.
func TestConfigTellsAllMistakes(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"SMTP_URL": "gopher://secret.example", "MAIL_FROM": "nobody", "PUBLIC_URL": "not a url", "THROUGHLINE_ADMIN_KEY": "short",
		"ALLOW_PRIVATE": "everything", "BRAND_LINK": "ftp://secret.example",
		"INGEST_EVENTS_PER_SECOND": "0", "INGEST_IN_FLIGHT": "secret", "INGEST_KEEP_IP": "secret", "TRUSTED_PROXIES": "10.0.0.0/8, secret",
	}
	_, err := readConfig(func(name string) string { return env[name] })
	require.Error(t, err)
	for _, name := range []string{"DATABASE_URL", "SMTP_URL", "MAIL_FROM", "PUBLIC_URL", "THROUGHLINE_ADMIN_KEY", "ALLOW_PRIVATE", "BRAND_LINK",
		"INGEST_EVENTS_PER_SECOND", "INGEST_IN_FLIGHT", "INGEST_KEEP_IP", "TRUSTED_PROXIES"} {
		require.ErrorContains(t, err, name)
	}
	require.NotContains(t, err.Error(), "secret")

	c, err := readConfig(func(name string) string { return map[string]string{"DATABASE_URL": "postgres://db/x"}[name] })
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8080", c.Listen)
	require.Equal(t, "throughline", c.TemporalNamespace)
	require.False(t, c.IngestKeepIP)

	env = map[string]string{"DATABASE_URL": "postgres://db/x", "INGEST_EVENTS_PER_SECOND": "1000", "INGEST_IN_FLIGHT": "3", "INGEST_KEEP_IP": "true",
		"TRUSTED_PROXIES": "10.0.0.0/8 fd00::/8"}
	c, err = readConfig(func(name string) string { return env[name] })
	require.NoError(t, err)
	require.Equal(t, []any{1000, 3, true, []string{"10.0.0.0/8", "fd00::/8"}}, []any{c.IngestRate, c.IngestInFlight, c.IngestKeepIP, c.TrustedProxies})
}

// How people log in is read as a whole: nothing of it, or all that is needed, with every mistake told at once and no value of it.
func TestConfigOfSingleSignOn(t *testing.T) {
	t.Parallel()
	read := func(env map[string]string) (config, error) {
		env["DATABASE_URL"] = "postgres://db/x"
		return readConfig(func(name string) string { return env[name] })
	}
	c, err := read(map[string]string{})
	require.NoError(t, err)
	require.Empty(t, c.Login.Issuer)
	for _, env := range []map[string]string{
		{"OIDC_NAME": "secret"}, {"OIDC_CLIENT_SECRET": "secret"}, {"OIDC_ROLES_CLAIM": "secret"}, {"OIDC_ISSUER": "secret", "OIDC_ROLES": "secret=boss"},
	} {
		_, err = read(env)
		for _, name := range []string{"OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_ROLES"} {
			require.ErrorContains(t, err, name)
		}
		require.NotContains(t, err.Error(), "secret")
	}
	env := map[string]string{"OIDC_ISSUER": "https://login.example/realms/x", "OIDC_CLIENT_ID": "throughline", "OIDC_ROLES": "*=viewer"}
	c, err = read(env)
	require.NoError(t, err)
	require.Equal(t, loginConfig{Issuer: "https://login.example/realms/x", ClientID: "throughline", Name: "single sign-on", Scopes: []string{"profile"},
		RolesClaim: "groups", Roles: []api.RoleRule{{Group: "*", Role: api.RoleViewer}}}, c.Login)
	env["OIDC_ROLES"], env["OIDC_SCOPES"] = " admins = admin,cn=a b=sales ,", "openid groups,profile"
	c, err = read(env)
	require.NoError(t, err)
	require.Equal(t, []api.RoleRule{{Group: "admins", Role: api.RoleAdmin}, {Group: "cn=a b", Role: api.RoleSales}}, c.Login.Roles)
	require.Equal(t, []string{"groups", "profile"}, c.Login.Scopes)
	for _, wrong := range []string{"admins", "=admin", "admins=", "a=admin,b=Admin", ","} {
		env["OIDC_ROLES"] = wrong
		_, err = read(env)
		require.ErrorContains(t, err, "OIDC_ROLES", wrong)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	require.NoError(t, os.WriteFile(wrong, []byte("journey: wrong\nenter: [{event: A}]\nsteps:\n  - id: a\n    wait: 1d\n    next: b\n  - id: a\n    sned: {}\n"), 0o600))
	for _, tc := range []struct {
		name string
		args []string
		err  error
		says []string
	}{
		{name: "nothing", err: errUsage},
		{name: "unknown", args: []string{"dance"}, err: errUsage},
		{name: "lint the examples", args: []string{"journey", "lint", "examples/trial-to-paid.yaml", "examples/win-back.yaml"}, says: []string{"trial-to-paid.yaml: ok", "win-back.yaml: ok"}},
		{name: "lint a wrong one", args: []string{"journey", "lint", wrong}, err: errProblems, says: []string{"unknown_step", "duplicate_step", "/steps/1", "send"}},
		{name: "simulate", args: []string{"journey", "simulate", "examples/trial-to-paid.yaml", "--events", "examples/trial-to-paid.events.jsonl"}, says: []string{"8 contacts", "to_sales → won"}},
		{name: "simulate a winner", args: []string{"journey", "simulate", "examples/trial-to-paid.yaml", "--events", "examples/trial-to-paid.events.jsonl", "--winner", "nudge=1"}, says: []string{"nudge → 1", "long, the winner"}},
		{name: "simulate without events", args: []string{"journey", "simulate", "examples/trial-to-paid.yaml"}, err: errUsage},
		{name: "version", args: []string{"version"}, says: []string{"dev"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			require.ErrorIs(t, run(t.Context(), tc.args, &out), tc.err)
			for _, text := range tc.says {
				require.Contains(t, out.String(), text)
			}
		})
	}
}

// An event whose poke was never sent (the api died between commit and poke, or Temporal was down) is found by the sweeper.
func TestSweeperWakesWhatNobodyPoked(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome")
	p.template(t, "tips", "Tips")
	p.publish(t, sendWaitSend)
	who := newPerson()
	id := p.identify(t, who, nil)

	s, err := store.Open(t.Context(), p.config.DatabaseURL)
	require.NoError(t, err)
	defer s.Close()
	committed := time.Now().Add(time.Second) // after the publication, and stale to the sweeper ten seconds later
	accepted, err := s.Ingest(t.Context(), committed, []audience.Incoming{{
		Source: "test", MessageID: uuid.NewString(), Type: audience.TypeTrack, Name: "Signed Up", UserID: who.user, OccurredAt: committed,
	}})
	require.NoError(t, err)
	require.True(t, accepted[0].Poke, "the event wants a poke, which nobody sends")
	eventually(t, "the sweeper wakes the journey", func() bool {
		m := p.messageAt(t, id, "welcome")
		return m != nil && m.State == email.Sent
	})
	require.Greater(t, time.Since(committed), sweepOlder-time.Second, "it was the sweeper, and nobody else")
}
