package email

import (
	"slices"

	"throughline.dev/throughline/internal/audience"
)

// IsHeld tells whether a reason is about how often and when mail may go out.
func IsHeld(reason string) bool {
	return slices.ContainsFunc(audience.HeldReasons(), func(known [2]string) bool { return known[0] == reason })
}

// Reasons are the reasons why a message was not sent, each with its words, as the end of a sentence.
func Reasons() [][2]string {
	return slices.Concat([][2]string{
		{ReasonSuppressed, "the address is on the list of addresses that are never written to"},
		{ReasonUnsubscribed, "the contact has withdrawn its consent for marketing mail"},
		{ReasonNoConsent, "the contact has not asked for mail of this topic, or has not confirmed it"},
		{ReasonNoAddress, "the contact has no e-mail address"},
		{ReasonInvalidAddress, "what the contact has as its address is none"},
		{ReasonUndeliverable, "the domain of the address takes no mail, or does not exist"},
		{ReasonDisposable, "the address is a mailbox for a few minutes, and the sending policy spares those"},
		{ReasonRole, "the address belongs to a task and not to a person, and the sending policy spares those"},
		{ReasonGoalReached, "the goal was reached just before"},
		{ReasonExited, "an event that ends the journey came just before"},
		{ReasonHoldout, "the contact is one of those who are left alone, to see what the mail does"},
		{ReasonRenderFailed, "the template could not be filled for this contact"},
		{ReasonGaveUp, "the mail server put it off for three days"},
		{ReasonHardBounce, "the mail server refused it for good"},
		{ReasonFateUnknown, "the connection broke at the very end, so nobody knows whether it arrived"},
		{ReasonSlowed, "the recipient's mail provider asked us to slow down"},
		{ReasonPaced, "no more mail a minute may go to the recipient's mail provider"},
		{ReasonCancelled, "the broadcast was cancelled before"},
		{ReasonDoubled, "the contact was merged with another one that the broadcast has reached"},
	}, audience.HeldReasons())
}
