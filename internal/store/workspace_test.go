package store_test

import (
	"context"
	"encoding/json"
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
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	_, err := s.FindTemplate(ctx, "welcome")
	requireFault(t, err, fault.NotFound, "template_not_found")
	tpl := email.Template{Key: "welcome", Subject: "Hi", Body: email.Body{Intros: []string{"One"}, Table: &email.Table{Columns: []string{"a"}, Rows: [][]string{{"b"}}}}}
	v1, err := s.SaveTemplate(ctx, tpl, "h1", nil, start)
	require.NoError(t, err)
	require.Equal(t, email.TemplateVersion{Template: tpl, Version: 1, Hash: "h1"}, v1)
	again, err := s.SaveTemplate(ctx, tpl, "h1", nil, start)
	require.NoError(t, err)
	require.Equal(t, v1, again)
	tpl.Subject = "Hello"
	zero, one := 0, 1
	_, err = s.SaveTemplate(ctx, tpl, "h2", &zero, start)
	requireFault(t, err, fault.Conflict, "stale_version")
	v2, err := s.SaveTemplate(ctx, tpl, "h2", &one, start)
	require.NoError(t, err)
	require.Equal(t, 2, v2.Version)
	found, err := s.FindTemplate(ctx, "welcome")
	require.NoError(t, err)
	require.Equal(t, v2, found)
	for key, want := range map[string]bool{"welcome": true, "nothing": false} {
		there, err := s.TemplateExists(ctx, key)
		require.NoError(t, err)
		require.Equal(t, want, there)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for n := range 6 {
		group.Go(func() error {
			_, err := s.SaveTemplate(groupCtx, email.Template{Key: "at-once"}, fmt.Sprint(n), nil, start)
			return err
		})
	}
	require.NoError(t, group.Wait())
	page, err := s.ListTemplates(ctx, "", 1)
	require.NoError(t, err)
	require.Equal(t, []any{"at-once", 6, "at-once"}, []any{page.Items[0].Key, page.Items[0].Version, page.Next})
	page, err = s.ListTemplates(ctx, page.Next, 1)
	require.NoError(t, err)
	require.Equal(t, store.Page[email.TemplateVersion]{Items: []email.TemplateVersion{v2}}, page)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	_, err := s.FindKey(ctx, "tl_secret")
	requireFault(t, err, fault.Unauthorized, "unknown_key")
	_, err = s.UpsertKey(ctx, "app", "", nil, start)
	requireFault(t, err, fault.Invalid, "bad_key")
	made, err := s.UpsertKey(ctx, "app", "tl_secret", []string{"ingest"}, start)
	require.NoError(t, err)
	again, err := s.UpsertKey(ctx, "back end", "tl_secret", []string{"ingest", "read"}, start)
	require.NoError(t, err)
	require.Equal(t, store.APIKey{ID: made.ID, Name: "back end", Scopes: []string{"ingest", "read"}}, again)
	found, err := s.FindKey(ctx, "tl_secret")
	require.NoError(t, err)
	require.Equal(t, again, found)
	require.NoError(t, s.TouchKey(ctx, made.ID, start.Add(time.Hour)))
	var used time.Time
	require.NoError(t, conn.QueryRow(ctx, "SELECT last_used_at FROM api_keys").Scan(&used))
	require.True(t, used.Equal(start.Add(time.Hour)))
	require.NoError(t, s.TouchKey(ctx, made.ID, start.Add(time.Hour+59*time.Second)))
	require.NoError(t, conn.QueryRow(ctx, "SELECT last_used_at FROM api_keys").Scan(&used))
	require.True(t, used.Equal(start.Add(time.Hour)), "at most once a minute")
	for _, want := range []bool{true, false} {
		revoked, err := s.RevokeKey(ctx, made.ID, start)
		require.NoError(t, err)
		require.Equal(t, want, revoked, "a second time changes nothing")
	}
	for _, nobody := range []string{"no id", uuid.NewString()} {
		_, err = s.RevokeKey(ctx, nobody, start)
		requireFault(t, err, fault.NotFound, "key_not_found")
	}
	_, err = s.FindKey(ctx, "tl_secret")
	requireFault(t, err, fault.Unauthorized, "unknown_key")
	var kept string
	require.NoError(t, conn.QueryRow(ctx, "SELECT api_keys::text FROM api_keys").Scan(&kept))
	require.NotContains(t, kept, "tl_secret")
}

func TestKeysAreListed(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	first, err := s.CreateKey(ctx, "app", "tl_first", []string{"ingest"}, start)
	require.NoError(t, err)
	require.Equal(t, store.KeyRecord{ID: first.ID, Name: "app", Scopes: []string{"ingest"}, CreatedAt: start}, first)
	second, err := s.CreateKey(ctx, "boss", "tl_second", []string{"admin"}, start)
	require.NoError(t, err)
	require.NoError(t, s.TouchKey(ctx, first.ID, start))
	_, err = s.RevokeKey(ctx, first.ID, start.Add(time.Minute))
	require.NoError(t, err)
	page, err := s.ListKeys(ctx, "", 1)
	require.NoError(t, err)
	require.Equal(t, store.Page[store.KeyRecord]{Items: []store.KeyRecord{second}, Next: second.ID}, page, "the newest first")
	page, err = s.ListKeys(ctx, page.Next, 1)
	require.NoError(t, err)
	at, later := start, start.Add(time.Minute)
	first.LastUsedAt, first.RevokedAt = &at, &later
	require.Equal(t, store.Page[store.KeyRecord]{Items: []store.KeyRecord{first}}, page, "revoked ones too")
	_, err = s.ListKeys(ctx, "no id", 1)
	requireFault(t, err, fault.Invalid, "bad_cursor")
}

// Several admins revoke each other's keys at the same moment: one key stays, whoever is quicker.
func TestTheLastAdminKeyStays(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	const many = 8
	ids := make([]string, many)
	for i := range ids {
		key, err := s.CreateKey(t.Context(), "boss", fmt.Sprintf("tl_%d", i), []string{"admin"}, start)
		require.NoError(t, err)
		ids[i] = key.ID
	}
	other, err := s.CreateKey(t.Context(), "app", "tl_app", []string{"ingest"}, start)
	require.NoError(t, err)
	holder, err := conn.Begin(t.Context()) // all of them come to the keys before the first gets any
	require.NoError(t, err)
	_, err = holder.Exec(t.Context(), "SELECT FROM api_keys FOR UPDATE")
	require.NoError(t, err)
	refused := make(chan error, many)
	group, ctx := errgroup.WithContext(t.Context())
	for _, id := range ids {
		group.Go(func() error {
			_, err := s.RevokeKey(ctx, id, start)
			if fault.KindOf(err) == fault.Conflict {
				refused <- err
				return nil
			}
			return err
		})
	}
	require.Eventually(t, func() bool {
		var waiting int
		if _, err := conn.Exec(t.Context(), "SELECT pg_stat_clear_snapshot()"); err != nil { // or the transaction would see what it saw first
			return false
		}
		err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting)
		return err == nil && waiting == many
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, holder.Commit(t.Context()))
	require.NoError(t, group.Wait())
	require.Len(t, refused, 1)
	requireFault(t, <-refused, fault.Conflict, "last_admin_key")
	var valid int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM api_keys WHERE 'admin' = ANY(scopes) AND revoked_at IS NULL").Scan(&valid))
	require.Equal(t, 1, valid)
	revoked, err := s.RevokeKey(t.Context(), other.ID, start)
	require.NoError(t, err)
	require.True(t, revoked, "others may go")
}

func TestSecretIsMadeOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	values := make([][]byte, 6)
	group, ctx := errgroup.WithContext(t.Context())
	for i := range values {
		group.Go(func() error {
			var err error
			values[i], err = s.Secret(ctx, "unsubscribe", func() []byte { return []byte{byte(i), 1, 2} })
			return err
		})
	}
	require.NoError(t, group.Wait())
	for _, value := range values {
		require.Equal(t, values[0], value)
	}
	_, err := s.Secret(t.Context(), "other", func() []byte { return nil })
	require.Error(t, err)
}

