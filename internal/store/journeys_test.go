package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func ptr[T any](v T) *T { return &v }

func TestSaveDraft(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	// Numbers and the order of keys come back as they were written: the hash of a version is that of its text.
	document := json.RawMessage(`{"b": 1.0, "a": 1e2}`)
	problems := []fault.Problem{{Path: "/steps/0", StepID: "a", Code: "unknown_step", Level: fault.LevelError, Message: "No."}}
	_, err := s.FindDraft(t.Context(), "trial")
	requireFault(t, err, fault.NotFound, "journey_not_found")
	_, err = s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: document}, ptr(int64(3)), start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	first, err := s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: document, Problems: problems}, ptr(int64(0)), start)
	require.NoError(t, err)
	require.Equal(t, journey.Draft{Journey: "trial", Revision: 1, Document: document, Problems: problems, UpdatedAt: start}, first)
	_, err = s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: document}, ptr(int64(0)), start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	second, err := s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: json.RawMessage(`"not even a journey"`)}, ptr(int64(1)), start.Add(time.Hour))
	require.NoError(t, err)
	require.EqualValues(t, 2, second.Revision)
	require.Equal(t, []fault.Problem{}, second.Problems)
	_, err = s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: document}, ptr(int64(1)), start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	third, err := s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: document}, nil, start)
	require.NoError(t, err)
	require.EqualValues(t, 3, third.Revision, "without an expectation the last save wins")
	require.Empty(t, third.Source)
	_, err = s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: document, Source: "b: 1.0 # why\n"}, ptr(int64(3)), start)
	require.NoError(t, err)
	found, err := s.FindDraft(t.Context(), "trial")
	require.NoError(t, err)
	require.Equal(t, "b: 1.0 # why\n", found.Source)
	last, err := s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: document}, ptr(int64(4)), start)
	require.NoError(t, err)
	require.Empty(t, last.Source, "the source of another document")
}

func TestSaveDraftsAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	_, err := s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: json.RawMessage(`{}`)}, nil, start)
	require.NoError(t, err)
	for revision := range int64(20) {
		var won atomic.Int32
		group, ctx := errgroup.WithContext(t.Context())
		for range 4 {
			group.Go(func() error {
				_, err := s.SaveDraft(ctx, journey.Draft{Journey: "trial", Document: json.RawMessage(`{}`)}, ptr(revision+1), start)
				if err == nil {
					won.Add(1)
				} else if fault.KindOf(err) != fault.Conflict {
					return err
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
		require.EqualValues(t, 1, won.Load(), "of saves over one revision, one wins")
	}
}

func TestPublishVersion(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	one, two := json.RawMessage(`{"b": 1.0, "a": 1}`), json.RawMessage(`{"b": 2}`)
	_, err := s.PublishVersion(ctx, "trial", one, "h1", nil, nil, start)
	requireFault(t, err, fault.NotFound, "journey_not_found")
	_, err = s.SaveDraft(ctx, journey.Draft{Journey: "trial", Document: one}, nil, start)
	require.NoError(t, err)
	_, err = s.LiveVersion(ctx, "trial")
	requireFault(t, err, fault.Conflict, "not_published")
	_, err = s.LiveVersion(ctx, "nothing")
	requireFault(t, err, fault.NotFound, "journey_not_found")
	_, err = s.PublishVersion(ctx, "trial", one, "h1", nil, ptr(int64(7)), start)
	requireFault(t, err, fault.Conflict, "stale_revision")

	v1, err := s.PublishVersion(ctx, "trial", one, "h1", []string{"A", "B", "A"}, ptr(int64(1)), start)
	require.NoError(t, err)
	require.Equal(t, journey.Version{Journey: "trial", Number: 1, Hash: "h1", Document: one, PublishedAt: start}, v1)
	again, err := s.PublishVersion(ctx, "trial", one, "h1", []string{"A", "B"}, nil, start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, v1, again, "the same content is the same version")
	v2, err := s.PublishVersion(ctx, "trial", two, "h2", []string{"B", "C"}, nil, start.Add(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, v2.Number)
	live, err := s.LiveVersion(ctx, "trial")
	require.NoError(t, err)
	require.Equal(t, v2, live)

	inContact(t, s, newContact(t, s), func(ctx context.Context, tx *store.ContactTx) {
		names, err := tx.TriggerNames(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"B", "C"}, names)
		for name, since := range map[string]time.Time{"B": start, "C": start.Add(2 * time.Hour)} {
			versions, err := tx.TriggerJourneys(ctx, name)
			require.NoError(t, err)
			require.Equal(t, []journey.LiveVersion{{Version: v2, LiveSince: since}}, versions, "a trigger that stays keeps its time")
		}
		none, err := tx.TriggerJourneys(ctx, "A")
		require.NoError(t, err)
		require.Empty(t, none)
	})

	back, err := s.PublishVersion(ctx, "trial", one, "h1", []string{"A"}, nil, start.Add(3*time.Hour))
	require.NoError(t, err)
	require.Equal(t, v1, back, "older content is the older version, live again")
	live, err = s.LiveVersion(ctx, "trial")
	require.NoError(t, err)
	require.Equal(t, v1, live)
	found, err := s.FindVersionByHash(ctx, "h2")
	require.NoError(t, err)
	require.Equal(t, v2, found)
	found, err = s.FindVersion(ctx, "trial", 2)
	require.NoError(t, err)
	require.Equal(t, v2, found)
	_, err = s.FindVersion(ctx, "trial", 3)
	requireFault(t, err, fault.NotFound, "version_not_found")
	_, err = s.FindVersionByHash(ctx, "h3")
	requireFault(t, err, fault.NotFound, "version_not_found")

	page, err := s.ListVersions(ctx, "trial", "", 1)
	require.NoError(t, err)
	require.Equal(t, store.Page[journey.Version]{Items: []journey.Version{v2}, Next: "2"}, page)
	page, err = s.ListVersions(ctx, "trial", page.Next, 1)
	require.NoError(t, err)
	require.Equal(t, store.Page[journey.Version]{Items: []journey.Version{v1}}, page)
}

func TestPublishAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	_, err := s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: json.RawMessage(`{}`)}, nil, start)
	require.NoError(t, err)
	group, ctx := errgroup.WithContext(t.Context())
	for n := range 12 {
		group.Go(func() error {
			_, err := s.PublishVersion(ctx, "trial", json.RawMessage(`{}`), fmt.Sprint("h", n%6), []string{"A"}, nil, start)
			return err
		})
	}
	require.NoError(t, group.Wait())
	page, err := s.ListVersions(t.Context(), "trial", "", 100)
	require.NoError(t, err)
	require.Len(t, page.Items, 6)
	require.Equal(t, 6, page.Items[0].Number, "numbers have no gap")
}

