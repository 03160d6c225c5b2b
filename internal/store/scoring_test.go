package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

const scoringModel = `
personas: [{key: founder, when: 'contact.role == "founder"'}]
fit:
  rules:
    - {id: plan, when: 'contact.plan == "pro"', points: 30}
    - {id: founder, when: 'persona == "founder"', points: 20}
    - {id: seats, when: 'contact.seats > 5', points: 15}
    - {id: address, when: 'contact.email.endsWith("@example.test") || contact.timezone == "Europe/Berlin"', points: 1}
engagement:
  groups:
    - {key: product, cap: 40, half_life: 7d, rules: [{id: used, event: Used, points: 8}, {id: big, event: Used, when: event.n > 5, points: 7}]}
    - {key: site, cap: 15, rules: [{id: seen, event: Seen, points: 2}]}
    - {key: away, half_life: 30d, rules: [{id: jobs, event: Seen, when: 'event.page == "jobs"', points: -6}]}
labels: {fit: {A: 40, B: 20}, engagement: {1: 30, 2: 10}}
stages:
  lead: {total: 10}
  mql: {fit: 30, engagement: 20}
`

func publishModel(t testing.TB, s *store.Store, document string, now time.Time) sales.ModelVersion {
	t.Helper()
	def, problems := sales.Parse([]byte(document))
	require.False(t, fault.HasErrors(problems), "%+v", problems)
	stored, hash, err := def.Canonical()
	require.NoError(t, err)
	v, err := s.PublishModel(t.Context(), stored, hash, nil, now)
	require.NoError(t, err)
	return v
}

func explain(t require.TestingT, s *store.Store, id string, at *time.Time, now time.Time) sales.Explanation {
	e, err := s.ExplainScore(context.Background(), id, at, 5, now)
	require.NoError(t, err)
	return e
}

func TestPublishModel(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	_, err := s.LiveModel(ctx)
	requireFault(t, err, fault.NotFound, "no_scoring_model")
	_, err = s.FindModel(ctx, 1)
	requireFault(t, err, fault.NotFound, "version_not_found")
	revision := func() (n int) {
		require.NoError(t, conn.QueryRow(ctx, "SELECT revision FROM rules").Scan(&n))
		return n
	}
	before := revision()
	first := publishModel(t, s, scoringModel, start)
	require.Equal(t, []int{1, before + 1}, []int{first.Number, revision()})
	require.Equal(t, first, publishModel(t, s, scoringModel, start.Add(time.Hour)), "what counts already")
	require.Equal(t, before+1, revision(), "nobody has to look again")
	second := publishModel(t, s, "fit: {rules: [{id: a, when: contact.a, points: 1}]}", start.Add(time.Hour))
	third := publishModel(t, s, scoringModel, start.Add(2*time.Hour))
	require.Equal(t, []any{2, 3, first.Hash}, []any{second.Number, third.Number, third.Hash}, "one that came back is a version of its own")
	stale := 2
	_, err = s.PublishModel(ctx, second.Document, second.Hash, &stale, start)
	requireFault(t, err, fault.Conflict, "stale_version")
	live, err := s.LiveModel(ctx)
	require.NoError(t, err)
	require.Equal(t, third, live)
	found, err := s.FindModel(ctx, 2)
	require.NoError(t, err)
	require.Equal(t, second, found)
	page, err := s.ListModels(ctx, "", 2)
	require.NoError(t, err)
	require.Equal(t, []sales.ModelVersion{third, second}, page.Items)
	page, err = s.ListModels(ctx, page.Next, 2)
	require.NoError(t, err)
	require.Equal(t, store.Page[sales.ModelVersion]{Items: []sales.ModelVersion{first}}, page)
	_, err = s.ListModels(ctx, "x", 2)
	requireFault(t, err, fault.Invalid, "bad_cursor")
}

// Those who publish at once take turns: no version twice, and no version lost.
func TestPublishModelsAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	group, ctx := errgroup.WithContext(t.Context())
	for n := range 6 {
		group.Go(func() error {
			_, err := s.PublishModel(ctx, []byte(fmt.Sprintf(`{"name":"%d"}`, n)), fmt.Sprint(n), nil, start)
			return err
		})
	}
	require.NoError(t, group.Wait())
	live, err := s.LiveModel(t.Context())
	require.NoError(t, err)
	require.Equal(t, 6, live.Number)
}

type snapshot struct {
	id    string
	at    time.Time
	score audience.Score
	fit   []sales.FitOrigin
}

