package email_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

const welcomeYAML = `
key: welcome
subject: "Welcome, {{ contact.first_name | default: 'there' }}"
preheader: Three steps to your first project
body:
  greeting: "Hi {{ contact.first_name | default: 'there' }},"
  intros: ["Thanks for trying {{ company.name | default: 'us' }}."]
  dictionary:
    - {key: Plan, value: "{{ event.plan | default: 'Trial' }}"}
  table:
    columns: [Step, Minutes]
    rows: [[Create a project, 2], [Invite your team, 3.5]]
  actions:
    - instructions: "Start here:"
      button: {text: Create a project, link: "https://app.example.com/new?u={{ contact.id }}", color: "#2266cc", text_color: "#fff"}
  outros: [Just reply when you are stuck.]
  signature: The team
`

func codes(problems []fault.Problem) []string {
	out := []string{}
	for _, p := range problems {
		out = append(out, p.Path+" "+p.Code)
	}
	return out
}

func decode(t testing.TB, source string) email.Template {
	t.Helper()
	tpl, problems := email.DecodeTemplate([]byte(source))
	require.Empty(t, problems)
	return tpl
}

func TestDecodeTemplate(t *testing.T) {
	t.Parallel()
	tpl := decode(t, welcomeYAML)
	require.Equal(t, "welcome", tpl.Key)
	require.Equal(t, [][]string{{"Create a project", "2"}, {"Invite your team", "3.5"}}, tpl.Body.Table.Rows)
	require.Equal(t, "#fff", tpl.Body.Actions[0].Button.TextColor)
	require.Empty(t, email.ValidateTemplate(tpl))
	asJSON, err := json.Marshal(tpl)
	require.NoError(t, err)
	require.Equal(t, tpl, decode(t, string(asJSON)), "YAML and JSON are the same model")
}

func TestDecodeTemplateProblems(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][]string{
		"":                          {" bad_document"},
		"- a":                       {" bad_document"},
		"just text":                 {" bad_document"},
		"{":                         {" bad_document"},
		"a: 1\n---\nb: 2":           {" bad_document"},
		"key: [x]\nsubject: {a: 1}": {"/key bad_type", "/subject bad_type"},
		"key: x\nkeys: y\nbody: {intro: a, a/b~c: 1, intros: a, actions: [{button: {href: x}}]}": {
			"/body/a~1b~0c unknown_field", "/body/actions/0/button/href unknown_field", "/body/intro unknown_field", "/body/intros bad_type", "/keys unknown_field"},
		"key: &a x\nsubject: *a":               {" alias"},
		"key: " + strings.Repeat("[", 1000):    {" too_deep"},
		strings.Repeat("- ", 1000) + "x":       {" too_deep"},
		"key: " + strings.Repeat("x", 256<<10): {" too_large"},
		"key: a\nkey: b":                       {" bad_document"},
	} {
		_, problems := email.DecodeTemplate([]byte(source))
		require.Equal(t, want, codes(problems), "%.60s", source)
	}
}

func TestValidateTemplate(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"/key bad_key", "/subject required", "/body empty_body"}, codes(email.ValidateTemplate(email.Template{})))
	bad := email.Template{
		Key: "Wel come", Subject: "Hi {{ contact.name | shout }}\n", Preheader: strings.Repeat("x", 300),
		Body: email.Body{
			Greeting: "{% if x %}", Intros: []string{"ok", "{{ contact.a }}", "\xff"},
			Dictionary: []email.Entry{{Value: "x"}}, Table: &email.Table{Columns: []string{"a", ""}, Rows: [][]string{{"1"}}},
			Actions: []email.Action{
				{Button: email.Button{Link: "javascript:alert(1)", Color: "#22BC66;background:url(x)", TextColor: "red"}},
				{Button: email.Button{Text: "x", Link: "https://example.com{{ contact.host | default: '' }}"}},
				{Button: email.Button{Text: "x", Link: "https://user:pass@example.com"}},
				{Button: email.Button{Text: "x", Link: "//example.com/{{ contact.id }}"}},
				{Button: email.Button{Text: "x", Link: "{{ event.url }}"}},
			},
			Markdown: "# hi",
		},
	}
	require.Equal(t, []string{
		"/key bad_key", "/subject unknown_filter", "/subject missing_default", "/subject line_break", "/preheader too_long",
		"/body/greeting unknown_variable", "/body/greeting liquid_unclosed", "/body/intros/1 missing_default", "/body/intros/2 bad_encoding",
		"/body/dictionary/0/key required", "/body/table/columns/1 required", "/body/table/rows/0 row_width",
		"/body/actions/0/button/text required", "/body/actions/0/button/link bad_link", "/body/actions/0/button/color bad_color", "/body/actions/0/button/text_color bad_color",
		"/body/actions/1/button/link link_host", "/body/actions/2/button/link bad_link", "/body/actions/3/button/link bad_link",
		"/body/markdown markdown_with_blocks",
	}, codes(email.ValidateTemplate(bad)))
	long := decode(t, welcomeYAML)
	long.Body.Intros = make([]string, 51)
	require.Equal(t, []string{"/body/intros too_many"}, codes(email.ValidateTemplate(long)))
}

func FuzzDecodeTemplate(f *testing.F) {
	f.Add([]byte(welcomeYAML))
	f.Add([]byte(`{"key":"x","body":{"table":{"rows":[["1"]]}}}`))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tpl, problems := email.DecodeTemplate(data)
		if len(problems) > 0 {
			require.Equal(t, email.Template{}, tpl)
			return
		}
		out, err := json.Marshal(tpl)
		require.NoError(t, err)
		if len(out) < email.MaxTemplateSource && !fault.HasErrors(email.ValidateTemplate(tpl)) {
			again, problems := email.DecodeTemplate(out)
			require.Empty(t, problems)
			require.Equal(t, email.ValidateTemplate(tpl), email.ValidateTemplate(again))
		}
	})
}
