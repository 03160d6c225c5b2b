package integration

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"throughline.dev/throughline/internal/fault"
)

const (
	oidcTimeout     = 10 * time.Second
	oidcMaxResponse = 1 << 20
)

// OpenIDOptions say which provider logs people in, and as which of its clients we ask.
type OpenIDOptions struct {
	Issuer       string
	ClientID     string
	ClientSecret string // empty: a public client, which PKCE protects
	RedirectURL  string
	Scopes       []string // besides openid
	RolesClaim   string   // what the provider calls somebody's groups; a path of names with dots between them
	Now          func() time.Time
}

// OpenID logs people in at an OpenID provider: authorization code flow with PKCE. The provider is looked up when the first person logs in, and
// again by the next one as long as it does not answer: a process starts without it.
type OpenID struct {
	options OpenIDOptions
	client  *http.Client
	mu      sync.Mutex // of the look-up
	found   *openIDClient
}

// openIDClient is what the provider has said about itself.
type openIDClient struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    *oauth2.Config
}

// LoginSecrets tie a login to the browser that began it. All but the state's twin in the address stay between the browser's cookie and us.
type LoginSecrets struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// NewLoginSecrets draws them.
func NewLoginSecrets() LoginSecrets {
	return LoginSecrets{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier()}
}

// NewOpenID makes the client. It does not ask the provider anything yet.
func NewOpenID(o OpenIDOptions) *OpenID {
	// Not the guarded client of webhooks: the issuer is the operator's word and not a user's, so it may be in a private network, behind a proxy,
	// on any port.
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck,forcetypeassert // it is one
	transport.ResponseHeaderTimeout = oidcTimeout
	return &OpenID{options: o, client: &http.Client{Transport: &guard{next: transport, max: oidcMaxResponse}, Timeout: oidcTimeout}}
}

// AuthURL is where the browser is sent.
func (o *OpenID) AuthURL(ctx context.Context, s LoginSecrets) (string, error) {
	c, err := o.discover(ctx)
	if err != nil {
		return "", err
	}
	return c.oauth.AuthCodeURL(s.State, oidc.Nonce(s.Nonce), oauth2.S256ChallengeOption(s.Verifier)), nil
}

// Person redeems the code that the browser came back with.
func (o *OpenID) Person(ctx context.Context, code string, s LoginSecrets) (Person, error) {
	c, err := o.discover(ctx)
	if err != nil {
		return Person{}, err
	}
	ctx = oidc.ClientContext(ctx, o.client)
	token, err := c.oauth.Exchange(ctx, code, oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return Person{}, exchangeFailure(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := c.verifier.Verify(ctx, raw)
	if err != nil {
		return Person{}, loginRefused(fmt.Errorf("verify id token: %w", err))
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(s.Nonce)) != 1 {
		return Person{}, loginRefused(errors.New("the id token has another nonce"))
	}
	if id.Subject == "" { // or all who have none would be one person
		return Person{}, loginRefused(errors.New("the id token is about nobody"))
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return Person{}, loginRefused(fmt.Errorf("read id token: %w", err))
	}
	if party, told := claims["azp"]; told && party != o.options.ClientID {
		return Person{}, loginRefused(errors.New("the id token was made for another client"))
	}
	groups, told := groupsIn(claims, o.options.RolesClaim)
	if !told {
		if groups, err = o.askForGroups(ctx, c, id.Subject, token); err != nil {
			return Person{}, err
		}
	}
	return Person{ID: personID(id.Issuer, id.Subject), Name: nameIn(claims), Groups: groups}, nil
}

// askForGroups asks the provider's userinfo endpoint for what its id token leaves out, if it has one.
func (o *OpenID) askForGroups(ctx context.Context, c *openIDClient, subject string, token *oauth2.Token) ([]string, error) {
	if c.provider.UserInfoEndpoint() == "" {
		return nil, nil
	}
	info, err := c.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, loginUnavailable(fmt.Errorf("ask for userinfo: %w", err))
	}
	if info.Subject != subject { // OpenID Connect Core 5.3.2: or one person could have another's groups
		return nil, loginRefused(errors.New("the userinfo is about somebody else"))
	}
	claims := map[string]any{}
	if err := info.Claims(&claims); err != nil {
		return nil, loginRefused(fmt.Errorf("read userinfo: %w", err))
	}
	groups, _ := groupsIn(claims, o.options.RolesClaim)
	return groups, nil
}

// discover reads what the provider says about itself, once it answers.
func (o *OpenID) discover(ctx context.Context) (*openIDClient, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.found != nil {
		return o.found, nil
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, o.client), o.options.Issuer)
	if err != nil {
		return nil, loginUnavailable(fmt.Errorf("look up the provider: %w", err))
	}
	var says struct {
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&says); err != nil {
		return nil, loginUnavailable(fmt.Errorf("read what the provider says of itself: %w", err))
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = o.authStyle(says.AuthMethods)
	o.found = &openIDClient{
		provider: provider,
		// The signature algorithms are those that the provider names, of the asymmetric ones: never "none", whatever it says.
		verifier: provider.Verifier(&oidc.Config{ClientID: o.options.ClientID, Now: o.options.Now}),
		oauth: &oauth2.Config{
			ClientID: o.options.ClientID, ClientSecret: o.options.ClientSecret, Endpoint: endpoint, RedirectURL: o.options.RedirectURL,
			Scopes: append([]string{oidc.ScopeOpenID}, o.options.Scopes...),
		},
	}
	return o.found, nil
}

// authStyle says how we name ourselves. Trying both ways instead would spend the code at providers that forget it after a failure.
func (o *OpenID) authStyle(supported []string) oauth2.AuthStyle {
	basic := len(supported) == 0 || slices.Contains(supported, "client_secret_basic")
	if o.options.ClientSecret != "" && basic {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}

// exchangeFailure tells a code that is not good (any more) from a provider that does not work, or not with us.
func exchangeFailure(err error) error {
	err = fmt.Errorf("redeem the code: %w", err)
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.ErrorCode == "invalid_grant" {
		return loginRefused(err)
	}
	return loginUnavailable(err)
}

func loginRefused(err error) error {
	return fault.Wrap(fault.Unauthorized, "login_refused", "The login was not accepted. Please begin again.", err)
}

func loginUnavailable(err error) error {
	return fault.Wrap(fault.Unavailable, "login_unavailable", "The login service does not answer as it should.", err)
}
