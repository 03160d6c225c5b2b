package api

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// maxForm is the size of a form that is read.
const maxForm = 16 << 10

// The two buttons of the page. A mail program's one click (RFC 8058) says List-Unsubscribe=One-Click instead.
const (
	oneClick  = "List-Unsubscribe"
	oneClicks = "One-Click"
	saveField = "save"
)

// preferencePage is what recipients see behind the link in a mail. It needs no script, sets no cookie and loads nothing.
//
//nolint:gochecknoglobals // parsed once, never changed
var preferencePage = template.Must(template.New("preferences").Parse(`<!doctype html><html lang="{{.Texts.Language}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">` +
	`<meta name="robots" content="noindex"><title>{{.Title}}</title><style>{{.Style}}</style></head><body><main><h1>{{.Title}}</h1>{{range .Lines}}<p>{{.}}</p>{{end}}` +
	`{{if .Choices}}<form method="post"><fieldset><legend>{{.Texts.Choose}}</legend>{{range .Choices}}<p><label><input type="checkbox" name="topic" value="{{.Key}}"{{if .Gets}} checked{{end}}> <strong>{{.Name}}</strong>` +
	`{{with .Description}}<br><span>{{.}}</span>{{end}}</label></p>{{end}}</fieldset><p><button name="save" value="1">{{.Texts.Save}}</button></p></form>{{end}}` +
	`{{with .Button}}<form method="post"><input type="hidden" name="{{$.Name}}" value="{{$.Value}}"><p><button{{if $.Choices}} class="second"{{end}}>{{.}}</button></p></form>{{end}}</main></body></html>`))

// shownPage is what a page says.
type shownPage struct {
	Texts       pageTexts
	Style       template.CSS
	Title       string
	Lines       []string
	Choices     []audience.Choice
	Button      string // of the form that has nothing but it; empty: none
	Name, Value string // what it sends
}

