package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	nethtml "golang.org/x/net/html"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

const rawPage = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ contact.evil }}</title>
<style>.a { color: #123456; content: "\2014" } @media (max-width: 600px) { .a { width: 100% } }</style>
<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]-->
</head><body bgcolor="#ffffff">
<!--[if (gte mso 9)|(IE)]><table width="600"><tr><td><a href="https://app.test/o?u={{ contact.evil }}">{{ contact.evil }}</a><![endif]-->
<table role="presentation" width="100%"><tr><td class=a style="mso-line-height-rule:exactly">Hello {{ contact.evil }}</td></tr></table>
{% if contact.vip %}<p>For {{ contact.first_name }} only</p>{% endif %}
<!--[if !mso]><!--><p>Others</p><!--<![endif]-->
<a href="{{ contact.url | default: 'https://app.test/' }}">whole</a> <a href=https://app.test/?q={{ contact.evil }}&amp;x=1>part</a>
<img src="https://app.test/a.png" alt="{{ contact.evil }}" width="10">
</body></html>`

func rawTemplate(html string) email.Template {
	return email.Template{Key: "raw", Subject: "s", HTML: html}
}

func rawData(evil string) email.Data {
	data := someData()
	data.Contact.Traits["evil"] = evil
	return data
}

func TestRawGolden(t *testing.T) {
	t.Parallel()
	tpl := rawTemplate(rawPage)
	tpl.Preheader = "Just & short"
	require.False(t, fault.HasErrors(email.ValidateTemplate(tpl)))
	out, err := renderer(t).Render(tpl, rawData(`"><img src=x onerror=alert(1)> & --> <![endif]-->`), unsubscribe())
	require.NoError(t, err)
	golden(t, "raw.html", out.HTML)
	golden(t, "raw.txt", out.Text)
}

// Whatever a value is, the page has the same elements with the same attributes, in and out of the comments that Outlook reads.
func TestRawValuesStayInTheirPlaces(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	shape := func(g require.TestingT, evil string) []string {
		out, err := r.Render(rawTemplate(rawPage), rawData(evil), unsubscribe())
		require.NoError(g, err)
		return elements(g, out.HTML)
	}
	want := shape(t, "x")
	rapid.Check(t, func(g *rapid.T) {
		require.Equal(g, want, shape(g, hostile().Draw(g, "evil")))
	})
}

func FuzzRaw(f *testing.F) {
	f.Add(rawPage)
	for _, page := range hostilePages() {
		f.Add(page)
	}
	r := renderer(f)
	f.Fuzz(func(t *testing.T, page string) {
		plain, err := r.Render(rawTemplate(page), rawData("x"), unsubscribe())
		if err != nil {
			return
		}
		out, err := r.Render(rawTemplate(page), rawData(`"'><script>alert(1)</script><!--`), unsubscribe())
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(elements(t, out.HTML)), len(elements(t, plain.HTML))+strings.Count(page, "{%")*len(page))
		for _, element := range elements(t, out.HTML) {
			name, attributes, _ := strings.Cut(element, " ")
			require.NotContains(t, []string{"script", "iframe", "form", "object", "embed", "svg", "math", "base", "link"}, name)
			for attribute := range strings.FieldsSeq(attributes) {
				require.False(t, strings.HasPrefix(attribute, "on"), element)
			}
		}
	})
}

// elements are those of a page with the names of their attributes, those that only Outlook sees among them.
func elements(t require.TestingT, page string) []string {
	var out []string
	z := nethtml.NewTokenizer(strings.NewReader(page))
	for kind := z.Next(); kind != nethtml.ErrorToken; kind = z.Next() {
		raw := string(z.Raw())
		token := z.Token()
		if kind == nethtml.CommentToken {
			if inner, ok := strings.CutPrefix(raw, "<!--[if"); ok && !strings.HasPrefix(token.Data, "[if !mso]><!") {
				out = append(out, elements(t, inner[strings.Index(inner, ">")+1:])...)
			}
		}
		if kind == nethtml.StartTagToken || kind == nethtml.SelfClosingTagToken {
			var names strings.Builder
			for _, a := range token.Attr {
				names.WriteString(" " + a.Key)
			}
			out = append(out, token.Data+names.String())
		}
	}
	return out
}

func hostilePages() []string {
	return []string{
		`<script>alert(1)</script>`, `<p onclick="x()">a</p>`, `<a href="javascript:alert(1)">x</a>`, `<a href=" java&#10;script:x">x</a>`, `<iframe src="https://x.test"></iframe>`, `<form action="https://x.test"><input name="a"></form>`,
		`<svg><script>x</script></svg>`, `<math><mtext><style><img src=x onerror=x>`, `<style>@import "https://x.test/a.css"</style>`, `<p style="width:expression(x)">`, `<p style="background:url(java\script:x)">`, `<meta http-equiv="refresh" content="0;url=https://x.test">`,
		`<base href="https://x.test/">`, `<link rel="stylesheet" href="https://x.test/a.css">`, `<img src="https://x.test/a.png" srcset="javascript:x">`, `<img src=x onerror=alert(1)>`, `<!--[if mso]><script>x</script><p onclick="x">a</p><![endif]-->`, `<object data="x"></object>`,
		`<noscript><p title="</noscript><img src=x onerror=x>"></noscript>`, `<{{ contact.evil }} x>`, `<a {{ contact.evil }}>x</a>`, `<a href={{ contact.evil }}>x</a>`, `<textarea><script>x</script></textarea>`, `<title><script>x</script></title>`, `<!--><script>x</script>-->`, `<!--[if mso]><!--><script>x</script>`, `<plaintext><script>x`,
	}
}

