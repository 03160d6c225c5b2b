package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// hostile are values that mean something to HTML, to Markdown, to Liquid, to text, or to the forms themselves.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"", " ", "\n", "\n\n x", "<script>alert(1)</script>", `"quoted" & 'so'`, "a & b", "a&amp;b", "&lt;", "line\nbreak\r\nand\rmore", "x\x00y", "مرحبا بك", "👩‍👩‍👧 \u202ertl", "{{ contact.x }}", "{% if x %}",
			"tlslot0q", "tlslot12xxq", "tlvalue0q", "tloutlook0q", "tloutlookx0q", "--> <b>", "--!>", "<!--[if mso]>", "<![endif]-->", "]]>", "+1 (555) 0100", "https://evil.test/?a=b&c=d", "javascript:alert(1)", "a|b|c", "* x\n* y",
			"\u2028\u2029\u00a0x\u00a0", ".hidden", " .", strings.Repeat("long ", 30), "ÅÄÖ ß", "{ACTION}", "\ufeff", "</p></td>", "`code`", "[x](http://y.test)", "a\tb", "\xff\xfe",
		}),
		rapid.StringMatching("[<>&\"'`*_#\\[\\](){}%!:/.a-z é\n|+-]{0,40}"),
		rapid.String(),
	)
}

// sources are fields as an author may write them, given what a place is for.
func field(g *rapid.T, label string) string {
	return rapid.OneOf(
		hostile().Filter(func(s string) bool { return !strings.Contains(s, "{{") && !strings.Contains(s, "{%") }),
		rapid.SampledFrom([]string{
			"Plain words", "Hi {{ contact.a | default: 'there' }},", "{{ contact.a }}", "{{ contact.b }} & <{{ contact.c }}>", "{% if contact.a %}For {{ contact.b }}{% endif %}", "{{ company.name | upcase }}: {{ event.list | join: ', ' }}",
			"{% for x in event.list %}{{ x }} {% endfor %}", "{% assign q = contact.a | append: 'z' %}{{ q }}", "{{ object.plan.name }}", " {{- contact.c -}} ",
		}),
	).Draw(g, label)
}

func link(g *rapid.T, label string) string {
	return rapid.SampledFrom([]string{"https://app.test/", "https://app.test/?u={{ contact.a }}&v=1#x", "https://app.test/{{ contact.b }}/(é)'x", "{{ contact.url }}", "http://app.test/a,b;c=d/%7Ex?q={{ contact.c | url_encode }}"}).Draw(g, label)
}

func fields(g *rapid.T, label string, most int) []string {
	out := make([]string, rapid.IntRange(0, most).Draw(g, label+" count"))
	for i := range out {
		out[i] = field(g, label)
	}
	return out
}

func markdownSource(g *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom([]string{
			"# Hi {{ contact.a }}", "## {{ contact.b }}\n\nText {{ contact.c }} here.", "- one {{ contact.a }}\n- two", "> quoted {{ contact.a }} and a long line of words that goes on and on until it has to be broken somewhere",
			"**{{ contact.a }}** *{{ contact.b }}* `{{ contact.c }}`", "[{{ contact.a }}](https://x.test/?q={{ contact.b }})", "![{{ contact.a }}](https://x.test/{{ contact.b }}.png)", "```\n{{ contact.c }}\n```", "    {{ contact.c }}",
			"| a | b |\n|---|---|\n| {{ contact.a }} | {{ contact.b }} |", "<pre>{{ contact.a }}</pre>", "<table>{{ contact.a }}<tr><td>{{ contact.b }}</td></tr></table>", "{% if contact.a %}Only for {{ contact.a }}.{% else %}---{% endif %}",
			"{% for x in event.list %}\n- {{ x }}\n{% endfor %}", "<p>{{ contact.a }}<p>{{ contact.b }}", "tlvalue0q and tlvalue99q", "<https://x.test/{{ contact.a }}>", "<a href=\"{{ contact.url }}\">{{ contact.url }}</a>", "[r]: https://x.test/{{ contact.a }}\n\n[one][r] [two][r]",
			"Static *words* only", "> <table><tr><td>quoted</td></tr></table>", "| a | b |\n|---|---|\n| fixed | table |", "- x\n\n  <table><tr><td>y</td></tr></table>", "<b>{{ contact.a }}", "<h1>{{ contact.a }}</h1>", "tlslot1q",
		}),
	), 1, 4).Draw(g, "markdown"), "\n\n")
}

