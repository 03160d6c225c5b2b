package email

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"strings"
	"time"
)

// The parts of a report that are read, and how much of each.
const (
	maxReportParts = 20
	maxReportPart  = 64 << 10
	maxReportBlock = 50
)

// ReadReturned reads a mail that came to the bounce address: a delivery status notification (RFC 3464) or a spam complaint (RFC 5965).
// Any other mail, such as an absence note, is no report. to is the message that the address named; empty: it named none, and a complaint
// tells it by the sender that it quotes.
//
// Who receives a message can write anything here, and only about that message: the id is taken from addresses with our signature alone.
func (b BounceAddresses) ReadReturned(raw []byte, to string, now time.Time) (Report, bool) {
	parts := reportParts(raw)
	sum := sha256.Sum256(raw)
	r := Report{Source: SourceMail, Key: hex.EncodeToString(sum[:]), Raw: raw, MessageID: to, At: now}
	switch {
	case parts.status != nil:
		readStatus(&r, parts.status)
	case parts.feedback != nil:
		b.readFeedback(&r, parts.feedback)
	default:
		return Report{}, false
	}
	return r, r.MessageID != ""
}

// parts are the blocks of headers that the machine-readable part of a report consists of.
type parts struct {
	status, feedback []textproto.MIMEHeader
}

func reportParts(raw []byte) parts {
	var out parts
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return out
	}
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["boundary"] == "" {
		return out
	}
	reader := multipart.NewReader(message.Body, params["boundary"])
	for range maxReportParts {
		part, err := reader.NextPart()
		if err != nil {
			return out
		}
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "message/delivery-status", "message/global-delivery-status":
			out.status = readBlocks(part)
		case "message/feedback-report":
			out.feedback = readBlocks(part)
		}
	}
	return out
}

// readBlocks reads headers, block by block, with an empty line between two. What can't be read ends it.
func readBlocks(part *multipart.Part) []textproto.MIMEHeader {
	var in io.Reader = part
	if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
		in = base64.NewDecoder(base64.StdEncoding, part)
	}
	blocks := []textproto.MIMEHeader{}
	reader := textproto.NewReader(bufio.NewReader(io.LimitReader(in, maxReportPart)))
	for range maxReportBlock {
		block, err := reader.ReadMIMEHeader()
		if len(block) > 0 {
			blocks = append(blocks, block)
		}
		if err != nil {
			break
		}
	}
	return blocks
}

// readStatus takes what is said of the recipient. We send to one at a time: if there are several, somebody has passed the mail on, and
// the one for whom it failed tells most.
func readStatus(r *Report, blocks []textproto.MIMEHeader) {
	for _, block := range blocks {
		action := strings.ToLower(strings.TrimSpace(block.Get("Action")))
		status, known := map[string]Status{"failed": Bounced, "delayed": Delayed, "delivered": Delivered}[action]
		if !known || r.Status == Bounced || r.Status != "" && status != Bounced {
			continue
		}
		r.Status, r.Code, r.Recipient = status, statusCode(block), recipientOf(block)
		r.Bounce = ""
		if status == Bounced {
			r.Bounce = ClassifyBounce(r.Code)
		}
	}
}

var (
	statusPattern = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)
	// After the reply code, or an address of the network could be taken for it.
	diagnosticPattern = regexp.MustCompile(`^\s*\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?:\s|$)`)
)

// statusCode is the server's own word where there is one: many a notification says 5.0.0, and in the diagnostic what is the matter.
func statusCode(block textproto.MIMEHeader) string {
	status := statusPattern.FindString(block.Get("Status"))
	if status == "" || strings.HasSuffix(status, ".0.0") {
		_, text, _ := strings.Cut(block.Get("Diagnostic-Code"), ";")
		if said := diagnosticPattern.FindStringSubmatch(text); said != nil {
			return said[1]
		}
	}
	return status
}

func recipientOf(block textproto.MIMEHeader) string {
	for _, name := range []string{"Original-Recipient", "Final-Recipient"} {
		if _, address, ok := strings.Cut(block.Get(name), ";"); ok {
			return strings.Trim(strings.TrimSpace(address), "<>")
		}
	}
	return ""
}

// readFeedback reads a complaint. Its original message may be left out or blackened; the envelope sender stays.
func (b BounceAddresses) readFeedback(r *Report, blocks []textproto.MIMEHeader) {
	for _, block := range blocks {
		switch strings.ToLower(strings.TrimSpace(block.Get("Feedback-Type"))) {
		case "abuse", "fraud", "virus", "other":
			r.Status = Complained
		}
		r.Recipient = strings.Trim(strings.TrimSpace(block.Get("Original-Rcpt-To")), "<>")
		if id, ours := b.Takes(block.Get("Original-Mail-From")); ours && r.MessageID == "" {
			r.MessageID = id
		}
	}
}
