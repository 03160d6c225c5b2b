package store

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// TopicMarketing is the consent that marketing mail needs.
const TopicMarketing = audience.TopicMarketing

// Suppress puts an address on the never-send list. It waits for the transactions that have just found the address free: once it returns,
// no message to the address is claimed any more. The first reason stays.
func (s *Store) Suppress(ctx context.Context, emailKey, reason string, now time.Time) error {
	key := EmailKey(emailKey)
	if key == "" {
		return fault.New(fault.Invalid, "bad_address", "There is no address to suppress.")
	}
	return failure("suppress address", s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.LockAddress(ctx, lockAddresses, key); err != nil {
			return err
		}
		_, err := q.InsertSuppression(ctx, key, clean(reason), now)
		return err
	}))
}

// Suppressed tells whether and why an address must not be written to. What it says holds until this transaction ends, so a claim in the
// same transaction never comes after a suppression.
func (tx *ContactTx) Suppressed(ctx context.Context, emailKey string) (string, bool, error) {
	key := EmailKey(emailKey)
	if standing, known := take(&tx.ahead.standing, key); known {
		return standingOf(ctx, tx.q, key, standing)
	}
	if err := tx.q.LockAddressShared(ctx, lockAddresses, key); err != nil {
		return "", false, failure("lock address", err)
	}
	return suppressed(ctx, tx.q, key)
}

// Suppressed tells whether and why an address must not be written to, at this moment.
func (s *Store) Suppressed(ctx context.Context, address string) (string, bool, error) {
	return suppressed(ctx, s.q, EmailKey(address))
}

func suppressed(ctx context.Context, q *dbsqlc.Queries, key string) (string, bool, error) {
	standing, err := q.FindStanding(ctx, key)
	if err != nil {
		return "", false, failure("find suppression", err)
	}
	return standingOf(ctx, q, key, standing)
}

func standingOf(ctx context.Context, q *dbsqlc.Queries, key string, standing dbsqlc.FindStandingRow) (string, bool, error) {
	if standing.Reason != "" || len(standing.ErasureKey) == 0 {
		return standing.Reason, standing.Reason != "", nil
	}
	erased, err := q.IsErased(ctx, addressHash(standing.ErasureKey, key))
	if err != nil {
		return "", false, failure("find erased address", err)
	}
	if erased {
		return reasonErased, true, nil
	}
	return "", false, nil
}

// SetConsent records what the contact has permitted or withdrawn, under the contact's row lock: once it returns, what is claimed has seen it.
func (s *Store) SetConsent(ctx context.Context, contactID, topic string, granted bool, source string, now time.Time) error {
	return s.InContact(ctx, contactID, func(ctx context.Context, tx *ContactTx) error {
		return failure("set consent", tx.q.UpsertConsent(ctx, dbsqlc.UpsertConsentParams{
			ContactID: tx.id, Topic: clean(topic), Granted: granted, Source: clean(source), At: now,
		}))
	})
}

// ConsentRefusal is why the contact gets no marketing mail of a topic (empty: of none in particular): it has said no, to the topic or to
// marketing as a whole, or never asked for what has to be asked for. It is empty when it may be written to.
func (tx *ContactTx) ConsentRefusal(ctx context.Context, topic string) (string, error) {
	if reason, known := take(&tx.ahead.refusal, topic); known {
		return reason, nil
	}
	reason, err := tx.q.FindRefusal(ctx, tx.id, topic)
	return reason, failure("find consent", err)
}
