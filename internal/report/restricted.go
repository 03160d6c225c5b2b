package report

import "math"

// varianceAt is the variance of the difference a − b of two shares, were the true difference delta: with the shares that fit the counts
// best under it, in closed form (O. Miettinen and M. Nurminen, Statistics in Medicine 4, 1985; C. Farrington and G. Manning 1990). Unlike
// the plain one it is right at the difference that is being tested, and does not vanish when an arm has no goal yet.
func varianceAt(a, b Arm, delta float64) float64 {
	na, nb := float64(a.Entered), float64(b.Entered)
	pa, pb, theta := a.share(), b.share(), nb/na
	// the cubic k3 x³ + k2 x² + k1 x + k0 = 0 of the share of a
	k3 := 1 + theta
	k2 := -(1 + theta + pa + theta*pb + delta*(theta+2))
	k1 := delta*delta + delta*(2*pa+theta+1) + pa + theta*pb
	k0 := -pa * delta * (1 + delta)
	third := k2 / (3 * k3)
	v := third*third*third - k2*k1/(6*k3*k3) + k0/(2*k3)
	u := math.Sqrt(max(0, third*third-k1/(3*k3)))
	if v < 0 {
		u = -u
	}
	x := -third
	if u != 0 {
		x += 2 * u * math.Cos((math.Pi+math.Acos(min(1, max(-1, v/(u*u*u)))))/3)
	}
	x = min(1, max(0, x))
	y := min(1, max(0, x-delta))
	return x*(1-x)/na + y*(1-y)/nb
}
