package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

const (
	sourceOneClick = "https://www.rfc-editor.org/rfc/rfc8058"
	sourceList     = "https://www.rfc-editor.org/rfc/rfc8058#section-4"
	sourceMessage  = "https://www.rfc-editor.org/rfc/rfc5322#section-3.6"
	sourceYahoo    = "https://senders.yahooinc.com/best-practices/"
	sourceCanSpam  = "https://www.ftc.gov/business-guidance/resources/can-spam-act-compliance-guide-business"
	clippedAt      = 102 << 10 // Gmail shows no more of a message
	oneClick       = "List-Unsubscribe=One-Click"
	maxSignatures  = 10
	maxParts       = 20
)

// Answer is what our own address answers to a request.
type Answer struct {
	Status   int
	Location string
}

// mail is a message taken apart.
type mail struct {
	raw    []byte
	header netmail.Header
	text   string // the plain part
	parts  []string
}

// message looks at the bytes of a message, as its recipient got them.
func (c *Checkup) message(ctx context.Context) []Finding {
	if c.Message == nil {
		return nil
	}
	raw, how, err := c.Message(ctx)
	if err != nil {
		return []Finding{{Check: CheckMessage, Result: Fail, About: how, Found: "There is no message to look at: " + err.Error() + ".", Fix: "Mend that first.", Source: sourceMessage}}
	}
	m, err := readMail(raw)
	if err != nil {
		return []Finding{{Check: CheckMessage, Result: Fail, About: how, Found: "This is no message.", Fix: "Give the whole message with its header, as it was delivered.", Source: sourceMessage}}
	}
	out := c.signed(ctx, m)
	out = append(out, c.oneClick(ctx, m)...)
	return append(out, c.contents(m)...)
}

func readMail(raw []byte) (mail, error) {
	parsed, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return mail{}, err
	}
	m := mail{raw: raw, header: parsed.Header}
	kind, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	m.read(kind, params, parsed.Header.Get("Content-Transfer-Encoding"), parsed.Body, 0)
	return m, nil
}

// read notes the kinds of the parts, and keeps the plain text.
func (m *mail) read(kind string, params map[string]string, encoding string, body io.Reader, depth int) {
	if !strings.HasPrefix(kind, "multipart/") || params["boundary"] == "" || depth > 3 {
		m.parts = append(m.parts, kind)
		if kind == "text/plain" && m.text == "" {
			if strings.EqualFold(encoding, "quoted-printable") {
				body = quotedprintable.NewReader(body)
			}
			text, _ := io.ReadAll(io.LimitReader(body, 1<<20))
			m.text = string(text)
		}
		return
	}
	reader := multipart.NewReader(body, params["boundary"])
	for range maxParts {
		part, err := reader.NextRawPart()
		if err != nil {
			return
		}
		inner, innerParams, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			inner = "text/plain"
		}
		m.read(inner, innerParams, part.Header.Get("Content-Transfer-Encoding"), part, depth+1)
	}
}

func (m *mail) from() string {
	list, err := m.header.AddressList("From")
	if err != nil || len(list) != 1 {
		return ""
	}
	return domainOf(list[0].Address)
}

