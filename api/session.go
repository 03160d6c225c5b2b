package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/fault"
)

// Sessions keeps who is logged in to the pages: with a key, or as a person without one. An unknown session is a fault of kind Unauthorized.
type Sessions interface {
	SaveSession(ctx context.Context, token, keyID string, now, until time.Time) error
	SavePersonSession(ctx context.Context, token string, who APIKey, now, until time.Time) error
	FindSession(ctx context.Context, token string, now time.Time) (APIKey, error)
	DeleteSession(ctx context.Context, token string) error
}

// The cookie of a session. Scripts can't read it, and other sites can't make the browser send it.
const (
	sessionCookie = "throughline_session"
	sessionLength = 12 * time.Hour
)

type session struct {
	Role      Role       `json:"role" enum:"admin,marketer,sales,viewer"`
	Name      string     `json:"name" doc:"Of the key or the person."`
	Scopes    []string   `json:"scopes"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When this login ends; absent for a key."`
}

type sessionInput struct {
	Body struct {
		Key string `json:"key" minLength:"1" maxLength:"512" doc:"An API key that may see something: any but one for events alone."`
	}
}

type sessionOutput struct {
	Cookie http.Cookie `header:"Set-Cookie"`
	Body   session
}

type currentSessionOutput struct {
	Body session
}

type endSessionOutput struct {
	Cookie http.Cookie `header:"Set-Cookie"`
}

func (s *server) sessionRoutes() {
	handle(s, operation{
		id: "log-in", method: http.MethodPost, path: "/v1/session", tag: "session", summary: "Log a browser in with a key",
		doc:    "Sets a cookie that stands for the key for twelve hours. Programs send the key itself instead, as Authorization: Bearer.",
		access: access{open: true}, errors: []int{http.StatusUnauthorized, http.StatusForbidden},
	}, s.logIn)
	handle(s, operation{
		id: "find-session", method: http.MethodGet, path: "/v1/session", tag: "session", summary: "Who is logged in, and as what",
		access: anyOf(ScopeRead, ScopeJourneys, ScopeSales),
	}, s.findSession)
	handle(s, operation{
		id: "log-out", method: http.MethodDelete, path: "/v1/session", tag: "session", summary: "Log the browser out", status: http.StatusNoContent,
		access: anyOf(ScopeRead, ScopeJourneys, ScopeSales),
	}, s.logOut)
}

func (s *server) logIn(ctx context.Context, in *sessionInput) (*sessionOutput, error) {
	key, err := s.keys.find(ctx, in.Body.Key)
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	role := roleOf(key)
	if role == "" {
		return nil, fault.New(fault.Forbidden, "no_role", "This key is for sending events: it shows nothing.")
	}
	now := s.now()
	until := now.Add(sessionLength)
	token := rand.Text() + rand.Text()
	if err := s.Sessions.SaveSession(ctx, token, key.ID, now, until); err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	return &sessionOutput{
		Cookie: s.sessionCookie(token, int(sessionLength/time.Second)),
		Body:   session{Role: role, Name: key.Name, Scopes: key.Scopes, ExpiresAt: &until},
	}, nil
}

func (s *server) findSession(ctx context.Context, _ *struct{}) (*currentSessionOutput, error) {
	key := keyOf(ctx)
	return &currentSessionOutput{Body: session{Role: roleOf(key), Name: key.Name, Scopes: key.Scopes}}, nil
}

func (s *server) logOut(ctx context.Context, in *struct {
	Token string `cookie:"throughline_session"`
}) (*endSessionOutput, error) {
	if in.Token != "" {
		s.sessions.forget(in.Token)
		if err := s.Sessions.DeleteSession(ctx, in.Token); err != nil {
			return nil, fmt.Errorf("log out: %w", err)
		}
	}
	return &endSessionOutput{Cookie: s.sessionCookie("", -1)}, nil
}

func (s *server) sessionCookie(token string, maxAge int) http.Cookie {
	return http.Cookie{ //nolint:gosec // Secure wherever the pages are served over https; not on a machine of one's own
		Name: sessionCookie, Value: token, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: s.https, SameSite: http.SameSiteStrictMode,
	}
}

// sessionSource lets sessions be remembered as keys are.
type sessionSource struct {
	sessions Sessions
	now      func() time.Time
}

// FindKey finds the key that a session stands for.
func (f sessionSource) FindKey(ctx context.Context, token string) (APIKey, error) {
	return f.sessions.FindSession(ctx, token, f.now())
}

// caller finds the key of a request: that of its header, or the one that its cookie stands for. A cookie counts only when the page that asks
// is one of ours.
func (s *server) caller(c *gin.Context) (APIKey, error) {
	if token, ok := bearer(c.Request); ok {
		return s.keys.find(c.Request.Context(), token)
	}
	cookie, err := c.Request.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return APIKey{}, fault.New(fault.Unauthorized, "unauthorized", "Send an API key as Authorization: Bearer <key>.")
	}
	if err := s.sameSite.Check(c.Request); err != nil {
		return APIKey{}, fault.New(fault.Forbidden, "cross_origin", "This request comes from another site.")
	}
	return s.sessions.find(c.Request.Context(), cookie.Value)
}
