package journey_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

var update = flag.Bool("update", false, "write the golden files and the docs anew")

// known is the world of the invalid definitions: one template, one segment.
func known() journey.Known {
	return journey.Known{
		Templates: func(key string) bool { return key == "welcome" },
		Segments:  func(key string) bool { return key == "eu" }, SegmentKeys: []string{"eu"},
		Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

func mustPlan(t testing.TB, source string) (*journey.Definition, *journey.Plan) {
	t.Helper()
	def, problems := journey.Check([]byte(source), journey.Known{})
	require.False(t, fault.HasErrors(problems), "%+v", problems)
	plan, err := journey.Compile(def)
	require.NoError(t, err)
	return def, plan
}

func TestCheckInvalid(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/invalid/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		_, problems := journey.Check(mustRead(t, path), known())
		require.NotEmpty(t, problems, path)
		got, err := json.MarshalIndent(problems, "", "  ")
		require.NoError(t, err)
		golden := strings.TrimSuffix(path, ".yaml") + ".problems.golden"
		if *update {
			require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o600))
		}
		require.Equal(t, string(mustRead(t, golden)), string(got)+"\n", path)
		for _, p := range problems {
			require.Contains(t, []string{fault.LevelError, fault.LevelWarning}, p.Level)
			require.NotEmpty(t, p.Code)
			require.Regexp(t, `[.?)]$`, p.Message, "a sentence")
		}
	}
}

func TestCheckValid(t *testing.T) {
	t.Parallel()
	data := mustRead(t, "testdata/valid/all_kinds.yaml")
	def, problems := journey.Check(data, journey.Known{})
	require.Empty(t, problems)
	require.Equal(t, "all-kinds", def.Journey)
	require.Equal(t, journey.Reenter{Policy: journey.ReenterAfter, After: 90 * 24 * time.Hour}, def.Reenter)
	require.Equal(t, []journey.Match{{Event: "Subscription Started", Pointer: "/goal"}}, def.Goal)
	require.Equal(t, journey.Match{Event: "Plan Changed", When: `event.plan == "none"`, Pointer: "/exit/1"}, def.Exit[1])
	require.Equal(t, 36*time.Hour, def.Step("pause").Wait.For)
	require.Equal(t, 2026, def.Step("holidays").Wait.Until.Year())
	require.Equal(t, map[string]any{"tier": "gold", "vip": true, "points": 2.5, "trial_ends": nil}, def.Step("mark").Update.Set)
	require.Equal(t, map[string]float64{"nudges": 1}, def.Step("mark").Update.Increment)
	require.Equal(t, -10, def.Step("warm").Score.Add)
	require.Equal(t, &journey.Expires{After: 14 * 24 * time.Hour, Go: "forever"}, def.Step("to_sales").Handoff.Expires)
	match, ok := def.Match("/steps/3/wait_for/0")
	require.True(t, ok)
	require.Equal(t, `event.kind == "demo"`, match.When)
	_, ok = def.Match("/steps/3/wait_for/2")
	require.False(t, ok)
	require.Nil(t, def.Step("nothing"))

	var pointers []string
	root, _ := journey.ToJSON(data)
	for _, c := range def.Conditions() {
		pointers = append(pointers, c.Pointer)
	}
	require.Equal(t, []string{"/enter/0/when", "/exit/1/when", "/steps/3/wait_for/0/when", "/steps/4/experiment/goal/0/when", "/steps/9/branch/0/when"}, pointers)
	require.Equal(t, journey.Hash(root), def.Hash())
}

func TestCompile(t *testing.T) {
	t.Parallel()
	_, plan := mustPlan(t, string(mustRead(t, "testdata/valid/all_kinds.yaml")))
	got, err := json.MarshalIndent(plan, "", "  ")
	require.NoError(t, err)
	// A plan is stored in histories: a change of this file is a change of what running workflows read.
	golden := "testdata/valid/all_kinds.plan.golden"
	if *update {
		require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o600))
	}
	require.Equal(t, string(mustRead(t, golden)), string(got)+"\n")

	for _, source := range []string{"journey: x", "journey: x\nsteps: [{id: a, wait: 1d}]", "journey: x\nsteps: [{id: a, wait: soon}, {id: b, exit: x}]"} {
		def, _ := journey.Parse([]byte(source))
		_, err := journey.Compile(def)
		require.Error(t, err, source)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	a := `{"journey":"x","steps":[{"id":"a","score":{"add":1.0}}]}`
	b := "steps:\n  - score: {add: 1}\n    id: a\njourney: x\n"
	fromYAML, problems := journey.ToJSON([]byte(b))
	require.Empty(t, problems)
	require.Equal(t, `{"steps":[{"score":{"add":1},"id":"a"}],"journey":"x"}`, string(fromYAML), "the author's order stays")
	require.Equal(t, journey.Hash(json.RawMessage(a)), journey.Hash(fromYAML))
	require.Len(t, journey.Hash(fromYAML), 32)
	require.NotEqual(t, journey.Hash(fromYAML), journey.Hash(json.RawMessage(strings.Replace(a, "1.0", "2", 1))))
}

func TestToJSONKeepsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	broken := "journey: [x\nsteps: \"y\""
	stored, problems := journey.ToJSON([]byte(broken))
	require.Equal(t, "syntax", problems[0].Code)
	var text string
	require.NoError(t, json.Unmarshal(stored, &text))
	require.Equal(t, broken, text)
	again, problems := journey.ToJSON(stored)
	require.Equal(t, "syntax", problems[0].Code)
	require.JSONEq(t, string(stored), string(again), "it is not wrapped twice")
	_, problems = journey.Check(stored, journey.Known{})
	require.Equal(t, "syntax", problems[0].Code)

	// Once mended, a document that was kept as a text is read like any other.
	def, problems := journey.Parse([]byte(`"journey: x\nsteps: [{id: a, exit: done}]"`))
	require.Empty(t, problems)
	require.Equal(t, "x", def.Journey)
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	steps := func(n int) string {
		return "journey: x\nsteps:\n" + strings.Repeat("  - {id: a, wait: 1d}\n", n)
	}
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
	for name, row := range map[string]struct{ source, code string }{
		"steps":         {steps(201), "too_large"},
		"bytes":         {"journey: x # " + strings.Repeat("x", journey.MaxDocumentBytes), "too_large"},
		"aliases":       {bomb, "syntax"},
		"anchor":        {"journey: &a x", "anchors"},
		"flow depth":    {"journey: " + strings.Repeat("[", 100_000), "too_large"},
		"json depth":    {strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), "too_large"},
		"block depth":   {strings.Repeat("- ", 100_000), "too_large"},
		"merge":         {"journey: x\nsteps: []\n<<: {a: 1}", "syntax"},
		"tag":           {"journey: !!binary eA==", "syntax"},
		"two documents": {"journey: x\n---\njourney: y", "syntax"},
		"doubled":       {"journey: x\njourney: y", "syntax"},
		"doubled json":  {`{"journey":"x","journey":"y"}`, "syntax"},
		"empty":         {"", "syntax"},
		"comment":       {"# nothing", "syntax"},
		"not utf-8":     {"journey: \xff", "syntax"},
		"nan":           {"journey: .nan", "syntax"},
		"string":        {`"\"x\""`, "syntax"},
		"fields":        {"a: " + strings.Join(manyFields(501), ", ") + "}", "too_large"},
		"json fields":   {strings.Replace(strings.Join(manyFields(501), ", "), "{", "{\"x\":{", 1) + "}}", "too_large"},
	} {
		_, problems := journey.Check([]byte(row.source), journey.Known{})
		require.NotEmpty(t, problems, name)
		require.LessOrEqual(t, len(problems), 500, name)
		require.True(t, slices.ContainsFunc(problems, func(p fault.Problem) bool { return p.Code == row.code || strings.Contains(p.Message, row.code) }), "%s: %+v", name, problems)
	}
}

// manyFields are the parts of an object that is never closed.
func manyFields(n int) []string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"k%d": 1`, i)
	}
	fields[0] = "{" + fields[0]
	return fields
}

func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	step := "{id: a, score: {add: 1, " + strings.Join(manyFields(300), ", ")[1:] + "}}"
	source := "journey: x\nsteps: [" + strings.Repeat(step+", ", 10) + step + "]"
	_, problems := journey.Check([]byte(source), journey.Known{})
	require.Len(t, problems, 500)
	require.True(t, fault.HasErrors(problems))
}

func TestLocate(t *testing.T) {
	t.Parallel()
	source := []byte("journey: x\nsteps:\n  - id: a\n    wait: 1d\n")
	line, column, ok := journey.Locate(source, "/steps/0/wait/for")
	require.True(t, ok)
	require.Equal(t, []int{4, 11}, []int{line, column})
	line, _, ok = journey.Locate([]byte("{\n\"journey\": \"x\",\n\"steps\": []}"), "/steps")
	require.True(t, ok)
	require.Equal(t, 3, line)
	_, _, ok = journey.Locate([]byte("["), "/steps")
	require.False(t, ok)
}
