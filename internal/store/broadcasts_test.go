package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
)

var broadcastIDs = uuid.MustParse("5d1c7c52-53c5-4a5e-8d2c-0c3f6f3d9a99")

// running is a broadcast to so many contacts that has begun, and their ids.
func running(t *testing.T, s *store.Store, n int, plan email.BroadcastPlan) (email.Broadcast, []string) {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		user := uuid.NewString()
		ids[i] = ingest(t, s, start, identify(user, uuid.NewString(), map[string]any{"email": fmt.Sprintf("%s@example.test", user), "vip": true}))[0].ContactID
	}
	saveSegment(t, s, "vips", "contact.vip == true")
	walk(t, s, start, 100)
	plan.Segment, plan.Schedule = "vips", email.BroadcastSchedule{Kind: email.ScheduleNow}
	b, err := s.CreateBroadcast(t.Context(), plan, "ana", start)
	require.NoError(t, err)
	b, err = s.ActOnBroadcast(t.Context(), b.ID, email.StartBroadcast, nil, "ana", start)
	require.NoError(t, err)
	require.Equal(t, email.BroadcastScheduled, b.State)
	b, err = s.MoveBroadcast(t.Context(), b.ID, start, email.Broadcast.Opened)
	require.NoError(t, err)
	return b, ids
}

func recipientOf(b email.Broadcast, part email.RecipientPart) func(email.BroadcastMember) email.BroadcastRecipient {
	return func(m email.BroadcastMember) email.BroadcastRecipient {
		zero := 0
		return email.BroadcastRecipient{MessageID: uuid.NewSHA1(broadcastIDs, []byte(b.ID+m.ContactID)).String(), ContactID: m.ContactID, Part: part, Variant: &zero, DueAt: start}
	}
}

func gathered(t *testing.T, s *store.Store, b email.Broadcast, part email.RecipientPart) email.Broadcast {
	t.Helper()
	for done := false; !done; {
		var err error
		_, done, err = s.GatherRecipients(t.Context(), b.ID, 3, start, recipientOf(b, part))
		require.NoError(t, err)
	}
	b, err := s.FindBroadcast(t.Context(), b.ID)
	require.NoError(t, err)
	return b
}

