package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
)

// memorySessions are sessions in memory.
type memorySessions struct{ *memory }

type memorySession struct {
	keyID  string
	person *APIKey
	until  time.Time
}

func (s memorySessions) SaveSession(_ context.Context, token, keyID string, _, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[token] = memorySession{keyID: keyID, until: until}
	return nil
}

func (s memorySessions) SavePersonSession(_ context.Context, token string, who APIKey, _, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[token] = memorySession{person: &who, until: until}
	return nil
}

func (s memorySessions) FindSession(_ context.Context, token string, now time.Time) (APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.sessions[token]
	if ok && found.person != nil && now.Before(found.until) {
		return *found.person, nil
	}
	for _, key := range s.keys {
		if ok && key.ID == found.keyID && now.Before(found.until) {
			return key, nil
		}
	}
	return APIKey{}, fault.New(fault.Unauthorized, "session_over", "The session is over.")
}

func (s memorySessions) DeleteSession(_ context.Context, token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, token)
	return nil
}

// logIn gives the answer and the cookie.
func logIn(t *testing.T, w *world, key string) (*httptest.ResponseRecorder, *http.Cookie) {
	t.Helper()
	answer := serve(w, call{method: "POST", url: "/v1/session", body: `{"key":"` + key + `"}`})
	for _, cookie := range answer.Result().Cookies() {
		return answer, cookie
	}
	return answer, nil
}

func withCookie(cookie *http.Cookie, more ...string) map[string]string {
	header := map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}
	for i := 0; i+1 < len(more); i += 2 {
		header[more[i]] = more[i+1]
	}
	return header
}

func TestLogIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for scope, role := range map[Scope]string{ScopeAdmin: "admin", ScopeJourneys: "marketer", ScopeSales: "sales", ScopeRead: "viewer"} {
		answer, cookie := logIn(t, w, "key-"+string(scope))
		require.Equal(t, http.StatusOK, answer.Code, answer.Body)
		require.Contains(t, answer.Body.String(), `"role":"`+role+`"`)
		require.NotContains(t, answer.Body.String(), "key-", "the key does not come back")
		require.NotNil(t, cookie)
		require.True(t, cookie.HttpOnly, "scripts can't read it")
		require.Equal(t, []any{http.SameSiteStrictMode, "/", 12 * 3600}, []any{cookie.SameSite, cookie.Path, cookie.MaxAge})
		who := serve(w, call{method: "GET", url: "/v1/session", header: withCookie(cookie)})
		require.Equal(t, http.StatusOK, who.Code)
		require.Contains(t, who.Body.String(), `"role":"`+role+`"`)
	}
	answer, cookie := logIn(t, w, "key-ingest")
	require.Equal(t, http.StatusForbidden, answer.Code, "a key for events shows nothing")
	require.Nil(t, cookie)
	answer, cookie = logIn(t, w, "key-of-nobody")
	require.Equal(t, http.StatusUnauthorized, answer.Code)
	require.Nil(t, cookie)
}

func TestASessionMayWhatItsKeyMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, cookie := logIn(t, w, "key-sales")
	list := serve(w, call{method: "GET", url: "/v1/handoffs", header: withCookie(cookie)})
	require.Equal(t, http.StatusOK, list.Code, list.Body)
	publish := serve(w, call{method: "PUT", url: "/v1/journeys/trial", body: "{}", header: withCookie(cookie)})
	require.Equal(t, http.StatusForbidden, publish.Code)
	key := serve(w, call{method: "GET", url: "/v1/journeys", key: "key-journeys", header: withCookie(cookie)})
	require.Equal(t, http.StatusOK, key.Code, "a key in the header counts before the cookie")
}

func TestOtherSitesCantUseASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, cookie := logIn(t, w, "key-admin")
	accept := call{method: "POST", url: "/v1/handoffs/" + handoffID + "/accept", body: `{"owner":"eve"}`}
	for _, from := range []map[string]string{
		withCookie(cookie, "Sec-Fetch-Site", "cross-site"), withCookie(cookie, "Sec-Fetch-Site", "same-site"), withCookie(cookie, "Origin", "https://elsewhere.example"),
	} {
		accept.header = from
		answer := serve(w, accept)
		require.Equal(t, http.StatusForbidden, answer.Code, "%v", from)
		require.Contains(t, answer.Body.String(), "cross_origin")
	}
	accept.header = withCookie(cookie, "Sec-Fetch-Site", "same-origin")
	require.Equal(t, http.StatusOK, serve(w, accept).Code)
}

func TestASessionEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, cookie := logIn(t, w, "key-read")
	who := call{method: "GET", url: "/v1/session", header: withCookie(cookie)}
	require.Equal(t, http.StatusOK, serve(w, who).Code)
	out := serve(w, call{method: "DELETE", url: "/v1/session", header: withCookie(cookie)})
	require.Equal(t, http.StatusNoContent, out.Code)
	require.True(t, strings.Contains(out.Header().Get("Set-Cookie"), "Max-Age=0"), out.Header())
	require.Equal(t, http.StatusUnauthorized, serve(w, who).Code, "at once, though sessions are remembered")

	_, cookie = logIn(t, w, "key-read")
	who.header = withCookie(cookie)
	w.now = w.now.Add(13 * time.Hour)
	require.Equal(t, http.StatusUnauthorized, serve(w, who).Code)
}
