package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func saveSegment(t testing.TB, s *store.Store, key, condition string) audience.SegmentState {
	t.Helper()
	segment, err := s.SaveSegment(t.Context(), key, key, condition, nil, start)
	require.NoError(t, err)
	return segment
}

func walk(t testing.TB, s *store.Store, now time.Time, chunk int) (steps int) {
	t.Helper()
	for done := false; !done; steps++ {
		require.Less(t, steps, 1000, "the walk comes to an end")
		var err error
		done, err = s.Walk(t.Context(), now, chunk)
		require.NoError(t, err)
	}
	return steps
}

// refreshDue judges everybody who is due, and tells how many they were.
func refreshDue(t testing.TB, s *store.Store, now time.Time) (judged int) {
	t.Helper()
	for {
		n, err := s.RefreshDue(t.Context(), now, 500)
		require.NoError(t, err)
		if n == 0 {
			return judged
		}
		judged += n
		require.Less(t, judged, 10_000, "nobody is due for ever")
	}
}

func members(t testing.TB, s *store.Store, key string) []string {
	t.Helper()
	page, err := s.ListMembers(t.Context(), key, "", 100)
	require.NoError(t, err)
	ids := []string{}
	for _, m := range page.Items {
		ids = append(ids, m.Contact.ID)
	}
	return ids
}

// notes counts the events that Throughline itself noted about a contact, by name.
func notes(t testing.TB, conn *pgx.Conn, contact string) map[string]int {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT name, count(*) FROM events WHERE contact_id = $1 AND type = 'system' GROUP BY name", contact)
	require.NoError(t, err)
	counts := map[string]int{}
	var name string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&name, &n}, func() error {
		counts[name] = n
		return nil
	})
	require.NoError(t, err)
	return counts
}

