package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

func (p realPort) ListSegments(ctx context.Context, cursor string, limit int) (Page[audience.SegmentState], error) {
	page, err := p.Store.ListSegments(ctx, cursor, limit)
	return Page[audience.SegmentState](page), err
}

func (p realPort) ListMembers(ctx context.Context, key, cursor string, limit int) (Page[audience.Member], error) {
	page, err := p.Store.ListMembers(ctx, key, cursor, limit)
	return Page[audience.Member](page), err
}

// memorySegments is the port with one empty segment; fail, when set, is what every call answers.
type memorySegments struct{ m *memory }

func (s memorySegments) state(key string) (audience.SegmentState, error) {
	if s.m.fail != nil {
		return audience.SegmentState{}, s.m.fail
	}
	if key != "trial" {
		return audience.SegmentState{}, fault.New(fault.NotFound, "segment_not_found", "There is no such segment.")
	}
	return audience.SegmentState{Segment: audience.Segment{Key: key, Name: key, Condition: "true", Revision: 1, CreatedAt: testNow, UpdatedAt: testNow}}, nil
}

func (s memorySegments) SaveSegment(_ context.Context, key, _, _ string, _ *int64, _ time.Time) (audience.SegmentState, error) {
	return s.state(key)
}

func (s memorySegments) FindSegment(_ context.Context, key string) (audience.SegmentState, error) {
	return s.state(key)
}

func (s memorySegments) ListSegments(context.Context, string, int) (Page[audience.SegmentState], error) {
	return Page[audience.SegmentState]{}, s.m.fail
}

func (s memorySegments) SegmentKeys(context.Context) ([]string, error) { return nil, s.m.fail }

func (s memorySegments) DeleteSegment(_ context.Context, key string, _ time.Time) error {
	_, err := s.state(key)
	return err
}

func (s memorySegments) ListMembers(_ context.Context, key, _ string, _ int) (Page[audience.Member], error) {
	_, err := s.state(key)
	return Page[audience.Member]{}, err
}

func (s memorySegments) ContactSegments(context.Context, string) ([]audience.Membership, error) {
	return nil, s.m.fail
}

func (s memorySegments) PreviewSegment(context.Context, string, time.Time, int) (int64, []audience.Contact, error) {
	return 0, nil, s.m.fail
}

func (s memorySegments) ClockLag(context.Context, time.Time) (time.Duration, error) {
	return 90 * time.Second, s.m.fail
}

