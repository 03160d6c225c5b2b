package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

// SubjectCache keeps generated subjects: by template version, locale, segment and brief, never by contact.
type SubjectCache interface {
	FindSubjects(ctx context.Context, key string) (email.SubjectSet, bool, error)
	// WantSubjects sees to it that there is a set; fresh tells whoever asks that the model has to be asked.
	WantSubjects(ctx context.Context, key string, from email.SubjectSource, now time.Time) (set email.SubjectSet, fresh bool, err error)
}

// SubjectOrders has subjects made.
type SubjectOrders struct {
	Cache SubjectCache
	// StartReview starts the workflow that has a set of subjects written.
	StartReview func(ctx context.Context, set email.SubjectSet) error
	Log         *slog.Logger
	Now         Clock
}

const (
	// subjectWait is how long the first mails of a set wait for the model, counted from when the set was first wanted. Later ones never wait.
	subjectWait = 3 * time.Second
	subjectLook = 100 * time.Millisecond
)

// SubjectKey is what a set of subjects belongs to: all that it is made from, and no contact.
func SubjectKey(from email.SubjectSource) (string, error) {
	written, err := json.Marshal(from)
	if err != nil {
		return "", fmt.Errorf("subject key: %w", err)
	}
	sum := sha256.Sum256(written)
	return hex.EncodeToString(sum[:]), nil
}

// SourceOf is what subjects for a step are made from, for contacts of a locale, in the step's segment or not. Subjects are in the language that
// the mail is in, and belong to it.
func SourceOf(template email.TemplateVersion, send *journey.Send, locale string, inSegment bool) email.SubjectSource {
	spoken := template.Speaks(locale)
	from := email.SubjectSource{Template: template.Key, TemplateVersion: template.Version, Locale: spoken, Brief: send.AISubject.Brief, Written: send.Subject}
	if inSegment {
		from.Segment = send.AISubject.Segment
	}
	if translated, ok := template.Locales[spoken]; ok { // it has a subject of its own, which the step's does not replace
		from.Written = translated.Subject
	}
	if from.Written == "" {
		from.Written = template.Subject
	}
	return from
}

// GenerateSubject sees to it that there are subjects to choose from before the send, or says why the written one is used. The model is asked
// by a workflow of its own, out of the way of the mail: the first mails wait a moment for it, and no later one does. Whatever fails here, the
// written subject goes out on time.
func (a *Messages) GenerateSubject(ctx context.Context, in EffectInput) (EffectResult, error) {
	step, err := a.Versions.step(ctx, in.Ref)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	template, err := a.Templates.FindTemplate(ctx, step.Send.Template)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	_, why, err := a.Copywriter.Settings(ctx)
	if err != nil || why != "" {
		return written(why), retryable(ctx, err)
	}
	set, err := a.wantSubjects(ctx, in, step, template)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	if set, err = a.awaitSubjects(ctx, set); err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	if set.State == email.SubjectsReady {
		return written("cached"), nil
	}
	return written(set.Fallback()), nil
}

func written(reason string) EffectResult {
	return EffectResult{Outcome: journey.Outcome{Port: journey.PortNext}, Reason: reason}
}

// wantSubjects finds the set for a contact's mail, and has it made when there is none.
func (a *Messages) wantSubjects(ctx context.Context, in EffectInput, step *journey.Step, template email.TemplateVersion) (email.SubjectSet, error) {
	from, err := a.subjectSource(ctx, in, step, template)
	if err != nil {
		return email.SubjectSet{}, err
	}
	return a.Subjects.Want(ctx, from)
}

// Want finds the set of a source, and has it made when there is none.
func (a *SubjectOrders) Want(ctx context.Context, from email.SubjectSource) (email.SubjectSet, error) {
	key, err := SubjectKey(from)
	if err != nil {
		return email.SubjectSet{}, err
	}
	set, found, err := a.Cache.FindSubjects(ctx, key)
	if err != nil || found && set.State != email.SubjectsFailed {
		return set, err
	}
	set, fresh, err := a.Cache.WantSubjects(ctx, key, from, a.Now())
	if err != nil || !fresh {
		return set, err
	}
	if err := a.StartReview(ctx, set); err != nil { // it is started again by and by
		a.Log.Warn("subjects not asked for yet", "template", set.Template, "error", err.Error())
	}
	return set, nil
}

// awaitSubjects waits for a set that is being made, as long as that was begun a moment ago.
func (a *Messages) awaitSubjects(ctx context.Context, set email.SubjectSet) (email.SubjectSet, error) {
	left := subjectWait - a.Now().Sub(set.WantedAt)
	if set.State != email.SubjectsWanted || left <= 0 {
		return set, nil
	}
	patience := time.NewTimer(min(left, subjectWait))
	defer patience.Stop()
	look := time.NewTicker(subjectLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return set, ctx.Err()
		case <-patience.C:
			activity.GetLogger(ctx).Info("written subject used: the model is still at work", "template", set.Template)
			return set, nil
		case <-look.C:
		}
		key, err := SubjectKey(set.SubjectSource)
		if err != nil {
			return set, err
		}
		now, found, err := a.Subjects.Cache.FindSubjects(ctx, key)
		if err != nil || !found || now.State != email.SubjectsWanted {
			return now, err
		}
	}
}

// subjectSource is what the contact's subjects are made from: its language, and whether it is in the step's segment.
func (a *Messages) subjectSource(ctx context.Context, in EffectInput, step *journey.Step, template email.TemplateVersion) (email.SubjectSource, error) {
	var locale string
	var within bool
	err := a.Contacts.InContact(ctx, in.Ref.ContactID, func(ctx context.Context, tx ContactTx) (err error) {
		locale = tx.Contact().Locale
		if segment := step.Send.AISubject.Segment; segment != "" {
			within, err = tx.Facts(ctx, nil, a.Now()).InSegment(segment)
		}
		return err
	})
	if err != nil {
		return email.SubjectSource{}, fmt.Errorf("find the contact's language: %w", err)
	}
	return SourceOf(template, step.Send, locale, within), nil
}

// subjectChoice is the set that a mail's subject is chosen from, and what was chosen.
type subjectChoice struct {
	set    email.SubjectSet
	line   email.SubjectLine
	reason string // why there was no choice
}

// chooseSubject picks the subject of a mail. It is recorded with the message, so that every attempt has the same.
func (a *Messages) chooseSubject(ctx context.Context, in EffectInput, step *journey.Step, template email.TemplateVersion) (*subjectChoice, error) {
	if step.Send.AISubject == nil {
		return nil, nil //nolint:nilnil // no choice
	}
	_, why, err := a.Copywriter.Settings(ctx)
	if err != nil || why != "" {
		return nil, err
	}
	from, err := a.subjectSource(ctx, in, step, template)
	if err != nil {
		return nil, err
	}
	key, err := SubjectKey(from)
	if err != nil {
		return nil, err
	}
	set, found, err := a.Subjects.Cache.FindSubjects(ctx, key)
	if err != nil || !found {
		return nil, err
	}
	choice := &subjectChoice{set: set}
	var ok bool
	if choice.line, ok = set.Pick(stepID(messageSpace, in.Ref)); !ok {
		choice.reason = set.Fallback()
	}
	return choice, nil
}

// note records the choice with the message.
func (c *subjectChoice) note(ctx context.Context, tx ContactTx, m email.Message) error {
	if c == nil || m.State != email.Queued && m.State != email.Sending {
		return nil
	}
	return tx.ChooseSubject(ctx, m.ID, c.set.ID, c.line.ID, c.reason, m.CreatedAt)
}
