package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// Numbers counts what journeys have done, and tells who is behind a number. Lists are newest first.
type Numbers interface {
	Tally(ctx context.Context, key string, version int, experiments []string, since, now time.Time) (journey.Tally, error)
	ListCounted(ctx context.Context, key string, of journey.Counted, cursor string, limit int) (Page[journey.CountedContact], error)
}

// numbersDays is how far the chart of a journey goes back.
const numbersDays = 30

// NumbersInput asks for a journey's numbers.
type NumbersInput struct {
	JourneyInput
	Version int `query:"version" minimum:"-1" maximum:"2147483647" default:"-1" doc:"0 for all versions together; the live one when it is left out."`
}

type numbersOutput struct{ Body journey.Numbers }

// CountedInput says which number.
type CountedInput struct {
	NumbersInput
	Step    string `query:"step" maxLength:"64" doc:"Who stands at this step now; with outcome or message, who was there."`
	State   string `query:"state" enum:"active,waiting,completed,exited,failed,cancelled" doc:"Whose enrollment is in this state."`
	Reason  string `query:"reason" maxLength:"200" doc:"With state or message: for this reason."`
	Outcome string `query:"outcome" maxLength:"200" doc:"For whom the step decided this: one of its ports, or goal, or exit."`
	Message string `query:"message" enum:"queued,sending,sent,deferred,rejected,unknown,skipped,failed,clicked" doc:"Whose mail of the step is in this state; clicked: who has followed a link of it."`
	ListInput
}

func (s *server) numberRoutes() {
	read := anyOf(ScopeJourneys, ScopeRead)
	handle(s, operation{id: "find-journey-numbers", method: http.MethodGet, path: "/v1/journeys/{key}/numbers", tag: "journeys",
		summary: "What a journey has done so far", doc: "For each step and each way out of it, and how the variants of its experiments compare, in all versions that have them, as they were counted last. All else is of one moment. " +
			"Intervals are of 95 %: Wilson's for shares, Newcombe's for differences. What `always` and `verdict` say of a split holds however often one looks.", access: read}, s.numbers)
	handle(s, operation{id: "list-journey-contacts", method: http.MethodGet, path: "/v1/journeys/{key}/contacts", tag: "journeys",
		summary: "List the contacts behind a number", doc: "Newest first. Without a filter: all who entered. The same contact stands there once for each time.",
		access: read}, s.listCounted)
}

func (s *server) numbers(ctx context.Context, in *NumbersInput) (*numbersOutput, error) {
	version, definition, err := s.countedVersion(ctx, in)
	if err != nil {
		return nil, err
	}
	counted, err := s.counted.of(ctx, fmt.Sprintf("%s %d", in.Key, version), func(ctx context.Context) (journey.Numbers, error) {
		now := s.now()
		tally, err := s.Numbers.Tally(ctx, in.Key, version, experimentIDs(definition), now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-numbersDays), now)
		if err != nil {
			return journey.Numbers{}, fmt.Errorf("tally journey: %w", err)
		}
		numbers := journey.CountUp(definition, tally)
		numbers.Journey, numbers.Version, numbers.At = in.Key, version, now
		if numbers.Days == nil {
			numbers.Days = []journey.Day{}
		}
		return numbers, nil
	})
	if err != nil {
		return nil, err
	}
	return &numbersOutput{Body: counted}, nil
}

func experimentIDs(definition *journey.Definition) []string {
	ids := []string{}
	for _, p := range definition.Experiments() {
		ids = append(ids, p.ID())
	}
	return ids
}

// countedVersion finds what is asked for: 0 stands for all versions, which are shown as the live one.
func (s *server) countedVersion(ctx context.Context, in *NumbersInput) (int, *journey.Definition, error) {
	draft, err := s.Journeys.FindDraft(ctx, in.Key)
	if err != nil {
		return 0, nil, fmt.Errorf("find journey: %w", err)
	}
	asked, shown := in.Version, in.Version
	if asked < 1 {
		shown = draft.LiveVersion
	}
	if asked < 0 {
		asked = shown
	}
	if shown == 0 { // nothing was published, so nobody has entered
		return asked, &journey.Definition{}, nil
	}
	version, err := s.Journeys.FindVersion(ctx, in.Key, shown)
	if err != nil {
		return 0, nil, fmt.Errorf("find version: %w", err)
	}
	definition, problems := journey.Parse(version.Document)
	if definition == nil || fault.HasErrors(problems) {
		return 0, nil, fmt.Errorf("parse version %d of journey %s: %d problems", shown, in.Key, len(problems))
	}
	return asked, definition, nil
}

func (s *server) listCounted(ctx context.Context, in *CountedInput) (*listOutput[journey.CountedContact], error) {
	cursor, err := in.countedCursor()
	if err != nil {
		return nil, err
	}
	of := journey.Counted{Step: in.Step, State: in.State, Reason: in.Reason, Outcome: in.Outcome, Message: in.Message}
	switch {
	case of.Outcome != "" && of.Message != "":
		return nil, invalid("query:message", "two_numbers", "Ask for an outcome or for a message, not for both.")
	case of.Step == "" && of.Outcome != "":
		return nil, invalid("query:outcome", "missing_step", "An outcome is one of a step: name it.")
	case of.Step == "" && of.Message != "":
		return nil, invalid("query:message", "missing_step", "A mail is one of a step: name it.")
	}
	if of.Version, _, err = s.countedVersion(ctx, &in.NumbersInput); err != nil {
		return nil, err
	}
	page, err := s.Numbers.ListCounted(ctx, in.Key, of, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list counted contacts: %w", err)
	}
	return listOf(page), nil
}

// countedCursor is an id where enrollments are listed, and else a number.
func (in *CountedInput) countedCursor() (string, error) {
	cursor, err := in.keyCursor()
	if err != nil || cursor == "" {
		return "", err
	}
	if in.Outcome == "" && in.Message == "" {
		if _, err := uuid.Parse(cursor); err != nil {
			return "", badCursor()
		}
		return cursor, nil
	}
	_, _, err = in.numberCursor()
	return cursor, err
}