func TestSegments(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	zero, one, seven := int64(0), int64(1), int64(7)
	_, err := s.FindSegment(ctx, "trial")
	requireFault(t, err, fault.NotFound, "segment_not_found")
	for condition, code := range map[string]string{
		"contact.plan =": "condition_syntax", `in_segment("x")`: audience.CodeConditionNotForSegment, "scor > 1": "condition_unknown_name",
		"now.getHours() > 8": audience.CodeConditionNotForSegment, "event.n > 1": audience.CodeConditionNotForSegment,
	} {
		_, err = s.SaveSegment(ctx, "trial", "", condition, nil, start)
		requireFault(t, err, fault.Invalid, code)
	}
	_, err = s.SaveSegment(ctx, "Trial", "", "true", nil, start)
	requireFault(t, err, fault.Invalid, "bad_key")
	_, err = s.SaveSegment(ctx, "trial", "", "true", &one, start)
	requireFault(t, err, fault.Conflict, "stale_revision")

	made, err := s.SaveSegment(ctx, "trial", "Trials", `contact.plan == "trial"`, &zero, start)
	require.NoError(t, err)
	require.Equal(t, audience.Segment{Key: "trial", Name: "Trials", Condition: `contact.plan == "trial"`, Revision: 1, CreatedAt: start, UpdatedAt: start}, made.Segment)
	require.Nil(t, made.FilledAt)
	_, err = s.SaveSegment(ctx, "trial", "Trials", "true", &zero, start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	_, err = s.SaveSegment(ctx, "trial", "Trials", "true", &seven, start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	walk(t, s, start, 100)

	later := start.Add(time.Hour)
	same, err := s.SaveSegment(ctx, "trial", "Trials", `contact.plan == "trial"`, &one, later)
	require.NoError(t, err)
	require.Equal(t, int64(1), same.Revision, "nothing changed")
	renamed, err := s.SaveSegment(ctx, "trial", "On trial", `contact.plan == "trial"`, &one, later)
	require.NoError(t, err)
	require.Equal(t, int64(2), renamed.Revision)
	require.NotNil(t, renamed.FilledAt, "another name is no other condition")
	require.Equal(t, 1, walk(t, s, later, 1), "nothing to walk for")
	changed, err := s.SaveSegment(ctx, "trial", "On trial", "true", nil, later)
	require.NoError(t, err)
	require.Nil(t, changed.FilledAt)
	saveSegment(t, s, "all", "true")
	keys, err := s.SegmentKeys(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"all", "trial"}, keys)
	page, err := s.ListSegments(ctx, "", 1)
	require.NoError(t, err)
	require.Equal(t, []any{"all", "all"}, []any{page.Items[0].Key, page.Next})
	page, err = s.ListSegments(ctx, page.Next, 1)
	require.NoError(t, err)
	require.Equal(t, []store.Page[audience.SegmentState]{{Items: []audience.SegmentState{changed}}}, []store.Page[audience.SegmentState]{page})
}

func TestMembersOfASegment(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx := t.Context()
	saveSegment(t, s, "trial", `contact.plan == "trial"`)
	walk(t, s, start, 100)
	trial := map[string]any{"plan": "trial"}
	ana := ingest(t, s, start, identify("ana", "1", trial))[0].ContactID
	bob := ingest(t, s, start.Add(time.Minute), identify("bob", "2", trial))[0].ContactID
	eve := ingest(t, s, start.Add(time.Minute), identify("eve", "3", trial))[0].ContactID
	ingest(t, s, start, identify("joe", "4", nil))
	var order []string
	for cursor := ""; ; {
		page, err := s.ListMembers(ctx, "trial", cursor, 1)
		require.NoError(t, err)
		order = append(order, page.Items[0].Contact.ID)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Equal(t, ana, order[2], "the newest come first")
	require.ElementsMatch(t, []string{ana, bob, eve}, order)
	for _, cursor := range []string{"x", "_", "2026-03-01T09:00:00Z_x", "x_" + ana} {
		_, err := s.ListMembers(ctx, "trial", cursor, 1)
		requireFault(t, err, fault.Invalid, "bad_cursor")
	}
	_, err := s.ListMembers(ctx, "nothing", "", 1)
	requireFault(t, err, fault.NotFound, "segment_not_found")
	of, err := s.ContactSegments(ctx, bob)
	require.NoError(t, err)
	require.Equal(t, []audience.Membership{{Key: "trial", Name: "trial", EnteredAt: start.Add(time.Minute)}}, of)
	in, err := s.IsMember(ctx, "trial", ana)
	require.NoError(t, err)
	require.True(t, in)
	_, err = s.ContactSegments(ctx, "ffffffff-6f0b-4d5e-9a39-2f5c4f1f6a14")
	requireFault(t, err, fault.NotFound, "contact_not_found")
	found, err := s.FindSegment(ctx, "trial")
	require.NoError(t, err)
	require.Equal(t, int64(3), found.Members)
}

func TestPreviewSegment(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	for i := range 30 {
		plan := []string{"trial", "paid", "trial"}[i%3]
		ingest(t, s, start, identify(fmt.Sprint("u", i), fmt.Sprint(i), map[string]any{"plan": plan, "n": i}))
	}
	ingest(t, s, start, track("u29", "Bought", "b"))
	count, newest, err := s.PreviewSegment(t.Context(), `contact.plan == "trial"`, start, 5)
	require.NoError(t, err)
	require.Equal(t, int64(20), count)
	require.Len(t, newest, 5)
	require.Equal(t, []string{"u29", "u27"}, []string{newest[0].UserID, newest[1].UserID}, "the newest first")
	count, newest, err = s.PreviewSegment(t.Context(), `did("Bought", "2d") && contact.n == 29`, start.Add(time.Hour), 20)
	require.NoError(t, err)
	require.Equal(t, []any{int64(1), "u29"}, []any{count, newest[0].UserID})
	count, _, err = s.PreviewSegment(t.Context(), `did("Bought", "2d")`, start.AddDate(0, 0, 3), 20)
	require.NoError(t, err)
	require.Zero(t, count)
	_, _, err = s.PreviewSegment(t.Context(), `contact.plan = `, start, 20)
	requireFault(t, err, fault.Invalid, "condition_syntax")
	var written int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM segment_members) + (SELECT count(*) FROM segments)").Scan(&written))
	require.Zero(t, written, "looking writes nothing")
}

// Who was there before enters silently, step by step, and a walk that is cut off goes on where it was.
func TestTheWalkFillsASegmentSilentlyAndResumes(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	var ids []string
	for i := range 25 {
		ids = append(ids, ingest(t, s, start, identify(fmt.Sprint("u", i), fmt.Sprint(i), map[string]any{"plan": "trial"}))[0].ContactID)
	}
	walk(t, s, start, 100)
	saveSegment(t, s, "trial", `contact.plan == "trial"`)
	done, err := s.Walk(t.Context(), start, 10)
	require.NoError(t, err)
	require.False(t, done)
	require.Len(t, members(t, s, "trial"), 10)

	other, err := store.Open(t.Context(), conn.Config().ConnString()) // another process, after this one was killed
	require.NoError(t, err)
	t.Cleanup(other.Close)
	ingest(t, other, start, identify("u20", "while it fills", map[string]any{"plan": "trial", "x": 1}))
	require.Empty(t, notes(t, conn, ids[20]), "silent while it fills")
	require.Equal(t, 2, walk(t, other, start.Add(time.Minute), 10), "the first ten are not walked again")
	require.ElementsMatch(t, ids, members(t, s, "trial"))
	for _, id := range ids {
		require.Empty(t, notes(t, conn, id))
	}
	found, err := s.FindSegment(t.Context(), "trial")
	require.NoError(t, err)
	require.Equal(t, start.Add(time.Minute), *found.FilledAt)
	require.Equal(t, 1, walk(t, s, start, 10), "done is done")

	// From now on it is told, by a process that has seen the filling rules, too.
	ingest(t, s, start, identify("u1", "leaves", map[string]any{"plan": "paid"}))
	ingest(t, s, start, identify("u1", "comes back", map[string]any{"plan": "trial"}))
	ingest(t, s, start, identify("u1", "stays", map[string]any{"plan": "trial", "x": 1}))
	require.Equal(t, map[string]int{"Segment Left: trial": 1, "Segment Entered: trial": 1}, notes(t, conn, ids[1]))
}

// Another condition while the walk is under way begins it anew: nobody stays judged by the old one.
func TestAChangeUnderWayBeginsTheWalkAnew(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for i := range 5 {
		ingest(t, s, start, identify(fmt.Sprint("u", i), fmt.Sprint(i), map[string]any{"n": i}))
	}
	saveSegment(t, s, "some", "contact.n >= 0")
	done, err := s.Walk(t.Context(), start, 3)
	require.NoError(t, err)
	require.False(t, done)
	saveSegment(t, s, "some", "contact.n >= 4")
	walk(t, s, start, 3)
	require.Len(t, members(t, s, "some"), 1)
}

// A contact that is being made by the rules of before, while a segment is saved, is not passed by.
func TestTheWalkWaitsForTransactionsOfBefore(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	id := ingest(t, s, start, identify("ana", "1", map[string]any{"plan": "trial"}))[0].ContactID
	walk(t, s, start, 100)
	before, err := conn.Begin(t.Context())
	require.NoError(t, err)
	early := "00000000-0000-7000-8000-000000000001"
	_, err = before.Exec(t.Context(), "INSERT INTO contacts (id, traits, created_at, updated_at) VALUES ($1, '{\"plan\": \"trial\"}', $2, $2)", early, start)
	require.NoError(t, err)
	saveSegment(t, s, "trial", `contact.plan == "trial"`)
	done, err := s.Walk(t.Context(), start, 100)
	require.NoError(t, err)
	require.False(t, done)
	require.Empty(t, members(t, s, "trial"))
	require.NoError(t, before.Commit(t.Context()))
	walk(t, s, start, 100)
	require.ElementsMatch(t, []string{early, id}, members(t, s, "trial"))
}

func TestADeletedSegmentIsLeftSilently(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	saveSegment(t, s, "trial", `contact.plan == "trial"`)
	saveSegment(t, s, "known", `has(contact.plan)`)
	walk(t, s, start, 100)
	id := ingest(t, s, start, identify("ana", "1", map[string]any{"plan": "trial"}))[0].ContactID
	before := notes(t, conn, id)
	requireFault(t, s.DeleteSegment(ctx, "nothing", start), fault.NotFound, "segment_not_found")
	require.NoError(t, s.DeleteSegment(ctx, "trial", start))
	requireFault(t, s.DeleteSegment(ctx, "trial", start), fault.NotFound, "segment_not_found")
	_, err := s.FindSegment(ctx, "trial")
	requireFault(t, err, fault.NotFound, "segment_not_found")
	of, err := s.ContactSegments(ctx, id)
	require.NoError(t, err)
	require.Len(t, of, 1, "gone for everybody at once")
	ingest(t, s, start, identify("ana", "2", map[string]any{"plan": "paid"}))
	walk(t, s, start, 100)
	require.Equal(t, before, notes(t, conn, id), "silently")
	var segments []string
	require.NoError(t, conn.QueryRow(ctx, "SELECT segments FROM contacts WHERE id = $1", id).Scan(&segments))
	require.Equal(t, []string{"known"}, segments)
	var left int
	require.NoError(t, conn.QueryRow(ctx, "SELECT (SELECT count(*) FROM segments WHERE key = 'trial') + (SELECT count(*) FROM segment_members WHERE segment = 'trial')").Scan(&left))
	require.Zero(t, left)

	// Deleted and made again before anybody has left: who is in it and who is not is what the new condition says.
	require.NoError(t, s.DeleteSegment(ctx, "known", start))
	again := saveSegment(t, s, "known", `contact.plan == "other"`)
	require.Nil(t, again.FilledAt)
	walk(t, s, start, 100)
	require.Empty(t, members(t, s, "known"))
	require.Equal(t, before, notes(t, conn, id))
}

func TestASegmentInUseStays(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for _, key := range []string{"entered", "asked", "unused", "draft-only"} {
		saveSegment(t, s, key, "true")
	}
	document := json.RawMessage(`{"journey":"j","enter":[{"segment":"entered"}],"steps":[
		{"id":"b","branch":[{"when":"in_segment(\"asked\")","go":"done"},{"else":true,"go":"done"}]},{"id":"done","exit":"x"}]}`)
	_, err := s.SaveDraft(t.Context(), journey.Draft{Journey: "j", Document: document}, nil, start)
	require.NoError(t, err)
	_, err = s.PublishVersion(t.Context(), "j", document, "h", []string{"Segment Entered: entered"}, nil, start)
	require.NoError(t, err)
	_, err = s.SaveDraft(t.Context(), journey.Draft{Journey: "k", Document: json.RawMessage(`{"journey":"k","enter":[{"segment":"draft-only"}]}`)}, nil, start)
	require.NoError(t, err)
	for _, key := range []string{"entered", "asked"} {
		err := s.DeleteSegment(t.Context(), key, start)
		requireFault(t, err, fault.Conflict, "segment_in_use")
		f, _ := fault.As(err)
		require.Equal(t, `The journey "j" uses it.`, f.Problems[0].Message)
	}
	require.NoError(t, s.DeleteSegment(t.Context(), "unused", start))
	require.NoError(t, s.DeleteSegment(t.Context(), "draft-only", start))
}

// "Not seen for 14 days" is true at a moment at which nothing comes in. Nobody else is looked at.
func TestTimeAloneMovesAContact(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	saveSegment(t, s, "idle", `did("Seen") && !did("Seen", "14d")`)
	walk(t, s, start, 100)
	ids := map[string]string{}
	for i := range 20 {
		user := fmt.Sprint("u", i)
		seen := track(user, "Seen", user)
		seen.OccurredAt = start.Add(time.Duration(i) * time.Hour)
		ids[user] = ingest(t, s, seen.OccurredAt, seen)[0].ContactID
		ingest(t, s, seen.OccurredAt, track(user, "Something Else", user+"-else"))
	}
	due := start.Add(14 * audience.Day)
	require.Zero(t, refreshDue(t, s, due.Add(-time.Second)))
	lag, err := s.ClockLag(t.Context(), due.Add(90*time.Second))
	require.NoError(t, err)
	require.Equal(t, 90*time.Second, lag)
	require.Equal(t, 1, refreshDue(t, s, due), "one, of twenty")
	require.Equal(t, []string{ids["u0"]}, members(t, s, "idle"))
	require.Equal(t, map[string]int{"Segment Entered: idle": 1}, notes(t, conn, ids["u0"]))
	require.Zero(t, refreshDue(t, s, due), "judged is judged")

	// Being seen moves the due time of u1 only when it fires: the busy contact costs nothing until then.
	seenNow := func(user, message string) audience.Incoming {
		in := track(user, "Seen", message)
		in.OccurredAt = due
		return in
	}
	ingest(t, s, due, seenNow("u1", "again"))
	require.Equal(t, 1, refreshDue(t, s, due.Add(time.Hour)))
	require.Equal(t, []string{ids["u0"]}, members(t, s, "idle"))
	ingest(t, s, due, seenNow("u0", "back"))
	require.Empty(t, members(t, s, "idle"))
	require.Equal(t, map[string]int{"Segment Entered: idle": 1, "Segment Left: idle": 1}, notes(t, conn, ids["u0"]))
	lag, err = s.ClockLag(t.Context(), start)
	require.NoError(t, err)
	require.Zero(t, lag)
}

// Several workers at once do not do it twice.
func TestTheClockWithSeveralWorkers(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	saveSegment(t, s, "idle", `did("Seen") && !did("Seen", "14d")`)
	var ids []string
	for i := range 60 {
		ids = append(ids, ingest(t, s, start, track(fmt.Sprint("u", i), "Seen", fmt.Sprint(i)))[0].ContactID)
	}
	workers := func(fn func(ctx context.Context) error) {
		group, ctx := errgroup.WithContext(t.Context())
		for range 4 {
			group.Go(func() error { return fn(ctx) })
		}
		require.NoError(t, group.Wait())
	}
	workers(func(ctx context.Context) error {
		for range 10 {
			if _, err := s.Walk(ctx, start, 7); err != nil {
				return err
			}
		}
		return nil
	})
	walk(t, s, start, 7)
	later := start.Add(15 * audience.Day)
	workers(func(ctx context.Context) error {
		for range 10 {
			if _, err := s.RefreshDue(ctx, later, 7); err != nil {
				return err
			}
		}
		return nil
	})
	refreshDue(t, s, later)
	for _, id := range ids {
		require.Equal(t, map[string]int{"Segment Entered: idle": 1}, notes(t, conn, id))
	}
}

// What another worker is at is left to it, without waiting.
func TestTheClockLeavesToAnotherWorkerWhatItIsAt(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	saveSegment(t, s, "idle", `did("Seen") && !did("Seen", "14d")`)
	ingest(t, s, start, track("ana", "Seen", "1"))
	other, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), "SELECT revision FROM rules FOR UPDATE")
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), "SELECT pg_advisory_xact_lock(8, 0)")
	require.NoError(t, err)
	impatient, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	done, err := s.Walk(impatient, start, 10)
	require.NoError(t, err)
	require.True(t, done)
	later := start.Add(20 * audience.Day)
	n, err := s.RefreshDue(impatient, later, 10)
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, other.Rollback(t.Context()))
	require.Equal(t, 1, refreshDue(t, s, later))
	require.Equal(t, 1, walk(t, s, later, 10))
	found, err := s.FindSegment(t.Context(), "idle")
	require.NoError(t, err)
	require.NotNil(t, found.FilledAt)
}
