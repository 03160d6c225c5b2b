package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/email/doctor"
)

const (
	serverPatience = 10 * time.Second // for the mail server's greeting
	askPatience    = 10 * time.Second // for our own address
)

// doctorSetup is how mail is sent, by the configuration, and what the mail server says of itself.
func (c *config) doctorSetup(ctx context.Context, smtp *email.Transport, signers []*email.Signer, postal string) doctor.Setup {
	from := c.from()
	setup := doctor.Setup{From: from.Address, Envelope: from.Address, PublicURL: c.PublicURL, Postal: postal, IPs: c.SendingIPs}
	if c.BounceAddress != "" {
		setup.Envelope, setup.OwnBounces = c.BounceAddress, true
	}
	for _, signer := range signers {
		setup.Keys = append(setup.Keys, signer.Public())
	}
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	setup.Server = smtp.Look(ctx)
	if len(setup.IPs) > 0 || setup.Server.Loopback {
		return setup // nobody outside sees the address of a server on this machine
	}
	addresses, err := c.resolver().LookupNetIP(ctx, "ip", setup.Server.Host)
	if err == nil {
		for _, a := range addresses {
			setup.IPs = append(setup.IPs, a.Unmap())
		}
		setup.IPsGuessed = true
	}
	return setup
}

// ask does what a mail program does with the address in a header: no cookies, and it follows nothing.
func ask(ctx context.Context, method, link string) (doctor.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("List-Unsubscribe=One-Click")
	}
	req, err := http.NewRequestWithContext(ctx, method, link, body)
	if err != nil {
		return doctor.Answer{}, err //nolint:wrapcheck // the doctor says what it was about
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return doctor.Answer{}, err //nolint:wrapcheck // as above
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	return doctor.Answer{Status: resp.StatusCode, Location: resp.Header.Get("Location")}, nil
}

// probe makes a marketing mail as any other, to somebody made up. Who follows its unsubscribe link unsubscribes nobody.
func (p *process) probe(ctx context.Context, to string) (email.Message, error) {
	mails := p.testMails()
	renderer, err := p.brands.Current(ctx)
	if err != nil {
		return email.Message{}, err //nolint:wrapcheck // the doctor says what it was about
	}
	template := email.Template{Key: "doctor", Subject: "A mail to look at", Body: email.Body{Intros: []string{
		"This mail was sent by throughline doctor, to look at how mail arrives.", "Nothing has to be done with it.",
	}}}
	var m email.Message
	err = mails.previews.with(ctx, "", func(facts audience.Facts) (err error) {
		m, err = mails.mails.Make(renderer, template, facts, to)
		return err
	})
	return m, err
}

// postal is the sender's postal address as mails show it now.
func (p *process) postal(ctx context.Context) string {
	brand, err := (brandPort{Store: p.store, fallback: p.config.Brand}).FindBrand(ctx)
	if err != nil {
		return p.config.Brand.Address
	}
	return brand.Document.Address
}

// sendProbe sends a mail, and gives the bytes that arrived where they can be had: from the inbox that catches mail.
func (p *process) sendProbe(ctx context.Context, to string) (raw []byte, how string, err error) {
	m, err := p.probe(ctx, to)
	if err != nil {
		return nil, "probe", err
	}
	delivery := p.testMails().mails.Send(ctx, m)
	if delivery.Outcome != email.OutcomeAccepted {
		return nil, "probe", fmt.Errorf("the mail server did not take it (%s, %d %s)", delivery.Outcome, delivery.Code, delivery.Reply)
	}
	if p.config.InboxURL == "" {
		return m.Raw, "as it was sent", nil
	}
	raw, err = caughtProbe(ctx, p.config.InboxURL, m)
	return raw, "as it was delivered", err
}

var errNotCaught = errors.New("the inbox did not get it")

// checkup is a look by this process, at a mail as it leaves.
func (p *process) checkup(ctx context.Context) *doctor.Checkup {
	return &doctor.Checkup{
		Setup: p.config.doctorSetup(ctx, p.smtp, p.signers, p.postal(ctx)), DNS: p.config.resolver(), Ask: ask,
		Message: func(ctx context.Context) ([]byte, string, error) {
			m, err := p.probe(ctx, "doctor@example.com")
			return m.Raw, "as it leaves", err
		},
	}
}
