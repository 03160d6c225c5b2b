package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

const (
	scanPage     = 500 // events read at once for one enrollment
	triggerPage  = 200 // trigger events read at once
	journalEntry = "entered"
	journalNo    = "not_entered"
)

// Inbox reads what happened to a contact since its journey last looked.
type Inbox struct {
	Contacts Contacts
	Versions *Versions
	Now      Clock
}

// ReadInbox is the journey's one look at the world. In one transaction, under the contact's row lock, it stores how the
// hosted enrollments stand, ends the pauses that an event, a handoff or the time has ended, enrolls by trigger, and writes
// the new interests. So an event either sees the interest or is seen by the reader: no wake-up falls between.
func (a *Inbox) ReadInbox(ctx context.Context, in ReadInboxInput) (ReadInboxResult, error) {
	var result ReadInboxResult
	err := a.Versions.with(ctx, func() error {
		return a.Contacts.InContact(ctx, in.ContactID, func(ctx context.Context, tx ContactTx) error {
			r := reading{inbox: a, tx: tx, in: in, now: a.Now(), interests: map[string]bool{}, created: map[string]bool{}}
			var err error
			result, err = r.read(ctx)
			return err
		})
	})
	if isGone(err) {
		return ReadInboxResult{Gone: true}, nil
	}
	return result, retryable(ctx, err)
}

// isGone tells whether there is no such contact any more.
func isGone(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Code == "contact_not_found"
}

// reading is one run of ReadInbox inside its transaction.
type reading struct {
	inbox     *Inbox
	tx        ContactTx
	in        ReadInboxInput
	now       time.Time
	result    ReadInboxResult
	interests map[string]bool
	created   map[string]bool // enrollments that this reading has made
}

func (r *reading) read(ctx context.Context) (ReadInboxResult, error) {
	if !strings.EqualFold(r.tx.Contact().ID, r.in.ContactID) {
		return r.merged(ctx)
	}
	open, err := r.tx.OpenEnrollments(ctx)
	if err != nil {
		return r.result, fmt.Errorf("list open enrollments: %w", err)
	}
	rows := map[string]journey.Enrollment{}
	for _, e := range open {
		rows[e.ID] = e
	}
	for _, h := range r.in.Hosted {
		if err := r.hosted(ctx, h, rows); err != nil {
			return r.result, fmt.Errorf("enrollment %s: %w", h.EnrollmentID, err)
		}
	}
	triggerSeq, err := r.enroll(ctx)
	if err != nil {
		return r.result, err
	}
	if err := r.adopt(ctx); err != nil {
		return r.result, err
	}
	names := make([]string, 0, len(r.interests))
	for name := range r.interests {
		names = append(names, name)
	}
	slices.Sort(names)
	if err := r.tx.Park(ctx, names, triggerSeq); err != nil {
		return r.result, fmt.Errorf("write interests: %w", err)
	}
	return r.result, nil
}

// hosted brings one hosted enrollment up to date: what it has passed, its row, its pause, its interests.
func (r *reading) hosted(ctx context.Context, h Hosted, rows map[string]journey.Enrollment) error {
	l, err := r.inbox.Versions.loaded(h.Hash)
	if err != nil {
		return err
	}
	if err := r.passed(ctx, h, l.plan); err != nil {
		return err
	}
	row, open := rows[h.EnrollmentID]
	if !open && h.State.End == nil {
		r.result.Dropped = append(r.result.Dropped, h.EnrollmentID)
		return r.withdrawn(ctx, h)
	}
	if h.State.End != nil {
		if !open {
			return nil // told before, by an attempt whose result was lost
		}
		return r.end(ctx, h)
	}
	if held := r.held(h.Journey); h.State.Park != nil && !held {
		resolved, err := r.resolve(ctx, h, l)
		if err != nil || resolved {
			r.listen(l.plan, unparked(h.State))
			return err
		}
	}
	r.listen(l.plan, h.State)
	return r.sync(ctx, h, row)
}

// held tells whether a journey is paused, and tells the workflow too. What ends a pause of the plan meanwhile, an event or the time, stays to
// be found: nothing is looked at, so nothing is forgotten.
func (r *reading) held(journeyKey string) bool {
	paused := r.tx.Paused(journeyKey)
	if paused && !slices.Contains(r.result.Paused, journeyKey) {
		r.result.Paused = append(r.result.Paused, journeyKey)
	}
	return paused
}

// unparked is the state of an enrollment that is about to move on: it listens to all that it may wait for next.
func unparked(s journey.State) journey.State {
	s.Park = nil
	return s
}

func (r *reading) listen(plan *journey.Plan, s journey.State) {
	for _, name := range plan.Interests(s) {
		r.interests[name] = true
	}
}

// sync stores where the enrollment stands, if the row says otherwise.
func (r *reading) sync(ctx context.Context, h Hosted, row journey.Enrollment) error {
	state, wakeAt := journey.Active, (*time.Time)(nil)
	if h.State.Park != nil {
		state, wakeAt = journey.Waiting, h.State.Park.Deadline
	}
	if row.State == state && row.Step == h.State.Step && equalTime(row.WakeAt, wakeAt) {
		return nil
	}
	return r.tx.UpdateEnrollment(ctx, h.EnrollmentID, state, h.State.Step, "", wakeAt, nil)
}

func equalTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

func (r *reading) end(ctx context.Context, h Hosted) error {
	end := *h.State.End
	if err := r.tx.UpdateEnrollment(ctx, h.EnrollmentID, end.State, h.State.Step, end.Reason, nil, &r.now); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	_, _, err := r.tx.RecordDecision(ctx, journey.Decision{
		EnrollmentID: h.EnrollmentID, ContactID: r.in.ContactID, Journey: h.Journey, StepID: h.State.Step,
		Visit: h.State.Visit(), Kind: string(end.State), Outcome: string(end.State), Reason: end.Reason, At: r.now,
	})
	return err
}

// resolve ends a pause when something has ended it, records the decision, and tells the workflow.
func (r *reading) resolve(ctx context.Context, h Hosted, l loaded) (bool, error) {
	var why []audience.Term
	holds := func(pointer string, e audience.Event) (bool, error) {
		match, ok := l.def.Match(pointer)
		if !ok {
			return false, fault.New(fault.Invalid, "unknown_match", "The version has no such condition.")
		}
		verdict, err := r.inbox.Versions.holds(match.When, r.tx.Facts(ctx, &e, r.now))
		why = verdict.Terms
		return verdict.Holds, err
	}
	h, err := r.released(ctx, h)
	if err != nil {
		return false, err
	}
	outcome, event, done, err := r.scan(ctx, h, l.plan, holds)
	if err != nil || !done {
		return false, err
	}
	if outcome.Port == journey.PortAgain { // nothing is decided: the step is tried again
		r.result.Resolved = append(r.result.Resolved, Resolved{EnrollmentID: h.EnrollmentID, Outcome: outcome})
		return true, nil
	}
	detail := map[string]any{}
	if len(why) > 0 {
		detail["terms"] = why
	}
	if event != nil {
		detail["event"], detail["event_id"] = event.Name, event.ID
	}
	if outcome.At != nil {
		detail["deadline"] = outcome.At.Format(time.RFC3339Nano)
	}
	recorded, err := r.record(ctx, h, l.plan, outcome, detail)
	if err != nil {
		return false, err
	}
	r.result.Resolved = append(r.result.Resolved, Resolved{EnrollmentID: h.EnrollmentID, Outcome: recorded})
	return true, r.closeHandoff(ctx, h, recorded)
}

// scan looks through the events that the pause has not seen yet, a page at a time, then at the handoff and the clock.
func (r *reading) scan(ctx context.Context, h Hosted, plan *journey.Plan, holds func(string, audience.Event) (bool, error)) (journey.Outcome, *audience.Event, bool, error) {
	handoff, err := r.handoffResult(ctx, h)
	if err != nil {
		return journey.Outcome{}, nil, false, err
	}
	state, names := h.State, plan.Interests(h.State)
	for {
		var events []audience.Event
		if len(names) > 0 {
			if events, err = r.tx.EventsAfter(ctx, state.Seq, names, scanPage); err != nil {
				return journey.Outcome{}, nil, false, fmt.Errorf("read events: %w", err)
			}
		}
		last := len(events) < scanPage
		now, result := r.now, handoff
		if !last {
			// Time and the handoff decide only once every event was looked at: a page that is full is not the end.
			now, result = time.Time{}, nil
		}
		outcome, done, err := plan.Resolve(state, events, holds, result, now)
		if err != nil {
			return outcome, nil, false, fmt.Errorf("resolve: %w", err)
		}
		if done {
			return outcome, eventWithSeq(events, outcome.Seq), true, nil
		}
		if len(events) > 0 {
			state.Seq = events[len(events)-1].Seq
		}
		if last {
			if state.Seq > h.State.Seq {
				if r.result.Scanned == nil {
					r.result.Scanned = map[string]int64{}
				}
				r.result.Scanned[h.EnrollmentID] = state.Seq
			}
			return journey.Outcome{}, nil, false, nil
		}
	}
}

func eventWithSeq(events []audience.Event, seq int64) *audience.Event {
	for i := range events {
		if events[i].Seq == seq && seq != 0 {
			return &events[i]
		}
	}
	return nil
}

// record writes the outcome once; an attempt whose result was lost finds what was recorded then.
func (r *reading) record(ctx context.Context, h Hosted, plan *journey.Plan, o journey.Outcome, detail map[string]any) (journey.Outcome, error) {
	withNext(detail, plan, h.State.Step, o)
	d, _, err := r.tx.RecordDecision(ctx, journey.Decision{
		EnrollmentID: h.EnrollmentID, ContactID: r.in.ContactID, Journey: h.Journey, StepID: h.State.Step,
		Visit: h.State.Visit(), Kind: string(plan.Steps[h.State.Step].Kind), Outcome: o.Name(), Reason: o.Reason,
		Detail: withOutcome(detail, o), At: r.now,
	})
	if err != nil {
		return o, fmt.Errorf("record decision: %w", err)
	}
	return recordedOutcome(d), nil
}

