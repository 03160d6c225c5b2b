package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSampleSizes(t *testing.T) {
	t.Parallel()
	// the example in the manual of R: power.prop.test(p1 = .50, p2 = .75, power = .90) gives n = 76.7
	require.InDelta(t, 76.7, sampleFor(0.5, 0.75, 1.2815515655446004), 0.05)
	require.Greater(t, SampleFixed(0.05, 0.1), SampleFixed(0.05, 0.2), "the smaller the difference, the more are needed")
	for _, base := range []float64{0.01, 0.05, 0.3} {
		fixed, always := SampleFixed(base, 0.2), SampleAlways(base, 0.2, 1)
		require.Greater(t, always, fixed, "looking has its price")
		require.Less(t, always, 3*fixed, "which is not the earth")
		require.Greater(t, SampleAlways(base, 0.2, 3), always)
	}
	for _, nothing := range [][2]float64{{0, 0.2}, {1, 0.2}, {0.9, 0.2}, {0.5, 0}, {0.5, -1}, {-1, 1}} {
		require.Zero(t, SampleFixed(nothing[0], nothing[1]), "%v", nothing)
		require.Zero(t, SampleAlways(nothing[0], nothing[1], 1), "%v", nothing)
	}
}
