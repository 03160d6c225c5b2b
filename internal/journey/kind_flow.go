package journey

import (
	"strconv"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// The kinds that choose the way: wait, wait_for, branch, split, handoff and exit.

func waitKind() KindSpec {
	return KindSpec{
		Kind: KindWait, Title: "Wait", Next: true, Waits: true, Short: "for",
		Ports:   []Port{{Name: PortNext, Doc: "When the time is over. A moment that is past already passes at once."}},
		Summary: "Pauses for a time, or until a moment.",
		Fields: []Field{
			{Name: "for", Type: FieldDuration, Doc: "How long: s, m, h, d or w, also together as in 1d12h. A day is 24 hours.", Example: "2d"},
			{Name: "until", Type: FieldTime, InsteadOf: "for", Doc: "Until when, with a time zone.", Example: "2026-12-24T09:00:00Z"},
		},
		Example: "- id: pause\n  wait: 2d\n",
		decode: func(b *body, s *Step) {
			s.Wait = &Wait{For: b.object.duration("for"), Until: b.object.time("until")}
		},
		encode: func(s *Step) *node {
			if s.Wait.Until != nil {
				return objectNode().withText("until", s.Wait.Until.Format(time.RFC3339))
			}
			return textNode(audience.FormatDuration(s.Wait.For))
		},
		check: func(c *checker, s *Step) {
			if (s.Wait.For > 0) == (s.Wait.Until != nil) {
				c.errorf(s.Pointer+"/wait", s.ID, "wait_without_end", "The wait %q needs exactly one of for and until.", s.ID)
			}
			if u := s.Wait.Until; u != nil && !c.known.Now.IsZero() && u.Before(c.known.Now) {
				c.add(fault.LevelWarning, s.Pointer+"/wait/until", s.ID, "past", "The moment that %q waits for is past: contacts pass at once.", s.ID)
			}
		},
		compile: func(s *Step, p *PlanStep) { p.For, p.Until = s.Wait.For, s.Wait.Until },
	}
}

func waitForKind() KindSpec {
	return KindSpec{
		Kind: KindWaitFor, Title: "Wait for an event", Arms: true, Waits: true,
		Ports: []Port{
			{Name: "<n>", Doc: "When the event of arm n came first and its condition held."},
			{Name: PortTimeout, Doc: "When the time of after is over."},
		},
		Summary: "Pauses until the first of some events, for a time at most. Events since the last step count, so nothing slips through between two steps.",
		Fields: append(matchFields(),
			Field{Name: "after", Type: FieldDuration, InsteadOf: "event", Doc: "In the last arm, instead of event: how long to wait at most.", Example: "3d"},
			Field{Name: "forever", Type: FieldFlag, InsteadOf: "event", Doc: "In the last arm, instead of after: true, to wait without end.", Example: "true"},
			goField("Where this arm leads."),
		),
		Example: "- id: activated\n  wait_for:\n    - {event: Project Created, go: tips}\n    - {after: 3d, go: nudge}\n",
		decode:  decodeWaitFor,
		encode: func(s *Step) *node {
			list := listNode()
			for _, arm := range s.WaitFor.Arms {
				list.items = append(list.items, arm.node().withText("go", arm.Go))
			}
			if s.WaitFor.Forever {
				return listNode(append(list.items, objectNode().with("forever", flagNode(true)))...)
			}
			end := objectNode().withText("after", audience.FormatDuration(s.WaitFor.After)).withText("go", s.WaitFor.Timeout)
			return listNode(append(list.items, end)...)
		},
		check: checkWaitFor,
		exits: func(s *Step) []exit {
			var all []exit
			for i, arm := range s.WaitFor.Arms {
				all = append(all, exit{strconv.Itoa(i), arm.Go, arm.Pointer + "/go"})
			}
			if !s.WaitFor.Forever {
				for _, end := range s.WaitFor.ends {
					all = append(all, exit{PortTimeout, s.WaitFor.Timeout, indexOf(s.Pointer+"/wait_for", end.index) + "/go"})
				}
			}
			return all
		},
		compile: func(s *Step, p *PlanStep) {
			p.For = s.WaitFor.After
			for _, arm := range s.WaitFor.Arms {
				p.Arms = append(p.Arms, arm.arm())
			}
		},
	}
}

func decodeWaitFor(b *body, s *Step) {
	s.WaitFor = &WaitFor{}
	for i, o := range b.arms {
		switch {
		case o.hasWord():
			s.WaitFor.Arms = append(s.WaitFor.Arms, EventArm{Match: o.match(), Go: o.text("go")})
			o.forbid("after", "forever")
			o.require("go")
		case o.has("after"):
			s.WaitFor.After, s.WaitFor.Timeout = o.duration("after"), o.text("go")
			s.WaitFor.ends = append(s.WaitFor.ends, waitEnd{index: i})
			o.forbid("when", "forever")
			o.require("go")
		case o.has("forever"):
			s.WaitFor.Forever = o.flag("forever")
			s.WaitFor.ends = append(s.WaitFor.ends, waitEnd{index: i, forever: true})
			o.forbid("when", "go")
			if !s.WaitFor.Forever {
				o.problem("/forever", "wrong_type", "\"forever\" can only be true; to end the wait, use after.")
			}
		default:
			o.problem("", "missing_field", "An arm of wait_for needs event (or segment, left_segment, stage), or after, or forever: true.")
		}
	}
}

func checkWaitFor(c *checker, s *Step) {
	at := s.Pointer + "/wait_for"
	ends := s.WaitFor.ends
	switch {
	case len(ends) == 0:
		c.errorf(at, s.ID, "wait_without_end", "The wait %q could last forever: add {after: 3d, go: …}, or say {forever: true}.", s.ID)
	case len(ends) > 1:
		c.errorf(indexOf(at, ends[1].index), s.ID, "two_ends", "The wait %q has more than one end: keep one of after and forever.", s.ID)
	case ends[0].index != len(s.WaitFor.Arms):
		c.errorf(indexOf(at, ends[0].index), s.ID, "end_not_last", "In the wait %q, after or forever must be the last arm.", s.ID)
	}
	if len(s.WaitFor.Arms) == 0 {
		c.errorf(at, s.ID, "wait_without_event", "The wait %q waits for no event: name one, or use a wait step.", s.ID)
	}
}

func branchKind() KindSpec {
	return KindSpec{
		Kind: KindBranch, Title: "Branch", Arms: true,
		Ports: []Port{
			{Name: "<n>", Doc: "When the condition of arm n is the first that holds."},
			{Name: PortElse, Doc: "When no condition holds."},
		},
		Summary: "Chooses the way by conditions over the contact: the first that holds wins. What was chosen and why is kept.",
		Fields: []Field{
			{Name: "when", Type: FieldCondition, Doc: "The condition.", Example: "contact.seats >= 5"},
			{Name: "else", Type: FieldFlag, InsteadOf: "when", Doc: "true in the last arm: for everybody else.", Example: "true"},
			goField("Where this arm leads."),
		},
		Example: "- id: fit\n  branch:\n    - {when: contact.seats >= 5, go: to_sales}\n    - {else: true, go: nurture}\n",
		decode: func(b *body, s *Step) {
			for _, o := range b.arms {
				s.Branch = append(s.Branch, BranchArm{When: o.text("when"), Else: o.flag("else"), Go: o.text("go"), Pointer: o.at})
				o.require("go")
				if o.has("when") == o.has("else") || o.has("else") && !o.flag("else") {
					o.problem("", "missing_field", "An arm of branch needs either when or else: true.")
				}
			}
		},
		encode: func(s *Step) *node {
			list := listNode()
			for _, arm := range s.Branch {
				n := objectNode().withText("when", arm.When)
				if arm.Else {
					n.with("else", flagNode(true))
				}
				list.items = append(list.items, n.withText("go", arm.Go))
			}
			return list
		},
		check: checkBranch,
		exits: func(s *Step) []exit {
			var all []exit
			for i, arm := range s.Branch {
				port := strconv.Itoa(i)
				if arm.Else {
					port = PortElse
				}
				all = append(all, exit{port, arm.Go, arm.Pointer + "/go"})
			}
			return all
		},
		act: actBranch,
	}
}

func checkBranch(c *checker, s *Step) {
	last := len(s.Branch) - 1
	for i, arm := range s.Branch {
		if arm.Else && i != last {
			c.errorf(arm.Pointer, s.ID, "end_not_last", "In the branch %q, else must be the last arm: what follows it is never reached.", s.ID)
		}
	}
	if last < 0 || !s.Branch[last].Else {
		c.errorf(s.Pointer+"/branch", s.ID, "branch_without_else", "The branch %q says nothing about contacts for whom no condition holds: add {else: true, go: …} at the end.", s.ID)
	}
	if last == 0 && s.Branch[0].Else {
		c.errorf(s.Pointer+"/branch", s.ID, "missing_field", "The branch %q has no condition.", s.ID)
	}
}

func handoffKind() KindSpec {
	return KindSpec{
		Kind: KindHandoff, Title: "Hand off to sales", Waits: true,
		Ports: []Port{
			{Name: PortWon, Doc: "When sales has won the deal."},
			{Name: PortLost, Doc: "When the deal is lost."},
			{Name: PortRejected, Doc: "When sales does not take the contact."},
			{Name: PortExpired, Doc: "When the time of expires is over."},
		},
		Summary: "Passes the contact to a salesperson and pauses until they say what became of it.",
		Fields: []Field{
			{Name: "why", Type: FieldText, Required: true, Doc: "Why now, in a sentence for the rep.", Example: "Five seats, active in week one"},
			{Name: PortWon, Type: FieldStep, Required: true, Doc: "Where a won deal leads.", Example: "thanks"},
			{Name: PortLost, Type: FieldStep, Required: true, Doc: "Where a lost deal leads.", Example: "win_back"},
			{Name: PortRejected, Type: FieldStep, Required: true, Doc: "Where a contact leads that sales does not take.", Example: "nurture"},
			{Name: "expires", Type: FieldObject, Default: "it never does", Doc: "What happens when sales does nothing.", Fields: []Field{
				{Name: "after", Type: FieldDuration, Required: true, Doc: "How long sales has.", Example: "14d"},
				{Name: "go", Type: FieldStep, Required: true, Doc: "Where the contact goes then.", Example: "nurture"},
			}},
		},
		Example: "- id: to_sales\n  handoff:\n    why: Five seats, active in week one\n    won: thanks\n    lost: win_back\n    rejected: nurture\n    expires: {after: 14d, go: nurture}\n",
		decode: func(b *body, s *Step) {
			o := b.object
			s.Handoff = &Handoff{Why: o.text("why"), Won: o.text(PortWon), Lost: o.text(PortLost), Rejected: o.text(PortRejected)}
			if e := o.object("expires"); e != nil {
				s.Handoff.Expires = &Expires{After: e.duration("after"), Go: e.text("go")}
			}
		},
		encode: func(s *Step) *node {
			h := s.Handoff
			n := objectNode().withText("why", h.Why).withText(PortWon, h.Won).withText(PortLost, h.Lost).withText(PortRejected, h.Rejected)
			if h.Expires != nil {
				n.with("expires", objectNode().withText("after", audience.FormatDuration(h.Expires.After)).withText("go", h.Expires.Go))
			}
			return n
		},
		exits: func(s *Step) []exit {
			at := s.Pointer + "/handoff/"
			all := []exit{{PortWon, s.Handoff.Won, at + PortWon}, {PortLost, s.Handoff.Lost, at + PortLost}, {PortRejected, s.Handoff.Rejected, at + PortRejected}}
			if s.Handoff.Expires != nil {
				all = append(all, exit{PortExpired, s.Handoff.Expires.Go, at + "expires/go"})
			}
			return all
		},
		compile: func(s *Step, p *PlanStep) {
			if s.Handoff.Expires != nil {
				p.For = s.Handoff.Expires.After
			}
		},
		act: actHandoff,
	}
}

func exitKind() KindSpec {
	return KindSpec{
		Kind: KindExit, Title: "Exit", Short: "reason", Ports: []Port{},
		Summary: "Ends the journey: the enrollment is completed.",
		Fields:  []Field{{Name: "reason", Type: FieldText, Doc: "Why, for reports.", Example: "finished"}},
		Example: "- id: done\n  exit: finished\n",
		decode:  func(b *body, s *Step) { s.Exit = &Exit{Reason: b.object.text("reason")} },
		encode: func(s *Step) *node {
			if s.Exit.Reason == "" {
				return objectNode()
			}
			return textNode(s.Exit.Reason)
		},
		compile: func(s *Step, p *PlanStep) { p.ExitReason = s.Exit.Reason },
	}
}