func TestWhatHasNoPlaceInAMailIsTakenOut(t *testing.T) {
	t.Parallel()
	for _, page := range hostilePages() {
		tpl := rawTemplate("<p>before</p>\n" + page)
		out, err := renderer(t).Render(tpl, rawData("x"), unsubscribe())
		if err != nil {
			continue // an address that is none
		}
		for _, bad := range []string{"onclick", "onerror", "javascript:", "java&#10;script", "<iframe", "<form", "<input", "<svg", "<math", "@import", "expression", "refresh", "<base", "<link", "srcset", "<object", "<noscript", "<textarea", "<plaintext"} {
			require.NotContains(t, strings.ToLower(out.HTML), bad, page)
		}
		if !strings.Contains(page, "<title") && !strings.HasPrefix(page, "<!--") {
			require.NotContains(t, out.HTML, "<script", page)
		}
		require.Contains(t, out.HTML, "before")
	}
	problems := email.ValidateTemplate(rawTemplate("<p>a</p>\n<script>x</script>\n<p onclick='x'>b</p>"))
	require.Equal(t, []string{"/html html_removed", "/html html_removed"}, codes(problems))
	require.Equal(t, "Line 2: <script> is taken out.", problems[0].Message)
	require.Equal(t, "Line 3: onclick of <p> is taken out.", problems[1].Message)
}

func TestARawMailSaysWhatTheLawWants(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	render := func(tpl email.Template, opts email.RenderOptions) email.Rendered {
		out, err := r.Render(tpl, rawData("x"), opts)
		require.NoError(t, err)
		return out
	}
	const link, address = "https://acme.test/u/v1.abc?x=1&amp;y=2", "1 Example Street, 10115 Berlin"
	out := render(rawTemplate("<html><body><p>Hi</p></body></html>"), unsubscribe())
	require.Equal(t, 1, strings.Count(out.HTML, link))
	require.Contains(t, out.HTML, address+"<br><a href=")
	require.True(t, strings.HasSuffix(out.HTML, "</p></body></html>"))
	require.Contains(t, out.Text, address)
	require.Contains(t, out.Text, "https://acme.test/u/v1.abc?x=1&y=2")

	out = render(rawTemplate(`<p>Hi, `+address+`</p><a href="{{ unsubscribe_url }}">Leave</a>`), unsubscribe())
	require.Equal(t, 1, strings.Count(out.HTML, link))
	require.Equal(t, 1, strings.Count(out.HTML, address))
	require.NotContains(t, out.HTML, "Unsubscribe")

	out = render(rawTemplate(`<p>{{ unsubscribe_url }}</p>`), unsubscribe())
	require.Contains(t, out.HTML, ">Unsubscribe</a>", "an address that is no link is not enough")

	out = render(rawTemplate("<p>Hi</p>"), email.RenderOptions{})
	require.NotContains(t, out.HTML, "Unsubscribe", "a transactional mail has no such link")

	tpl := rawTemplate("<p>Hi</p>")
	tpl.Text = "Hello {{ contact.first_name }} <b>"
	out = render(tpl, unsubscribe())
	require.Equal(t, "Hello Ana & <Bob> <b>\n\n--\n1 Example Street, 10115 Berlin\nUnsubscribe:\nhttps://acme.test/u/v1.abc?x=1&y=2\n", out.Text)
}

func TestValidateRaw(t *testing.T) {
	t.Parallel()
	for want, tpl := range map[string]email.Template{
		"/html html_with_body":                  {Key: "k", Subject: "s", HTML: "<p>a</p>", Body: email.Body{Intros: []string{"a"}}},
		"/html too_long":                        {Key: "k", Subject: "s", HTML: strings.Repeat("x", 201<<10)},
		"/html clipped":                         {Key: "k", Subject: "s", HTML: strings.Repeat("x", 103<<10)},
		"/html unknown_variable":                {Key: "k", Subject: "s", HTML: "{{ nobody }}"},
		"/html placeholder_in_style":            {Key: "k", Subject: "s", HTML: `<p style="color:{{ contact.stage }}">a</p>`},
		"/text text_without_html":               {Key: "k", Subject: "s", Text: "x", Body: email.Body{Intros: []string{"a"}}},
		"/text unknown_variable":                {Key: "k", Subject: "s", HTML: "<p>a</p>", Text: "{{ nobody }}"},
		"/body/intros/0 unknown_variable":       {Key: "k", Subject: "s", Body: email.Body{Intros: []string{"{{ unsubscribe_url }}"}}},
		"/locales/de/html placeholder_in_style": {Key: "k", Subject: "s", HTML: "<p>a</p>", Locale: "en", Locales: map[string]email.Localized{"de": {Subject: "s", HTML: "<style>{{ contact.stage }}</style>"}}},
	} {
		require.Equal(t, []string{want}, codes(email.ValidateTemplate(tpl)))
	}
}

func TestARawAddressIsAnAddress(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	tpl := rawTemplate(`<a href="{{ contact.evil }}">x</a>`)
	for value, want := range map[string]string{
		"https://x.test/?a=1&b=<": "", "javascript:alert(1)": "", "https://x.test/?a=1&b=2": `href="https://x.test/?a=1&amp;b=2"`, "mailto:a@b.test?x": `href="mailto:a%40b.test%3Fx"`, "": `href=""`,
	} {
		out, err := r.Render(tpl, rawData(value), email.RenderOptions{})
		require.Equal(t, want == "", err != nil, value)
		if want != "" {
			require.Contains(t, out.HTML, want)
		}
	}
}

func TestAPageThatCanNotBeMadeIsNoMail(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	for range 2 { // an error is one also when it is remembered
		_, err := r.Render(rawTemplate(`<p style="color:{{ contact.evil }}">x</p>`), rawData("red"), email.RenderOptions{})
		require.ErrorContains(t, err, "/html")
	}
}
