package store

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// CountedMail lists the marketing mails since a moment that count against caps: those that the contact got, may have got, or is about to get.
func (tx *ContactTx) CountedMail(ctx context.Context, since time.Time) ([]email.SentMail, error) {
	rows, known := take(&tx.ahead.counted, since)
	if !known {
		var err error
		if rows, err = tx.q.ListCountedMessages(ctx, tx.id, since); err != nil {
			return nil, failure("list counted messages", err)
		}
	}
	mails := make([]email.SentMail, len(rows))
	for i, row := range rows {
		mails[i] = email.SentMail{At: row.At, Topic: row.Topic}
	}
	return mails, nil
}

// HeldBefore lists the topics of the contact's other mails that wait with a higher priority.
func (tx *ContactTx) HeldBefore(ctx context.Context, enrollmentID string, priority int) ([]string, error) {
	id, err := parseID(enrollmentID)
	if err != nil {
		return nil, err
	}
	if topics, known := take(&tx.ahead.before, heldBefore{id, int32(priority)}); known {
		return topics, nil
	}
	topics, err := tx.q.ListHeldBefore(ctx, tx.id, id, int32(priority))
	return topics, failure("list held sends", err)
}

// HoldSend notes that an enrollment's mail waits until a moment, and why.
func (tx *ContactTx) HoldSend(ctx context.Context, enrollmentID, topic string, priority int, held email.Verdict) error {
	id, err := parseID(enrollmentID)
	if err != nil {
		return err
	}
	tx.ahead.unheld = nil
	return failure("hold send", tx.q.HoldSend(ctx, dbsqlc.HoldSendParams{EnrollmentID: id, Topic: topic, Priority: int32(priority), HeldUntil: held.Until, Reason: held.Reason}))
}

// ReleaseSend notes that it waits no more.
func (tx *ContactTx) ReleaseSend(ctx context.Context, enrollmentID string) error {
	id, err := parseID(enrollmentID)
	if err != nil {
		return err
	}
	if holds, known := take(&tx.ahead.unheld, id); known && len(holds) == 0 {
		return nil // there is nothing to release
	}
	return failure("release send", tx.q.ReleaseSend(ctx, id))
}

// HoldReason is why an enrollment's mail waits; empty when nothing is noted.
func (tx *ContactTx) HoldReason(ctx context.Context, enrollmentID string) (string, error) {
	id, err := parseID(enrollmentID)
	if err != nil {
		return "", err
	}
	reason, err := tx.q.FindHold(ctx, id)
	if isNoRows(err) {
		return "", nil
	}
	return reason, failure("find hold", err)
}

// WithSales tells whether a handoff of the contact is open or accepted: somebody in sales works on it.
func (tx *ContactTx) WithSales(ctx context.Context) (bool, error) {
	if with, known := take(&tx.ahead.withSales, tx.id); known {
		return with, nil
	}
	with, err := tx.q.IsWithSales(ctx, tx.id)
	return with, failure("find handoffs", err)
}
