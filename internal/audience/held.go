package audience

// The reasons why a mail may not go out now: a closed list, of messages that are skipped, of decisions to wait, and of ends.
const (
	ReasonCapped        = "capped"         // the contact has had as many mails as the policy allows
	ReasonQuietHours    = "quiet_hours"    // it is too late or too early in the contact's day
	ReasonOutsideWindow = "outside_window" // the step sends at other times of the day or the week
	ReasonWithSales     = "with_sales"     // somebody in sales works on the contact
	ReasonNeverAllowed  = "never_allowed"  // the step's window lies in the quiet hours
)

// HeldReasons are these reasons with their words, as the end of a sentence.
func HeldReasons() [][2]string {
	return [][2]string{
		{ReasonCapped, "the contact has had as many mails as the sending policy allows"},
		{ReasonQuietHours, "it would have reached the contact in its quiet hours"},
		{ReasonOutsideWindow, "the step sends at other times of the day or the week"},
		{ReasonWithSales, "sales is working on the contact"},
		{ReasonNeverAllowed, "the step's window lies in the quiet hours, so that there is never a time for it"},
	}
}
