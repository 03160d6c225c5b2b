package activities

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// TestMailPrefix begins the subject of a mail that somebody sends to look at it.
const TestMailPrefix = "[Test] "

// TestMails sends a mail as it stands to somebody who wants to look at it: once, and nobody tries again. No ledger knows of it.
type TestMails struct {
	Composer  *Composer // its unsubscribe links say that they are a test's
	Transport Transport
	From      string        // envelope sender
	Patience  time.Duration // how long the server may take until the body is on its way, and then how long for its answer
	Now       Clock
}

var errStillTalking = errors.New("the mail server has not answered yet")

// Make fills the template for an address: as a journey would, save for the prefix and the link.
func (t *TestMails) Make(renderer *email.Renderer, template email.Template, facts audience.Facts, to string) (email.Message, error) {
	m := email.Message{ID: uuid.NewString(), ContactID: facts.Contact().ID, Class: email.Marketing, ToAddress: to, CreatedAt: t.Now()}
	err := t.Composer.Compose(renderer, template, "", facts, &m)
	return m, err
}

// Send hands the mail to the server and waits for its fate. The conversation is never cut short once the body is on its way: what has no
// answer in time is unknown to the caller, and goes on.
func (t *TestMails) Send(ctx context.Context, m email.Message) email.Delivery {
	ctx = context.WithoutCancel(ctx) // whoever asked may leave: what has begun ends well
	done := make(chan email.Delivery, 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, t.Patience)
		defer cancel()
		done <- t.Transport.Send(ctx, email.Envelope{From: t.From, To: m.ToAddress, Bytes: m.Raw})
	}()
	timer := time.NewTimer(2 * t.Patience)
	defer timer.Stop()
	select {
	case delivery := <-done:
		return delivery
	case <-timer.C:
		return email.Delivery{Outcome: email.OutcomeUnknown, Phase: email.PhaseDot, Err: errStillTalking}
	}
}
