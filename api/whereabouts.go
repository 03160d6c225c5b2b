package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

// Standing is an enrollment and where it stands.
type Standing struct {
	journey.Enrollment
	Name     string     `json:"journey_name,omitempty" doc:"For people."`
	Kind     string     `json:"kind,omitempty" doc:"Of the step that it stands at."`
	Since    *time.Time `json:"since,omitempty" doc:"Since when it has been at the step; the end of the last step that left a decision, where the step has no time of its own."`
	WaitsFor []string   `json:"waits_for" nullable:"false" doc:"What ends the wait, in words; wake_at is when it ends at the latest."`
	Ended    string     `json:"ended,omitempty" doc:"How it ended, in words."`
	// Pauses are in the order of time; one without an end holds the enrollment still now.
	Pauses []journey.Pause `json:"pauses" nullable:"false" doc:"When the journey stood still meanwhile. One that was not resumed holds the contact still now."`
}

// ContactJourney is a contact's way, as far as it has come.
type ContactJourney struct {
	Stage       string          `json:"stage"`
	Enrollments []Standing      `json:"enrollments" nullable:"false" doc:"The newest first."`
	Handoffs    []sales.Handoff `json:"handoffs" nullable:"false" doc:"The newest first."`
}

// Sendable is a mail that a contact could have got.
type Sendable struct {
	Journey  string `json:"journey"`
	Name     string `json:"journey_name,omitempty"`
	Step     string `json:"step"`
	Template string `json:"template"`
	Entered  bool   `json:"entered" doc:"Whether the contact is or was in the journey."`
}

// WhyAnswer is why a contact got something, or did not.
type WhyAnswer struct {
	journey.Answer
	MessageID string `json:"message_id,omitempty" doc:"The mail of the step, sent or not."`
}

// WhyInput asks about a step of a journey.
type WhyInput struct {
	ContactInput
	Journey string `query:"journey" required:"true" maxLength:"64"`
	Step    string `query:"step" required:"true" maxLength:"64"`
}

type (
	contactJourneyOutput struct{ Body ContactJourney }
	consentsOutput       struct{ Body audience.Consents }
	whyOutput            struct{ Body WhyAnswer }
)

func (s *server) whereaboutsRoutes() {
	rep := anyOf(ScopeRead, ScopeSales)
	handle(s, operation{id: "find-contact-journey", method: http.MethodGet, path: "/v1/contacts/{id}/journey", tag: "contacts",
		summary: "Read where a contact is", doc: "Every enrollment with the step that it stands at and what it waits for, and the handoffs.", access: rep}, s.contactJourney)
	handle(s, operation{id: "find-consents", method: http.MethodGet, path: "/v1/contacts/{id}/consents", tag: "contacts",
		summary: "Read what a contact has permitted", doc: "And whether its address must not be written to at all.", access: rep}, s.consents)
	handle(s, operation{id: "list-sends", method: http.MethodGet, path: "/v1/contacts/{id}/sends", tag: "contacts", summary: "List what a contact could have been sent",
		doc: "The send steps of the versions that it is or was in, then those of all journeys that are live.", access: rep}, s.sends)
	handle(s, operation{id: "explain-step", method: http.MethodGet, path: "/v1/contacts/{id}/why", tag: "contacts", summary: "Ask why a contact got something, or did not",
		doc: "About a step of a journey, in the contact's newest enrollment. The code is stable: " + journey.WhyPassed + ", here, not_yet, other_way, ended, not_entered, " +
			"never_entered, not_published or no_such_step; of a send step that was decided, the state of its message.", access: rep}, s.why)
}

