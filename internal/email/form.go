package email

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"

	"github.com/matcornic/hermes/v2"
	nethtml "golang.org/x/net/html"
)

// form is a mail that hermes made once, with slots where one contact's differs from another's.
type form struct {
	err  error  // why there is none, and no mail either
	by   string // why hermes has to make these mails from the beginning; empty: it has not
	html []segment
	size int // bytes of the fixed text
	text *textForm
}

// segment is fixed text with a slot behind it.
type segment struct {
	fixed string
	slot  slot
}

// slotPlace says how a value is written there.
type slotPlace int

const (
	placeNone    slotPlace = iota // behind the last segment is no slot
	placeText                     // between tags
	placeComment                  // between the tags of a comment that Outlook reads
	placeHref                     // a whole address in an attribute
	placeHrefComment
	placeLinkPart  // within an address of the author
	placeAddress   // an address that is all the data's, in HTML of the author
	placeAttribute // in another attribute
)

// slot is a place for a piece, or for a value of the Markdown.
type slot struct {
	place slotPlace
	index int
	value bool // of the Markdown
}

var slotPattern = regexp.MustCompile(`tl(slot|value)(\d{1,6})x*q`)

// slotOf reads the mark that slotPattern found.
func slotOf(match []string) slot {
	index, err := strconv.Atoi(match[2])
	if err != nil {
		return slot{} // six digits are a number
	}
	return slot{index: index, value: match[1] == "value"}
}

// formOf finds the form of a content's shape, or has hermes make it.
func (r *Renderer) formOf(c *content) (*form, error) {
	pieces := c.pieces()
	f := r.forms.of(c.shape(pieces), func() *form {
		f, err := r.makeForm(c, pieces)
		if err != nil {
			return &form{err: err}
		}
		return f
	})
	return f, f.err
}

// makeForm has hermes make the mail with a mark in each place, and takes it apart there.
func (r *Renderer) makeForm(c *content, pieces []piece) (*form, error) {
	if c.raw {
		return r.makeRawForm(c)
	}
	mail := r.markdown(c)
	words := append(c.fixedCells(), r.brand.Name, r.brand.Link, r.brand.Logo, r.brand.Copyright, r.brand.Address)
	if strings.Contains(mail, slotMark) || slotPattern.MatchString(strings.Join(words, " ")) {
		return &form{by: "its words look like the marks of a form"}, nil
	}
	marked := c.slotted(pieces)
	outlook := make([]string, len(marked.body.Actions))
	for i, a := range marked.body.Actions {
		outlook[i] = a.Button.Text
	}
	t := r.themeOf(marked, mail, outlook)
	source, err := r.hermes(c.words, t).GenerateHTML(hermes.Email{Body: marked.body})
	if err != nil {
		return nil, renderFault("/body", err)
	}
	plain := t
	plain.html = t.text // the text part is HTML, too, until the last moment
	plainSource, err := r.hermes(c.words, plain).GenerateHTML(hermes.Email{Body: marked.body})
	if err != nil {
		return nil, renderFault("/body", err)
	}
	f := &form{html: segments(source), size: len(source)}
	if f.text, err = newTextForm(plainSource); err != nil {
		return nil, renderFault("/body", err)
	}
	if len(c.held.list) > 0 {
		f.by = r.tryForm(f, c)
	}
	return f, nil
}

// slowMarkdown says why mails of a Markdown have no form. It looks at what somebody gets of whom nothing is known; empty: they have, or what is
// wrong is said elsewhere.
func slowMarkdown(source string, snippets map[string]Snippet) string {
	if !strings.Contains(source, "{{") && !strings.Contains(source, slotMark) && !mayRender(source) {
		return ""
	}
	r := NewRenderer(Brand{Name: "-", Link: "https://example.com"})
	c, err := r.fill(Template{Subject: "-", Body: Body{Markdown: source}, Snippets: snippets}, Data{}, RenderOptions{})
	if err != nil {
		return ""
	}
	f, err := r.formOf(c)
	if err != nil {
		return ""
	}
	return f.by
}

// tryForm fills a form whose slots stand in an author's Markdown with values that change a page when they stand in the wrong place, and
// tells whether hermes makes the same.
func (r *Renderer) tryForm(f *form, c *content) string {
	for _, probe := range []string{"", " \n", "\n<b a='x'>&amp;\"</b>--> "} {
		trial := *c
		trial.held = &values{list: make([]string, len(c.held.list))}
		for i := range trial.held.list {
			trial.held.list[i] = probe
		}
		want, err := r.generate(&trial)
		if err != nil {
			return "hermes failed"
		}
		if got, err := r.fillForm(f, &trial); err != nil || got != want {
			return "a placeholder stands in an odd place of the Markdown"
		}
	}
	return ""
}

