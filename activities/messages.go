package activities

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

const (
	// giveUpAfter is how long a deferred message is tried.
	giveUpAfter = 72 * time.Hour
	// maxTransactionalAttempts: a transactional message of unknown fate is sent once more, with the same bytes.
	maxTransactionalAttempts = 2
	guardPage                = 100
	// heldFor is how often a mail that was put off looks whether its paused journey goes on.
	heldFor = time.Minute
)

// Messages performs the sends. Each is a row of the ledger, claimed in the transaction that checks whether it may be sent.
type Messages struct {
	Contacts   Contacts
	Versions   *Versions
	Templates  Templates
	Policies   *Policies // nil: every mail may go out at any time
	Subjects   *SubjectOrders
	Copywriter *Copywriter // of generated subjects; nil: there are none
	Composer   *Composer
	Dispatcher *Dispatcher
	Ledger     Ledger
	Paces      *Paces    // nil: every provider takes as much as there is
	Addresses  Addresses // nil: nobody looks domains up
	Now        Clock
}

// SendEmail claims the message of this step's visit and hands it to the transport. It waits a few seconds for the
// outcome and never cuts the conversation short: after that it returns pending, and AwaitDelivery tells the end.
func (a *Messages) SendEmail(ctx context.Context, in EffectInput) (EffectResult, error) {
	step, err := a.Versions.step(ctx, in.Ref)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	draft, err := a.draft(ctx, in, step)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	attempt, err := a.claim(ctx, in, draft)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	if attempt.held {
		return EffectResult{Held: true}, nil
	}
	if attempt.message.ID == "" { // it waits for its time: there is no mail yet
		return EffectResult{Outcome: *attempt.outcome}, nil
	}
	if attempt.dispatch {
		recorded, ok := a.Dispatcher.Send(ctx, attempt.message)
		if !ok { // its fate is recorded when it is known
			return EffectResult{MessageID: attempt.message.ID, State: email.Sending, Pending: true}, nil
		}
		attempt.message = recorded
	}
	return sendResult(attempt.message, attempt.outcome), nil
}

// sendResult says how the journey goes on: as soon as the message's fate is settled, by its next port.
func sendResult(m email.Message, stopped *journey.Outcome) EffectResult {
	result := EffectResult{MessageID: m.ID, State: m.State, Reason: m.Reason, Pending: !m.State.Final() || mayResend(m)}
	result.Outcome = journey.Outcome{Port: journey.PortNext}
	if stopped != nil {
		result.Outcome = *stopped
	}
	return result
}

// mayResend tells whether a message of unknown fate is sent once more: only a transactional one, where two are better
// than none.
func mayResend(m email.Message) bool {
	return m.State == email.Unknown && m.Class == email.Transactional && m.Attempt < maxTransactionalAttempts
}

// attempt is one try at a send: the ledger row, whether to hand it to the transport now, and the goal or exit that
// stopped it.
type attempt struct {
	message  email.Message
	dispatch bool
	unlooked bool             // whether its address can get mail is to be looked up first
	held     bool             // the journey is paused: a mail that nobody has claimed stays where it is
	outcome  *journey.Outcome // what stopped it: a goal, an exit, or that its time has not come
}

// draft is what a send needs besides the contact: read before the transaction that claims it, which has no connection
// to spare.
type draft struct {
	step     *journey.Step // nil: of a mail that no journey sends
	template email.TemplateVersion
	renderer *email.Renderer
	subject  string         // empty: the template's own
	written  bool           // by the step's author, in the template's own language
	choice   *subjectChoice // nil: none is to be made
	policy   email.Policy
	priority int       // of its journey
	now      time.Time // at which it is judged, under the contact's row lock
	looked   bool      // the address's domain has been looked up, or could not be
}

func (a *Messages) draft(ctx context.Context, in EffectInput, step *journey.Step) (draft, error) {
	d, err := a.material(ctx, step.Send.Template, step.Send.Subject)
	d.step = step
	if err != nil || step.Send.AISubject == nil {
		return d, err
	}
	if d.choice, err = a.chooseSubject(ctx, in, step, d.template); err != nil {
		return d, fmt.Errorf("choose subject: %w", err)
	}
	if d.choice != nil && d.choice.line.Number > 0 {
		d.subject, d.written = d.choice.line.Text, false
	}
	return d, nil
}

// material is what any mail needs besides the contact.
func (a *Messages) material(ctx context.Context, template, subject string) (draft, error) {
	d := draft{subject: subject, written: true}
	var err error
	if d.template, err = a.Templates.FindTemplate(ctx, template); err != nil {
		return d, fmt.Errorf("find template: %w", err)
	}
	if d.policy, err = a.policy(ctx); err != nil {
		return d, err
	}
	d.renderer, err = a.Composer.Renderers.Current(ctx)
	return d, err
}