func (s *server) contactJourney(ctx context.Context, in *ContactInput) (*contactJourneyOutput, error) {
	contact, err := s.findContact(ctx, in)
	if err != nil {
		return nil, err
	}
	enrollments, err := s.Whereabouts.ContactEnrollments(ctx, contact.Body.ID)
	if err != nil {
		return nil, fmt.Errorf("list enrollments: %w", err)
	}
	out := ContactJourney{Stage: contact.Body.Stage, Enrollments: []Standing{}, Handoffs: []sales.Handoff{}}
	pauses, err := s.Whereabouts.ContactPauses(ctx, contact.Body.ID, "")
	if err != nil {
		return nil, fmt.Errorf("list pauses: %w", err)
	}
	versions := s.versionsOf()
	for _, e := range enrollments {
		standing, err := s.standing(ctx, versions, e)
		if err != nil {
			return nil, err
		}
		standing.Pauses = pausesOf(pauses, e.ID)
		out.Enrollments = append(out.Enrollments, standing)
	}
	handoffs, err := s.Whereabouts.ContactHandoffs(ctx, contact.Body.ID)
	if err != nil {
		return nil, fmt.Errorf("list handoffs: %w", err)
	}
	out.Handoffs = append(out.Handoffs, handoffs...)
	return &contactJourneyOutput{Body: out}, nil
}

// pausesOf are those around one enrollment.
func pausesOf(all []journey.EnrollmentPause, enrollmentID string) []journey.Pause {
	of := []journey.Pause{}
	for _, p := range all {
		if p.EnrollmentID == enrollmentID {
			of = append(of, p.Pause)
		}
	}
	return of
}

func (s *server) standing(ctx context.Context, versions *versions, e journey.Enrollment) (Standing, error) {
	out := Standing{Enrollment: e, WaitsFor: []string{}}
	def, plan, err := versions.of(ctx, e.Journey, e.Version)
	if err != nil {
		return out, err
	}
	if def != nil {
		out.Name = def.Name
		if out.Step == "" {
			out.Step = plan.First
		}
		waits, kind := def.WaitsFor(out.Step)
		out.WaitsFor, out.Kind = append(out.WaitsFor, waits...), string(kind)
	}
	if e.State.Final() {
		out.Ended = def.Tell(journey.Decision{Kind: string(e.State), Reason: e.Reason})
		return out, nil
	}
	out.Since = &e.EnteredAt
	if def != nil && e.WakeAt != nil && plan.Steps[out.Step].For > 0 {
		since := e.WakeAt.Add(-plan.Steps[out.Step].For)
		out.Since = &since
		return out, nil
	}
	made, err := s.Whereabouts.EnrollmentDecisions(ctx, e.ID)
	if err != nil {
		return out, fmt.Errorf("read decisions: %w", err)
	}
	if len(made) > 0 {
		out.Since = &made[len(made)-1].At
	}
	return out, nil
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

func (s *server) sends(ctx context.Context, in *ContactInput) (*listOutput[Sendable], error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	enrollments, err := s.Whereabouts.ContactEnrollments(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list enrollments: %w", err)
	}
	live, err := s.Whereabouts.LiveVersions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list live versions: %w", err)
	}
	var all []Sendable
	entered := map[string]bool{}
	add := func(def *journey.Definition) {
		for _, step := range def.Steps {
			known := slices.ContainsFunc(all, func(one Sendable) bool { return one.Journey == def.Journey && one.Step == step.ID })
			if step.Send != nil && !known {
				all = append(all, Sendable{Journey: def.Journey, Name: def.Name, Step: step.ID, Template: step.Send.Template, Entered: entered[def.Journey]})
			}
		}
	}
	versions := s.versionsOf()
	for _, e := range enrollments {
		entered[e.Journey] = true
		def, _, err := versions.of(ctx, e.Journey, e.Version)
		if err != nil {
			return nil, err
		}
		if def != nil {
			add(def)
		}
	}
	for _, v := range live {
		if def, problems := journey.Parse(v.Document); def != nil && !fault.HasErrors(problems) {
			add(def)
		}
	}
	return listOf(Page[Sendable]{Items: all}), nil
}

