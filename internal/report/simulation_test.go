package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	runs  = 2000
	looks = 50
	batch = 200 // contacts of each arm between two looks
)

// simulate runs an experiment, looks after every batch, and tells whether anything was decided before the end.
func simulate(random *rand.Rand, shares []float64, decided func([]Arm) bool) bool {
	arms := make([]Arm, len(shares))
	for range looks {
		for i, share := range shares {
			arms[i].Entered += batch
			for range batch {
				if random.Float64() < share {
					arms[i].Converted++
				}
			}
		}
		if decided(arms) {
			return true
		}
	}
	return false
}

func share(t *testing.T, seed uint64, shares []float64, decided func([]Arm) bool) Share {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	found := int64(0)
	for range runs {
		if simulate(random, shares, decided) {
			found++
		}
	}
	s := ShareOf(found, runs)
	t.Logf("%v: decided in %.1f %% (%.1f–%.1f)", shares, 100*s.Value, 100*s.Low, 100*s.High)
	return s
}

// anyDecided is the test itself, without the minimum sample, for every pair of arms.
func anyDecided(arms []Arm) bool {
	needed := math.Log(float64(Comparisons(len(arms))) / Alpha)
	for i := range arms {
		for k := range i {
			if evidence(arms[i], arms[k], 0) >= needed {
				return true
			}
		}
	}
	return false
}

// naive is the test for one look at the end, used at every look.
func naive(arms []Arm) bool {
	d := arms[0].share() - arms[1].share()
	return math.Abs(d) > z95*math.Sqrt(varianceAt(arms[0], arms[1], 0))
}

// Where there is no difference, looking after every batch decides falsely in clearly less than 5 of 100 experiments: even the upper end
// of the simulation's own interval is below.
func TestPeekingDecidesNothingFalsely(t *testing.T) {
	t.Parallel()
	for i, shares := range [][]float64{{0.05, 0.05}, {0.01, 0.01}, {0.3, 0.3}, {0.05, 0.05, 0.05, 0.05}} {
		require.Less(t, share(t, uint64(i), shares, anyDecided).High, Alpha, "%v", shares)
	}
}

// The same looks with the usual test: the simulation would see what it is there to see.
func TestPeekingFoolsTheUsualTest(t *testing.T) {
	t.Parallel()
	require.Greater(t, share(t, 0, []float64{0.05, 0.05}, naive).Low, 4*Alpha)
}

func TestRealDifferencesAreFound(t *testing.T) {
	t.Parallel()
	require.Greater(t, share(t, 0, []float64{0.05, 0.07}, anyDecided).Low, 0.95)
	require.Greater(t, share(t, 0, []float64{0.05, 0.06}, anyDecided).Low, 0.5)
}

// Judge names the better arm, and hardly ever the worse one.
func TestWinnersAreTheBetterOnes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 1))
	won := map[int]int{}
	for range 300 {
		winner := NoWinner
		simulate(random, []float64{0.05, 0.08}, func(arms []Arm) bool {
			arms[0].Weight, arms[1].Weight = 1, 1
			winner = Judge(arms, MinimumSample).Winner
			return winner != NoWinner
		})
		won[winner]++
	}
	require.Zero(t, won[0], "%v", won)
	require.GreaterOrEqual(t, won[1], 297, "%v", won)
}

// The interval holds the true difference at all looks at once.
func TestIntervalHoldsAtEveryLook(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 1))
	missed := int64(0)
	for range 300 {
		if simulate(random, []float64{0.12, 0.1}, func(arms []Arm) bool {
			s := Compare(arms[0], arms[1], 1)
			return s.Low > 0.02 || s.High < 0.02
		}) {
			missed++
		}
	}
	require.Less(t, ShareOf(missed, 300).Low, Alpha, "%d of 300", missed)
	require.LessOrEqual(t, missed, int64(15))
}

// Goals come late: contacts of the same arms reach theirs at some look after they entered. That adds no false decisions.
func TestLateGoalsDecideNothingFalsely(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(6, 1))
	falsely := int64(0)
	for range runs {
		var due [2][looks]int64
		arms := make([]Arm, 2)
		for look := range looks {
			for i := range arms {
				arms[i].Entered += batch
				for range batch {
					if at := look + int(8*random.ExpFloat64()); random.Float64() < 0.1 && at < looks {
						due[i][at]++
					}
				}
				arms[i].Converted += due[i][look]
			}
			if anyDecided(arms) {
				falsely++
				break
			}
		}
	}
	require.Less(t, ShareOf(falsely, runs).High, Alpha, "%d of %d", falsely, runs)
}

// The size that is said to be enough is enough, for a test that is looked at all the time.
func TestSampleIsEnough(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 1))
	needed := SampleAlways(0.1, 0.2, 1)
	found := int64(0)
	for range 500 {
		arms := make([]Arm, 2)
		for arms[0].Entered < needed {
			for i, share := range []float64{0.1, 0.12} {
				arms[i].Entered += batch
				for range batch {
					if random.Float64() < share {
						arms[i].Converted++
					}
				}
			}
			if anyDecided(arms) {
				found++
				break
			}
		}
	}
	require.Greater(t, ShareOf(found, 500).Low, 0.8, "%d of 500 with %d contacts an arm", found, needed)
}

// Given what Thompson sampling says after every batch, most contacts get the better arm, and every arm its floor.
func TestThompsonMovesToTheBetterArm(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(8, 1))
	moved := 0
	for run := range 10 {
		arms, shares := make([]Arm, 3), []float64{0.05, 0.08, 0.05}
		for look := range 10 {
			weights := ThompsonWeights(arms, 0.1, uint64(run*100+look))
			for i, weight := range weights {
				require.GreaterOrEqual(t, weight, 0.1-1e-9)
				for range int(1200 * weight) {
					arms[i].Entered++
					if random.Float64() < shares[i] {
						arms[i].Converted++
					}
				}
			}
		}
		if arms[1].Entered > arms[0].Entered+arms[2].Entered {
			moved++
		}
	}
	require.GreaterOrEqual(t, moved, 9)
}