func drawTemplate(g *rapid.T) email.Template {
	t := email.Template{Key: "drawn", Subject: "s {{ contact.a }}", Preheader: field(g, "preheader")}
	b := &t.Body
	b.Greeting, b.Signature = field(g, "greeting"), field(g, "signature")
	b.Intros, b.Outros = fields(g, "intro", 3), fields(g, "outro", 3)
	for range rapid.IntRange(0, 2).Draw(g, "entries") {
		b.Dictionary = append(b.Dictionary, email.Entry{Key: field(g, "key"), Value: field(g, "value")})
	}
	for range rapid.IntRange(0, 2).Draw(g, "actions") {
		b.Actions = append(b.Actions, email.Action{Instructions: field(g, "instructions"), Button: email.Button{
			Text: field(g, "button"), Link: link(g, "link"), Color: rapid.SampledFrom([]string{"", "#123456"}).Draw(g, "color"),
		}})
	}
	if rapid.Bool().Draw(g, "table") {
		b.Table = &email.Table{Columns: []string{"A", "B"}, Rows: [][]string{{"one", "{% comment %}x{% endcomment %}"}}}
	} else if rapid.Bool().Draw(g, "fixed table") {
		b.Table = &email.Table{Columns: []string{"A", "long words " + strings.Repeat("here ", 10)}, Rows: [][]string{{"one", "2"}, {"tlvalue0q"}}}
	} else {
		b.Table = &email.Table{Columns: []string{field(g, "column"), "B"}, Rows: [][]string{{field(g, "cell"), field(g, "cell")}, {field(g, "cell")}}}
	}
	if rapid.IntRange(0, 2).Draw(g, "with markdown") == 0 {
		b.Markdown = markdownSource(g)
	}
	if rapid.IntRange(0, 3).Draw(g, "with locales") == 0 {
		t.Locale = "en"
		t.Locales = map[string]email.Localized{"de": {Subject: "s", Preheader: field(g, "preheader"), Body: *b}, "ar": {Subject: "s", Body: email.Body{Intros: fields(g, "intro", 2), Table: b.Table}}}
	}
	return t
}

func drawData(g *rapid.T) email.Data {
	values := map[string]any{}
	for _, name := range []string{"a", "b", "c"} {
		values[name] = hostile().Draw(g, name)
	}
	values["url"] = rapid.SampledFrom([]string{"https://app.test/p/1?a=b&c=d", "http://é.test/ü?q=ß", "https://app.test/%zz'()*"}).Draw(g, "url")
	return email.Data{
		Contact: audience.Contact{ID: "c", Email: "c@example.test", Locale: rapid.SampledFrom([]string{"", "de", "fr-CA", "ar"}).Draw(g, "locale"), Traits: values},
		Event:   map[string]any{"list": []any{hostile().Draw(g, "item"), "b"}},
		Company: map[string]any{"name": hostile().Draw(g, "company")},
		Object:  func(string) map[string]any { return map[string]any{"name": values["b"]} },
	}
}

// What a form gives is what hermes gives, to the byte, whatever the template and the values are.
func TestAFormGivesWhatHermesGives(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	rapid.Check(t, func(g *rapid.T) {
		tpl := drawTemplate(g)
		opts := rapid.SampledFrom([]email.RenderOptions{{}, unsubscribe()}).Draw(g, "options")
		for range 3 { // of one shape, mostly: the form is made for the first
			same(g, r, tpl, drawData(g), opts)
		}
	})
}

