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

// Whoever stands in a journey when it is paused finds that in its timeline, in its place; nobody else does, and nothing was written for each.
func TestAPauseIsWovenIntoTimelines(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	publish(t, s, "trial", "Signed Up")
	publish(t, s, "other", "Other")
	enter := func(key string, at time.Time) journey.Enrollment {
		e, _, err := s.Enroll(t.Context(), newContact(t, s), key, "", at, always)
		require.NoError(t, err)
		return e
	}
	inside, left, elsewhere := enter("trial", start), enter("trial", start), enter("other", start)
	leave := func(e journey.Enrollment, at time.Time) {
		inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
			require.NoError(t, tx.UpdateEnrollment(ctx, e.ID, journey.Exited, "", "", nil, &at))
		})
	}
	leave(left, start.Add(time.Minute))
	rows := func() (n int) {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM decisions").Scan(&n))
		return n
	}
	written := rows()
	for range 2 { // paused before: since when and by whom does not change
		_, err := s.PauseJourney(t.Context(), "trial", "ana", start.Add(time.Hour))
		require.NoError(t, err)
	}
	during := enter("trial", start.Add(2*time.Hour))
	require.Equal(t, written, rows(), "nothing is written for each")
	want := journey.Pause{Journey: "trial", PausedAt: start.Add(time.Hour), PausedBy: "ana"}
	require.Equal(t, []journey.Pause{want}, pausesIn(t, s, inside.ContactID))
	_, err := s.ResumeJourney(t.Context(), "trial", "bo", start.Add(3*time.Hour))
	require.NoError(t, err)
	ended := start.Add(3 * time.Hour)
	want.ResumedAt, want.ResumedBy = &ended, "bo"
	leave(inside, start.Add(4*time.Hour))
	after := enter("trial", start.Add(4*time.Hour))
	ingest(t, s, start.Add(5*time.Hour), track("somebody", "Later", "later"))
	_, err = s.PauseJourney(t.Context(), "trial", "cy", start.Add(6*time.Hour))
	require.NoError(t, err)
	_, err = s.ResumeJourney(t.Context(), "trial", "cy", start) // by a clock that goes wrong
	require.NoError(t, err)
	again := start.Add(6 * time.Hour)
	second := journey.Pause{Journey: "trial", PausedAt: again, ResumedAt: &again, PausedBy: "cy", ResumedBy: "cy"}
	for name, row := range map[string]struct {
		e    journey.Enrollment
		want []journey.Pause
	}{
		"was inside": {inside, []journey.Pause{want}}, "had left": {left, nil}, "is elsewhere": {elsewhere, nil},
		"came meanwhile": {during, []journey.Pause{want, second}}, "came after it": {after, []journey.Pause{second}},
	} {
		require.Equal(t, row.want, pausesIn(t, s, row.e.ContactID), name)
		told, err := s.ContactPauses(t.Context(), row.e.ContactID, "trial")
		require.NoError(t, err)
		require.Len(t, told, len(row.want), name)
		for i, p := range told {
			require.Equal(t, journey.EnrollmentPause{EnrollmentID: row.e.ID, Pause: row.want[i]}, p, name)
		}
	}
	none, err := s.ContactPauses(t.Context(), inside.ContactID, "other")
	require.NoError(t, err)
	require.Empty(t, none)
}

// pausesIn are those of a timeline that is read a page of two at a time; it stays in order.
func pausesIn(t *testing.T, s *store.Store, contactID string) (out []journey.Pause) {
	t.Helper()
	var last int64
	for cursor, more := int64(0), true; more; {
		entries, next, err := s.Timeline(t.Context(), contactID, cursor, 2)
		require.NoError(t, err)
		for _, entry := range entries {
			require.Greater(t, entry.JournalID, last)
			last = entry.JournalID
			if entry.Kind == store.EntryPause {
				require.Equal(t, entry.At, entry.Pause.PausedAt)
				out = append(out, *entry.Pause)
			}
		}
		cursor, more = next, next != 0
	}
	return out
}