// signed looks at the DKIM signatures: they have to hold, for the domain that recipients see, and over the headers by which one unsubscribes.
func (c *Checkup) signed(ctx context.Context, m mail) []Finding {
	f := Finding{Check: CheckSignature, Result: Fail, About: "DKIM-Signature", Source: sourceDKIM}
	lookUp := func(name string) ([]string, error) {
		ctx, cancel := context.WithTimeout(ctx, lookPatience)
		defer cancel()
		return c.DNS.LookupTXT(ctx, strings.TrimSuffix(name, ".")+".")
	}
	found, err := dkim.VerifyWithOptions(bytes.NewReader(m.raw), &dkim.VerifyOptions{LookupTXT: lookUp, MaxVerifications: maxSignatures})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) || len(found) == 0 {
		f.Found, f.Fix = "The message is not signed.", "Set DKIM_KEY and DKIM_SELECTOR, or let the mail server sign."
		return []Finding{f}
	}
	from := m.from()
	for _, v := range found {
		if v.Err == nil && organisation(strings.ToLower(v.Domain)) == organisation(from) {
			f.Result, f.Found = Pass, "The signature of "+v.Domain+" holds, and it is the domain that recipients see."
			return []Finding{f, coversList(m, v)}
		}
	}
	v := found[0]
	switch {
	case v.Err != nil && dkim.IsTempFail(v.Err):
		return []Finding{silent(CheckSignature, v.Domain, sourceDKIM)}
	case v.Err != nil:
		f.Found, f.Fix = fmt.Sprintf("The signature of %s does not hold: %s.", v.Domain, broken(v.Err)), "Look at the key in DNS first; if that is right, something on the way changes the message."
	default:
		f.Found, f.Fix = fmt.Sprintf("The message is signed by %s alone, and recipients see %s.", v.Domain, from), "Sign for "+from+"."
	}
	return []Finding{f}
}

// broken is why a signature does not hold, without the names of servers that were asked.
func broken(err error) string {
	text := strings.TrimPrefix(err.Error(), "dkim: ")
	if strings.HasPrefix(text, "no key") {
		return "its key is not in DNS"
	}
	return text
}

// coversList: without both headers in the signature, receivers offer no one-click unsubscribe.
func coversList(m mail, v *dkim.Verification) Finding {
	f := Finding{Check: CheckOneClick, Result: Pass, About: "DKIM-Signature", Source: sourceList, Found: "The signature covers both headers by which one unsubscribes."}
	for _, name := range []string{"List-Unsubscribe", "List-Unsubscribe-Post"} {
		covered := slices.ContainsFunc(v.HeaderKeys, func(key string) bool { return strings.EqualFold(strings.TrimSpace(key), name) })
		if m.header.Get(name) != "" && !covered {
			f.Result, f.Found = Fail, "The signature does not cover "+name+": receivers offer no one-click unsubscribe."
			f.Fix = "Let Throughline sign (DKIM_KEY), or ask the mail provider to put both headers into h=."
			return f
		}
	}
	return f
}

// oneClick looks at the two headers, and does what a mail program does with them.
func (c *Checkup) oneClick(ctx context.Context, m mail) []Finding {
	f := Finding{Check: CheckOneClick, Result: Fail, About: "List-Unsubscribe", Source: sourceOneClick}
	link := httpsLink(m.header["List-Unsubscribe"])
	switch {
	case len(m.header["List-Unsubscribe"]) != 1:
		f.Found, f.Fix = fmt.Sprintf("There are %d List-Unsubscribe headers; there has to be one.", len(m.header["List-Unsubscribe"])), "Look at what the mail server does to the header: Throughline writes one."
		return []Finding{f}
	case m.header.Get("List-Unsubscribe-Post") != oneClick:
		f.About, f.Found, f.Fix = "List-Unsubscribe-Post", "The header does not say "+oneClick+".", "Look at what the mail server does to the header: Throughline writes it."
		return []Finding{f}
	case link == "":
		f.Found, f.Fix = "There is no https address to unsubscribe at: receivers offer no one-click unsubscribe.", "Set PUBLIC_URL to an https address that everybody reaches."
		return []Finding{f}
	}
	f.Result, f.Found = Pass, "Both headers are there, with an https address."
	return append([]Finding{f}, c.clicked(ctx, link)...)
}

// httpsLink is the only https address in the header.
func httpsLink(headers []string) string {
	found := ""
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			part = strings.TrimSpace(part)
			if strings.HasPrefix(part, "<https://") && strings.HasSuffix(part, ">") {
				if found != "" {
					return ""
				}
				found = strings.Trim(part, "<>")
			}
		}
	}
	return found
}

