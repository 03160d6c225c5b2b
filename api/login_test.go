package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/integration"
	"throughline.dev/throughline/internal/oidctest"
)

// loginWorld is the api on a port of its own, beside a real provider.
type loginWorld struct {
	*world
	provider *oidctest.Provider
	base     string
}

func newLoginWorld(t *testing.T, change ...func(*integration.OpenIDOptions)) *loginWorld {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	provider := oidctest.Start(t, base+LoginCallback,
		oidctest.User{Login: "maria", Name: "Maria Marketing", Claims: map[string]any{"groups": []string{"marketing", "lunch"}}},
		oidctest.User{Login: "rita", Name: "Rita Rep", Claims: map[string]any{"groups": "sales-team"}},
		oidctest.User{Login: "both", Name: "Bo Both", Claims: map[string]any{"groups": []string{"sales-team", "marketing"}}},
		oidctest.User{Login: "nora", Name: "Nora Nobody", Claims: map[string]any{"groups": []string{"lunch"}}},
		oidctest.User{Login: "kay", Name: "Kay Cloak", Claims: map[string]any{"realm_access": map[string]any{"roles": []string{"marketing"}}}},
	)
	options := integration.OpenIDOptions{Issuer: provider.Issuer, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret,
		RedirectURL: base + LoginCallback, Scopes: []string{"profile"}, RolesClaim: "groups", Now: time.Now}
	for _, c := range change {
		c(&options)
	}
	w := &loginWorld{provider: provider, base: base}
	w.world = newWorld(t, func(o *Options) {
		o.PublicURL = base
		o.SingleSignOn = &SingleSignOn{Name: "Our login", Provider: integration.NewOpenID(options), Secret: make([]byte, 32),
			Roles: []RoleRule{{"marketing", RoleMarketer}, {"sales-team", RoleSales}}}
	})
	server.Config.Handler = w.handler
	server.Start()
	t.Cleanup(server.Close)
	return w
}

// visitor is a browser without pages: it keeps cookies and looks at every redirect.
type visitor struct {
	http *http.Client
	w    *loginWorld
}

func (w *loginWorld) visitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{w: w, http: &http.Client{Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type visit struct {
	status   int
	location string
	body     string
	header   http.Header
}

func (v *visitor) send(t *testing.T, r *http.Request) visit {
	t.Helper()
	resp, err := v.http.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	out := visit{status: resp.StatusCode, body: string(body), header: resp.Header}
	if l, err := resp.Location(); err == nil {
		out.location = l.String()
	}
	return out
}

func (v *visitor) get(t *testing.T, address string) visit {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	return v.send(t, r)
}

// begin asks for the login and gives the provider's address, changed.
func (v *visitor) begin(t *testing.T, page string, change func(url.Values)) string {
	t.Helper()
	answer := v.get(t, v.w.base+"/v1/session/oidc?return="+url.QueryEscape(page))
	require.Equal(t, http.StatusSeeOther, answer.status, answer.body)
	address, err := url.Parse(answer.location)
	require.NoError(t, err)
	query := address.Query()
	require.Equal(t, []any{"code", "S256"}, []any{query.Get("response_type"), query.Get("code_challenge_method")})
	if change != nil {
		change(query)
	}
	address.RawQuery = query.Encode()
	return address.String()
}

// callback logs in with the provider's form and gives the address that it sends the browser back to.
func (v *visitor) callback(t *testing.T, address, login string) string {
	t.Helper()
	form := v.get(t, address)
	require.Equal(t, http.StatusFound, form.status, form.body)
	place, err := url.Parse(form.location)
	require.NoError(t, err)
	body := url.Values{"id": {place.Query().Get("authRequestID")}, "username": {login}, "password": {oidctest.Password}}.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.w.provider.Issuer+"/login/username", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	back := v.send(t, r)
	require.Equal(t, http.StatusFound, back.status, back.body)
	back = v.get(t, back.location)
	require.Equal(t, http.StatusFound, back.status, back.body)
	require.True(t, strings.HasPrefix(back.location, v.w.base+LoginCallback), back.location)
	return back.location
}

func (v *visitor) logIn(t *testing.T, login, page string) visit {
	t.Helper()
	return v.get(t, v.callback(t, v.begin(t, page, nil), login))
}

func (v *visitor) session(t *testing.T) (session, int) {
	t.Helper()
	answer := v.get(t, v.w.base+"/v1/session")
	var out session
	require.NoError(t, json.Unmarshal([]byte(answer.body), &out))
	return out, answer.status
}

func requireRefused(t *testing.T, v *visitor, answer visit, status int, code string) {
	t.Helper()
	require.Equal(t, status, answer.status, answer.body)
	require.Contains(t, answer.body, `"code":"`+code+`"`)
	require.NotContains(t, strings.Join(answer.header.Values("Set-Cookie"), ";"), sessionCookie)
	_, status = v.session(t)
	require.Equal(t, http.StatusUnauthorized, status, "nobody is logged in")
}

func TestPeopleLogInAtTheirProvider(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	require.Zero(t, w.provider.Asked(), "the provider may be down while the process starts")
	require.JSONEq(t, `{"single_sign_on":{"name":"Our login"}}`, w.do(t, call{method: "GET", url: "/v1/session/methods"}).Body.String())
	for login, want := range map[string]session{
		"maria": {Role: RoleMarketer, Name: "Maria Marketing", Scopes: []string{"journeys", "read"}},
		"rita":  {Role: RoleSales, Name: "Rita Rep", Scopes: []string{"sales", "read"}},
		"both":  {Role: RoleMarketer, Name: "Bo Both", Scopes: []string{"journeys", "read", "sales"}},
	} {
		v := w.visitor(t)
		answer := v.logIn(t, login, "/contacts?q=a")
		require.Equal(t, []any{http.StatusSeeOther, w.base + "/contacts?q=a"}, []any{answer.status, answer.location}, answer.body)
		cookies := map[string]*http.Cookie{}
		for _, cookie := range (&http.Response{Header: answer.header}).Cookies() {
			cookies[cookie.Name] = cookie
		}
		kept, used := cookies[sessionCookie], cookies[loginCookie]
		require.Equal(t, []any{true, http.SameSiteStrictMode, 12 * 3600}, []any{kept.HttpOnly, kept.SameSite, kept.MaxAge})
		require.Negative(t, used.MaxAge, "the login's own cookie is gone")
		found, status := v.session(t)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, want, found)
		require.NotContains(t, w.log.String(), want.Name, "names are in no log")

		r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, w.base+"/v1/session", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusNoContent, v.send(t, r).status)
		_, status = v.session(t)
		require.Equal(t, http.StatusUnauthorized, status)
		require.Empty(t, w.sessions)
	}
}

