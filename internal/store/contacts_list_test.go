package store_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/dbsqlc"
	"throughline.dev/throughline/internal/store/storetest"
)

// listed walks through all pages of a list and gives the user ids.
func listed(t *testing.T, s *store.Store, filter audience.ContactFilter, limit int) []string {
	t.Helper()
	users := []string{}
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		require.Less(t, pages, 50)
		page, err := s.ListContacts(t.Context(), filter, cursor, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Items), limit)
		for _, c := range page.Items {
			users = append(users, c.UserID)
		}
		cursor = page.Next
	}
	return users
}

func TestContactsAreFoundByABeginning(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for i, traits := range []map[string]any{
		{"email": "Ana.Silva@example.test", "first_name": "Ana", "last_name": "Silva"},
		{"email": "info@anagram.test", "first_name": "Bo", "last_name": "Anders"},
		{"firstName": "Anabel", "lastName": "Meier"}, // as Segment writes names
		{"name": "Ana-Maria of Anhalt"},
		{"first_name": "Zoë", "last_name": "100%_x\\"},
		{"first_name": 7, "name": map[string]any{"a": 1}, "last_name": strings.Repeat("long ", 5000)},
		nil,
	} {
		ingest(t, s, start, identify(fmt.Sprintf("U%d", i), fmt.Sprintf("m%d", i), traits))
	}
	ingest(t, s, start, identify("ANALYST", "m-analyst", nil))
	// Whom several things find: each contact has one less of them.
	for user, traits := range map[string]map[string]any{
		"dora": {"email": "dora@example.test", "first_name": "Dora", "last_name": "Dora", "name": "Dora"},
		"eva":  {"first_name": "Eva", "last_name": "Eva", "name": "Eva"},
		"V1":   {"first_name": "Finn", "last_name": "Finn", "name": "Finn"},
		"V2":   {"first_name": "Ann", "last_name": "Gus", "name": "Gus"},
	} {
		ingest(t, s, start, identify(user, "twice-"+user, traits))
	}
	for beginning, want := range map[string][]string{
		"dora": {"dora"}, "eva": {"eva"}, "finn": {"V1"}, "gus": {"V2"},
		"ana":          {"U0", "ANALYST", "U2", "U3"}, // by address, by user id, by name; each once
		" ANA ":        {"U0", "ANALYST", "U2", "U3"},
		"ana silva":    {"U0"},
		"anabel mei":   {"U2"},
		"meier":        {"U2"},
		"and":          {"U1"},
		"info@an":      {"U1"},
		"u":            {"U0", "U1", "U2", "U3", "U4", "U5", "U6"},
		"zo":           {"U4"},
		"zoë":          {"U4"},
		"100%":         {"U4"}, // no pattern
		"%":            {},
		"_":            {},
		"100%_x\\":     {"U4"},
		"long long":    {"U5"},
		"nobody":       {},
		"silva ana":    {},
		highestOfAll(): {},
	} {
		for _, limit := range []int{1, 2, 100} {
			require.Equal(t, want, listed(t, s, audience.ContactFilter{Beginning: beginning}, limit), "%q by %d", beginning, limit)
		}
	}
}

func highestOfAll() string { return "\U0010FFFF" }

func TestContactsAreListedAndFiltered(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for i := range 6 {
		plan := map[string]any{"plan": []string{"trial", "paid"}[i%2], "first_name": "Kim"}
		ingest(t, s, start.Add(time.Duration(i)*time.Minute), identify(fmt.Sprintf("u%d", i), fmt.Sprintf("m%d", i), plan))
	}
	_, err := s.SaveSegment(t.Context(), "trial", "Trial", `contact.plan == "trial"`, nil, start)
	require.NoError(t, err)
	for done := false; !done; {
		done, err = s.Walk(t.Context(), start.Add(time.Hour), 100)
		require.NoError(t, err)
	}
	for _, user := range []string{"u1", "u2"} {
		c, err := s.FindContactBy(t.Context(), store.KindUserID, user)
		require.NoError(t, err)
		inContact(t, s, c.ID, func(ctx context.Context, tx *store.ContactTx) {
			require.NoError(t, tx.SetStage(ctx, "customer", "bought", start))
		})
	}
	for name, tc := range map[string]struct {
		filter audience.ContactFilter
		want   []string
	}{
		"all":                    {audience.ContactFilter{}, []string{"u5", "u4", "u3", "u2", "u1", "u0"}},
		"a stage":                {audience.ContactFilter{Stage: "customer"}, []string{"u2", "u1"}},
		"a segment":              {audience.ContactFilter{Segment: "trial"}, []string{"u4", "u2", "u0"}},
		"both":                   {audience.ContactFilter{Segment: "trial", Stage: "customer"}, []string{"u2"}},
		"both and a beginning":   {audience.ContactFilter{Segment: "trial", Stage: "customer", Beginning: "kim"}, []string{"u2"}},
		"a segment, a beginning": {audience.ContactFilter{Segment: "trial", Beginning: "u"}, []string{"u0", "u2", "u4"}},
		"no such segment":        {audience.ContactFilter{Segment: "nothing"}, []string{}},
		"no such stage":          {audience.ContactFilter{Stage: "nothing"}, []string{}},
	} {
		for _, limit := range []int{1, 100} {
			require.Equal(t, tc.want, listed(t, s, tc.filter, limit), "%s by %d", name, limit)
		}
	}
	for _, filter := range []audience.ContactFilter{{}, {Segment: "trial"}, {Beginning: "u"}} {
		_, err := s.ListContacts(t.Context(), filter, "x", 10)
		requireFault(t, err, fault.Invalid, "bad_cursor")
	}
}

