package email

import (
	"regexp"
	"slices"
	"strings"

	nethtml "golang.org/x/net/html"
)

// rawPolicy takes out of an author's HTML what has no place in a mail: what runs, asks, or loads more than pictures. What stays, stays to the
// byte. It lists what it took out.
type rawPolicy struct {
	out     strings.Builder
	removed []rawRemoval
	line    int
	skip    string // the element whose content goes with it
	depth   int    // of that element within itself
	style   bool   // within a style element
	marked  error  // a placeholder stands where its value could not be kept in its place
}

// rawRemoval is one thing that was taken out.
type rawRemoval struct {
	line int
	what string
}

const rawElements = " a abbr address area article aside b big blockquote body br caption center cite code col colgroup dd del dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd li main map mark " +
	"meta nav ol p pre q s samp section small span strike strong style sub sup table tbody td tfoot th thead time title tr tt u ul var wbr xml "

const (
	rawWithContent = " applet audio canvas embed iframe math noscript object script select svg template textarea video noembed noframes frameset plaintext "
	rawVoid        = " embed " // of those, what has no end
	rawDenied      = " action autofocus contenteditable formaction is nonce ping slot srcdoc srcset target-origin xlink:href "
	rawAddresses   = " background cite data href longdesc poster src "
)

var (
	plainEnd        = regexp.MustCompile(`^</[A-Za-z0-9:]+>$`)
	officeElement   = regexp.MustCompile(`^[ovw]:[a-z]+$`)
	attributeName   = regexp.MustCompile(`^[a-z][a-z0-9_:.-]*$`)
	rawSchemes      = regexp.MustCompile(`^(?i:https?://|mailto:|tel:|sms:|cid:|#)`)
	conditional     = regexp.MustCompile(`(?s)^(<!--\[if [^\]<>]*\]>)(.*)(<!\[endif\]-->)$`)
	conditionalEdge = regexp.MustCompile(`^(<!--\[if [^\]<>]*\]><!(--)? ?-->|<!--\[if [^\]<>]*\]>-->|<!--(<|&lt;)!\[endif\]-->|<!\[if [^\]<>]*\]>|<!\[endif\]>)$`)
	harmfulStyle    = regexp.MustCompile(`(?i)expression\s*\(|javascript:|vbscript:|behaviou?r\s*:|-moz-binding|@import`)
	styleComment    = regexp.MustCompile(`(?s)/\*.*?\*/`)
)

// cleanRaw cleans a page.
func cleanRaw(page string) (string, []rawRemoval, error) {
	p := &rawPolicy{line: 1}
	p.clean(page)
	return p.out.String(), p.removed, p.marked
}

func (p *rawPolicy) clean(page string) {
	z := nethtml.NewTokenizer(strings.NewReader(page))
	for kind := z.Next(); kind != nethtml.ErrorToken; kind = z.Next() {
		raw := string(z.Raw())
		if p.skip == "" || kind == nethtml.StartTagToken || kind == nethtml.EndTagToken {
			p.token(kind, raw, z.Token())
		}
		p.line += strings.Count(raw, "\n")
	}
}

func (p *rawPolicy) remove(what string) {
	p.removed = append(p.removed, rawRemoval{p.line, what})
}

func (p *rawPolicy) token(kind nethtml.TokenType, raw string, token nethtml.Token) {
	if p.skip != "" {
		p.skipped(kind, token.Data)
		return
	}
	switch kind {
	case nethtml.TextToken:
		p.text(raw)
	case nethtml.DoctypeToken:
		p.out.WriteString(raw)
	case nethtml.CommentToken:
		p.comment(raw)
	case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
		p.start(kind, raw, token)
	case nethtml.EndTagToken:
		if p.style = p.style && token.Data != "style"; allowedElement(token.Data) {
			if !plainEnd.MatchString(raw) {
				raw = "</" + token.Data + ">"
			}
			p.out.WriteString(raw) // Outlook's own elements have capitals
		}
	case nethtml.ErrorToken:
	}
}

