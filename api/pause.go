package api

import (
	"context"
	"fmt"
	"net/http"
)

type summaryOutput struct{ Body JourneySummary }

func (s *server) pauseRoutes() {
	handle(s, operation{id: "pause-journey", method: http.MethodPost, path: "/v1/journeys/{key}/pause", tag: "journeys", errors: []int{http.StatusConflict},
		summary: "Pause a journey",
		doc: "Everybody stays where they are: no mail, no webhook, no step, in any version. Waits run on, and who triggers the journey enters and stands " +
			"still at its beginning. A mail that is being delivered goes out. Paused before, nothing changes. 409 `not_published` when no version is live.",
		access: anyOf(ScopeJourneys)}, s.pauseJourney)
	handle(s, operation{id: "resume-journey", method: http.MethodPost, path: "/v1/journeys/{key}/resume", tag: "journeys", summary: "Resume a journey",
		doc: "Everybody goes on from where they stood: what came meanwhile counts in the order in which it came, and a wait that ended meanwhile is over. " +
			"All who stand in the journey are woken within seconds to minutes, by their number. A journey that runs stays as it is.",
		access: anyOf(ScopeJourneys)}, s.resumeJourney)
}

func (s *server) pauseJourney(ctx context.Context, in *JourneyInput) (*summaryOutput, error) {
	draft, err := s.Journeys.PauseJourney(ctx, in.Key, keyOf(ctx).Name, s.now())
	if err != nil {
		return nil, fmt.Errorf("pause journey: %w", err)
	}
	return &summaryOutput{Body: summaryOf(draft)}, nil
}

func (s *server) resumeJourney(ctx context.Context, in *JourneyInput) (*summaryOutput, error) {
	draft, err := s.Journeys.ResumeJourney(ctx, in.Key, keyOf(ctx).Name, s.now())
	if err != nil {
		return nil, fmt.Errorf("resume journey: %w", err)
	}
	return &summaryOutput{Body: summaryOf(draft)}, nil
}