func TestSuppressionAndConsent(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	id := newContact(t, s)
	requireFault(t, s.Suppress(t.Context(), " ", "x", start), fault.Invalid, "bad_address")
	require.NoError(t, s.Suppress(t.Context(), " Ana@Example.test", "bounce", start))
	require.NoError(t, s.Suppress(t.Context(), "ana@example.test", "complaint", start))
	consent := func() (granted bool) {
		inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
			reason, suppressed, err := tx.Suppressed(ctx, "ANA@example.test")
			require.NoError(t, err)
			require.Equal(t, []any{"bounce", true}, []any{reason, suppressed}, "the first reason stays")
			_, suppressed, err = tx.Suppressed(ctx, "bob@example.test")
			require.NoError(t, err)
			require.False(t, suppressed)
			reason, err = tx.ConsentRefusal(ctx, "")
			granted = reason == ""
			require.NoError(t, err)
		})
		return granted
	}
	require.True(t, consent(), "granted until withdrawn")
	require.NoError(t, s.SetConsent(t.Context(), id, store.TopicMarketing, false, "one-click", start))
	require.False(t, consent())
	require.NoError(t, s.SetConsent(t.Context(), id, "product", true, "form", start))
	require.False(t, consent(), "topics are apart")
	require.NoError(t, s.SetConsent(t.Context(), id, store.TopicMarketing, true, "form", start))
	require.True(t, consent())
}

