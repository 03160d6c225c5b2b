package journey

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Variant is the arm of a split that a contact gets: always the same for the same journey, step, contact and weights, and independent
// between steps. It is 0 when there are no weights.
func Variant(journey, step, contactID string, weights []int) int {
	total := uint64(0)
	for _, w := range weights {
		total += uint64(max(w, 0))
	}
	if total == 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(journey + "|" + step + "|" + contactID))
	at := binary.BigEndian.Uint64(sum[:8]) % total
	for i, w := range weights {
		share := uint64(max(w, 0))
		if at < share {
			return i
		}
		at -= share
	}
	return len(weights) - 1
}

// The reasons why a contact may not enter.
const (
	NotEnteredActive = "already_in_journey"
	NotEnteredBefore = "entered_before"
	NotEnteredSoon   = "too_soon"
)

// EnterAllowed tells whether a contact may enter a journey, given its last enrollment there (nil: none). Nobody is in the same journey
// twice at once. A cancelled enrollment counts like any other.
func EnterAllowed(reenter Reenter, last *Enrollment, now time.Time) (bool, string) {
	switch {
	case last == nil:
		return true, ""
	case !last.State.Final():
		return false, NotEnteredActive
	case reenter.Policy == ReenterAlways:
		return true, ""
	case reenter.Policy == ReenterAfter:
		ended := last.EnteredAt
		if last.EndedAt != nil {
			ended = *last.EndedAt
		}
		if now.Before(ended.Add(reenter.After)) {
			return false, NotEnteredSoon
		}
		return true, ""
	}
	return false, NotEnteredBefore
}
