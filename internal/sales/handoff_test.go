package sales_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
)

var statuses = []sales.HandoffStatus{
	sales.HandoffOpen, sales.HandoffAccepted, sales.HandoffRejected, sales.HandoffWon, sales.HandoffLost, sales.HandoffExpired, sales.HandoffCancelled,
}

func TestWhatARepMayDo(t *testing.T) {
	t.Parallel()
	allowed := map[[2]sales.HandoffStatus]bool{
		{sales.HandoffOpen, sales.HandoffAccepted}: true, {sales.HandoffOpen, sales.HandoffRejected}: true,
		{sales.HandoffAccepted, sales.HandoffWon}: true, {sales.HandoffAccepted, sales.HandoffLost}: true,
	}
	for _, from := range statuses {
		for _, to := range []sales.HandoffStatus{sales.HandoffOpen, sales.HandoffAccepted, sales.HandoffRejected, sales.HandoffWon, sales.HandoffLost} {
			err := from.CanBecome(to)
			if allowed[[2]sales.HandoffStatus{from, to}] {
				require.NoError(t, err, "%s → %s", from, to)
				continue
			}
			require.Equal(t, fault.Conflict, fault.KindOf(err), "%s → %s", from, to)
			require.Error(t, err)
		}
	}
}

// Whatever reps try, in any order: at most one action ends a handoff, and nothing happens to it afterwards.
func TestHandoffEndsOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		status, ends := sales.HandoffOpen, 0
		for _, next := range rapid.SliceOf(rapid.SampledFrom(statuses[:5])).Draw(t, "actions") {
			if status.CanBecome(next) != nil {
				continue
			}
			require.False(t, status.Final(), "an ended handoff must not move")
			if status = next; status.Final() {
				ends++
			}
		}
		require.LessOrEqual(t, ends, 1)
	})
}

func TestStagesMoveForward(t *testing.T) {
	t.Parallel()
	stages := sales.Stages()
	for i, from := range stages {
		for j, to := range stages {
			require.Equal(t, j > i, sales.Forward(from, to), "%s → %s", from, to)
		}
		require.False(t, sales.Forward(from, "unheard of"))
	}
	require.Equal(t, "sql", sales.HandoffAccepted.Stage())
	require.Equal(t, "customer", sales.HandoffWon.Stage())
	require.Empty(t, sales.HandoffLost.Stage())
}
