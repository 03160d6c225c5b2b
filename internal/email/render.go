package email

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"unicode"

	"github.com/matcornic/hermes/v2"
	"github.com/microcosm-cc/bluemonday"

	"throughline.dev/throughline/internal/fault"
)

// The texts that hermes would otherwise fill with its own.
const (
	troubleText     = "If the button “{ACTION}” does not work, copy this address into your browser:"
	unsubscribeText = "Unsubscribe"
)

// RenderOptions are what one sending adds to a template.
type RenderOptions struct {
	Subject        string // Liquid; replaces the template's subject, of whatever language, when not empty
	UnsubscribeURL string // marketing mail has one
}

// Renderer fills templates. Many goroutines may use it at once. hermes works once for each shape that mails have, and its forms are kept.
type Renderer struct {
	brand  Brand
	theme  theme
	policy *bluemonday.Policy
	links  *template.Template // writes an address as hermes does
	forms  *cache[*form]
	liquid *cache[parsedLiquid]
	err    error // of the brand: every rendering reports it
}

// NewRenderer makes a renderer. Check tells whether the brand is complete.
func NewRenderer(brand Brand) *Renderer {
	r := &Renderer{brand: brand, policy: markdownPolicy(), forms: newCache[*form](maxForms), liquid: newCache[parsedLiquid](maxSources)}
	if r.err = r.brand.check(); r.err == nil {
		r.theme, r.err = newTheme()
	}
	if r.err == nil {
		r.links, r.err = template.New("link").Parse(`<a href="{{ . }}">`)
	}
	return r
}

// Check tells what is wrong with the brand, so that a wrong configuration can show at start.
func (r *Renderer) Check() error { return r.err }

// markdownPolicy allows what a mail needs of HTML, and links that are complete.
func markdownPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "strong", "em", "b", "i", "u", "del", "code", "pre", "blockquote",
		"ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	return p
}

// Render fills a template for one contact. An error is a fault of kind Invalid; it names the field, never a value.
func (r *Renderer) Render(tpl Template, data Data, opts RenderOptions) (Rendered, error) {
	c, err := r.fill(tpl, data, opts)
	if err != nil {
		return Rendered{}, err
	}
	form, err := r.formOf(c)
	if err != nil {
		return Rendered{}, err
	}
	if form.by != "" {
		return r.generate(c)
	}
	return r.fillForm(form, c)
}

// fill applies Liquid to every field.
func (r *Renderer) fill(tpl Template, data Data, opts RenderOptions) (*content, error) {
	if r.err != nil {
		return nil, r.err
	}
	f := &filler{renderer: r, bindings: data.bindings(), brand: r.brand}
	tpl, f.prefix = tpl.in(tpl.Speaks(data.Contact.Locale))
	f.snippets = snippetBook{all: tpl.Snippets, locale: cmp.Or(tpl.Locale, data.Contact.Locale)}
	source := tpl.Subject
	if opts.Subject != "" {
		source = opts.Subject
	}
	c := &content{words: wordsOf(tpl.Locale, data.Contact.Locale), held: &values{}}
	c.subject = oneLine(f.text("/subject", source))
	if opts.UnsubscribeURL != "" {
		var err error
		if c.unsubscribe, err = checkLink(opts.UnsubscribeURL); err != nil {
			return nil, renderFault("/unsubscribe_url", err)
		}
	}
	if tpl.HTML != "" {
		return f.raw(tpl, c)
	}
	c.body, c.fixedTable = f.body(tpl.Body), fixedTable(tpl.Body.Table)
	c.preheader = oneLine(f.text("/preheader", tpl.Preheader))
	f.markdown("/body/markdown", tpl.Body.Markdown, c)
	if f.err != nil {
		return nil, f.err
	}
	if c.subject == "" {
		return nil, renderFault(f.prefix+"/subject", errSubject)
	}
	if c.body.Signature == "" {
		c.body.Signature = r.brand.Name
	}
	return c, nil
}

// raw fills HTML of the author.
func (f *filler) raw(tpl Template, c *content) (*content, error) {
	c.raw = true
	c.preheader = oneLine(f.text("/preheader", tpl.Preheader))
	f.bindings[unsubscribeName], f.names = c.unsubscribe, rawNames()
	f.markdown("/html", tpl.HTML, c)
	c.text = f.text("/text", tpl.Text)
	if f.err == nil && c.subject == "" {
		f.err = renderFault(f.prefix+"/subject", errSubject)
	}
	return c, f.err
}

// filler applies Liquid to each field and keeps the first error.
type filler struct {
	renderer *Renderer
	bindings map[string]any // of one mail: objects are asked for once
	brand    Brand
	prefix   string // of every path
	snippets snippetBook
	names    []string // of more variables
	err      error
}

// parsedLiquid is what became of a source.
type parsedLiquid struct {
	liquid   *Liquid // nil: it has problems
	problems []fault.Problem
}

