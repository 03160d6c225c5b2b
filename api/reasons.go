package api

import (
	"context"
	"net/http"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

// Reason is the code of a reason with its words.
type Reason struct {
	journey.Why
	About string `json:"about" enum:"message,journey" doc:"What has it: a message that was not sent, or an enrollment or a decision of a journey."`
}

func (s *server) reasonRoutes() {
	handle(s, operation{id: "list-reasons", method: http.MethodGet, path: "/v1/reasons", tag: "messages", summary: "List the codes of reasons with their words",
		doc:    "Besides these there are texts of authors: the reason of an exit step, of points, of a rejected handoff.",
		access: anyOf(ScopeRead, ScopeSales, ScopeJourneys)}, s.listReasons)
}

func (s *server) listReasons(context.Context, *struct{}) (*listOutput[Reason], error) {
	return listOf(Page[Reason]{Items: reasons()}), nil
}

func reasons() []Reason {
	var all []Reason
	for _, why := range email.Reasons() {
		all = append(all, Reason{journey.Why{Code: why[0], Words: why[1]}, "message"})
	}
	for _, why := range journey.Reasons() {
		all = append(all, Reason{why, "journey"})
	}
	return all
}

// messageReason are the words of a message's reason.
func messageReason(code string) string {
	for _, why := range email.Reasons() {
		if why[0] == code {
			return why[1]
		}
	}
	return code
}
