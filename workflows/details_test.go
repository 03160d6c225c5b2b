package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/journey"
)

// Who stands still because a journey is paused is told apart from who waits in another one.
func TestDetailsSayThatAJourneyIsPaused(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	waits := journey.State{Step: "pause", Park: &journey.Park{Deadline: &until}}
	hosted := []activities.Hosted{{Journey: "trial", Version: 2, State: waits}, {Journey: "other", Version: 1, State: waits}}
	const head = "| journey | version | step | waits until |\n|---|---|---|---|\n"
	require.Equal(t, head+"| trial | 2 | pause | 2026-03-04T09:00:00Z |\n| other | 1 | pause | 2026-03-04T09:00:00Z |\n", journeyDetails(hosted, nil))
	require.Equal(t, head+"| trial | 2 | pause | the journey goes on: it is paused |\n| other | 1 | pause | 2026-03-04T09:00:00Z |\n", journeyDetails(hosted, []string{"trial"}))
}
