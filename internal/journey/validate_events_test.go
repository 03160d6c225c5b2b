package journey_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

func TestNamesThatWereNeverSeen(t *testing.T) {
	t.Parallel()
	document := []byte(`
journey: trial
enter:
  - event: Signed up
  - segment: vip
goal: {event: Subscription Started}
exit: [{event: Account Closed}]
steps:
  - id: activated
    wait_for:
      - {event: Project created, go: end}
      - {after: 3d, go: end}
  - id: fork
    branch:
      - {when: 'did("Project created") || count("Signed Up") > 1', go: end}
      - {else: true, go: end}
  - id: end
    exit: {}
`)
	known := journey.Known{Events: &audience.KnownEvents{
		Seen: []string{"Project Created", "Signed Up", "Subscription Started"}, Blocked: map[string]bool{"Account Closed": true},
	}}
	_, problems := journey.Check(document, known)
	var got []string
	for _, p := range problems {
		if p.Code == audience.CodeEventNeverSeen || p.Code == audience.CodeEventBlocked {
			require.Equal(t, fault.LevelWarning, p.Level)
			got = append(got, p.Path+" "+p.StepID+" "+p.Message)
		}
	}
	require.Equal(t, []string{
		"/enter/0/event  `Signed up` was never seen; did you mean `Signed Up`?",
		"/exit/0/event  `Account Closed` is blocked in the catalogue: events of this name are not taken in.",
		"/steps/0/wait_for/0/event activated `Project created` was never seen; did you mean `Project Created`?",
		"/steps/1/branch/0/when fork `Project created` was never seen; did you mean `Project Created`?",
	}, got)
	_, problems = journey.Check(document, journey.Known{})
	for _, p := range problems {
		require.NotContains(t, p.Code, "event_", "nothing is known, so nothing is checked")
	}
}
