package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWinnerNeedsAllOfIt(t *testing.T) {
	t.Parallel()
	a := Arm{Entered: 1000, Converted: 300, Weight: 1}
	b := Arm{Entered: 1000, Converted: 150, Weight: 1}
	require.Equal(t, 0, Judge([]Arm{a, b}, MinimumSample).Winner)
	require.Equal(t, 1, Judge([]Arm{b, a}, MinimumSample).Winner)

	few := Judge([]Arm{{Entered: 499, Converted: 200, Weight: 1}, {Entered: 500, Converted: 50, Weight: 1}}, MinimumSample)
	require.Equal(t, NoWinner, few.Winner, "each arm needs the minimum")
	require.Equal(t, []int{1}, few.Beaten)
	require.EqualValues(t, 1, few.Missing)
	require.Equal(t, 0, Judge([]Arm{{Entered: 500, Converted: 200, Weight: 1}, {Entered: 500, Converted: 50, Weight: 1}}, MinimumSample).Winner)

	uneven := Judge([]Arm{a, {Entered: 1400, Converted: 150, Weight: 1}}, MinimumSample)
	require.True(t, uneven.Ratio.Alarmed)
	require.Equal(t, NoWinner, uneven.Winner, "arms that are not filled as they should be show nothing")

	third := Arm{Entered: 1000, Converted: 295, Weight: 1}
	three := Judge([]Arm{b, a, third}, MinimumSample)
	require.Equal(t, NoWinner, three.Winner, "the leader has to beat every other arm")
	require.Equal(t, []int{0}, three.Beaten)
	require.Equal(t, 2, three.Next)

	require.Equal(t, NoWinner, Judge([]Arm{a, a}, MinimumSample).Winner)
	require.Equal(t, NoWinner, Judge([]Arm{a}, MinimumSample).Winner)
	require.Equal(t, NoWinner, Judge(nil, MinimumSample).Winner)
}
