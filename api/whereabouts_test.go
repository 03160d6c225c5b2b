package api

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func (p realPort) ListContacts(ctx context.Context, filter audience.ContactFilter, cursor string, limit int) (Page[audience.Contact], error) {
	page, err := p.Store.ListContacts(ctx, filter, cursor, limit)
	return Page[audience.Contact](page), err
}

// memoryWhereabouts is the port over the contact that is always there, which nothing was decided for.
type memoryWhereabouts struct{ m *memory }

func (w memoryWhereabouts) known(ctx context.Context, id string) error {
	_, err := w.m.FindContact(ctx, id)
	return err
}

func (w memoryWhereabouts) ListContacts(_ context.Context, filter audience.ContactFilter, _ string, _ int) (Page[audience.Contact], error) {
	done, err := w.m.start()
	defer done()
	var page Page[audience.Contact]
	for _, c := range w.m.contacts {
		if strings.HasPrefix(c.Email, filter.Beginning) && (filter.Stage == "" || filter.Stage == c.Stage) {
			page.Items = append(page.Items, c)
		}
	}
	return page, err
}

func (w memoryWhereabouts) Consents(ctx context.Context, id string) (audience.Consents, error) {
	return audience.Consents{}, w.known(ctx, id)
}

func (w memoryWhereabouts) ContactEnrollments(ctx context.Context, id string) ([]journey.Enrollment, error) {
	return nil, w.known(ctx, id)
}

func (w memoryWhereabouts) ContactHandoffs(ctx context.Context, id string) ([]sales.Handoff, error) {
	return nil, w.known(ctx, id)
}

func (w memoryWhereabouts) EnrollmentDecisions(context.Context, string) ([]journey.Decision, error) {
	return nil, w.m.fail
}

func (w memoryWhereabouts) LastRefusal(context.Context, string, string) (*journey.Decision, error) {
	return nil, w.m.fail
}

func (w memoryWhereabouts) StepMessage(context.Context, string, string) (*email.Message, error) {
	return nil, w.m.fail
}

func (w memoryWhereabouts) ContactPauses(context.Context, string, string) ([]journey.EnrollmentPause, error) {
	return nil, w.m.fail
}

func (w memoryWhereabouts) FirstEvents(context.Context, string) ([]audience.Event, error) {
	return nil, w.m.fail
}

func (w memoryWhereabouts) LiveVersions(context.Context) ([]journey.Version, error) {
	return nil, w.m.fail
}

func TestSearchingContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	search := func(body string) call {
		return call{method: "POST", url: "/v1/contacts/search", key: "key-sales", body: body}
	}
	w.run(t, []row{
		{"found", search(`{"q":"ana@"}`), 200, []string{contactID}, nil},
		{"nobody", search(`{"q":"bob"}`), 200, []string{`"data":[]`}, []string{contactID}},
		{"all", search(`{}`), 200, []string{contactID, `"traits":{}`}, nil},
		{"a stage", search(`{"stage":"customer"}`), 200, []string{`"data":[]`}, nil},
		{"one character", search(`{"q":"a"}`), 422, []string{`"/q"`, "two characters"}, nil},
		{"spaces are no characters", search(`{"q":" a "}`), 422, []string{`"/q"`}, nil},
		{"a cursor of somewhere else", search(`{"cursor":"x"}`), 422, []string{"bad_cursor"}, nil},
		{"unknown field", search(`{"query":"ana"}`), 422, nil, nil},
		{"a list, as a rep", call{method: "GET", url: "/v1/contacts?stage=lead", key: "key-sales"}, 200, []string{contactID}, nil},
		{"a list of nobody", call{method: "GET", url: "/v1/contacts?stage=none", key: "key-read"}, 200, []string{`"data":[]`}, nil},
		{"a look-up has no filter", call{method: "GET", url: "/v1/contacts?user_id=u1&stage=lead", key: "key-read"}, 422, []string{"one_identity"}, nil},
		{"a name has no place in an address", call{method: "GET", url: "/v1/contacts?q=ana", key: "key-read"}, 400, []string{"unknown_parameter"}, nil},
	})
	require.NotContains(t, w.log.String(), "ana@", "what was searched for is not logged")
}

func TestAListOfContactsByWhoMayNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, key := range []string{"key-ingest", "key-journeys"} {
		require.Equal(t, http.StatusForbidden, w.do(t, call{method: "GET", url: "/v1/contacts", key: key}).Code)
	}
}

const whyDocument = `{"journey":"trial","name":"Trial","enter":[{"event":"Signed Up"}],"steps":[
{"id":"activated","wait_for":[{"event":"Project Created","go":"tips"},{"after":"3d","go":"nudge"}]},
{"id":"tips","send":{"template":"tips"},"next":"end"},{"id":"nudge","send":{"template":"nudge"},"next":"end"},{"id":"end","exit":{}}]}`

// realWhy is a handler over a real store, with a contact that waits in a journey.
func realWhy(t *testing.T) (*world, *store.Store, journey.Enrollment) {
	t.Helper()
	s := storetest.New(t)
	w := newWorld(t, func(o *Options) {
		port := realPort{s}
		o.Contacts, o.Whereabouts, o.Journeys, o.Messages = port, port, port, port
	})
	_, err := s.SaveDraft(t.Context(), journey.Draft{Journey: "trial", Document: json.RawMessage(whyDocument)}, nil, testNow)
	require.NoError(t, err)
	v, err := s.PublishVersion(t.Context(), "trial", json.RawMessage(whyDocument), "h", []string{"Signed Up"}, nil, testNow)
	require.NoError(t, err)
	accepted, err := s.Ingest(t.Context(), testNow, []audience.Incoming{{Source: "t", MessageID: "1", Type: audience.TypeIdentify, UserID: "u1",
		Traits: map[string]any{"email": "ana@example.test", "first_name": "Ana"}, OccurredAt: testNow}})
	require.NoError(t, err)
	wake := testNow.Add(72 * time.Hour)
	e := journey.Enrollment{ID: uuid.NewString(), ContactID: accepted[0].ContactID, Journey: "trial", Version: v.Number, Hash: "h", State: journey.Waiting,
		Step: "activated", EnteredAt: testNow.Add(-time.Hour), WakeAt: &wake}
	require.NoError(t, s.InContact(t.Context(), e.ContactID, func(ctx context.Context, tx *store.ContactTx) error {
		_, _, err := tx.CreateEnrollment(ctx, e)
		return err
	}))
	return w, s, e
}

func TestWhereAContactIs(t *testing.T) {
	t.Parallel()
	w, s, e := realWhy(t)
	get := func(path string) call {
		return call{method: "GET", url: "/v1/contacts/" + e.ContactID + path, key: "key-sales"}
	}
	w.run(t, []row{
		{"where", get("/journey"), 200, []string{`"waits_for":["Project Created"]`, `"step":"activated"`, `"journey_name":"Trial"`,
			`"kind":"wait_for"`, `"since":"2026-11-23T12:00:00Z"`}, []string{`"ended"`}},
		{"sends", get("/sends"), 200, []string{`"template":"tips"`, `"template":"nudge"`, `"entered":true`}, nil},
		{"not yet", get("/why?journey=trial&step=nudge"), 200, []string{`"code":"not_yet"`, "waits for Project Created", `"until":"2026-11-26T12:00:00Z"`}, nil},
		{"no such step", get("/why?journey=trial&step=no"), 200, []string{`"code":"no_such_step"`}, nil},
		{"no such journey", get("/why?journey=no&step=nudge"), 404, nil, nil},
		{"no step", get("/why?journey=trial"), 422, []string{"step"}, nil},
		{"no consents", get("/consents"), 200, []string{`{"consents":[]}`}, nil},
	})
	require.NoError(t, s.SetConsent(t.Context(), e.ContactID, "marketing", false, "one_click", testNow))
	require.NoError(t, s.Suppress(t.Context(), "ana@example.test", "hard_bounce", testNow))
	skipped := email.Message{ID: uuid.NewString(), EnrollmentID: e.ID, Journey: "trial", Version: 1, StepID: "tips", Visit: 1, Template: "tips",
		TemplateVersion: 1, Class: email.Marketing, State: email.Skipped, Reason: email.ReasonUnsubscribed, CreatedAt: testNow, UpdatedAt: testNow}
	require.NoError(t, s.InContact(t.Context(), e.ContactID, func(ctx context.Context, tx *store.ContactTx) error {
		if _, _, err := tx.RecordDecision(ctx, journey.Decision{EnrollmentID: e.ID, Journey: "trial", StepID: "activated", Visit: 1, Kind: "wait_for",
			Outcome: "0", Detail: map[string]any{"next": "tips", "event": "Project Created"}, At: testNow}); err != nil {
			return err
		}
		if err := tx.InsertMessage(ctx, skipped); err != nil {
			return err
		}
		return tx.UpdateEnrollment(ctx, e.ID, journey.Completed, "end", "", nil, &testNow)
	}))
	w.run(t, []row{
		{"consents", get("/consents"), 200, []string{`"granted":false`, `"source":"one_click"`, `"reason":"hard_bounce"`}, nil},
		{"skipped", get("/why?journey=trial&step=tips"), 200, []string{`"code":"skipped"`, "withdrawn its consent", skipped.ID, `"reason":"unsubscribed"`}, nil},
		{"another way", get("/why?journey=trial&step=nudge"), 200, []string{`"code":"other_way"`, "Project Created came first", `"step":"activated"`}, nil},
		{"over", get("/journey"), 200, []string{`"ended":"Went through to the end."`}, []string{`"since"`}},
		{"in words", get("/timeline"), 200, []string{"Project Created came first.", "Skipped at tips: the contact has withdrawn"}, nil},
		{"all mail", call{method: "GET", url: "/v1/messages", key: "key-read"}, 200, []string{skipped.ID}, nil},
		{"sent mail", call{method: "GET", url: "/v1/messages?state=sent", key: "key-read"}, 200, []string{`"data":[]`}, nil},
		{"mail with a reason", call{method: "GET", url: "/v1/messages?reason=unsubscribed&journey=trial&template=tips", key: "key-read"}, 200, []string{skipped.ID}, nil},
		{"no such state", call{method: "GET", url: "/v1/messages?state=gone", key: "key-read"}, 422, []string{"state"}, nil},
	})
}

