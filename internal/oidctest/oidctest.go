// Package oidctest is an OpenID provider for tests: zitadel's, with its in-memory storage and its own login form, in this process.
//
// Only tests import it, so that nothing of it is in the product.
package oidctest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The client that the provider knows.
const (
	ClientID     = "throughline"
	ClientSecret = "secret-of-the-client"
	Password     = "correct horse" //nolint:gosec // of everybody, in tests
)

// User is somebody who can log in.
type User struct {
	Login  string
	Name   string // a first and a last name
	Claims map[string]any
}

// Provider is a running one.
type Provider struct {
	Issuer string

	mu          sync.Mutex
	tamper      func(p *Provider, token string) string
	claimsApart bool
	down        bool
	asked       int
	store       *store
}

// Start runs a provider until the test ends. Its host is localhost: for a browser that is another site than 127.0.0.1.
func Start(t testing.TB, redirectURL string, users ...User) *Provider {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	p := &Provider{Issuer: "http://localhost:" + port}
	known := people{}
	for _, u := range users {
		known[u.Login] = u
	}
	p.store = &store{provider: p, people: known, Storage: storage.NewStorageWithClients(known, map[string]*storage.Client{
		ClientID: storage.WebClient(ClientID, ClientSecret, redirectURL),
	})}
	server := httptest.NewUnstartedServer(p.handler(exampleop.SetupServer(p.Issuer, p.store, nil, false)))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return p
}

// handler is the provider, with what a test does to it on the wire.
func (p *Provider) handler(provider http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		tamper, down := p.tamper, p.down
		p.asked++
		p.mu.Unlock()
		switch {
		case down:
			http.Error(w, "out of order", http.StatusBadGateway)
		case tamper != nil && r.URL.Path == "/oauth/token":
			answer := httptest.NewRecorder()
			provider.ServeHTTP(answer, r)
			var body map[string]any
			if json.Unmarshal(answer.Body.Bytes(), &body) == nil && body["id_token"] != nil {
				body["id_token"] = tamper(p, body["id_token"].(string)) //nolint:errcheck,forcetypeassert // a test
			}
			text, _ := json.Marshal(body) //nolint:errchkjson // what was JSON before
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(answer.Code)
			_, _ = w.Write(text)
		default:
			provider.ServeHTTP(w, r)
		}
	})
}

// Break lets the provider answer nothing but errors, until it is mended.
func (p *Provider) Break(broken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = broken
}

// Asked is how many requests have come.
func (p *Provider) Asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// ClaimsApart keeps the users' own claims out of id tokens: they are at the userinfo endpoint only.
func (p *Provider) ClaimsApart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claimsApart = true
}

// Tamper changes id tokens on their way.
func (p *Provider) Tamper(change func(p *Provider, token string) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tamper = change
}

// Resigned gives a token with other claims, signed with the provider's own key.
func (p *Provider) Resigned(token string, change func(claims map[string]any)) string {
	key, err := p.store.SigningKey(context.Background()) //nolint:forbidigo // a test
	if err != nil {
		return err.Error()
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: key.SignatureAlgorithm(), Key: key.Key()},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", key.ID()))
	if err != nil {
		return err.Error()
	}
	signed, err := signer.Sign(changed(token, change))
	if err != nil {
		return err.Error()
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return err.Error()
	}
	return text
}

// Unsigned gives a token that says it needs no signature.
func Unsigned(token string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(changed(token, func(map[string]any) {})) + "."
}

func changed(token string, change func(claims map[string]any)) []byte {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil
	}
	claims := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&claims) != nil {
		return nil
	}
	change(claims)
	text, _ := json.Marshal(claims) //nolint:errchkjson // what was JSON before
	return text
}

// people are the users, by login; the provider's storage asks for them.
type people map[string]User

// GetUserByID finds somebody by what tokens call them.
func (p people) GetUserByID(id string) *storage.User {
	return p.GetUserByUsername(strings.TrimPrefix(id, "id-"))
}

// GetUserByUsername finds somebody by what they type.
func (p people) GetUserByUsername(login string) *storage.User {
	u, ok := p[login]
	if !ok {
		return nil
	}
	first, last, _ := strings.Cut(u.Name, " ")
	return &storage.User{ID: "id-" + login, Username: login, Password: Password, FirstName: first, LastName: last}
}

// ExampleClientID is asked for by the storage, for something else than logins.
func (p people) ExampleClientID() string { return storage.ServiceUserID }

// store is the provider's storage, with claims of the users' own.
type store struct {
	*storage.Storage

	provider *Provider
	people   people
}

// SetUserinfoFromRequest fills id tokens.
func (s *store) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, request op.IDTokenRequest, scopes []string) error {
	if err := s.Storage.SetUserinfoFromRequest(ctx, info, request, scopes); err != nil {
		return err
	}
	s.provider.mu.Lock()
	apart := s.provider.claimsApart
	s.provider.mu.Unlock()
	info.Name = s.people[strings.TrimPrefix(request.GetSubject(), "id-")].Name
	if !apart {
		s.addClaims(info, request.GetSubject())
	}
	return nil
}

// SetUserinfoFromToken fills what the userinfo endpoint says.
func (s *store) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, tokenID, subject, origin string) error {
	if err := s.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin); err != nil {
		return err
	}
	s.addClaims(info, subject)
	return nil
}

func (s *store) addClaims(info *oidc.UserInfo, subject string) {
	for name, value := range s.people[strings.TrimPrefix(subject, "id-")].Claims {
		info.AppendClaims(name, value)
	}
}