func (a *Messages) policy(ctx context.Context) (email.Policy, error) {
	if a.Policies == nil {
		return email.Policy{}, nil
	}
	return a.Policies.find(ctx)
}

// questions are what the claim will ask: the same moment in all of them, so that what was asked ahead is what is asked.
func (d draft) questions(id string, in EffectInput) email.SendQuestions {
	q := email.SendQuestions{
		MessageID: id, EnrollmentID: in.Ref.EnrollmentID, Topic: d.step.Send.Topic, Marketing: email.Class(d.step.Send.Class) != email.Transactional,
		Tracked: d.template.Tracked(), Priority: d.priority,
	}
	if len(d.policy.Caps) > 0 {
		since := d.now.Add(-d.policy.Lookback())
		q.Since = &since
	}
	return q
}

// claim decides, under the contact's row lock, whether the message may be sent, and takes it for sending. After an
// unsubscribe has committed, no claim succeeds.
func (a *Messages) claim(ctx context.Context, in EffectInput, d draft) (attempt, error) {
	var t attempt
	err := a.Versions.with(ctx, func() error { return a.claimIn(ctx, in, d, &t) })
	if err == nil && t.unlooked {
		a.lookUp(ctx, in.Ref.ContactID)
		d.looked, t = true, attempt{}
		err = a.Versions.with(ctx, func() error { return a.claimIn(ctx, in, d, &t) })
	}
	return t, err
}

func (a *Messages) claimIn(ctx context.Context, in EffectInput, d draft, t *attempt) error {
	return a.Contacts.InContact(ctx, in.Ref.ContactID, func(ctx context.Context, tx ContactTx) error {
		id := stepID(messageSpace, in.Ref)
		d.now = a.Now()
		if l, err := a.Versions.loaded(in.Ref.Hash); err == nil {
			d.priority = l.def.Priority
		}
		if err := tx.PrepareSend(ctx, d.questions(id, in)); err != nil {
			return fmt.Errorf("prepare send: %w", err)
		}
		existing, err := tx.Message(ctx, id)
		if err != nil {
			return fmt.Errorf("find message: %w", err)
		}
		if existing != nil {
			t.message = *existing
			if existing.Reason == email.ReasonGoalReached || existing.Reason == email.ReasonExited {
				t.outcome, err = a.stopped(ctx, tx, in)
				return err
			}
			if t.outcome = left(d.step, *existing); t.outcome != nil {
				return nil
			}
			if existing.State != email.Queued {
				return nil // settled, under way, or deferred: AwaitDelivery knows when to try again
			}
		}
		if t.held = tx.Paused(in.Ref.Journey); t.held {
			return nil
		}
		if t.unlooked = existing == nil && !d.looked && a.unlooked(tx); t.unlooked {
			return nil
		}
		if existing == nil {
			t.message, t.outcome, err = a.write(ctx, tx, in, d, id)
			t.dispatch = t.message.State == email.Sending
			return err
		}
		if wait := a.Paces.try(t.message.ToAddress); wait > 0 {
			return nil // queued: AwaitDelivery lets it wait for its turn
		}
		t.dispatch = true
		t.message, err = tx.ClaimMessage(ctx, id, a.Dispatcher.lease(a.Now()), a.Now())
		return err
	})
}

// write puts the message into the ledger: claimed, with the very bytes that every attempt will send, queued when its provider takes no more now,
// or skipped with the reason. A mail whose time has not come is not written: then the message is empty, and the outcome says until when it waits.
func (a *Messages) write(ctx context.Context, tx ContactTx, in EffectInput, d draft, id string) (email.Message, *journey.Outcome, error) {
	contact := tx.Contact()
	m := email.Message{
		ID: id, ContactID: contact.ID, EnrollmentID: in.Ref.EnrollmentID, Journey: in.Ref.Journey, Version: in.Ref.Version,
		StepID: in.Ref.Step, Visit: in.Ref.Visit, Template: d.template.Key, TemplateVersion: d.template.Version, Class: email.Class(d.step.Send.Class), Topic: d.step.Send.Topic,
		State: email.Queued, ToAddress: contact.Email, CreatedAt: a.Now(), UpdatedAt: a.Now(),
	}
	outcome, err := a.stopped(ctx, tx, in)
	if err != nil {
		return m, nil, err
	}
	if outcome != nil {
		m.State, m.Reason = email.Skipped, email.ReasonGoalReached
		if outcome.Exit {
			m.Reason = email.ReasonExited
		}
		return m, outcome, tx.InsertMessage(ctx, m)
	}
	if m.Reason, err = Refusal(ctx, tx, m); err != nil {
		return m, nil, err
	}
	if m.Reason == "" {
		if outcome, err = a.arbitrate(ctx, tx, in, d, &m); err != nil || outcome != nil {
			return email.Message{}, outcome, err
		}
	}
	if m.Reason == "" {
		if err := a.compose(ctx, tx, in.TriggerEventID, d, &m); err != nil {
			return m, nil, err
		}
	}
	if m.Reason == "" {
		if err := a.withhold(ctx, tx, in, &m); err != nil {
			return m, nil, err
		}
	}
	m.State = begins(m.Reason)
	if m.State == email.Queued && a.Paces.try(m.ToAddress) == 0 { // else AwaitDelivery lets it wait for its turn
		a.claimUnwritten(&m)
	}
	if err := tx.InsertMessage(ctx, m); err != nil {
		return m, nil, err
	}
	return m, left(d.step, m), d.choice.note(ctx, tx, m)
}

