package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func TestSendingPolicyIsSaved(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	none, err := s.FindSendingPolicy(t.Context())
	require.NoError(t, err)
	require.Zero(t, none)
	policy := email.Policy{Caps: []email.Cap{{Max: 2, Days: 7, Topic: "news"}}, QuietHours: &audience.Hours{From: 21 * 60, Until: 8 * 60}, Timezone: "Europe/Berlin"}
	_, err = s.SaveSendingPolicy(t.Context(), policy, ptr(int64(3)), start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	none, err = s.FindSendingPolicy(t.Context())
	require.NoError(t, err)
	require.Zero(t, none, "nothing of a refused save is there")
	first, err := s.SaveSendingPolicy(t.Context(), policy, ptr(int64(0)), start)
	require.NoError(t, err)
	require.Equal(t, email.PolicyVersion{Document: policy, Revision: 1, UpdatedAt: ptr(start)}, first)
	_, err = s.SaveSendingPolicy(t.Context(), email.Policy{}, ptr(int64(0)), start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	second, err := s.SaveSendingPolicy(t.Context(), email.Policy{}, ptr(int64(1)), start)
	require.NoError(t, err)
	require.EqualValues(t, 2, second.Revision)
	found, err := s.FindSendingPolicy(t.Context())
	require.NoError(t, err)
	require.Equal(t, second, found)
}

func TestWhatCapsCount(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	contact := newContact(t, s)
	other := newContact(t, s)
	write := func(id string, class email.Class, state email.State, topic string, at time.Time) {
		require.NoError(t, s.InContact(t.Context(), contact, func(ctx context.Context, tx *store.ContactTx) error {
			m := email.Message{ID: id, ContactID: contact, Class: class, State: state, Topic: topic, Template: "x", ToAddress: "ana@example.test", CreatedAt: at, UpdatedAt: at}
			if state != email.Queued {
				m.Reason = "capped"
			}
			return tx.InsertMessage(ctx, m)
		}))
	}
	write("00000000-0000-4000-8000-000000000001", email.Marketing, email.Queued, "news", start)
	write("00000000-0000-4000-8000-000000000002", email.Transactional, email.Queued, "news", start)
	write("00000000-0000-4000-8000-000000000003", email.Marketing, email.Skipped, "news", start)
	write("00000000-0000-4000-8000-000000000004", email.Marketing, email.Queued, "", start.Add(-48*time.Hour))
	counted := func(id string, since time.Time) (mails []email.SentMail) {
		require.NoError(t, s.InContact(t.Context(), id, func(ctx context.Context, tx *store.ContactTx) (err error) {
			mails, err = tx.CountedMail(ctx, since)
			return err
		}))
		return mails
	}
	require.Equal(t, []email.SentMail{{At: start, Topic: "news"}}, counted(contact, start.Add(-time.Hour)), "no transactional mail, none that was skipped, none from before")
	require.Len(t, counted(contact, start.Add(-72*time.Hour)), 2)
	require.Empty(t, counted(other, start.Add(-72*time.Hour)))
}

func TestConsentOfATopic(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	contact := newContact(t, s)
	refusal := func(topic string) (reason string) {
		inContact(t, s, contact, func(ctx context.Context, tx *store.ContactTx) {
			var err error
			reason, err = tx.ConsentRefusal(ctx, topic)
			require.NoError(t, err)
		})
		return reason
	}
	ask := func(topic string) {
		inContact(t, s, contact, func(ctx context.Context, tx *store.ContactTx) {
			_, err := tx.AskConsent(ctx, topic, "form", start)
			require.NoError(t, err)
		})
	}
	require.Empty(t, refusal("news"))
	require.NoError(t, s.SetConsent(t.Context(), contact, "news", false, "test", start))
	require.Equal(t, "unsubscribed", refusal("news"))
	require.Empty(t, refusal(""), "other mail may come")
	require.Empty(t, refusal("offers"))
	require.NoError(t, s.SetConsent(t.Context(), contact, "news", true, "test", start))
	require.Empty(t, refusal("news"))
	ask("news")
	require.Empty(t, refusal("news"), "asking for what is permitted takes nothing away")

	_, err := s.SaveTopic(t.Context(), audience.Topic{Key: "beta", Name: "Beta", OptIn: true}, start)
	require.NoError(t, err)
	require.Equal(t, "no_consent", refusal("beta"))
	ask("beta")
	require.Equal(t, "no_consent", refusal("beta"), "asked for, and not confirmed")
	require.NoError(t, s.SetConsent(t.Context(), contact, "beta", true, "confirmed", start))
	require.Empty(t, refusal("beta"))
	require.NoError(t, s.SetConsent(t.Context(), contact, store.TopicMarketing, false, "test", start))
	require.Equal(t, "unsubscribed", refusal("beta"), "who wants no marketing wants none of its topics")
	require.Equal(t, "unsubscribed", refusal("news"))
}
