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
	Renderer *email.Renderer
	From     mail.Address
	// Sign makes the token of an unsubscribe link; UnsubscribeBase is the address that it is appended to.
	Sign            func(contactID, messageID string) (string, error)
	UnsubscribeBase string
	Signers         []*email.Signer                    // DKIM; none when the relay signs
	Extra           func(messageID string) [][2]string // headers that make providers name the message in what they report; nil: none
}

// Compose fills the template for the contact and puts subject, parts and bytes into the message.
func (c *Composer) Compose(template email.Template, subject string, facts audience.Facts, m *email.Message) error {
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
	rendered, err := c.Renderer.Render(template, data, options)
	if lost != nil { // a mail without what could not be read would look right
		return fmt.Errorf("read objects: %w", lost)
	}
	if err != nil {
		return fmt.Errorf("render: %w", err)
	}
	m.Subject, m.HTML, m.Text = rendered.Subject, rendered.HTML, rendered.Text
	_, domain, _ := strings.Cut(c.From.Address, "@")
	m.MessageID = m.ID + "@" + domain
	var extra [][2]string
	if c.Extra != nil {
		extra = c.Extra(m.ID)
	}
	m.Raw, err = email.Build(c.From, mail.Address{Address: m.ToAddress}, rendered, email.Headers{
		ID: m.ID, MessageID: m.MessageID, Date: m.CreatedAt, Class: m.Class, ListUnsubscribe: options.UnsubscribeURL, DKIM: c.Signers, Extra: extra,
	})
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}
