package report

// MinimumSample is how many contacts each arm has before a winner is named: what the large platforms ask for.
const MinimumSample = 500

// NoWinner stands where no arm has won.
const NoWinner = -1

// Judgement is what an experiment shows at one look.
type Judgement struct {
	Ratio   Ratio
	Leader  int        // the arm with the highest share
	Next    int        // the arm that the leader is least ahead of, by the interval
	Margin  Sequential // how far the leader is ahead of Next
	Beaten  []int      // the arms that the leader is decidedly better than
	Missing int64      // how many contacts the smallest arm needs to reach the minimum
	Winner  int        // NoWinner: not yet, or never
}

// Comparisons is how many pairs of arms are compared: every sentence about an experiment holds at once.
func Comparisons(arms int) int { return arms * (arms - 1) / 2 }

// Judge names a winner when every arm has the minimum, the arms are filled as they should be, and the leader is decidedly better than
// every other arm.
func Judge(arms []Arm, minimum int64) Judgement {
	j := Judgement{Ratio: RatioOf(arms), Winner: NoWinner, Next: NoWinner, Beaten: []int{}}
	if len(arms) < 2 {
		return j
	}
	for i, a := range arms {
		if a.share() > arms[j.Leader].share() {
			j.Leader = i
		}
		j.Missing = max(j.Missing, minimum-a.Entered)
	}
	for i, a := range arms {
		if i == j.Leader {
			continue
		}
		margin := Compare(arms[j.Leader], a, Comparisons(len(arms)))
		if margin.Decided() {
			j.Beaten = append(j.Beaten, i)
		}
		if j.Next == NoWinner || margin.Low < j.Margin.Low {
			j.Next, j.Margin = i, margin
		}
	}
	if !j.Ratio.Alarmed && j.Missing == 0 && len(j.Beaten) == len(arms)-1 {
		j.Winner = j.Leader
	}
	return j
}
