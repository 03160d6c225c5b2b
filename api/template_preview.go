package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// Previews shows mails before they are sent.
type Previews interface {
	// Preview makes of a template what a contact would get; without a contact, what somebody made up would.
	// With a brand it is the one that is shown.
	Preview(ctx context.Context, template email.Template, contactID string, brand *email.Brand) (email.Rendered, error)
	// SuggestSubjects asks the model for subjects; those that a check refuses have a reason. A fault of kind Conflict says that there is no
	// model, or that it is switched off, one of kind Limited that the month's budget is spent.
	SuggestSubjects(ctx context.Context, template email.Template, brief string) ([]email.SubjectLine, error)
}

// TemplatePreviewInput is a template, saved or not, and whom it is for.
type TemplatePreviewInput struct {
	Body struct {
		Template  json.RawMessage `json:"template" doc:"The template as JSON."`
		ContactID string          `json:"contact_id,omitempty" maxLength:"36" doc:"Whose data fills it; somebody made up without."`
		Locale    string          `json:"locale,omitempty" maxLength:"35" doc:"Which of the template's languages to show; the contact's without, or the template's own."`
		Brand     *email.Brand    `json:"brand,omitempty" doc:"A brand that is not saved yet; its problems begin with /brand."`
	}
}

// TemplatePreview is a mail as it would be sent.
type TemplatePreview struct {
	Subject  string          `json:"subject"`
	Text     string          `json:"text"`
	Problems []fault.Problem `json:"problems" nullable:"false" doc:"What keeps it from being shown, or saved."`
}

// SuggestInput asks for subjects.
type SuggestInput struct {
	Body struct {
		Template json.RawMessage `json:"template" doc:"The template as JSON."`
		Brief    string          `json:"brief,omitempty" maxLength:"1000" doc:"What the subject should do." example:"Curious, not pushy."`
	}
}

// Subjects are suggestions, each different.
type Subjects struct {
	Data    []string         `json:"data" nullable:"false"`
	Refused []RefusedSubject `json:"refused" nullable:"false" doc:"What the model wrote as well, and a check refused."`
}

// RefusedSubject is a subject that a check refused.
type RefusedSubject struct {
	Subject string `json:"subject"`
	Code    string `json:"code"`
	Words   string `json:"words" doc:"Why, as a sentence."`
}

type (
	templatePreviewOutput struct{ Body TemplatePreview }
	subjectsOutput        struct{ Body Subjects }
)

func (s *server) previewRoutes() {
	read := anyOf(ScopeJourneys, ScopeRead)
	handle(s, operation{id: "preview-template", method: http.MethodPost, path: "/v1/templates/preview", tag: "templates", maxBody: maxDocument,
		summary: "Fill a template", doc: "With the data of a contact, by the code that sends. Saves and sends nothing.", access: read}, s.previewTemplate)
	handle(s, operation{id: "suggest-subjects", method: http.MethodPost, path: "/v1/templates/subjects", tag: "templates", maxBody: maxDocument,
		errors: []int{http.StatusConflict, http.StatusTooManyRequests}, summary: "Suggest subjects",
		doc: "Asks the language model for a few. It sees the template and the brief, and nothing of any contact. 409 `ai_not_configured` without one, `ai_off` where it is switched off; 429 `budget_spent` when the month's budget is.", access: anyOf(ScopeJourneys)}, s.suggest)
	responses := s.problemResponses([]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity})
	responses["200"] = textResponse("The HTML.", "text/html")
	s.plain(&huma.Operation{OperationID: "show-preview", Method: http.MethodPost, Path: "/v1/templates/preview/html", BodyReadTimeout: -1, MaxBodyBytes: -1, Tags: []string{"templates"},
		Summary: "A filled template as it would look", Description: "For a frame of the pages, which sends `template` (JSON), `contact_id`, `locale` and `brand` (JSON) as a form: what comes back runs nothing and loads nothing.\n\nScope: `journeys` or `read`.",
		Security: []map[string][]string{{"key": {}}}, Responses: responses,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {Schema: &huma.Schema{Type: huma.TypeObject,
			Properties: map[string]*huma.Schema{"template": {Type: huma.TypeString}, "contact_id": {Type: huma.TypeString}, "locale": {Type: huma.TypeString}, "brand": {Type: huma.TypeString}}}}}},
	}, read, s.showPreview)
}