func TestWhyWithoutAnEnrollment(t *testing.T) {
	t.Parallel()
	w, s, e := realWhy(t)
	other, err := s.Ingest(t.Context(), testNow, []audience.Incoming{{Source: "t", MessageID: "2", Type: audience.TypeIdentify, UserID: "u2", OccurredAt: testNow}})
	require.NoError(t, err)
	why := call{method: "GET", url: "/v1/contacts/" + other[0].ContactID + "/why?journey=trial&step=nudge", key: "key-read"}
	require.Contains(t, w.do(t, why).Body.String(), `"code":"never_entered"`)
	require.NoError(t, s.InContact(t.Context(), other[0].ContactID, func(ctx context.Context, tx *store.ContactTx) error {
		_, _, err := tx.RecordDecision(ctx, journey.Decision{ContactID: tx.Contact().ID, Journey: e.Journey, Kind: "not_entered", Outcome: "not_entered",
			Reason: journey.NotEnteredSoon, Detail: map[string]any{"event": "Signed Up"}, At: testNow})
		return err
	}))
	answer := w.do(t, why).Body.String()
	require.Contains(t, answer, `"code":"not_entered"`)
	require.Contains(t, answer, "Signed Up let nobody in: the contact was in the journey before, and it is too soon")
}

// Every code that the program can give as a reason has words. What is found in the source and is no such code is named here.
func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	words, said := map[string]bool{}, map[string]string{}
	for _, why := range reasons() {
		require.NotEmpty(t, why.Words)
		require.False(t, words[why.Code+" "+why.About], "twice: %s", why.Code)
		if before, ok := said[why.Code]; ok {
			require.Equal(t, before, why.Words, "a code means one thing, whatever it is about")
		}
		words[why.Code], words[why.Code+" "+why.About], said[why.Code] = true, true, why.Words
	}
	other := map[string]bool{"cached": true, "generated": true /* of a subject */, "erased": true /* of an address */}
	isReason := regexp.MustCompile(`(?i)^(reason|notentered)`)
	found := 0
	check := func(path string, value ast.Expr) {
		literal, ok := value.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return
		}
		code, err := strconv.Unquote(literal.Value)
		require.NoError(t, err)
		found++
		require.True(t, code == "" || words[code] || other[code], "%s: the reason %q has no words", path, code)
	}
	for _, folder := range []string{"../activities", "../workflows", "../internal/journey", "../internal/email", "../internal/store"} {
		paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			source, err := os.ReadFile(path)
			require.NoError(t, err)
			file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					for i, name := range n.Names {
						if isReason.MatchString(name.Name) && i < len(n.Values) {
							check(path, n.Values[i])
						}
					}
				case *ast.KeyValueExpr:
					if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Reason" {
						check(path, n.Value)
					}
				case *ast.AssignStmt:
					for i, left := range n.Lhs {
						if field, ok := left.(*ast.SelectorExpr); ok && strings.EqualFold(field.Sel.Name, "reason") && i < len(n.Rhs) {
							check(path, n.Rhs[i])
						}
					}
				}
				return true
			})
		}
	}
	require.Greater(t, found, 20)
}