// TestScoreIsAFold sends events of random times and traits, in random batches. At every step what is kept with the contact is worth what the
// journal says; and in the end the journal still tells, for each step, what it had been then. Another model, and the walk that it starts,
// makes the same of the journal as if it had always counted.
func TestScoreIsAFold(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	publishModel(t, s, scoringModel, start.Add(-365*24*time.Hour))
	model := compiled(t, scoringModel, 1)
	rapid.Check(t, func(r *rapid.T) {
		run, now := uuid.NewString(), start
		var seen []snapshot
		ids := map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(r, "batches") {
			now = now.Add(time.Duration(rapid.IntRange(1, 20*24*60).Draw(r, "minutes")) * time.Minute)
			accepted, err := s.Ingest(t.Context(), now, drawBatch(r, run, now))
			require.NoError(r, err)
			for _, a := range accepted {
				ids[a.ContactID] = true
			}
			for id := range ids {
				e := explain(r, s, id, nil, now)
				require.Equal(r, worthKept(r, conn, model, id, now), e.Score)
				require.Empty(r, e.Approximate)
				seen = append(seen, snapshot{id, now, e.Score, e.Fit})
			}
		}
		later := now.Add(time.Duration(rapid.IntRange(0, 40*24).Draw(r, "hours later")) * time.Hour)
		for _, was := range seen {
			e := explain(r, s, was.id, &was.at, later)
			require.Equal(r, was.score, e.Score, "as it was at %s", was.at)
			require.Equal(r, was.fit, e.Fit)
			history, err := s.ScoreHistory(t.Context(), was.id, []time.Time{was.at})
			require.NoError(r, err)
			require.Equal(r, []audience.Score{was.score}, []audience.Score{history[0].Score}, "and so says the history")
		}
		for id := range ids { // kept by another model, or by none
			_, err := conn.Exec(t.Context(), `UPDATE contacts SET score_state = score_state - 'model' - 'engagement' WHERE id = $1`, id)
			require.NoError(r, err)
			require.NoError(r, s.Refresh(t.Context(), later, []uuid.UUID{uuid.MustParse(id)}))
			require.Equal(r, worthKept(r, conn, model, id, later), explain(r, s, id, nil, later).Score, "folded anew")
		}
	})
}

func compiled(t testing.TB, document string, version int) *sales.Model {
	t.Helper()
	def, _ := sales.Parse([]byte(document))
	m, err := sales.Compile(def, version)
	require.NoError(t, err)
	return m
}

func drawBatch(r *rapid.T, run string, now time.Time) []audience.Incoming {
	batch := make([]audience.Incoming, rapid.IntRange(1, 12).Draw(r, "events"))
	for i := range batch {
		user, message := run+rapid.SampledFrom([]string{"a", "b"}).Draw(r, "user"), uuid.NewString()
		switch rapid.IntRange(0, 3).Draw(r, "kind") {
		case 0:
			batch[i] = identify(user, message, rapid.MapOfN(rapid.SampledFrom([]string{"plan", "role", "seats"}),
				rapid.SampledFrom([]any{nil, "pro", "free", "founder", 3.0, 9.0}), 0, 3).Draw(r, "traits"))
			if rapid.Bool().Draw(r, "with columns") {
				batch[i].Traits["email"] = rapid.SampledFrom([]any{nil, user + "@example.test", user + "@example.org"}).Draw(r, "email")
				batch[i].Traits["timezone"] = rapid.SampledFrom([]any{nil, "Europe/Berlin", "Asia/Tokyo"}).Draw(r, "timezone")
			}
		default:
			batch[i] = track(user, rapid.SampledFrom([]string{"Used", "Seen", "Other"}).Draw(r, "name"), message)
			batch[i].Properties = map[string]any{
				"n": rapid.SampledFrom([]any{1.0, 9.0, "many"}).Draw(r, "n"), "page": rapid.SampledFrom([]any{"jobs", "start"}).Draw(r, "page"),
			}
		}
		batch[i].OccurredAt = now.Add(-time.Duration(rapid.Int64Range(0, int64(60*24*time.Hour)).Draw(r, "age")))
	}
	return batch
}

// worthKept is what is kept with a contact, as ingestion has left it.
func worthKept(r require.TestingT, conn *pgx.Conn, model *sales.Model, id string, at time.Time) audience.Score {
	var raw []byte
	var state sales.ScoreState
	require.NoError(r, conn.QueryRow(context.Background(), "SELECT score_state FROM contacts WHERE id = $1", id).Scan(&raw))
	require.NoError(r, json.Unmarshal(raw, &state))
	return model.Worth(state, at)
}

