package store_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func insertMessage(t testing.TB, s *store.Store, m email.Message) {
	t.Helper()
	inContact(t, s, m.ContactID, func(ctx context.Context, tx *store.ContactTx) { require.NoError(t, tx.InsertMessage(ctx, m)) })
}

func claim(ctx context.Context, s *store.Store, contactID, id string, until, now time.Time) (m email.Message, err error) {
	err = s.InContact(ctx, contactID, func(ctx context.Context, tx *store.ContactTx) error {
		m, err = tx.ClaimMessage(ctx, id, until, now)
		return err
	})
	return m, err
}

func TestMessageIsMadeOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	m := queued(e, 1, email.Marketing)
	insertMessage(t, s, m)
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		again := m
		again.ID = uuid.NewString()
		requireFault(t, tx.InsertMessage(ctx, again), fault.Conflict, "message_exists")
		requireFault(t, tx.InsertMessage(ctx, m), fault.Conflict, "message_exists")
		found, err := tx.Message(ctx, m.ID)
		require.NoError(t, err)
		require.Equal(t, m, *found, "every field comes back")
		none, err := tx.Message(ctx, uuid.NewString())
		require.NoError(t, err)
		require.Nil(t, none)
		sending := queued(e, 2, email.Marketing)
		sending.State = email.Sending
		requireFault(t, tx.InsertMessage(ctx, sending), fault.Invalid, "bad_lease")
		sending.State = email.Sent
		requireFault(t, tx.InsertMessage(ctx, sending), fault.Invalid, "bad_message_state")
		skipped := queued(e, 3, email.Marketing)
		skipped.State, skipped.Reason, skipped.ToAddress, skipped.Raw = email.Skipped, email.ReasonNoAddress, "", nil
		require.NoError(t, tx.InsertMessage(ctx, skipped))
		_, err = tx.ClaimMessage(ctx, skipped.ID, start.Add(time.Minute), start)
		requireFault(t, err, fault.Conflict, "message_not_open")
		_, err = tx.ClaimMessage(ctx, uuid.NewString(), start.Add(time.Minute), start)
		requireFault(t, err, fault.NotFound, "message_not_found")
	})
}

func TestMessageLateTruth(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	m := queued(e, 1, email.Transactional)
	insertMessage(t, s, m)
	lease := start.Add(time.Minute)
	first, err := claim(t.Context(), s, e.ContactID, m.ID, lease, start)
	require.NoError(t, err)
	require.Equal(t, []any{email.Sending, 1, int64(1)}, []any{first.State, first.Attempt, first.Fence})
	require.Equal(t, m.Raw, first.Raw)

	still, err := s.ExpireLease(t.Context(), m.ID, lease.Add(-time.Second))
	require.NoError(t, err)
	require.Equal(t, email.Sending, still.State, "a live lease does not expire")
	ok, err := s.ExtendLease(t.Context(), m.ID, first.Fence, lease.Add(time.Minute))
	require.NoError(t, err)
	require.True(t, ok)
	lost, err := s.ExpireLease(t.Context(), m.ID, lease.Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, []any{email.Unknown, email.ReasonFateUnknown}, []any{lost.State, lost.Reason})
	ok, err = s.ExtendLease(t.Context(), m.ID, first.Fence, lease.Add(time.Hour))
	require.NoError(t, err)
	require.False(t, ok)

	accepted := email.Delivery{Outcome: email.OutcomeAccepted, Code: 250, Enhanced: "2.0.0", Reply: "fine\x00"}
	applied, err := s.FinishMessage(t.Context(), m.ID, first.Fence, accepted, email.Sent, "", lease.Add(2*time.Minute))
	require.NoError(t, err)
	require.True(t, applied, "the truth came late")
	sent, err := s.FindMessage(t.Context(), m.ID)
	require.NoError(t, err)
	require.Equal(t, []any{email.Sent, 250, "2.0.0", "fine\uFFFD"}, []any{sent.State, sent.SMTPCode, sent.EnhancedCode, sent.SMTPReply})
	require.Equal(t, lease.Add(2*time.Minute), *sent.SentAt)
	applied, err = s.FinishMessage(t.Context(), m.ID, first.Fence, accepted, email.Deferred, "x", lease)
	require.NoError(t, err)
	require.False(t, applied, "sent is final")
}

func TestMessageOfUnknownFateIsResentByClass(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	for visit, class := range []email.Class{email.Marketing, email.Transactional} {
		m := queued(e, visit+1, class)
		insertMessage(t, s, m)
		unknown := func(fence int64) {
			applied, err := s.FinishMessage(t.Context(), m.ID, fence, email.Delivery{Outcome: email.OutcomeUnknown}, email.Unknown, email.ReasonFateUnknown, start)
			require.NoError(t, err)
			require.True(t, applied)
		}
		_, err := claim(t.Context(), s, e.ContactID, m.ID, start.Add(time.Minute), start)
		require.NoError(t, err)
		unknown(1)
		again, err := claim(t.Context(), s, e.ContactID, m.ID, start.Add(time.Minute), start)
		if class == email.Marketing {
			requireFault(t, err, fault.Conflict, "message_not_open")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, m.Raw, again.Raw, "the same bytes")
		require.Equal(t, m.MessageID, again.MessageID)
		unknown(2)
		_, err = claim(t.Context(), s, e.ContactID, m.ID, start.Add(time.Minute), start)
		requireFault(t, err, fault.Conflict, "message_not_open")
	}
}