// FuzzForm is the same with one value that a machine makes up.
func FuzzForm(f *testing.F) {
	r, blocks, markdown := renderer(f), decode(f, welcomeYAML), decode(f, markdownYAML)
	blocks.Body.Intros = append(blocks.Body.Intros, "{{ contact.evil }}")
	blocks.Body.Actions[0].Button.Text = "Go {{ contact.evil }}"
	blocks.Body.Table.Rows[0][0] = "{{ contact.evil }}"
	for _, value := range []string{"", "<b>&\"'", "tlslot3q", "tlvalue0q", "{{ x }}", "-->", "\r\n", "مرحبا", "👩‍👩‍👧", "a|b"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		data := someData()
		data.Contact.Traits["evil"], data.Contact.Traits["first_name"] = value, value
		same(t, r, blocks, data, unsubscribe())
		same(t, r, markdown, data, unsubscribe())
	})
}

// Outlook reads what stands in comments as HTML.
func TestOutlookGetsNoMarkupFromValues(t *testing.T) {
	t.Parallel()
	tpl := decode(t, welcomeYAML)
	tpl.Body.Actions[0].Button.Text = "Go {{ contact.evil }}"
	data := someData()
	data.Contact.Traits["evil"] = "<img src=x> --> & <![endif]-->"
	for _, render := range []way{(*email.Renderer).Render, email.RenderByHermes} {
		out, err := render(renderer(t), tpl, data, email.RenderOptions{})
		require.NoError(t, err)
		_, comment, _ := strings.Cut(out.HTML, "<center")
		comment, _, _ = strings.Cut(comment, "</center>")
		require.Contains(t, comment, "Go &lt;img src=x&gt; --&gt; &amp; &lt;![endif]--&gt;")
	}
}

// Where a value could change the page around it, hermes makes each mail, and saving says so.
func TestSomeMarkdownHasNoForm(t *testing.T) {
	t.Parallel()
	for source, why := range map[string]string{
		"Hi {{ contact.a }}, [you](https://x.test/{{ contact.b }})\n\n| {{ contact.a }} |\n|---|\n| x |": "",
		"{% for x in event.list %}- {{ x }}\n{% endfor %}":                                               "",
		"<pre>{{ contact.a }}</pre>":                                                                     "odd place",
		"<table>{{ contact.a }}<tr><td>x</td></tr></table>":                                              "odd place",
		"tlslot3q {{ contact.a }}":                                                                       "look like",
	} {
		tpl := email.Template{Key: "k", Subject: "s", Body: email.Body{Markdown: source}}
		by, err := email.FormBy(renderer(t), tpl, someData(), email.RenderOptions{})
		require.NoError(t, err)
		require.Contains(t, by, why, source)
		require.Equal(t, why == "", by == "", "%s: %s", source, by)
		slow := false
		for _, p := range email.ValidateTemplate(tpl) {
			slow = slow || p.Code == "slow_mail" && p.Path == "/body/markdown" && p.Level == "warning"
		}
		require.Equal(t, why != "", slow, source)
	}
}

func same(t require.TestingT, r *email.Renderer, tpl email.Template, data email.Data, opts email.RenderOptions) {
	want, wantErr := email.RenderByHermes(r, tpl, data, opts)
	got, err := r.Render(tpl, data, opts)
	require.Equal(t, wantErr == nil, err == nil, "%v %v", wantErr, err)
	if wantErr != nil {
		require.Equal(t, wantErr.Error(), err.Error())
		return
	}
	require.Equal(t, want.Subject, got.Subject)
	require.Equal(t, want.Text, got.Text)
	sameLine(t, want.HTML, got.HTML)
}

// sameLine fails with the first line that differs, and not with two whole pages.
func sameLine(t require.TestingT, want, got string) {
	theirs, ours := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(theirs), len(ours)) {
		require.Equal(t, theirs[i], ours[i], "line %d", i+1)
	}
	require.Len(t, ours, len(theirs))
}
