package main

import (
	"context"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// testMailPort makes a test by the data of a contact, or of somebody made up, and sends it to whoever may be written to.
type testMailPort struct {
	previews previewPort
	mails    *activities.TestMails
}

// SendTest sends a mail to look at. A suppressed address is a Conflict that says why.
func (p testMailPort) SendTest(ctx context.Context, template email.Template, contactID, to string) (email.Delivery, error) {
	renderer, err := p.previews.renderers.Current(ctx)
	if err != nil {
		return email.Delivery{}, err //nolint:wrapcheck // the api says what it was about
	}
	var m email.Message
	err = p.previews.with(ctx, contactID, func(facts audience.Facts) (err error) {
		m, err = p.mails.Make(renderer, template, facts, to)
		return err
	})
	if err != nil {
		return email.Delivery{}, err
	}
	reason, suppressed, err := p.previews.store.Suppressed(ctx, to)
	if err != nil {
		return email.Delivery{}, err //nolint:wrapcheck // as above
	}
	if suppressed {
		return email.Delivery{}, fault.New(fault.Conflict, "suppressed", "This address is never written to: "+reason+".")
	}
	return p.mails.Send(ctx, m), nil
}
