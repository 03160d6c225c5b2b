package report

import "math"

const (
	zPower = 0.8416212335729143 // of 80 %
	most   = int64(1) << 40     // contacts: nobody has as many, so a difference that needs more is not found
)

// SampleFixed is how many contacts each of two arms needs for one look at the end to find, in 80 % of all cases, that a share of base
// has become base·(1+lift). 0: there is no such size.
func SampleFixed(base, lift float64) int64 {
	p, q := base, base*(1+lift)
	if p <= 0 || p >= 1 || q <= 0 || q >= 1 || p == q {
		return 0
	}
	return int64(math.Ceil(sampleFor(p, q, zPower)))
}

// sampleFor is the size of each arm that tells p from q (J. Fleiss 1981, without continuity correction; what R's power.prop.test solves).
func sampleFor(p, q, power float64) float64 {
	both := z95*math.Sqrt((p+q)*(1-(p+q)/2)) + power*math.Sqrt(p*(1-p)+q*(1-q))
	return both * both / ((p - q) * (p - q))
}

// SampleAlways is the same for the test that may be looked at at any time: the size at which the difference lies beyond what the test asks for
// then in 80 % of all cases. It errs on the large side, as an earlier look may have decided (M. Schultzberg 2026). 0: no such size.
func SampleAlways(base, lift float64, comparisons int) int64 {
	q := base * (1 + lift)
	if SampleFixed(base, lift) == 0 {
		return 0
	}
	needed := math.Log(float64(max(1, comparisons))) - math.Log(Alpha)
	found := func(n int64) bool {
		a := base*(1-base) + q*(1-q)
		away := math.Abs(base-q) - zPower*math.Sqrt(a/float64(n))
		pooled := (base + q) / 2
		variance := 2 * pooled * (1 - pooled) / float64(n)
		spread := expectedLift * pooled * (1 - pooled)
		information := spread * spread / variance
		return away > 0 && (away*away/variance*information/(1+information)-math.Log1p(information))/2 >= needed
	}
	low, high := int64(1), int64(2)
	for ; !found(high); low, high = high, high*2 {
		if high >= most {
			return 0
		}
	}
	for high-low > 1 {
		if middle := (low + high) / 2; found(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
