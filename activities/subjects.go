package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"go.temporal.io/sdk/activity"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/integration"
	"throughline.dev/throughline/internal/journey"
)

// subjectKey is what a generated subject belongs to: a template version, a brief and a locale; never a contact.
func subjectKey(template email.TemplateVersion, step *journey.Step, locale string) string {
	sum := sha256.Sum256([]byte(template.Key + "|" + strconv.Itoa(template.Version) + "|" + step.Send.Subject + "|" + step.Send.AISubject.Brief + "|" + locale))
	return hex.EncodeToString(sum[:])
}

// GenerateSubject makes sure that a generated subject is at hand before the send, or says why the written one is used.
// It never fails for good on the model's account: a slow, failing or absurd answer means the written subject.
func (a *Messages) GenerateSubject(ctx context.Context, in EffectInput) (EffectResult, error) {
	step, err := a.Versions.step(ctx, in.Ref)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	template, err := a.Templates.FindTemplate(ctx, step.Send.Template)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	if a.Writer == nil {
		return written("not_configured"), nil
	}
	locale, err := a.locale(ctx, in.Ref.ContactID)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	key := subjectKey(template, step, locale)
	if _, ok, err := a.Subjects.FindSubject(ctx, key); err != nil || ok {
		return EffectResult{Outcome: journey.Outcome{Port: journey.PortNext}, Reason: "cached"}, retryable(ctx, err)
	}
	subject := step.Send.Subject
	if subject == "" {
		subject = template.Subject
	}
	candidate, err := a.Writer.WriteSubject(ctx, integration.SubjectRequest{
		Written: subject, Brief: step.Send.AISubject.Brief, Locale: locale, TemplateSummary: email.Summary(template.Template),
	})
	candidate = email.CleanSubject(candidate)
	if err == nil {
		err = email.CheckSubject(candidate, subject)
	}
	if err != nil {
		activity.GetLogger(ctx).Warn("written subject used", "template", template.Key, "error", err.Error())
		if f, ok := fault.As(err); ok && f.Kind == fault.Unavailable {
			return EffectResult{}, retryable(ctx, err)
		} else if ok {
			return written(f.Code), nil
		}
		return EffectResult{}, retryable(ctx, err)
	}
	if err := a.Subjects.SaveSubject(ctx, key, candidate, a.Now()); err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	return EffectResult{Outcome: journey.Outcome{Port: journey.PortNext}, Reason: "generated"}, nil
}

func written(reason string) EffectResult {
	return EffectResult{Outcome: journey.Outcome{Port: journey.PortNext}, Reason: reason}
}

func (a *Messages) locale(ctx context.Context, contactID string) (string, error) {
	var locale string
	err := a.Contacts.InContact(ctx, contactID, func(_ context.Context, tx ContactTx) error {
		locale = tx.Contact().Locale
		return nil
	})
	return locale, err
}