// A pause says so wherever somebody asks why nothing came, and what had come before it says nothing of it.
func TestAPauseAnswersWhy(t *testing.T) {
	t.Parallel()
	w, s, e := realWhy(t)
	get := func(path string) call {
		return call{method: "GET", url: "/v1/contacts/" + e.ContactID + path, key: "key-read"}
	}
	post := func(path, body string, at time.Time) {
		w.now = at
		rec := w.do(t, call{method: "POST", url: "/v1/journeys/trial" + path, key: "key-journeys", body: body})
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
	}
	post("/pause", "", testNow.Add(time.Hour))
	since := "The journey is paused since 23 November 2026, 13:00 UTC: nobody moves in it."
	w.run(t, []row{
		{"not yet", get("/why?journey=trial&step=nudge"), 200, []string{`"code":"not_yet"`, "waits for Project Created. " + since, `"paused_by":"journeys"`}, []string{"resumed"}},
		{"where", get("/journey"), 200, []string{`"pauses":[{"journey":"trial","paused_at":"2026-11-23T13:00:00Z","paused_by":"journeys"}]`}, nil},
		{"in the timeline", get("/timeline"), 200, []string{`"kind":"pause"`, since}, nil},
	})
	post("/resume", "", testNow.Add(2*time.Hour))
	was := "The journey was paused from 23 November 2026, 13:00 UTC to 23 November 2026, 14:00 UTC."
	w.run(t, []row{
		{"not yet", get("/why?journey=trial&step=nudge"), 200, []string{was}, []string{since}},
		{"in the timeline", get("/timeline"), 200, []string{was}, []string{since}},
	})
	mail := func(step string, at time.Time) {
		m := email.Message{ID: uuid.NewString(), EnrollmentID: e.ID, Journey: "trial", Version: 1, StepID: step, Visit: 1, Template: step, TemplateVersion: 1,
			Class: email.Marketing, State: email.Skipped, Reason: email.ReasonUnsubscribed, CreatedAt: at, UpdatedAt: at}
		require.NoError(t, s.InContact(t.Context(), e.ContactID, func(ctx context.Context, tx *store.ContactTx) error { return tx.InsertMessage(ctx, m) }))
	}
	mail("tips", testNow)
	mail("nudge", testNow.Add(3*time.Hour))
	w.run(t, []row{
		{"before it", get("/why?journey=trial&step=tips"), 200, []string{`"code":"skipped"`}, []string{"paused"}},
		{"after it", get("/why?journey=trial&step=nudge"), 200, []string{`"code":"skipped"`, was}, nil},
	})
}