func TestTheCookieOfALoginIsSealed(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	v := w.visitor(t)
	begun := v.get(t, w.base+"/v1/session/oidc")
	address, err := url.Parse(begun.location)
	require.NoError(t, err)
	cookie := (&http.Response{Header: begun.header}).Cookies()[0]
	require.Equal(t, []any{loginCookie, true, http.SameSiteLaxMode, "/v1/session/oidc", 600},
		[]any{cookie.Name, cookie.HttpOnly, cookie.SameSite, cookie.Path, cookie.MaxAge})
	require.NotContains(t, cookie.Value, address.Query().Get("nonce"))
	secret := make([]byte, 32)
	opened, ok := openLogin(cookie.Value, secret)
	require.True(t, ok)
	require.Equal(t, address.Query().Get("state"), opened.State)
	_, ok = openLogin(cookie.Value[:len(cookie.Value)-2]+"AA", secret)
	require.False(t, ok, "changed")
	secret[0]++
	_, ok = openLogin(cookie.Value, secret)
	require.False(t, ok, "of another installation")
}

func TestALoginThatIsNotTheBrowsersOwn(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	other := func(name string) func(url.Values) { return func(q url.Values) { q.Set(name, "another-"+q.Get(name)) } }

	v := w.visitor(t)
	requireRefused(t, v, v.get(t, v.callback(t, v.begin(t, "/", other("state")), "maria")), 400, "unknown_login")

	v = w.visitor(t)
	back := v.callback(t, v.begin(t, "/", nil), "maria")
	thief := w.visitor(t) // somebody else's browser, or one whose cookie is gone
	requireRefused(t, thief, thief.get(t, back), 400, "unknown_login")

	thief.begin(t, "/", nil) // its own login, and another's code
	requireRefused(t, thief, thief.get(t, back), 400, "unknown_login")

	v.begin(t, "/", nil) // a newer login takes the older one's place
	requireRefused(t, v, v.get(t, back), 400, "unknown_login")

	v = w.visitor(t)
	back = v.callback(t, v.begin(t, "/", nil), "maria")
	w.mu.Lock()
	w.now = w.now.Add(loginPatience)
	w.mu.Unlock()
	requireRefused(t, v, v.get(t, back), 400, "unknown_login") // too late
}

func TestALoginIsUsedOnce(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	v := w.visitor(t)
	back := v.callback(t, v.begin(t, "/", nil), "maria")
	at, err := url.Parse(back)
	require.NoError(t, err)
	before := v.http.Jar.Cookies(at)
	require.Equal(t, http.StatusSeeOther, v.get(t, back).status)
	replayed := v.get(t, back)
	require.Equal(t, http.StatusBadRequest, replayed.status, "the browser has forgotten it")

	thief := w.visitor(t)
	thief.http.Jar.SetCookies(at, before) // and the provider has, for who kept the cookie
	requireRefused(t, thief, thief.get(t, back), 401, "login_refused")
}

