package report

import "math"

const (
	ratioAlarm    = 0.001 // chance alone does this once in a thousand experiments
	ratioExpected = 5     // contacts that each arm should have before the chi-square distribution holds (W. G. Cochran 1954)
)

// Ratio tells whether the arms were filled as their weights say. When they were not, something loses or moves contacts of one arm, and
// what the arms show is not the arms' doing.
type Ratio struct {
	PValue  float64 `json:"p_value" doc:"How often chance alone fills arms as unevenly as this."`
	Alarmed bool    `json:"alarmed" doc:"The arms are not filled as their weights say: what they show can't be trusted."`
}

// RatioOf is Pearson's chi-square test (K. Pearson 1900) of how many entered each arm against the weights, with the alarm of R. Kohavi,
// D. Tang and Y. Xu, "Trustworthy online controlled experiments", 2020, chapter 21.
func RatioOf(arms []Arm) Ratio {
	square, degrees, least := 0.0, -1, math.Inf(1)
	for i, expected := range expectedOf(arms) {
		a := arms[i]
		if a.Weight <= 0 {
			if a.Entered > 0 {
				return Ratio{Alarmed: true} // nobody should be there
			}
			continue
		}
		least = min(least, expected)
		if expected > 0 {
			square += (float64(a.Entered) - expected) * (float64(a.Entered) - expected) / expected
		}
		degrees++
	}
	if degrees < 1 || least < ratioExpected {
		return Ratio{PValue: 1}
	}
	p := chiSquareTail(square, degrees)
	return Ratio{PValue: p, Alarmed: p < ratioAlarm}
}

// expectedOf is how many contacts each arm should have, of all that there are.
func expectedOf(arms []Arm) []float64 {
	var entered, weights, known float64
	for _, a := range arms {
		entered += float64(a.Entered)
		weights += float64(max(a.Weight, 0))
		known += a.Expected
	}
	out := make([]float64, len(arms))
	for i, a := range arms {
		switch {
		case known > 0:
			out[i] = entered * a.Expected / known
		case weights > 0:
			out[i] = entered * float64(max(a.Weight, 0)) / weights
		}
	}
	return out
}

// chiSquareTail is how likely a chi-square variable is larger than x, by the recurrence of the incomplete gamma function from 1/2 or 1
// (M. Abramowitz and I. A. Stegun 1964, 6.5.21).
func chiSquareTail(x float64, degrees int) float64 {
	half, a, tail := x/2, 1.0, math.Exp(-x/2)
	if degrees%2 == 1 {
		a, tail = 0.5, math.Erfc(math.Sqrt(half))
	}
	for ; a < float64(degrees)/2; a++ {
		gamma, _ := math.Lgamma(a + 1)
		tail += math.Exp(a*math.Log(half) - half - gamma)
	}
	return min(1, tail)
}
