package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// prepared are answers that were fetched ahead, under the contact's row lock and in the order in which they would have been asked for. Each is
// given once: who asks again asks the database.
type prepared struct {
	message   *ahead[uuid.UUID, []dbsqlc.Message]
	standing  *ahead[string, dbsqlc.FindStandingRow]
	refusal   *ahead[string, string]
	withdrawn *ahead[string, bool]
	withSales *ahead[uuid.UUID, bool]
	counted   *ahead[time.Time, []dbsqlc.ListCountedMessagesRow]
	before    *ahead[heldBefore, []string]
	unheld    *ahead[uuid.UUID, []string]
}

type heldBefore struct {
	enrollment uuid.UUID
	priority   int32
}

// ahead is the answer to one question.
type ahead[Q comparable, A any] struct {
	question Q
	answer   A
}

// take gives the answer if that was the question.
func take[Q comparable, A any](from **ahead[Q, A], question Q) (A, bool) {
	known := *from
	if known == nil || known.question != question {
		var none A
		return none, false
	}
	*from = nil
	return known.answer, true
}

// PrepareSend asks everything that a send asks of its contact in one round trip. The methods that ask for it then answer without one, and
// without it they ask by themselves.
func (tx *ContactTx) PrepareSend(ctx context.Context, q email.SendQuestions) error {
	message, err := parseID(q.MessageID)
	if err != nil {
		return nil //nolint:nilerr // the methods say what is wrong
	}
	tx.ahead = prepared{}
	batch, ahead := &pgx.Batch{}, &tx.ahead
	queue(batch, &ahead.message, message, many[dbsqlc.Message], dbsqlc.FindContactMessage, tx.id, message)
	if key, err := email.AddressKey(tx.contact.Email); err == nil {
		key = EmailKey(key)
		batch.Queue(dbsqlc.LockAddressShared, lockAddresses, key)
		queue(batch, &ahead.standing, key, func(rows pgx.Rows) (dbsqlc.FindStandingRow, error) {
			return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[dbsqlc.FindStandingRow])
		}, dbsqlc.FindStanding, key)
	}
	if q.Tracked {
		queue(batch, &ahead.withdrawn, TopicTracking, one[bool], dbsqlc.IsWithdrawn, tx.id, TopicTracking)
	}
	if enrollment, err := parseID(q.EnrollmentID); err == nil && q.Marketing {
		queue(batch, &ahead.refusal, q.Topic, one[string], dbsqlc.FindRefusal, tx.id, q.Topic)
		queue(batch, &ahead.withSales, tx.id, one[bool], dbsqlc.IsWithSales, tx.id)
		queue(batch, &ahead.unheld, enrollment, func(rows pgx.Rows) ([]string, error) { return pgx.CollectRows(rows, pgx.RowTo[string]) }, dbsqlc.FindHold, enrollment)
		if q.Since != nil {
			queue(batch, &ahead.counted, *q.Since, many[dbsqlc.ListCountedMessagesRow], dbsqlc.ListCountedMessages, tx.id, *q.Since)
			of := heldBefore{enrollment, int32(q.Priority)}
			queue(batch, &ahead.before, of, func(rows pgx.Rows) ([]string, error) { return pgx.CollectRows(rows, pgx.RowTo[string]) }, dbsqlc.ListHeldBefore, tx.id, enrollment, of.priority)
		}
	}
	return failure("prepare send", send(ctx, tx.conn, batch))
}

// queue adds a question to the batch, and keeps its answer.
func queue[Q comparable, A any](batch *pgx.Batch, into **ahead[Q, A], question Q, read func(pgx.Rows) (A, error), sql string, args ...any) {
	batch.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		answer, err := read(rows)
		if err == nil {
			*into = &ahead[Q, A]{question, answer}
		}
		return err
	})
}

func many[T any](rows pgx.Rows) ([]T, error) {
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

func one[T any](rows pgx.Rows) (T, error) { return pgx.CollectExactlyOneRow(rows, pgx.RowTo[T]) }
