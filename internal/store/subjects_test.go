package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

var welcome = email.SubjectSource{Template: "welcome", TemplateVersion: 3, Locale: "en", Segment: "trial", Brief: "Warm.", Written: "Welcome"} //nolint:gochecknoglobals // never changed

// subjects makes a ready set with the written line and some others that are sent.
func subjects(t *testing.T, s *store.Store, key string, texts ...string) email.SubjectSet {
	t.Helper()
	set, fresh, err := s.WantSubjects(t.Context(), key, welcome, start)
	require.NoError(t, err)
	require.True(t, fresh)
	set, err = s.ChangeSubjects(t.Context(), set.ID, start, func(email.SubjectSet) ([]email.SubjectLine, error) {
		var lines []email.SubjectLine
		for i, text := range append([]string{welcome.Written}, texts...) {
			lines = append(lines, email.SubjectLine{Number: i, Text: text, State: email.LineApproved, Weight: 1 / float64(1+len(texts))})
		}
		return lines, nil
	})
	require.NoError(t, err)
	return set
}

func TestSubjectsAreWantedOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	_, found, err := s.FindSubjects(t.Context(), "k")
	require.NoError(t, err)
	require.False(t, found)
	var fresh atomic.Int64
	group, ctx := errgroup.WithContext(t.Context())
	for range 8 {
		group.Go(func() error {
			set, first, err := s.WantSubjects(ctx, "k", welcome, start)
			if first {
				fresh.Add(1)
			}
			if err == nil && set.SubjectSource != welcome {
				return fmt.Errorf("got %+v", set)
			}
			return err
		})
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, 1, fresh.Load(), "one of them asks the model")

	set, _, err := s.WantSubjects(t.Context(), "k", welcome, start)
	require.NoError(t, err)
	late, err := s.LateSubjects(t.Context(), start.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Len(t, late, 1)
	require.NoError(t, s.FailSubjects(t.Context(), set.ID, email.SubjectBudgetSpent, start))
	set, again, err := s.WantSubjects(t.Context(), "k", welcome, start.Add(time.Minute))
	require.NoError(t, err)
	require.False(t, again)
	require.Equal(t, []any{email.SubjectsFailed, email.SubjectBudgetSpent}, []any{set.State, set.Reason})
	set, again, err = s.WantSubjects(t.Context(), "k", welcome, start.Add(2*time.Hour))
	require.NoError(t, err)
	require.True(t, again, "an hour later it is tried again")
	require.Equal(t, email.SubjectsWanted, set.State)

	ready, err := s.ChangeSubjects(t.Context(), set.ID, start, func(email.SubjectSet) ([]email.SubjectLine, error) {
		return []email.SubjectLine{{Text: "Welcome", State: email.LineApproved, Weight: 1}, {Number: 1, Text: "No", State: email.LineRefused, Reason: email.SubjectLink, Words: "A link."}}, nil
	})
	require.NoError(t, err)
	require.Equal(t, email.SubjectsReady, ready.State)
	require.Equal(t, []string{"Welcome", "No"}, []string{ready.Lines[0].Text, ready.Lines[1].Text})
	require.NoError(t, s.FailSubjects(t.Context(), set.ID, "late", start), "whoever comes late changes nothing")
	same, err := s.FindSubjectSet(t.Context(), set.ID)
	require.NoError(t, err)
	require.Equal(t, ready, same)
	_, err = s.ChangeSubjects(t.Context(), "00000000-0000-4000-8000-000000000009", start, nil)
	requireFault(t, err, fault.NotFound, "unknown_subjects")
}