// clicked asks our own address as mail programs and scanners do. Addresses of others are not asked.
func (c *Checkup) clicked(ctx context.Context, link string) []Finding {
	f := Finding{Check: CheckOneClick, Result: Fail, About: "POST", Source: sourceOneClick}
	if c.Ask == nil {
		return nil
	}
	if !strings.HasPrefix(link, strings.TrimRight(c.Setup.PublicURL, "/")+"/") {
		f.Result, f.Found, f.Fix = Warn, "The address to unsubscribe at is not under PUBLIC_URL, so that it was not asked.", "Look at what the mail server does to links."
		return []Finding{f}
	}
	answer, err := c.Ask(ctx, http.MethodPost, link)
	switch {
	case err != nil:
		f.Found, f.Fix = "The address to unsubscribe at does not answer.", "Let everybody reach PUBLIC_URL."
	case answer.Location != "" || answer.Status/100 == 3:
		f.Found, f.Fix = "The address leads elsewhere: a mail program does not follow.", "Let it answer by itself: look at the proxy in front."
	case answer.Status != http.StatusOK:
		f.Found, f.Fix = fmt.Sprintf("One click is answered with %d.", answer.Status), "Let nothing in front of Throughline ask for a cookie, a login or a captcha there."
	default:
		f.Result, f.Found = Pass, "One click without any cookie is answered with 200."
	}
	g := Finding{Check: CheckOneClick, Result: Fail, About: "GET", Source: sourceOneClick}
	answer, err = c.Ask(ctx, http.MethodGet, link)
	switch {
	case err != nil:
		return []Finding{f}
	case answer.Status != http.StatusOK:
		g.Found, g.Fix = fmt.Sprintf("Who follows the link gets %d.", answer.Status), "Let everybody reach PUBLIC_URL."
	default:
		g.Result, g.Found = Pass, "Who follows the link, such as a scanner, gets a page and is not unsubscribed."
	}
	return []Finding{f, g}
}

// contents looks at what else receivers and the law ask for.
func (c *Checkup) contents(m mail) []Finding {
	f := Finding{Check: CheckMessage, Result: Pass, Source: sourceMessage}
	var out []Finding
	note := func(about string, ok bool, bad Result, good, found, fix, source string) {
		f := f
		f.About, f.Source = about, source
		if f.Found = good; !ok {
			f.Result, f.Found, f.Fix = bad, found, fix
		}
		out = append(out, f)
	}
	id := m.header.Get("Message-Id")
	note("Message-ID", strings.HasPrefix(id, "<") && strings.Contains(id, "@") && len(m.header["Message-Id"]) == 1, Fail, "There is one.", "There is not exactly one.",
		"Look at what the mail server does to it.", sourceMessage)
	note("From", m.from() != "" && organisation(m.from()) == organisation(domainOf(c.Setup.From)), Fail, "Recipients see "+m.from()+".",
		"Recipients do not see the domain of MAIL_FROM.", "Look at what the mail server does to the header.", sourceAligned)
	note("size", len(m.raw) < clippedAt, Warn, fmt.Sprintf("%d KB.", len(m.raw)>>10), fmt.Sprintf("%d KB: Gmail cuts off what is beyond 102 KB, the unsubscribe link with it.", len(m.raw)>>10),
		"Make the mail shorter.", sourceGoogle)
	note("text part", slices.Contains(m.parts, "text/plain") && strings.TrimSpace(m.text) != "", Warn, "There is one beside the HTML.", "There is none: some filters mind.",
		"Look at what the mail server does to the parts.", sourceYahoo)
	postal := flat(c.Setup.Postal)
	note("postal address", postal != "" && strings.Contains(flat(m.text), postal), Fail, "It is in the mail.", "The sender's postal address is not in the mail: the law asks for it.",
		"Write it in Settings › Brand, or BRAND_ADDRESS.", sourceCanSpam)
	return out
}

// flat makes one line of a text, so that line breaks don't matter.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }
