package email

import (
	"bytes"
	"html"
	"regexp"
	"slices"
	"strings"

	nethtml "golang.org/x/net/html"
)

// MaxLinks is how many different links of a mail are tracked; what comes after them leads where it says.
const MaxLinks = 200

// Tracker turns the links of a mail into tracked ones.
type Tracker struct {
	Tokens TrackingTokens
	Base   string // the address of this deployment, without a slash at its end
}

// Track replaces the http and https links of a mail, and adds a link that nobody sees and the picture of an open. It gives back where the
// links led, by their numbers. keep are addresses that stay as they are: the unsubscribe link works whatever becomes of tracking. In the
// text, the addresses that are links in the HTML are replaced: what is no link there, nobody follows by a click.
func (t *Tracker) Track(r Rendered, messageID string, keep ...string) (Rendered, []string, error) {
	b := &linkBook{tracker: t, messageID: messageID, keep: keep}
	r.HTML = b.html(r.HTML)
	r.Text = b.text(r.Text)
	trap := b.address(TrackClick, "/c/", HoneypotLink)
	pixel := b.address(TrackOpen, "/o/", 0)
	if b.err != nil {
		return Rendered{}, nil, b.err
	}
	// Neither eyes nor screen readers nor the tabulator key find the link: it has no content, and says so. It is not display:none, which
	// scanners that look for traps leave out.
	tail := `<a href="` + trap + `" aria-hidden="true" tabindex="-1" rel="nofollow" style="font-size:0;line-height:0;text-decoration:none"></a>` +
		`<img src="` + pixel + `" width="1" height="1" alt="" style="border:0">`
	if at := strings.LastIndex(r.HTML, "</body>"); at >= 0 {
		r.HTML = r.HTML[:at] + tail + r.HTML[at:]
	} else {
		r.HTML += tail
	}
	return r, b.urls, nil
}

// linkBook numbers the links of one mail as they come.
type linkBook struct {
	tracker   *Tracker
	messageID string
	keep      []string
	urls      []string
	err       error
}

func (b *linkBook) address(kind TrackingKind, path string, link int) string {
	token, err := b.tracker.Tokens.Sign(kind, b.messageID, link)
	if err != nil && b.err == nil {
		b.err = err
	}
	return b.tracker.Base + path + token
}

// tracked is the address that stands for a link, or "" for one that stays.
func (b *linkBook) tracked(link string) string {
	target, err := checkLink(link)
	if err != nil || slices.Contains(b.keep, link) || slices.Contains(b.keep, target) {
		return ""
	}
	at := slices.Index(b.urls, target)
	if at < 0 {
		if len(b.urls) == MaxLinks {
			return ""
		}
		at = len(b.urls)
		b.urls = append(b.urls, target)
	}
	return b.address(TrackClick, "/c/", at)
}

// html goes through the tokens and writes again only those that change.
func (b *linkBook) html(source string) string {
	var out bytes.Buffer
	z := nethtml.NewTokenizer(strings.NewReader(source))
	shown, instead := "", "" // an address that its own link shows is shown as it is followed: other than that looks like fraud
	for {
		kind := z.Next()
		raw := slices.Clone(z.Raw()) // Token reads on in the same bytes
		if kind == nethtml.ErrorToken {
			out.Write(raw)
			return out.String()
		}
		token := z.Token()
		switch {
		case kind == nethtml.StartTagToken && (token.Data == "a" || token.Data == "area"):
			shown, instead = b.anchor(&token)
			if instead != "" {
				raw = []byte(token.String())
			}
		case kind == nethtml.EndTagToken && token.Data == "a":
			instead = ""
		case kind == nethtml.TextToken && instead != "" && strings.TrimSpace(token.Data) == shown:
			raw = []byte(instead)
		case kind == nethtml.CommentToken:
			raw = b.conditional(raw)
		}
		out.Write(raw)
	}
}

// anchor replaces the target of a link, and tells what it was and is.
func (b *linkBook) anchor(token *nethtml.Token) (was, is string) {
	for i, a := range token.Attr {
		if a.Key != "href" {
			continue
		}
		if tracked := b.tracked(a.Val); tracked != "" {
			token.Attr[i].Val = tracked
			return a.Val, tracked
		}
	}
	return "", ""
}

var hrefAttribute = regexp.MustCompile(`href="([^"]*)"`)

// conditional looks into the comments that only Outlook reads: its buttons are drawn there.
func (b *linkBook) conditional(comment []byte) []byte {
	if !bytes.HasPrefix(comment, []byte("<!--[if mso")) {
		return comment
	}
	return hrefAttribute.ReplaceAllFunc(comment, func(attribute []byte) []byte {
		tracked := b.tracked(html.UnescapeString(string(hrefAttribute.FindSubmatch(attribute)[1])))
		if tracked == "" {
			return attribute
		}
		return []byte(`href="` + tracked + `"`)
	})
}

var textAddress = regexp.MustCompile(`https?://[^\s<>"]+`)

// text replaces the addresses that are links in the HTML. One with a bracket or a full stop behind it is found, too.
func (b *linkBook) text(source string) string {
	return textAddress.ReplaceAllStringFunc(source, func(found string) string {
		for link := found; link != ""; link = link[:len(link)-1] {
			target, _ := checkLink(link) // as it is kept; what is no address is among them neither
			if at := slices.Index(b.urls, target); at >= 0 {
				return b.address(TrackClick, "/c/", at) + found[len(link):]
			}
			if !strings.ContainsRune(`.,;:!?)]}'`, rune(link[len(link)-1])) {
				return found
			}
		}
		return found
	})
}