func TestListJourneys(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for _, key := range []string{"c", "a", "b"} {
		_, err := s.SaveDraft(t.Context(), journey.Draft{Journey: key, Document: json.RawMessage(`{}`)}, nil, start)
		require.NoError(t, err)
	}
	page, err := s.ListJourneys(t.Context(), "", 2)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, []string{page.Items[0].Journey, page.Items[1].Journey})
	page, err = s.ListJourneys(t.Context(), page.Next, 2)
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Empty(t, page.Next)
}

func TestEnroll(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	contact := newContact(t, s)
	_, _, err := s.Enroll(ctx, contact, "trial", "k", start, always)
	requireFault(t, err, fault.NotFound, "journey_not_found")
	_, err = s.SaveDraft(ctx, journey.Draft{Journey: "trial", Document: json.RawMessage(`{}`)}, nil, start)
	require.NoError(t, err)
	_, _, err = s.Enroll(ctx, contact, "trial", "k", start, always)
	requireFault(t, err, fault.Conflict, "not_published")
	version := publish(t, s, "trial")
	_, _, err = s.Enroll(ctx, uuid.NewString(), "trial", "k", start, always)
	requireFault(t, err, fault.NotFound, "contact_not_found")

	first, created, err := s.Enroll(ctx, contact, "trial", "k", start, always)
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, []any{journey.Active, version.Number, version.Hash, int64(1), start},
		[]any{first.State, first.Version, first.Hash, first.EnteredSeq, first.EnteredAt})
	inContact(t, s, contact, func(_ context.Context, tx *store.ContactTx) { require.True(t, tx.Pending()) })
	again, created, err := s.Enroll(ctx, contact, "trial", "k", start.Add(time.Hour), func(journey.Version, *journey.Enrollment) (bool, string) {
		t.Fatal("a repeated call is not decided again")
		return false, ""
	})
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, first, again)

	refuse := func(v journey.Version, last *journey.Enrollment) (bool, string) {
		require.Equal(t, version, v)
		require.Equal(t, first, *last)
		return false, "already_enrolled"
	}
	_, _, err = s.Enroll(ctx, contact, "trial", "another", start, refuse)
	requireFault(t, err, fault.Conflict, "already_enrolled")
	entries, _, err := s.Timeline(ctx, contact, 0, 10)
	require.NoError(t, err)
	last := entries[len(entries)-1]
	require.Equal(t, []string{"not_entered", "already_enrolled", "trial"}, []string{last.Decision.Kind, last.Decision.Reason, last.Decision.Journey})
	other, created, err := s.Enroll(ctx, newContact(t, s), "trial", "k", start, always)
	require.NoError(t, err)
	require.True(t, created, "a key counts for its contact")
	require.NotEqual(t, first.ID, other.ID)
}

func TestEnrollAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	publish(t, s, "trial")
	for range 20 {
		contact := newContact(t, s)
		ids := make([]string, 4)
		var fresh atomic.Int32
		group, ctx := errgroup.WithContext(t.Context())
		for i := range ids {
			group.Go(func() error {
				e, created, err := s.Enroll(ctx, contact, "trial", "k", start, always)
				ids[i] = e.ID
				if created {
					fresh.Add(1)
				}
				return err
			})
		}
		require.NoError(t, group.Wait())
		require.EqualValues(t, 1, fresh.Load())
		require.Equal(t, []string{ids[0], ids[0], ids[0], ids[0]}, ids)
	}
}

