package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The p-values are printed where the sources say; the quantiles are those of every table of the distribution.
func TestRatiosOfTheLiterature(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		arms    []Arm
		p       float64
		digits  float64
		alarmed bool
	}{
		{[]Arm{{Entered: 600, Weight: 1}, {Entered: 400, Weight: 1}}, 2.54e-10, 0.005e-10, true},   // Wikipedia, "Sample ratio mismatch"
		{[]Arm{{Entered: 44000, Weight: 50}, {Entered: 45000, Weight: 50}}, 0.0008, 0.00005, true}, // srm.osc.garden
		{[]Arm{{Entered: 500, Weight: 1}, {Entered: 500, Weight: 1}}, 1, 0, false},
		{[]Arm{{Entered: 900, Weight: 90}, {Entered: 100, Weight: 10}}, 1, 1e-12, false},
		{[]Arm{{Entered: 4500, Weight: 45}, {Entered: 4500, Weight: 45}, {Entered: 1000, Weight: 10}}, 1, 1e-12, false},
		{[]Arm{{Entered: 4500, Weight: 45}, {Entered: 4500, Weight: 45}, {Entered: 800, Weight: 10}}, 0, 1e-7, true},
	} {
		ratio := RatioOf(tc.arms)
		require.InDelta(t, tc.p, ratio.PValue, tc.digits, "%v", tc.arms)
		require.Equal(t, tc.alarmed, ratio.Alarmed, "%v", tc.arms)
	}
	for degrees, quantile := range map[int]float64{1: 3.841, 2: 5.991, 3: 7.815, 4: 9.488, 5: 11.070, 10: 18.307} {
		require.InDelta(t, 0.05, chiSquareTail(quantile, degrees), 0.00002, "%d degrees", degrees)
	}
}

func TestRatioSaysNothingOfNothing(t *testing.T) {
	t.Parallel()
	for _, arms := range [][]Arm{nil, {{Entered: 5, Weight: 1}}, {{Weight: 1}, {Weight: 1}}, {{Entered: 9, Weight: 1}, {Weight: 1}}} {
		require.Equal(t, Ratio{PValue: 1}, RatioOf(arms), "%v", arms)
	}
	require.True(t, RatioOf([]Arm{{Entered: 50, Weight: 1}, {Entered: 1}}).Alarmed, "nobody should be in an arm without weight")
	require.False(t, RatioOf([]Arm{{Entered: 50, Weight: 1}, {Entered: 50, Weight: 1}, {}}).Alarmed)
}