// Only mails that arrived, that are tracked, and whose time is over are counted, each once, whoever counts.
func TestSubjectsAreCounted(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	set := subjects(t, s, "k", "Hello you")
	e, visit := enrolled(t, s), 0
	mail := func(line, reason string, state email.State, tracked, clicked bool, at time.Time) {
		visit++
		m := queued(e, visit, email.Marketing)
		m.Tracked, m.Links = tracked, []string{"https://a.test"}
		inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
			require.NoError(t, tx.InsertMessage(ctx, m))
			require.NoError(t, tx.ChooseSubject(ctx, m.ID, set.ID, line, reason, at))
			require.NoError(t, tx.ChooseSubject(ctx, m.ID, set.ID, set.Lines[0].ID, "", at), "the first choice stays")
		})
		if state == email.Sent {
			_, err := conn.Exec(t.Context(), "UPDATE messages SET state = 'sent', sent_at = $2 WHERE id = $1", m.ID, at)
			require.NoError(t, err)
		}
		if clicked {
			_, err := conn.Exec(t.Context(), "UPDATE message_tracking SET clicked_at = $2 WHERE message_id = $1", m.ID, at)
			require.NoError(t, err)
		}
	}
	old, fresh := start.Add(-48*time.Hour), start
	line := set.Lines[1].ID
	mail(line, "", email.Sent, true, true, old)
	mail(line, "", email.Sent, true, false, old)
	mail(line, "", email.Sent, true, true, fresh)  // its time is not over
	mail(line, "", email.Sent, false, false, old)  // nobody could know
	mail(line, "", email.Queued, true, false, old) // it may still go out
	mail(set.Lines[0].ID, "", email.Sent, true, false, old)
	mail("", email.SubjectGenerating, email.Sent, true, true, old) // there was no choice
	group, ctx := errgroup.WithContext(t.Context())
	for range 4 {
		group.Go(func() error {
			_, _, err := s.CountSubjects(ctx, start.Add(-24*time.Hour), 2)
			return err
		})
	}
	require.NoError(t, group.Wait())
	for range 5 {
		_, _, err := s.CountSubjects(t.Context(), start.Add(-24*time.Hour), 100)
		require.NoError(t, err)
	}
	found, err := s.FindSubjectSet(t.Context(), set.ID)
	require.NoError(t, err)
	require.Equal(t, [][2]int64{{1, 0}, {2, 1}}, [][2]int64{{found.Lines[0].Sent, found.Lines[0].Clicked}, {found.Lines[1].Sent, found.Lines[1].Clicked}})
	sets := []email.SubjectSet{found}
	require.NoError(t, s.CountFallbacks(t.Context(), sets))
	require.Equal(t, []email.SubjectFallback{{Reason: email.SubjectGenerating, Mails: 1}}, sets[0].Instead)
}

// Twenty workers at once can't spend more than there is; what was put aside and not spent comes back; a new month begins at nothing.
func TestBudget(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	budget := email.SubjectBudget{Requests: 50, Tokens: 10_000}
	var granted atomic.Int64
	group, ctx := errgroup.WithContext(t.Context())
	for range 20 {
		group.Go(func() error {
			for range 20 {
				ok, err := s.ReserveUsage(ctx, budget, 300, start)
				if err != nil {
					return err
				}
				if ok {
					granted.Add(1)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, 33, granted.Load(), "33 times 300 tokens")
	usage, err := s.Usage(t.Context(), start)
	require.NoError(t, err)
	require.Equal(t, email.SubjectUsage{Requests: 33, Tokens: 9_900}, usage)
	require.NoError(t, s.ReturnUsage(t.Context(), 9_000, start))
	for range 17 {
		ok, err := s.ReserveUsage(t.Context(), budget, 1, start)
		require.NoError(t, err)
		require.True(t, ok)
	}
	ok, err := s.ReserveUsage(t.Context(), budget, 1, start)
	require.NoError(t, err)
	require.False(t, ok, "no request is left")
	next := start.AddDate(0, 1, 0)
	ok, err = s.ReserveUsage(t.Context(), budget, 10_001, next)
	require.NoError(t, err)
	require.False(t, ok, "more than a month has")
	ok, err = s.ReserveUsage(t.Context(), budget, 10_000, next)
	require.NoError(t, err)
	require.True(t, ok)
	none, err := s.ReserveUsage(t.Context(), email.SubjectBudget{}, 0, next)
	require.NoError(t, err)
	require.False(t, none)
}