func TestSegmentsOnTheRealStore(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t)
	port := w.handler.server.Segments.(realPort)
	put := func(key, body string) call { return admin("PUT", "/v1/segments/"+key, body) }
	stale := put("trials", `{"condition":"true"}`)
	stale.header = map[string]string{"If-Match": `"7"`}
	w.run(t, []row{
		{name: "people", call: admin("POST", "/v1/batch", `{"batch":[
			{"type":"identify","userId":"ana","messageId":"1","traits":{"plan":"trial"}},{"type":"identify","userId":"bob","messageId":"2","traits":{"plan":"paid"}},
			{"type":"identify","userId":"eve","messageId":"3","traits":{"plan":"trial"}}]}`), status: 200},
		{name: "preview", call: admin("POST", "/v1/segments/preview", `{"condition":"contact.plan == \"trial\""}`), status: 200, contains: []string{`"count":2`, `"eve"`}},
		{name: "preview of nonsense", call: admin("POST", "/v1/segments/preview", `{"condition":"contact.plan = 1"}`), status: 422, contains: []string{`"path":"/condition"`, "condition_syntax"}},
		{name: "new", call: put("trials", `{"name":"Trials","condition":"contact.plan == \"trial\""}`), status: 200, contains: []string{`"revision":1`, `"members":0`}},
		{name: "named by its key", call: put("payers", `{"condition":"contact.plan == \"paid\""}`), status: 200, contains: []string{`"name":"payers"`}},
		{name: "stale", call: stale, status: 409, contains: []string{"stale_revision"}},
		{name: "bad key", call: put("Trials", `{"condition":"true"}`), status: 422, contains: []string{"bad_key"}},
		{name: "no condition", call: put("x", `{}`), status: 422, contains: []string{"missing_field"}},
		{name: "broken", call: put("x", `{"condition":"did(1)"}`), status: 422, contains: []string{`"path":"/condition"`, "condition_"}},
		{name: "another segment in it", call: put("x", `{"condition":"in_segment(\"trials\")"}`), status: 422, contains: []string{`"path":"/condition"`, "condition_not_for_segment"}},
		{name: "list", call: admin("GET", "/v1/segments?limit=1", ""), status: 200, contains: []string{`"payers"`, "next_cursor"}},
		{name: "found", call: admin("GET", "/v1/segments/trials", ""), status: 200, contains: []string{`"Trials"`}},
		{name: "absent", call: admin("GET", "/v1/segments/nothing", ""), status: 404},
		{name: "absent members", call: admin("GET", "/v1/segments/nothing/members", ""), status: 404},
		{name: "bad cursor", call: admin("GET", "/v1/segments/trials/members?cursor="+cursorOf("x"), ""), status: 422, contains: []string{"bad_cursor"}},
	})
	for done := false; !done; {
		var err error
		done, err = port.Walk(t.Context(), testNow, 1)
		require.NoError(t, err)
	}
	page := decode[List[audience.Member]](t, w, admin("GET", "/v1/segments/trials/members?limit=1", ""), 200)
	require.Len(t, page.Data, 1)
	rest := decode[List[audience.Member]](t, w, admin("GET", "/v1/segments/trials/members?cursor="+page.NextCursor, ""), 200)
	require.Len(t, rest.Data, 1)
	require.ElementsMatch(t, []string{"ana", "eve"}, []string{page.Data[0].Contact.UserID, rest.Data[0].Contact.UserID})
	of := decode[Memberships](t, w, admin("GET", "/v1/contacts/"+page.Data[0].Contact.ID+"/segments", ""), 200)
	require.Equal(t, "trials", of.Data[0].Key)
	require.False(t, of.Data[0].EnteredAt.IsZero())

	uses := func(key, body string) call {
		c := admin("PUT", "/v1/journeys/"+key, body)
		c.header = map[string]string{"Content-Type": "application/yaml"}
		return c
	}
	source := "journey: nudge\nenter: [{segment: trials}]\nexit: [{left_segment: trials}]\nsteps:\n  - {id: done, exit: finished}\n"
	w.run(t, []row{
		{name: "a slip", call: uses("slip", "journey: slip\nenter: [{segment: trails}]\nsteps:\n  - {id: done, exit: finished}\n"), status: 200,
			contains: []string{"unknown_segment", `Did you mean \"trials\"?`}},
		{name: "a slip is not published", call: admin("POST", "/v1/journeys/slip/publish", ""), status: 422, contains: []string{"unknown_segment"}},
		{name: "draft", call: uses("nudge", source), status: 200, contains: []string{`"problems":[]`}},
		{name: "published", call: admin("POST", "/v1/journeys/nudge/publish", ""), status: 200},
		{name: "in use", call: admin("DELETE", "/v1/segments/trials", ""), status: 409, contains: []string{"segment_in_use", "nudge"}},
		{name: "not in use", call: admin("DELETE", "/v1/segments/payers", ""), status: 204},
		{name: "gone", call: admin("DELETE", "/v1/segments/payers", ""), status: 404},
	})
}

func TestClockLagIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	metrics := func() string { return w.do(t, call{method: http.MethodGet, url: "/metrics"}).Body.String() }
	require.Contains(t, metrics(), "throughline_clock_lag_seconds 90\n")
	w.fail = fault.New(fault.Unavailable, "database_unavailable", "The database can't be reached.")
	require.Contains(t, metrics(), "throughline_clock_lag_seconds NaN\n", "not known is not 0")
}

// What a segment asks for and nobody has seen is a warning, with what was probably meant; it never keeps a segment from being saved.
func TestSegmentsWarnOfNamesThatWereNeverSeen(t *testing.T) {
	t.Parallel()
	w, catalogue := newRecordsWorld(t)
	w.run(t, []row{{name: "track", call: admin("POST", "/v1/track", `{"userId":"u","event":"Project Created","messageId":"1"}`), status: 200}})
	require.NoError(t, catalogue.Flush(t.Context()))
	hint := []string{`"path":"/condition"`, `"level":"warning"`, "did you mean `Project Created`?"}
	w.run(t, []row{
		{name: "preview", call: admin("POST", "/v1/segments/preview", `{"condition":"did(\"Project created\")"}`), status: 200, contains: hint},
		{name: "save", call: admin("PUT", "/v1/segments/trial", `{"condition":"count(\"Project created\", \"7d\") > 1"}`), status: 200, contains: hint},
		{name: "nothing to say", call: admin("PUT", "/v1/segments/trial", `{"condition":"did(\"Project Created\")"}`), status: 200, contains: []string{`"problems":[]`}},
	})
}
