package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The relative risk of aspirin against a placebo, 45 of 411 against 73 of 411: 0.4364 to 0.8707, in D. Moore, G. McCabe and B. Craig,
// "Introduction to the Practice of Statistics", 9th edition, example 8.18.
func TestLiftOfTheLiterature(t *testing.T) {
	t.Parallel()
	lift := LiftOf(Arm{Entered: 411, Converted: 45}, Arm{Entered: 411, Converted: 73})
	require.InDelta(t, 0.6164-1, lift.Value, 0.00006)
	require.InDelta(t, 0.4364-1, lift.Low, 0.00006)
	require.InDelta(t, 0.8707-1, lift.High, 0.00006)
}

func TestLiftNeedsGoalsOnBothSides(t *testing.T) {
	t.Parallel()
	require.Nil(t, LiftOf(Arm{Entered: 100}, Arm{Entered: 100, Converted: 5}))
	require.Nil(t, LiftOf(Arm{Entered: 100, Converted: 5}, Arm{Entered: 100}))
	require.Nil(t, LiftOf(Arm{}, Arm{}))
}
