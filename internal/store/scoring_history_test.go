package store_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// Over two models, changes of traits, points given and what fades: at every point the history says what an explanation of it says.
func TestScoreHistory(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	id := ingest(t, s, start, track("u", "Used", "first"))[0].ContactID
	publishModel(t, s, scoringModel, day(2))
	for n := 1; n < 20; n++ {
		e := track("u", []string{"Used", "Seen"}[n%2], fmt.Sprint("m", n))
		e.OccurredAt, e.Properties = day(n), map[string]any{"n": float64(n), "page": "jobs"}
		said := identify("u", fmt.Sprint("i", n), map[string]any{"plan": []any{"pro", "free"}[n/5%2], "seats": float64(n)})
		said.OccurredAt = day(n)
		ingest(t, s, day(n), e, said)
	}
	publishModel(t, s, "engagement: {groups: [{key: all, half_life: 3d, rules: [{id: any, event: Seen, points: 9}]}]}", day(10))
	var moments []time.Time
	for n := -5; n < 25; n++ {
		moments = append(moments, day(n).Add(time.Hour))
	}
	history, err := s.ScoreHistory(t.Context(), id, moments)
	require.NoError(t, err)
	require.Len(t, history, 25, "from when the contact was known")
	models, scores := map[int]bool{}, map[int]bool{}
	for _, point := range history {
		e := explain(t, s, id, &point.At, day(30))
		require.Equal(t, e.Score, point.Score, "at %s", point.At)
		require.Equal(t, e.ModelVersion, point.ModelVersion)
		models[point.ModelVersion], scores[point.Score.Total] = true, true
	}
	require.Len(t, models, 3, "none, the first, the second")
	require.Greater(t, len(scores), 12)

	nothing, err := s.ScoreHistory(t.Context(), id, moments[:2])
	require.NoError(t, err)
	require.Empty(t, nothing)
	_, err = s.ScoreHistory(t.Context(), uuid.NewString(), moments)
	requireFault(t, err, fault.NotFound, "contact_not_found")
}

// How a journal begins: the earliest of what came first, and not what Throughline has noted itself.
func TestFirstEvents(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	late := track("u", "Late", "1")
	late.OccurredAt = start.Add(-time.Minute)
	early := track("u", "Early", "2")
	early.OccurredAt, early.Context = start.Add(-time.Hour), map[string]any{"campaign": map[string]any{"source": "letter"}}
	id := ingest(t, s, start, late, early)[0].ContactID
	for n := range 30 {
		ingest(t, s, start, track("u", "Then", fmt.Sprint("t", n)))
	}
	first, err := s.FirstEvents(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, first, 20)
	require.Equal(t, []string{"Early", "Late"}, []string{first[0].Name, first[1].Name})
	require.Equal(t, early.Context, first[0].Context)
	require.Equal(t, audience.TypeTrack, first[0].Type)
}

// What the line and the score over time cost for a contact with 100,000 events.
func TestBenchContactPage(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("measures; make bench sets BENCH")
	}
	s, conn := open(t)
	publishModel(t, s, scoringModel, start)
	id := ingest(t, s, start, track("u", "Used", "first"))[0].ContactID
	const events = 100_000
	_, err := conn.Exec(t.Context(), `INSERT INTO events (id, contact_id, seq, source, message_id, type, name, properties, occurred_at, received_at)
		SELECT gen_random_uuid(), $1, 1 + n, 'bench', 'm' || n, CASE WHEN n % 5 = 0 THEN 'identify' ELSE 'track' END, CASE WHEN n % 5 = 0 THEN '' ELSE (ARRAY['Used', 'Seen', 'Other', 'Another'])[n % 5] END,
			jsonb_build_object('n', n % 9, 'seats', n % 9, 'plan', 'pro'), $2::timestamptz + n * interval '1 minute', $2::timestamptz + n * interval '1 minute' FROM generate_series(1, $3::integer) n`, id, start, events)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "VACUUM ANALYZE")
	require.NoError(t, err)
	moments := make([]time.Time, 91)
	for i := range moments {
		moments[i] = start.Add(time.Duration(i) * events * time.Minute / 90)
	}
	for name, read := range map[string]func() error{
		"the first events":                 func() error { _, err := s.FirstEvents(t.Context(), id); return err },
		"the score at 91 moments":          func() error { _, err := s.ScoreHistory(t.Context(), id, moments); return err },
		"the score at one, with its terms": func() error { _, err := s.ExplainScore(t.Context(), id, &moments[45], 200, start); return err },
		"when it was in which stage":       func() error { _, err := s.StageClocks(t.Context(), id, start); return err },
		"the first page of its timeline":   func() error { _, _, err := s.Timeline(t.Context(), id, 0, 50); return err },
	} {
		require.NoError(t, read())
		begin := time.Now()
		for range 5 {
			require.NoError(t, read())
		}
		t.Logf("a contact with 100,000 events, %s: %d ms", name, time.Since(begin).Milliseconds()/5)
	}
}
