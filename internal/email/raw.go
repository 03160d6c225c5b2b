package email

import (
	"fmt"
	"html"
	"strings"

	"github.com/jaytaylor/html2text"
	nethtml "golang.org/x/net/html"

	"throughline.dev/throughline/internal/fault"
)

// A template may bring its own HTML, with Liquid in it. It takes the same way as Markdown: a mark stands for each value, the page with the
// marks is cleaned and taken apart, and the values are written into their places.

const (
	maxRaw          = 200 << 10 // bytes of source
	gmailClips      = 102 << 10 // bytes that Gmail shows of a page
	unsubscribeName = "unsubscribe_url"
)

// preheaderStyle hides the text that inboxes show beside the subject.
const preheaderStyle = "display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all"

// makeRawForm takes an author's page apart.
func (r *Renderer) makeRawForm(c *content) (*form, error) {
	page, _, err := cleanRaw(c.marked)
	if err != nil {
		return nil, renderFault("/html", err)
	}
	if c.preheader != "" {
		page = afterBody(page, `<span style="`+preheaderStyle+`">`+slotMark+`0q</span>`)
	}
	page = beforeEnd(page, r.foot(c, page))
	f := &form{html: rawSegments(page), size: len(page)}
	root, err := nethtml.Parse(strings.NewReader(page))
	if err != nil {
		return nil, renderFault("/html", err)
	}
	f.text = newRawText(root)
	return f, nil
}

// foot is what the law wants at the end of a mail, and the page does not say itself.
func (r *Renderer) foot(c *content, page string) string {
	var lines []string
	if r.brand.Address != "" && !strings.Contains(page, html.EscapeString(r.brand.Address)) && !strings.Contains(page, r.brand.Address) {
		lines = append(lines, html.EscapeString(r.brand.Address))
	}
	if c.unsubscribe != "" && !c.leadsOut(page) {
		lines = append(lines, `<a href="`+slotMark+`1q" style="color:#3869D4">`+html.EscapeString(c.words.unsubscribe)+`</a>`)
	}
	if len(lines) == 0 || c.unsubscribe == "" {
		return ""
	}
	return `<p style="margin:25px 0;text-align:center;font-family:Arial,Helvetica,sans-serif;font-size:12px;line-height:18px;color:#62656D">` + strings.Join(lines, "<br>") + `</p>`
}

// leadsOut tells whether one of the page's links is the unsubscribe link.
func (c *content) leadsOut(page string) bool {
	for _, s := range rawSegments(page) {
		if value, ok := s.slot.of(nil, c.held); ok && s.slot.place == placeAddress && value == c.unsubscribe {
			return true
		}
	}
	return false
}

func beforeEnd(page, add string) string {
	for _, end := range []string{"</body>", "</html>"} {
		if at := strings.LastIndex(page, end); at >= 0 {
			return page[:at] + add + page[at:]
		}
	}
	return page + add
}

func afterBody(page, add string) string {
	z := nethtml.NewTokenizer(strings.NewReader(page))
	at := 0
	for kind := z.Next(); kind != nethtml.ErrorToken; kind = z.Next() {
		at += len(z.Raw())
		if name, _ := z.TagName(); kind == nethtml.StartTagToken && string(name) == "body" {
			return page[:at] + add + page[at:]
		}
	}
	return add + page
}

// rawSegments cuts a cleaned page at its marks, within the comments that Outlook reads, too.
func rawSegments(page string) []segment {
	var out []segment
	fixed := rawCut(page, &out, "")
	return append(out, segment{fixed: fixed})
}

// rawCut gives what stands behind the last mark.
func rawCut(page string, out *[]segment, before string) string {
	z := nethtml.NewTokenizer(strings.NewReader(page))
	for kind := z.Next(); kind != nethtml.ErrorToken; kind = z.Next() {
		raw := string(z.Raw())
		if m := conditional.FindStringSubmatch(raw); kind == nethtml.CommentToken && m != nil {
			before = rawCut(m[2], out, before+m[1]) + m[3]
			continue
		}
		at := 0
		for _, m := range slotPattern.FindAllStringSubmatchIndex(raw, -1) {
			s := slotOf([]string{"", raw[m[2]:m[3]], raw[m[4]:m[5]]})
			s.place = rawPlace(kind, raw[:m[0]])
			*out = append(*out, segment{before + raw[at:m[0]], s})
			before, at = "", m[1]
		}
		before += raw[at:]
	}
	return before
}

