// Package examples_test proves that the journeys that people will copy are right: they lint, every way through them is walked by
// somebody in their events, and their templates are there and sound.
package examples_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

func journeys(t *testing.T) map[string]*journey.Definition {
	t.Helper()
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(file string) bool { return file == "scoring.yaml" }) // a scoring model; internal/sales tests it
	require.Len(t, files, 4)
	all := map[string]*journey.Definition{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		def, problems := journey.Check(data, journey.Known{Templates: func(key string) bool {
			_, err := os.Stat(filepath.Join("templates", key+".yaml"))
			return err == nil
		}})
		require.Empty(t, problems, file)
		require.Equal(t, strings.TrimSuffix(file, ".yaml"), def.Journey)
		all[def.Journey] = def
	}
	return all
}

func TestExamplesUseEveryKind(t *testing.T) {
	t.Parallel()
	used := map[journey.Kind]bool{}
	for _, def := range journeys(t) {
		for _, s := range def.Steps {
			used[s.Kind] = true
		}
	}
	for _, spec := range journey.Kinds() {
		require.True(t, used[spec.Kind], "no example has a %s", spec.Kind)
	}
}

// Every port of every step is taken by somebody, every exit step is reached, and goal and exit events happen.
func TestEventsWalkEveryWay(t *testing.T) {
	t.Parallel()
	for key, def := range journeys(t) {
		trace := simulate(t, def)
		taken := map[string]bool{}
		for _, c := range trace.Contacts {
			for _, s := range c.Steps {
				if s.Kind == journey.TraceIgnored {
					require.Fail(t, "a line does nothing", "%s: %s at %s", key, c.User, s.At)
				}
				taken[s.Step+":"+s.Outcome] = true
			}
		}
		plan, err := journey.Compile(def)
		require.NoError(t, err)
		for _, id := range slices.Sorted(maps.Keys(plan.Steps)) {
			for _, port := range slices.Sorted(maps.Keys(plan.Steps[id].Ports)) {
				require.True(t, taken[id+":"+port], "%s: nobody leaves %s by %s", key, id, port)
			}
			if plan.Steps[id].Kind == journey.KindExit {
				require.True(t, taken[id+":completed"], "%s: nobody ends at %s", key, id)
			}
		}
		var outcomes []string
		for _, c := range trace.Contacts {
			for _, s := range c.Steps {
				outcomes = append(outcomes, s.Outcome)
			}
		}
		require.Contains(t, outcomes, "goal", "%s: nobody reaches the goal", key)
		require.Contains(t, outcomes, "exit", "%s: nobody leaves by an exit event", key)
	}
}

// The whole walk is kept, so that a change of the language shows what it does to people.
func TestTracesAreGolden(t *testing.T) {
	t.Parallel()
	for key, def := range journeys(t) {
		var text strings.Builder
		require.NoError(t, journey.WriteText(&text, simulate(t, def)))
		golden := filepath.Join("testdata", key+".trace.golden")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			require.NoError(t, os.WriteFile(golden, []byte(text.String()), 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err, "write it with UPDATE_GOLDEN=1")
		require.Equal(t, string(want), text.String(), key)
	}
}

func simulate(t *testing.T, def *journey.Definition) journey.Trace {
	t.Helper()
	file, err := os.Open(def.Journey + ".events.jsonl")
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // read only
	events, problems := journey.DecodeSimEvents(file)
	require.Empty(t, problems, def.Journey)
	trace, err := journey.Simulate(def, events, journey.SimOptions{})
	require.NoError(t, err)
	return trace
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, def := range journeys(t) {
		for _, s := range def.Steps {
			if s.Send != nil {
				used[s.Send.Template] = true
			}
		}
	}
	files, err := filepath.Glob("templates/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, len(used))
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		template, problems := email.DecodeTemplate(data)
		require.Empty(t, problems, file)
		require.Empty(t, email.ValidateTemplate(template), file)
		require.Equal(t, strings.TrimSuffix(filepath.Base(file), ".yaml"), template.Key)
		require.True(t, used[template.Key], "no example sends %s", template.Key)
		for _, a := range template.Body.Actions {
			require.True(t, strings.HasPrefix(a.Button.Link, "https://example.com/"), file)
		}
		require.NotContains(t, fmt.Sprint(template), "!", "%s: calm texts have no exclamation marks", file)
	}
}
