package activities

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

const (
	batchBeat = 2 * time.Second
	askSales  = time.Hour   // whether a handoff is over
	postponed = time.Minute // a recipient for whom something fails that helps nobody to be tried at once
)

// SendBroadcast takes on a batch of those whose turn it is. The batch stands in Postgres; done again, it finds what was done.
func (a *Broadcasts) SendBroadcast(ctx context.Context, in BroadcastRef) (BroadcastStep, error) {
	b, err := a.Source.FindBroadcast(ctx, in.BroadcastID)
	if err != nil {
		return BroadcastStep{}, retryable(ctx, err)
	}
	most := batchMost
	if rate := b.Plan.Rate; rate > 0 {
		most = min(most, max(1, rate/batchRate))
	}
	step, err := a.deliver(ctx, b, most)
	step.Rate = b.Plan.Rate
	return step, retryable(ctx, err)
}

// batch is what the mails of a batch have in common, read once.
type batch struct {
	broadcast email.Broadcast
	drafts    []draft // by variant
	sent      atomic.Int64
	unsent    atomic.Int64
	failed    atomic.Pointer[error] // the first
}

func (a *Broadcasts) deliver(ctx context.Context, b email.Broadcast, most int) (BroadcastStep, error) {
	work := &batch{broadcast: b}
	for _, way := range b.Plan.Ways() {
		d, err := a.Messages.material(ctx, way.Template, way.Subject)
		if err != nil {
			return BroadcastStep{}, err
		}
		work.drafts = append(work.drafts, d)
	}
	due, err := a.Source.DueRecipients(ctx, b.ID, !b.Undecided() || b.State == email.BroadcastCancelled, a.Messages.Now(), most)
	if err != nil {
		return BroadcastStep{}, fmt.Errorf("find who is due: %w", err)
	}
	stop := beating(ctx)
	a.all(ctx, work, due)
	stop()
	settled, err := a.Source.SettleRecipients(ctx, b.ID)
	if err != nil {
		return BroadcastStep{}, fmt.Errorf("settle: %w", err)
	}
	if failed := work.failed.Load(); failed != nil {
		return BroadcastStep{}, *failed
	}
	step, err := a.again(ctx, b.ID)
	step.Sent, step.Unsent = work.sent.Load(), work.unsent.Load()
	for _, count := range settled {
		step.Settled += count.Total
	}
	return step, err
}

// all does what is next for each recipient, some of them at the same time. One that fails keeps no other waiting.
func (a *Broadcasts) all(ctx context.Context, work *batch, due []email.BroadcastRecipient) {
	slots := make(chan struct{}, batchAtOnce)
	var wg sync.WaitGroup
	for _, r := range due {
		if stopping(ctx) {
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			err := a.attempt(ctx, work, r)
			if err == nil {
				return
			}
			activity.GetLogger(ctx).Warn("mail of a broadcast not sent yet", "message_id", r.MessageID, "error", err.Error())
			if err := a.Source.PostponeRecipient(ctx, r.MessageID, a.Messages.Now().Add(postponed)); err != nil {
				work.failed.CompareAndSwap(nil, &err)
			}
		})
	}
	wg.Wait()
}

// beating shows that an activity goes on, as long as it does.
func beating(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pause(ctx, batchBeat) == nil {
			activity.RecordHeartbeat(ctx)
		}
	}()
	return func() { cancel(); <-done }
}

// attempt does what is next for one recipient.
func (a *Broadcasts) attempt(ctx context.Context, work *batch, r email.BroadcastRecipient) error {
	if r.State == email.RecipientSending {
		if err := a.expire(ctx, r.MessageID); err != nil {
			return err
		}
	}
	claimed, unlooked, err := a.claim(ctx, work, r, false)
	if err == nil && unlooked {
		a.Messages.lookUp(ctx, r.ContactID)
		claimed, _, err = a.claim(ctx, work, r, true)
	}
	if f := fault.KindOf(err); err != nil && (f == fault.NotFound || f == fault.Conflict) {
		return nil // erased; or somebody else has the message
	}
	if err != nil {
		return err
	}
	if claimed != nil {
		work.sent.Add(1)
		a.Messages.Dispatcher.Send(ctx, *claimed)
	}
	return nil
}

