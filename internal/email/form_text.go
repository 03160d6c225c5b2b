package email

import (
	"strings"
	"sync"

	"github.com/jaytaylor/html2text"
	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textForm is the parsed page that the text part is made of. Tables are as wide as what is in them, so the last step is taken for each mail; the
// rest, which costs most, is not.
type textForm struct {
	copies  sync.Pool // of *textPage
	options html2text.Options
}

// textPage is a page with holes; it serves one mail at a time.
type textPage struct {
	raw   bool
	root  *nethtml.Node
	holes []hole
}

// hole is a string of the page, and what it is put together from.
type hole struct {
	at    *string
	parts []segment
	link  bool // a value is percent-encoded there
}

func newTextForm(source string) (*textForm, error) {
	root, err := nethtml.Parse(strings.NewReader(source))
	if err != nil {
		return nil, err //nolint:wrapcheck // says where by its caller
	}
	if err := drawTables(root); err != nil {
		return nil, err
	}
	return textFormOf(root, html2text.Options{PrettyTables: true}, false), nil
}

// textFormOf makes the form of a parsed page; raw is one that an author wrote.
func textFormOf(root *nethtml.Node, options html2text.Options, raw bool) *textForm {
	return &textForm{options: options, copies: sync.Pool{New: func() any {
		page := &textPage{raw: raw}
		page.root = page.copy(root)
		return page
	}}}
}

// drawTables puts the drawing of a table in its place, where it is the same for everybody and stands alone: within a quotation or a list it is
// drawn otherwise.
func drawTables(root *nethtml.Node) error {
	var tables []*nethtml.Node
	for n := range root.Descendants() {
		if n.DataAtom == atom.Table && n.Parent.DataAtom == atom.Body && !slotPattern.MatchString(source(n)) {
			tables = append(tables, n)
		}
	}
	for _, table := range tables {
		drawn, err := html2text.FromHTMLNode(table, html2text.Options{PrettyTables: true})
		if err != nil {
			return err //nolint:wrapcheck // says where by its caller
		}
		// A paragraph stands as free as a table, and what is preformatted stays as it is.
		paragraph, pre := &nethtml.Node{Type: nethtml.ElementNode, DataAtom: atom.P, Data: "p"}, &nethtml.Node{Type: nethtml.ElementNode, DataAtom: atom.Pre, Data: "pre"}
		pre.AppendChild(&nethtml.Node{Type: nethtml.TextNode, Data: drawn})
		paragraph.AppendChild(pre)
		table.Parent.InsertBefore(paragraph, table)
		table.Parent.RemoveChild(table)
	}
	return nil
}

// source is everything that a tree says.
func source(n *nethtml.Node) string {
	var b strings.Builder
	for part := range n.Descendants() {
		b.WriteString(part.Data)
		for _, a := range part.Attr {
			b.WriteString(a.Val)
		}
	}
	return b.String()
}

// copy copies a tree, without the white space that makes no difference.
func (p *textPage) copy(n *nethtml.Node) *nethtml.Node {
	out := &nethtml.Node{Type: n.Type, DataAtom: n.DataAtom, Data: n.Data, Namespace: n.Namespace, Attr: append([]nethtml.Attribute(nil), n.Attr...)}
	if n.Type == nethtml.TextNode {
		p.hole(&out.Data, false)
	}
	for i := range out.Attr {
		p.hole(&out.Attr[i].Val, !p.raw || strings.Contains(rawAddresses, " "+out.Attr[i].Key+" "))
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.Type == nethtml.TextNode && (n.Data == "body" || n.Data == "ul") && strings.TrimSpace(child.Data) == "" {
			continue
		}
		out.AppendChild(p.copy(child))
	}
	return out
}

func (p *textPage) hole(at *string, link bool) {
	found := slotPattern.FindAllStringSubmatchIndex(*at, -1)
	if len(found) == 0 {
		return
	}
	h := hole{at: at, link: link}
	fixed := 0
	for _, m := range found {
		h.parts = append(h.parts, segment{(*at)[fixed:m[0]], slotOf([]string{"", (*at)[m[2]:m[3]], (*at)[m[4]:m[5]]})})
		fixed = m[1]
	}
	h.parts = append(h.parts, segment{fixed: (*at)[fixed:], slot: slot{index: -1}})
	p.holes = append(p.holes, h)
}

// fill writes a content's values into a copy of the page, and makes text of it.
func (t *textForm) fill(pieces []piece, held *values) (string, error) {
	page, ok := t.copies.Get().(*textPage)
	if !ok {
		return "", errForm
	}
	defer func() {
		for _, h := range page.holes {
			*h.at = "" // nobody's data stays in the pool
		}
		t.copies.Put(page)
	}()
	for _, h := range page.holes {
		var b strings.Builder
		for _, part := range h.parts {
			b.WriteString(part.fixed)
			if part.slot.index < 0 {
				continue
			}
			value, _ := part.slot.of(pieces, held)
			if h.link && part.slot.value && (!page.raw || b.Len() > 0) {
				value = escapeLink(value)
			}
			b.WriteString(value)
		}
		*h.at = b.String()
	}
	return html2text.FromHTMLNode(page.root, t.options) //nolint:wrapcheck // says where by its caller
}
