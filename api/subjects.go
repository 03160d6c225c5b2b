package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/workflows"
)

// SubjectLines keeps generated subjects.
type SubjectLines interface {
	// ListSubjects lists the sets of a template, the newest first.
	ListSubjects(ctx context.Context, template string) ([]email.SubjectSet, error)
	FindSubjectSet(ctx context.Context, id string) (email.SubjectSet, error)
	// DecideSubjects puts lines of a set into a state, all or none.
	DecideSubjects(ctx context.Context, setID string, numbers []int, state email.LineState) (email.SubjectSet, error)
	// PrepareSubjects has the subjects of a journey's mails written before the first contact wants them.
	PrepareSubjects(ctx context.Context, definition *journey.Definition) error
	HasModel() bool
	Usage(ctx context.Context, now time.Time) (email.SubjectUsage, error)
}

// SubjectSettings keeps how subjects are generated.
type SubjectSettings interface {
	FindSubjectSettings(ctx context.Context) (audience.Revised[email.SubjectSettings], error)
	SaveSubjectSettings(ctx context.Context, settings email.SubjectSettings, expected *int64, now time.Time) (audience.Revised[email.SubjectSettings], error)
}

// TemporalSubjects takes a person's decision to the review that waits for it, as the update that the Temporal UI sends. What no review waits for
// is decided by itself.
type TemporalSubjects struct {
	Client client.Client
	SubjectLines
}

// DecideSubjects puts lines of a set into a state.
func (t *TemporalSubjects) DecideSubjects(ctx context.Context, setID string, numbers []int, state email.LineState) (email.SubjectSet, error) {
	set, err := t.FindSubjectSet(ctx, setID)
	if err != nil {
		return set, err
	}
	update := map[email.LineState]string{email.LineApproved: workflows.UpdateApproveSubjects, email.LineRejected: workflows.UpdateRejectSubjects}[state]
	waits := update != "" && !slices.ContainsFunc(numbers, func(number int) bool {
		return !slices.ContainsFunc(set.Lines, func(l email.SubjectLine) bool { return l.Number == number && l.State == email.LineProposed })
	})
	if !waits {
		return t.SubjectLines.DecideSubjects(ctx, setID, numbers, state)
	}
	handle, err := t.Client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflows.SubjectReviewID(set.Template, set.ID), UpdateName: update, Args: []any{numbers}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, nil)
	}
	var gone *serviceerror.NotFound
	switch {
	case errors.As(err, &gone): // the review is over, and something was left
		return t.SubjectLines.DecideSubjects(ctx, setID, numbers, state)
	case err != nil:
		return set, refusal(err)
	}
	return t.FindSubjectSet(ctx, setID)
}

// SubjectSetsInput names the template.
type SubjectSetsInput struct {
	Template string `query:"template" required:"true" maxLength:"64" doc:"The template."`
}

// DecideSubjectsInput is a person's decision.
type DecideSubjectsInput struct {
	ID   string `path:"id" doc:"The set."`
	Body struct {
		Action  string `json:"action" enum:"approve,reject,retire" doc:"approve: it is sent; reject: it never is; retire: it is sent no more."`
		Numbers []int  `json:"numbers" nullable:"false" minItems:"1" maxItems:"50" doc:"Of the lines."`
	}
}

// SavedSubjectSettings are the settings with their revision.
type SavedSubjectSettings struct {
	email.SubjectSettings
	Revision  int64      `json:"revision" doc:"0: nobody has saved any, and these are the default."`
	UpdatedAt *time.Time `json:"updated_at,omitempty"`
}

// SubjectSpending is what was spent this month.
type SubjectSpending struct {
	Month string `json:"month" doc:"In UTC." example:"2026-11"`
	email.SubjectUsage
	Configured bool `json:"configured" doc:"Whether a language model is configured at all."`
}

type (
	subjectSetOutput      struct{ Body email.SubjectSet }
	subjectSpendingOutput struct{ Body SubjectSpending }
)

