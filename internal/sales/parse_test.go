package sales_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
)

// The example that people will copy is right: no problem, not even a warning.
func TestExample(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../examples/scoring.yaml")
	require.NoError(t, err)
	def, problems := sales.Parse(data)
	require.Empty(t, problems)
	m, err := sales.Compile(def, 1)
	require.NoError(t, err)
	require.Len(t, m.Groups(), 4)
	require.Equal(t, []string{"competitor", "country", "role"}, m.FitNames().Traits)
	require.NotNil(t, m.Matrix())
}

func TestProblems(t *testing.T) {
	t.Parallel()
	rule := func(rule string) string { return "fit: {rules: [" + rule + "]}" }
	event := func(rule string) string {
		return "engagement: {groups: [{key: g, cap: 5, rules: [" + rule + "]}]}"
	}
	for _, row := range []struct{ document, path, code string }{
		{``, "", "syntax"},
		{"a: [", "", "syntax"},
		{"\xff", "", "syntax"},
		{"- a", "", "wrong_type"},
		{"a: &x 1\nb: *x", "", "syntax"},
		{"fit: !!binary aGk=", "", "syntax"},
		{"---\nfit: {}\n---\nfit: {}", "", "syntax"},
		{strings.Repeat("[", 500), "", "too_large"},
		{strings.Repeat(" ", sales.MaxModelBytes+1), "", "too_large"},
		{"fitt: {}", "/fitt", "unknown_field"},
		{"name: x\nname: y", "/name", "duplicate_field"},
		{"name: [x]", "/name", "wrong_type"},
		{"name: " + strings.Repeat("x", 201), "/name", "too_large"},
		{"personas: {}", "/personas", "wrong_type"},
		{"personas: [{key: A B, when: contact.x}]", "/personas/0/key", "bad_key"},
		{"personas: [{key: a}]", "/personas/0", "missing_field"},
		{"personas: [{key: a, when: contact.x}, {key: a, when: contact.y}]", "/personas/1/key", "duplicate_key"},
		{`personas: [{key: a, when: persona == "b"}]`, "/personas/0/when", "condition_out_of_scope"},
		{"fit: {cap: 0}", "/fit/cap", "out_of_range"},
		{"fit: {cap: 1.5}", "/fit/cap", "wrong_type"},
		{rule("{id: a, when: contact.x, points: 0}"), "/fit/rules/0/points", "out_of_range"},
		{rule("{id: a, when: contact.x, points: 1001}"), "/fit/rules/0/points", "out_of_range"},
		{rule("{id: a, when: contact.x, points: ten}"), "/fit/rules/0/points", "wrong_type"},
		{rule("{id: a, when: contact.x}"), "/fit/rules/0", "missing_field"},
		{rule("{id: a, points: 5}"), "/fit/rules/0", "missing_field"},
		{rule(`{id: a, when: " ", points: 5}`), "/fit/rules/0/when", "missing_field"},
		{rule("{id: a, when: contact.x =, points: 5}"), "/fit/rules/0/when", "condition_syntax"},
		{rule("{id: a, when: scor > 5, points: 5}"), "/fit/rules/0/when", "condition_unknown_name"},
		{rule("{id: a, when: score > 5, points: 5}"), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule("{id: a, when: contact.score > 5, points: 5}"), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule("{id: a, when: company.score > 5, points: 5}"), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule(`{id: a, when: stage == "mql", points: 5}`), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule(`{id: a, when: contact.stage == "mql", points: 5}`), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule(`{id: a, when: label == "A1", points: 5}`), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule(`{id: a, when: did("A"), points: 5}`), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule(`{id: a, when: last("A") == null, points: 5}`), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule(`{id: a, when: in_segment("a"), points: 5}`), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule("{id: a, when: event.x == 1, points: 5}"), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule("{id: a, when: contact.created_at < now, points: 5}"), "/fit/rules/0/when", "condition_out_of_scope"},
		{rule("{id: a, when: contact.x, points: 5}") + "\n" + event("{id: a, event: A, points: 1}"), "/engagement/groups/0/rules/0/id", "duplicate_key"},
		{"engagement: {groups: [{key: g, cap: 5}]}", "/engagement/groups/0", "missing_field"},
		{"engagement: {groups: [{key: g, half_life: 1m, rules: [{id: a, event: A, points: 1}]}]}", "/engagement/groups/0/half_life", "bad_duration"},
		{"engagement: {groups: [{key: g, half_life: soon, rules: [{id: a, event: A, points: 1}]}]}", "/engagement/groups/0/half_life", "bad_duration"},
		{"engagement: {groups: [{key: g, rules: [{id: a, event: A, points: 1}]}]}", "/engagement/groups/0", "no_limit"},
		{event("{id: a, points: 1}"), "/engagement/groups/0/rules/0", "missing_field"},
		{event(`{id: a, event: A, when: "", points: 1}`), "/engagement/groups/0/rules/0/when", "condition_syntax"},
		{event(`{id: a, event: "Stage Entered: mql", points: 1}`), "/engagement/groups/0/rules/0/event", "reserved_event"},
		{event(`{id: a, event: A, when: contact.x == event.y, points: 1}`), "/engagement/groups/0/rules/0/when", "condition_out_of_scope"},
		{event(`{id: a, event: A, when: score > 1, points: 1}`), "/engagement/groups/0/rules/0/when", "condition_out_of_scope"},
		{event(`{id: a, event: A, when: event.day == now, points: 1}`), "/engagement/groups/0/rules/0/when", "condition_out_of_scope"},
		{event(`{id: a, event: A, when: did("A"), points: 1}`), "/engagement/groups/0/rules/0/when", "condition_out_of_scope"},
		{event(`{id: a, event: A, when: 'object("a").x == 1', points: 1}`), "/engagement/groups/0/rules/0/when", "condition_out_of_scope"},
		{"labels: {fit: {A: 5, B: 5}, engagement: {1: 2, 2: 1}}", "/labels/fit/A", "bad_order"},
		{"labels: {fit: {A: 5, B: 1}}", "/labels", "missing_field"},
		{"stages: {subscriber: {total: 5}}", "/stages/subscriber", "unknown_field"},
		{"stages: {mqll: {total: 5}}", "/stages/mqll", "unknown_field"},
		{"stages: {mql: {}}", "/stages/mql", "missing_field"},
		{"stages: {mql: {labels: [A4]}}", "/stages/mql/labels/0", "wrong_type"},
		{"stages: {mql: {labels: [A1]}}", "/stages/mql/labels", "no_labels"},
		{"stages: {mql: {fit: 50}}\n" + rule("{id: a, when: contact.x, points: 40}"), "/stages/mql/fit", "unreachable"},
		{"stages: {customer: {total: 50}}", "/stages/customer", "stage_by_score"},
		{"name: nothing", "", "no_rules"},
	} {
		_, problems := sales.Parse([]byte(row.document))
		var found []string
		for _, p := range problems {
			require.NotEmpty(t, p.Message)
			found = append(found, p.Path+" "+p.Code)
		}
		require.Contains(t, found, row.path+" "+row.code, row.document)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := sales.Parse([]byte(`
fit: {rules: [{id: A, when: "contact.x ==", points: 0}]}
stages: {mql: {totl: 5}}
engagement: {groups: [{key: g, cap: -1, rules: []}]}
`))
	var paths []string
	for _, p := range problems {
		paths = append(paths, p.Path)
	}
	require.Equal(t, []string{"/engagement/groups/0", "/engagement/groups/0/cap", "/fit/rules/0/id", "/fit/rules/0/points", "/fit/rules/0/when", "/stages/mql", "/stages/mql/totl"}, paths)
	require.Contains(t, problems[len(problems)-1].Message, `Did you mean "total"?`)
}

// The stored form says the same as the document, however that was written.
func TestCanonical(t *testing.T) {
	t.Parallel()
	def, _ := sales.Parse([]byte(modelYAML))
	document, hash, err := def.Canonical()
	require.NoError(t, err)
	again, problems := sales.Parse(document)
	require.False(t, fault.HasErrors(problems))
	require.Equal(t, def, again)
	spread, _ := json.MarshalIndent(document, "", "   ")
	other, _ := sales.Parse(spread)
	_, otherHash, err := other.Canonical()
	require.NoError(t, err)
	require.Equal(t, hash, otherHash)
	changed, _ := sales.Parse([]byte(strings.Replace(modelYAML, "points: 15", "points: 16", 1)))
	_, changedHash, err := changed.Canonical()
	require.NoError(t, err)
	require.NotEqual(t, hash, changedHash)
}

// Whatever comes, there is an answer; what has no errors compiles, and its stored form is the same model.
func FuzzParse(f *testing.F) {
	f.Add([]byte(modelYAML))
	for _, seed := range []string{"fit: {cap: 1}", `{"stages":{"mql":{"labels":["A1"]}}}`, "a: &a [*a]", "engagement: {groups: [{key: g, half_life: 1d}]}", "? [a]\n: b", "<<: {a: 1}", "\t"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		def, problems := sales.Parse(data)
		if fault.HasErrors(problems) {
			return
		}
		_, err := sales.Compile(def, 1)
		require.NoError(t, err)
		document, hash, err := def.Canonical()
		require.NoError(t, err)
		again, problems := sales.Parse(document)
		require.False(t, fault.HasErrors(problems), fmt.Sprint(problems))
		_, hashAgain, err := again.Canonical()
		require.NoError(t, err)
		require.Equal(t, hash, hashAgain)
	})
}
