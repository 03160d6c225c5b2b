package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store"
)

func anonymous(id, name, message string) audience.Incoming {
	return audience.Incoming{Source: "test", MessageID: message, Type: audience.TypeTrack, Name: name, AnonymousID: id, OccurredAt: start}
}

// pair are two contacts with a history each: known, a user, and guest, who is anonymous.
func pair(t testing.TB, s *store.Store) (known, guest string) {
	t.Helper()
	known = ingest(t, s, start, identify("ana", "k1", map[string]any{"email": "ana@example.test", "plan": "pro"}))[0].ContactID
	ingest(t, s, start, track("ana", "Signed Up", "k2"))
	guest = ingest(t, s, start.Add(-time.Hour), anonymous("g", "Page", "g1"))[0].ContactID
	ingest(t, s, start.Add(time.Minute), anonymous("g", "Signed Up", "g2"), anonymous("g", "Page", "g3"))
	return known, guest
}

func merge(t testing.TB, s *store.Store, into, from string) {
	t.Helper()
	_, err := s.MergeContacts(t.Context(), start.Add(time.Hour), into, from)
	require.NoError(t, err)
}

// enrollAt puts a contact into a published journey.
func enrollAt(t testing.TB, s *store.Store, contactID, key, token string, at time.Time) journey.Enrollment {
	t.Helper()
	e, created, err := s.Enroll(t.Context(), contactID, key, token, at, always)
	require.NoError(t, err)
	require.True(t, created)
	return e
}

