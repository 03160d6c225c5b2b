package journey

import "throughline.dev/throughline/internal/audience"

// Why is a stable code with what it means, for people.
type Why struct {
	Code  string `json:"code"`
	Words string `json:"words" doc:"What the code means, as the end of a sentence."`
}

// Reasons are the codes that enrollments and decisions may have as their reason, with their words. Besides them there are texts of authors:
// the reason of an exit step, of points, of a rejected handoff.
func Reasons() []Why {
	all := []Why{
		{ReasonGoal, "the goal was reached"},
		{ReasonExitEvent, "an event came that ends the journey"},
		{ReasonImpossibleOutcome, "the step ended in a way that the journey has no path for"},
		{ReasonEndlessLoop, "the steps led round in a circle"},
		{ReasonUnknownStep, "the journey has no such step"},
		{NotEnteredActive, "the contact is in the journey already"},
		{NotEnteredBefore, "the contact was in the journey before, and it lets nobody in twice"},
		{NotEnteredSoon, "the contact was in the journey before, and it is too soon for another time"},
		{"condition_not_met", "the condition for entering did not hold"},
		{"merged", "the contact was merged with another one"},
		{"impossible_step", "the step can't be performed"},
		{"unknown_kind", "the step is of a kind that this program does not know"},
		{"unknown_match", "the step's condition is missing in the journey's version"},
		{"journal_unreadable", "what was recorded of the step can't be read"},
		{"version_unreadable", "the journey's version can't be read any more"},
		{"refused", "the receiver refused the call"},
		{"internal", "something went wrong inside of Throughline"},
	}
	for _, held := range audience.HeldReasons() { // why a mail waits, or why its contact has left instead
		all = append(all, Why{held[0], held[1]})
	}
	return all
}
