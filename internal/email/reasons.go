package email

// IsHours tells whether a reason is about how often and when mail may go out.
func IsHours(reason string) bool {
	return reason == ReasonCapped || reason == ReasonQuietHours || reason == ReasonOutsideWindow || reason == ReasonNeverAllowed
}

// Reasons are the reasons why a message was not sent, each with its words, as the end of a sentence.
func Reasons() [][2]string {
	return [][2]string{
		{ReasonSuppressed, "the address is on the list of addresses that are never written to"},
		{ReasonUnsubscribed, "the contact has withdrawn its consent for marketing mail"},
		{ReasonNoAddress, "the contact has no e-mail address"},
		{ReasonInvalidAddress, "what the contact has as its address is none"},
		{ReasonGoalReached, "the goal was reached just before"},
		{ReasonExited, "an event that ends the journey came just before"},
		{ReasonCapped, "the contact has had as many mails as the sending policy allows"},
		{ReasonQuietHours, "it would have reached the contact in its quiet hours"},
		{ReasonOutsideWindow, "the step sends at other times of the day or the week"},
		{ReasonNeverAllowed, "the step's window lies in the quiet hours, so that there is never a time for it"},
		{ReasonRenderFailed, "the template could not be filled for this contact"},
		{ReasonGaveUp, "the mail server put it off for three days"},
		{ReasonHardBounce, "the mail server refused it for good"},
		{ReasonFateUnknown, "the connection broke at the very end, so nobody knows whether it arrived"},
	}
}
