package api

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/integration"
)

// The cookie of a login that has begun. Lax and not Strict: the browser comes back from another site with it.
const (
	loginCookie   = "throughline_login"
	loginPath     = "/v1/session/oidc"
	loginPatience = 10 * time.Minute
)

// begunLogin is what is remembered between the two halves of a login, by the browser, which can't read or change it.
type begunLogin struct {
	integration.LoginSecrets

	Return string    `json:"return"`
	Until  time.Time `json:"until"`
}

func loginCipher(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("secret of logins: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (b begunLogin) seal(secret []byte) (string, error) {
	aead, err := loginCipher(secret)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(b)
	if err != nil {
		return "", fmt.Errorf("marshal login: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nil, text, []byte(loginCookie))), nil //nolint:gosec // this cipher draws its nonce itself and takes none
}

// openLogin reads what seal has written, and nothing else.
func openLogin(sealed string, secret []byte) (begunLogin, bool) {
	var b begunLogin
	aead, err := loginCipher(secret)
	if err != nil {
		return b, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return b, false
	}
	text, err := aead.Open(nil, nil, raw, []byte(loginCookie))
	if err != nil {
		return b, false
	}
	return b, json.Unmarshal(text, &b) == nil
}

func (s *server) setLoginCookie(c *gin.Context, value string, maxAge int) {
	http.SetCookie(c.Writer, &http.Cookie{ //nolint:gosec // Secure wherever the pages are served over https; not on a machine of one's own
		Name: loginCookie, Value: value, Path: loginPath, MaxAge: maxAge, HttpOnly: true, Secure: s.https, SameSite: http.SameSiteLaxMode,
	})
}

// localPath is a page of ours, or the start: nothing that a browser could take for another site.
func localPath(wanted string) string {
	u, err := url.Parse(wanted)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	path := u.EscapedPath()
	// Browsers read "//host" and "/\host" as addresses of another site; "." and ".." could make one of what does not look so.
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(wanted, "\\\t\r\n") || strings.Contains(path, "/.") ||
		strings.HasPrefix(path, "/v1/") {
		return "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path
}

// loginFailedPage leads to the public URL, where a login that began elsewhere should have begun.
func loginFailedPage(why, publicURL string) string {
	return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">` +
		`<title>Not logged in – Throughline</title><style>` + pageStyle + `</style></head><body><main><h1>You are not logged in</h1><p>` + html.EscapeString(why) + `</p><p><a href="` + html.EscapeString(publicURL) + `/">Back to the login page</a></p></main></body></html>`
}
