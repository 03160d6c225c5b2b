package api

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

// noWhereabouts knows of nobody.
type noWhereabouts struct{}

func (noWhereabouts) ContactEnrollments(context.Context, string) ([]journey.Enrollment, error) {
	return nil, nil
}

func (noWhereabouts) EnrollmentDecisions(context.Context, string) ([]journey.Decision, error) {
	return nil, nil
}

func (noWhereabouts) LastRefusal(context.Context, string, string) (*journey.Decision, error) {
	return nil, nil //nolint:nilnil // nobody was refused
}

func (noWhereabouts) StepMessage(context.Context, string, string) (*email.Message, error) {
	return nil, nil //nolint:nilnil // nothing was sent
}

func (noWhereabouts) Consents(context.Context, string) (audience.Consents, error) {
	return audience.Consents{}, nil
}

// Whatever stops a mail, ends an enrollment or keeps somebody out has a sentence.
func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer := serve(w, call{method: "GET", url: "/v1/reasons", key: "key-sales"})
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	var reasons List[ReasonText]
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &reasons))
	words := map[string]string{}
	for _, reason := range reasons.Data {
		words[reason.Code] = reason.Words
	}
	found := 0
	for _, file := range []string{"../internal/email/message.go", "../internal/journey/next.go", "../internal/journey/variant.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Reason") && !strings.HasPrefix(spec.Names[0].Name, "NotEntered") {
				return true
			}
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			require.NotEmpty(t, words[code], "%s has no words", spec.Names[0].Name)
			found++
			return true
		})
	}
	require.Equal(t, len(words), found)
}

const whyJourney = `journey: trial
steps:
  - id: hello
    send: {template: hello}
  - id: activated
    wait_for:
      - {event: Project Created, go: tips}
      - {after: 3d, go: nudge}
  - id: nudge
    send: {template: nudge}
    next: done
  - id: tips
    score: {add: 5}
  - id: done
    exit: finished
`

func TestWhy(t *testing.T) {
	t.Parallel()
	definition, problems := journey.Parse([]byte(whyJourney))
	require.Empty(t, problems)
	at := testNow
	inside := journey.Enrollment{Journey: "trial", Version: 2, State: journey.Waiting, Step: "activated", WakeAt: &at}
	over := journey.Enrollment{Journey: "trial", Version: 2, State: journey.Completed, Step: "done", Reason: "finished", EndedAt: &at}
	first := []journey.Decision{{StepID: "activated", Kind: "wait_for", Outcome: "0", At: at}, {StepID: "tips", Kind: "score", Outcome: "next", At: at}}
	for name, tc := range map[string]struct {
		enrollment journey.Enrollment
		decisions  []journey.Decision
		message    *email.Message
		step       string
		code       string
		says       string
	}{
		"sent":            {inside, nil, &email.Message{State: email.Sent, SentAt: &at}, "hello", WhySent, "was sent"},
		"not sent":        {inside, nil, &email.Message{State: email.Skipped, Reason: email.ReasonUnsubscribed}, "hello", WhyNotSent, "has unsubscribed"},
		"on its way":      {inside, nil, &email.Message{State: email.Deferred}, "hello", WhyOnItsWay, "on its way"},
		"waits elsewhere": {inside, nil, nil, "nudge", WhyNotYet, "waits at activated for Project Created, until 2026-11-23T12:00:00Z at the latest"},
		"waits here":      {inside, nil, nil, "activated", WhyHere, "waits at activated for Project Created"},
		"another way":     {over, first, nil, "nudge", WhyOtherWay, "At activated, Project Created came first. It completed at done."},
		"passed":          {over, first, nil, "tips", WhyDone, "it went on"},
		"not there":       {over, first, nil, "gone", WhyOtherVersion, "version 2, which has no step gone"},
		"too late":        {over, []journey.Decision{{StepID: "activated", Kind: "wait_for", Outcome: "timeout"}}, nil, "activated", WhyDone, "the 3d were over"},
	} {
		why := whyStep(tc.enrollment, definition, tc.decisions, tc.message, tc.step)
		require.Equal(t, tc.code, why.Code, name)
		require.Contains(t, why.Sentence, tc.says, name)
	}
}

func TestWhyOfSomebodyWhoNeverEntered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	serve(w, call{method: "PUT", url: "/v1/journeys/trial", key: "key-journeys", body: whyJourney})
	url := "/v1/contacts/" + contactID + "/why?step=hello&journey="
	require.Equal(t, http.StatusNotFound, serve(w, call{method: "GET", url: url + "nothing", key: "key-sales"}).Code)
	answer := serve(w, call{method: "GET", url: url + "trial", key: "key-sales"})
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	require.Contains(t, answer.Body.String(), WhyNeverEntered)
}

func TestSearchingContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	search := func(body string) (int, string) {
		answer := serve(w, call{method: "POST", url: "/v1/contacts/search", key: "key-sales", body: body})
		return answer.Code, answer.Body.String()
	}
	code, body := search(`{}`)
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, body, contactID)
	for bad, says := range map[string]string{`{"q":"a"}`: "too_short", `{"cursor":"?"}`: "bad_cursor", `{"limit":0}`: "/limit"} {
		code, body = search(bad)
		require.Equal(t, http.StatusUnprocessableEntity, code, bad)
		require.Contains(t, body, says)
	}
}
