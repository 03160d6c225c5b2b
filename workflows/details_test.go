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

// What people read of a broadcast: how far it is, why it waits or stands still, and what they can do.
func TestDetailsOfABroadcast(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	running := broadcastDetails("running", BroadcastProgress{Gathered: 10, Sent: 3, Unsent: 1}, &until, "", "")
	for _, line := range []string{"| state | running |", "| recipients | 10 |", "| handed to the mail server | 3 |", "| without a mail | 1 |", "| waits until | 2026-03-04T09:00:00Z |", "`pause` or `cancel`"} {
		require.Contains(t, running, line)
	}
	require.Contains(t, broadcastDetails("paused", BroadcastProgress{}, nil, "", ""), "`resume` or `cancel`")
	require.Contains(t, broadcastDetails("running", BroadcastProgress{}, nil, "", "template not found"), "**It stands still, because something failed:** template not found")
	require.Contains(t, broadcastDetails("completed", BroadcastProgress{}, nil, "B is better.", ""), "| test | B is better. |")
}
