package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/temporal"

	"throughline.dev/throughline/internal/email"
)

const (
	directAtOnce = 16  // conversations
	directPage   = 100 // messages looked at together
	directSweep  = time.Second
)

// Direct sends the messages that belong to no journey: those that the API was asked for. They wait for nothing and nobody decides about them,
// so there is no workflow: the ledger, its leases and its fences are all that a crash needs. Any number of processes may run one.
type Direct struct {
	Messages *Messages
	Source   DirectSource
	Log      *slog.Logger
}

// DirectRef is a message that somebody has to do something about.
type DirectRef struct {
	ID, ContactID string
	State         email.State
}

// DirectSource finds them.
type DirectSource interface {
	// ListDirect lists what is due, new ones first. Delays are how long a deferred one rests after each attempt.
	ListDirect(ctx context.Context, now time.Time, delays []time.Duration, limit int) ([]DirectRef, error)
	// ListenDirect tells of new ones until the context ends, or it can't.
	ListenDirect(ctx context.Context, woken func()) error
}

// directRun is what one sender has in hand.
type directRun struct {
	slots chan struct{}
	woken chan struct{}
	group sync.WaitGroup

	mu    sync.Mutex
	under map[string]bool // way
}

// Run sends until the context ends: at once what is new, and each second what is due again.
func (d *Direct) Run(ctx context.Context) {
	run := &directRun{slots: make(chan struct{}, directAtOnce), woken: make(chan struct{}, 1), under: map[string]bool{}}
	go d.listen(ctx, run.woken)
	ticker := time.NewTicker(directSweep)
	defer ticker.Stop()
	defer run.group.Wait()
	for {
		again, err := d.sendDue(ctx, run)
		if err != nil && ctx.Err() == nil {
			d.Log.Warn("messages not sent yet", "error", err.Error())
		}
		if again {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-run.woken:
		case <-ticker.C:
		}
	}
}

// listen passes on that there is something new. Without it, the ticker finds it.
func (d *Direct) listen(ctx context.Context, woken chan<- struct{}) {
	for {
		err := d.Source.ListenDirect(ctx, func() {
			select {
			case woken <- struct{}{}:
			default: // it is woken already
			}
		})
		if pause(ctx, directSweep) != nil {
			return
		}
		d.Log.Warn("not told of new messages for a moment", "error", fmt.Sprint(err))
	}
}

// sendDue takes on what is due, and waits for none of it. When something new comes while it has its hands full, it begins again: a page of
// mails that hang keeps no new one waiting.
func (d *Direct) sendDue(ctx context.Context, run *directRun) (again bool, err error) {
	refs, err := d.Source.ListDirect(ctx, d.Messages.Now(), retryDelays(), directPage)
	if err != nil {
		return false, err
	}
	taken := 0
	for _, ref := range refs {
		if run.has(ref.ID) {
			continue
		}
		taken++
		select {
		case run.slots <- struct{}{}:
		case <-ctx.Done():
			return false, ctx.Err()
		case <-run.woken:
			return true, nil
		}
		run.begin(ref.ID)
		run.group.Go(func() {
			defer run.end(ref.ID)
			if err := d.attempt(ctx, ref); err != nil && ctx.Err() == nil {
				d.Log.Warn("message not sent yet", "message_id", ref.ID, "error", err.Error())
			}
		})
	}
	return taken > 0 && len(refs) == directPage, nil
}

func (r *directRun) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.under[id]
}

func (r *directRun) begin(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.under[id] = true
}

func (r *directRun) end(id string) {
	r.mu.Lock()
	delete(r.under, id)
	r.mu.Unlock()
	<-r.slots
}

// attempt does what is next for a message: it is sent, sent again, or given up.
func (d *Direct) attempt(ctx context.Context, ref DirectRef) error {
	m, err := d.Messages.Ledger.FindMessage(ctx, ref.ID)
	if err != nil {
		return err
	}
	if m.State == email.Sending { // whoever held it has died
		m, err = d.Messages.Ledger.ExpireLease(ctx, ref.ID, d.Messages.Now())
		if err != nil {
			return err
		}
	}
	if m.State == email.Queued || m.State == email.Deferred || mayResend(m) {
		err := d.Messages.again(ctx, EffectInput{Ref: StepRef{ContactID: ref.ContactID}}, m)
		var waits *temporal.ApplicationError
		if errors.As(err, &waits) && waits.Type() == email.ReasonPaced {
			return nil // it is written down until when
		}
		return err
	}
	return nil
}