func TestBroadcastDrafts(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx := t.Context()
	plan := email.BroadcastPlan{Name: "March", Segment: "vips", Template: "news", Variants: []email.BroadcastVariant{{Name: "A", Subject: "Hi"}}}
	made, err := s.CreateBroadcast(ctx, plan, "ana", start)
	require.NoError(t, err)
	require.Equal(t, []any{email.BroadcastDraft, int64(1), plan, "ana"}, []any{made.State, made.Revision, made.Plan, made.ChangedBy})
	plan.Name = "April"
	one := int64(1)
	saved, err := s.SaveBroadcast(ctx, made.ID, plan, &one, "bob", start)
	require.NoError(t, err)
	require.Equal(t, int64(2), saved.Revision)
	_, err = s.SaveBroadcast(ctx, made.ID, plan, &one, "bob", start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	_, err = s.ActOnBroadcast(ctx, made.ID, email.StartBroadcast, &one, "bob", start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	_, err = s.ActOnBroadcast(ctx, made.ID, email.PauseBroadcast, nil, "bob", start)
	requireFault(t, err, fault.Conflict, "broadcast_state")
	stale, err := s.StaleBroadcasts(ctx, start.Add(time.Hour), time.Second, 10)
	require.NoError(t, err)
	require.Empty(t, stale, "nobody has to look at a draft")
	_, err = s.ActOnBroadcast(ctx, made.ID, email.StartBroadcast, nil, "bob", start)
	require.NoError(t, err)
	_, err = s.SaveBroadcast(ctx, made.ID, plan, nil, "bob", start)
	requireFault(t, err, fault.Conflict, "broadcast_started")
	stale, err = s.StaleBroadcasts(ctx, start.Add(time.Hour), time.Second, 10)
	require.NoError(t, err)
	require.Equal(t, []string{made.ID}, stale, "a start that nobody heard of is found")
	_, err = s.TakeBroadcast(ctx, made.ID)
	require.NoError(t, err)
	stale, err = s.StaleBroadcasts(ctx, start.Add(time.Hour), time.Second, 10)
	require.NoError(t, err)
	require.Empty(t, stale, "its workflow has looked")
	second, err := s.CreateBroadcast(ctx, plan, "ana", start)
	require.NoError(t, err)
	page, err := s.ListBroadcasts(ctx, "", 1)
	require.NoError(t, err)
	require.Equal(t, []string{second.ID, second.ID}, []string{page.Items[0].ID, page.Next}, "the newest first")
	page, err = s.ListBroadcasts(ctx, page.Next, 1)
	require.NoError(t, err)
	require.Equal(t, made.ID, page.Items[0].ID)
	for _, nobody := range []string{"no id", uuid.NewString()} {
		_, err = s.FindBroadcast(ctx, nobody)
		requireFault(t, err, fault.NotFound, "broadcast_not_found")
	}
}

// The audience is gathered in small transactions: one that is done twice, or by two at once, writes nobody twice and leaves nobody out.
func TestGathering(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	b, ids := running(t, s, 10, email.BroadcastPlan{})
	n, done, err := s.GatherRecipients(t.Context(), b.ID, 3, start, recipientOf(b, email.PartAll))
	require.NoError(t, err)
	require.Equal(t, []any{int64(3), false}, []any{n, done})
	_, err = conn.Exec(t.Context(), "UPDATE broadcasts SET gathered_to = '00000000-0000-0000-0000-000000000000'") // as if that had been lost
	require.NoError(t, err)
	_, err = s.ActOnBroadcast(t.Context(), b.ID, email.PauseBroadcast, nil, "ana", start)
	require.NoError(t, err)
	n, done, err = s.GatherRecipients(t.Context(), b.ID, 3, start, recipientOf(b, email.PartAll))
	require.NoError(t, err)
	require.Equal(t, []any{int64(0), true}, []any{n, done}, "nothing while it is paused")
	_, err = s.ActOnBroadcast(t.Context(), b.ID, email.ResumeBroadcast, nil, "ana", start)
	require.NoError(t, err)
	b = gathered(t, s, b, email.PartAll)
	require.NotNil(t, b.GatheredAt)
	counts, err := s.CountRecipients(t.Context(), b.ID)
	require.NoError(t, err)
	require.Equal(t, []email.RecipientCount{{State: email.RecipientPending, Total: int64(len(ids))}}, counts)
	requireFault(t, s.DeleteSegment(t.Context(), "vips", start), fault.Conflict, "segment_in_use")
}

// The rest has its turn once that is allowed, and after the others.
func TestTheRestWaits(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	b, _ := running(t, s, 4, email.BroadcastPlan{})
	b = gathered(t, s, b, email.PartRest)
	for withRest, want := range map[bool]int{false: 0, true: 4} {
		due, err := s.DueRecipients(t.Context(), b.ID, withRest, start, 10)
		require.NoError(t, err)
		require.Len(t, due, want)
	}
	queue, err := s.BroadcastQueue(t.Context(), b.ID)
	require.NoError(t, err)
	require.Nil(t, queue.NextDue)
	require.True(t, queue.NextRest.Equal(start))
	require.False(t, queue.Busy)
}

// Of two contacts that became one, the broadcast reaches one; of one that was erased, nothing is left; and who comes from a merge is found.
func TestRecipientsMergeAndErase(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	b, ids := running(t, s, 4, email.BroadcastPlan{})
	b = gathered(t, s, b, email.PartAll)
	_, err := s.MergeContacts(t.Context(), start, ids[0], ids[1])
	require.NoError(t, err)
	first, second := recipientOf(b, email.PartAll)(email.BroadcastMember{ContactID: ids[0]}).MessageID, recipientOf(b, email.PartAll)(email.BroadcastMember{ContactID: ids[1]}).MessageID
	doubled := 0
	inContact(t, s, ids[1], func(ctx context.Context, tx *store.ContactTx) {
		for _, id := range []string{first, second} {
			r, err := tx.Recipient(ctx, id)
			require.NoError(t, err)
			require.Equal(t, ids[0], r.ContactID)
			if r.Doubled {
				doubled++
				r.State, r.Reason = email.RecipientSkipped, email.ReasonDoubled
			} else {
				r.State = email.RecipientSending
			}
			require.NoError(t, tx.UpdateRecipient(ctx, r.BroadcastRecipient))
		}
	})
	require.Equal(t, 1, doubled, "exactly one of the two goes first")
	inContact(t, s, ids[2], func(ctx context.Context, tx *store.ContactTx) {
		r, err := tx.Recipient(ctx, first)
		require.NoError(t, err)
		require.Nil(t, r, "somebody else's")
	})
	erasure, err := s.RequestErasure(t.Context(), start, ids[2])
	require.NoError(t, err)
	erasure, err = s.EraseRows(t.Context(), start, erasure.ID)
	require.NoError(t, err)
	require.Equal(t, int64(1), erasure.Counts["recipients"])
	var left int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM broadcast_recipients WHERE contact_id = $1", ids[2]).Scan(&left))
	require.Zero(t, left)
}

// What is cancelled leaves nobody without a reason, except whose mail is on its way.
func TestRecipientsAreCancelled(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	b, ids := running(t, s, 5, email.BroadcastPlan{})
	b = gathered(t, s, b, email.PartAll)
	inContact(t, s, ids[0], func(ctx context.Context, tx *store.ContactTx) {
		r, err := tx.Recipient(ctx, recipientOf(b, email.PartAll)(email.BroadcastMember{ContactID: ids[0]}).MessageID)
		require.NoError(t, err)
		r.State = email.RecipientSending
		require.NoError(t, tx.UpdateRecipient(ctx, r.BroadcastRecipient))
	})
	_, err := s.ActOnBroadcast(t.Context(), b.ID, email.CancelBroadcast, nil, "ana", start)
	require.NoError(t, err)
	for _, want := range []int64{3, 1, 0} {
		n, err := s.CancelRecipients(t.Context(), b.ID, 3, start)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	page, err := s.ListRecipients(t.Context(), b.ID, email.RecipientCount{State: email.RecipientSkipped, Reason: email.ReasonCancelled}, "", 3)
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	page, err = s.ListRecipients(t.Context(), b.ID, email.RecipientCount{Reason: email.ReasonCancelled}, page.Next, 3)
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
}

// A broadcast's mails are its own business: who sends the messages that the API asks for leaves them alone, or a pause would not hold them.
func TestDirectLeavesBroadcastsAlone(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	b, ids := running(t, s, 1, email.BroadcastPlan{})
	b = gathered(t, s, b, email.PartAll)
	id := recipientOf(b, email.PartAll)(email.BroadcastMember{ContactID: ids[0]}).MessageID
	m := email.Message{ID: id, ContactID: ids[0], Template: "news", TemplateVersion: 1, Class: email.Marketing, State: email.Queued, ToAddress: "a@example.test", CreatedAt: start, UpdatedAt: start}
	inContact(t, s, ids[0], func(ctx context.Context, tx *store.ContactTx) { require.NoError(t, tx.InsertMessage(ctx, m)) })
	refs, err := s.ListDirect(t.Context(), start.Add(time.Hour), []time.Duration{time.Second}, 10)
	require.NoError(t, err)
	require.Empty(t, refs)
}

// Goals count within their days, from the moment at which the mail was decided, and clicks are people's.
func TestBroadcastTally(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	b, ids := running(t, s, 4, email.BroadcastPlan{Goal: &email.BroadcastGoal{Event: "Bought", Days: 2}})
	b = gathered(t, s, b, email.PartTest)
	for i, id := range ids {
		inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
			r, err := tx.Recipient(ctx, recipientOf(b, email.PartTest)(email.BroadcastMember{ContactID: id}).MessageID)
			require.NoError(t, err)
			at := start
			r.State, r.DecidedAt = "sent", &at
			if i == 3 {
				r.State, r.Reason = email.RecipientSkipped, email.ReasonUnsubscribed
			}
			require.NoError(t, tx.UpdateRecipient(ctx, r.BroadcastRecipient))
		})
	}
	buy := func(contact string, at time.Time) {
		e := track("", "Bought", uuid.NewString())
		e.UserID, e.ContactID = "", contact
		ingest(t, s, at, e)
	}
	buy(ids[0], start.Add(time.Hour))
	buy(ids[1], start.Add(49*time.Hour)) // too late
	buy(ids[3], start.Add(time.Hour))    // got nothing
	tally, err := s.TallyBroadcast(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, []email.VariantTally{{Part: email.PartTest, Variant: 0, Entered: 3, Converted: 1}}, tally)
}

// Before sending it is known how many will get nothing, by the reasons that they will be told.
func TestMembersAreCounted(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	_, ids := running(t, s, 5, email.BroadcastPlan{})
	ingest(t, s, start, identify("nobody", uuid.NewString(), map[string]any{"vip": true}))
	require.NoError(t, s.SetConsent(t.Context(), ids[0], store.TopicMarketing, false, "form", start))
	contact, err := s.FindContact(t.Context(), ids[1])
	require.NoError(t, err)
	require.NoError(t, s.Suppress(t.Context(), contact.Email, "bounce", start))
	refreshDue(t, s, start)
	counts, err := s.CountMembers(t.Context(), "vips", "")
	require.NoError(t, err)
	require.Equal(t, []email.MemberCount{
		{Total: 3}, {Reason: email.ReasonNoAddress, Total: 1}, {Reason: email.ReasonSuppressed, Total: 1}, {Reason: email.ReasonUnsubscribed, Total: 1},
	}, counts)
}
