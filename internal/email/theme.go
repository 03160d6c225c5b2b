package email

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/matcornic/hermes/v2"
)

// theme is hermes' default theme with what it lacks: a preheader, words for the logo, a greeting that may be left out, sanitised markdown, the
// postal address and the unsubscribe link. The templates reach the fields below as .Hermes.Theme.
//
// It must stay a plain struct, passed by value: hermes merges its default theme into a pointer and panics over the fields.
type theme struct {
	html, text string

	Preheader       string
	Content         template.HTML // markdown, rendered and sanitised
	Address         string
	UnsubscribeText string
	UnsubscribeURL  string
	Language        string   // empty: not known
	Start           string   // left, or right where lines begin there
	Outlook         []string // what stands for the texts of the buttons in the comments that only Outlook reads
}

func (t theme) Name() string              { return "throughline" }
func (t theme) HTMLTemplate() string      { return t.html }
func (t theme) PlainTextTemplate() string { return t.text }

// newTheme patches the HTML of the default theme. hermes is frozen; a patch that does not fit is an error at start and not a wrong mail.
func newTheme() (theme, error) {
	html := new(hermes.Default).HTMLTemplate()
	for _, p := range themePatches() {
		if strings.Count(html, p.old) != p.times {
			return theme{}, fmt.Errorf("patch the mail theme: %q is not there %d time(s)", p.old, p.times)
		}
		html = strings.ReplaceAll(html, p.old, p.new)
	}
	return theme{html: html, text: plainTheme}, nil
}

type themePatch struct {
	old, new string
	times    int
}

func themePatches() []themePatch {
	const body = `<body dir="{{.Hermes.TextDirection}}">`
	return []themePatch{
		{`<html xmlns="http://www.w3.org/1999/xhtml">`, `<html xmlns="http://www.w3.org/1999/xhtml"{{ with .Hermes.Theme.Language }} lang="{{ . }}"{{ end }}>`, 1},
		// Greys that can be read on what is behind them: 4.5 to 1 at least, by WCAG 2, level AA. The postal address had 2 to 1.
		{`#74787E`, `#51545E`, 4},
		{`#9BA2AB`, `#62656D`, 2},
		{`#AEAEAE`, `#62656D`, 1},
		{`text-align: left;`, `text-align: {{ .Hermes.Theme.Start }};`, 1},
		{body, body + `
  {{ with .Hermes.Theme.Preheader }}<span style="display:none;font-size:1px;color:#F2F4F6;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all">{{ . }}</span>{{ end }}`, 1},
		{`class="email-logo" />`, `class="email-logo" alt="{{.Hermes.Product.Name}}" />`, 1}, // what is seen and read where no image is loaded
		{`<h1>{{if .Email.Body.Title }}{{ .Email.Body.Title }}{{ else }}{{ .Email.Body.Greeting }} {{ .Email.Body.Name }},{{ end }}</h1>`,
			`{{ with .Email.Body.Title }}<h1>{{ . }}</h1>{{ end }}`, 1},
		{`{{ if (ne .Email.Body.FreeMarkdown "") }}`, `{{ if .Hermes.Theme.Content }}`, 1},
		{`{{ .Email.Body.FreeMarkdown.ToHTML }}`, `{{ .Hermes.Theme.Content }}`, 1},
		{`<p>{{ $action.Instructions }}</p>`, `{{ with $action.Instructions }}<p>{{ . }}</p>{{ end }}`, 1},
		// hermes would print the text as it is within the comment, where Outlook takes it for HTML: something else stands for it; see marks.
		{`{{ range $action := . }}`, `{{ range $i, $action := . }}`, 2},
		{`{{ $action.Button.Text }}
                                    </center>`, `{{ index $.Hermes.Theme.Outlook $i }}
                                    </center>`, 1},
		{`<p>
                      {{.Email.Body.Signature}},
                      <br />
                      {{.Hermes.Product.Name}}
                    </p>`, `<p>{{.Email.Body.Signature}}</p>`, 1},
		{`<p class="sub center">
                      {{.Hermes.Product.Copyright}}
                    </p>`, `<p class="sub center">{{.Hermes.Product.Copyright}}</p>
                    {{ with .Hermes.Theme.Address }}<p class="sub center">{{ . }}</p>{{ end }}
                    {{ with .Hermes.Theme.UnsubscribeURL }}<p class="sub center"><a href="{{ . }}">{{ $.Hermes.Theme.UnsubscribeText }}</a></p>{{ end }}`, 1},
	}
}

// plainTheme is the text part, as the simple HTML that hermes turns into text. Links stand alone on their line, so that
// nothing sticks to them.
const plainTheme = `{{ with .Email.Body.Title }}<p>{{ . }}</p>{{ end }}
{{ range .Email.Body.Intros }}<p>{{ . }}</p>{{ end }}
{{ if .Hermes.Theme.Content }}{{ .Hermes.Theme.Content }}{{ else }}
{{ with .Email.Body.Dictionary }}<ul>{{ range . }}<li>{{ .Key }}: {{ .Value }}</li>{{ end }}</ul>{{ end }}
{{ with .Email.Body.Table.Data }}<table>
<tr>{{ range index . 0 }}<th>{{ .Key }}</th>{{ end }}</tr>
{{ range . }}<tr>{{ range . }}<td>{{ .Value }}</td>{{ end }}</tr>{{ end }}
</table>{{ end }}
{{ range .Email.Body.Actions }}<p>{{ with .Instructions }}{{ . }}<br>{{ end }}{{ .Button.Text }}:<br>{{ .Button.Link }}</p>{{ end }}
{{ end }}
{{ range .Email.Body.Outros }}<p>{{ . }}</p>{{ end }}
<p>{{.Email.Body.Signature}}</p>
<p>--<br>{{.Hermes.Product.Copyright}}{{ with .Hermes.Theme.Address }}<br>{{ . }}{{ end }}{{ with .Hermes.Theme.UnsubscribeURL }}<br>{{ $.Hermes.Theme.UnsubscribeText }}:<br>{{ . }}{{ end }}</p>
`
