package api

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
)

func (p realPort) ListModels(ctx context.Context, cursor string, limit int) (Page[sales.ModelVersion], error) {
	page, err := p.Store.ListModels(ctx, cursor, limit)
	return Page[sales.ModelVersion](page), err
}

// memoryScoring is the port of a world without a scoring model; fail, when set, is what every call answers.
type memoryScoring struct{ m *memory }

func (s memoryScoring) none(what string) error {
	if s.m.fail != nil {
		return s.m.fail
	}
	return absent(what)
}

func (s memoryScoring) PublishModel(_ context.Context, document []byte, hash string, _ *int, now time.Time) (sales.ModelVersion, error) {
	return sales.ModelVersion{Number: 1, Hash: hash, Document: document, PublishedAt: now}, s.m.fail
}

func (s memoryScoring) LiveModel(context.Context) (sales.ModelVersion, error) {
	return sales.ModelVersion{}, s.none("scoring model")
}

func (s memoryScoring) FindModel(context.Context, int) (sales.ModelVersion, error) {
	return sales.ModelVersion{}, s.none("scoring model")
}

func (s memoryScoring) ListModels(context.Context, string, int) (Page[sales.ModelVersion], error) {
	return Page[sales.ModelVersion]{}, s.m.fail
}

func (s memoryScoring) PreviewModel(_ context.Context, candidate *sales.Model, listed int, _ time.Time) (sales.Impact, error) {
	return sales.NewImpactCounter(nil, candidate, listed).Impact(), s.m.fail
}

func (s memoryScoring) ExplainScore(context.Context, string, *time.Time, int, time.Time) (sales.Explanation, error) {
	return sales.Explanation{}, s.none("contact")
}

func (s memoryScoring) ScoreHistory(context.Context, string, []time.Time) ([]sales.HistoryPoint, error) {
	return nil, s.none("contact")
}

func (s memoryScoring) MoveStage(context.Context, string, string, string, time.Time) (audience.Contact, error) {
	return audience.Contact{}, s.none("contact")
}

func (s memoryScoring) StageClocks(context.Context, string, time.Time) ([]sales.StageClock, error) {
	return nil, s.none("contact")
}

