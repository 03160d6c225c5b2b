package activities

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"throughline.dev/throughline/internal/email"
)

const recordBackoff = 200 * time.Millisecond

// Dispatcher runs the SMTP conversations. A conversation belongs to no activity attempt: it goes on under the transport's
// own deadlines when the attempt that began it has run out of time, and records its outcome in the ledger.
type Dispatcher struct {
	Transport Transport
	Ledger    Ledger
	Paces     *Paces                        // nil: nobody counts
	Sender    func(messageID string) string // envelope sender: where a message returns to
	Patience  time.Duration                 // how long an attempt waits for an outcome
	Lease     time.Duration                 // how long a message is left to a process that is not heard of
	Poll      time.Duration                 // how often a waiting attempt looks again
	Now       Clock
	Log       *slog.Logger

	running sync.WaitGroup
}

func (d *Dispatcher) lease(now time.Time) time.Time { return now.Add(d.Lease) }

// wait pauses a waiting attempt between two looks at the ledger.
func (d *Dispatcher) wait(ctx context.Context) error { return pause(ctx, d.Poll) }

// Send starts the conversation for a claimed message and waits for its end, but no longer than its patience. It gives the message as it was
// recorded; false: that is not done yet, or a later claim has the message.
func (d *Dispatcher) Send(ctx context.Context, m email.Message) (email.Message, bool) {
	type end struct {
		message email.Message
		ok      bool
	}
	done := make(chan end, 1)
	d.running.Go(func() {
		recorded, ok := d.converse(context.WithoutCancel(ctx), m)
		done <- end{recorded, ok}
	})
	timer := time.NewTimer(d.Patience)
	defer timer.Stop()
	select {
	case e := <-done:
		return e.message, e.ok
	case <-timer.C:
	case <-ctx.Done():
	}
	return m, false
}

// Drain waits for the conversations that are still going on, so that a stopping worker leaves no unknown behind.
func (d *Dispatcher) Drain(ctx context.Context) {
	done := make(chan struct{})
	go func() { d.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (d *Dispatcher) converse(ctx context.Context, m email.Message) (email.Message, bool) {
	stop, end := d.keepLease(ctx, m), d.Paces.begin(m.ToAddress)
	delivery := d.Transport.Send(ctx, email.Envelope{From: d.Sender(m.ID), To: m.ToAddress, Bytes: m.Raw})
	stop()
	end(ctx, delivery)
	state, reason := settled(delivery)
	if _, asks := delivery.AsksToSlowDown(m.ToAddress); asks && state == email.Deferred {
		reason = email.ReasonSlowed
	}
	for {
		applied, err := d.Ledger.FinishMessage(ctx, m.ID, m.Fence, delivery, state, reason, d.Now())
		if err == nil {
			if !applied {
				d.Log.Warn("a later claim has this message", "message_id", m.ID, "outcome", string(delivery.Outcome))
			}
			m.State, m.Reason, m.LeaseUntil = state, reason, nil
			return m, applied
		}
		// The outcome is known and must not be lost: as long as this process lives, it tries to write it down.
		d.Log.Error("outcome not recorded yet", "message_id", m.ID, "error", err.Error())
		if pause(ctx, recordBackoff) != nil {
			return m, false
		}
	}
}

func pause(ctx context.Context, t time.Duration) error {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// keepLease shows, as long as the conversation goes on, that somebody holds the message.
func (d *Dispatcher) keepLease(ctx context.Context, m email.Message) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	d.running.Go(func() {
		for pause(ctx, d.Lease/3) == nil {
			if _, err := d.Ledger.ExtendLease(ctx, m.ID, m.Fence, d.lease(d.Now())); err != nil && ctx.Err() == nil {
				d.Log.Warn("lease not extended", "message_id", m.ID, "error", err.Error())
			}
		}
	})
	return cancel
}

// settled translates a transport's outcome into the ledger's state.
func settled(delivery email.Delivery) (email.State, string) {
	switch delivery.Outcome {
	case email.OutcomeAccepted:
		return email.Sent, ""
	case email.OutcomeRejected:
		return email.Rejected, email.ReasonHardBounce
	case email.OutcomeUnknown:
		return email.Unknown, email.ReasonFateUnknown
	case email.OutcomeNotSent, email.OutcomeDeferred:
		return email.Deferred, ""
	}
	return email.Deferred, ""
}
