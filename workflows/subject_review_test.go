package workflows

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/email"
)

func reviewed() activities.SubjectReviewState {
	return activities.SubjectReviewState{State: email.SubjectsReady, Candidates: []activities.SubjectCandidate{
		{Number: 0, Text: "Welcome", State: email.LineApproved}, {Number: 1, Text: "Three | ideas", State: email.LineProposed},
		{Number: 2, Text: "A magic link", State: email.LineRefused, Words: "We say “sign-in link”."}, {Number: 3, Text: "Start\ntoday", State: email.LineProposed},
	}}
}

// What a person writes into the Temporal UI is one short JSON value; only what waits for a decision can be named.
func TestNumbersOfCandidates(t *testing.T) {
	t.Parallel()
	r := &subjectReview{state: reviewed()}
	for value, want := range map[string][]int{`1`: {1}, `[1, 3]`: {1, 3}, `"1, 3"`: {1, 3}, `"all"`: {1, 3}, `" ALL "`: {1, 3}, `"3"`: {3}} {
		var which any
		require.NoError(t, json.Unmarshal([]byte(value), &which))
		got, err := r.numbers(which)
		require.NoError(t, err, value)
		require.Equal(t, want, got, value)
	}
	for _, value := range []string{`0`, `2`, `9`, `1.5`, `-1`, `1e300`, `[]`, `[1, 2]`, `["1"]`, `"one"`, `""`, `true`, `null`, `{}`, `[1,[3]]`} {
		var which any
		require.NoError(t, json.Unmarshal([]byte(value), &which))
		_, err := r.numbers(which)
		require.Error(t, err, value)
	}
	_, err := (&subjectReview{}).numbers("all")
	require.Error(t, err)
}

func TestReviewCard(t *testing.T) {
	t.Parallel()
	in := SubjectReviewInput{Template: "welcome", TemplateVersion: 3, Written: "Welcome, {{ contact.first_name }}", Brief: "Warm.", Locale: "de", Segment: "trial"}
	require.Equal(t, "**Subjects of welcome, version 3**\n\n| instead of | Welcome, {{ contact.first_name }} |\n|---|---|\n| asked for | Warm. |\n| language | de |\n| for | trial |\n"+
		"\n| no. | candidate | |\n|---|---|---|\n| 1 | Three / ideas | proposed |\n| 2 | A magic link | refused: We say “sign-in link”. |\n| 3 | Start today | proposed |\n"+
		"\n**Next:** More Actions → Send an Update → `approve` or `reject` with the numbers, as `1`, `[1, 3]` or `\"all\"`. Until then the written subject goes out.\n", reviewCard(in, reviewed()))
	require.Contains(t, reviewCard(in, activities.SubjectReviewState{}), "The model is being asked")
	require.Contains(t, reviewCard(in, activities.SubjectReviewState{State: email.SubjectsFailed, Reason: "budget_spent"}), "(budget_spent)")
}
