package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The MineThatData e-mail experiment of 2008 (K. Hillstrom): 64,000 customers got mail about men's things, about women's things, or none.
// 18.28 %, 15.14 % and 10.62 % visited the shop, and 1.25 %, 0.88 % and 0.57 % bought, as is quoted of it everywhere.
var (
	hillstromVisits = []Arm{{Entered: 21307, Converted: 3894, Weight: 1}, {Entered: 21387, Converted: 3238, Weight: 1}, {Entered: 21306, Converted: 2262, Weight: 1}}
	hillstromBought = []Arm{{Entered: 21307, Converted: 267, Weight: 1}, {Entered: 21387, Converted: 189, Weight: 1}, {Entered: 21306, Converted: 122, Weight: 1}}
)

func TestHillstromAsPublished(t *testing.T) {
	t.Parallel()
	for i, percent := range []float64{18.28, 15.14, 10.62} {
		require.InDelta(t, percent, 100*hillstromVisits[i].share(), 0.005)
	}
	for i, percent := range []float64{1.25, 0.88, 0.57} {
		require.InDelta(t, percent, 100*hillstromBought[i].share(), 0.005)
	}
	// the totals, as in the documentation of pyuplift: 0.14678 visits and 0.00903 purchases a customer
	visits, bought := 0.0, 0.0
	for i := range hillstromVisits {
		visits += float64(hillstromVisits[i].Converted)
		bought += float64(hillstromBought[i].Converted)
	}
	require.InDelta(t, 0.14678, visits/64000, 0.000005)
	require.InDelta(t, 0.00903, bought/64000, 0.000005)
	// a public analysis in R, checked in Python ("Email Campaign Lift Analysis"): chi-square p = 0.904, lifts of +118.8 % and +54.3 %, +86.5 % for both together
	require.InDelta(t, 0.904, RatioOf(hillstromBought).PValue, 0.0005)
	require.False(t, RatioOf(hillstromBought).Alarmed)
	none := hillstromBought[2]
	require.InDelta(t, 1.188, LiftOf(hillstromBought[0], none).Value, 0.0005)
	require.InDelta(t, 0.543, LiftOf(hillstromBought[1], none).Value, 0.0005)
	require.InDelta(t, 0.865, LiftOf(Arm{Entered: 42694, Converted: 456}, none).Value, 0.0005)
	// another one (Vicientt/AB_Email_Testing): 0.681 and 0.311 points more
	require.InDelta(t, 0.00681, hillstromBought[0].share()-none.share(), 0.000005)
	require.InDelta(t, 0.00311, hillstromBought[1].share()-none.share(), 0.000005)
}

// What a marketer would have been told of it: men's mail is better than women's, women's is better than none.
func TestHillstromIsDecided(t *testing.T) {
	t.Parallel()
	for _, arms := range [][]Arm{hillstromVisits, hillstromBought} {
		j := Judge(arms, MinimumSample)
		require.Equal(t, 0, j.Winner)
		require.Equal(t, 1, j.Next)
		require.Equal(t, []int{1, 2}, j.Beaten)
		require.Positive(t, j.Margin.Low)
		require.True(t, Compare(arms[1], arms[2], 3).Decided())
	}
}