// Points that journeys give count beside what was earned, reach stages, and are explained.
func TestGivenPoints(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	publishModel(t, s, scoringModel, start)
	e := enrolled(t, s)
	ingest(t, s, start, audience.Incoming{Source: "test", MessageID: "i", Type: audience.TypeIdentify, ContactID: e.ContactID, OccurredAt: start,
		Traits: map[string]any{"plan": "pro"}})
	walk(t, s, start, 100)
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.Equal(t, "lead", tx.Contact().Stage)
		after, added, err := tx.AddScore(ctx, 25, "asked for a call", e.ID, "call", 1, start)
		require.NoError(t, err)
		require.Equal(t, []any{55, true}, []any{after, added})
		require.Equal(t, []any{"mql", 55}, []any{tx.Contact().Stage, tx.Contact().Score}, "a threshold that given points cross")
		after, added, err = tx.AddScore(ctx, 25, "asked for a call", e.ID, "call", 1, start)
		require.NoError(t, err)
		require.Equal(t, []any{55, false}, []any{after, added})
	})
	got := explain(t, s, e.ContactID, nil, start.Add(500*24*time.Hour))
	require.Equal(t, audience.Score{Total: 55, Fit: 30, Engagement: 25, Label: "B2"}, got.Score)
	require.Equal(t, 25, got.Given)
	require.Equal(t, "asked for a call", got.GivenBy[0].Reason)
	publishModel(t, s, scoringModel+"name: other\n", start.Add(time.Hour))
	walk(t, s, start.Add(time.Hour), 100)
	again := explain(t, s, e.ContactID, nil, start.Add(time.Hour))
	require.Equal(t, []any{2, 55}, []any{again.ModelVersion, again.Score.Total}, "a new model keeps them")
	contact, err := s.FindContact(t.Context(), e.ContactID)
	require.NoError(t, err)
	require.Equal(t, 55, contact.Score)
}

// A model that is published over a journal makes of it what it would have made had it always counted; and the preview says so before.
func TestPreviewIsWhatPublishingDoes(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	var batch []audience.Incoming
	for user := range 130 {
		for n := range user % 7 {
			e := track(fmt.Sprint(user), "Used", fmt.Sprint(user, "-", n))
			e.Properties = map[string]any{"n": float64(user % 13)}
			batch = append(batch, e)
		}
		batch = append(batch, identify(fmt.Sprint(user), fmt.Sprint("i", user), map[string]any{"plan": []any{"pro", "free"}[user%2], "seats": float64(user % 10)}))
	}
	ingest(t, s, start, batch...)
	now := start.Add(time.Hour)
	def, _ := sales.Parse([]byte(scoringModel))
	candidate, err := sales.Compile(def, 0)
	require.NoError(t, err)
	impact, err := s.PreviewModel(t.Context(), candidate, 3, now)
	require.NoError(t, err)
	require.Equal(t, 130, impact.Contacts)
	count := func(query string, args ...any) (n int) {
		require.NoError(t, conn.QueryRow(t.Context(), query, args...).Scan(&n))
		return n
	}
	require.Zero(t, count("SELECT count(*) FROM contacts WHERE stage <> 'subscriber' OR score <> 0"), "a preview changes nothing")
	require.Equal(t, []sales.LabelCount{{Contacts: 130}}, impact.Before.Labels)

	publishModel(t, s, scoringModel, now)
	walk(t, s, now, 100)
	for _, line := range impact.Stages[:2] {
		require.Positive(t, line.Joins)
		require.Zero(t, line.Leaves)
		require.LessOrEqual(t, len(line.Joining), 3)
	}
	require.Equal(t, count("SELECT count(*) FROM contacts WHERE stage = 'mql'"), impact.Stages[1].Joins)
	require.Equal(t, count("SELECT count(*) FROM contacts WHERE stage <> 'subscriber'"), impact.Moves)
	for _, bucket := range impact.After.Totals {
		require.Equal(t, count("SELECT count(*) FROM contacts WHERE score >= $1 AND score < $1 + 10", bucket.From), bucket.Contacts)
	}
	same, err := s.PreviewModel(t.Context(), candidate, 3, now)
	require.NoError(t, err)
	require.Equal(t, same.Before, same.After, "the model that counts changes nothing")
	require.Zero(t, same.Moves)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.PreviewModel(gone, candidate, 3, now)
	requireFault(t, err, fault.Unavailable, "preview_too_slow")
}

