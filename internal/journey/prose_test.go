package journey_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// Texts for people are held against the glossary, with their place and their step: those of the handoff as well, which sales reads.
func TestWordsOfAJourney(t *testing.T) {
	t.Parallel()
	glossary := audience.Glossary{Terms: []audience.GlossaryTerm{{Term: "workspace", Variants: []string{"team space"}, Level: "error"}}}
	const document = `journey: words
name: Team space for all
enter: [{event: Team space}]
steps:
  - id: mail
    send: {template: welcome, subject: "Your team space, {{ contact.team_space }}", ai_subject: {brief: praise the team space}}
  - id: warm
    score: {add: 1, reason: opened a Team Space}
  - id: sales
    handoff: {why: wants a team space, won: mail2, lost: mail2, rejected: mail2}
  - id: mail2
    send: {template: welcome, subject: Your workspace}
`
	_, problems := journey.Check([]byte(document), journey.Known{Words: glossary.Lexicon("")})
	var found [][2]string
	for _, p := range problems {
		if p.Code == audience.CodeGlossary {
			require.Equal(t, "error", p.Level)
			require.Equal(t, "workspace", p.Replace.With)
			found = append(found, [2]string{p.Path, p.StepID})
		}
	}
	require.Equal(t, [][2]string{
		{"/name", ""}, {"/steps/0/send/ai_subject/brief", "mail"}, {"/steps/0/send/subject", "mail"}, {"/steps/1/score/reason", "warm"}, {"/steps/2/handoff/why", "sales"},
	}, found)
	_, problems = journey.Check([]byte(document), journey.Known{})
	require.False(t, slices.ContainsFunc(problems, func(p fault.Problem) bool { return p.Code == audience.CodeGlossary }))
}

// A new text field is either read by people, and then in Prose, or it is a name of something.
func TestEveryTextIsProseOrAName(t *testing.T) {
	t.Parallel()
	var fields []string
	var walk func(at string, list []journey.Field)
	walk = func(at string, list []journey.Field) {
		for _, f := range list {
			if f.Type == journey.FieldText {
				fields = append(fields, at+"/"+f.Name)
			}
			walk(at+"/"+f.Name, f.Fields)
		}
	}
	for _, kind := range journey.Kinds() {
		walk(string(kind.Kind), kind.Fields)
	}
	prose := []string{"send/subject", "send/ai_subject/brief", "score/reason", "handoff/why"}
	names := []string{"split/name", "webhook/event", "exit/reason", "send/window/days", "send/window/from", "send/window/until"}
	for _, f := range fields {
		require.True(t, slices.Contains(prose, f) || slices.Contains(names, f), "the text field %s is in neither list: add it to Definition.Prose, or say that it is a name", f)
	}
}