func TestTokensThatAreNotGood(t *testing.T) {
	t.Parallel()
	resigned := func(change func(map[string]any)) func(*oidctest.Provider, string) string {
		return func(p *oidctest.Provider, token string) string { return p.Resigned(token, change) }
	}
	set := func(claim string, value any) func(*oidctest.Provider, string) string {
		return resigned(func(c map[string]any) { c[claim] = value })
	}
	for name, tc := range map[string]struct {
		tamper func(*oidctest.Provider, string) string
		begin  func(url.Values)
		says   string // in the log, for the operator
	}{
		"another nonce":      {begin: func(q url.Values) { q.Set("nonce", "another") }, says: "nonce"},
		"no nonce":           {tamper: resigned(func(c map[string]any) { delete(c, "nonce") }), says: "nonce"},
		"another challenge":  {begin: func(q url.Values) { q.Set("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM") }, says: "redeem the code"},
		"run out":            {tamper: set("exp", time.Now().Add(-time.Minute).Unix()), says: "expired"},
		"not valid yet":      {tamper: set("nbf", time.Now().Add(time.Hour).Unix()), says: "nbf"},
		"another audience":   {tamper: set("aud", "another-client"), says: "audience"},
		"for another client": {tamper: set("azp", "another-client"), says: "another client"},
		"about nobody":       {tamper: set("sub", ""), says: "about nobody"},
		"another issuer":     {tamper: set("iss", "https://elsewhere.example"), says: "issued by a different provider"},
		"unsigned":           {tamper: func(_ *oidctest.Provider, token string) string { return oidctest.Unsigned(token) }, says: "verify id token"},
		"signature cut off":  {tamper: func(_ *oidctest.Provider, token string) string { return token[:strings.LastIndex(token, ".")+1] }, says: "verify id token"},
		"none":               {tamper: func(*oidctest.Provider, string) string { return "" }, says: "verify id token"},
		"no token":           {tamper: func(*oidctest.Provider, string) string { return "what?" }, says: "verify id token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLoginWorld(t)
			v := w.visitor(t)
			if tc.tamper != nil {
				w.provider.Tamper(tc.tamper)
			}
			requireRefused(t, v, v.get(t, v.callback(t, v.begin(t, "/", tc.begin), "maria")), 401, "login_refused")
			require.Contains(t, w.log.String(), "login refused")
			require.Contains(t, w.log.String(), tc.says)
			require.NotContains(t, w.log.String(), "Maria")
		})
	}
}

// The tampering itself changes nothing that is not asked for: a token that is signed anew is good.
func TestATokenThatIsSignedAnewIsGood(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	w.provider.Tamper(func(p *oidctest.Provider, token string) string { return p.Resigned(token, func(map[string]any) {}) })
	require.Equal(t, http.StatusSeeOther, w.visitor(t).logIn(t, "maria", "/").status)
}