// claimUnwritten claims a message that is about to be written, so that one statement does both.
func (a *Messages) claimUnwritten(m *email.Message) {
	until := a.Dispatcher.lease(a.Now())
	m.State, m.Attempt, m.Fence, m.LeaseUntil = email.Sending, 1, 1, &until
}

// begins is the state that a message begins in.
func begins(reason string) email.State {
	switch reason {
	case "":
		return email.Queued
	case email.ReasonRenderFailed:
		return email.Failed
	}
	return email.Skipped
}

// compose fills the template. A template that cannot be filled for this contact skips the send with a reason.
func (a *Messages) compose(ctx context.Context, tx ContactTx, triggerEventID string, d draft, m *email.Message) error {
	facts, err := factsFor(ctx, tx, triggerEventID, a.Now())
	if err != nil {
		return err
	}
	if m.Tracked = d.template.Tracked(); m.Tracked {
		if m.Tracked, err = tx.TrackingConsent(ctx); err != nil {
			return fmt.Errorf("find consent to tracking: %w", err)
		}
	}
	subject := d.subject
	if d.written && d.template.Speaks(facts.Contact().Locale) != d.template.Locale {
		subject = "" // a translation has a subject of its own
	}
	if err := a.Composer.Compose(d.renderer, d.template.Template, subject, facts, m); err != nil {
		activity.GetLogger(ctx).Warn("template could not be rendered", "template", d.template.Key, "version", d.template.Version, "error", err.Error())
		m.Reason = email.ReasonRenderFailed
	}
	return nil
}

// Refusal is the reason why this message must not go out now, if there is one.
func Refusal(ctx context.Context, tx ContactTx, m email.Message) (string, error) {
	if m.ToAddress == "" {
		return email.ReasonNoAddress, nil
	}
	key, err := email.AddressKey(m.ToAddress)
	if err != nil {
		return email.ReasonInvalidAddress, nil //nolint:nilerr // an address that cannot be read is the reason itself
	}
	if _, suppressed, err := tx.Suppressed(ctx, key); err != nil || suppressed {
		return email.ReasonSuppressed, err
	}
	if undeliverable(tx.Contact(), key) {
		return email.ReasonUndeliverable, nil
	}
	if m.Class == email.Transactional {
		return "", nil
	}
	return tx.ConsentRefusal(ctx, m.Topic)
}

// stopped looks whether a goal or exit event has come since the enrollment last moved.
func (a *Messages) stopped(ctx context.Context, tx ContactTx, in EffectInput) (*journey.Outcome, error) {
	l, err := a.Versions.loaded(in.Ref.Hash)
	if err != nil {
		return nil, err
	}
	names := matchNames(append(append([]journey.Arm{}, l.plan.Goal...), l.plan.Exit...))
	state := journey.State{Step: in.Ref.Step, Seq: in.Seq}
	for len(names) > 0 {
		events, err := tx.EventsAfter(ctx, state.Seq, names, guardPage)
		if err != nil {
			return nil, fmt.Errorf("read goal and exit events: %w", err)
		}
		outcome, done, err := l.plan.Ended(state, events, func(pointer string, e audience.Event) (bool, error) {
			match, _ := l.def.Match(pointer)
			verdict, err := a.Versions.holds(match.When, tx.Facts(ctx, &e, a.Now()))
			return verdict.Holds, err
		})
		if err != nil || done {
			return &outcome, err
		}
		if len(events) < guardPage {
			break
		}
		state.Seq = events[len(events)-1].Seq
	}
	return nil, nil //nolint:nilnil // no outcome: nothing stopped it
}

func matchNames(arms []journey.Arm) []string {
	names := make([]string, 0, len(arms))
	for _, arm := range arms {
		names = append(names, arm.Event)
	}
	return names
}