func TestSkipMessage(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	for visit, test := range []struct {
		reason string
		state  email.State
	}{{email.ReasonSuppressed, email.Skipped}, {email.ReasonGaveUp, email.Failed}} {
		m := queued(e, visit+1, email.Marketing)
		insertMessage(t, s, m)
		inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
			require.NoError(t, tx.SkipMessage(ctx, m.ID, test.reason, start))
			require.NoError(t, tx.SkipMessage(ctx, m.ID, test.reason, start), "again is fine")
			requireFault(t, tx.SkipMessage(ctx, m.ID, email.ReasonExited, start), fault.Conflict, "message_not_open")
			requireFault(t, tx.SkipMessage(ctx, "nothing", test.reason, start), fault.NotFound, "message_not_found")
		})
		found, err := s.FindMessage(t.Context(), m.ID)
		require.NoError(t, err)
		require.Equal(t, []any{test.state, test.reason}, []any{found.State, found.Reason})
	}
}

// TestLedgerStateMachine drives one message by random actions of several transports, some of them late, and compares it with a model:
// one live claim at most, only the newest claim writes, and what is over stays over.
func TestLedgerStateMachine(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	visit := 0
	rapid.Check(t, func(r *rapid.T) {
		visit++
		class := rapid.SampledFrom([]email.Class{email.Marketing, email.Transactional}).Draw(r, "class")
		m := queued(e, visit, class)
		insertMessage(t, s, m)
		now, ctx := start, t.Context()
		model := struct {
			state   email.State
			fence   int64
			lease   time.Time
			resends int
		}{state: email.Queued}
		check := func() {
			row, err := s.FindMessage(ctx, m.ID)
			require.NoError(r, err)
			require.Equal(r, model.state, row.State)
			require.Equal(r, model.fence, row.Fence)
			require.Equal(r, model.state == email.Sending, row.LeaseUntil != nil)
		}
		anyFence := func() int64 { return rapid.Int64Range(0, model.fence+1).Draw(r, "fence") }
		r.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { check() },
			"time passes": func(r *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 90).Draw(r, "seconds")) * time.Second)
			},
			"claim": func(r *rapid.T) {
				until := now.Add(time.Minute)
				open := model.state == email.Queued || model.state == email.Deferred
				resend := model.state == email.Unknown && class == email.Transactional && model.resends == 0
				claimed, err := claim(ctx, s, e.ContactID, m.ID, until, now)
				if !open && !resend {
					requireFault(t, err, fault.Conflict, "message_not_open")
					return
				}
				require.NoError(r, err)
				if resend {
					model.resends++
				}
				model.state, model.lease = email.Sending, until
				model.fence++
				require.Equal(r, model.fence, claimed.Fence)
			},
			"finish": func(r *rapid.T) {
				fence := anyFence()
				state := rapid.SampledFrom([]email.State{email.Sent, email.Deferred, email.Rejected, email.Unknown, email.Failed}).Draw(r, "state")
				applied, err := s.FinishMessage(ctx, m.ID, fence, email.Delivery{Code: 250}, state, "why", now)
				require.NoError(r, err)
				want := fence == model.fence && (model.state == email.Sending || model.state == email.Unknown)
				require.Equal(r, want, applied)
				if applied {
					model.state = state
				}
			},
			"extend": func(r *rapid.T) {
				fence, until := anyFence(), now.Add(2*time.Minute)
				ok, err := s.ExtendLease(ctx, m.ID, fence, until)
				require.NoError(r, err)
				require.Equal(r, fence == model.fence && model.state == email.Sending, ok)
				if ok {
					model.lease = until
				}
			},
			"expire": func(r *rapid.T) {
				_, err := s.ExpireLease(ctx, m.ID, now)
				require.NoError(r, err)
				if model.state == email.Sending && !now.Before(model.lease) {
					model.state = email.Unknown
				}
			},
			"skip": func(r *rapid.T) {
				err := s.InContact(ctx, e.ContactID, func(ctx context.Context, tx *store.ContactTx) error {
					return tx.SkipMessage(ctx, m.ID, email.ReasonExited, now)
				})
				if model.state == email.Queued || model.state == email.Deferred {
					require.NoError(r, err)
					model.state = email.Skipped
				} else if model.state != email.Skipped {
					requireFault(t, err, fault.Conflict, "message_not_open")
				}
			},
		})
	})
}