func (f *filler) parse(path, source string) *Liquid {
	if f.err != nil || source == "" {
		return nil
	}
	source, problems := f.snippets.expand(source)
	if len(problems) > 0 {
		f.err = fault.WithProblems(ReasonRenderFailed, "The template has a snippet that can't be put in at "+f.prefix+path+".", at(f.prefix+path, problems))
		return nil
	}
	parsed := f.renderer.liquid.of(strings.Join(append(f.names, source), "\x00"), func() parsedLiquid {
		l, problems := parseLiquid(source, f.names)
		return parsedLiquid{l, problems}
	})
	if parsed.liquid == nil {
		f.err = fault.WithProblems(ReasonRenderFailed, "The template has a placeholder that is not valid at "+f.prefix+path+".", at(f.prefix+path, slices.Clone(parsed.problems)))
	}
	return parsed.liquid
}

// markdown holds the values back, so that a value is never Markdown nor HTML.
func (f *filler) markdown(path, source string, c *content) {
	l := f.parse(path, source)
	if l == nil {
		return
	}
	var err error
	if c.marked, c.held, err = l.renderHeld(f.bindings); err != nil {
		f.err = renderFault(f.prefix+path, err)
	}
}

func (f *filler) fill(path, source string, mode Mode) string {
	l := f.parse(path, source)
	if l == nil {
		return ""
	}
	out, err := l.render(mode, f.bindings)
	if err != nil {
		f.err = renderFault(f.prefix+path, err)
	}
	return newlines(out)
}

// newlines is what HTML makes of line ends and of NUL, which an author may have written.
func newlines(s string) string {
	if !strings.ContainsAny(s, "\r\x00") {
		return s
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD").Replace(s)
}

func (f *filler) text(path, source string) string { return f.fill(path, source, ModeText) }

func (f *filler) texts(path string, sources []string) []string {
	out := make([]string, 0, len(sources))
	for i, s := range sources {
		if line := f.text(fmt.Sprintf("%s/%d", path, i), s); strings.TrimSpace(line) != "" {
			out = append(out, line) // a sentence that an if took away leaves no gap
		}
	}
	return out
}

func (f *filler) link(path, source string) string {
	link, err := checkLink(f.fill(path, source, ModeLink))
	if err != nil && f.err == nil {
		f.err = renderFault(f.prefix+path, err)
	}
	return link
}

func (f *filler) body(b Body) hermes.Body {
	out := hermes.Body{
		Title:     f.text("/body/greeting", b.Greeting),
		Intros:    f.texts("/body/intros", b.Intros),
		Outros:    f.texts("/body/outros", b.Outros),
		Signature: f.text("/body/signature", b.Signature),
		Table:     f.table(b.Table),
	}
	for i, e := range b.Dictionary {
		path := fmt.Sprintf("/body/dictionary/%d", i)
		out.Dictionary = append(out.Dictionary, hermes.Entry{Key: f.text(path+"/key", e.Key), Value: f.text(path+"/value", e.Value)})
	}
	for i, a := range b.Actions {
		path := fmt.Sprintf("/body/actions/%d", i)
		button := hermes.Button{Text: f.text(path+"/button/text", a.Button.Text), Link: f.link(path+"/button/link", a.Button.Link)}
		// Colours go into a style attribute: what validation did not see does not get there.
		if colorPattern.MatchString(a.Button.Color) {
			button.Color = a.Button.Color
		}
		if colorPattern.MatchString(a.Button.TextColor) {
			button.TextColor = a.Button.TextColor
		}
		if button.Color == "" && f.brand.Color != "" {
			button.Color, button.TextColor = f.brand.button(button.TextColor)
		}
		out.Actions = append(out.Actions, hermes.Action{Instructions: f.text(path+"/instructions", a.Instructions), Button: button})
	}
	return out
}

func (f *filler) table(t *Table) hermes.Table {
	if t == nil || len(t.Columns) == 0 {
		return hermes.Table{}
	}
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = f.text(fmt.Sprintf("/body/table/columns/%d", i), c)
	}
	var out hermes.Table
	for i, row := range t.Rows {
		cells := make([]hermes.Entry, len(columns))
		for j, name := range columns {
			cells[j].Key = name
			if j < len(row) {
				cells[j].Value = f.text(fmt.Sprintf("/body/table/rows/%d/%d", i, j), row[j])
			}
		}
		out.Data = append(out.Data, cells)
	}
	return out
}

func fixedTable(t *Table) bool {
	if t == nil {
		return false
	}
	placeholder := func(s string) bool { return strings.Contains(s, "{{") || strings.Contains(s, "{%") }
	return !slices.ContainsFunc(t.Columns, placeholder) && !slices.ContainsFunc(t.Rows, func(row []string) bool { return slices.ContainsFunc(row, placeholder) })
}

func renderFault(path string, err error) error {
	return fault.Wrap(fault.Invalid, ReasonRenderFailed, "The template could not be rendered at "+path+".", err)
}

func at(path string, problems []fault.Problem) []fault.Problem {
	for i := range problems {
		problems[i].Path = path
	}
	return problems
}

// oneLine keeps a subject on its line, whatever a trait holds.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxSubject {
		s = string(runes[:maxSubject-1]) + "…"
	}
	return s
}
