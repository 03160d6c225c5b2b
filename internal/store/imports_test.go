package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/storetest"
)

func importSpec() audience.ImportSpec {
	return audience.ImportSpec{Kind: audience.TypeIdentify, Columns: []audience.ImportColumn{{Column: "Email", To: "email"}}}
}

func TestImportIsAdvancedByOneUpload(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	spec := importSpec()
	made, err := s.CreateImport(ctx, "leads", spec, false, start)
	require.NoError(t, err)
	require.Equal(t, audience.ImportRunning, made.State)
	require.Equal(t, spec, made.Spec())

	step := audience.ImportStep{
		To:       audience.ImportMark{Line: 3, Offset: 70, Digest: []byte("digest")},
		Counts:   audience.ImportCounts{Rows: 2, Accepted: 1, Rejected: 1, Created: 1},
		Problems: []audience.ImportProblem{{Line: 3, Column: "Email", Code: "bad_email", Message: "This is no e-mail address."}},
	}
	won := make([]error, 6) // uploads that run side by side: every row counts once
	var group errgroup.Group
	for i := range won {
		group.Go(func() error {
			won[i] = s.AdvanceImport(ctx, made.ID, step, start.Add(time.Minute))
			return nil
		})
	}
	require.NoError(t, group.Wait())
	first := 0
	for _, err := range won {
		if err == nil {
			first++
			continue
		}
		requireFault(t, err, fault.Conflict, "import_elsewhere")
	}
	require.Equal(t, 1, first)
	found, err := s.FindImport(ctx, made.ID)
	require.NoError(t, err)
	want := made
	want.ImportCounts = audience.ImportCounts{Rows: 2, Accepted: 1, Rejected: 1, Created: 1, Problems: 1}
	want.Lines, want.Bytes, want.SHA256, want.UpdatedAt = 3, 70, "646967657374", start.Add(time.Minute)
	require.Equal(t, want, found)

	done, err := s.FinishImport(ctx, made.ID, start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, audience.ImportDone, done.State)
	require.True(t, done.DoneAt.Equal(start.Add(time.Hour)))
	step.From = 70
	requireFault(t, s.AdvanceImport(ctx, made.ID, step, start), fault.Conflict, "import_elsewhere")
	_, err = s.FailImport(ctx, made.ID, nil, start)
	requireFault(t, err, fault.Conflict, "import_ended")
	for _, id := range []string{"x", "00000000-0000-0000-0000-000000000001"} {
		_, err = s.FindImport(ctx, id)
		requireFault(t, err, fault.NotFound, "import_not_found")
		_, err = s.ListImportProblems(ctx, id, "", 1)
		requireFault(t, err, fault.NotFound, "import_not_found")
	}
}

