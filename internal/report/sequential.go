package report

import "math"

// Alpha is how often, at most, an experiment without any difference is called decided, however often one looks.
const Alpha = 0.05

// expectedLift is the difference, in log odds, that the test is sharpest for: a fifth more or less. Other values cost only time.
const expectedLift = 0.2

// Sequential is a comparison of two arms that holds at every look: one may look as often as one likes and stop when it is decided.
type Sequential struct {
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	PValue float64 `json:"p_value" doc:"Always valid: below 0.05 it is decided, whenever that is seen."`
}

// Decided tells whether one arm is better than the other.
func (s Sequential) Decided() bool { return s.PValue <= Alpha }

// Compare tells how much larger the share of a is than that of b. It is the mixture sequential probability ratio test with a normal
// mixture (H. Robbins 1970; R. Johari, L. Pekelis and D. Walsh, "Always valid inference", Operations Research 70, 2022), and its interval
// is the confidence sequence of the same test (S. Howard, A. Ramdas et al., "Time-uniform, nonparametric, nonasymptotic confidence
// sequences", Annals of Statistics 49, 2021; in large samples I. Waudby-Smith et al. 2024). The error is shared between as many comparisons
// as are made (Bonferroni).
func Compare(a, b Arm, comparisons int) Sequential {
	share := math.Log(float64(max(1, comparisons)))
	s := Sequential{Low: -1, High: 1, PValue: min(1, math.Exp(share-evidence(a, b, 0)))}
	if a.Entered <= 0 || b.Entered <= 0 {
		return s
	}
	needed := share - math.Log(Alpha)
	d := a.share() - b.share()
	s.Low = edge(d, -1, func(delta float64) bool { return evidence(a, b, delta) < needed })
	s.High = edge(d, 1, func(delta float64) bool { return evidence(a, b, delta) < needed })
	return s
}

// evidence against a true difference of delta is the logarithm of the mixture's likelihood ratio. Under it, the ratio passes 1/α at some
// look with a probability of at most α (J. Ville 1939).
func evidence(a, b Arm, delta float64) float64 {
	if a.Entered <= 0 || b.Entered <= 0 {
		return 0
	}
	pooled := float64(a.Converted+b.Converted) / float64(a.Entered+b.Entered)
	spread := expectedLift * pooled * (1 - pooled) // of the mixture, as a difference of shares
	away := a.share() - b.share() - delta
	if spread == 0 || away == 0 {
		return 0
	}
	variance := varianceAt(a, b, delta)
	if variance == 0 {
		return math.Inf(1)
	}
	information := spread * spread / variance
	return (away*away/variance*information/(1+information) - math.Log1p(information)) / 2
}

// edge is how far one can go from what was seen towards the end and still be inside.
func edge(from, end float64, inside func(float64) bool) float64 {
	if inside(end) {
		return end
	}
	for range 50 {
		middle := (from + end) / 2
		if inside(middle) {
			from = middle
		} else {
			end = middle
		}
	}
	return end
}
