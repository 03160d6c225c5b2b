package activities

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

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
	Attempt       int
	UpdatedAt     time.Time
}

// DirectSource finds them.
type DirectSource interface {
	ListDirect(ctx context.Context, now time.Time, limit int) ([]DirectRef, error)
	// ListenDirect tells of new ones until the context ends, or it can't.
	ListenDirect(ctx context.Context, woken func()) error
}

// Run sends until the context ends: at once what is new, and each second what is due again.
func (d *Direct) Run(ctx context.Context) {
	woken := make(chan struct{}, 1)
	go d.listen(ctx, woken)
	ticker := time.NewTicker(directSweep)
	defer ticker.Stop()
	for {
		if _, err := d.SendDue(ctx); err != nil && ctx.Err() == nil {
			d.Log.Warn("messages not sent yet", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-woken:
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

// SendDue takes on all that is due, and tells how many there were.
func (d *Direct) SendDue(ctx context.Context) (int, error) {
	refs, err := d.Source.ListDirect(ctx, d.Messages.Now(), directPage)
	if err != nil {
		return 0, err
	}
	slots := make(chan struct{}, directAtOnce)
	var wg sync.WaitGroup
	taken := 0
	for _, ref := range refs {
		if ref.State == email.Deferred && d.Messages.Now().Before(ref.UpdatedAt.Add(retryDelay(ref.Attempt))) {
			continue
		}
		taken++
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := d.attempt(ctx, ref); err != nil && ctx.Err() == nil {
				d.Log.Warn("message not sent yet", "message_id", ref.ID, "error", err.Error())
			}
		})
	}
	wg.Wait()
	return taken, nil
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
		return d.Messages.again(ctx, EffectInput{Ref: StepRef{ContactID: ref.ContactID}}, m)
	}
	return nil
}
