package activities

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// SubjectShelf is where sets of subjects are kept and changed.
type SubjectShelf interface {
	FindSubjectSet(ctx context.Context, id string) (email.SubjectSet, error)
	ChangeSubjects(ctx context.Context, id string, now time.Time, change func(email.SubjectSet) ([]email.SubjectLine, error)) (email.SubjectSet, error)
	FailSubjects(ctx context.Context, id, reason string, now time.Time) error
}

// SubjectReviews performs the effects of the workflow that has subjects written and lets people decide on them.
type SubjectReviews struct {
	Shelf      SubjectShelf
	Templates  Templates
	Copywriter *Copywriter
	Now        Clock
}

// WriteSubjectsInput names the set that is wanted. Additive only.
type WriteSubjectsInput struct {
	SetID string `json:"set_id"`
}

// SubjectCandidate is one line of a set, as the review shows it.
type SubjectCandidate struct {
	Number int             `json:"number"`
	Text   string          `json:"text"`
	State  email.LineState `json:"state"`
	Words  string          `json:"words,omitempty"`
}

// SubjectReviewState is how a set stands. Additive only.
type SubjectReviewState struct {
	State      email.SubjectState `json:"state"`
	Reason     string             `json:"reason,omitempty"`
	Candidates []SubjectCandidate `json:"candidates,omitempty"`
}

// DecideSubjectsInput is a person's decision on some lines. Additive only.
type DecideSubjectsInput struct {
	SetID   string `json:"set_id"`
	Numbers []int  `json:"numbers"`
	State   string `json:"state"` // approved, rejected or retired
}

// FailSubjectsInput says why a set can't be had. Additive only.
type FailSubjectsInput struct {
	SetID  string `json:"set_id"`
	Reason string `json:"reason"`
}

func reviewState(set email.SubjectSet) SubjectReviewState {
	out := SubjectReviewState{State: set.State, Reason: set.Reason}
	for _, l := range set.Lines {
		out.Candidates = append(out.Candidates, SubjectCandidate{Number: l.Number, Text: l.Text, State: l.State, Words: l.Words})
	}
	return out
}

// WriteSubjects has the candidates of a set written, and keeps them: proposed where somebody has to approve them, else sent from now on. What
// can't be had for a while (no budget, no model) is an outcome; a model that is down or talks nonsense is tried again.
func (a *SubjectReviews) WriteSubjects(ctx context.Context, in WriteSubjectsInput) (SubjectReviewState, error) {
	set, err := a.Shelf.FindSubjectSet(ctx, in.SetID)
	if err != nil || set.State != email.SubjectsWanted {
		return reviewState(set), retryable(ctx, err)
	}
	template, err := a.Templates.FindTemplate(ctx, set.Template)
	if err != nil {
		return SubjectReviewState{}, retryable(ctx, err)
	}
	if template.Version != set.TemplateVersion {
		return a.fail(ctx, set.ID, "superseded")
	}
	settings, _, err := a.Copywriter.Settings(ctx)
	if err != nil {
		return SubjectReviewState{}, retryable(ctx, err)
	}
	lines, err := a.Copywriter.Candidates(ctx, template.Template, set.SubjectSource)
	if f, ok := fault.As(err); ok && (f.Kind == fault.Limited || f.Kind == fault.Conflict) {
		return a.fail(ctx, set.ID, f.Code)
	}
	if f, ok := fault.As(err); ok && f.Code == "absurd_answer" {
		err = fault.Wrap(fault.Unavailable, f.Code, f.Message, f) // it may talk sense the next time
	}
	if err != nil {
		return SubjectReviewState{}, retryable(ctx, err)
	}
	set, err = a.Shelf.ChangeSubjects(ctx, set.ID, a.Now(), func(set email.SubjectSet) ([]email.SubjectLine, error) {
		if set.State != email.SubjectsWanted {
			return nil, nil // another attempt was quicker
		}
		return fresh(set, lines, settings.Approval), nil
	})
	return reviewState(set), retryable(ctx, err)
}