// rawPlace says what a mark stands in. Tags with marks are written with quotes around every attribute.
func rawPlace(kind nethtml.TokenType, before string) slotPlace {
	if kind == nethtml.TextToken {
		return placeText
	}
	quote := strings.LastIndex(before, `="`)
	name := before[:max(quote, 0)]
	name = name[strings.LastIndexByte(name, ' ')+1:]
	switch {
	case !strings.Contains(rawAddresses, " "+name+" "):
		return placeAttribute
	case quote+2 == len(before):
		return placeAddress
	default:
		return placeLinkPart
	}
}

// rawAddress is an address that the data holds whole.
func rawAddress(value string) (string, error) {
	if strings.TrimSpace(value) == "" {
		return "", nil
	}
	for _, plain := range []string{"mailto:", "tel:"} {
		if rest, ok := strings.CutPrefix(value, plain); ok {
			return plain + escapeLink(rest), nil
		}
	}
	return checkLink(value)
}

// rawText is the text part of a mail with its own HTML.
func (r *Renderer) rawText(f *form, c *content) (string, error) {
	if c.text == "" {
		return f.text.fill(c.pieces(), c.held)
	}
	text := strings.TrimSpace(c.text)
	var foot []string
	if r.brand.Address != "" && !strings.Contains(text, r.brand.Address) {
		foot = append(foot, r.brand.Address)
	}
	if !strings.Contains(text, c.unsubscribe) {
		foot = append(foot, c.words.unsubscribe+":", c.unsubscribe)
	}
	if c.unsubscribe == "" || len(foot) == 0 {
		return text, nil
	}
	return text + "\n\n--\n" + strings.Join(foot, "\n"), nil
}

// raw checks a template that brings its own HTML.
func (v *validator) raw(t Template) {
	if !emptyBody(t.Body) {
		v.add("/html", "html_with_body", "A mail has its own HTML or the blocks of a body: use one or the other.")
	}
	if len(t.HTML) > maxRaw {
		v.add("/html", "too_long", "The HTML is larger than 200 KB.")
		return
	}
	if len(t.HTML) > gmailClips {
		v.warn("/html", "clipped", "Gmail shows the first 102 KB of a mail only: what is behind it, such as the unsubscribe link, is not seen.")
	}
	before := len(v.problems)
	v.liquid("/html", t.HTML, rawNames())
	v.liquid("/text", t.Text, rawNames())
	if fault.HasErrors(v.problems[before:]) {
		return
	}
	r := NewRenderer(Brand{Name: "-", Link: "https://example.com"})
	t.Subject, t.Preheader, t.Text, t.Snippets = "-", "", "", v.snippets.all
	c, err := r.fill(t, Data{}, RenderOptions{UnsubscribeURL: "https://example.com/"})
	if err != nil {
		return // what nobody of whom nothing is known can get, others may
	}
	_, removed, marked := cleanRaw(c.marked)
	if marked != nil {
		v.add("/html", "placeholder_in_style", "A placeholder can't stand in a style: its value could not be kept from changing the page.")
	}
	for _, one := range removed[:min(len(removed), maxLines)] {
		v.warn("/html", "html_removed", fmt.Sprintf("Line %d: %s is taken out.", one.line, one.what))
	}
}

// rawNames are the variables that only HTML of one's own has.
func rawNames() []string { return []string{unsubscribeName} }

func emptyBody(b Body) bool {
	return b.Greeting == "" && b.Signature == "" && b.Markdown == "" && b.Table == nil && len(b.Intros)+len(b.Dictionary)+len(b.Actions)+len(b.Outros) == 0
}

// newRawText is the text part of a page whose tables are there for its looks.
func newRawText(root *nethtml.Node) *textForm {
	return textFormOf(root, html2text.Options{}, true)
}