func (s *server) preferenceRoutes() {
	answers := func(ok string) map[string]*huma.Response {
		out := s.problemResponses([]int{http.StatusNotFound, http.StatusInternalServerError, http.StatusServiceUnavailable})
		out["200"] = textResponse(ok, "text/html")
		out["404"].Content["text/html"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		return out
	}
	token := []*huma.Param{{Name: "token", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	s.plain(&huma.Operation{OperationID: "show-preferences", Method: http.MethodGet, Path: "/u/{token}", Tags: []string{"consents"},
		Summary: "The page behind an unsubscribe link", Description: "What the recipient gets, to choose from, in its language. Mail scanners follow links, so reading changes nothing.",
		Parameters: token, Responses: answers("A page.")}, access{open: true}, s.showPreferences)
	s.plain(&huma.Operation{OperationID: "unsubscribe", Method: http.MethodPost, Path: "/u/{token}", Tags: []string{"consents"},
		Summary: "Unsubscribe, or save what was chosen", Description: "One click (RFC 8058), whatever its body says, ends all marketing mail. The page's form says `save` and each `topic` that is wanted. Safe to repeat.",
		Parameters: token, Responses: answers("Done, and committed.")}, access{open: true}, s.savePreferences)
	s.plain(&huma.Operation{OperationID: "show-confirmation", Method: http.MethodGet, Path: "/s/{token}", Tags: []string{"consents"},
		Summary: "The page behind a confirmation link", Description: "Asks first: reading changes nothing.", Parameters: token, Responses: answers("A page with one button.")}, access{open: true}, s.showConfirmation)
	s.plain(&huma.Operation{OperationID: "confirm", Method: http.MethodPost, Path: "/s/{token}", Tags: []string{"consents"},
		Summary: "Confirm a subscription", Description: "Safe to repeat.", Parameters: token, Responses: answers("Done, and committed.")}, access{open: true}, s.confirm)
}

func (s *server) showPreferences(c *gin.Context) {
	chosen, err := s.ConsentChanges.Preferences(c.Request.Context(), c.Param("token"))
	if err != nil {
		s.failPage(c, fmt.Errorf("find preferences: %w", err))
		return
	}
	texts := textsFor(chosen.Locale, c.GetHeader("Accept-Language"))
	switch {
	case chosen.Test:
		showPage(c, http.StatusOK, shownPage{Texts: texts, Title: texts.TestTitle, Lines: []string{texts.Test}})
	case !chosen.Marketing && len(chosen.Choices) == 0:
		showPage(c, http.StatusOK, shownPage{Texts: texts, Title: texts.DoneTitle, Lines: []string{texts.Done}, Button: texts.Resume, Name: saveField, Value: "1"})
	case len(chosen.Choices) == 0:
		showPage(c, http.StatusOK, shownPage{Texts: texts, Title: texts.AskTitle, Lines: []string{texts.Ask}, Button: texts.Unsubscribe, Name: oneClick, Value: oneClicks})
	default:
		showPage(c, http.StatusOK, shownPage{Texts: texts, Title: texts.PreferencesTitle, Lines: []string{texts.Preferences}, Choices: chosen.Choices, Button: texts.UnsubscribeAll, Name: oneClick, Value: oneClicks})
	}
}

func (s *server) savePreferences(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm)
	ctx, token := c.Request.Context(), c.Param("token")
	// Mail programs send the form in either encoding. A body that can't be read is a click all the same: the link says whose.
	_ = c.Request.ParseMultipartForm(maxForm)
	saves := c.Request.PostForm.Get(saveField) != "" && c.Request.PostForm.Get(oneClick) == ""
	before, err := s.ConsentChanges.Preferences(ctx, token)
	if err != nil {
		s.failPage(c, fmt.Errorf("find preferences: %w", err))
		return
	}
	texts := textsFor(before.Locale, c.GetHeader("Accept-Language"))
	shown := shownPage{Texts: texts, Title: texts.DoneTitle, Lines: []string{texts.Done}}
	switch {
	case before.Test:
		shown.Title, shown.Lines = texts.TestTitle, []string{texts.Test}
	case saves:
		err = s.ConsentChanges.SavePreferences(ctx, token, c.Request.PostForm["topic"])
		shown.Title, shown.Lines = texts.SavedTitle, []string{texts.Saved}
	default:
		_, err = s.Unsubscribe.Unsubscribe(ctx, token)
	}
	if err != nil {
		s.failPage(c, fmt.Errorf("save preferences: %w", err))
		return
	}
	showPage(c, http.StatusOK, shown)
}

func (s *server) showConfirmation(c *gin.Context) {
	topic, locale, err := s.ConsentChanges.CheckConfirm(c.Request.Context(), c.Param("token"))
	if err != nil {
		s.failPage(c, fmt.Errorf("check confirmation: %w", err))
		return
	}
	texts := textsFor(locale, c.GetHeader("Accept-Language"))
	showPage(c, http.StatusOK, shownPage{Texts: texts, Title: texts.ConfirmTitle, Lines: []string{topic.Name, topic.Description}, Button: texts.Confirm, Name: "confirm", Value: "1"})
}

func (s *server) confirm(c *gin.Context) {
	topic, locale, err := s.ConsentChanges.Confirm(c.Request.Context(), c.Param("token"))
	if err != nil {
		s.failPage(c, fmt.Errorf("confirm: %w", err))
		return
	}
	texts := textsFor(locale, c.GetHeader("Accept-Language"))
	showPage(c, http.StatusOK, shownPage{Texts: texts, Title: texts.ConfirmedTitle, Lines: []string{topic.Name}})
}

// failPage tells a person whose link is broken so, on a page; programs get a problem.
func (s *server) failPage(c *gin.Context, err error) {
	if fault.KindOf(err) == fault.NotFound && strings.Contains(c.GetHeader("Accept"), "text/html") {
		showBroken(c)
		return
	}
	s.fail(c, err)
}

// showBroken tells a person whose link is none of ours so.
func showBroken(c *gin.Context) {
	texts := textsFor("", c.GetHeader("Accept-Language"))
	showPage(c, http.StatusNotFound, shownPage{Texts: texts, Title: texts.BrokenTitle, Lines: []string{texts.Broken}})
}

func showPage(c *gin.Context, status int, p shownPage) {
	p.Style = pageStyle
	var html strings.Builder
	if err := preferencePage.Execute(&html, p); err != nil {
		panic(err) // texts into a page of our own
	}
	page(c, status, html.String())
}
