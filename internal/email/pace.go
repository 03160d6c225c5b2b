package email

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// How a provider that asked us to slow down gets its mail: half as much, and from then on more by the minute, until all is as before.
const (
	slowestPace = 1.0  // mails a minute: somebody has to look whether the provider takes mail again
	usualPace   = 60.0 // a minute; of a provider that got less than that when it first asked
	recovery    = 20   // minutes from nothing back to all
	// slowWindow is how long what else it asks counts as the same request: the conversations that were under way when it first asked.
	slowWindow = 10 * time.Second
)

// Pace is how fast mail may go to a provider that asked us to slow down. The zero value lets everything through.
type Pace struct {
	Provider  string
	Rate      float64 // mails a minute that were left when it asked last
	Ceiling   float64 // mails a minute that it rises back to; then there is no limit any more, or only the configured one
	SlowedAt  *time.Time
	SlowDowns int64
	Code      int    // its reply, without the text, which may quote an address
	Enhanced  string // as above
}

// At is how many mails a minute may go out at a moment; false: as many as there are.
func (p Pace) At(now time.Time) (float64, bool) {
	if p.SlowedAt == nil {
		return 0, false
	}
	minutes := max(0, now.Sub(*p.SlowedAt).Minutes())
	rate := p.Rate + minutes*p.Ceiling/recovery
	return rate, rate < p.Ceiling
}

// Slowed is the pace after the provider has asked to slow down: half of what it was (multiplicative decrease; the way back is additive).
// observed is what it got in the last minute, limit what is configured; 0: nothing.
func (p Pace) Slowed(observed, limit float64, d Delivery, now time.Time) Pace {
	if p.SlowedAt != nil && now.Sub(*p.SlowedAt) < slowWindow {
		return p
	}
	rate, slow := p.At(now)
	if !slow {
		rate = max(observed, usualPace)
		if limit > 0 {
			rate = limit
		}
		p.Ceiling = rate
	}
	p.Rate, p.SlowedAt = max(slowestPace, rate/2), &now
	p.Ceiling = max(p.Ceiling, p.Rate)
	p.SlowDowns++
	p.Code, p.Enhanced = d.Code, d.Enhanced
	return p
}

// Allowed is how many mails a minute may go to a provider, from what it asked for and what is configured; false: as many as there are.
func (p Pace) Allowed(limit float64, now time.Time) (float64, bool) {
	rate, slow := p.At(now)
	switch {
	case slow && limit > 0:
		return math.Min(rate, limit), true
	case slow:
		return rate, true
	}
	return limit, limit > 0
}

// AsksToSlowDown tells whether a refusal is about how much we send, and who said so: the provider of the recipient, or, before it was named, the
// relay. It changes nothing about what the outcome is.
func (d Delivery) AsksToSlowDown(to string) (provider string, asks bool) {
	if d.Code/100 != 4 {
		return "", false
	}
	switch d.Phase {
	case PhaseRcpt, PhaseData, PhaseBody, PhaseDot:
		provider = ProviderOf(to)
	default:
		provider = ProviderRelay
	}
	said := strings.ToLower(d.Reply)
	switch {
	case d.Code == 421:
		return provider, true
	case (d.Code == 450 || d.Code == 451 || d.Code == 452) && strings.HasPrefix(d.Enhanced, "4.7."):
		return provider, true
	}
	for _, words := range []string{"too many", "rate limit", "throttl", "too fast", "slow down"} {
		if strings.Contains(said, words) {
			return provider, true
		}
	}
	return "", false
}

// ProviderLimit is how much of our mail a provider gets at most, whether it asked to slow down or not.
type ProviderLimit struct {
	Provider    string
	PerMinute   int // mails of all processes together; 0: no limit
	Connections int // at once, of each process; 0: no limit of its own
}

// ProviderPace is how a provider is doing.
type ProviderPace struct {
	Pace
	Limit   ProviderLimit
	Waiting int64 // mails that wait for their turn
}

// Words say how a provider is doing.
func (p ProviderPace) Words(now time.Time) string {
	rate, limited := p.Allowed(float64(p.Limit.PerMinute), now)
	text := "Mail goes out as it comes."
	if _, slow := p.At(now); slow {
		text = fmt.Sprintf("It asked us to slow down and gets %s a minute; it is more every minute.", mails(rate))
	} else if limited {
		text = fmt.Sprintf("It gets at most %s a minute, as the sending policy says.", mails(rate))
	}
	if p.Waiting > 0 {
		text += fmt.Sprintf(" Waiting: %s.", mails(float64(p.Waiting)))
	}
	return text
}

func mails(n float64) string {
	if n = math.Round(n); n == 1 {
		return "1 mail"
	}
	return fmt.Sprintf("%.0f mails", n)
}