func TestImportProblemsAreKeptUpToALimit(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	spec := importSpec()
	made, err := s.CreateImport(ctx, "", spec, false, start)
	require.NoError(t, err)
	step := audience.ImportStep{Counts: audience.ImportCounts{Rows: 6_000, Rejected: 6_000}}
	for i := range 6_000 {
		step.Problems = append(step.Problems, audience.ImportProblem{Line: int64(i + 2), Code: "ragged_row", Message: "Ragged."})
	}
	for range 2 {
		step.To = audience.ImportMark{Offset: step.From + 10}
		require.NoError(t, s.AdvanceImport(ctx, made.ID, step, start))
		step.From += 10
	}
	found, err := s.FindImport(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, int64(12_000), found.Problems, "all are counted")
	kept := 0
	for cursor := ""; ; {
		page, err := s.ListImportProblems(ctx, made.ID, cursor, 1000)
		require.NoError(t, err)
		kept += len(page.Items)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Equal(t, 10_000, kept)

	failed, err := s.CreateImport(ctx, "", spec, true, start.Add(time.Second))
	require.NoError(t, err)
	failed, err = s.FailImport(ctx, failed.ID, []audience.ImportProblem{{Line: 1, Code: "no_header", Message: "No header."}}, start)
	require.NoError(t, err)
	require.Equal(t, []string{"failed", "No header."}, []string{failed.State, failed.Failure})
	page, err := s.ListImports(ctx, "", 1)
	require.NoError(t, err)
	require.Equal(t, failed.ID, page.Items[0].ID, "the newest first")
	page, err = s.ListImports(ctx, page.Next, 1)
	require.NoError(t, err)
	require.Equal(t, []string{made.ID, ""}, []string{page.Items[0].ID, page.Next})
}

// Since when somebody has been a contact moves back only, and the clock looks at the contact.
func TestImportMovesSinceBack(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	spec := importSpec()
	made, err := s.CreateImport(ctx, "", spec, false, start)
	require.NoError(t, err)
	id := newContact(t, s)
	before, err := s.FindContact(ctx, id)
	require.NoError(t, err)
	for i, since := range []time.Duration{-time.Hour, time.Hour, -30 * time.Minute} {
		require.NoError(t, s.AdvanceImport(ctx, made.ID, audience.ImportStep{
			From: int64(i), To: audience.ImportMark{Offset: int64(i + 1)}, Since: map[string]time.Time{id: before.CreatedAt.Add(since)},
		}, start.Add(time.Minute)))
	}
	after, err := s.FindContact(ctx, id)
	require.NoError(t, err)
	require.True(t, after.CreatedAt.Equal(before.CreatedAt.Add(-time.Hour)))
	var recheck time.Time
	require.NoError(t, conn.QueryRow(ctx, "SELECT recheck_at FROM contacts WHERE id = $1", id).Scan(&recheck))
	require.True(t, recheck.Equal(start.Add(time.Minute)))
}

func TestKnownPeople(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	_, err := s.Ingest(ctx, start, []audience.Incoming{
		{Source: "k", MessageID: "1", Type: audience.TypeIdentify, UserID: "u1", Email: "Ana@example.test", OccurredAt: start},
		{Source: "k", MessageID: "2", Type: audience.TypeIdentify, AnonymousID: "a1", OccurredAt: start},
	})
	require.NoError(t, err)
	known, err := s.KnownPeople(ctx, []audience.Incoming{
		{UserID: "u1"}, {Email: "ana@EXAMPLE.test"}, {UserID: "u2", Email: "ana@example.test"}, {Type: audience.TypeIdentify, UserID: "u2", AnonymousID: "a1"}, {UserID: "u3"}, {},
	})
	require.NoError(t, err)
	require.Equal(t, []bool{true, true, false, true, false, false}, known)
}

func TestExportPages(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	var events []audience.Incoming
	for i := range 5 {
		events = append(events, audience.Incoming{Source: "k", MessageID: fmt.Sprint(i), Type: audience.TypeIdentify, UserID: fmt.Sprint("u", i),
			Traits: map[string]any{fmt.Sprint("t", i%2): i}, OccurredAt: start})
	}
	accepted, err := s.Ingest(ctx, start, events)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "INSERT INTO segments (key, name, condition, revision, created_at, updated_at) VALUES ('s', 's', 'true', 1, $1, $1)", start)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "INSERT INTO segment_members (segment, contact_id, entered_at) VALUES ('s', $1, $2)", accepted[3].ContactID, start)
	require.NoError(t, err)
	seen := map[string]bool{}
	for after := ""; ; {
		page, err := s.ExportPage(ctx, "", after, 2)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			require.Greater(t, c.ID, after)
			after = c.ID
			seen[c.UserID] = true
		}
	}
	require.Len(t, seen, 5)
	page, err := s.ExportPage(ctx, "s", "", 10)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Equal(t, "u3", page[0].UserID)
	names, err := s.ExportTraits(ctx, "")
	require.NoError(t, err)
	require.Equal(t, []string{"t0", "t1"}, names)
	names, err = s.ExportTraits(ctx, "s")
	require.NoError(t, err)
	require.Equal(t, []string{"t1"}, names)
	_, err = s.ExportTraits(ctx, "nothing")
	requireFault(t, err, fault.NotFound, "segment_not_found")
}
