package main

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/oidctest"
	"throughline.dev/throughline/internal/store"
)

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// TestDesigner lets Playwright work with the pages as people do, in a real browser, against everything real.
func TestDesigner(t *testing.T) {
	if os.Getenv("E2E") == "" {
		t.Skip("needs Node and Chromium: make e2e sets E2E")
	}
	if _, err := os.Stat("designer/dist/index.html"); err != nil {
		t.Skip("the pages are not built: that takes Node 20.19 or newer")
	}
	chromium, err := exec.LookPath("chromium")
	require.NoError(t, err)
	// The provider has to know where people come back to before the product listens there.
	listen := freeAddress(t)
	provider := oidctest.Start(t, "http://"+listen+api.LoginCallback,
		oidctest.User{Login: "maria", Name: "Maria Marketing", Claims: map[string]any{"groups": []string{"marketing"}}},
		oidctest.User{Login: "rita", Name: "Rita Rep", Claims: map[string]any{"groups": []string{"sales-team"}}},
		oidctest.User{Login: "nora", Name: "Nora Nobody"})
	model := startModel(t, map[string]http.HandlerFunc{"else": says(`{"subjects":["Three ideas for Monday","A magic way to begin","Visit https://evil.example now"]}`)})
	p := start(t, func(c *config) {
		c.OpenAIBaseURL, c.OpenAIKey = model.url, "test"
		c.Listen, c.PublicURL = listen, "http://"+listen
		c.Login = loginConfig{Issuer: provider.Issuer, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret, Name: "Example login", Scopes: []string{"profile"},
			RolesClaim: "groups", Roles: []api.RoleRule{{Group: "marketing", Role: api.RoleMarketer}, {Group: "sales-team", Role: api.RoleSales}}}
	})
	p.budget(t, `{"on":false,"candidates":3,"forbidden":[],"budget":{"requests":500,"tokens":1000000}}`) // who wants it switches it on
	p.exampleTemplates(t)
	for _, file := range []string{"examples/trial-to-paid.yaml", "examples/win-back.yaml"} {
		document, err := os.ReadFile(file)
		require.NoError(t, err)
		p.publish(t, string(document))
	}
	db, err := store.Open(t.Context(), p.config.DatabaseURL)
	require.NoError(t, err)
	defer db.Close()
	sales := "sales-key-of-this-test"
	_, err = db.UpsertKey(t.Context(), "Rita", sales, []string{"sales", "read"}, time.Now())
	require.NoError(t, err)

	who := newPerson()
	id := p.identify(t, who, map[string]any{"first_name": "Ana", "plan": "trial", "seats": 8})
	status, answer := p.do(t, http.MethodPut, "/v1/segments/on-trial", p.config.AdminKey, `{"name":"On trial","condition":"contact.plan == \"trial\""}`)
	require.Equal(t, http.StatusOK, status, string(answer))
	p.segment(t, "/v1/group", map[string]any{"userId": who.user, "groupId": "acme/eu", "traits": map[string]any{"name": "Acme Europe", "seats": 40}})
	p.track(t, who, "Signed Up", nil)
	p.track(t, who, "Project Created", nil)
	p.openHandoff(t, id)

	artifacts := os.Getenv("ARTIFACTS")
	if artifacts == "" {
		artifacts = filepath.Join(t.TempDir(), "artifacts")
	}
	arguments := append([]string{"test", "--config", "e2e/playwright.config.ts"}, strings.Fields(os.Getenv("PLAYWRIGHT"))...)
	command := exec.CommandContext(t.Context(), "node_modules/.bin/playwright", arguments...) //nolint:gosec // a test
	command.Dir = "designer"
	command.Env = append(os.Environ(), "BASE_URL="+p.base, "ADMIN_KEY="+p.config.AdminKey, "SALES_KEY="+sales, "WRITE_KEY="+p.config.WriteKey, "CONTACT_ID="+id, "EMAIL="+who.email,
		"OIDC_ISSUER="+provider.Issuer, "OIDC_PASSWORD="+oidctest.Password, "CHROMIUM="+chromium, "ARTIFACTS="+artifacts, "NO_COLOR=1")
	out, err := command.CombinedOutput()
	t.Log(string(out))
	require.NoError(t, err)
}