// plans are what PostgreSQL does for the statements that people wait for, at their first and at any later time: a prepared statement may
// get a plan that knows no values.
func plans(t *testing.T, conn *pgx.Conn, query string, args ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	_, err := conn.Exec(t.Context(), "PREPARE asked AS "+query)
	require.NoError(t, err)
	defer func() {
		_, err := conn.Exec(t.Context(), "DEALLOCATE asked")
		require.NoError(t, err)
	}()
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		_, err := conn.Exec(t.Context(), "SET plan_cache_mode = "+mode)
		require.NoError(t, err)
		rows, err := conn.Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS) EXECUTE asked ('"+strings.Join(args, "', '")+"')", pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		out[mode] = strings.Join(lines, "\n")
	}
	return out
}

// CONTACTS=1000000 measures with as many contacts.
func TestListsOfContactsReadNoWholeTable(t *testing.T) {
	t.Parallel()
	contacts := 20_000
	if n, err := strconv.Atoi(os.Getenv("CONTACTS")); err == nil {
		contacts = n
	}
	_, conn := open(t)
	storetest.Populate(t, conn, contacts, contacts, start)
	for _, statement := range []string{
		`UPDATE contacts SET email = 'person' || right(user_id, -5) || '@example.test', email_key = 'person' || right(user_id, -5) || '@example.test',
			traits = traits || jsonb_build_object('first_name', 'First' || right(user_id, -5), 'last_name', 'Last' || right(user_id, -5)),
			stage = CASE WHEN user_id = 'user-77' THEN 'customer' ELSE stage END`,
		"VACUUM (FULL, ANALYZE) contacts",
	} {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	search := func(beginning string) []string {
		return []string{"0", "", beginning, beginning + "\U0010FFFF", "00000000-0000-0000-0000-000000000000", "", "", "51"}
	}
	before := "ffffffff-ffff-ffff-ffff-ffffffffffff"
	for name, tc := range map[string]struct {
		query string
		args  []string
	}{
		"few by address": {dbsqlc.SearchContacts, search("person123")},
		"one by name":    {dbsqlc.SearchContacts, search("last1234")},
		"everybody":      {dbsqlc.SearchContacts, search("us")},
		"nobody":         {dbsqlc.SearchContacts, search("zz")},
		"the newest":     {dbsqlc.ListNewestContacts, []string{before, "51"}},
		"a rare stage":   {dbsqlc.ListNewestOfStage, []string{"customer", before, "51"}},
	} {
		for mode, plan := range plans(t, conn, tc.query, tc.args...) {
			require.NotContains(t, plan, "Seq Scan on contacts", "%s, %s", name, mode)
			t.Logf("%s, %s: %s", name, mode, plan[strings.LastIndex(plan, "Execution"):])
			if testing.Verbose() && contacts > 20_000 {
				t.Log(plan)
			}
		}
	}
}

func TestMessagesAreFiltered(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	var ids []string
	for visit := range 4 {
		m := queued(e, visit+1, email.Marketing)
		if visit > 0 {
			m.State, m.Reason = email.Skipped, []string{email.ReasonNoAddress, email.ReasonUnsubscribed}[visit%2]
		}
		m.Template = []string{"a", "b"}[visit/2]
		insertMessage(t, s, m)
		ids = append(ids, m.ID)
	}
	for name, tc := range map[string]struct {
		filter email.MessageFilter
		want   []string
	}{
		"state":    {email.MessageFilter{State: email.Skipped}, []string{ids[3], ids[2], ids[1]}},
		"sent":     {email.MessageFilter{State: email.Sent}, nil},
		"reason":   {email.MessageFilter{Reason: email.ReasonUnsubscribed}, []string{ids[3], ids[1]}},
		"template": {email.MessageFilter{Template: "a"}, []string{ids[1], ids[0]}},
		"journey":  {email.MessageFilter{Journey: e.Journey}, []string{ids[3], ids[2], ids[1], ids[0]}},
		"all of it": {email.MessageFilter{ContactID: e.ContactID, Journey: e.Journey, Template: "a", State: email.Skipped,
			Reason: email.ReasonUnsubscribed}, []string{ids[1]}},
		"nothing": {email.MessageFilter{Journey: "' OR true --"}, nil},
	} {
		page, err := s.ListMessages(t.Context(), tc.filter, "", 10)
		require.NoError(t, err, name)
		var got []string
		for _, m := range page.Items {
			got = append(got, m.ID)
		}
		require.Equal(t, tc.want, got, name)
	}
}