// segments cuts a page at its marks. What is written there depends on what stands around it.
func segments(source string) []segment {
	var out []segment
	fixed, at := 0, 0
	z := nethtml.NewTokenizer(strings.NewReader(source))
	for kind := z.Next(); kind != nethtml.ErrorToken; kind = z.Next() {
		raw := string(z.Raw())
		for _, m := range slotPattern.FindAllStringSubmatchIndex(raw, -1) {
			s := slotOf([]string{raw[m[0]:m[1]], raw[m[2]:m[3]], raw[m[4]:m[5]]})
			s.place = placeOf(kind, s.value, strings.HasSuffix(raw[:m[0]], `href="`))
			out = append(out, segment{source[fixed : at+m[0]], s})
			fixed = at + m[1]
		}
		at += len(raw)
	}
	return append(out, segment{fixed: source[fixed:]})
}

func placeOf(kind nethtml.TokenType, value, href bool) slotPlace {
	switch {
	case kind == nethtml.CommentToken && href:
		return placeHrefComment
	case kind == nethtml.CommentToken:
		return placeComment
	case kind == nethtml.TextToken:
		return placeText
	case value:
		return placeLinkPart
	default:
		return placeHref
	}
}

// fillForm writes a content into its form.
func (r *Renderer) fillForm(f *form, c *content) (Rendered, error) {
	out := Rendered{Subject: c.subject, Locale: c.words.language}
	pieces := c.pieces()
	var b strings.Builder
	b.Grow(f.size + f.size/4)
	size := 0
	for _, s := range f.html {
		b.WriteString(s.fixed)
		if s.slot.place == placeNone {
			continue
		}
		value, ok := s.slot.of(pieces, c.held)
		if s.slot.value && ok {
			if size += len(value); size > MaxLiquidOutput {
				return out, renderFault("/body/markdown", errLiquidOutput)
			}
		}
		if err := r.write(&b, s.slot.place, value); err != nil {
			return out, err
		}
	}
	out.HTML = b.String()
	text, err := r.textOf(f, c, pieces)
	if err != nil {
		return out, renderFault("/body", err)
	}
	out.Text = strings.TrimSpace(text) + "\n"
	return out, nil
}

func (r *Renderer) textOf(f *form, c *content, pieces []piece) (string, error) {
	if c.raw {
		return r.rawText(f, c)
	}
	return f.text.fill(pieces, c.held)
}

// of is what goes into a slot.
func (s slot) of(pieces []piece, held *values) (string, bool) {
	switch {
	case !s.value && s.index < len(pieces):
		return *pieces[s.index].at, true
	case s.value && s.index < len(held.list):
		return held.list[s.index], true
	default:
		return "", false // the author wrote something like a mark; putBack drops it, too
	}
}

func (r *Renderer) write(b *strings.Builder, place slotPlace, value string) error {
	switch place {
	case placeNone:
	case placeText, placeAttribute:
		b.WriteString(nethtml.EscapeString(value))
	case placeAddress:
		link, err := rawAddress(value)
		if err != nil {
			return renderFault("/html", err)
		}
		b.WriteString(nethtml.EscapeString(link))
	case placeComment:
		b.WriteString(html.EscapeString(value))
	case placeLinkPart:
		b.WriteString(escapeLink(value))
	case placeHref, placeHrefComment:
		link, err := r.address(value)
		if err != nil {
			return err
		}
		if place == placeHref {
			link = nethtml.EscapeString(link)
		} else {
			link = strings.ReplaceAll(link, "&", "&amp;")
		}
		b.WriteString(link)
	}
	return nil
}

// address is a link as html/template writes it, which hermes leaves it to: what is not ASCII is percent-encoded.
func (r *Renderer) address(link string) (string, error) {
	if plainAddress(link) {
		return link, nil
	}
	var b strings.Builder
	if err := r.links.Execute(&b, link); err != nil {
		return "", fmt.Errorf("write a link: %w", err)
	}
	const head, tail = `<a href="`, `">`
	return nethtml.UnescapeString(b.String()[len(head) : b.Len()-len(tail)]), nil
}

// plainAddress tells whether a link is written as it is. It is a short way: what it does not know goes the long one.
func plainAddress(link string) bool {
	for i := 0; i < len(link); i++ {
		c := link[i]
		if !isNamePart(c) && strings.IndexByte("./:?=&#~%", c) < 0 || c == '%' && (i+2 >= len(link) || !isHex(link[i+1]) || !isHex(link[i+2])) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
