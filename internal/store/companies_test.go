package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func group(user, groupID, message string, traits map[string]any) audience.Incoming {
	return audience.Incoming{
		Source: "test", MessageID: message, Type: audience.TypeGroup, UserID: user, GroupID: groupID, GroupTraits: traits, OccurredAt: start,
	}
}

// recheckAt is when the clock job looks at a contact, and changedAt whether a company's members have to be told.
func recheckAt(t *testing.T, conn *pgx.Conn, contactID string) *time.Time {
	t.Helper()
	var at *time.Time
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT recheck_at FROM contacts WHERE id = $1", contactID).Scan(&at))
	return at
}

func changedAt(t *testing.T, conn *pgx.Conn, companyID string) *time.Time {
	t.Helper()
	var at *time.Time
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT changed_at FROM companies WHERE id = $1", companyID).Scan(&at))
	return at
}

func settle(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for _, sql := range []string{"UPDATE companies SET changed_at = NULL", "UPDATE contacts SET recheck_at = NULL"} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
}

func TestCompanies(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	_, err := s.FindCompanyByGroup(ctx, "acme")
	requireFault(t, err, fault.NotFound, "company_not_found")
	_, err = s.FindCompany(ctx, "no id")
	requireFault(t, err, fault.NotFound, "company_not_found")
	for _, bad := range []string{"", string(make([]byte, 1001))} {
		_, err = s.SaveCompany(ctx, bad, nil, false, start)
		requireFault(t, err, fault.Invalid, "bad_group_id")
	}
	member := ingest(t, s, start, group("u1", "acme", "g1", map[string]any{"name": "Acme", "seats": 3.0}))[0].ContactID
	acme, err := s.FindCompanyByGroup(ctx, "acme")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"name": "Acme", "seats": 3.0}, acme.Traits)
	require.Equal(t, map[string]any{"name": "Acme", "seats": 3.0, "id": "acme", "score": 0}, acme.Facts())
	settle(t, conn)

	later := start.Add(time.Hour)
	same, err := s.SaveCompany(ctx, "acme", map[string]any{"name": "Acme", "seats": 3}, false, later)
	require.NoError(t, err)
	require.Equal(t, acme, same)
	require.Nil(t, changedAt(t, conn, acme.ID), "nothing has changed: nobody is told")
	merged, err := s.SaveCompany(ctx, "acme", map[string]any{"plan": "pro", "seats": nil}, true, later)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"name": "Acme", "plan": "pro"}, merged.Traits)
	require.True(t, changedAt(t, conn, acme.ID).Equal(later))
	replaced, err := s.SaveCompany(ctx, "acme", map[string]any{"plan": "free"}, false, later)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"plan": "free"}, replaced.Traits)
	found, err := s.FindCompany(ctx, acme.ID)
	require.NoError(t, err)
	require.Equal(t, replaced, found)

	members, err := s.ListCompanyMembers(ctx, acme.ID, "", 10)
	require.NoError(t, err)
	require.Equal(t, []any{1, member}, []any{len(members.Items), members.Items[0].ID})
	_, err = s.ListCompanyMembers(ctx, uuid.NewString(), "", 10)
	requireFault(t, err, fault.NotFound, "company_not_found")
	_, err = s.ListCompanyMembers(ctx, acme.ID, "nonsense", 10)
	requireFault(t, err, fault.Invalid, "bad_cursor")

	_, err = s.SaveCompany(ctx, "globex", nil, true, later)
	require.NoError(t, err)
	page, err := s.ListCompanies(ctx, "", 1)
	require.NoError(t, err)
	require.Equal(t, "globex", page.Items[0].GroupID, "the newest first")
	page, err = s.ListCompanies(ctx, page.Next, 1)
	require.NoError(t, err)
	require.Equal(t, []any{"acme", ""}, []any{page.Items[0].GroupID, page.Next})
}

func TestDeletingACompanyLeavesItsMembers(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	member := ingest(t, s, start, group("u1", "acme", "g1", nil))[0].ContactID
	_, _, err := s.SaveObject(ctx, audience.ObjectWrite{Type: "subscription", ID: "s1", GroupID: "acme"}, start)
	require.NoError(t, err)
	settle(t, conn)
	require.NoError(t, s.DeleteCompany(ctx, "acme", start))
	requireFault(t, s.DeleteCompany(ctx, "acme", start), fault.NotFound, "company_not_found")
	require.True(t, recheckAt(t, conn, member).Equal(start))
	_, err = s.FindObject(ctx, "subscription", "s1")
	requireFault(t, err, fault.NotFound, "object_not_found")
	_, err = s.FindContact(ctx, member)
	require.NoError(t, err)
}