// AwaitDelivery is the patient part of a send, as a regular activity whose retries are visible: it waits for a
// transport that is still talking, tries a deferred message again when it is due, and settles what a dead worker left.
func (a *Messages) AwaitDelivery(ctx context.Context, in EffectInput) (EffectResult, error) {
	id := stepID(messageSpace, in.Ref)
	for {
		m, err := a.Ledger.FindMessage(ctx, id)
		if err != nil {
			return EffectResult{}, retryable(ctx, err)
		}
		activity.RecordHeartbeat(ctx)
		switch m.State {
		case email.Sending:
			if m.LeaseUntil != nil && a.Now().Before(*m.LeaseUntil) {
				if err := a.Dispatcher.wait(ctx); err != nil {
					return EffectResult{}, err
				}
				continue
			}
			if _, err := a.Ledger.ExpireLease(ctx, id, a.Now()); err != nil && fault.KindOf(err) != fault.Conflict {
				return EffectResult{}, retryable(ctx, err)
			}
		case email.Queued, email.Deferred:
			if err := a.again(ctx, in, m); err != nil {
				return EffectResult{}, err
			}
		case email.Unknown:
			if !mayResend(m) {
				return sendResult(m, nil), nil
			}
			if err := a.again(ctx, in, m); err != nil {
				return EffectResult{}, err
			}
		case email.Sent, email.Rejected, email.Skipped, email.Failed:
			return sendResult(m, nil), nil
		}
	}
}

// again tries a message that was not delivered yet: not before it is due, not after it was given up, and only if it may
// still be sent.
func (a *Messages) again(ctx context.Context, in EffectInput, m email.Message) error {
	held := false
	if a.Now().Sub(m.CreatedAt) > giveUpAfter {
		err := a.Contacts.InContact(ctx, m.ContactID, func(ctx context.Context, tx ContactTx) error {
			if held = tx.Paused(in.Ref.Journey); held {
				return nil
			}
			return tx.SkipMessage(ctx, m.ID, email.ReasonGaveUp, a.Now())
		})
		if held {
			return heldDelivery()
		}
		return retryable(ctx, err)
	}
	if due := m.UpdatedAt.Add(retryDelay(m.Attempt)); m.State == email.Deferred && a.Now().Before(due) {
		return temporal.NewApplicationErrorWithOptions("The mail server asked to try again later.", "deferred",
			temporal.ApplicationErrorOptions{NextRetryDelay: due.Sub(a.Now()) + time.Millisecond, Category: temporal.ApplicationErrorCategoryBenign})
	}
	if err := a.turn(ctx, m); err != nil {
		return err
	}
	claimed, held, err := a.reclaim(ctx, in, m, false)
	if fault.KindOf(err) == fault.Conflict && err != nil {
		return nil // somebody else has it: look again
	}
	if err != nil {
		return retryable(ctx, err)
	}
	if held {
		return heldDelivery()
	}
	if claimed != nil {
		a.Dispatcher.Send(ctx, *claimed)
	}
	return nil
}

// turn takes a turn for a mail. Without one the mail waits, and it can be seen for what.
func (a *Messages) turn(ctx context.Context, m email.Message) error {
	wait := a.Paces.try(m.ToAddress)
	if wait == 0 {
		return nil
	}
	if err := a.Ledger.NoteWait(ctx, m.ID, email.ProviderOf(m.ToAddress), a.Now().Add(wait)); err != nil {
		return retryable(ctx, err)
	}
	return temporal.NewApplicationErrorWithOptions("The recipient's mail provider gets no more mail a minute; the mail waits for its turn.", email.ReasonPaced,
		temporal.ApplicationErrorOptions{NextRetryDelay: wait, Category: temporal.ApplicationErrorCategoryBenign})
}

// takeAgain takes a message that was not delivered yet once more. One that may not be sent any more is closed with the reason; then it gives nil.
func (a *Messages) takeAgain(ctx context.Context, tx ContactTx, m email.Message) (*email.Message, error) {
	reason, err := Refusal(ctx, tx, m)
	if err != nil {
		return nil, err
	}
	if reason != "" && m.State != email.Unknown {
		return nil, tx.SkipMessage(ctx, m.ID, reason, a.Now())
	}
	claimed, err := tx.ClaimMessage(ctx, m.ID, a.Dispatcher.lease(a.Now()), a.Now())
	return &claimed, err
}

// heldDelivery lets a mail rest that was put off before its journey was paused.
func heldDelivery() error {
	return temporal.NewApplicationErrorWithOptions("The journey is paused.", "paused",
		temporal.ApplicationErrorOptions{NextRetryDelay: heldFor, Category: temporal.ApplicationErrorCategoryBenign})
}

// retryDelays are how long a refused message rests after each attempt, the last one after all further ones: a relay's greylisting wants
// minutes (RFC 5321, 4.5.4.1), a broken connection seconds.
func retryDelays() []time.Duration {
	return []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}
}

func retryDelay(attempt int) time.Duration {
	if attempt < 1 {
		return 0
	}
	delays := retryDelays()
	return delays[min(attempt, len(delays))-1]
}
