package api

import (
	"context"
	"fmt"
	"net/http"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// BroadcastInput names a broadcast.
type BroadcastInput struct {
	ID string `path:"id" maxLength:"64" doc:"The broadcast."`
}

// NewBroadcastInput is the plan of a new broadcast.
type NewBroadcastInput struct {
	Body email.BroadcastPlan
}

// SaveBroadcastInput is a plan, and the one that it replaces.
type SaveBroadcastInput struct {
	BroadcastInput
	IfMatch          string `header:"If-Match" maxLength:"40" doc:"The ETag that the change is based on."`
	ExpectedRevision string `query:"expected_revision" maxLength:"20" doc:"The same as a number; If-Match wins."`
	Body             email.BroadcastPlan
}

// StartBroadcastInput starts a broadcast.
type StartBroadcastInput struct {
	BroadcastInput
	Body *struct {
		ExpectedRevision *int64 `json:"expected_revision,omitempty" minimum:"1" doc:"Start only this revision of the plan."`
	}
}

// SavedBroadcast is a broadcast with what keeps it from being started.
type SavedBroadcast struct {
	email.Broadcast
	Problems []fault.Problem `json:"problems" nullable:"false" doc:"Of a draft: what keeps it from being started."`
}

type savedBroadcastOutput struct {
	ETag   string `header:"ETag"`
	Status int
	Body   SavedBroadcast
}

type broadcastOutput struct{ Body email.Broadcast }

func (s *server) broadcastRoutes() {
	write, read := anyOf(ScopeJourneys), anyOf(ScopeJourneys, ScopeRead)
	conflict := []int{http.StatusConflict}
	handle(s, operation{id: "list-broadcasts", method: http.MethodGet, path: "/v1/broadcasts", tag: "broadcasts", summary: "List broadcasts", doc: "Newest first.", access: read}, s.listBroadcasts)
	handle(s, operation{id: "create-broadcast", method: http.MethodPost, path: "/v1/broadcasts", tag: "broadcasts", status: http.StatusCreated, summary: "Make a broadcast",
		doc: "Saves a draft, which may be wrong: `problems` say what starting it would object to. Nothing is sent.", access: write}, s.createBroadcast)
	handle(s, operation{id: "count-broadcast", method: http.MethodPost, path: "/v1/broadcasts/count", tag: "broadcasts", summary: "Count before sending",
		doc: "How many are in the segment now, how many would get the mail, and why the others would not. Caps and quiet hours are looked at when it is sent.", access: write}, s.countBroadcast)
	handle(s, operation{id: "find-broadcast", method: http.MethodGet, path: "/v1/broadcasts/{id}", tag: "broadcasts", summary: "Read a broadcast", access: read}, s.findBroadcast)
	handle(s, operation{id: "save-broadcast", method: http.MethodPut, path: "/v1/broadcasts/{id}", tag: "broadcasts", errors: conflict, summary: "Change the plan of a draft",
		doc: "409 `stale_revision` when somebody else has saved since, `broadcast_started` when it is no draft any more.", access: write}, s.saveBroadcast)
	handle(s, operation{id: "start-broadcast", method: http.MethodPost, path: "/v1/broadcasts/{id}/start", tag: "broadcasts", errors: conflict, summary: "Start a broadcast",
		doc: "Sends it now, or has it sent when its time comes. 422 lists every problem at once.", access: write}, s.startBroadcast)
	for _, act := range []struct {
		action       email.BroadcastAction
		summary, doc string
	}{
		{email.PauseBroadcast, "Pause a broadcast", "No mail of it starts any more; what is being delivered goes out."},
		{email.ResumeBroadcast, "Resume a broadcast", "It goes on from where it stood. What is due by now goes out at once."},
		{email.CancelBroadcast, "Cancel a broadcast", "Who has not had the mail gets none, with the reason `broadcast_cancelled`. It can't be taken back."},
	} {
		handle(s, operation{id: string(act.action) + "-broadcast", method: http.MethodPost, path: "/v1/broadcasts/{id}/" + string(act.action), tag: "broadcasts", errors: conflict,
			summary: act.summary, doc: act.doc, access: write},
			func(ctx context.Context, in *BroadcastInput) (*broadcastOutput, error) {
				return s.actOnBroadcast(ctx, in.ID, act.action, nil)
			})
	}
	handle(s, operation{id: "count-recipients", method: http.MethodGet, path: "/v1/broadcasts/{id}/numbers", tag: "broadcasts", summary: "See how far a broadcast is, and what it has brought",
		doc: "Clicks are those of people. A goal counts from the moment at which the mail was sent, or withheld.", access: read}, s.broadcastNumbers)
	handle(s, operation{id: "list-recipients", method: http.MethodGet, path: "/v1/broadcasts/{id}/recipients", tag: "broadcasts", summary: "List recipients",
		doc: "With what became of each. Who got nothing has a reason.", access: anyOf(ScopeRead)}, s.listRecipients)
}

func (s *server) listBroadcasts(ctx context.Context, in *ListInput) (*listOutput[email.Broadcast], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Broadcasts.ListBroadcasts(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list broadcasts: %w", err)
	}
	return listOf(page), nil
}

func (s *server) createBroadcast(ctx context.Context, in *NewBroadcastInput) (*savedBroadcastOutput, error) {
	b, err := s.Broadcasts.CreateBroadcast(ctx, in.Body, keyOf(ctx).Name, s.now())
	if err != nil {
		return nil, fmt.Errorf("create broadcast: %w", err)
	}
	return s.broadcastAnswer(ctx, b, http.StatusCreated)
}

func (s *server) findBroadcast(ctx context.Context, in *BroadcastInput) (*savedBroadcastOutput, error) {
	b, err := s.Broadcasts.FindBroadcast(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("find broadcast: %w", err)
	}
	return s.broadcastAnswer(ctx, b, http.StatusOK)
}

func (s *server) saveBroadcast(ctx context.Context, in *SaveBroadcastInput) (*savedBroadcastOutput, error) {
	expected, err := expectedRevision(in.IfMatch, in.ExpectedRevision)
	if err != nil {
		return nil, err
	}
	b, err := s.Broadcasts.SaveBroadcast(ctx, in.ID, in.Body, expected, keyOf(ctx).Name, s.now())
	if err != nil {
		return nil, fmt.Errorf("save broadcast: %w", err)
	}
	return s.broadcastAnswer(ctx, b, http.StatusOK)
}

func (s *server) broadcastAnswer(ctx context.Context, b email.Broadcast, status int) (*savedBroadcastOutput, error) {
	out := &savedBroadcastOutput{ETag: etag(b.Revision), Status: status, Body: SavedBroadcast{Broadcast: b, Problems: []fault.Problem{}}}
	if b.State != email.BroadcastDraft {
		return out, nil
	}
	problems, err := s.checkBroadcast(ctx, b.Plan)
	out.Body.Problems = orEmpty(problems)
	return out, err
}

// startBroadcast checks the plan again: templates and segments come and go, and so do times.
func (s *server) startBroadcast(ctx context.Context, in *StartBroadcastInput) (*broadcastOutput, error) {
	b, err := s.Broadcasts.FindBroadcast(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("find broadcast: %w", err)
	}
	if in.Body != nil && in.Body.ExpectedRevision != nil && *in.Body.ExpectedRevision != b.Revision {
		return nil, fault.New(fault.Conflict, "stale_revision", "The plan has been saved again since. Read it before you start it.")
	}
	if b.State == email.BroadcastDraft {
		problems, err := s.checkBroadcast(ctx, b.Plan)
		if err != nil {
			return nil, err
		}
		if fault.HasErrors(problems) {
			return nil, fault.WithProblems("invalid", "The broadcast has problems; see problems.", problems)
		}
	}
	return s.actOnBroadcast(ctx, in.ID, email.StartBroadcast, &b.Revision) // what was checked is what is started
}

func (s *server) actOnBroadcast(ctx context.Context, id string, action email.BroadcastAction, expected *int64) (*broadcastOutput, error) {
	b, err := s.Broadcasts.ActOnBroadcast(ctx, id, action, expected, keyOf(ctx).Name, s.now())
	if err != nil {
		return nil, fmt.Errorf("%s broadcast: %w", action, err)
	}
	return &broadcastOutput{Body: b}, nil
}

// checkBroadcast finds what keeps a plan from being started.
func (s *server) checkBroadcast(ctx context.Context, plan email.BroadcastPlan) ([]fault.Problem, error) {
	problems := plan.Check(s.now())
	missing := func(path, code, message string) {
		problems = append(problems, fault.Problem{Path: path, Code: code, Level: fault.LevelError, Message: message})
	}
	if plan.Segment != "" {
		segment, err := s.Segments.FindSegment(ctx, plan.Segment)
		switch {
		case fault.KindOf(err) == fault.NotFound && err != nil:
			missing("/segment", "unknown_segment", "There is no such segment.")
		case err != nil:
			return nil, fmt.Errorf("find segment: %w", err)
		case segment.FilledAt == nil:
			missing("/segment", "segment_not_filled", "The segment is still being filled; try again in a moment.")
		}
	}
	for _, template := range templatesOf(plan) {
		there, err := s.Templates.TemplateExists(ctx, template[1])
		if err != nil {
			return nil, fmt.Errorf("find template: %w", err)
		}
		if !there {
			missing(template[0], "unknown_template", "There is no such template.")
		}
	}
	if plan.Topic != "" {
		_, err := s.Topics.FindTopic(ctx, plan.Topic)
		if fault.KindOf(err) == fault.NotFound && err != nil {
			missing("/topic", "unknown_topic", "There is no such topic.")
		} else if err != nil {
			return nil, fmt.Errorf("find topic: %w", err)
		}
	}
	return problems, nil
}

// templatesOf are the templates that a plan names, each with where.
func templatesOf(plan email.BroadcastPlan) [][2]string {
	var all [][2]string
	if plan.Template != "" {
		all = append(all, [2]string{"/template", plan.Template})
	}
	for i, v := range plan.Variants {
		if v.Template != "" {
			all = append(all, [2]string{fmt.Sprintf("/variants/%d/template", i), v.Template})
		}
	}
	return all
}