func (s *server) previewTemplate(ctx context.Context, in *TemplatePreviewInput) (*templatePreviewOutput, error) {
	template, problems, err := s.decodeTemplate(ctx, in.Body.Template)
	if err != nil {
		return nil, err
	}
	if in.Body.Brand != nil {
		problems = append(problems, ofBrand(email.ValidateBrand(*in.Body.Brand))...)
	}
	if fault.HasErrors(problems) {
		return &templatePreviewOutput{Body: TemplatePreview{Problems: problems}}, nil
	}
	rendered, err := s.rendered(ctx, inLocale(template, in.Body.Locale), in.Body.ContactID, in.Body.Brand)
	if f, ok := fault.As(err); ok && f.Kind == fault.Invalid && len(f.Problems) > 0 {
		return &templatePreviewOutput{Body: TemplatePreview{Problems: f.Problems}}, nil
	}
	if err != nil {
		return nil, err
	}
	if problems, err = s.lintTemplate(ctx, template, problems); err != nil { // a wrong word keeps nobody from looking at it
		return nil, err
	}
	return &templatePreviewOutput{Body: TemplatePreview{Subject: rendered.Subject, Text: rendered.Text, Problems: orEmpty(problems)}}, nil
}

// inLocale is a template as it is in one of its languages, whoever reads it.
func inLocale(template email.Template, locale string) email.Template {
	if locale == "" {
		return template
	}
	return template.Only(locale)
}

// ofBrand says of problems that they are the brand's, and not the template's.
func ofBrand(problems []fault.Problem) []fault.Problem {
	for i := range problems {
		problems[i].Path = "/brand" + problems[i].Path
	}
	return problems
}

func (s *server) rendered(ctx context.Context, template email.Template, contact string, brand *email.Brand) (email.Rendered, error) {
	if contact != "" {
		var err error
		if contact, err = parseID(contact); err != nil {
			return email.Rendered{}, err
		}
	}
	rendered, err := s.Previews.Preview(ctx, template, contact, brand)
	if err != nil {
		return rendered, fmt.Errorf("preview template: %w", err)
	}
	return rendered, nil
}

func (s *server) showPreview(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 2*maxDocument)
	template, problems, err := s.decodeTemplate(c.Request.Context(), []byte(c.PostForm("template")))
	if err != nil {
		s.fail(c, err)
		return
	}
	var brand *email.Brand
	if source := c.PostForm("brand"); source != "" {
		decoded, wrong := email.DecodeBrand([]byte(source))
		if !fault.HasErrors(wrong) {
			wrong = email.ValidateBrand(decoded)
		}
		brand, problems = &decoded, append(problems, ofBrand(wrong)...)
	}
	if fault.HasErrors(problems) {
		s.fail(c, fault.WithProblems("invalid", "The template has problems; see problems.", problems))
		return
	}
	rendered, err := s.rendered(c.Request.Context(), inLocale(template, c.PostForm("locale")), c.PostForm("contact_id"), brand)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Header("Content-Security-Policy", framePolicy)
	c.Data(http.StatusOK, "text/html; charset=utf-8", []byte(rendered.HTML))
}

// decodeTemplate reads and checks a template. One that has no key yet can be looked at, too.
func (s *server) decodeTemplate(ctx context.Context, data []byte) (email.Template, []fault.Problem, error) {
	template, problems := email.DecodeTemplate(slices.Clone(data))
	if fault.HasErrors(problems) {
		return template, problems, nil
	}
	if template.Key == "" {
		template.Key = "unnamed"
	}
	if err := s.withSnippets(ctx, &template); err != nil {
		return template, nil, err
	}
	return template, append(problems, email.ValidateTemplate(template)...), nil
}

func (s *server) suggest(ctx context.Context, in *SuggestInput) (*subjectsOutput, error) {
	template, problems := email.DecodeTemplate(slices.Clone(in.Body.Template))
	if fault.HasErrors(problems) {
		return nil, fault.WithProblems("invalid", "The template has problems; see problems.", problems)
	}
	lines, err := s.Previews.SuggestSubjects(ctx, template, in.Body.Brief)
	if err != nil {
		return nil, fmt.Errorf("suggest subjects: %w", err)
	}
	out := Subjects{Data: []string{}, Refused: []RefusedSubject{}}
	for _, line := range lines {
		if line.State == email.LineProposed {
			out.Data = append(out.Data, line.Text)
		} else {
			out.Refused = append(out.Refused, RefusedSubject{Subject: line.Text, Code: line.Reason, Words: line.Words})
		}
	}
	return &subjectsOutput{Body: out}, nil
}
