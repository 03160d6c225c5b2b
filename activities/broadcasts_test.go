package activities

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/report"
)

// The same contact gets the same whenever it is asked, the parts are as large as the plan says, and who is in which has nothing to do with
// the variant.
func TestRecipientsAreAssigned(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	b := email.Broadcast{ID: uuid.NewString(), OpensAt: &at, Plan: email.BroadcastPlan{
		Holdout: 10, Variants: []email.BroadcastVariant{{Name: "A", Weight: 3}, {Name: "B"}}, Test: &email.BroadcastTest{Share: 20, Minutes: 1},
	}}
	parts, variants, ids := map[email.RecipientPart]int{}, map[int]int{}, map[string]bool{}
	const many = 20_000
	for range many {
		member := email.BroadcastMember{ContactID: uuid.NewString()}
		r := assigned(b, email.Policy{}, member)
		require.Equal(t, r, assigned(b, email.Policy{}, member))
		require.Equal(t, at, r.DueAt)
		parts[r.Part]++
		ids[r.MessageID] = true
		if r.Part == email.PartTest {
			variants[*r.Variant]++
		} else {
			require.Nil(t, r.Variant, "not decided yet")
		}
	}
	require.Len(t, ids, many, "a mail each")
	require.InDelta(t, many/10, parts[email.PartHoldout], 200)
	require.InDelta(t, many*9/10/5, parts[email.PartTest], 300)
	require.InDelta(t, 3*variants[1], variants[0], 300)
	other := b
	other.ID = uuid.NewString()
	member := email.BroadcastMember{ContactID: uuid.NewString()}
	require.NotEqual(t, assigned(b, email.Policy{}, member).MessageID, assigned(other, email.Policy{}, member).MessageID)
}

func TestTheRestGetsTheWinnerInWords(t *testing.T) {
	t.Parallel()
	plan := email.BroadcastPlan{Variants: []email.BroadcastVariant{{Name: "A"}, {Name: "B"}}, Test: &email.BroadcastTest{}}
	goal := plan
	goal.Goal = &email.BroadcastGoal{Event: "Bought", Days: 1}
	first := plan
	first.Test = &email.BroadcastTest{Fallback: email.FallbackFirst}
	sure := []report.Arm{{Entered: 1000, Converted: 10, Weight: 1}, {Entered: 1000, Converted: 100, Weight: 1}}
	near := []report.Arm{{Entered: 1000, Converted: 50, Weight: 1}, {Entered: 1000, Converted: 52, Weight: 1}}
	none := []report.Arm{{Entered: 1000, Weight: 1}, {Entered: 1000, Weight: 1}}
	for name, test := range map[string]struct {
		plan   email.BroadcastPlan
		arms   []report.Arm
		over   bool
		winner int
		words  string
	}{
		"clear, early":     {plan, sure, false, 1, "B is better than every other variant, so the rest gets it (clicked: A: 10 of 1000, B: 100 of 1000)."},
		"clear, by a goal": {goal, sure, true, 1, "B is better than every other variant, so the rest gets it (reached the goal: A: 10 of 1000, B: 100 of 1000)."},
		"close, early":     {plan, near, false, report.NoWinner, ""},
		"close, over":      {plan, near, true, 1, "Nothing was decided in time. B is ahead, so the rest gets it (clicked: A: 50 of 1000, B: 52 of 1000)."},
		"close, the first": {first, near, true, 0, "Nothing was decided in time, so the rest gets A, the first (clicked: A: 50 of 1000, B: 52 of 1000)."},
		"nobody":           {plan, none, true, 0, "Nothing was decided in time and no variant is ahead, so the rest gets A, the first (clicked: A: 0 of 1000, B: 0 of 1000)."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			winner, words := ruling(test.plan, test.arms, test.over)
			require.Equal(t, []any{test.winner, test.words}, []any{winner, words})
		})
	}
}