func TestWhoHasNoRoleIsTold(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	v := w.visitor(t)
	back := v.callback(t, v.begin(t, "/", nil), "nora")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, back, nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/html,*/*")
	page := v.send(t, r)
	require.Equal(t, http.StatusForbidden, page.status)
	require.Contains(t, page.header.Get("Content-Type"), "text/html")
	require.Contains(t, page.body, "nothing gives you a role here")
	require.Contains(t, page.body, `href="`+w.base+`/"`)
	v = w.visitor(t)
	requireRefused(t, v, v.logIn(t, "nora", "/"), 403, "no_role")
}

func TestGroupsThatAreOnlyAtTheUserinfoEndpoint(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	w.provider.ClaimsApart()
	v := w.visitor(t)
	require.Equal(t, http.StatusSeeOther, v.logIn(t, "rita", "/").status, w.log)
	found, _ := v.session(t)
	require.Equal(t, RoleSales, found.Role)
}

// Or one person could have another's groups.
func TestUserinfoAboutSomebodyElse(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	w.provider.ClaimsApart()
	w.provider.Tamper(func(p *oidctest.Provider, token string) string {
		return p.Resigned(token, func(c map[string]any) { c["sub"] = "id-nora" })
	})
	v := w.visitor(t)
	requireRefused(t, v, v.logIn(t, "maria", "/"), 401, "login_refused")
	require.Contains(t, w.log.String(), "somebody else")
}

func TestGroupsThatLieDeeper(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t, func(o *integration.OpenIDOptions) { o.RolesClaim = "realm_access.roles" })
	v := w.visitor(t)
	require.Equal(t, http.StatusSeeOther, v.logIn(t, "kay", "/").status)
	found, _ := v.session(t)
	require.Equal(t, RoleMarketer, found.Role)
}

func TestAProviderThatIsDown(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	v := w.visitor(t)
	w.provider.Break(true)
	requireRefused(t, v, v.get(t, w.base+"/v1/session/oidc"), 503, "login_unavailable")
	require.Contains(t, w.log.String(), "look up the provider")
	w.provider.Break(false)
	back := v.callback(t, v.begin(t, "/", nil), "maria") // it is asked again
	w.provider.Break(true)
	requireRefused(t, v, v.get(t, back), 503, "login_unavailable")
	w.provider.Break(false)
	require.Equal(t, http.StatusSeeOther, v.logIn(t, "maria", "/").status)
}

func TestAClientThatTheProviderDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t, func(o *integration.OpenIDOptions) { o.ClientSecret = "wrong" })
	v := w.visitor(t)
	requireRefused(t, v, v.logIn(t, "maria", "/"), 503, "login_unavailable") // nothing that the person could mend
	require.Contains(t, w.log.String(), "redeem the code")
}

func TestTheProviderSaysNo(t *testing.T) {
	t.Parallel()
	w := newLoginWorld(t)
	v := w.visitor(t)
	address, err := url.Parse(v.begin(t, "/", nil))
	require.NoError(t, err)
	answer := v.get(t, w.base+LoginCallback+"?error=access_denied&error_description=Call+555&state="+address.Query().Get("state"))
	requireRefused(t, v, answer, 401, "login_refused")
	require.NotContains(t, answer.body, "555", "anybody can write that into an address")
}

func TestThereIsNoOpenRedirect(t *testing.T) {
	t.Parallel()
	for wanted, leads := range map[string]string{
		"/journeys": "/journeys", "/contacts?q=a&b=c": "/contacts?q=a&b=c", "/companies/acme%2Feu": "/companies/acme%2Feu", "/": "/",
		"": "/", "journeys": "/", "//evil.example": "/", "///evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/", "/\t/evil.example": "/",
		"https://evil.example/": "/", "https:evil.example": "/", "javascript:alert(1)": "/", "//user@evil.example": "/", "/..//evil.example": "/",
		"/./": "/", "/a\r\nSet-Cookie: b=c": "/", "/v1/session": "/", "%2F%2Fevil.example": "/", "http:/evil.example": "/", "/%": "/",
	} {
		require.Equal(t, leads, localPath(wanted), wanted)
	}
	w := newLoginWorld(t)
	answer := w.visitor(t).logIn(t, "maria", "//evil.example/")
	require.Equal(t, w.base+"/", answer.location)
}

func TestWithoutAProviderThereIsNoSingleSignOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.JSONEq(t, `{}`, w.do(t, call{method: "GET", url: "/v1/session/methods"}).Body.String())
	for _, path := range []string{"/v1/session/oidc", LoginCallback + "?state=a&code=b"} {
		require.Equal(t, http.StatusNotFound, w.do(t, call{method: "GET", url: path}).Code)
	}
}

func TestEveryRoleHasItsScopes(t *testing.T) {
	t.Parallel()
	for _, row := range roleTable() {
		scopes := scopesOf([]string{"g"}, []RoleRule{{"g", row.role}})
		require.Len(t, scopes, len(row.scopes))
		require.Equal(t, row.role, roleOf(APIKey{Scopes: scopes}), "who is given a role has it")
	}
	rules := []RoleRule{{Everybody, RoleViewer}, {"boss", RoleAdmin}}
	require.Equal(t, []string{"read"}, scopesOf(nil, rules))
	require.Equal(t, []string{"admin", "read"}, scopesOf([]string{"boss"}, rules))
	require.Empty(t, scopesOf([]string{"Boss", ""}, rules[1:]), "names are what they are")
}

func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/journeys?a=b", "//evil.example", `/\evil`, "/a/../b", "https://evil.example", "/%2F/x", "/?//"} {
		f.Add(seed)
	}
	at, err := url.Parse("https://ours.example/v1/session/oidc/callback")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, wanted string) {
		path := localPath(wanted)
		require.Regexp(t, `^/([^/\\]|$)`, path)
		require.NotContains(t, path, "\n")
		to, err := at.Parse(path)
		require.NoError(t, err)
		require.Equal(t, "ours.example", to.Host)
		require.Equal(t, path, localPath(path), "what is local stays so")
	})
}

func FuzzOpenLogin(f *testing.F) {
	secret := make([]byte, 32)
	sealed, err := begunLogin{Return: "/"}.seal(secret)
	require.NoError(f, err)
	f.Add(sealed)
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if opened, ok := openLogin(text, secret); ok {
			require.Equal(t, "/", opened.Return, "nothing opens but what was sealed")
		}
	})
}
