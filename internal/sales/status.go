package sales

import "throughline.dev/throughline/internal/fault"

// Final tells whether a handoff with this status is over.
func (s HandoffStatus) Final() bool { return s != HandoffOpen && s != HandoffAccepted }

// CanBecome tells whether a rep may move a handoff on to the status. The text is what the rep reads.
func (s HandoffStatus) CanBecome(next HandoffStatus) error {
	switch {
	case s.Final():
		return fault.New(fault.Conflict, "handoff_over", "This handoff is over ("+string(s)+"); nothing can be changed any more.")
	case next == HandoffAccepted && s == HandoffAccepted:
		return fault.New(fault.Conflict, "handoff_accepted", "Somebody has already accepted this handoff.")
	case next == HandoffRejected && s == HandoffAccepted:
		return fault.New(fault.Conflict, "handoff_accepted", "This handoff is accepted: close it with won or lost.")
	case (next == HandoffWon || next == HandoffLost) && s == HandoffOpen:
		return fault.New(fault.Conflict, "handoff_open", "Accept this handoff first, then say won or lost.")
	case next == HandoffOpen:
		return fault.New(fault.Conflict, "handoff_open", "A handoff cannot be opened again.")
	}
	return nil
}

// Stage is the lifecycle stage that a status puts a contact in, or nothing. Accepting makes a sales qualified lead.
func (s HandoffStatus) Stage() string {
	switch s {
	case HandoffAccepted:
		return "sql"
	case HandoffWon:
		return "customer"
	case HandoffOpen, HandoffRejected, HandoffLost, HandoffExpired, HandoffCancelled:
		return ""
	}
	return ""
}
