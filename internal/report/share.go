package report

import "math"

// Share is a part of a whole with its 95 % interval: how sure the share is, seen from how few or many it was counted.
type Share struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

const z95 = 1.959963984540054 // of the normal distribution

// ShareOf is Wilson's score interval (E. B. Wilson 1927), which holds for small numbers and for shares near 0 and 1 too.
func ShareOf(part, whole int64) Share {
	if whole <= 0 {
		return Share{High: 1}
	}
	n, p := float64(whole), float64(part)/float64(whole)
	middle := (p + z95*z95/(2*n)) / (1 + z95*z95/n)
	half := z95 / (1 + z95*z95/n) * math.Sqrt(p*(1-p)/n+z95*z95/(4*n*n))
	return Share{Value: p, Low: max(0, middle-half), High: min(1, middle+half)}
}

// DifferenceOf is how much larger share a is than b, with Newcombe's hybrid score interval (R. G. Newcombe 1998, method 10). When it holds 0,
// nobody can say yet which is larger.
func DifferenceOf(a, b Share) Share {
	d := a.Value - b.Value
	return Share{
		Value: d,
		Low:   d - math.Hypot(a.Value-a.Low, b.High-b.Value),
		High:  d + math.Hypot(a.High-a.Value, b.Value-b.Low),
	}
}