// fresh adds new lines to a set, the written one first of all. It takes no line twice.
func fresh(set email.SubjectSet, lines []email.SubjectLine, approval bool) []email.SubjectLine {
	all := slices.Clone(set.Lines)
	if len(all) == 0 {
		all = append(all, email.SubjectLine{Text: set.Written, State: email.LineApproved})
	}
	for _, l := range lines {
		if slices.ContainsFunc(all, func(other email.SubjectLine) bool { return other.Text == l.Text }) {
			continue
		}
		l.Number = len(all)
		if l.State == email.LineProposed && !approval {
			l.State = email.LineApproved
		}
		all = append(all, l)
	}
	return Weigh(all, seedOf(set.ID))
}

func seedOf(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return h.Sum64()
}

// FailSubjects notes that a set can't be had for now.
func (a *SubjectReviews) FailSubjects(ctx context.Context, in FailSubjectsInput) (SubjectReviewState, error) {
	return a.fail(ctx, in.SetID, in.Reason)
}

func (a *SubjectReviews) fail(ctx context.Context, id, reason string) (SubjectReviewState, error) {
	if err := a.Shelf.FailSubjects(ctx, id, reason, a.Now()); err != nil {
		return SubjectReviewState{}, retryable(ctx, err)
	}
	set, err := a.Shelf.FindSubjectSet(ctx, id)
	return reviewState(set), retryable(ctx, err)
}

// DecideSubjects records a person's decision. Postgres has the last word.
func (a *SubjectReviews) DecideSubjects(ctx context.Context, in DecideSubjectsInput) (SubjectReviewState, error) {
	set, err := a.Decide(ctx, in)
	return reviewState(set), retryable(ctx, err)
}

// Decide changes lines as a person wants, all of them or none; what is so already stays.
func (a *SubjectReviews) Decide(ctx context.Context, in DecideSubjectsInput) (email.SubjectSet, error) {
	set, err := a.Shelf.ChangeSubjects(ctx, in.SetID, a.Now(), func(set email.SubjectSet) ([]email.SubjectLine, error) {
		if set.State == email.SubjectsWanted {
			return nil, fault.New(fault.Conflict, "not_ready", "The model is still at work.")
		}
		lines, state := slices.Clone(set.Lines), email.LineState(in.State)
		for _, number := range in.Numbers {
			i := slices.IndexFunc(lines, func(l email.SubjectLine) bool { return l.Number == number })
			if i < 0 {
				return nil, fault.New(fault.NotFound, "unknown_line", fmt.Sprintf("There is no subject no. %d.", number))
			}
			if err := lines[i].CanBecome(state); err != nil {
				return nil, err
			}
			lines[i].State, lines[i].Reason, lines[i].Words = state, "", ""
		}
		return Weigh(lines, seedOf(set.ID)), nil
	})
	if err != nil {
		return email.SubjectSet{}, fmt.Errorf("decide on subjects: %w", err)
	}
	return set, nil
}

// Settle counts what people clicked in mails of before a moment, and weighs the lines anew. It tells how many mails it counted.
func (a *SubjectReviews) Settle(ctx context.Context, counter SubjectCounter, before time.Time, limit int) (int, error) {
	sets, mails, err := counter.CountSubjects(ctx, before, limit)
	if err != nil {
		return 0, fmt.Errorf("count subjects: %w", err)
	}
	for _, id := range sets {
		_, err := a.Shelf.ChangeSubjects(ctx, id, a.Now(), func(set email.SubjectSet) ([]email.SubjectLine, error) {
			return Weigh(set.Lines, seedOf(set.ID)), nil
		})
		if err != nil {
			return mails, fmt.Errorf("weigh subjects: %w", err)
		}
	}
	return mails, nil
}

// SubjectCounter counts mails whose time to be followed is over, each once.
type SubjectCounter interface {
	CountSubjects(ctx context.Context, before time.Time, limit int) (sets []string, mails int, err error)
}