// TestOneClaimWins races claims of one message.
func TestOneClaimWins(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	for visit := range 50 {
		m := queued(e, visit+1, email.Marketing)
		insertMessage(t, s, m)
		var won atomic.Int32
		group, ctx := errgroup.WithContext(t.Context())
		for range 4 {
			group.Go(func() error {
				_, err := claim(ctx, s, e.ContactID, m.ID, start.Add(time.Minute), start)
				if err == nil {
					won.Add(1)
					return nil
				}
				if fault.KindOf(err) == fault.Conflict {
					return nil
				}
				return err
			})
		}
		require.NoError(t, group.Wait())
		require.EqualValues(t, 1, won.Load())
	}
}

// TestNoClaimAfterSuppression races a suppression against the transaction that looks for it and claims: whoever found the address free ends
// before the suppression returns. So after it has returned, nothing is claimed.
func TestNoClaimAfterSuppression(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	var free, refused int
	for round := range 1000 {
		address := uuid.NewString() + "@example.test"
		var suppressed atomic.Bool
		gate := make(chan struct{})
		group, ctx := errgroup.WithContext(t.Context())
		group.Go(func() error {
			<-gate
			err := s.Suppress(ctx, address, "unsubscribed", start)
			suppressed.Store(true)
			return err
		})
		found := false
		group.Go(func() error {
			<-gate
			return s.InContact(ctx, e.ContactID, func(ctx context.Context, tx *store.ContactTx) error {
				var err error
				if _, found, err = tx.Suppressed(ctx, address); err != nil || found {
					return err
				}
				m := queued(e, round+1, email.Marketing)
				if err := tx.InsertMessage(ctx, m); err != nil {
					return err
				}
				if _, err := tx.ClaimMessage(ctx, m.ID, start.Add(time.Minute), start); err != nil {
					return err
				}
				if suppressed.Load() {
					return fault.New(fault.Internal, "late_claim", "claimed after the suppression had committed")
				}
				return nil
			})
		})
		close(gate)
		require.NoError(t, group.Wait())
		if found {
			refused++
		} else {
			free++
		}
		inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
			reason, now, err := tx.Suppressed(ctx, address)
			require.NoError(t, err)
			require.True(t, now)
			require.Equal(t, "unsubscribed", reason)
		})
	}
	t.Logf("%d claimed before, %d saw the suppression", free, refused)
	require.Positive(t, free)
	require.Positive(t, refused)
}

// TestNoClaimAfterWithdrawnConsent is the same for consent, which the contact's row lock guards.
func TestNoClaimAfterWithdrawnConsent(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	publish(t, s, "trial", "Signed Up")
	var free, refused int
	for range 200 {
		contact := newContact(t, s)
		var withdrawn atomic.Bool
		gate := make(chan struct{})
		group, ctx := errgroup.WithContext(t.Context())
		group.Go(func() error {
			<-gate
			err := s.SetConsent(ctx, contact, store.TopicMarketing, false, "one-click", start)
			withdrawn.Store(true)
			return err
		})
		group.Go(func() error {
			<-gate
			return s.InContact(ctx, contact, func(ctx context.Context, tx *store.ContactTx) error {
				reason, err := tx.ConsentRefusal(ctx, "")
				granted := reason == ""
				if err != nil {
					return err
				}
				if !granted {
					refused++
					return nil
				}
				free++
				m := queued(journey.Enrollment{ContactID: contact}, 0, email.Marketing)
				if err := tx.InsertMessage(ctx, m); err != nil {
					return err
				}
				if withdrawn.Load() {
					return fault.New(fault.Internal, "late_claim", "claimed after consent was withdrawn")
				}
				return nil
			})
		})
		close(gate)
		require.NoError(t, group.Wait())
	}
	t.Logf("%d claimed before, %d saw the withdrawal", free, refused)
	require.Equal(t, 200, free+refused)
}

func TestListMessages(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	var want []string
	for visit := range 5 {
		m := queued(e, visit+1, email.Marketing)
		insertMessage(t, s, m)
		want = append([]string{m.ID}, want...)
	}
	for _, filter := range []email.MessageFilter{{}, {ContactID: e.ContactID}} {
		var got []string
		for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
			require.Less(t, pages, 4)
			page, err := s.ListMessages(t.Context(), filter, cursor, 2)
			require.NoError(t, err)
			for _, m := range page.Items {
				require.Empty(t, m.HTML)
				require.Empty(t, m.Raw)
				got = append(got, m.ID)
			}
			cursor = page.Next
		}
		require.Equal(t, want, got)
	}
	for _, nobody := range []string{uuid.NewString(), "no id"} {
		page, err := s.ListMessages(t.Context(), email.MessageFilter{ContactID: nobody}, "", 2)
		require.NoError(t, err)
		require.Empty(t, page.Items)
	}
	_, err := s.ListMessages(t.Context(), email.MessageFilter{}, "x", 2)
	requireFault(t, err, fault.Invalid, "bad_cursor")
}
