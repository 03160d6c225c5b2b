package email

import "fmt"

// Reputation is what became of a journey's marketing mail lately.
type Reputation struct {
	Journey     string
	Mails       int64 // that a server took, or refused for good
	Complaints  int64
	HardBounces int64
}

// Mailbox providers stop taking a sender's mail for good when too many recipients complain (Google: keep it below 0.1 %, never reach 0.3 %), or when too
// many addresses are none. Below reputationFloor mails, one angry person would decide.
const (
	reputationFloor   = 500
	complaintsPerMile = 3
	bouncesPerMile    = 50
)

// Harm says why a journey should stop before it does more harm; empty: it need not.
func (r Reputation) Harm() string {
	switch {
	case r.Mails < reputationFloor:
		return ""
	case r.Complaints*1000 >= complaintsPerMile*r.Mails:
		return fmt.Sprintf("%d of %d recipients complained within a day", r.Complaints, r.Mails)
	case r.HardBounces*1000 >= bouncesPerMile*r.Mails:
		return fmt.Sprintf("%d of %d addresses did not exist, within a day", r.HardBounces, r.Mails)
	}
	return ""
}