func TestEnrollments(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	first := enrolled(t, s)
	wake, end := start.Add(time.Hour), start.Add(2*time.Hour)
	inContact(t, s, first.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		second := journey.Enrollment{
			ID: uuid.NewString(), ContactID: first.ContactID, Journey: "trial", Version: 1, Hash: first.Hash, State: journey.Active,
			TriggerEventID: uuid.NewString(), EnteredSeq: 1, EnteredAt: start.Add(time.Minute),
		}
		recorded, created, err := tx.CreateEnrollment(ctx, second)
		require.NoError(t, err)
		require.True(t, created)
		require.Equal(t, second, recorded)
		twin := second
		twin.ID = uuid.NewString()
		for _, repeated := range []journey.Enrollment{second, twin} {
			recorded, created, err = tx.CreateEnrollment(ctx, repeated)
			require.NoError(t, err)
			require.False(t, created)
			require.Equal(t, second, recorded)
		}
		open, err := tx.OpenEnrollments(ctx)
		require.NoError(t, err)
		require.Equal(t, []journey.Enrollment{first, second}, open)
		last, err := tx.LastEnrollment(ctx, "trial")
		require.NoError(t, err)
		require.Equal(t, second, *last)
		none, err := tx.LastEnrollment(ctx, "nothing")
		require.NoError(t, err)
		require.Nil(t, none)

		require.NoError(t, tx.UpdateEnrollment(ctx, second.ID, journey.Waiting, "pause", "", &wake, nil))
		last, err = tx.LastEnrollment(ctx, "trial")
		require.NoError(t, err)
		require.Equal(t, []any{journey.Waiting, "pause", wake}, []any{last.State, last.Step, *last.WakeAt})
		requireFault(t, tx.UpdateEnrollment(ctx, second.ID, journey.Completed, "pause", "", nil, nil), fault.Invalid, "bad_enrollment_end")
		require.NoError(t, tx.UpdateEnrollment(ctx, second.ID, journey.Exited, "pause", "exit_event", &wake, &end))
		require.NoError(t, tx.UpdateEnrollment(ctx, second.ID, journey.Exited, "pause", "told again", nil, &wake))
		requireFault(t, tx.UpdateEnrollment(ctx, second.ID, journey.Active, "pause", "", nil, nil), fault.Conflict, "enrollment_over")
		requireFault(t, tx.UpdateEnrollment(ctx, second.ID, journey.Completed, "pause", "", nil, &end), fault.Conflict, "enrollment_over")
		requireFault(t, tx.UpdateEnrollment(ctx, uuid.NewString(), journey.Active, "", "", nil, nil), fault.NotFound, "enrollment_not_found")
		last, err = tx.LastEnrollment(ctx, "trial")
		require.NoError(t, err)
		require.Equal(t, []any{journey.Exited, "exit_event", end}, []any{last.State, last.Reason, *last.EndedAt})
		require.Nil(t, last.WakeAt)
		open, err = tx.OpenEnrollments(ctx)
		require.NoError(t, err)
		require.Equal(t, []journey.Enrollment{first}, open)
	})
	inContact(t, s, newContact(t, s), func(ctx context.Context, tx *store.ContactTx) {
		_, _, err := tx.CreateEnrollment(ctx, first)
		requireFault(t, err, fault.Conflict, "enrollment_exists")
		requireFault(t, tx.UpdateEnrollment(ctx, first.ID, journey.Active, "", "", nil, nil), fault.NotFound, "enrollment_not_found")
	})
}

func TestRecordDecision(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	decision := journey.Decision{
		EnrollmentID: e.ID, ContactID: e.ContactID, Journey: "trial", StepID: "split", Visit: 1, Kind: "split", Outcome: "0", Reason: "weight",
		Detail: map[string]any{"bucket": 12.0}, At: start,
	}
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		none, err := tx.Decision(ctx, e.ID, "split", 1, "split")
		require.NoError(t, err)
		require.Nil(t, none)
		recorded, fresh, err := tx.RecordDecision(ctx, decision)
		require.NoError(t, err)
		require.True(t, fresh)
		require.Equal(t, decision, recorded)
		other := decision
		other.Outcome, other.Detail = "1", nil
		recorded, fresh, err = tx.RecordDecision(ctx, other)
		require.NoError(t, err)
		require.False(t, fresh)
		require.Equal(t, decision, recorded, "what is recorded stays")
		found, err := tx.Decision(ctx, e.ID, "split", 1, "split")
		require.NoError(t, err)
		require.Equal(t, decision, *found)
		other.Visit = 2
		_, fresh, err = tx.RecordDecision(ctx, other)
		require.NoError(t, err)
		require.True(t, fresh, "another visit is another decision")
		for range 2 {
			_, fresh, err = tx.RecordDecision(ctx, journey.Decision{ContactID: e.ContactID, Kind: "not_entered", Outcome: "not_entered", At: start})
			require.NoError(t, err)
			require.True(t, fresh, "without an enrollment every entry is new")
		}
	})
}
