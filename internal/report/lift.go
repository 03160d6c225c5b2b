package report

import "math"

// LiftOf is by which part an arm does better than the control: 0.2 is a fifth more. Its 95 % interval is that of the logarithm of the
// ratio (D. Katz et al., Biometrics 34, 1978), for one look at the end. Nil when one of them has no goal yet: there is no ratio.
func LiftOf(arm, control Arm) *Share {
	if arm.Converted <= 0 || control.Converted <= 0 {
		return nil
	}
	ratio := arm.share() / control.share()
	deviation := math.Sqrt((1-arm.share())/float64(arm.Converted) + (1-control.share())/float64(control.Converted))
	return &Share{Value: ratio - 1, Low: ratio*math.Exp(-z95*deviation) - 1, High: ratio*math.Exp(z95*deviation) - 1}
}
