package email

import (
	"cmp"
	"maps"
	"slices"
)

// MailNumbers is what became of the mails of a journey, or of those to a provider.
type MailNumbers struct {
	Of           string `json:"of" doc:"The journey, empty for mail of none; or the receiving provider."`
	Mails        int64  `json:"mails" doc:"That a server took, or refused for good."`
	Delivered    int64  `json:"delivered" doc:"Of which was reported that they arrived; not every server does."`
	HardBounces  int64  `json:"hard_bounces" doc:"The address does not exist."`
	OtherBounces int64  `json:"other_bounces" doc:"Full mailboxes and refusals."`
	Complaints   int64  `json:"complaints"`
	State        string `json:"state" enum:"few,good,watch,harm" doc:"By what providers mind: from 0.1 % complaints on they watch, from 0.3 % complaints or 5 % hard bounces on it does harm. Below 500 mails nothing can be said."`
}

// The states of numbers.
const (
	NumbersFew   = "few"
	NumbersGood  = "good"
	NumbersWatch = "watch"
	NumbersHarm  = "harm"
)

// watchedPerMile is what Google asks senders to stay below.
const watchedPerMile = 1

// Numbers are counts of one kind of mails to one domain.
type Numbers struct {
	Journey, Domain                                         string
	Class                                                   Class
	Mails, Delivered, HardBounces, OtherBounces, Complaints int64
}

// ByJourney sums numbers up by journey, marketing mail alone; ByProvider by who receives, all mail. The most mails come first.
func ByJourney(all []Numbers) []MailNumbers {
	return sumNumbers(all, func(n Numbers) (string, bool) { return n.Journey, n.Class == Marketing })
}

// ByProvider sums numbers up by receiving provider.
func ByProvider(all []Numbers) []MailNumbers {
	return sumNumbers(all, func(n Numbers) (string, bool) { return ProviderOf("x@" + n.Domain), true })
}

func sumNumbers(all []Numbers, of func(Numbers) (string, bool)) []MailNumbers {
	sums := map[string]*MailNumbers{}
	for _, n := range all {
		name, counts := of(n)
		if !counts {
			continue
		}
		sum, there := sums[name]
		if !there {
			sum = &MailNumbers{Of: name}
			sums[name] = sum
		}
		sum.Mails, sum.Delivered, sum.Complaints = sum.Mails+n.Mails, sum.Delivered+n.Delivered, sum.Complaints+n.Complaints
		sum.HardBounces, sum.OtherBounces = sum.HardBounces+n.HardBounces, sum.OtherBounces+n.OtherBounces
	}
	out := make([]MailNumbers, 0, len(sums))
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		sums[name].State = sums[name].state()
		out = append(out, *sums[name])
	}
	slices.SortStableFunc(out, func(a, b MailNumbers) int { return cmp.Compare(b.Mails, a.Mails) })
	return out
}

func (n MailNumbers) state() string {
	switch {
	case n.Mails < reputationFloor:
		return NumbersFew
	case n.Complaints*1000 >= complaintsPerMile*n.Mails, n.HardBounces*1000 >= bouncesPerMile*n.Mails:
		return NumbersHarm
	case n.Complaints*1000 >= watchedPerMile*n.Mails:
		return NumbersWatch
	}
	return NumbersGood
}

// SuppressedFor counts addresses that are never written to, for one reason.
type SuppressedFor struct {
	Reason    string `json:"reason"`
	Addresses int64  `json:"addresses"`
}