func (s *server) why(ctx context.Context, in *WhyInput) (*whyOutput, error) {
	contact, err := s.findContact(ctx, &in.ContactInput)
	if err != nil {
		return nil, err
	}
	draft, err := s.Journeys.FindDraft(ctx, in.Journey)
	if err != nil {
		return nil, fmt.Errorf("find journey: %w", err)
	}
	past := journey.Past{Live: draft.LiveVersion > 0}
	if err := s.recall(ctx, contact.Body.ID, in.Journey, &past); err != nil {
		return nil, err
	}
	if past.Enrollment == nil {
		return &whyOutput{Body: WhyAnswer{Answer: past.Explain(in.Step)}}, nil
	}
	paused, err := s.Whereabouts.ContactPauses(ctx, contact.Body.ID, in.Journey)
	if err != nil {
		return nil, fmt.Errorf("list pauses: %w", err)
	}
	pauses := pausesOf(paused, past.Enrollment.ID)
	message, err := s.Whereabouts.StepMessage(ctx, past.Enrollment.ID, in.Step)
	if err != nil {
		return nil, fmt.Errorf("find message: %w", err)
	}
	if message != nil {
		return &whyOutput{Body: WhyAnswer{MessageID: message.ID, Answer: journey.Answer{
			Code: string(message.State), Words: fate(*message), Step: in.Step, At: &message.UpdatedAt, Reason: message.Reason,
			EnrollmentID: past.Enrollment.ID, Version: past.Enrollment.Version,
		}.Held(pauses)}}, nil
	}
	if past.Plan == nil {
		return nil, fmt.Errorf("version %d of journey %s can't be read", past.Enrollment.Version, in.Journey)
	}
	return &whyOutput{Body: WhyAnswer{Answer: past.Explain(in.Step).Held(pauses)}}, nil
}

// recall reads what is known of a contact and a journey.
func (s *server) recall(ctx context.Context, contactID, key string, past *journey.Past) error {
	enrollments, err := s.Whereabouts.ContactEnrollments(ctx, contactID)
	if err != nil {
		return fmt.Errorf("list enrollments: %w", err)
	}
	i := slices.IndexFunc(enrollments, func(e journey.Enrollment) bool { return e.Journey == key })
	if i < 0 {
		if past.Refused, err = s.Whereabouts.LastRefusal(ctx, contactID, key); err != nil {
			return fmt.Errorf("find refusal: %w", err)
		}
		return nil
	}
	past.Enrollment = &enrollments[i]
	if past.Definition, past.Plan, err = s.versionsOf().of(ctx, key, past.Enrollment.Version); err != nil {
		return err
	}
	if past.Made, err = s.Whereabouts.EnrollmentDecisions(ctx, past.Enrollment.ID); err != nil {
		return fmt.Errorf("read decisions: %w", err)
	}
	return nil
}

// fate says what became of a message.
func fate(m email.Message) string {
	because := ": " + messageReason(m.Reason) + "."
	if m.Reason == "" {
		because = "."
	}
	switch m.State {
	case email.Sent:
		if m.Delivery != nil {
			return "Sent. " + m.Delivery.Words
		}
		return "Sent, and the mail server took it."
	case email.Queued, email.Sending:
		return "On its way to the mail server" + because
	case email.Deferred:
		if m.Reason != "" {
			return "On its way" + because
		}
		return "On its way: the mail server asked to try again later."
	case email.Skipped:
		return "Skipped at " + m.StepID + because
	case email.Rejected, email.Failed:
		return "Not sent" + because
	case email.Unknown:
		return "Perhaps sent" + because
	}
	return string(m.State) + because
}

// versions reads definitions once each, for the time of a request.
type versions struct {
	server *server
	read   map[string]readVersion
}

type readVersion struct {
	def  *journey.Definition
	plan *journey.Plan
}

func (s *server) versionsOf() *versions { return &versions{server: s, read: map[string]readVersion{}} }

// of finds a version's definition and plan; nil when this program can't read it any more.
func (v *versions) of(ctx context.Context, key string, number int) (*journey.Definition, *journey.Plan, error) {
	name := fmt.Sprint(key, "/", number)
	if known, ok := v.read[name]; ok {
		return known.def, known.plan, nil
	}
	version, err := v.server.Journeys.FindVersion(ctx, key, number)
	if err != nil {
		return nil, nil, fmt.Errorf("find version %d of journey %s: %w", number, key, err)
	}
	var found readVersion
	if def, problems := journey.Parse(version.Document); def != nil && !fault.HasErrors(problems) {
		if plan, err := journey.Compile(def); err == nil {
			found = readVersion{def, plan}
		}
	}
	v.read[name] = found
	return found.def, found.plan, nil
}
