package activities

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// Composer makes the bytes of a message, once: every attempt sends the same.
type Composer struct {
	Renderers *Renderers
	From      mail.Address
	// TransactionalFrom is another sender for what contacts need, so that complaints about marketing don't fall on it; empty: the same.
	TransactionalFrom mail.Address
	// Sign makes the token of an unsubscribe link; UnsubscribeBase is the address that it is appended to.
	Sign            func(contactID, messageID string) (string, error)
	UnsubscribeBase string
	Prefix          string                             // of every subject
	Tracker         *email.Tracker                     // nil: no link is tracked
	Signers         []*email.Signer                    // DKIM; none when the relay signs
	Extra           func(messageID string) [][2]string // headers that make providers name the message in what they report; nil: none
}

// Compose fills the template for the contact and puts subject, parts and bytes into the message. Links are tracked in a message that is
// marked so: previews and tests are not.
func (c *Composer) Compose(renderer *email.Renderer, template email.Template, subject string, facts audience.Facts, m *email.Message) error {
	options := email.RenderOptions{Subject: subject}
	if m.Class != email.Transactional {
		token, err := c.Sign(m.ContactID, m.ID)
		if err != nil {
			return fmt.Errorf("sign unsubscribe link: %w", err)
		}
		options.UnsubscribeURL = c.UnsubscribeBase + token
	}
	var lost error
	data := email.Data{Contact: facts.Contact(), Company: facts.Company(), Object: func(kind string) map[string]any {
		fields, err := facts.Object(kind)
		lost = errors.Join(lost, err)
		return fields
	}}
	if event := facts.Event(); event != nil {
		data.Event = event.Properties
	}
	rendered, err := renderer.Render(template, data, options)
	if lost != nil { // a mail without what could not be read would look right
		return fmt.Errorf("read objects: %w", lost)
	}
	if err != nil {
		return fmt.Errorf("render: %w", err)
	}
	rendered.Subject = c.Prefix + rendered.Subject
	if m.Tracked = m.Tracked && c.Tracker != nil; m.Tracked {
		if rendered, m.Links, err = c.Tracker.Track(rendered, m.ID, options.UnsubscribeURL); err != nil {
			return fmt.Errorf("track links: %w", err)
		}
	}
	m.Subject, m.HTML, m.Text, m.Locale = rendered.Subject, rendered.HTML, rendered.Text, rendered.Locale
	from := c.From
	if m.Class == email.Transactional && c.TransactionalFrom.Address != "" {
		from = c.TransactionalFrom
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	m.MessageID = m.ID + "@" + domain
	var extra [][2]string
	if c.Extra != nil {
		extra = c.Extra(m.ID)
	}
	m.Raw, err = email.Build(from, mail.Address{Address: m.ToAddress}, rendered, email.Headers{
		ID: m.ID, MessageID: m.MessageID, Date: m.CreatedAt, Class: m.Class, ListUnsubscribe: options.UnsubscribeURL, DKIM: c.Signers, Extra: extra,
	})
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}