func (s *server) subjectRoutes() {
	read := anyOf(ScopeJourneys, ScopeRead)
	handle(s, operation{id: "list-subject-sets", method: http.MethodGet, path: "/v1/subject_sets", tag: "templates", summary: "How a template's subjects stand", access: read,
		doc: "The sets of generated subjects, newest first: for each version, language and segment the written subject and its candidates, with what was sent and clicked, and why others were refused."}, s.listSubjectSets)
	handle(s, operation{id: "decide-subjects", method: http.MethodPost, path: "/v1/subject_sets/{id}/decide", tag: "templates", summary: "Approve, reject or retire subjects",
		doc: "What waits for approval is decided in its review in Temporal, as from the Temporal UI. 409 says why it can't be.", errors: []int{http.StatusConflict}, access: anyOf(ScopeJourneys)}, s.decideSubjects)
	handle(s, operation{id: "find-subject-usage", method: http.MethodGet, path: "/v1/subject_usage", tag: "templates", summary: "What generated subjects have cost this month",
		doc: "Of the budget in the settings; with what is put aside for questions that are being asked.", access: read}, s.findSubjectUsage)
	documentRoutes(s, document[SubjectSettings, email.SubjectSettings, email.SubjectSettings, SavedSubjectSettings]{
		name: "settings of subjects", path: "/v1/subject_settings", tag: "templates", port: s.SubjectSettings,
		loaded: SubjectSettings.FindSubjectSettings, saved: SubjectSettings.SaveSubjectSettings,
		find: operation{id: "find-subject-settings", summary: "Read how subjects are generated", access: read},
		save: operation{id: "save-subject-settings", summary: "Save how subjects are generated", access: anyOf(ScopeAdmin), doc: "Holds for the next question to the model. Subjects that are there already stay."},
		read: func(in email.SubjectSettings) (email.SubjectSettings, []fault.Problem) { return in, in.Validate() },
		view: func(kept audience.Revised[email.SubjectSettings]) SavedSubjectSettings {
			return SavedSubjectSettings{SubjectSettings: kept.Document, Revision: kept.Revision, UpdatedAt: kept.UpdatedAt}
		},
	})
}

func (s *server) listSubjectSets(ctx context.Context, in *SubjectSetsInput) (*listOutput[email.SubjectSet], error) {
	sets, err := s.SubjectLines.ListSubjects(ctx, in.Template)
	if err != nil {
		return nil, fmt.Errorf("list subjects: %w", err)
	}
	return listOf(Page[email.SubjectSet]{Items: sets}), nil
}

func (s *server) decideSubjects(ctx context.Context, in *DecideSubjectsInput) (*subjectSetOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	state := map[string]email.LineState{"approve": email.LineApproved, "reject": email.LineRejected, "retire": email.LineRetired}[in.Body.Action]
	set, err := s.SubjectLines.DecideSubjects(ctx, id, in.Body.Numbers, state)
	if err != nil {
		return nil, fmt.Errorf("decide on subjects: %w", err)
	}
	return &subjectSetOutput{Body: set}, nil
}

func (s *server) findSubjectUsage(ctx context.Context, _ *struct{}) (*subjectSpendingOutput, error) {
	now := s.now().UTC()
	usage, err := s.SubjectLines.Usage(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("find usage: %w", err)
	}
	return &subjectSpendingOutput{Body: SubjectSpending{Month: now.Format("2006-01"), SubjectUsage: usage, Configured: s.SubjectLines.HasModel()}}, nil
}

// prepareSubjects has subjects written for a journey that was just published. Should that fail, the first mail wants them again.
func (s *server) prepareSubjects(ctx context.Context, definition *journey.Definition) {
	if err := s.SubjectLines.PrepareSubjects(ctx, definition); err != nil {
		s.log.Warn("subjects not asked for yet", "journey", definition.Journey, "error", err.Error())
	}
}
