package api

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/fault"
)

// The pages of an unsubscribe link. They need no script, set no cookie and load nothing.
const (
	pageStyle = `body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.5rem;color:#1c2430;background:#fff}` +
		`h1{font-size:1.5rem}a{color:inherit}button{font:inherit;padding:.7rem 1.4rem;border:0;border-radius:.4rem;background:#1d4ed8;color:#fff;cursor:pointer}` +
		`button:focus-visible{outline:3px solid #93b4ff;outline-offset:2px}` +
		`@media(prefers-color-scheme:dark){body{background:#12161c;color:#e8ecf1}}`
	pageHead = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">` +
		`<meta name="robots" content="noindex"><title>Unsubscribe</title><style>` + pageStyle + `</style></head><body><main>`
	pageFoot = `</main></body></html>`

	confirmPage = pageHead + `<h1>Stop these e-mails?</h1><p>You will get no more marketing e-mails from us at this address. ` +
		`Messages about things you ordered or asked for still arrive.</p>` +
		`<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>Unsubscribe</button></form>` + pageFoot
	donePage    = pageHead + `<h1>You are unsubscribed</h1><p>We will send you no more marketing e-mails. You can close this page.</p>` + pageFoot
	testPage    = pageHead + `<h1>This was a test</h1><p>The e-mail that led here was sent to look at it. Its link unsubscribes nobody. You can close this page.</p>` + pageFoot
	unknownPage = pageHead + `<h1>This link does not work</h1><p>It may have been cut off on its way. Please use the link in the e-mail once more.</p>` + pageFoot
)

// maxForm is the size of a one-click body that is read; what it says changes nothing.
const maxForm = 4 << 10

const htmlType = "text/html; charset=utf-8"

func (s *server) unsubscribeRoutes() {
	answers := func(ok string) map[string]*huma.Response {
		out := s.problemResponses([]int{http.StatusNotFound, http.StatusInternalServerError, http.StatusServiceUnavailable})
		out["200"] = textResponse(ok, "text/html")
		out["404"].Content["text/html"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		return out
	}
	token := []*huma.Param{{Name: "token", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	s.plain(&huma.Operation{OperationID: "confirm-unsubscribe", Method: http.MethodGet, Path: "/u/{token}", Tags: []string{"unsubscribe"},
		Summary: "The page behind an unsubscribe link", Description: "Asks first: mail scanners follow links, so reading changes nothing.",
		Parameters: token, Responses: answers("A page with one button.")}, access{open: true}, s.confirmUnsubscribe)
	s.plain(&huma.Operation{OperationID: "unsubscribe", Method: http.MethodPost, Path: "/u/{token}", Tags: []string{"unsubscribe"},
		Summary: "Unsubscribe", Description: "One click, RFC 8058, or the page's button. Safe to repeat.",
		Parameters: token, Responses: answers("Done, and committed.")}, access{open: true}, s.unsubscribe)
}

func (s *server) confirmUnsubscribe(c *gin.Context) {
	test, err := s.Unsubscribe.CheckUnsubscribe(c.Request.Context(), c.Param("token"))
	if err != nil {
		s.failPage(c, fmt.Errorf("check unsubscribe token: %w", err))
		return
	}
	answer := confirmPage
	if test {
		answer = testPage
	}
	page(c, http.StatusOK, answer)
}

func (s *server) unsubscribe(c *gin.Context) {
	// The token says it all. The body is read so that the connection stays usable, and not believed.
	if _, err := io.Copy(io.Discard, io.LimitReader(c.Request.Body, maxForm)); err != nil {
		writeProblem(c, newProblem(http.StatusBadRequest, "malformed", "The body was cut off."))
		return
	}
	test, err := s.Unsubscribe.Unsubscribe(c.Request.Context(), c.Param("token"))
	if err != nil {
		s.failPage(c, fmt.Errorf("unsubscribe: %w", err))
		return
	}
	answer := donePage
	if test {
		answer = testPage
	}
	page(c, http.StatusOK, answer)
}

// failPage tells a person whose link is broken so, on a page; programs get a problem.
func (s *server) failPage(c *gin.Context, err error) {
	if fault.KindOf(err) == fault.NotFound && strings.Contains(c.GetHeader("Accept"), "text/html") {
		page(c, http.StatusNotFound, unknownPage)
		return
	}
	s.fail(c, err)
}

func page(c *gin.Context, status int, html string) {
	sum := sha256.Sum256([]byte(pageStyle))
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Robots-Tag", "noindex")
	c.Data(status, htmlType, []byte(html))
}
