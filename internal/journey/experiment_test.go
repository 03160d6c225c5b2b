package journey

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/report"
)

const splitOfThree = `journey: compared
enter: [{event: Signed Up}]
goal: {event: Bought}
steps:
  - id: nudge
    split:
      - {name: long, weight: 45, go: done}
      - {name: short, weight: 45, go: done}
      - {weight: 10, holdout: true, go: done}
  - id: done
    exit: {}
`

const splitOfTwo = `journey: compared
enter: [{event: Signed Up}]
goal: {event: Bought}
steps:
  - id: nudge
    split:
      - {name: short, weight: 50, go: done}
      - {name: long, weight: 50, go: done}
  - id: done
    exit: {}
`

const withheld = `journey: compared
enter: [{event: Signed Up}]
steps:
  - id: offer
    send: {template: offer, holdout: {percent: 10, goal: {event: Bought, when: event.amount > 10}, within: 14d}}
  - id: done
    exit: {}
`

// experimentOf counts up one experiment whose arms have [entered, converted].
func experimentOf(t *testing.T, document string, arms ...[2]int64) Experiment {
	t.Helper()
	definition, problems := Check([]byte(document), Known{})
	require.Empty(t, problems)
	record := ExperimentRecord{Planned: definition.Experiments()[0]}
	for _, arm := range arms {
		record.Counts = append(record.Counts, ArmCount{Entered: arm[0], Converted: arm[1]})
	}
	experiments := CountUp(definition, Tally{Experiments: []ExperimentRecord{record}}).Experiments
	require.Len(t, experiments, 1)
	return experiments[0]
}

func TestExperimentsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		document string
		arms     [][2]int64
		state    string
		winner   string
		sentence string
	}{
		{splitOfTwo, [][2]int64{{4000, 400}, {4000, 520}}, VerdictDecided, "1",
			"long is better than short: between 0.8 and 5.2 points more reach the goal; you may stop."},
		{splitOfTwo, [][2]int64{{40000, 80}, {40000, 200}}, VerdictDecided, "1",
			"long is better than short: between 0.17 and 0.44 points more reach the goal; you may stop."},
		{splitOfTwo, [][2]int64{{4000, 400}, {4000, 420}}, VerdictUndecided, "",
			"Nothing is decided yet; keep going. To find a fifth more than with short, each arm needs about 7500."},
		{splitOfTwo, [][2]int64{{40000, 4000}, {40000, 4010}}, VerdictUndecided, "", "Nothing is decided yet; keep going."},
		{splitOfTwo, [][2]int64{{490, 10}, {500, 200}}, VerdictTooFew, "",
			"Nothing is decided yet; keep going. Each arm must have 500 contacts first; the smallest has 490. To find a fifth more than with short, each arm needs about 41000."},
		{splitOfTwo, nil, VerdictTooFew, "", "Nothing is decided yet; keep going. Each arm must have 500 contacts first; the smallest has 0."},
		{splitOfTwo, [][2]int64{{4000, 400}, {4400, 600}}, VerdictUneven, "", "The arms are not filled as they should be: do not trust this."},
		{splitOfThree, [][2]int64{{9000, 1800}, {9000, 900}, {2000, 100}}, VerdictDecided, "0",
			"long is better than all others: between 8.2 and 11.8 points more reach the goal than with short; you may stop."},
		{splitOfThree, [][2]int64{{9000, 1800}, {9000, 1790}, {2000, 100}}, VerdictUndecided, "",
			"long is better than no. 3 (left alone). Between long and short nothing is decided yet; keep going. To find a fifth more than with no. 3 (left alone), each arm needs about 19000."},
		{splitOfThree, [][2]int64{{9000, 900}, {9000, 890}, {2000, 600}}, VerdictDecided, "2",
			"no. 3 (left alone) is better than all others: between 16.4 and 23.8 points more reach the goal than with long; you may stop."},
	} {
		e := experimentOf(t, tc.document, tc.arms...)
		require.Equal(t, tc.sentence, e.Verdict.Sentence, "%v", tc.arms)
		require.Equal(t, []string{tc.state, tc.winner}, []string{e.Verdict.State, e.Verdict.Winner}, "%v", tc.arms)
		require.Equal(t, tc.state == VerdictUneven, e.Ratio.Alarmed)
	}
}

func TestExperimentsCompareWithTheHoldout(t *testing.T) {
	t.Parallel()
	e := experimentOf(t, splitOfThree, [2]int64{9000, 1800}, [2]int64{9000, 900}, [2]int64{2000, 100})
	require.Nil(t, e.Variants[2].Always)
	require.Nil(t, e.Variants[2].Lift)
	require.InDelta(t, 3, e.Variants[0].Lift.Value, 1e-9)
	require.Equal(t, report.Compare(report.Arm{Entered: 9000, Converted: 1800}, report.Arm{Entered: 2000, Converted: 100}, 3), *e.Variants[0].Always)
	require.Less(t, e.Variants[0].Always.Low, e.Variants[0].Difference.Low, "to hold at every look has its price")
}

func TestAHoldoutIsComparedWithWhoGotTheMail(t *testing.T) {
	t.Parallel()
	e := experimentOf(t, withheld, [2]int64{9000, 1350}, [2]int64{1000, 60})
	require.Equal(t, "sent is better than left alone: between 6.1 and 11.3 points more reach the goal; you may stop.", e.Verdict.Sentence)
	require.Equal(t, []string{"Bought when event.amount > 10", "2w", string(KindSend)}, []string{e.Goal, e.Within, string(e.Kind)})
	require.Nil(t, e.Variants[1].Lift, "it is what is compared with")
	require.InDelta(t, 1.5, e.Variants[0].Lift.Value, 1e-9)
	require.False(t, e.Ratio.Alarmed)
	require.True(t, experimentOf(t, withheld, [2]int64{9000, 1350}, [2]int64{1300, 60}).Ratio.Alarmed)
}

func TestExperimentsShowWhoHasWon(t *testing.T) {
	t.Parallel()
	definition, _ := Parse([]byte(splitOfTwo))
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	record := ExperimentRecord{Planned: definition.Experiments()[0], Live: true, BegunAt: at, Counts: []ArmCount{{Entered: 4000, Converted: 400}, {Entered: 4000, Converted: 520}}}
	e := record.Show()
	require.Equal(t, []any{ExperimentRunning, 0.5, 0.5}, []any{e.State, e.Variants[0].New, e.Variants[1].New})
	record.Winner = &ExperimentWinner{Port: "1", Since: at, By: "ana"}
	e = record.Show()
	require.Equal(t, []any{ExperimentWon, 0.0, 1.0}, []any{e.State, e.Variants[0].New, e.Variants[1].New})
	require.Equal(t, "long is better than short: between 0.8 and 5.2 points more reach the goal.", e.Verdict.Sentence)
	record.Live, record.CountedAt = false, &at
	require.Equal(t, ExperimentReplaced, record.Show().State)
}
