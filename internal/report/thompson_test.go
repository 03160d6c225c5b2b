package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThompsonWeights(t *testing.T) {
	t.Parallel()
	alike := Arm{Entered: 1000, Converted: 100}
	for _, weight := range ThompsonWeights([]Arm{alike, alike, alike, alike}, 0.1, 1) {
		require.InDelta(t, 0.25, weight, 0.02)
	}
	better := []Arm{{Entered: 2000, Converted: 200}, {Entered: 2000, Converted: 300}, {Entered: 2000, Converted: 190}}
	weights := ThompsonWeights(better, 0.1, 7)
	require.InDeltaSlice(t, []float64{0.1, 0.8, 0.1}, weights, 0.001, "the better arm gets what the floors leave")
	require.Equal(t, weights, ThompsonWeights(better, 0.1, 7), "the same seed gives the same weights")
	require.NotEqual(t, ThompsonWeights([]Arm{alike, alike}, 0, 1), ThompsonWeights([]Arm{alike, alike}, 0, 2))
	require.InDeltaSlice(t, []float64{0.5, 0.5}, ThompsonWeights(better[:2], 3, 1), 1e-9, "floors can't be more than all")
	require.Empty(t, ThompsonWeights(nil, 0.1, 1))
	require.InDelta(t, 1, ThompsonWeights([]Arm{{}}, 0.1, 1)[0], 1e-9)
}

// The chance that a share of 1 in 2 (Beta(2, 2)) is larger than one of 0 in 1 (Beta(1, 2)) is 7/10, by hand: the integral of
// 6x(1−x)·(2x−x²) from 0 to 1.
func TestThompsonWeightsByHand(t *testing.T) {
	t.Parallel()
	weights := ThompsonWeights([]Arm{{Entered: 2, Converted: 1}, {Entered: 1}}, 0, 3)
	require.InDelta(t, 0.7, weights[0], 0.02)
}
