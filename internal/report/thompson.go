package report

import (
	"math"
	"math/rand/v2"
)

// thompsonDraws is how often the arms are drawn: enough that the weights of two looks at the same counts differ by less than 1 point.
const thompsonDraws = 10_000

// ThompsonWeights is by which part of new contacts each arm should be given: how likely it is the best, given Beta(1, 1) before the
// experiment and what was counted since (W. R. Thompson, Biometrika 25, 1933; O. Chapelle and L. Li, NIPS 2011). No arm gets less than
// floor, so that one that was unlucky early is still heard. The same counts and seed give the same weights. It earns while it learns, and
// decides nothing: whoever wants to know takes Judge.
func ThompsonWeights(arms []Arm, floor float64, seed uint64) []float64 {
	return weightsOf(arms, floor, seed, thompsonDraws)
}

func weightsOf(arms []Arm, floor float64, seed uint64, draws int) []float64 {
	if len(arms) == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(seed, uint64(len(arms)))) //nolint:gosec // a simulation, no secret
	weights := make([]float64, len(arms))
	for range draws {
		best, highest := 0, -1.0
		for i, a := range arms {
			if drawn := drawBeta(random, 1+float64(a.Converted), 1+float64(a.Entered-a.Converted)); drawn > highest {
				best, highest = i, drawn
			}
		}
		weights[best] += 1 / float64(draws)
	}
	floor = min(max(0, floor), 1/float64(len(arms)))
	for i := range weights {
		weights[i] = floor + (1-floor*float64(len(arms)))*weights[i]
	}
	return weights
}

func drawBeta(random *rand.Rand, a, b float64) float64 {
	x, y := drawGamma(random, a), drawGamma(random, b)
	return x / (x + y)
}

// drawGamma draws for a shape of at least 1 (G. Marsaglia and W. W. Tsang, ACM Transactions on Mathematical Software 26, 2000).
func drawGamma(random *rand.Rand, shape float64) float64 {
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := random.NormFloat64()
		v := (1 + c*x) * (1 + c*x) * (1 + c*x)
		if v > 0 && math.Log(1-random.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
