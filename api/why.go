package api

import (
	"context"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

// WhyInput asks about a step of a journey.
type WhyInput struct {
	ContactInput
	Journey string `query:"journey" required:"true" minLength:"1" maxLength:"64"`
	Step    string `query:"step" required:"true" minLength:"1" maxLength:"64"`
}

// The answers to why.
const (
	WhyNeverEntered = "never_entered" // nothing has enrolled the contact
	WhyNotLetIn     = "not_let_in"    // a trigger came, and the journey did not let the contact in
	WhyOtherVersion = "other_version" // the version that the contact entered does not have the step
	WhySent         = "sent"
	WhyNotSent      = "not_sent"
	WhyOnItsWay     = "on_its_way"
	WhyDone         = "done"        // the step, which sends nothing, was passed
	WhyHere         = "here"        // the contact stands at the step
	WhyNotYet       = "not_yet"     // the contact stands at another step
	WhyOtherWay     = "another_way" // it is over, and its way did not lead there
)

// Why is the answer: a code, a sentence, and what it is read from.
type Why struct {
	Code     string            `json:"code" enum:"never_entered,not_let_in,other_version,sent,not_sent,on_its_way,done,here,not_yet,another_way"`
	Sentence string            `json:"sentence"`
	Reason   string            `json:"reason,omitempty" doc:"The code of the ledger or of the journal; see the list of reasons."`
	At       *time.Time        `json:"at,omitempty"`
	Way      []WayTaken        `json:"way" nullable:"false" doc:"What was decided in this enrollment, in its order."`
	Message  *email.Message    `json:"message,omitempty" doc:"Without html and text."`
	Decision *journey.Decision `json:"decision,omitempty"`
}

// WayTaken is a decision on the way, in words.
type WayTaken struct {
	Step string    `json:"step"`
	What string    `json:"what"`
	At   time.Time `json:"at"`
}

type whyOutput struct{ Body Why }

func (s *server) why(ctx context.Context, in *WhyInput) (*whyOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.Journeys.FindDraft(ctx, in.Journey); err != nil {
		return nil, fmt.Errorf("find journey: %w", err)
	}
	enrollments, err := s.Whereabouts.ContactEnrollments(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read enrollments: %w", err)
	}
	for _, e := range enrollments {
		if e.Journey == in.Journey {
			answer, err := s.whyInside(ctx, e, in.Step)
			return &whyOutput{Body: answer}, err
		}
	}
	refusal, err := s.Whereabouts.LastRefusal(ctx, id, in.Journey)
	if err != nil {
		return nil, fmt.Errorf("find refusal: %w", err)
	}
	if refusal == nil {
		return &whyOutput{Body: Why{Code: WhyNeverEntered, Way: []WayTaken{}, Sentence: "Nothing has enrolled this contact in " + in.Journey + ": no event that enters it came with its condition met."}}, nil
	}
	return &whyOutput{Body: Why{Code: WhyNotLetIn, Way: []WayTaken{}, Reason: refusal.Reason, At: &refusal.At, Decision: refusal, Sentence: sentenceOf("It was not let in.", refusal.Reason)}}, nil
}

// whyInside answers for a contact that is or was in the journey.
func (s *server) whyInside(ctx context.Context, e journey.Enrollment, stepID string) (Why, error) {
	definition, err := s.definitionOf(ctx, map[string]*journey.Definition{}, e)
	if err != nil {
		return Why{}, err
	}
	decisions, err := s.Whereabouts.EnrollmentDecisions(ctx, e.ID)
	if err != nil {
		return Why{}, fmt.Errorf("read decisions: %w", err)
	}
	message, err := s.Whereabouts.StepMessage(ctx, e.ID, stepID)
	if err != nil {
		return Why{}, fmt.Errorf("find message: %w", err)
	}
	answer := whyStep(e, definition, decisions, message, stepID)
	answer.Way = wayTaken(definition, decisions)
	return answer, nil
}

// whyStep tells what became of a step in an enrollment. Pure.
func whyStep(e journey.Enrollment, definition *journey.Definition, decisions []journey.Decision, message *email.Message, stepID string) Why {
	step := stepOf(definition, stepID)
	if step == nil {
		return Why{Code: WhyOtherVersion, Sentence: fmt.Sprintf("The contact entered version %d, which has no step %s.", e.Version, stepID)}
	}
	if message != nil {
		return whyMessage(message)
	}
	if !e.State.Final() && e.Step == stepID {
		return Why{Code: WhyHere, Sentence: standing(e, definition).Sentence}
	}
	for i := len(decisions) - 1; i >= 0; i-- {
		if d := decisions[i]; d.StepID == stepID {
			return Why{Code: WhyDone, At: &d.At, Reason: d.Reason, Decision: &d, Sentence: sentenceOf("It came to it: "+outcomeWords(definition, d)+".", d.Reason)}
		}
	}
	if !e.State.Final() {
		return Why{Code: WhyNotYet, Sentence: "It has not come to " + stepID + " so far. " + standing(e, definition).Sentence}
	}
	text := "Its way did not lead to " + stepID + ". "
	for i := len(decisions) - 1; i >= 0; i-- {
		if d := decisions[i]; chooses(stepOf(definition, d.StepID)) {
			text += fmt.Sprintf("At %s, %s. ", d.StepID, outcomeWords(definition, d))
			break
		}
	}
	return Why{Code: WhyOtherWay, Reason: e.Reason, At: e.EndedAt, Sentence: text + standing(e, definition).Sentence}
}

func whyMessage(m *email.Message) Why {
	out := Why{Message: m, Reason: m.Reason, At: &m.UpdatedAt}
	switch m.State {
	case email.Sent:
		out.Code, out.At, out.Sentence = WhySent, m.SentAt, "It was sent, and the receiving server took it."
	case email.Queued, email.Sending, email.Deferred:
		out.Code, out.Sentence = WhyOnItsWay, sentenceOf("It is on its way: "+string(m.State)+".", m.Reason)
	default:
		out.Code, out.Sentence = WhyNotSent, sentenceOf("It was not sent ("+string(m.State)+").", m.Reason)
	}
	return out
}

func sentenceOf(text, reason string) string {
	if words := reasonWords()[reason]; words != "" {
		return text + " " + words
	}
	return text
}

func chooses(step *journey.Step) bool {
	return step != nil && (step.WaitFor != nil || step.Branch != nil || step.Split != nil || step.Handoff != nil)
}

// wayTaken is the way through a journey, in words.
func wayTaken(definition *journey.Definition, decisions []journey.Decision) []WayTaken {
	out := []WayTaken{}
	for _, d := range decisions {
		if d.StepID != "" {
			out = append(out, WayTaken{Step: d.StepID, What: outcomeWords(definition, d), At: d.At})
		}
	}
	return out
}
