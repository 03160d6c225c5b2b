package email_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// Every text that a contact reads is held against the glossary, and no other: each language by its own terms.
func TestCheckWords(t *testing.T) {
	t.Parallel()
	const wrong = "team space"
	body := email.Body{
		Greeting: wrong, Intros: []string{"fine", wrong}, Dictionary: []email.Entry{{Key: wrong, Value: wrong}},
		Table: &email.Table{Columns: []string{wrong}, Rows: [][]string{{"fine"}, {wrong}}}, Outros: []string{wrong}, Signature: wrong, Markdown: wrong,
		Actions: []email.Action{{Instructions: wrong, Button: email.Button{Text: wrong, Link: "https://a.test/team space"}}},
	}
	tpl := email.Template{
		Key: "team-space", Subject: wrong, Preheader: wrong, Body: body, Locale: "en",
		Locales: map[string]email.Localized{"de": {Subject: "Mobiltelefon", Body: email.Body{Intros: []string{wrong}}}, "fr": {Subject: "Mobiltelefon"}},
	}
	glossary := audience.Glossary{Terms: []audience.GlossaryTerm{{Term: "workspace", Variants: []string{wrong}}, {Term: "Handy", Variants: []string{"Mobiltelefon"}, Locale: "de"}}}
	var paths []string
	for _, p := range email.CheckWords(tpl, glossary) {
		paths = append(paths, p.Path)
	}
	require.Equal(t, []string{
		"/subject", "/preheader", "/body/greeting", "/body/intros/1", "/body/dictionary/0/key", "/body/dictionary/0/value", "/body/table/columns/0", "/body/table/rows/1/0",
		"/body/actions/0/instructions", "/body/actions/0/button/text", "/body/outros/0", "/body/signature", "/body/markdown", "/locales/de/subject", "/locales/de/body/intros/0",
	}, paths)
}