// TestEveryTableHasAFixture writes a row into every table through the store's own methods: a table that nothing writes is a table that
// nothing tests.
func TestEveryTableHasAFixture(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	e := enrolled(t, s)
	message := queued(e, 2, email.Marketing)
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.InsertMessage(ctx, message))
		_, _, err := tx.CreateHandoff(ctx, handoffOf(e, 1))
		require.NoError(t, err)
		_, _, err = tx.AddScore(ctx, 1, "why", e.ID, "score", 1, start)
		require.NoError(t, err)
		_, _, err = tx.RecordDecision(ctx, journey.Decision{EnrollmentID: e.ID, ContactID: e.ContactID, Kind: "entered", Outcome: "entered", At: start})
		require.NoError(t, err)
	})
	require.NoError(t, s.Suppress(ctx, "ana@example.test", "bounce", start))
	take(t, s, start, report(message, "fixture", email.Delivered, ""))
	require.NoError(t, s.SetConsent(ctx, e.ContactID, store.TopicMarketing, false, "form", start))
	mail := tracked(t, s, e)
	require.NoError(t, s.RecordClick(ctx, mail.ID, person(0, start), start))
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.HoldSend(ctx, e.ID, "news", 1, email.Verdict{Reason: "capped", Until: start}))
	})
	require.NoError(t, s.SaveDeliverabilityCheck(ctx, start, json.RawMessage(`{}`)))
	_, err := s.SlowPace(ctx, "example.test", 100, 0, email.Delivery{Code: 421}, start)
	require.NoError(t, err)
	require.NoError(t, s.NoteWait(ctx, message.ID, "example.test", start))
	_, err = s.SaveMailDomain(ctx, "example.test", email.DomainTakesMail, start)
	require.NoError(t, err)
	_, err = s.SaveSendingPolicy(ctx, email.Policy{}, nil, start)
	require.NoError(t, err)
	_, err = s.SaveBrand(ctx, email.Brand{Name: "Acme"}, nil, start)
	require.NoError(t, err)
	_, err = s.SaveGlossary(ctx, audience.Glossary{}, nil, start)
	require.NoError(t, err)
	_, err = s.SaveTopic(ctx, audience.Topic{Key: "news", Name: "News"}, start)
	require.NoError(t, err)
	_, err = s.SaveSnippet(ctx, email.Snippet{Key: "foot", Text: "x"}, "h", nil, start)
	require.NoError(t, err)
	set, _, err := s.WantSubjects(ctx, "k", email.SubjectSource{Template: "welcome", TemplateVersion: 1}, start)
	require.NoError(t, err)
	set, err = s.ChangeSubjects(ctx, set.ID, start, func(email.SubjectSet) ([]email.SubjectLine, error) {
		return []email.SubjectLine{{Text: "Hi", State: email.LineApproved, Weight: 1}}, nil
	})
	require.NoError(t, err)
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.ChooseSubject(ctx, message.ID, set.ID, set.Lines[0].ID, "", start))
	})
	granted, err := s.ReserveUsage(ctx, email.SubjectBudget{Requests: 1, Tokens: 1}, 1, start)
	require.NoError(t, err)
	require.True(t, granted)
	_, err = s.SaveTemplate(ctx, email.Template{Key: "welcome"}, "h", nil, start)
	require.NoError(t, err)
	key, err := s.UpsertKey(ctx, "app", "tl_secret", nil, start)
	require.NoError(t, err)
	require.NoError(t, s.SaveSession(ctx, "token", key.ID, start, start.Add(time.Hour)))
	_, err = s.PauseJourney(ctx, "trial", "ana", start)
	require.NoError(t, err)
	_, err = s.Secret(ctx, "unsubscribe", func() []byte { return []byte("x") })
	require.NoError(t, err)

	p := compared(t, `{"mode":"thompson"}`)
	give(t, s, p, e.ContactID, journey.Assignment{Counted: true}, start)
	require.NoError(t, s.SaveLook(ctx, p.ID(), nil, &journey.Draw{Number: 1, At: start}, &journey.ExperimentWinner{Port: "0", Since: start}, start))
	_, err = s.CreateBroadcast(ctx, email.BroadcastPlan{Name: "March"}, "ana", start)
	require.NoError(t, err)

	rows, err := conn.Query(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	// Tables whose rows take more to make have tests of their own.
	elsewhere := []string{"imports", "import_problems", "import_addresses", "broadcast_recipients", "companies", "objects", "segments", "segment_members", "scoring_models", "merges", "erasures", "erased_addresses",
		"event_names", "event_properties", "trait_names", "trait_types", "object_types"}
	for _, name := range names {
		if slices.Contains(elsewhere, name) {
			continue
		}
		var there bool
		require.NoError(t, conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+pgx.Identifier{name}.Sanitize()+")").Scan(&there))
		require.True(t, there, "table %s has no row", name)
	}
}
