package report

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The figures are those of Newcombe, "Two-sided confidence intervals for the single proportion" and "Interval estimation for the difference
// between independent proportions", Statistics in Medicine 17 (1998): 857–872 and 873–890.
func TestIntervalsOfTheLiterature(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		part, whole int64
		low, high   float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}, {29, 29, 0.8830, 1}} {
		share := ShareOf(tc.part, tc.whole)
		require.InDelta(t, tc.low, share.Low, 0.00006, "%d of %d", tc.part, tc.whole)
		require.InDelta(t, tc.high, share.High, 0.00006, "%d of %d", tc.part, tc.whole)
	}
	for _, tc := range []struct {
		a, b      [2]int64
		low, high float64
	}{{[2]int64{56, 70}, [2]int64{48, 80}, 0.0524, 0.3339}, {[2]int64{9, 10}, [2]int64{3, 10}, 0.1705, 0.8090}, {[2]int64{10, 10}, [2]int64{0, 20}, 0.6791, 1}} {
		difference := DifferenceOf(ShareOf(tc.a[0], tc.a[1]), ShareOf(tc.b[0], tc.b[1]))
		require.InDelta(t, tc.low, difference.Low, 0.00006, "%v", tc)
		require.InDelta(t, tc.high, difference.High, 0.00006, "%v", tc)
	}
}

func TestIntervalsHoldTheirValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Int64Range(0, 1_000_000).Draw(t, "whole")
		share := ShareOf(rapid.Int64Range(0, whole).Draw(t, "part"), whole)
		require.True(t, 0 <= share.Low && share.Low <= share.Value+1e-12 && share.Value <= share.High+1e-12 && share.High <= 1, "%+v", share)
		none := DifferenceOf(share, share)
		require.True(t, none.Low <= 0 && none.High >= 0, "%+v", none)
	})
}