// enroll reads the events that may start a journey and creates the enrollments; it returns how far it has read.
func (r *reading) enroll(ctx context.Context) (int64, error) {
	names, err := r.tx.TriggerNames(ctx)
	if err != nil {
		return 0, fmt.Errorf("list triggers: %w", err)
	}
	seq := r.tx.TriggerSeq()
	for len(names) > 0 {
		events, err := r.tx.EventsAfter(ctx, seq, names, triggerPage)
		if err != nil {
			return 0, fmt.Errorf("read trigger events: %w", err)
		}
		for i := range events {
			if err := r.trigger(ctx, &events[i]); err != nil {
				return 0, err
			}
			seq = events[i].Seq
		}
		if len(events) < triggerPage {
			break
		}
	}
	return max(seq, r.tx.LastSeq()), nil
}

func (r *reading) trigger(ctx context.Context, event *audience.Event) error {
	versions, err := r.tx.TriggerJourneys(ctx, event.Name)
	if err != nil {
		return fmt.Errorf("find triggered journeys: %w", err)
	}
	for _, v := range versions {
		if event.ReceivedAt.Before(v.LiveSince) {
			continue // the journey was not live yet: publishing never reaches back
		}
		if err := r.triggerOne(ctx, v.Version, event); err != nil {
			return fmt.Errorf("trigger journey %s: %w", v.Journey, err)
		}
	}
	return nil
}

func (r *reading) triggerOne(ctx context.Context, v journey.Version, event *audience.Event) error {
	l, err := r.inbox.Versions.loaded(v.Hash)
	if err != nil {
		return err
	}
	facts := r.tx.Facts(ctx, event, r.now)
	refused := journey.Decision{
		ContactID: r.in.ContactID, Journey: v.Journey, Kind: journalNo, Outcome: journalNo, At: r.now,
		Detail: map[string]any{"event": event.Name, "event_id": event.ID, "seq": event.Seq, "version": v.Number},
	}
	matched := false
	for _, enter := range l.def.Enter {
		if enter.Event != event.Name {
			continue
		}
		verdict, err := r.inbox.Versions.holds(enter.When, facts)
		if err != nil {
			return err
		}
		refused.Detail["terms"] = verdict.Terms
		if verdict.Holds {
			matched = true
			break
		}
	}
	if !matched {
		refused.Reason = "condition_not_met"
		_, _, err := r.tx.RecordDecision(ctx, refused)
		return err
	}
	last, err := r.tx.LastEnrollment(ctx, v.Journey)
	if err != nil {
		return fmt.Errorf("find last enrollment: %w", err)
	}
	if ok, reason := journey.EnterAllowed(l.def.Reenter, last, r.now); !ok {
		refused.Reason = reason
		_, _, err := r.tx.RecordDecision(ctx, refused)
		return err
	}
	return r.create(ctx, v, event, refused.Detail)
}

func (r *reading) create(ctx context.Context, v journey.Version, event *audience.Event, detail map[string]any) error {
	e, created, err := r.tx.CreateEnrollment(ctx, journey.Enrollment{
		ID: newEnrollmentID(r.in.ContactID, v.Journey, event.ID), ContactID: r.in.ContactID, Journey: v.Journey,
		Version: v.Number, Hash: v.Hash, State: journey.Active, TriggerEventID: event.ID, EnteredSeq: event.Seq, EnteredAt: r.now,
	})
	if err != nil || !created {
		return err
	}
	r.created[e.ID] = true
	_, _, err = r.tx.RecordDecision(ctx, journey.Decision{
		EnrollmentID: e.ID, ContactID: r.in.ContactID, Journey: v.Journey, Kind: journalEntry, Outcome: journalEntry,
		Detail: detail, At: r.now,
	})
	return err
}

// adopt hands every open enrollment that the workflow does not host to it: those just created, those made by the API,
// and any whose news was lost on the way.
func (r *reading) adopt(ctx context.Context) error {
	known, hashes := map[string]bool{}, map[string]bool{}
	for _, h := range r.in.Hosted {
		known[h.EnrollmentID] = true
		hashes[h.Hash] = true
	}
	open, err := r.tx.OpenEnrollments(ctx)
	if err != nil {
		return fmt.Errorf("list open enrollments: %w", err)
	}
	for _, e := range open {
		if known[e.ID] {
			continue
		}
		l, err := r.inbox.Versions.loaded(e.Hash)
		if err != nil {
			return err
		}
		adopted := Adopted{
			EnrollmentID: e.ID, Journey: e.Journey, Version: e.Version, Hash: e.Hash,
			EnteredSeq: e.EnteredSeq, TriggerEventID: e.TriggerEventID,
		}
		if !hashes[e.Hash] {
			adopted.Plan, hashes[e.Hash] = l.plan, true
		}
		state, err := r.stands(ctx, e, l.plan, &adopted)
		if err != nil {
			return err
		}
		r.result.Adopted = append(r.result.Adopted, adopted)
		r.held(e.Journey)
		r.listen(l.plan, unparked(state))
	}
	return nil
}
