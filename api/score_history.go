package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/sales"
)

// historySpans is into how many spans a history cuts its time: by default, days.
const historySpans = 90

// ScoreHistoryInput asks for a contact's score over time.
type ScoreHistoryInput struct {
	ContactInput
	Days int `query:"days" minimum:"1" maximum:"730" default:"90" doc:"How far back."`
}

// ScoreHistory is a contact's score over time.
type ScoreHistory struct {
	Points []sales.HistoryPoint `json:"points" nullable:"false" doc:"At equal distances, in the order of time, the last one now; 91 at most. They begin when the contact became known."`
}

type scoreHistoryOutput struct{ Body ScoreHistory }

func (s *server) scoreHistoryRoute() {
	handle(s, operation{id: "read-score-history", method: http.MethodGet, path: "/v1/contacts/{id}/score/history", tag: "contacts", summary: "Read a contact's score over time",
		doc: "At each point exactly what the score was then, by the model that counted then, and what had changed it since the point before.", access: anyOf(ScopeRead, ScopeSales)}, s.scoreHistory)
}

func (s *server) scoreHistory(ctx context.Context, in *ScoreHistoryInput) (*scoreHistoryOutput, error) {
	contact, err := s.findContact(ctx, &in.ContactInput)
	if err != nil {
		return nil, err
	}
	points, err := s.Scoring.ScoreHistory(ctx, contact.Body.ID, momentsSince(contact.Body.CreatedAt, s.now(), in.Days))
	if err != nil {
		return nil, fmt.Errorf("read score history: %w", err)
	}
	return &scoreHistoryOutput{Body: ScoreHistory{Points: points}}, nil
}

// momentsSince cuts the time until now into equal spans: of some days, or of less where the contact is not known for so long.
func momentsSince(known, now time.Time, days int) []time.Time {
	from := now.AddDate(0, 0, -days)
	if known.After(from) {
		from = known
	}
	moments := make([]time.Time, 0, historySpans+1)
	for i := range historySpans {
		moments = append(moments, now.Add(-now.Sub(from)*time.Duration(historySpans-i)/historySpans).Truncate(time.Microsecond))
	}
	return append(moments, now)
}