// Members who join, companies that are saved and companies that are deleted meet, and all of them end well.
func TestCompaniesUnderFire(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	work, ctx := errgroup.WithContext(t.Context())
	for n := range 4 {
		work.Go(func() error {
			for i := range 15 {
				batch := []audience.Incoming{
					group(fmt.Sprintf("u%d", i%3), "acme", fmt.Sprintf("a-%d-%d", n, i), map[string]any{"n": float64(i)}),
					group(fmt.Sprintf("v%d", i%3), "globex", fmt.Sprintf("g-%d-%d", n, i), nil),
				}
				if _, err := s.Ingest(ctx, start, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	work.Go(func() error {
		for i := range 15 {
			if _, err := s.SaveCompany(ctx, "acme", map[string]any{"i": float64(i)}, true, start); err != nil {
				return err
			}
			if _, _, err := s.SaveObject(ctx, audience.ObjectWrite{Type: "plan", ID: "p", GroupID: "acme", Fields: map[string]any{"i": float64(i)}}, start); err != nil &&
				fault.KindOf(err) != fault.Invalid {
				return err
			}
			if err := s.DeleteCompany(ctx, "acme", start); err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
		}
		return nil
	})
	require.NoError(t, work.Wait())
}

func TestObjects(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	ana := ingest(t, s, start, group("ana", "acme", "g1", nil))[0].ContactID
	bob := ingest(t, s, start, track("bob", "Signed Up", "t1"))[0].ContactID
	settle(t, conn)
	write := audience.ObjectWrite{Type: "subscription", ID: "s/1", UserID: "ana", Fields: map[string]any{"mrr": 10, "gone": nil}}
	made, created, err := s.SaveObject(ctx, write, start)
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, audience.Object{Type: "subscription", ID: "s/1", ContactID: ana, Fields: map[string]any{"mrr": 10.0}, CreatedAt: start, UpdatedAt: start}, made)
	require.True(t, recheckAt(t, conn, ana).Equal(start))
	settle(t, conn)

	later := start.Add(time.Hour)
	same, created, err := s.SaveObject(ctx, write, later)
	require.NoError(t, err)
	require.Equal(t, []any{made, false}, []any{same, created})
	require.Nil(t, recheckAt(t, conn, ana), "nothing has changed: nobody is looked at")

	patched, _, err := s.SaveObject(ctx, audience.ObjectWrite{Type: "subscription", ID: "s/1", Fields: map[string]any{"plan": "pro"}, Merge: true}, later)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"mrr": 10.0, "plan": "pro"}, patched.Fields)
	require.Equal(t, []any{ana, later}, []any{patched.ContactID, patched.UpdatedAt})
	settle(t, conn)

	moved, _, err := s.SaveObject(ctx, audience.ObjectWrite{Type: "subscription", ID: "s/1", ContactID: bob, Fields: patched.Fields}, later)
	require.NoError(t, err)
	require.Equal(t, bob, moved.ContactID)
	require.True(t, recheckAt(t, conn, ana).Equal(later), "who has lost it is looked at, too")
	require.True(t, recheckAt(t, conn, bob).Equal(later))

	company, err := s.FindCompanyByGroup(ctx, "acme")
	require.NoError(t, err)
	settle(t, conn)
	_, _, err = s.SaveObject(ctx, audience.ObjectWrite{Type: "workspace", ID: "w", GroupID: "acme"}, later)
	require.NoError(t, err)
	require.True(t, changedAt(t, conn, company.ID).Equal(later))

	for owner, ids := range map[audience.ObjectOwner][]string{{ContactID: ana}: {}, {ContactID: bob}: {"s/1"}, {CompanyID: company.ID}: {"w"}} {
		page, err := s.ListObjects(ctx, owner, "", "", 10)
		require.NoError(t, err)
		got := []string{}
		for _, o := range page.Items {
			got = append(got, o.ID)
		}
		require.Equal(t, ids, got)
	}
	settle(t, conn)
	require.NoError(t, s.DeleteObject(ctx, "subscription", "s/1", later))
	requireFault(t, s.DeleteObject(ctx, "subscription", "s/1", later), fault.NotFound, "object_not_found")
	require.True(t, recheckAt(t, conn, bob).Equal(later))
}

func TestObjectsPage(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ana := ingest(t, s, start, track("ana", "Signed Up", "t1"))[0].ContactID
	var want []string
	for _, kind := range []string{"a", "b"} {
		for _, id := range []string{"1", "2/2", "3"} {
			_, _, err := s.SaveObject(t.Context(), audience.ObjectWrite{Type: kind, ID: id, ContactID: ana}, start)
			require.NoError(t, err)
			want = append(want, kind+"/"+id)
		}
	}
	var got []string
	for cursor := ""; ; {
		page, err := s.ListObjects(t.Context(), audience.ObjectOwner{ContactID: ana}, "", cursor, 2)
		require.NoError(t, err)
		for _, o := range page.Items {
			got = append(got, o.Type+"/"+o.ID)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Equal(t, want, got)
	page, err := s.ListObjects(t.Context(), audience.ObjectOwner{ContactID: ana}, "b", "", 10)
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
}

func TestObjectsAreRefused(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	newContact(t, s)
	for _, c := range []struct {
		write audience.ObjectWrite
		code  string
	}{
		{audience.ObjectWrite{Type: "Sub", ID: "1", UserID: "x"}, "bad_object_type"},
		{audience.ObjectWrite{Type: "sub", ID: "", UserID: "x"}, "bad_object_id"},
		{audience.ObjectWrite{Type: "sub", ID: "1", UserID: "nobody"}, "unknown_contact"},
		{audience.ObjectWrite{Type: "sub", ID: "1", ContactID: uuid.NewString()}, "unknown_contact"},
		{audience.ObjectWrite{Type: "sub", ID: "1", GroupID: "nobody"}, "unknown_company"},
		{audience.ObjectWrite{Type: "sub", ID: "1"}, "no_owner"},
	} {
		_, _, err := s.SaveObject(ctx, c.write, start)
		requireFault(t, err, fault.Invalid, c.code)
	}
	_, err := s.SaveObjectType(ctx, audience.ObjectType{Type: "sub", Fields: map[string]audience.ValueType{"mrr": "list"}}, start)
	requireFault(t, err, fault.Invalid, "invalid")
	_, err = s.SaveObjectType(ctx, audience.ObjectType{Type: "sub", Fields: map[string]audience.ValueType{"mrr": audience.NumberValue}}, start)
	require.NoError(t, err)
	id := newContact(t, s)
	_, _, err = s.SaveObject(ctx, audience.ObjectWrite{Type: "sub", ID: "1", ContactID: id, Fields: map[string]any{"mrr": "10"}}, start)
	requireFault(t, err, fault.Invalid, "wrong_type")
	f, _ := fault.As(err)
	require.Equal(t, "/fields/mrr", f.Problems[0].Path)
	_, _, err = s.SaveObject(ctx, audience.ObjectWrite{Type: "sub", ID: "1", ContactID: id, Fields: map[string]any{"mrr": 10, "free": "form"}}, start)
	require.NoError(t, err)
	_, _, err = s.SaveObject(ctx, audience.ObjectWrite{Type: "sub", ID: "1", Fields: map[string]any{"mrr": true}, Merge: true}, start)
	requireFault(t, err, fault.Invalid, "wrong_type")
	types, err := s.ListObjectTypes(ctx, "", 10)
	require.NoError(t, err)
	require.Len(t, types.Items, 1)
}

// Many writers of one object and many owners that it moves between end with one object, and nobody waits in a circle.
func TestObjectsUnderFire(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	contacts := []string{newContact(t, s), newContact(t, s), newContact(t, s)}
	work, ctx := errgroup.WithContext(t.Context())
	for n := range 4 {
		work.Go(func() error {
			for i := range 20 {
				w := audience.ObjectWrite{Type: "sub", ID: "1", ContactID: contacts[(n+i)%3], Fields: map[string]any{"by": float64(n*100 + i)}}
				if _, _, err := s.SaveObject(ctx, w, start); err != nil {
					return err
				}
				err := s.InContact(ctx, contacts[i%3], func(context.Context, *store.ContactTx) error { return nil })
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, work.Wait())
	owners := 0
	for _, id := range contacts {
		page, err := s.ListObjects(t.Context(), audience.ObjectOwner{ContactID: id}, "", "", 10)
		require.NoError(t, err)
		owners += len(page.Items)
	}
	require.Equal(t, 1, owners)
}

// A company's and an object's change move contacts between segments: by the clock job, and nobody else is looked at.
func TestRecordsMoveContactsBetweenSegments(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	for key, condition := range map[string]string{
		"big":  `company.plan == "enterprise"`,
		"rich": `object("subscription").mrr > 100`,
	} {
		_, err := s.SaveSegment(ctx, key, key, condition, nil, start)
		require.NoError(t, err)
	}
	walk := func(now time.Time) {
		for done := false; !done; {
			var err error
			done, err = s.Walk(ctx, now, 100)
			require.NoError(t, err)
		}
	}
	walk(start)
	ana := ingest(t, s, start, group("ana", "acme", "g1", nil))[0].ContactID
	bob := ingest(t, s, start, track("bob", "Signed Up", "t1"))[0].ContactID
	segmentsOf := func(id string) []string {
		found, err := s.ContactSegments(ctx, id)
		require.NoError(t, err)
		keys := []string{}
		for _, m := range found {
			keys = append(keys, m.Key)
		}
		return keys
	}
	now := start
	turn := func() int {
		now = now.Add(time.Second)
		for next := "again"; next != ""; {
			var err error
			next, err = s.RefreshCompanies(ctx, now, "", 100)
			require.NoError(t, err)
		}
		judged, err := s.RefreshDue(ctx, now, 100)
		require.NoError(t, err)
		return judged
	}
	turn() // whoever is due after the group call
	save := func(w audience.ObjectWrite) {
		w.Type, w.ID = "subscription", "s1"
		_, _, err := s.SaveObject(ctx, w, now)
		require.NoError(t, err)
	}

	_, err := s.SaveCompany(ctx, "acme", map[string]any{"plan": "enterprise"}, true, now)
	require.NoError(t, err)
	require.Equal(t, 1, turn())
	require.Equal(t, []string{"big"}, segmentsOf(ana))
	save(audience.ObjectWrite{UserID: "bob", Fields: map[string]any{"mrr": 120}})
	require.Equal(t, 1, turn())
	require.Equal(t, []string{"rich"}, segmentsOf(bob))
	save(audience.ObjectWrite{GroupID: "acme", Fields: map[string]any{"mrr": 500}})
	require.Equal(t, 2, turn(), "who lost it and who sees it now")
	require.Empty(t, segmentsOf(bob))
	require.Equal(t, []string{"big", "rich"}, segmentsOf(ana))
	require.NoError(t, s.DeleteCompany(ctx, "acme", now))
	require.Equal(t, 1, turn())
	require.Empty(t, segmentsOf(ana))
	require.Zero(t, turn())
}

// A merge that moves an object while it is being changed: the change finds it where it is then.
func TestAnObjectIsChangedWhereItIs(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	ana, bob := newContact(t, s), newContact(t, s)
	_, _, err := s.SaveObject(ctx, audience.ObjectWrite{Type: "sub", ID: "1", ContactID: ana, Fields: map[string]any{"mrr": 1}}, start)
	require.NoError(t, err)
	settle(t, conn)
	merging, err := conn.Begin(ctx)
	require.NoError(t, err)
	_, err = merging.Exec(ctx, "SELECT FROM contacts WHERE id = $1 FOR NO KEY UPDATE", ana)
	require.NoError(t, err)
	changed := make(chan error, 1)
	go func() {
		_, _, err := s.SaveObject(ctx, audience.ObjectWrite{Type: "sub", ID: "1", Fields: map[string]any{"mrr": 2}, Merge: true}, start)
		changed <- err
	}()
	waitsForLock(t, merging)
	_, err = merging.Exec(ctx, "UPDATE objects SET contact_id = $1", bob)
	require.NoError(t, err)
	require.NoError(t, merging.Commit(ctx))
	require.NoError(t, <-changed)
	found, err := s.FindObject(ctx, "sub", "1")
	require.NoError(t, err)
	require.Equal(t, []any{bob, 2.0}, []any{found.ContactID, found.Fields["mrr"]})
	require.True(t, recheckAt(t, conn, bob).Equal(start))
	require.Nil(t, recheckAt(t, conn, ana))
}

// waitsForLock returns when somebody waits for a lock.
func waitsForLock(t *testing.T, tx pgx.Tx) {
	t.Helper()
	require.Eventually(t, func() bool {
		waiting := 0
		err := tx.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting)
		return err == nil && waiting == 1
	}, time.Minute, time.Millisecond)
}

// Who joins a company while it is being deleted is no member of it either, and is looked at again.
func TestJoiningACompanyThatIsBeingDeleted(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	ana := newContact(t, s)
	company, err := s.SaveCompany(ctx, "acme", nil, false, start)
	require.NoError(t, err)
	joining, err := conn.Begin(ctx)
	require.NoError(t, err)
	_, err = joining.Exec(ctx, "UPDATE contacts SET company_id = $1 WHERE id = $2", company.ID, ana)
	require.NoError(t, err)
	deleted := make(chan error, 1)
	go func() { deleted <- s.DeleteCompany(ctx, "acme", start) }()
	waitsForLock(t, joining)
	require.NoError(t, joining.Commit(ctx))
	require.NoError(t, <-deleted)
	require.True(t, recheckAt(t, conn, ana).Equal(start))
	_, err = s.FindCompanyByGroup(ctx, "acme")
	requireFault(t, err, fault.NotFound, "company_not_found")
}
