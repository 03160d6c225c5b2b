package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// Whereabouts knows where a contact stands, what was decided for it, and what keeps mail from it.
type Whereabouts interface {
	ContactEnrollments(ctx context.Context, contactID string) ([]journey.Enrollment, error)
	EnrollmentDecisions(ctx context.Context, enrollmentID string) ([]journey.Decision, error)
	// LastRefusal is the newest time that a contact was kept out of a journey, or nil.
	LastRefusal(ctx context.Context, contactID, journeyKey string) (*journey.Decision, error)
	// StepMessage is the message of a step's newest visit in an enrollment, without its bodies, or nil.
	StepMessage(ctx context.Context, enrollmentID, stepID string) (*email.Message, error)
	Consents(ctx context.Context, contactID string) (audience.Consents, error)
}

// Standing is an enrollment, and what it waits for while it waits.
type Standing struct {
	journey.Enrollment
	StepKind string   `json:"step_kind,omitempty" doc:"What the step does that it stands at."`
	Events   []string `json:"events,omitempty" doc:"What it waits for."`
	Sentence string   `json:"sentence" doc:"Where the contact stands, or how it ended."`
}

type standingsOutput struct{ Body List[Standing] }

type consentsOutput struct{ Body audience.Consents }

func (s *server) whereaboutRoutes() {
	rep := anyOf(ScopeRead, ScopeSales)
	handle(s, operation{id: "list-enrollments", method: http.MethodGet, path: "/v1/contacts/{id}/enrollments", tag: "contacts",
		summary: "Where a contact stands", doc: "Its enrollments, newest first, 200 at most.", access: rep}, s.standings)
	handle(s, operation{id: "list-consents", method: http.MethodGet, path: "/v1/contacts/{id}/consents", tag: "contacts",
		summary: "What a contact permits", access: rep}, s.consents)
	handle(s, operation{id: "explain-send", method: http.MethodGet, path: "/v1/contacts/{id}/why", tag: "contacts",
		summary: "Why a contact got a step's mail, or did not", doc: "Of the newest enrollment in the journey. Works for steps of any kind: whether the contact came to it, and if not, where it stands or which way it took.",
		access: rep}, s.why)
}

func (s *server) consents(ctx context.Context, in *ContactInput) (*consentsOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	consents, err := s.Whereabouts.Consents(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}
	if consents.Consents == nil {
		consents.Consents = []audience.Consent{}
	}
	return &consentsOutput{Body: consents}, nil
}

func (s *server) standings(ctx context.Context, in *ContactInput) (*standingsOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	enrollments, err := s.Whereabouts.ContactEnrollments(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read enrollments: %w", err)
	}
	out := []Standing{}
	known := map[string]*journey.Definition{}
	for _, e := range enrollments {
		definition, err := s.definitionOf(ctx, known, e)
		if err != nil {
			return nil, err
		}
		out = append(out, standing(e, definition))
	}
	return &standingsOutput{Body: List[Standing]{Data: out}}, nil
}

// definitionOf reads the version that an enrollment is in, each once.
func (s *server) definitionOf(ctx context.Context, known map[string]*journey.Definition, e journey.Enrollment) (*journey.Definition, error) {
	if d := known[e.Hash]; d != nil {
		return d, nil
	}
	version, err := s.Journeys.FindVersion(ctx, e.Journey, e.Version)
	if err != nil {
		return nil, fmt.Errorf("find version: %w", err)
	}
	definition, problems := journey.Parse(version.Document)
	if definition == nil || fault.HasErrors(problems) {
		return nil, fmt.Errorf("parse version %d of journey %s: %d problems", e.Version, e.Journey, len(problems))
	}
	known[e.Hash] = definition
	return definition, nil
}

func standing(e journey.Enrollment, definition *journey.Definition) Standing {
	out := Standing{Enrollment: e}
	step := stepOf(definition, e.Step)
	if step != nil {
		out.StepKind = string(step.Kind)
		if step.WaitFor != nil && !e.State.Final() {
			for _, arm := range step.WaitFor.Arms {
				out.Events = append(out.Events, arm.Event)
			}
		}
	}
	out.Sentence = standingSentence(out)
	return out
}

func stepOf(definition *journey.Definition, id string) *journey.Step {
	for i := range definition.Steps {
		if definition.Steps[i].ID == id {
			return &definition.Steps[i]
		}
	}
	return nil
}

func standingSentence(s Standing) string {
	if s.State.Final() {
		text := fmt.Sprintf("It %s at %s.", s.State, s.Step)
		if s.Step == "" {
			text = fmt.Sprintf("It %s.", s.State)
		}
		if words := reasonWords()[s.Reason]; words != "" {
			return text + " " + words
		}
		if s.Reason != "" {
			return text + " The reason: " + s.Reason + "."
		}
		return text
	}
	until := ""
	if s.WakeAt != nil {
		until = ", until " + s.WakeAt.UTC().Format(time.RFC3339) + " at the latest"
	}
	switch {
	case len(s.Events) > 0:
		return fmt.Sprintf("It waits at %s for %s%s.", s.Step, oneOf(s.Events), until)
	case s.StepKind == string(journey.KindHandoff):
		return fmt.Sprintf("It waits at %s for sales%s.", s.Step, until)
	case s.WakeAt != nil:
		return fmt.Sprintf("It waits at %s until %s.", s.Step, s.WakeAt.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("It is at %s.", s.Step)
}

func oneOf(names []string) string {
	text := ""
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += " or "
		default:
			text += ", "
		}
		text += name
	}
	return text
}
