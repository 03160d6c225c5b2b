package store

import (
	"bytes"
	"context"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// DirectMessage finds a message that the API was asked for, or nil. One that was asked for differently under the same key is a mistake.
func (tx *ContactTx) DirectMessage(ctx context.Context, id string, requestHash []byte) (*email.Message, error) {
	m, err := tx.Message(ctx, id)
	if err != nil || m == nil {
		return m, err
	}
	parsed, err := parseID(id)
	if err != nil {
		return nil, err
	}
	before, err := tx.q.FindRequest(ctx, tx.id, parsed)
	if err != nil {
		return nil, failure("find request", err)
	}
	if !bytes.Equal(before, requestHash) {
		return nil, fault.New(fault.Invalid, "idempotency_key_reused", "This Idempotency-Key was used for another message.")
	}
	return m, nil
}

// InsertDirect writes a message of no enrollment into the ledger and, once it is committed, wakes who sends it.
func (tx *ContactTx) InsertDirect(ctx context.Context, m email.Message, requestHash []byte) error {
	if err := tx.InsertMessage(ctx, m); err != nil {
		return err
	}
	id, err := parseID(m.ID)
	if err != nil {
		return err
	}
	if err := tx.q.SaveRequest(ctx, requestHash, tx.id, id); err != nil {
		return failure("save request", err)
	}
	return failure("notify", tx.q.NotifyDirect(ctx))
}

// DirectRef is a message of no enrollment that somebody has to do something about.
type DirectRef struct {
	ID, ContactID string
	State         email.State
}

// ListDirect lists them, new ones first, then the longest untouched. Delays are how long a deferred one rests after each attempt.
func (s *Store) ListDirect(ctx context.Context, now time.Time, delays []time.Duration, limit int) ([]DirectRef, error) {
	seconds := make([]float64, len(delays))
	for i, d := range delays {
		seconds[i] = d.Seconds()
	}
	rows, err := s.q.ListDirect(ctx, seconds, now, int32(limit))
	if err != nil {
		return nil, failure("list direct messages", err)
	}
	refs := make([]DirectRef, len(rows))
	for i, row := range rows {
		refs[i] = DirectRef{ID: row.ID.String(), ContactID: row.ContactID.String(), State: email.State(row.State)}
	}
	return refs, nil
}

// ListenDirect calls woken whenever somebody has asked for a message, until the context or the connection ends. It has a connection of its own:
// one that went back to the pool would go on collecting what it is told.
func (s *Store) ListenDirect(ctx context.Context, woken func()) error {
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return failure("listen for messages", err)
	}
	conn := pooled.Hijack()
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is given up
	if _, err := conn.Exec(ctx, "LISTEN direct_messages"); err != nil {
		return failure("listen for messages", err)
	}
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return failure("listen for messages", err)
		}
		woken()
	}
}
