package activities

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// The effects themselves are tested with a real PostgreSQL, Temporal and SMTP server in the scenarios at the top of the
// repository; here is what needs none of them.

// What an attempt recorded is what a later attempt reads back, also through the database's JSON.
func TestOutcomeSurvivesTheJournal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0).UTC()
		want := rapid.SampledFrom([]journey.Outcome{
			{Port: "0", Seq: rapid.Int64Range(1, 1e12).Draw(t, "seq")}, {Port: journey.PortTimeout, At: &at}, {Goal: true, Seq: 7}, {Exit: true, Seq: 8},
			{Failed: true, Reason: "unknown_template"}, {Port: journey.PortWon},
		}).Draw(t, "outcome")
		stored, err := json.Marshal(withOutcome(nil, want))
		require.NoError(t, err)
		var detail map[string]any
		require.NoError(t, json.Unmarshal(stored, &detail))
		require.Equal(t, want, recordedOutcome(journey.Decision{Detail: detail}))
	})
	require.True(t, recordedOutcome(journey.Decision{Detail: map[string]any{"outcome": "nonsense"}}).Failed)
}

// A visit of a step always makes the same ids, another visit others: that is what makes an effect idempotent.
func TestIDsNameTheVisit(t *testing.T) {
	t.Parallel()
	ref := StepRef{ContactID: "c", EnrollmentID: "e", Step: "s", Visit: 1}
	again, other := ref, ref
	again.Hash, other.Visit = "another worker's view", 2
	require.Equal(t, HandoffID(ref), HandoffID(again))
	require.NotEqual(t, HandoffID(ref), HandoffID(other))
	require.NotEqual(t, HandoffID(ref), stepID(messageSpace, ref))
}

// Temporal's history gets a fault's own sentence and never its cause, which may hold anything.
func TestFailuresKeepTheirCauseToThemselves(t *testing.T) {
	t.Parallel()
	for kind, final := range map[fault.Kind]bool{
		fault.Invalid: true, fault.NotFound: true, fault.Conflict: true, fault.Forbidden: true, fault.Unavailable: false, fault.Limited: false, fault.Internal: false,
	} {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		failing := &Steps{Versions: NewVersions(failingSource{fault.Wrap(kind, "code", "A sentence.", errors.New("ana@example.test"))})}
		env.RegisterActivity(failing.Decide)
		_, err := env.ExecuteActivity(failing.Decide, EffectInput{})
		var application *temporal.ApplicationError
		require.ErrorAs(t, err, &application)
		require.Equal(t, "code", application.Type())
		require.Equal(t, final, application.NonRetryable(), string(kind))
		require.NotContains(t, err.Error(), "ana@example.test")
	}
}

func TestSettledOutcomes(t *testing.T) {
	t.Parallel()
	for outcome, state := range map[email.Outcome]email.State{
		email.OutcomeAccepted: email.Sent, email.OutcomeRejected: email.Rejected, email.OutcomeUnknown: email.Unknown,
		email.OutcomeDeferred: email.Deferred, email.OutcomeNotSent: email.Deferred,
	} {
		got, _ := settled(email.Delivery{Outcome: outcome})
		require.Equal(t, state, got, string(outcome))
	}
	require.False(t, mayResend(email.Message{State: email.Unknown, Class: email.Marketing, Attempt: 1}))
	require.True(t, mayResend(email.Message{State: email.Unknown, Class: email.Transactional, Attempt: 1}))
	require.False(t, mayResend(email.Message{State: email.Unknown, Class: email.Transactional, Attempt: maxTransactionalAttempts}))
	for attempt := range 20 {
		require.LessOrEqual(t, retryDelay(attempt), retryDelay(attempt+1), "waits grow")
	}
}

type failingSource struct{ err error }

func (s failingSource) FindVersionByHash(context.Context, string) (journey.Version, error) {
	return journey.Version{}, s.err
}
