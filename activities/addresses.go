package activities

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// lookUpPatience is how long a first mail waits for DNS.
const lookUpPatience = 1500 * time.Millisecond

// undeliverable tells whether the address is the contact's, and its domain takes no mail.
func undeliverable(contact audience.Contact, key string) bool {
	if contact.EmailVerdict != email.VerdictUndeliverable {
		return false
	}
	own, err := email.AddressKey(contact.Email)
	return err == nil && own == key
}

// reclaim takes a message for another attempt; none: it may be sent no more, or its journey is paused, which held tells.
func (a *Messages) reclaim(ctx context.Context, in EffectInput, m email.Message, looked bool) (claimed *email.Message, held bool, err error) {
	unlooked := false
	err = a.Contacts.InContact(ctx, in.Ref.ContactID, func(ctx context.Context, tx ContactTx) error {
		if held = tx.Paused(in.Ref.Journey); held {
			return nil
		}
		if unlooked = !looked && m.State == email.Queued && a.unlooked(tx); unlooked {
			return nil
		}
		claimed, err = a.takeAgain(ctx, tx, m)
		return err
	})
	if err == nil && unlooked {
		a.lookUp(ctx, in.Ref.ContactID)
		return a.reclaim(ctx, in, m, true)
	}
	return claimed, held, err
}

// unlooked tells whether it is not known yet, or no more, whether the contact's address can get mail.
func (a *Messages) unlooked(tx ContactTx) bool {
	due := tx.Contact().EmailCheckAt
	return a.Addresses != nil && due != nil && !a.Now().Before(*due)
}

// lookUp finds out, outside of any transaction. Where that can't be done in a moment, the mail goes out as it would have.
func (a *Messages) lookUp(ctx context.Context, contactID string) {
	ctx, cancel := context.WithTimeout(ctx, lookUpPatience)
	defer cancel()
	_ = a.Addresses.LookUp(ctx, contactID)
}