// claim takes a recipient one step on under its contact's lock. unlooked: first it is to be found out whether its address can get mail.
func (a *Broadcasts) claim(ctx context.Context, work *batch, r email.BroadcastRecipient, looked bool) (claimed *email.Message, unlooked bool, err error) {
	err = a.Messages.Contacts.InContact(ctx, r.ContactID, func(ctx context.Context, tx ContactTx) error {
		claimed = nil
		if unlooked = !looked && r.State == email.RecipientPending && a.Messages.unlooked(tx); unlooked {
			return nil
		}
		locked, err := tx.Recipient(ctx, r.MessageID)
		if err != nil || locked == nil { // it stands for another contact by now, or for none
			return err
		}
		claimed, err = a.decide(ctx, tx, work, *locked)
		return err
	})
	return claimed, unlooked, err
}

// expire takes a mail whose sender has died for one of unknown fate.
func (a *Broadcasts) expire(ctx context.Context, messageID string) error {
	m, err := a.Messages.Ledger.FindMessage(ctx, messageID)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return nil
	}
	if err != nil || m.State != email.Sending || m.LeaseUntil == nil || a.Messages.Now().Before(*m.LeaseUntil) {
		return err
	}
	_, err = a.Messages.Ledger.ExpireLease(ctx, messageID, a.Messages.Now())
	return err
}

// decide takes a recipient one step on, under its contact's lock. It gives the mail that is to go out now, if there is one.
func (a *Broadcasts) decide(ctx context.Context, tx ContactTx, work *batch, locked email.LockedRecipient) (*email.Message, error) {
	switch {
	case locked.State == email.RecipientSending:
		return a.goOn(ctx, tx, locked)
	case locked.State != email.RecipientPending && locked.State != email.RecipientHeld, !locked.Broadcast.Sends():
		return nil, nil //nolint:nilnil // settled meanwhile, or paused: there is nothing to send
	case locked.Part == email.PartRest && locked.Winner == nil:
		return nil, nil //nolint:nilnil // as above
	}
	return a.write(ctx, tx, work, locked)
}

// write puts the mail into the ledger, with the reason when it is not to be sent, or holds the recipient until it may be.
func (a *Broadcasts) write(ctx context.Context, tx ContactTx, work *batch, locked email.LockedRecipient) (*email.Message, error) {
	now, r := a.Messages.Now(), locked.BroadcastRecipient
	if r.Part == email.PartRest {
		r.Variant = locked.Winner
	}
	d := work.drafts[0]
	if r.Variant != nil && *r.Variant < len(work.drafts) {
		d = work.drafts[*r.Variant]
	}
	contact := tx.Contact()
	m := email.Message{
		ID: r.MessageID, ContactID: contact.ID, Template: d.template.Key, TemplateVersion: d.template.Version, Class: email.Marketing, Topic: work.broadcast.Plan.Topic,
		State: email.Queued, ToAddress: contact.Email, CreatedAt: now, UpdatedAt: now,
	}
	until, err := a.refuse(ctx, tx, work, d, locked, &m)
	if err != nil {
		return nil, err
	}
	if until != nil {
		r.State, r.Reason, r.DueAt = email.RecipientHeld, m.Reason, *until
		return nil, tx.UpdateRecipient(ctx, r)
	}
	if m.Reason == "" && r.Part == email.PartHoldout {
		m.Reason = email.ReasonHoldout
	}
	if m.Reason == "" {
		if err := a.Messages.compose(ctx, tx, "", d, &m); err != nil {
			return nil, err
		}
	}
	m.State, r.Reason, r.DecidedAt = begins(m.Reason), m.Reason, &now
	if m.State == email.Queued {
		a.Messages.claimUnwritten(&m)
	}
	if err := tx.InsertMessage(ctx, m); err != nil {
		return nil, err
	}
	if m.State != email.Sending {
		work.unsent.Add(1)
		r.State = email.RecipientState(m.State)
		return nil, tx.UpdateRecipient(ctx, r)
	}
	return &m, a.underWay(ctx, tx, r)
}

