package report

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// With the variance at the difference that is tested, a plain score interval is Mee's: methods 5 of Newcombe, Statistics in Medicine 17
// (1998), 873–890, table II.
func TestRestrictedVarianceOfTheLiterature(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b      Arm
		low, high float64
	}{
		{Arm{Entered: 70, Converted: 56}, Arm{Entered: 80, Converted: 48}, 0.0533, 0.3377},
		{Arm{Entered: 10, Converted: 9}, Arm{Entered: 10, Converted: 3}, 0.1821, 0.8370},
	} {
		d := tc.a.share() - tc.b.share()
		inside := func(delta float64) bool { return math.Abs(d-delta) < z95*math.Sqrt(varianceAt(tc.a, tc.b, delta)) }
		require.InDelta(t, tc.low, edge(d, -1, inside), 0.00006, "%v", tc)
		require.InDelta(t, tc.high, edge(d, 1, inside), 0.00006, "%v", tc)
	}
}

func TestRestrictedVarianceIsThePooledOneAtNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawArm(t, "a"), drawArm(t, "b")
		p := float64(a.Converted+b.Converted) / float64(a.Entered+b.Entered)
		want := p * (1 - p) * (1/float64(a.Entered) + 1/float64(b.Entered))
		require.InDelta(t, want, varianceAt(a, b, 0), 1e-6*want+1e-12, "%v %v", a, b)
	})
}

// In large samples the interval is Robbins' normal mixture: at equal shares, half of its width is the root of
// variance·(1 + 1/information)·(2·log(1/α) + log(1 + information)), as printed by Waudby-Smith et al. (std_conjmix_margin in their code).
func TestIntervalIsTheNormalMixture(t *testing.T) {
	t.Parallel()
	arm := Arm{Entered: 2_000_000, Converted: 200_000}
	spread := expectedLift * 0.1 * 0.9
	variance := 2 * 0.1 * 0.9 / 2_000_000
	rho2 := spread * spread / variance // t is 1, and the variance 1
	want := math.Sqrt(variance) * math.Sqrt(2*(rho2+1)*math.Log(math.Sqrt(rho2+1)/Alpha)/rho2)
	s := Compare(arm, arm, 1)
	require.InEpsilon(t, want, s.High, 0.002)
	require.InEpsilon(t, -want, s.Low, 0.002)
}

// The reference formula of this project's research: with one standard deviation of the mixture as 1 point and a share of 5 %, which is a
// fifth of it in log odds.
func TestEvidenceByHand(t *testing.T) {
	t.Parallel()
	a, b := Arm{Entered: 10_000, Converted: 560}, Arm{Entered: 10_000, Converted: 440}
	p, d, n := 0.05, 0.012, 10_000.0
	v, tau := 2*p*(1-p), 0.2*p*(1-p)
	e := math.Sqrt(v/(v+n*tau*tau)) * math.Exp(n*n*tau*tau*d*d/(2*v*(v+n*tau*tau)))
	require.InEpsilon(t, e, math.Exp(evidence(a, b, 0)), 1e-9)
	require.InEpsilon(t, 1/e, Compare(a, b, 1).PValue, 1e-9)
	require.InEpsilon(t, 3/e, Compare(a, b, 3).PValue, 1e-9)
}

func TestIntervalAndPValueSayTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawArm(t, "a"), drawArm(t, "b")
		comparisons := rapid.IntRange(1, 10).Draw(t, "comparisons")
		s := Compare(a, b, comparisons)
		d := a.share() - b.share()
		require.True(t, -1 <= s.Low && s.Low <= d && d <= s.High && s.High <= 1, "%+v %v", s, d)
		require.True(t, 0 <= s.PValue && s.PValue <= 1, "%+v", s)
		if math.Abs(s.PValue-Alpha) > 1e-6 {
			require.Equal(t, s.Decided(), s.Low > 0 || s.High < 0, "%+v of %v and %v", s, a, b)
		}
		other := Compare(b, a, comparisons)
		require.InDelta(t, s.Low, -other.High, 1e-6, "either way round")
		require.InDelta(t, s.PValue, other.PValue, 1e-6)
		more := Compare(a, b, comparisons+1)
		require.True(t, more.Low <= s.Low && s.High <= more.High && more.PValue >= s.PValue, "more comparisons, less said")
	})
}

func TestNobodyKnowsFromNothing(t *testing.T) {
	t.Parallel()
	for _, arms := range [][2]Arm{{}, {{Entered: 10_000}, {Entered: 10_000}}, {{Entered: 9, Converted: 9}, {Entered: 9, Converted: 9}}, {{Entered: 9, Converted: 3}, {}}} {
		require.Equal(t, Sequential{Low: -1, High: 1, PValue: 1}, Compare(arms[0], arms[1], 1), "%v", arms)
	}
}

func drawArm(t *rapid.T, name string) Arm {
	entered := rapid.Int64Range(1, 100_000).Draw(t, name+" entered")
	return Arm{Entered: entered, Converted: rapid.Int64Range(0, entered).Draw(t, name+" converted")}
}

// The interval ends where the evidence is just enough, with the variance at that end and not at no difference.
func TestIntervalEndsWhereTheEvidenceIsEnough(t *testing.T) {
	t.Parallel()
	a, b := Arm{Entered: 3000, Converted: 1200}, Arm{Entered: 1000, Converted: 100}
	s := Compare(a, b, 1)
	pooled := 1300.0 / 4000
	for _, end := range []float64{s.Low, s.High} {
		variance := varianceAt(a, b, end)
		spread := expectedLift * pooled * (1 - pooled)
		information := spread * spread / variance
		z := (a.share() - b.share() - end) / math.Sqrt(variance)
		require.InEpsilon(t, 1/Alpha, math.Exp(z*z/2*information/(1+information))/math.Sqrt(1+information), 1e-6)
	}
}