// namedBy lists the columns that still hold an id, of all tables.
func namedBy(t testing.TB, conn *pgx.Conn, id string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT table_name, column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND udt_name = 'uuid' ORDER BY 1, 2`)
	require.NoError(t, err)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Table, Column string }])
	require.NoError(t, err)
	require.Greater(t, len(columns), 15)
	var holding []string
	for _, c := range columns {
		var there bool
		query := fmt.Sprintf("SELECT EXISTS (SELECT 1 FROM %s WHERE %s = $1)", pgx.Identifier{c.Table}.Sanitize(), pgx.Identifier{c.Column}.Sanitize())
		require.NoError(t, conn.QueryRow(t.Context(), query, id).Scan(&there))
		if there {
			holding = append(holding, c.Table+"."+c.Column)
		}
	}
	return holding
}

// fill gives a contact a row in every table that can hold one.
func fill(t testing.TB, s *store.Store, conn *pgx.Conn, e journey.Enrollment) {
	t.Helper()
	message := queued(e, 1, email.Marketing)
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.InsertMessage(ctx, message))
		_, _, err := tx.CreateHandoff(ctx, handoffOf(e, 1))
		require.NoError(t, err)
		_, _, err = tx.AddScore(ctx, 4, "why", e.ID, "score", 1, start)
		require.NoError(t, err)
		_, _, err = tx.RecordDecision(ctx, journey.Decision{
			EnrollmentID: e.ID, ContactID: e.ContactID, StepID: "pause", Visit: 1, Kind: "wait_for", Outcome: "0", At: start,
			Detail: map[string]any{"seq": 2, "outcome": map[string]any{"port": "0", "seq": 2}},
		})
		require.NoError(t, err)
	})
	said := report(message, message.ID, email.Delivered, "")
	said.Raw = []byte("to zed@example.test")
	take(t, s, start, said, email.Report{Source: "test", Key: "foreign", Raw: said.Raw, Recipient: "zed@example.test", Status: email.Bounced, Bounce: email.Hard})
	require.NoError(t, s.SetConsent(t.Context(), e.ContactID, store.TopicMarketing, false, "form", start))
	_, err := conn.Exec(t.Context(), `INSERT INTO objects (type, id, contact_id, fields, created_at, updated_at) VALUES ('card', $1, $2, '{}', now(), now())`,
		uuid.NewString(), e.ContactID)
	require.NoError(t, err)
}

func TestMergeMovesEverything(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	var woken []string
	s.OnWake(func(id string) { woken = append(woken, id) })
	publish(t, s, "trial", "Nothing")
	known, guest := pair(t, s)
	e := enrollAt(t, s, guest, "trial", "", start)
	fill(t, s, conn, e)
	inContact(t, s, guest, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.UpdateContact(ctx, map[string]any{"plan": "free", "seen": true}, nil, start))
		require.NoError(t, tx.SetStage(ctx, sales.Stages()[2], "test", start))
	})
	before := namedBy(t, conn, guest)
	require.Contains(t, before, "objects.contact_id")
	require.NoError(t, s.SetConsent(t.Context(), known, store.TopicMarketing, true, "form", start.Add(time.Hour)))
	woken = nil

	merge(t, s, known, guest)
	require.Equal(t, []string{"merges.from_id"}, namedBy(t, conn, guest), "nothing belongs to the merged contact any more")
	require.Subset(t, namedBy(t, conn, known), before, "all of it belongs to the one that is left")
	require.Subset(t, woken, []string{known, guest})

	c, err := s.FindContact(t.Context(), guest)
	require.NoError(t, err)
	require.Equal(t, known, c.ID)
	require.Equal(t, map[string]any{"email": "ana@example.test", "plan": "pro", "seen": true}, c.Traits)
	require.Equal(t, []any{"ana", "ana@example.test", sales.Stages()[2], 4}, []any{c.UserID, c.Email, c.Stage, c.Score})
	require.True(t, c.CreatedAt.Equal(start.Add(-time.Hour)))
	byGuest, err := s.FindContactBy(t.Context(), store.KindAnonymousID, "g")
	require.NoError(t, err)
	require.Equal(t, known, byGuest.ID)

	inContact(t, s, guest, func(ctx context.Context, tx *store.ContactTx) {
		require.Equal(t, known, tx.Contact().ID)
		require.True(t, tx.Pending())
		reason, err := tx.ConsentRefusal(ctx, "")
		granted := reason == ""
		require.NoError(t, err)
		require.False(t, granted, "a withdrawal wins")
		d, err := tx.Decision(ctx, e.ID, "pause", 1, "wait_for")
		require.NoError(t, err)
		require.EqualValues(t, 4, d.Detail["seq"], "the journal speaks of events by their new numbers")
		require.EqualValues(t, 4, d.Detail["outcome"].(map[string]any)["seq"]) //nolint:forcetypeassert // a test
		_, _, err = tx.RecordDecision(ctx, journey.Decision{EnrollmentID: e.ID, StepID: "late", Visit: 1, Kind: "branch", Outcome: "0", At: start})
		require.NoError(t, err)
	})
	require.NoError(t, s.SetConsent(t.Context(), guest, store.TopicMarketing, true, "an old link", start), "an old link still leads to the contact")

	_, err = s.MergeContacts(t.Context(), start, known, known)
	requireFault(t, err, fault.Invalid, "same_contact")
}

// timelineOf reads all pages, a few entries at a time.
func timelineOf(t testing.TB, s *store.Store, id string) []store.TimelineEntry {
	t.Helper()
	var all []store.TimelineEntry
	for after := int64(0); ; {
		entries, next, err := s.Timeline(t.Context(), id, after, 2)
		require.NoError(t, err)
		all = append(all, entries...)
		if next == 0 {
			return all
		}
		after = next
	}
}

func TestMergeOnTheTimeline(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	third := ingest(t, s, start, anonymous("h", "First", "h1"))[0].ContactID
	known, guest := pair(t, s)
	ingest(t, s, start, anonymous("h", "Second", "h2"), track("ana", "Third", "k3"), anonymous("g", "Fourth", "g4"), anonymous("h", "Fifth", "h3"))
	merge(t, s, guest, third)
	ingest(t, s, start, anonymous("g", "Sixth", "g5"), track("ana", "Seventh", "k4"))
	merge(t, s, known, guest)
	ingest(t, s, start, anonymous("h", "Eighth", "h4"))
	var names []string
	for _, e := range timelineOf(t, s, third) {
		if e.Event != nil && e.Event.Name != "" {
			names = append(names, e.Event.Name)
		} else if e.Decision != nil {
			names = append(names, e.Decision.Kind)
		}
	}
	require.Equal(t, []string{
		"First", "Signed Up", "Page", "Signed Up", "Page", "Second", "Third", "Fourth", "Fifth", "merged", "Sixth", "Seventh", "merged", "Eighth",
	}, names)
}

// read is what a reader with a cursor sees.
func read(t testing.TB, s *store.Store, id string, after int64, names ...string) []string {
	t.Helper()
	var out []string
	inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
		events, err := tx.EventsAfter(ctx, after, names, 100)
		require.NoError(t, err)
		for _, e := range events {
			out = append(out, fmt.Sprintf("%d %s", e.Seq, e.MessageID))
		}
	})
	return out
}

// What the merged contact's journey had read starts nothing for the other; what it had not read does; and who came along with it goes on
// reading where it was.
func TestMergedEventsAreReadOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	known, guest := pair(t, s) // 2 and 3 events
	inContact(t, s, guest, func(ctx context.Context, tx *store.ContactTx) { require.NoError(t, tx.Park(ctx, nil, 2)) })
	merge(t, s, known, guest)
	names := []string{"Signed Up", "Page"}
	require.Equal(t, []string{"2 k2", "5 g3"}, read(t, s, known, 0, names...), "a cursor before the merge: g1 and g2 were read")
	require.Equal(t, []string{"5 g3"}, read(t, s, known, 2, names...))
	require.Equal(t, []string{"4 g2", "5 g3"}, read(t, s, known, 3, names...), "a cursor of who came along")
	require.Equal(t, []string{"2 g2", "3 g3"}, read(t, s, guest, 1, names...), "the merged contact's numbers, by its id")

	last := ingest(t, s, start, identify("zoe", "z1", nil))[0].ContactID
	merge(t, s, last, known)
	require.Equal(t, []string{"3 k2", "6 g3"}, read(t, s, last, 0, names...), "what guest's journey had read stays read")
	require.Equal(t, []string{"2 g2", "3 g3"}, read(t, s, guest, 1, names...), "through a chain, too")
}

func TestMergeIsDoneOnce(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	known, guest := pair(t, s)
	third := ingest(t, s, start, anonymous("h", "Page", "h1"))[0].ContactID
	merge(t, s, guest, third)
	merge(t, s, known, guest)
	group, ctx := errgroup.WithContext(t.Context())
	for range 4 {
		group.Go(func() error {
			_, err := s.MergeContacts(ctx, start, known, third)
			return err
		})
	}
	require.NoError(t, group.Wait())
	var n, events int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*), (SELECT last_seq FROM contacts WHERE id = $1) FROM merges WHERE into_id = $1", known).Scan(&n, &events))
	require.Equal(t, []int{2, 6}, []int{n, events})
	for _, id := range []string{guest, third} {
		c, err := s.FindContact(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, known, c.ID)
	}
	_, err := s.MergeContacts(t.Context(), start, known, uuid.NewString())
	requireFault(t, err, fault.NotFound, "contact_not_found")
}

// One of two enrollments in the same journey ends: the younger, unless sales works with it.
func TestMergeEndsOneOfTwoEnrollments(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		guestFirst, handoff, guestStays bool
	}{
		"the older is the user's":  {},
		"the older is the guest's": {guestFirst: true, guestStays: true},
		"sales has the younger":    {handoff: true, guestStays: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t)
			publish(t, s, "trial", "Nothing")
			publish(t, s, "other", "Nothing")
			known, guest := pair(t, s)
			at := map[string]time.Time{known: start, guest: start.Add(time.Second)}
			if tc.guestFirst {
				at[known], at[guest] = at[guest], at[known]
			}
			// The same key on both: a unique index must not stand in the way.
			users, guests := enrollAt(t, s, known, "trial", "order-17", at[known]), enrollAt(t, s, guest, "trial", "order-17", at[guest])
			alone := enrollAt(t, s, guest, "other", "", start)
			if tc.handoff {
				inContact(t, s, guest, func(ctx context.Context, tx *store.ContactTx) {
					_, _, err := tx.CreateHandoff(ctx, handoffOf(guests, 1))
					require.NoError(t, err)
				})
			}
			stays, ends := users, guests
			if tc.guestStays {
				stays, ends = guests, users
			}
			merge(t, s, known, guest)
			inContact(t, s, known, func(ctx context.Context, tx *store.ContactTx) {
				open, err := tx.OpenEnrollments(ctx)
				require.NoError(t, err)
				var ids []string
				for _, e := range open {
					ids = append(ids, e.ID)
				}
				require.ElementsMatch(t, []string{stays.ID, alone.ID}, ids)
				d, err := tx.Decision(ctx, ends.ID, "", 0, "cancelled")
				require.NoError(t, err)
				require.NotNil(t, d)
				require.Equal(t, "merged", d.Reason)
			})
		})
	}
}

// Signals that name a merged contact reach the one that is left; so does an identify that makes the merge.
func TestIngestMerges(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	known, guest := pair(t, s)
	joined := audience.Incoming{Source: "test", MessageID: "j", Type: audience.TypeIdentify, UserID: "ana", AnonymousID: "g", OccurredAt: start}
	require.Equal(t, known, ingest(t, s, start, joined)[0].ContactID)
	require.True(t, ingest(t, s, start, joined)[0].Duplicate)
	c, err := s.FindContact(t.Context(), guest)
	require.NoError(t, err)
	require.Equal(t, known, c.ID)
	signal := audience.Incoming{Source: "test", MessageID: "s", Type: audience.TypeSignal, Name: "Paid", ContactID: guest, OccurredAt: start}
	require.Equal(t, known, ingest(t, s, start, signal)[0].ContactID)
	signal.ContactID, signal.MessageID = uuid.NewString(), "s2"
	_, err = s.Ingest(t.Context(), start, []audience.Incoming{signal})
	requireFault(t, err, fault.NotFound, "contact_not_found")
}

// Merges, and events of both contacts, all at once: nothing is lost, and every event has its own number.
func TestMergeBesideIngestion(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	known, _ := pair(t, s)
	const guests, events = 8, 12
	group, ctx := errgroup.WithContext(t.Context())
	for g := range guests {
		id := fmt.Sprint("guest-", g)
		group.Go(func() error {
			for n := range events {
				if _, err := s.Ingest(ctx, start, []audience.Incoming{
					anonymous(id, "Page", fmt.Sprint(id, n)), track("ana", "Page", fmt.Sprint("ana", id, n)),
				}); err != nil {
					return err
				}
				if n != events/2 {
					continue
				}
				joined := audience.Incoming{Source: "test", MessageID: "join " + id, Type: audience.TypeIdentify, UserID: "ana", AnonymousID: id, OccurredAt: start}
				if _, err := s.Ingest(ctx, start, []audience.Incoming{joined}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	rows, err := conn.Query(t.Context(), "SELECT seq FROM events WHERE contact_id = $1 ORDER BY seq", known)
	require.NoError(t, err)
	seqs, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(t, err)
	require.Len(t, seqs, 2+guests*(2*events+1))
	require.True(t, slices.IsSorted(seqs))
	require.EqualValues(t, len(seqs), seqs[len(seqs)-1], "without a gap")
}

// A batch that waits for a contact's lock while the contact becomes another one finds the other.
func TestIngestWaitsForAMerge(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	known, guest := pair(t, s)
	ctx := t.Context()
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	defer tx.Rollback(ctx) //nolint:errcheck // committed below
	_, err = tx.Exec(ctx, "SELECT 1 FROM contacts FOR UPDATE")
	require.NoError(t, err)
	var accepted []audience.Accepted
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		accepted, err = s.Ingest(groupCtx, start, []audience.Incoming{anonymous("g", "Page", "late")})
		return err
	})
	require.Eventually(t, func() bool {
		var waits bool
		err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Scan(&waits)
		return err == nil && waits
	}, 10*time.Second, 10*time.Millisecond)
	// What a merge does to whom an identity leads to.
	_, err = tx.Exec(ctx, "UPDATE identities SET contact_id = $1 WHERE contact_id = $2", known, guest)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "DELETE FROM contacts WHERE id = $1", guest)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(ctx))
	require.NoError(t, group.Wait())
	require.Equal(t, known, accepted[0].ContactID)
}
