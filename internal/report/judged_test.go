package report

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The judge looks every few seconds, which is as good as after every contact. To simulate thousands of experiments, it looks here after every
// 20, from the first on.
const (
	judged     = 12_000 // contacts of each experiment
	judgedEach = 20
)

// winner runs one experiment as the judge does, and gives the first arm that it would name. weigh tells the weights of new contacts from what
// was counted; nil: alike.
func winner(random *rand.Rand, shares []float64, weigh func(arms []Arm) []float64) int {
	arms := make([]Arm, len(shares))
	weights := make([]float64, len(shares))
	for i := range arms {
		arms[i].Weight, weights[i] = 1, 1/float64(len(shares))
	}
	for entered := 0; entered < judged; entered += judgedEach {
		for range judgedEach {
			at, i := random.Float64(), 0
			for ; i < len(arms)-1 && at >= weights[i]; i++ {
				at -= weights[i]
			}
			arms[i].Entered++
			if random.Float64() < shares[i] {
				arms[i].Converted++
			}
		}
		for i := range arms {
			arms[i].Expected += judgedEach * weights[i]
		}
		if worthJudging(arms) {
			if won := Judge(arms, MinimumSample).Winner; won != NoWinner {
				return won
			}
		}
		if weigh != nil {
			if next := weigh(arms); next != nil {
				weights = next
			}
		}
	}
	return NoWinner
}

// worthJudging spares the intervals of arms that are far from decided: Judge names nobody who has not beaten all others.
func worthJudging(arms []Arm) bool {
	leader := 0
	for i, a := range arms {
		if a.Entered < MinimumSample {
			return false
		}
		if a.share() > arms[leader].share() {
			leader = i
		}
	}
	for i := range arms {
		if i != leader && evidence(arms[leader], arms[i], 0) < 2.9 { // ln 20 is 3.0
			return false
		}
	}
	return true
}

// thompson draws weights when a tenth more has been counted: half as often as a journey does, and from fewer draws, to be done in time.
func thompson(seed uint64) func(arms []Arm) []float64 {
	last := int64(0)
	return func(arms []Arm) []float64 {
		total := int64(0)
		for _, a := range arms {
			total += a.Entered + a.Converted
		}
		if total < last+max(10, last/10) {
			return nil
		}
		last = total
		return weightsOf(arms, 0.1, seed+uint64(total), 150)
	}
}

// Where there is no difference, hardly any experiment that decides by itself ever names a winner: by fixed weights, and by drawn ones.
func TestAutomaticWinnersAreRarelyFalse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		shares   []float64
		thompson bool
		runs     int64
	}{
		"5 %, two arms":    {[]float64{0.05, 0.05}, false, runs},
		"20 %, two arms":   {[]float64{0.2, 0.2}, false, runs},
		"5 %, three arms":  {[]float64{0.05, 0.05, 0.05}, false, runs},
		"5 %, drawn":       {[]float64{0.05, 0.05}, true, runs},
		"20 %, drawn":      {[]float64{0.2, 0.2}, true, runs},
		"5 %, three drawn": {[]float64{0.05, 0.05, 0.05}, true, runs / 4},
	} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(11, uint64(len(name))))
			falsely := int64(0)
			for run := range tc.runs {
				var weigh func([]Arm) []float64
				if tc.thompson {
					weigh = thompson(uint64(run) << 20)
				}
				if winner(random, tc.shares, weigh) != NoWinner {
					falsely++
				}
			}
			s := ShareOf(falsely, tc.runs)
			t.Logf("%s: a false winner in %.1f %% of %d (%.1f–%.1f)", name, 100*s.Value, tc.runs, 100*s.Low, 100*s.High)
			require.LessOrEqual(t, s.Value, Alpha)
		})
	}
}

// A real difference is named, and it is the better arm, also when weights are drawn.
func TestAutomaticWinnersAreTheBetterOnes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(12, 1))
	for _, drawn := range []bool{false, true} {
		won := map[int]int{}
		for run := range 200 {
			var weigh func([]Arm) []float64
			if drawn {
				weigh = thompson(uint64(run) << 20)
			}
			won[winner(random, []float64{0.05, 0.09}, weigh)]++
		}
		t.Logf("drawn %v: %v", drawn, won)
		require.Zero(t, won[0])
		require.Greater(t, won[1], 150)
	}
}