// Company and object facts are known as they are now: an explanation of the past says where that may differ.
func TestExplainSaysWhatIsApproximate(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	publishModel(t, s, "fit: {rules: [{id: size, when: company.employees > 5, points: 10}, {id: mrr, when: 'object(\"subscription\").mrr > 5', points: 7}]}", start)
	group := func(message string, employees float64) audience.Incoming {
		return audience.Incoming{Source: "test", MessageID: message, Type: audience.TypeGroup, UserID: "ana", GroupID: "acme",
			GroupTraits: map[string]any{"employees": employees}, OccurredAt: start}
	}
	id := ingest(t, s, start, group("g1", 3))[0].ContactID
	walk(t, s, start, 100)
	first := explain(t, s, id, &start, start)
	require.Empty(t, first.Approximate)
	require.Zero(t, first.Score.Fit)
	ingest(t, s, start.Add(time.Hour), group("g2", 30))
	then := explain(t, s, id, &start, start.Add(time.Hour))
	require.Equal(t, []string{"company"}, then.Approximate)
	now := explain(t, s, id, nil, start.Add(time.Hour))
	require.Empty(t, now.Approximate)
	require.Equal(t, 10, now.Score.Fit)
}

func TestMoveStage(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	publishModel(t, s, scoringModel, start)
	walk(t, s, start, 100)
	used := func(message string, at time.Time) audience.Incoming {
		e := track("ana", "Used", message)
		e.OccurredAt, e.Properties = at, map[string]any{"n": 9.0}
		return e
	}
	id := ingest(t, s, start, identify("ana", "i", map[string]any{"plan": "pro"}), used("1", start), used("2", start))[0].ContactID
	stage := func() string {
		c, err := s.FindContact(t.Context(), id)
		require.NoError(t, err)
		return c.Stage
	}
	require.Equal(t, "mql", stage())
	_, err := s.MoveStage(t.Context(), id, "friend", "x", start)
	requireFault(t, err, fault.Invalid, "invalid")
	_, err = s.MoveStage(t.Context(), id, "lead", " ", start)
	f, _ := fault.As(err)
	require.Equal(t, []any{"/reason", "reason_required"}, []any{f.Problems[0].Path, f.Problems[0].Code})
	moved, err := s.MoveStage(t.Context(), id, "lead", "no budget", start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, "lead", moved.Stage)

	ingest(t, s, start.Add(2*time.Hour), used("3", start.Add(2*time.Hour)))
	require.Equal(t, "lead", stage(), "its score is where it was")
	publishModel(t, s, scoringModel+"name: other\n", start.Add(3*time.Hour))
	walk(t, s, start.Add(3*time.Hour), 100)
	require.Equal(t, "lead", stage(), "a new model does not undo what a person said")
	later := start.Add(40 * 24 * time.Hour) // by now it has faded below the threshold
	ingest(t, s, later, used("4", later), used("5", later))
	require.Equal(t, "mql", stage(), "it has been below, and is there again")

	clocks, err := s.StageClocks(t.Context(), id, later.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, []any{true, 2, int64(3600 + 3600)}, []any{clocks[2].Current, clocks[2].Times, clocks[2].Seconds})
	require.Equal(t, start.Add(time.Hour), *clocks[2].LeftAt)
	require.Equal(t, []any{1, int64(40*24*3600 - 3600)}, []any{clocks[1].Times, clocks[1].Seconds})
	_, err = s.StageClocks(t.Context(), uuid.NewString(), start)
	requireFault(t, err, fault.NotFound, "contact_not_found")
	_, err = s.ExplainScore(t.Context(), "nobody", nil, 1, start)
	requireFault(t, err, fault.NotFound, "contact_not_found")
}

// What has cost points and fades lets a stage be reached by time alone, on time.
func TestStageReachedByTimeAlone(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	publishModel(t, s, scoringModel, start)
	walk(t, s, start, 100)
	jobs := track("ana", "Seen", "s")
	jobs.Properties = map[string]any{"page": "jobs"}
	given := identify("ana", "i", map[string]any{"seats": 9.0}) // fit 15, then 2 - 6: 11 points, lead; 3 more such pages: -1
	batch := []audience.Incoming{given}
	for n := range 3 {
		jobs.MessageID = fmt.Sprint(n)
		batch = append(batch, jobs)
	}
	id := ingest(t, s, start, batch...)[0].ContactID
	stage := func(now time.Time) string {
		refreshDue(t, s, now)
		c, err := s.FindContact(t.Context(), id)
		require.NoError(t, err)
		return c.Stage
	}
	// 15 + 6 - 18·2^(-t/30d) >= 10 - 0.5 when t >= 30d·log2(18/11.5)
	reaches := start.Add(time.Duration(0.64638 * 30 * 24 * float64(time.Hour)))
	require.Equal(t, "subscriber", stage(start))
	require.Equal(t, "subscriber", stage(reaches.Add(-time.Minute)))
	require.Equal(t, "lead", stage(reaches.Add(time.Minute)))
}
