package api

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/integration"
)

// LoginProvider says who somebody is. One that does not answer is a fault of kind Unavailable; a login that is not good, Unauthorized.
type LoginProvider interface {
	AuthURL(ctx context.Context, s integration.LoginSecrets) (string, error)
	Person(ctx context.Context, code string, s integration.LoginSecrets) (integration.Person, error)
}

// SingleSignOn is how people log in who have no key.
type SingleSignOn struct {
	Name     string // what the button says
	Provider LoginProvider
	Roles    []RoleRule
	Secret   []byte // seals the cookie of a login that has begun; the same in every process
}

// LoginCallback is where a provider sends browsers back to, below the public URL.
const LoginCallback = "/v1/session/oidc/callback"

type loginMethods struct {
	SingleSignOn *loginMethod `json:"single_sign_on,omitempty" doc:"Absent when people log in with keys only."`
}

type loginMethod struct {
	Name string `json:"name" doc:"What people call it."`
}

type loginMethodsOutput struct{ Body loginMethods }

func (s *server) loginRoutes() {
	handle(s, operation{
		id: "list-login-methods", method: http.MethodGet, path: "/v1/session/methods", tag: "session", summary: "How one can log in, besides with a key",
		access: access{open: true},
	}, s.loginMethods)
	query := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	s.plain(&huma.Operation{OperationID: "begin-single-sign-on", Method: http.MethodGet, Path: "/v1/session/oidc", Tags: []string{"session"},
		Summary: "Send a browser to the OpenID provider", Parameters: []*huma.Param{query("return", "The page to come back to: a path of ours. Anything else leads to the start.")},
		Responses: s.loginResponses(http.StatusNotFound)}, access{open: true}, s.beginLogin)
	s.plain(&huma.Operation{OperationID: "finish-single-sign-on", Method: http.MethodGet, Path: LoginCallback, Tags: []string{"session"},
		Summary: "Where the OpenID provider sends a browser back to", Description: "Sets the cookie of a session of twelve hours. 403 when nothing gives the person a role.",
		Parameters: []*huma.Param{query("state", "Of the login that was begun."), query("code", "What the provider gives."), query("error", "Why it gives none.")},
		Responses:  s.loginResponses(http.StatusNotFound, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden)}, access{open: true}, s.finishLogin)
}

func (s *server) loginResponses(statuses ...int) map[string]*huma.Response {
	out := s.problemResponses(append(statuses, http.StatusInternalServerError, http.StatusServiceUnavailable))
	for _, response := range out {
		response.Content["text/html"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	out["303"] = &huma.Response{Description: "Onward."}
	return out
}

func (s *server) loginMethods(context.Context, *struct{}) (*loginMethodsOutput, error) {
	out := &loginMethodsOutput{}
	if s.SingleSignOn != nil {
		out.Body.SingleSignOn = &loginMethod{Name: s.SingleSignOn.Name}
	}
	return out, nil
}

func (s *server) beginLogin(c *gin.Context) {
	if s.SingleSignOn == nil {
		writeProblem(c, notFound())
		return
	}
	begun := begunLogin{LoginSecrets: integration.NewLoginSecrets(), Return: localPath(c.Query("return")), Until: s.now().Add(loginPatience)}
	address, err := s.SingleSignOn.Provider.AuthURL(c.Request.Context(), begun.LoginSecrets)
	if err != nil {
		s.failLogin(c, fmt.Errorf("begin login: %w", err))
		return
	}
	sealed, err := begun.seal(s.SingleSignOn.Secret)
	if err != nil {
		s.failLogin(c, fmt.Errorf("begin login: %w", err))
		return
	}
	s.setLoginCookie(c, sealed, int(loginPatience/time.Second))
	c.Redirect(http.StatusSeeOther, address)
}

// finishLogin makes a session of what the provider says. The session's cookie is SameSite=Strict, so the browser does not send it with the
// request that this redirect leads to, which another site has begun; the page at its end holds nothing, and what it then asks for is ours.
func (s *server) finishLogin(c *gin.Context) {
	if s.SingleSignOn == nil {
		writeProblem(c, notFound())
		return
	}
	s.setLoginCookie(c, "", -1) // whatever comes of it, it is used up
	begun, err := s.begunLogin(c)
	if err != nil {
		s.failLogin(c, err)
		return
	}
	who, err := s.personOf(c, begun)
	if err != nil {
		s.failLogin(c, fmt.Errorf("finish login: %w", err))
		return
	}
	now := s.now()
	token := rand.Text() + rand.Text()
	if err := s.Sessions.SavePersonSession(c.Request.Context(), token, who, now, now.Add(sessionLength)); err != nil {
		s.failLogin(c, fmt.Errorf("finish login: %w", err))
		return
	}
	cookie := s.sessionCookie(token, int(sessionLength/time.Second))
	http.SetCookie(c.Writer, &cookie)
	c.Redirect(http.StatusSeeOther, begun.Return)
}

// begunLogin is what the browser's cookie says that it has begun: only the browser that was sent away may come back.
func (s *server) begunLogin(c *gin.Context) (begunLogin, error) {
	cookie, err := c.Request.Cookie(loginCookie)
	if err == nil {
		begun, ok := openLogin(cookie.Value, s.SingleSignOn.Secret)
		if ok && s.now().Before(begun.Until) && subtle.ConstantTimeCompare([]byte(c.Query("state")), []byte(begun.State)) == 1 {
			return begun, nil
		}
	}
	return begunLogin{}, newProblem(http.StatusBadRequest, "unknown_login",
		"This login did not begin in this browser, was used already, or began too long ago. Please begin again.")
}

// personOf is who came back, with what the roles allow.
func (s *server) personOf(c *gin.Context, begun begunLogin) (APIKey, error) {
	if code := c.Query("code"); code == "" || c.Query("error") != "" { // what it says is not shown: anybody can write it into an address
		return APIKey{}, fault.New(fault.Unauthorized, "login_refused", "The login service did not let you in. Please begin again.")
	}
	person, err := s.SingleSignOn.Provider.Person(c.Request.Context(), c.Query("code"), begun.LoginSecrets)
	if err != nil {
		return APIKey{}, err
	}
	scopes := scopesOf(person.Groups, s.SingleSignOn.Roles)
	if len(scopes) == 0 {
		return APIKey{}, fault.New(fault.Forbidden, "no_role", "You are known, but nothing gives you a role here. Ask an admin to put you into a group that has one.")
	}
	return APIKey{ID: person.ID, Name: person.Name, Scopes: scopes}, nil
}

// failLogin tells a person on a page why they are not logged in; programs get a problem.
func (s *server) failLogin(c *gin.Context, err error) {
	s.logFailure(c.Request.Context(), routeOf(c), err)
	p := problemOf(err)
	switch {
	case fault.KindOf(err) == fault.Unavailable:
		p = newProblem(http.StatusServiceUnavailable, "login_unavailable", "The login service does not answer as it should. Try again in a moment, or log in with a key.")
	case p.Status == http.StatusUnauthorized: // who looks after the provider has to know why
		s.log.WarnContext(c.Request.Context(), "login refused", "error", err, "request_id", requestID(c.Request.Context()))
	}
	if strings.Contains(c.GetHeader("Accept"), "text/html") {
		page(c, p.Status, loginFailedPage(p.Detail, s.PublicURL))
		return
	}
	writeProblem(c, p)
}
