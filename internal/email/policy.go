package email

import (
	"slices"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Policy is how often and when marketing mail may reach a contact, whatever journeys want, and how much of all mail a provider gets. The zero
// value lets everything through.
type Policy struct {
	Caps       []Cap
	QuietHours *audience.Hours
	Timezone   string // of contacts whose own is not known; empty: UTC
	Providers  []ProviderLimit
	// SkipAddresses are kinds of addresses that get no marketing mail: AddressDisposable, AddressRole.
	SkipAddresses []string
}

// Spares is why an address about which there are such reasons gets no marketing mail; empty: it gets it.
func (p Policy) Spares(reasons []string) string {
	for _, kind := range [][2]string{{AddressDisposable, ReasonDisposable}, {AddressRole, ReasonRole}} {
		if slices.Contains(p.SkipAddresses, kind[0]) && slices.Contains(reasons, kind[0]) {
			return kind[1]
		}
	}
	return ""
}

// Cap allows some mails in some of the contact's own days, counted from midnight: one day is today.
type Cap struct {
	Max   int
	Days  int
	Topic string // of these mails only; empty: of all
}

// SentMail is what a cap counts.
type SentMail struct {
	At    time.Time
	Topic string
}

// Wish is a mail that wants to go out.
type Wish struct {
	At      time.Time
	Topic   string
	Zone    *time.Location
	Windows []audience.Hours // of its step
	Sent    []SentMail
	// Before are the topics of mails that wait for the same room and come first, because their journeys have a higher priority.
	Before []string
}

// Verdict says whether a mail may go out now, and if not, why, and when it may at the earliest.
type Verdict struct {
	Reason string // empty: now
	Until  time.Time
}

// Judge decides when a mail may go out: caps first, then the hours of the day, until both agree. It is pure; it is asked again when the
// time has come, because what was counted may be another by then.
func (p Policy) Judge(w Wish) Verdict {
	var quiet []audience.Hours
	if p.QuietHours != nil {
		quiet = []audience.Hours{*p.QuietHours}
	}
	verdict, at := Verdict{}, w.At
	for range maxJudgements {
		free, reason := p.free(at, w)
		next, ok := audience.NextAllowed(free, w.Zone, w.Windows, quiet)
		if !ok {
			return Verdict{Reason: audience.ReasonNeverAllowed}
		}
		if reason == "" && next.After(free) {
			reason = hoursReason(free.In(w.Zone), quiet)
		}
		if verdict.Reason == "" {
			verdict.Reason = reason
		}
		if next.Equal(at) {
			break
		}
		at = next
	}
	if verdict.Reason != "" {
		verdict.Until = at
	}
	return verdict
}

// maxJudgements bounds the steps from cap to hours and back: each moves on by a day at least, and no cap counts more days.
const maxJudgements = 400

func hoursReason(local time.Time, quiet []audience.Hours) string {
	if slices.ContainsFunc(quiet, func(h audience.Hours) bool { return h.Holds(local) }) {
		return audience.ReasonQuietHours
	}
	return audience.ReasonOutsideWindow
}

// free is the first moment, not before at, at which every cap has room.
func (p Policy) free(at time.Time, w Wish) (time.Time, string) {
	reason := ""
	for moved := true; moved; {
		moved = false
		for _, c := range p.Caps {
			if until, ok := c.free(at, w); !ok {
				at, reason, moved = until, audience.ReasonCapped, true
			}
		}
	}
	return at, reason
}

// free tells whether the cap has room at a moment, and otherwise the midnight at which it has.
func (c Cap) free(at time.Time, w Wish) (time.Time, bool) {
	if c.Topic != "" && c.Topic != w.Topic {
		return at, true
	}
	local := at.In(w.Zone)
	for day := 0; ; day++ {
		start := audience.Midnight(local.Year(), local.Month(), local.Day()+day-c.Days+1, w.Zone)
		if c.counted(start, w) < c.Max {
			if day == 0 {
				return at, true
			}
			return audience.Midnight(local.Year(), local.Month(), local.Day()+day, w.Zone), false
		}
		if day > c.Days { // nothing that was sent counts any more: only those that come before it fill the room
			return audience.Midnight(local.Year(), local.Month(), local.Day()+c.Days, w.Zone), false
		}
	}
}

func (c Cap) counted(start time.Time, w Wish) int {
	n := 0
	for _, sent := range w.Sent {
		if !sent.At.Before(start) && (c.Topic == "" || c.Topic == sent.Topic) {
			n++
		}
	}
	if w.At.Before(start) {
		return n // those that wait now will have gone by then
	}
	for _, topic := range w.Before {
		if c.Topic == "" || c.Topic == topic {
			n++
		}
	}
	return n
}

// Location finds a contact's time zone: its own, else the policy's, else UTC.
func (p Policy) Location(timezone string) *time.Location {
	for _, name := range []string{timezone, p.Timezone} {
		if name == "" || name == "Local" {
			continue
		}
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	return time.UTC
}

// Lookback is how long ago a mail can have been sent and still count, whatever the zone.
func (p Policy) Lookback() time.Duration {
	days := 0
	for _, c := range p.Caps {
		days = max(days, c.Days)
	}
	if days == 0 {
		return 0
	}
	return time.Duration(days+5) * 24 * time.Hour // a mail may be put off for three days after it was made
}