func TestScoringOnTheRealStore(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	example, err := os.ReadFile("../examples/scoring.yaml")
	require.NoError(t, err)
	put := func(url, body string) call {
		c := admin(http.MethodPut, url, body)
		c.header = map[string]string{"Content-Type": "application/yaml"}
		return c
	}
	preview := put("/v1/scoring/preview", string(example))
	preview.method = http.MethodPost
	stricter := strings.Replace(string(example), "{labels: [A1, A2, B1]}", "{labels: [A1]}", 1)
	w.run(t, []row{
		{name: "none yet", call: admin("GET", "/v1/scoring", ""), status: 404},
		{name: "wrong", call: put("/v1/scoring", "fit: {rules: [{id: a, when: scor > 1}]}"), status: 422, contains: []string{"/fit/rules/0/when", "condition_unknown_name", "missing_field"}},
		{name: "wrong, dry", call: put("/v1/scoring?dry_run=true", "fit: {rules: [{id: a, when: scor > 1}]}"), status: 200, contains: []string{"condition_unknown_name"}},
		{name: "wrong, preview", call: func() call { c := preview; c.body = "fit: 5"; return c }(), status: 422, contains: []string{`"path":"/fit"`}},
		{name: "dry", call: put("/v1/scoring?dry_run=true", string(example)), status: 200, contains: []string{`"problems":[]`}, notContains: []string{`"version"`}},
		{name: "still none", call: admin("GET", "/v1/scoring", ""), status: 404},
		{name: "stale", call: put("/v1/scoring?expected_version=1", string(example)), status: 409, contains: []string{"stale_version"}},
		{name: "first", call: put("/v1/scoring?expected_version=0", string(example)), status: 200, contains: []string{`"version":1`}},
		{name: "again", call: put("/v1/scoring", string(example)), status: 200, contains: []string{`"version":1`}},
		{name: "second", call: put("/v1/scoring?expected_version=1", stricter), status: 200, contains: []string{`"version":2`}},
		{name: "back", call: put("/v1/scoring", string(example)), status: 200, contains: []string{`"version":3`}},
		{name: "live", call: admin("GET", "/v1/scoring", ""), status: 200, contains: []string{`"version":3`, "right_size"}},
		{name: "versions", call: admin("GET", "/v1/scoring/versions?limit=2", ""), status: 200, contains: []string{`"version":3`, `"version":2`, "next_cursor"}},
		{name: "one", call: admin("GET", "/v1/scoring/versions/2", ""), status: 200, contains: []string{`"version":2`}},
		{name: "no such", call: admin("GET", "/v1/scoring/versions/4", ""), status: 404},
		{name: "too far", call: put("/v1/scoring?expected_version=99999999999", string(example)), status: 422},
		{name: "nobody's score", call: admin("GET", "/v1/contacts/"+absentID+"/score", ""), status: 404},
		{name: "nobody's stages", call: admin("GET", "/v1/contacts/"+absentID+"/stages", ""), status: 404},
		{name: "nobody's stage", call: admin("PUT", "/v1/contacts/"+absentID+"/stage", `{"stage":"lead"}`), status: 404},
		{name: "group", call: admin("POST", "/v1/group", `{"userId":"u1","groupId":"acme","messageId":"g","traits":{"employees":40,"industry":"software"}}`), status: 200},
		{name: "identify", call: admin("POST", "/v1/identify", `{"userId":"u1","messageId":"i","traits":{"email":"ana@example.test","role":"founder"}}`), status: 200},
		{name: "demo", call: admin("POST", "/v1/track", `{"userId":"u1","event":"Demo Booked","messageId":"d"}`), status: 200},
	})
	found := decode[List[audience.Contact]](t, w, admin("GET", "/v1/contacts?user_id=u1", ""), 200)
	id := found.Data[0].ID
	require.Equal(t, "mql", found.Data[0].Stage)
	require.Equal(t, 130, found.Data[0].Score)

	score := decode[sales.Explanation](t, w, admin("GET", "/v1/contacts/"+id+"/score", ""), 200)
	require.Equal(t, audience.Score{Total: 130, Fit: 80, Engagement: 50, Label: "A1"}, score.Score)
	require.Equal(t, "mql", score.Reached)
	require.Len(t, score.Events, 1)
	require.Equal(t, "demo", score.Events[0].Rule)
	before := decode[sales.Explanation](t, w, admin("GET", "/v1/contacts/"+id+"/score?at="+testNow.Add(-time.Hour).Format(time.RFC3339), ""), 200)
	require.Zero(t, before.Score.Total)
	require.Zero(t, before.ModelVersion)
	impact := decode[sales.Impact](t, w, preview, 200)
	require.Equal(t, 1, impact.Contacts)
	preview.body = strings.Replace(string(example), "{id: demo, event: Demo Booked, points: 50}", "{id: demo, event: Demo Booked, points: 10}", 1)
	impact = decode[sales.Impact](t, w, preview, 200)
	require.Equal(t, id, impact.Stages[1].Leaving[0].ContactID)

	stage := func(body string) call { return admin("PUT", "/v1/contacts/"+id+"/stage", body) }
	w.run(t, []row{
		{name: "the future", call: admin("GET", "/v1/contacts/"+id+"/score?at="+testNow.Add(time.Hour).Format(time.RFC3339), ""), status: 422, contains: []string{"in_the_future"}},
		{name: "no time", call: admin("GET", "/v1/contacts/"+id+"/score?at=yesterday", ""), status: 422},
		{name: "unknown stage", call: stage(`{"stage":"friend"}`), status: 422, contains: []string{`"path":"/stage"`}},
		{name: "back without a reason", call: stage(`{"stage":"lead"}`), status: 422, contains: []string{`"path":"/reason"`, "reason_required"}},
		{name: "back with blanks", call: stage(`{"stage":"lead","reason":"  "}`), status: 422, contains: []string{"reason_required"}},
		{name: "back", call: stage(`{"stage":"lead","reason":"no budget"}`), status: 200, contains: []string{`"stage":"lead"`}},
		{name: "one more event", call: admin("POST", "/v1/track", `{"userId":"u1","event":"Project Created","messageId":"p"}`), status: 200},
		{name: "stays back", call: admin("GET", "/v1/contacts/"+id, ""), status: 200, contains: []string{`"stage":"lead"`}},
		{name: "forward", call: stage(`{"stage":"sql"}`), status: 200, contains: []string{`"stage":"sql"`}},
		{name: "the same", call: stage(`{"stage":"sql"}`), status: 200, contains: []string{`"stage":"sql"`}},
	})
	clocks := decode[StageClocks](t, w, admin("GET", "/v1/contacts/"+id+"/stages", ""), 200)
	require.Equal(t, "sql", clocks.Stage)
	require.Len(t, clocks.Clocks, 7)
	require.True(t, clocks.Clocks[3].Current)
	timeline := decode[List[TimelineEntry]](t, w, admin("GET", "/v1/contacts/"+id+"/timeline", ""), 200)
	var notes, reasons []string
	for _, e := range timeline.Data {
		if e.Event != nil && e.Event.Type == audience.TypeSystem {
			notes = append(notes, e.Event.Name)
		}
		if e.Decision != nil && e.Decision.Kind == "stage" {
			reasons = append(reasons, fmt.Sprint(e.Decision.Outcome, ": ", e.Decision.Reason))
		}
	}
	require.Equal(t, []string{"Stage Entered: mql", "Stage Entered: lead", "Stage Entered: sql"}, notes)
	require.Contains(t, reasons, "lead: no budget")
	require.Contains(t, reasons, "sql: moved by hand")
}

func TestScoringScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, []row{
		{name: "sales moves", call: call{method: "PUT", url: "/v1/contacts/" + absentID + "/stage", key: "key-sales", body: `{"stage":"lead"}`}, status: 404},
		{name: "readers do not", call: call{method: "PUT", url: "/v1/contacts/" + absentID + "/stage", key: "key-read", body: `{"stage":"lead"}`}, status: 403},
		{name: "sales does not publish", call: call{method: "PUT", url: "/v1/scoring", key: "key-sales", body: `{}`}, status: 403},
		{name: "marketing does", call: call{method: "PUT", url: "/v1/scoring", key: "key-journeys", body: `{}`}, status: 200, contains: []string{"no_rules"}},
	})
	w.fail = fault.New(fault.Unavailable, "database_unavailable", "The database can't be reached.")
	w.run(t, []row{
		{name: "publish", call: admin("PUT", "/v1/scoring", `{}`), status: 503},
		{name: "preview", call: admin("POST", "/v1/scoring/preview", `{}`), status: 503},
		{name: "versions", call: admin("GET", "/v1/scoring/versions", ""), status: 503},
		{name: "stages", call: admin("GET", "/v1/contacts/"+absentID+"/stages", ""), status: 503},
	})
}
