package activities

import (
	"context"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/integration"
)

// SubjectWriter asks a language model for subject lines.
type SubjectWriter interface {
	WriteSubjects(ctx context.Context, request integration.SubjectRequest) (integration.SubjectAnswer, error)
	// Tokens is the most that a request can cost.
	Tokens(request integration.SubjectRequest) (int64, error)
}

// SubjectSources are what the model is told of, and what its answers are held against.
type SubjectSources interface {
	FindSubjectSettings(ctx context.Context) (audience.Revised[email.SubjectSettings], error)
	FindGlossary(ctx context.Context) (audience.Revised[audience.Glossary], error)
	FindBrand(ctx context.Context) (email.BrandVersion, error)
	WonSubjects(ctx context.Context, template, locale string) ([]string, error)
}

// Usage counts what is spent. What a question may cost is put aside before it is asked, so that workers that ask at once can't overspend.
type Usage interface {
	ReserveUsage(ctx context.Context, budget email.SubjectBudget, tokens int64, now time.Time) (bool, error)
	ReturnUsage(ctx context.Context, tokens int64, reservedAt time.Time) error
}

// Copywriter gets candidates for subject lines from the model, within the budget, and checks each. The zero Writer means that there is no model.
type Copywriter struct {
	Writer  SubjectWriter
	Sources SubjectSources
	Usage   Usage
	Breaker Breaker
	Now     Clock
}

// Settings are those that hold now; why says why nothing can be asked for.
func (c *Copywriter) Settings(ctx context.Context) (settings email.SubjectSettings, why string, err error) {
	if c == nil || c.Writer == nil {
		return settings, email.SubjectNotConfigured, nil
	}
	found, err := c.Sources.FindSubjectSettings(ctx)
	if err != nil {
		return settings, "", fmt.Errorf("find settings of subjects: %w", err)
	}
	if !found.Document.On {
		return settings, email.SubjectOff, nil
	}
	return found.Document, "", nil
}

// Candidates asks once. Each line it gives is proposed, or refused with the reason. Faults: Conflict when there is no model or it is switched
// off, Limited with budget_spent, and those of the writer.
func (c *Copywriter) Candidates(ctx context.Context, template email.Template, from email.SubjectSource) ([]email.SubjectLine, error) {
	settings, why, err := c.Settings(ctx)
	if err != nil {
		return nil, err
	}
	switch why {
	case email.SubjectNotConfigured:
		return nil, fault.New(fault.Conflict, "ai_not_configured", "No language model is configured: OPENAI_API_KEY names its key.")
	case email.SubjectOff:
		return nil, fault.New(fault.Conflict, email.SubjectOff, "Generated subjects are switched off in the settings.")
	}
	glossary, err := c.Sources.FindGlossary(ctx)
	if err != nil {
		return nil, fmt.Errorf("find glossary: %w", err)
	}
	request, err := c.request(ctx, settings, glossary.Document, template, from)
	if err != nil {
		return nil, err
	}
	answer, err := c.ask(ctx, settings.Budget, request)
	if f, ok := fault.As(err); ok && f.Code == "subject_unstructured" {
		request.Plain = true
		answer, err = c.ask(ctx, settings.Budget, request)
	}
	if err != nil {
		return nil, err
	}
	check := email.SubjectCheck{Written: from.Written, Forbidden: settings.Lexicon(), Words: glossary.Document.Lexicon(from.Locale)}
	return checked(check, answer.Subjects), nil
}

func checked(check email.SubjectCheck, answers []string) []email.SubjectLine {
	lines := make([]email.SubjectLine, 0, len(answers))
	for _, text := range answers {
		line := email.SubjectLine{Text: email.CleanSubject(text), State: email.LineProposed}
		if f, ok := fault.As(check.Check(line.Text)); ok {
			line.State, line.Reason, line.Words = email.LineRefused, f.Code, f.Message
		} else {
			check.Others = append(check.Others, line.Text)
		}
		lines = append(lines, line)
	}
	return lines
}

// request gathers what the model is told. None of it is a contact's.
func (c *Copywriter) request(ctx context.Context, settings email.SubjectSettings, glossary audience.Glossary, template email.Template, from email.SubjectSource) (integration.SubjectRequest, error) {
	brand, err := c.Sources.FindBrand(ctx)
	if err != nil {
		return integration.SubjectRequest{}, fmt.Errorf("find brand: %w", err)
	}
	won, err := c.Sources.WonSubjects(ctx, from.Template, from.Locale)
	if err != nil {
		return integration.SubjectRequest{}, fmt.Errorf("find liked subjects: %w", err)
	}
	request := integration.SubjectRequest{
		Count: settings.Candidates, Model: settings.Model, Written: from.Written, Brief: from.Brief, Locale: from.Locale, Segment: from.Segment, Voice: brand.Document.Voice,
		Forbidden: settings.Forbidden, Won: won, TemplateSummary: email.Summary(template, from.Locale),
	}
	for _, t := range glossary.In(from.Locale) {
		request.Words = append(request.Words, integration.Wording{Say: t.Term, Not: t.Variants})
	}
	return request, nil
}

// ask puts aside what the question may cost, asks, and gives back what it did not cost. A question without an answer has cost all of it, for
// all that anybody knows.
func (c *Copywriter) ask(ctx context.Context, budget email.SubjectBudget, request integration.SubjectRequest) (integration.SubjectAnswer, error) {
	if err := c.Breaker.Allow(c.Now()); err != nil {
		return integration.SubjectAnswer{}, err
	}
	most, err := c.Writer.Tokens(request)
	if err != nil {
		return integration.SubjectAnswer{}, err
	}
	at := c.Now()
	granted, err := c.Usage.ReserveUsage(ctx, budget, most, at)
	if err != nil {
		return integration.SubjectAnswer{}, fmt.Errorf("reserve usage: %w", err)
	}
	if !granted {
		return integration.SubjectAnswer{}, fault.New(fault.Limited, email.SubjectBudgetSpent, "This month's budget for generated subjects is spent.")
	}
	answer, err := c.Writer.WriteSubjects(ctx, request)
	c.Breaker.Note(err, c.Now())
	if answer.Tokens > 0 && answer.Tokens < most {
		if err := c.Usage.ReturnUsage(context.WithoutCancel(ctx), most-answer.Tokens, at); err != nil {
			return answer, fmt.Errorf("return usage: %w", err)
		}
	}
	return answer, err
}
