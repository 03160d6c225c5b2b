package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

// ReasonText is a code of the journal and the ledger, and what it says.
type ReasonText struct {
	Code  string `json:"code"`
	Words string `json:"words"`
}

type reasonsOutput struct{ Body List[ReasonText] }

func (s *server) reasonRoutes() {
	handle(s, operation{id: "list-reasons", method: http.MethodGet, path: "/v1/reasons", tag: "contacts", summary: "What the codes of reasons say",
		doc: "Of mails that were not sent, of enrollments that ended and of contacts that were not let in.", access: anyOf(ScopeRead, ScopeJourneys, ScopeSales)}, s.listReasons)
}

func (s *server) listReasons(context.Context, *struct{}) (*reasonsOutput, error) {
	all := []ReasonText{}
	for code, words := range reasonWords() {
		all = append(all, ReasonText{Code: code, Words: words})
	}
	slices.SortFunc(all, func(a, b ReasonText) int { return cmp.Compare(a.Code, b.Code) })
	return &reasonsOutput{Body: List[ReasonText]{Data: all}}, nil
}

// reasonWords has a sentence for every reason; a test holds it complete.
func reasonWords() map[string]string {
	return map[string]string{
		email.ReasonSuppressed:     "The address is on the suppression list.",
		email.ReasonUnsubscribed:   "The contact has unsubscribed from marketing mail.",
		email.ReasonNoAddress:      "The contact has no e-mail address.",
		email.ReasonInvalidAddress: "What the contact has as an e-mail address is none.",
		email.ReasonGoalReached:    "The goal was reached just before the mail would have gone out.",
		email.ReasonExited:         "An exit event came just before the mail would have gone out.",
		email.ReasonRenderFailed:   "The mail could not be written for this contact: its template has a mistake.",
		email.ReasonGaveUp:         "The receiving server put it off for too long, so it was given up.",
		email.ReasonHardBounce:     "The receiving server refused it for good.",
		email.ReasonFateUnknown:    "The connection was cut at the very end: nobody knows whether it arrived, so it is not sent twice.",

		journey.ReasonGoal:              "The goal was reached.",
		journey.ReasonExitEvent:         "An exit event came.",
		journey.ReasonImpossibleOutcome: "A step came to something that the journey has no way out for.",
		journey.ReasonEndlessLoop:       "The journey went in circles without a pause.",
		journey.ReasonUnknownStep:       "The journey led to a step that is not there.",

		journey.NotEnteredActive: "The contact was in this journey already.",
		journey.NotEnteredBefore: "The contact had been in this journey before, and it lets nobody in twice.",
		journey.NotEnteredSoon:   "The contact had been in this journey too recently.",
	}
}
