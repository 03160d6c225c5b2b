package journey_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

const docsPath = "../../docs/definition.md"

// A kind is complete when everything that reads the table has something to read, and the fixtures use it.
func TestEveryKindIsComplete(t *testing.T) {
	t.Parallel()
	fixture, problems := journey.Parse(mustRead(t, "testdata/valid/all_kinds.yaml"))
	require.Empty(t, problems)
	inFixture := map[journey.Kind]bool{}
	for _, s := range fixture.Steps {
		inFixture[s.Kind] = true
	}
	invalid := ""
	paths, err := filepath.Glob("testdata/invalid/*.yaml")
	require.NoError(t, err)
	for _, path := range paths {
		invalid += string(mustRead(t, path))
	}
	examples := ""
	paths, err = filepath.Glob("../../examples/*.yaml")
	require.NoError(t, err)
	for _, path := range paths {
		examples += string(mustRead(t, path))
	}
	docs, schema := string(mustRead(t, docsPath)), string(journey.Schema())
	seen := map[journey.Kind]bool{}
	for _, spec := range journey.Kinds() {
		name := string(spec.Kind)
		require.False(t, seen[spec.Kind], "%s is in the table twice", name)
		seen[spec.Kind] = true
		require.NotEmpty(t, spec.Title, name)
		require.True(t, strings.HasSuffix(spec.Summary, "."), name)
		require.NotNil(t, spec.Ports, name)
		require.True(t, inFixture[spec.Kind], "%s is in no valid fixture", name)
		require.Contains(t, invalid, "    "+name+":", "%s is in no invalid fixture", name)
		require.Contains(t, examples, "    "+name+":", "%s is in no example", name)
		require.Contains(t, docs, "\n### "+name+"\n", "%s is not in the docs", name)
		require.Contains(t, schema, `"`+name+`":`, "%s is not in the schema", name)
		for _, f := range spec.Fields {
			require.NotEmpty(t, f.Doc, "%s.%s", name, f.Name)
			require.NotEmpty(t, f.Type, "%s.%s", name, f.Name)
			require.True(t, f.Example != "" || len(f.Fields) > 0, "%s.%s has no example", name, f.Name)
		}
		requireExampleWalks(t, spec)
	}
}

// requireExampleWalks puts a kind's own example into a journey, then parses, formats, compiles and simulates it.
func requireExampleWalks(t *testing.T, spec journey.KindSpec) {
	t.Helper()
	source := "journey: one-kind\nenter: {event: Begin}\nsteps:\n" + indent(spec.Example)
	first, _ := journey.Parse([]byte(source))
	for _, p := range journey.Validate(first, journey.Known{}) {
		if p.Code == "unknown_step" {
			name := strings.Split(strings.SplitAfter(p.Message, "leads to ")[1], `"`)[1]
			if !strings.Contains(source, "- id: "+name+"\n") {
				source += "  - id: " + name + "\n    exit: " + name + "\n"
			}
		}
	}
	if spec.Next {
		source += "  - id: end\n    exit: end\n"
	}
	def, problems := journey.Check([]byte(source), journey.Known{})
	require.Empty(t, problems, source)
	require.Equal(t, spec.Kind, def.Steps[0].Kind)
	value := reflect.ValueOf(def.Steps[0])
	set := 0
	for i := range value.NumField() {
		f := value.Type().Field(i)
		if f.IsExported() && (f.Type.Kind() == reflect.Pointer || f.Type.Kind() == reflect.Slice) && !value.Field(i).IsNil() {
			set++
		}
	}
	require.Equal(t, 1, set, "%s: exactly its own field is set", spec.Kind)
	_, err := journey.Format(def)
	require.NoError(t, err)
	events, problems := journey.DecodeSimEvents(strings.NewReader(`{"at":"2026-01-05T09:00:00Z","user":"ana","type":"track","event":"Begin"}`))
	require.Empty(t, problems)
	trace, err := journey.Simulate(def, events, journey.SimOptions{})
	require.NoError(t, err)
	require.NotEqual(t, string(journey.Failed), trace.Contacts[0].State, "%s is unknown to the simulator", spec.Kind)
	if spec.Kind == journey.KindExit {
		require.Equal(t, string(journey.Completed), trace.Contacts[0].State)
		return
	}
	if len(trace.Path("ana")) == 0 {
		require.Equal(t, string(journey.Waiting), trace.Contacts[0].State, "%s", spec.Kind)
	}
}

func indent(example string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(example, "\n"), "\n", "\n  ") + "\n"
}

func TestDocsAreFresh(t *testing.T) {
	t.Parallel()
	if *update {
		require.NoError(t, os.WriteFile(docsPath, journey.Docs(), 0o600))
	}
	require.Equal(t, string(mustRead(t, docsPath)), string(journey.Docs()), "run go generate ./internal/journey")
}

// The schema accepts what the parser accepts, and refuses the same slips of form.
func TestSchema(t *testing.T) {
	t.Parallel()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(journey.Schema()))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("journey.json", doc))
	schema, err := compiler.Compile("journey.json")
	require.NoError(t, err)
	check := func(data []byte) error {
		raw, problems := journey.ToJSON(data)
		require.Empty(t, problems)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		require.NoError(t, err)
		return schema.Validate(value)
	}
	valid, err := filepath.Glob("../../examples/*.yaml")
	require.NoError(t, err)
	valid = slices.DeleteFunc(valid, func(path string) bool { return filepath.Base(path) == "scoring.yaml" }) // which is no journey
	for _, path := range append(valid, "testdata/valid/all_kinds.yaml") {
		require.NoError(t, check(mustRead(t, path)), path)
	}
	def, _ := journey.Parse(mustRead(t, "testdata/valid/all_kinds.yaml"))
	formatted, err := journey.Format(def)
	require.NoError(t, err)
	require.NoError(t, check(formatted))
	for _, step := range []string{
		`{}`, `{"id":"a"}`, `{"id":"A","wait":"1d"}`, `{"id":"a","wait":"3 days"}`, `{"id":"a","wait":"1d","exit":"x"}`, `{"id":"a","send":{}}`,
		`{"id":"a","score":{"add":1.5}}`, `{"id":"a","exit":"x","next":"b"}`, `{"id":"a","split":[]}`, `{"id":"a","webhook":{"url":"ftp://x","event":"y"}}`,
		`{"id":"a","update":{"set":{"x":[1]}}}`, `{"id":"a","send":{"template":"x","class":"urgent"}}`, `{"id":"a","nothing":{}}`,
	} {
		source := []byte(`{"journey":"x","enter":{"event":"A"},"steps":[` + step + `,{"id":"end","exit":"x"}]}`)
		require.Error(t, check(source), step)
		_, problems := journey.Check(source, journey.Known{})
		require.True(t, fault.HasErrors(problems), step)
	}
	require.True(t, json.Valid(journey.Schema()))
}