// refuse finds why a mail must not go out, and puts that into it; or until when it has to wait.
func (a *Broadcasts) refuse(ctx context.Context, tx ContactTx, work *batch, d draft, locked email.LockedRecipient, m *email.Message) (until *time.Time, err error) {
	if locked.Doubled {
		m.Reason = email.ReasonDoubled
		return nil, nil //nolint:nilnil // no wait
	}
	if m.Reason, err = Refusal(ctx, tx, *m); err != nil || m.Reason != "" {
		return nil, err
	}
	if m.Reason = d.policy.Spares(tx.Contact().EmailReasons); m.Reason != "" {
		return nil, nil //nolint:nilnil // as above
	}
	verdict, err := a.verdict(ctx, tx, d, locked, *m)
	if err != nil || verdict.Reason == "" {
		return nil, err
	}
	m.Reason = verdict.Reason
	skip := verdict.Reason == audience.ReasonNeverAllowed || work.broadcast.Plan.Otherwise == email.OtherwiseSkip && verdict.Reason != email.ReasonPaced || verdict.Until.Sub(locked.BeginsAt) > giveUpAfter
	if skip {
		return nil, nil //nolint:nilnil // as above
	}
	return &verdict.Until, nil
}

// verdict tells whether the mail may go out now: by sales, by caps and hours, and last, because it takes a turn, by what its provider takes.
func (a *Broadcasts) verdict(ctx context.Context, tx ContactTx, d draft, locked email.LockedRecipient, m email.Message) (email.Verdict, error) {
	now := a.Messages.Now()
	with, err := tx.WithSales(ctx)
	if err != nil {
		return email.Verdict{}, fmt.Errorf("find handoffs: %w", err)
	}
	if with {
		return email.Verdict{Reason: audience.ReasonWithSales, Until: now.Add(askSales)}, nil
	}
	if w := (wish{policy: d.policy, topic: m.Topic, enrollment: uuid.Nil.String()}); w.ruled() {
		verdict, err := a.Messages.judge(ctx, tx, w)
		if err != nil || verdict.Reason != "" {
			return verdict, err
		}
	}
	if locked.Part == email.PartHoldout {
		return email.Verdict{}, nil // nothing goes out
	}
	if wait := a.Messages.Paces.try(m.ToAddress); wait > 0 {
		return email.Verdict{Reason: email.ReasonPaced, Until: now.Add(wait)}, nil
	}
	return email.Verdict{}, nil
}

// underWay notes when somebody has to look at a mail again that a transport has now: the lease is over by then, or it may be tried again.
func (a *Broadcasts) underWay(ctx context.Context, tx ContactTx, r email.BroadcastRecipient) error {
	r.State, r.DueAt = email.RecipientSending, a.Messages.Dispatcher.lease(a.Messages.Now()).Add(time.Second)
	return tx.UpdateRecipient(ctx, r)
}

// goOn is the patient part: a mail that was put off is tried again, and one that has come to its end is settled.
func (a *Broadcasts) goOn(ctx context.Context, tx ContactTx, locked email.LockedRecipient) (*email.Message, error) {
	now, r := a.Messages.Now(), locked.BroadcastRecipient
	m, err := tx.Message(ctx, r.MessageID)
	if err != nil || m == nil { // a mail that is gone went with its contact
		return nil, err
	}
	switch m.State {
	case email.Sending:
		r.DueAt = a.Messages.Dispatcher.lease(now)
		return nil, tx.UpdateRecipient(ctx, r)
	case email.Sent, email.Rejected, email.Unknown, email.Skipped, email.Failed:
		return nil, nil //nolint:nilnil // SettleRecipients takes it from here
	case email.Queued, email.Deferred:
	}
	switch due := m.UpdatedAt.Add(retryDelay(m.Attempt)); {
	case locked.Broadcast == email.BroadcastCancelled:
		return nil, tx.SkipMessage(ctx, m.ID, email.ReasonCancelled, now)
	case !locked.Broadcast.Sends():
		return nil, nil //nolint:nilnil // paused
	case now.Sub(m.CreatedAt) > giveUpAfter:
		return nil, tx.SkipMessage(ctx, m.ID, email.ReasonGaveUp, now)
	case m.State == email.Deferred && now.Before(due):
		r.DueAt = due
		return nil, tx.UpdateRecipient(ctx, r)
	}
	if wait := a.Messages.Paces.try(m.ToAddress); wait > 0 {
		r.DueAt = now.Add(wait)
		return nil, tx.UpdateRecipient(ctx, r)
	}
	claimed, err := a.Messages.takeAgain(ctx, tx, *m)
	if err != nil || claimed == nil {
		return nil, err
	}
	return claimed, a.underWay(ctx, tx, r)
}
