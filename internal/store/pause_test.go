package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func TestPausingNeedsAPublishedJourney(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	_, err := s.PauseJourney(t.Context(), "none", "ana", start)
	requireFault(t, err, fault.NotFound, "journey_not_found")
	_, err = s.ResumeJourney(t.Context(), "none", "ana", start)
	requireFault(t, err, fault.NotFound, "journey_not_found")
	_, err = s.SaveDraft(t.Context(), journey.Draft{Journey: "new", Document: []byte(`{}`)}, nil, start)
	require.NoError(t, err)
	_, err = s.PauseJourney(t.Context(), "new", "ana", start)
	requireFault(t, err, fault.Conflict, "not_published")
}

// Everybody who stands in the journey is woken, some at a time; nobody else is, and nobody before it is resumed.
func TestAResumeWakesAllWhoStandThere(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	publish(t, s, "trial", "Signed Up")
	publish(t, s, "other", "Other")
	want := map[string]bool{}
	for range 7 {
		e, _, err := s.Enroll(t.Context(), newContact(t, s), "trial", "", start, always)
		require.NoError(t, err)
		want[e.ContactID] = true
		_, _, err = s.Enroll(t.Context(), newContact(t, s), "other", "", start, always)
		require.NoError(t, err)
	}
	left, _, err := s.Enroll(t.Context(), newContact(t, s), "trial", "", start, always)
	require.NoError(t, err)
	inContact(t, s, left.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.UpdateEnrollment(ctx, left.ID, journey.Exited, "", "", nil, &start))
	})
	release := func() []string {
		ids, err := s.ReleaseResumed(t.Context(), start.Add(time.Hour), 3)
		require.NoError(t, err)
		return ids
	}
	draft, err := s.ResumeJourney(t.Context(), "trial", "ana", start)
	require.NoError(t, err)
	require.Nil(t, draft.PausedAt)
	require.Empty(t, release(), "it was not paused")

	_, err = s.PauseJourney(t.Context(), "trial", "ana", start)
	require.NoError(t, err)
	again, err := s.PauseJourney(t.Context(), "trial", "ana", start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, start, *again.PausedAt)
	require.Empty(t, release())

	_, err = s.ResumeJourney(t.Context(), "trial", "ana", start.Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, release(), 3)
	_, err = s.PauseJourney(t.Context(), "trial", "ana", start.Add(2*time.Hour))
	require.NoError(t, err)
	require.Empty(t, release(), "paused again")
	_, err = s.ResumeJourney(t.Context(), "trial", "ana", start.Add(3*time.Hour))
	require.NoError(t, err)
	got := map[string]bool{}
	for ids := release(); len(ids) > 0; ids = release() {
		for _, id := range ids {
			got[id] = true
		}
	}
	require.Equal(t, want, got)
	for id := range want {
		inContact(t, s, id, func(_ context.Context, tx *store.ContactTx) {
			require.True(t, tx.Pending(), "marked, so that a poke that is lost is swept")
			require.False(t, tx.Paused("trial"))
		})
	}
}

// A contact that enters while its journey is being resumed, and has read that it is paused, is not forgotten.
func TestAResumeWaitsForThoseWhoReadThePause(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	publish(t, s, "trial", "Signed Up")
	contact := newContact(t, s)
	_, err := s.PauseJourney(t.Context(), "trial", "ana", start)
	require.NoError(t, err)
	resumed := make(chan error, 1)
	inContact(t, s, contact, func(ctx context.Context, tx *store.ContactTx) {
		require.True(t, tx.Paused("trial"))
		go func() {
			_, err := s.ResumeJourney(context.WithoutCancel(ctx), "trial", "ana", start)
			resumed <- err
		}()
		select {
		case <-resumed:
			require.Fail(t, "the resume did not wait")
		case <-time.After(200 * time.Millisecond):
		}
		_, _, err := tx.CreateEnrollment(ctx, journey.Enrollment{
			ID: contact, Journey: "trial", Version: 1, Hash: "hash-of-trial", State: journey.Active, EnteredAt: start,
		})
		require.NoError(t, err)
		require.NoError(t, tx.Park(ctx, nil, 1))
	})
	require.NoError(t, <-resumed)
	ids, err := s.ReleaseResumed(t.Context(), start, 100)
	require.NoError(t, err)
	require.Equal(t, []string{contact}, ids)
}