// skipped looks for the end of what is taken out.
func (p *rawPolicy) skipped(kind nethtml.TokenType, name string) {
	switch {
	case name != p.skip:
	case kind == nethtml.StartTagToken:
		p.depth++
	case p.depth > 0:
		p.depth--
	default:
		p.skip = ""
	}
}

func (p *rawPolicy) text(raw string) {
	switch {
	case !p.style:
		p.out.WriteString(raw)
	case slotPattern.MatchString(raw):
		p.marked = errRawStyle
	case harmful(raw):
		p.remove("a style that runs or loads something")
	default:
		p.out.WriteString(raw)
	}
}

// comment keeps those that Outlook reads, and cleans what is in them. Others say nothing to anybody.
func (p *rawPolicy) comment(raw string) {
	if conditionalEdge.MatchString(raw) && !slotPattern.MatchString(raw) {
		p.out.WriteString(raw)
		return
	}
	if m := conditional.FindStringSubmatch(raw); m != nil && !slotPattern.MatchString(m[1]) && !strings.Contains(m[2], "--") {
		inner := &rawPolicy{line: p.line}
		inner.clean(m[2])
		p.removed = append(p.removed, inner.removed...)
		if p.marked == nil {
			p.marked = inner.marked
		}
		p.out.WriteString(m[1] + inner.out.String() + m[3])
	}
}

func allowedElement(name string) bool {
	return strings.Contains(rawElements, " "+name+" ") || officeElement.MatchString(name)
}

func (p *rawPolicy) start(kind nethtml.TokenType, raw string, token nethtml.Token) {
	name := token.Data
	if !allowedElement(name) {
		p.remove("<" + shortened(name) + ">")
		if strings.Contains(rawWithContent, " "+name+" ") && !strings.Contains(rawVoid, " "+name+" ") && kind == nethtml.StartTagToken {
			p.skip, p.depth = name, 0
		}
		return
	}
	if name == "meta" && !plainMeta(token) {
		p.remove("a <meta> that does something")
		return
	}
	kept := slices.DeleteFunc(slices.Clone(token.Attr), func(a nethtml.Attribute) bool { return !p.attribute(name, a) })
	if p.style = p.style || name == "style" && kind == nethtml.StartTagToken; len(kept) == len(token.Attr) && !slotPattern.MatchString(raw) && !strings.ContainsAny(raw, "`\x00") {
		p.out.WriteString(raw)
		return
	}
	token.Attr = kept
	p.out.WriteString(token.String()) // with quotes around everything: a value can't end its attribute
}

func plainMeta(token nethtml.Token) bool {
	for _, a := range token.Attr {
		if a.Key == "http-equiv" && !strings.EqualFold(a.Val, "content-type") && !strings.EqualFold(a.Val, "x-ua-compatible") {
			return false
		}
	}
	return true
}

// attribute tells whether an attribute may stay.
func (p *rawPolicy) attribute(element string, a nethtml.Attribute) bool {
	marked := slotPattern.MatchString(a.Val)
	switch {
	case !attributeName.MatchString(a.Key) || slotPattern.MatchString(a.Key) || strings.HasPrefix(a.Key, "on") || strings.Contains(rawDenied, " "+a.Key+" "):
		p.remove(shortened(a.Key) + " of <" + element + ">")
		return false
	case a.Key == "style" && marked:
		p.marked = errRawStyle
		return false
	case a.Key == "style" && harmful(a.Val):
		p.remove("a style that runs or loads something")
		return false
	case strings.Contains(rawAddresses, " "+a.Key+" "):
		value := strings.TrimSpace(a.Val)
		if value == "" || rawSchemes.MatchString(value) || startsWithSlot(value) {
			return true
		}
		p.remove(a.Key + " of <" + element + ">, which is no complete address")
		return false
	}
	return true
}

func startsWithSlot(value string) bool {
	at := slotPattern.FindStringIndex(value)
	return at != nil && at[0] == 0
}

func harmful(style string) bool {
	plain := strings.ReplaceAll(styleComment.ReplaceAllString(style, ""), `\`, "")
	return harmfulStyle.MatchString(plain)
}

func shortened(name string) string {
	if len(name) > 30 {
		name = name[:30] + "…"
	}
	return slotPattern.ReplaceAllString(name, "{{ … }}")
}