func TestALine(t *testing.T) {
	t.Parallel()
	_, s, e := realWhy(t)
	port := realPort{s}
	w := newWorld(t, func(o *Options) {
		o.Contacts, o.Whereabouts, o.Journeys, o.Scoring = port, port, port, port
	})
	line := call{method: "GET", url: "/v1/contacts/" + e.ContactID + "/line", key: "key-sales"}
	_, err := s.Ingest(t.Context(), testNow, []audience.Incoming{{Source: "t", MessageID: "2", Type: audience.TypePage, Name: "Pricing", UserID: "u1", OccurredAt: testNow.Add(-2 * time.Hour),
		Context: map[string]any{"campaign": map[string]any{"source": "letter", "name": "spring"}, "page": map[string]any{"referrer": "https://news.example/a?secret=1", "path": "/pricing"}}}})
	require.NoError(t, err)
	ended := testNow.Add(time.Hour)
	won := sales.Handoff{ID: handoffID, EnrollmentID: e.ID, Journey: "trial", StepID: "sales", Visit: 1, Status: sales.HandoffWon, Why: "Five seats", Amount: 4900,
		CreatedAt: testNow.Add(10 * time.Minute), UpdatedAt: testNow.Add(20 * time.Minute)}
	require.NoError(t, s.InContact(t.Context(), e.ContactID, func(ctx context.Context, tx *store.ContactTx) error {
		if _, _, err := tx.CreateHandoff(ctx, won); err != nil {
			return err
		}
		if err := tx.SetStage(ctx, "customer", "won", testNow.Add(20*time.Minute)); err != nil {
			return err
		}
		return tx.UpdateEnrollment(ctx, e.ID, journey.Completed, "end", "", nil, &ended)
	}))
	w.now = testNow.Add(24 * time.Hour)
	var got Line
	require.NoError(t, json.Unmarshal(w.do(t, line).Body.Bytes(), &got))
	require.Equal(t, &Touch{At: testNow.Add(-2 * time.Hour), Event: "Pricing", Campaign: map[string]string{"source": "letter", "name": "spring"}, Referrer: "news.example", Page: "/pricing"}, got.First)
	var words []string
	for _, p := range got.Points {
		words = append(words, p.Kind+": "+p.Words)
	}
	require.Equal(t, []string{"first_touch: First heard of: Pricing", "entered: Entered Trial", "stage: Became subscriber", "handoff: Handed to sales", "stage: Became customer",
		"deal: Deal won", "ended: Trial: Went through to the end.", "today: Today: customer"}, words)
	require.Equal(t, 4900.0, got.Points[5].Amount)
	require.Equal(t, w.now, got.Points[7].At)
	w.run(t, []row{
		{"nobody", call{method: "GET", url: "/v1/contacts/" + absentID + "/line", key: "key-read"}, 404, nil, nil},
		{"who may not", call{method: "GET", url: line.url, key: "key-ingest"}, 403, nil, nil},
		{"a score over time", call{method: "GET", url: "/v1/contacts/" + e.ContactID + "/score/history?days=1", key: "key-read"}, 200, []string{`"points":[{"at":"2026-11-23T12:00:00Z"`, `"at":"2026-11-24T12:00:00Z"`}, nil},
		{"too long a time", call{method: "GET", url: "/v1/contacts/" + e.ContactID + "/score/history?days=731", key: "key-read"}, 422, []string{"days"}, nil},
	})
}

// A contact's line has no more than its newest enrollments, and says how many it leaves out.
func TestALineIsBounded(t *testing.T) {
	t.Parallel()
	_, s, e := realWhy(t)
	port := realPort{s}
	w := newWorld(t, func(o *Options) {
		o.Contacts, o.Whereabouts, o.Journeys, o.Scoring = port, port, port, port
	})
	require.NoError(t, s.InContact(t.Context(), e.ContactID, func(ctx context.Context, tx *store.ContactTx) error {
		for n := range 35 {
			again := e
			again.ID, again.EnteredAt, again.EnteredSeq = uuid.NewString(), testNow.Add(time.Duration(n)*time.Second), int64(n)
			if _, _, err := tx.CreateEnrollment(ctx, again); err != nil {
				return err
			}
		}
		return nil
	}))
	var got Line
	require.NoError(t, json.Unmarshal(w.do(t, call{method: "GET", url: "/v1/contacts/" + e.ContactID + "/line", key: "key-read"}).Body.Bytes(), &got))
	require.Equal(t, 6, got.LeftOut)
	require.Equal(t, 30, countKind(got.Points, LineEntered))
}

func countKind(points []LinePoint, kind string) (n int) {
	for _, p := range points {
		if p.Kind == kind {
			n++
		}
	}
	return n
}

func TestMomentsOfAHistory(t *testing.T) {
	t.Parallel()
	moments := momentsSince(testNow.AddDate(-1, 0, 0), testNow, 90)
	require.Len(t, moments, 91)
	require.Equal(t, []time.Time{testNow.AddDate(0, 0, -90), testNow.AddDate(0, 0, -89), testNow}, []time.Time{moments[0], moments[1], moments[90]})
	require.Equal(t, testNow.Add(-time.Hour), momentsSince(testNow.Add(-time.Hour), testNow, 730)[0], "not before the contact was known")
}
