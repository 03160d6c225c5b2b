package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// TestMails sends mails that somebody wants to look at.
type TestMails interface {
	// SendTest sends a template, filled for a contact or for somebody made up, to an address, once. A suppressed address is a Conflict.
	SendTest(ctx context.Context, template email.Template, contactID, to string) (email.Delivery, error)
}

// testMailsAnHour is what one key may send, in one process: enough to work on a mail, too few to write to a list.
const testMailsAnHour = 30

// TestMailInput is a template, saved or not, and where to send it.
type TestMailInput struct {
	Body struct {
		Template  json.RawMessage `json:"template" doc:"The template as JSON."`
		ContactID string          `json:"contact_id,omitempty" maxLength:"36" doc:"Whose data fills it; somebody made up without."`
		Locale    string          `json:"locale,omitempty" maxLength:"35" doc:"Which of the template's languages to send; the contact's without, or the template's own."`
		To        string          `json:"to" maxLength:"600" doc:"The address that it is sent to." example:"you@example.com"`
	}
}

// TestMail is what became of a test.
type TestMail struct {
	Outcome  string `json:"outcome" enum:"accepted,rejected,deferred,not_sent,unknown" doc:"accepted: the mail server has it. A test is tried once."`
	Phase    string `json:"phase" doc:"How far the conversation with the server came."`
	Code     int    `json:"code,omitempty" doc:"The server's reply code."`
	Enhanced string `json:"enhanced_code,omitempty" doc:"Its status by RFC 3463." example:"5.1.1"`
	Reply    string `json:"reply,omitempty" doc:"The server's own words."`
	Words    string `json:"words" doc:"What it means, as a sentence."`
}

type testMailOutput struct{ Body TestMail }

func (s *server) testMailRoutes() {
	handle(s, operation{id: "send-test", method: http.MethodPost, path: "/v1/templates/test", tag: "templates", maxBody: maxDocument,
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests}, summary: "Send a mail to look at it",
		doc: "Sends the template as it stands, with `[Test]` before its subject, right away and once. Its unsubscribe link unsubscribes nobody, and no contact's timeline " +
			"knows of it. 409 `suppressed` for an address that is never written to. A key may send " + strconv.Itoa(testMailsAnHour) + " in an hour, then 429 with Retry-After.",
		access: anyOf(ScopeJourneys)}, s.sendTest)
}

func (s *server) sendTest(ctx context.Context, in *TestMailInput) (*testMailOutput, error) {
	template, problems, err := s.decodeTemplate(ctx, in.Body.Template)
	if err != nil {
		return nil, err
	}
	to, err := email.ParseAddress(in.Body.To)
	if f, ok := fault.As(err); ok {
		problems = append(problems, fault.Problem{Path: "/to", Code: f.Code, Level: fault.LevelError, Message: f.Message})
	}
	if fault.HasErrors(problems) {
		return nil, fault.WithProblems("invalid", "The mail can't be sent like this; see problems.", problems)
	}
	contact := in.Body.ContactID
	if contact != "" {
		if contact, err = parseID(contact); err != nil {
			return nil, err
		}
	}
	key := keyOf(ctx)
	if wait, ok := s.tests.take(key.ID, s.now()); !ok {
		p := newProblem(http.StatusTooManyRequests, "too_many_tests", fmt.Sprintf("This key has sent %d tests within an hour. Try again in %d minutes.", testMailsAnHour, int(math.Ceil(wait.Minutes()))))
		p.wait = int(math.Ceil(wait.Seconds()))
		return nil, p
	}
	delivery, err := s.TestMails.SendTest(ctx, inLocale(template, in.Body.Locale), contact, to)
	if err != nil {
		return nil, fmt.Errorf("send test: %w", err)
	}
	// Without the reply: it may hold the address.
	s.log.LogAttrs(ctx, slog.LevelInfo, "test mail", slog.String("template", template.Key), slog.String("outcome", string(delivery.Outcome)),
		slog.String("phase", delivery.Phase), slog.Int("code", delivery.Code), slog.String("key_id", key.ID), slog.String("request_id", requestID(ctx)))
	return &testMailOutput{Body: TestMail{Outcome: string(delivery.Outcome), Phase: delivery.Phase, Code: delivery.Code, Enhanced: delivery.Enhanced,
		Reply: delivery.Reply, Words: testMailWords(delivery)}}, nil
}

// testMailWords says what became of a test, to whoever waits for it.
func testMailWords(d email.Delivery) string {
	switch d.Outcome {
	case email.OutcomeAccepted:
		return "The mail server has taken the mail. It should arrive in a moment."
	case email.OutcomeRejected:
		return "The mail server has refused the mail for good" + saying(d)
	case email.OutcomeDeferred:
		return "The mail server has put the mail off; a test is not tried again by itself. Try later" + saying(d)
	case email.OutcomeUnknown:
		return "The mail is with the mail server, which has not said whether it takes it. Nobody knows whether it will arrive."
	case email.OutcomeNotSent:
	}
	switch d.Phase {
	case email.PhaseConnect:
		return "The mail was not sent: the mail server can't be reached."
	case email.PhaseStartTLS, email.PhaseAuth:
		return "The mail was not sent: the mail server let nobody in" + saying(d)
	}
	return "The mail was not sent: the conversation with the mail server broke off" + saying(d)
}

// saying is the end of a sentence: what the server said, when it said anything.
func saying(d email.Delivery) string {
	if d.Code == 0 {
		return "."
	}
	words := []string{strconv.Itoa(d.Code)}
	if d.Enhanced != "" && !strings.HasPrefix(d.Reply, d.Enhanced) {
		words = append(words, d.Enhanced)
	}
	if d.Reply != "" {
		words = append(words, d.Reply)
	}
	return ": “" + strings.Join(words, " ") + "”."
}
