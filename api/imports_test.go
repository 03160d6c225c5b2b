package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// noImports is a world where nothing was ever imported.
type noImports struct{ Imports }

func (noImports) CreateImport(context.Context, string, audience.ImportSpec, bool, time.Time) (audience.Import, error) {
	return audience.Import{ID: absentID, Mapping: []audience.ImportColumn{}}, nil
}

func (noImports) FindImport(context.Context, string) (audience.Import, error) {
	return audience.Import{}, fault.New(fault.NotFound, "import_not_found", "There is no such import.")
}

func (noImports) ListImports(context.Context, string, int) (Page[audience.Import], error) {
	return Page[audience.Import]{}, nil
}

func (noImports) ListImportProblems(context.Context, string, string, int) (Page[audience.ImportProblem], error) {
	return Page[audience.ImportProblem]{}, nil
}

func (noImports) ExportTraits(context.Context, string) ([]string, error) { return nil, nil }

func (noImports) ExportPage(context.Context, string, string, int) ([]audience.Contact, error) {
	return nil, nil
}

type realImports struct{ *store.Store }

func (p realImports) ListImports(ctx context.Context, cursor string, limit int) (Page[audience.Import], error) {
	page, err := p.Store.ListImports(ctx, cursor, limit)
	return Page[audience.Import](page), err
}

func (p realImports) ListImportProblems(ctx context.Context, id, cursor string, limit int) (Page[audience.ImportProblem], error) {
	page, err := p.Store.ListImportProblems(ctx, id, cursor, limit)
	return Page[audience.ImportProblem](page), err
}

func newImportWorld(t *testing.T, change ...func(*Options)) (*world, *store.Store) {
	t.Helper()
	s := storetest.New(t)
	return newWorld(t, append([]func(*Options){func(o *Options) {
		o.Events, o.Contacts, o.Imports = s, realPort{s}, realImports{s}
	}}, change...)...), s
}

func put(id, file string) call {
	return call{method: "PUT", url: "/v1/imports/" + id + "/file", key: "key-admin", body: file, header: map[string]string{"Content-Type": "text/csv"}}
}

func (w *world) create(t *testing.T, body string) string {
	t.Helper()
	return decode[audience.Import](t, w, admin("POST", "/v1/imports", body), 201).ID
}

const leads = "user_id,email,Seats,since\n" +
	"u1,ana@example.test,5,2020-01-02\n" +
	"u2,nobody,x,\n" +
	"u1,ana@example.test,7,2021-01-01\n" +
	"u3,,,\n"

const leadsMapping = `"mapping":[{"column":"Seats","to":"trait:seats:number"},{"column":"since","to":"created_at"}]`

func TestAnImportTakesAFileIn(t *testing.T) {
	t.Parallel()
	w, _ := newImportWorld(t)
	dry := w.create(t, `{"name":"leads","dry_run":true,`+leadsMapping+`}`)
	tried := decode[ImportResult](t, w, put(dry, leads), 200)
	require.Equal(t, audience.ImportCounts{Rows: 4, Accepted: 3, Rejected: 1, Created: 3, Problems: 2}, tried.ImportCounts, "a dry run counts rows of people that are new")
	require.Equal(t, ImportSample{Line: 2, UserID: "u1", Email: "ana@example.test", OccurredAt: "2026-11-23T12:00:00Z", CreatedAt: "2020-01-02T00:00:00Z",
		Traits: map[string]any{"seats": 5.0}}, tried.Sample[0])
	require.Empty(t, decode[List[audience.Contact]](t, w, admin("GET", "/v1/contacts?user_id=u1", ""), 200).Data, "and changes nothing")

	id := w.create(t, `{`+leadsMapping+`}`)
	done := decode[ImportResult](t, w, put(id, leads), 200)
	require.Equal(t, audience.ImportCounts{Rows: 4, Accepted: 3, Rejected: 1, Created: 2, Problems: 2}, done.ImportCounts)
	require.Equal(t, []any{"done", int64(5), int64(len(leads))}, []any{done.State, done.Lines, done.Bytes})
	require.Contains(t, done.Columns, audience.ImportColumn{Column: "Seats", To: "trait:seats:number"})
	ana := decode[List[audience.Contact]](t, w, admin("GET", "/v1/contacts?user_id=u1", ""), 200).Data[0]
	require.InDelta(t, 7, ana.Traits["seats"], 0)
	require.Equal(t, 2020, ana.CreatedAt.Year(), "since when somebody has been a contact is the earliest that was told")
	w.run(t, []row{
		{name: "again", call: put(id, leads), status: 409, contains: []string{"import_ended"}},
		{name: "found", call: admin("GET", "/v1/imports/"+id, ""), status: 200, contains: []string{`"state":"done"`, `"rejected":1`}},
		{name: "listed", call: admin("GET", "/v1/imports?limit=1", ""), status: 200, contains: []string{id, "next_cursor"}},
		{name: "problems", call: admin("GET", "/v1/imports/"+id+"/problems", ""), status: 200, contains: []string{`"line":3`, `"bad_email"`, `"bad_number"`, `"Seats"`}, notContains: []string{"nobody"}},
		{name: "nobody's", call: admin("GET", "/v1/imports/"+absentID+"/problems", ""), status: 404},
		{name: "no such import", call: put(absentID, leads), status: 404},
		{name: "bad mapping", call: admin("POST", "/v1/imports", `{"mapping":[{"column":"a","to":"nowhere"}]}`), status: 422, contains: []string{"unknown_target", "/mapping/0/to"}},
	})
	refused := w.create(t, `{}`)
	w.run(t, []row{
		{name: "no header", call: put(refused, "ana@example.test,1\n"), status: 422, contains: []string{"no_header"}, notContains: []string{"ana@"}},
		{name: "is final", call: admin("GET", "/v1/imports/"+refused, ""), status: 200, contains: []string{`"failed"`, "looks like data"}},
	})
}

// A file is cut off at every byte and sent again: the contacts, events and counts are those of one upload.
func TestAnImportGoesOnWhereItWasCutOff(t *testing.T) {
	t.Parallel()
	w, s := newImportWorld(t)
	var file strings.Builder
	file.WriteString("user_id,n\n")
	for i := range 2*importBatch + 30 {
		fmt.Fprintf(&file, "u%d,%d\n", i%700, i)
	}
	text := file.String() + strings.Repeat("u1,0\n", 2*64<<10/5) // longer than what is read ahead, so that batches are committed before the cut
	id := w.create(t, `{"event":"Seen"}`)
	send := func(body io.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPut, "/v1/imports/"+id+"/file", body)
		r.Header.Set("Authorization", "Bearer key-admin")
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		return rec
	}
	cut := func(at int) io.Reader {
		return io.MultiReader(strings.NewReader(text[:at]), iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	last := int64(0)
	for _, at := range []int{3, len(text) / 2, len(text) - 70_000, len(text) - 3} {
		require.Equal(t, http.StatusBadRequest, send(cut(at)).Code)
		found, err := s.FindImport(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, audience.ImportRunning, found.State)
		require.GreaterOrEqual(t, found.Bytes, last)
		last = found.Bytes
	}
	require.Positive(t, last)
	require.Equal(t, http.StatusConflict, send(strings.NewReader(strings.Replace(text, "u2", "v2", 1))).Code, "another file")
	rec := send(strings.NewReader(text))
	require.Equal(t, 200, rec.Code, rec.Body)
	var done ImportResult
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &done))
	rows := int64(strings.Count(text, "\n") - 1)
	require.Equal(t, audience.ImportCounts{Rows: rows, Accepted: rows, Created: 700}, done.ImportCounts)
}

// lossyImports forgets to note a batch that was committed, as a process does that dies in between.
type lossyImports struct {
	realImports
	lose int
}

func (l *lossyImports) AdvanceImport(ctx context.Context, id string, step audience.ImportStep, now time.Time) error {
	if l.lose--; l.lose == 0 {
		return fault.New(fault.Unavailable, "died", "The process died.")
	}
	return l.realImports.AdvanceImport(ctx, id, step, now)
}

func TestABatchWhoseNoteIsLostCountsOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	w := newWorld(t, func(o *Options) {
		o.Events, o.Contacts, o.Imports = s, realPort{s}, &lossyImports{realImports{s}, 2}
	})
	var file strings.Builder
	file.WriteString("user_id,n\n")
	for i := range 3 * importBatch {
		fmt.Fprintf(&file, "u%d,%d\n", i%10, i)
	}
	id := w.create(t, `{"event":"Seen"}`)
	w.run(t, []row{{name: "dies", call: put(id, file.String()), status: 503}})
	done := decode[ImportResult](t, w, put(id, file.String()), 200)
	require.Equal(t, audience.ImportCounts{Rows: 1500, Accepted: 1500, Created: 10}, done.ImportCounts)
	ana := decode[List[audience.Contact]](t, w, admin("GET", "/v1/contacts?user_id=u1", ""), 200).Data[0]
	page := decode[List[TimelineEntry]](t, w, admin("GET", "/v1/contacts/"+ana.ID+"/timeline?limit=200", ""), 200)
	require.Len(t, page.Data, 150, "no event is there twice")
}

func TestTheSameDealsFromAnotherFile(t *testing.T) {
	t.Parallel()
	w, _ := newImportWorld(t)
	file := "user_id,deal\nu1,d1\nu1,d2\nu1,d2\n"
	for _, want := range []audience.ImportCounts{{Rows: 3, Accepted: 2, Duplicates: 1, Created: 1}, {Rows: 3, Duplicates: 3}} {
		id := w.create(t, `{"event":"Deal Won","mapping":[{"column":"deal","to":"message_id"}]}`)
		require.Equal(t, want, decode[ImportResult](t, w, put(id, file), 200).ImportCounts)
	}
}

// choosy refuses batches with a row that it does not like, as the store does.
type choosy struct{ *store.Store }

func (c choosy) Ingest(ctx context.Context, now time.Time, events []audience.Incoming) ([]audience.Accepted, error) {
	for _, e := range events {
		if e.UserID == "bad" {
			return nil, fault.New(fault.Invalid, "bad_value", "A value has a form that can't be stored.")
		}
	}
	return c.Store.Ingest(ctx, now, events)
}

func TestARowThatIngestionRefusesCostsItselfAlone(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	w := newWorld(t, func(o *Options) { o.Events, o.Imports = choosy{s}, realImports{s} })
	id := w.create(t, `{}`)
	done := decode[ImportResult](t, w, put(id, "user_id\na\nb\nbad\nc\nbad\n"), 200)
	require.Equal(t, audience.ImportCounts{Rows: 5, Accepted: 3, Rejected: 2, Created: 3, Problems: 2}, done.ImportCounts)
	w.run(t, []row{{name: "which", call: admin("GET", "/v1/imports/"+id+"/problems", ""), status: 200, contains: []string{`"line":4`, `"line":6`, "refused"}}})
}

// blocking takes no events of a name, as the catalogue does.
type blocking struct{ *store.Store }

func (b blocking) Ingest(ctx context.Context, now time.Time, events []audience.Incoming) ([]audience.Accepted, error) {
	out := make([]audience.Accepted, len(events))
	for i, e := range events {
		if out[i].Blocked = e.Name == "Noise"; out[i].Blocked {
			continue
		}
		accepted, err := b.Store.Ingest(ctx, now, []audience.Incoming{e})
		if err != nil {
			return nil, err
		}
		out[i] = accepted[0]
	}
	return out, nil
}

func TestABlockedEventIsReported(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	w := newWorld(t, func(o *Options) { o.Events, o.Imports = blocking{s}, realImports{s} })
	id := w.create(t, `{"kind":"track","mapping":[{"column":"since","to":"created_at"}]}`)
	done := decode[ImportResult](t, w, put(id, "user_id,event,since\nu1,Seen,2020-01-01\nu1,Noise,2020-01-01\n"), 200)
	require.Equal(t, audience.ImportCounts{Rows: 2, Accepted: 1, Rejected: 1, Created: 1, Problems: 1}, done.ImportCounts)
	w.run(t, []row{{name: "which", call: admin("GET", "/v1/imports/"+id+"/problems", ""), status: 200, contains: []string{`"line":3`, `"blocked"`}}})
}

func TestAFileMayBeTooLarge(t *testing.T) {
	t.Parallel()
	w, _ := newImportWorld(t, func(o *Options) { o.MaxImport = 20 })
	id := w.create(t, `{}`)
	w.run(t, []row{{name: "said", call: put(id, "user_id\n"+strings.Repeat("u\n", 20)), status: 413}})
	r := httptest.NewRequest(http.MethodPut, "/v1/imports/"+id+"/file", iotest.OneByteReader(strings.NewReader("user_id\n"+strings.Repeat("u\n", 20))))
	r.Header.Set("Authorization", "Bearer key-admin")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	require.Equal(t, 413, rec.Code, "found out while reading")
}

// What is exported, imported into an empty database, exports the same again.
func TestAnExportIsImportedAgain(t *testing.T) {
	t.Parallel()
	w, s := newImportWorld(t)
	_, err := s.Ingest(t.Context(), testNow, []audience.Incoming{
		{Source: "k", MessageID: "1", Type: audience.TypeIdentify, UserID: "=u1", Email: "ana@example.test", Timezone: "Europe/Berlin", Locale: "de", OccurredAt: testNow,
			Traits: map[string]any{"plan": "-trial", "Plan Type": "a;b\n\"c\"", "phone": "+49 30", "note": "'=x", "1": "one", "user": "x"}},
		{Source: "k", MessageID: "2", Type: audience.TypeIdentify, UserID: "u2", Traits: map[string]any{"seats": 1.5e6, "vip": true, "tags": []any{"a"}}, OccurredAt: testNow},
	})
	require.NoError(t, err)
	w.now = testNow.Add(time.Hour)
	csv := func(w *world, query string) string {
		rec := w.do(t, admin("GET", "/v1/contacts/export"+query, ""))
		require.Equal(t, 200, rec.Code, rec.Body)
		return rec.Body.String()
	}
	text := csv(w, "?traits=1,note,phone,plan,Plan%20Type,user")
	require.Contains(t, text, ",'=u1,ana@example.test,Europe/Berlin,de,subscriber,0,2026-11-23T12:00:00Z,one,''=x,'+49 30,'-trial,")
	other, _ := newImportWorld(t)
	other.now = w.now
	id := other.create(t, `{}`)
	done := decode[ImportResult](t, other, put(id, text), 200)
	require.Equal(t, audience.ImportCounts{Rows: 2, Accepted: 2, Created: 2}, done.ImportCounts)
	withoutIDs := func(text string) (out []string) {
		for _, line := range strings.SplitAfter(text, "\n") {
			_, rest, _ := strings.Cut(line, ",")
			out = append(out, rest)
		}
		return out
	}
	require.ElementsMatch(t, withoutIDs(text), withoutIDs(csv(other, "?traits=1,note,phone,plan,Plan%20Type,user")))

	all := csv(w, "")
	require.Contains(t, all, "seats,tags,user,vip\n")
	require.Contains(t, all, ",1.5e+06,\"[\"\"a\"\"]\",,true\n")
	c := admin("GET", "/v1/contacts/export?traits=seats", "")
	c.header = map[string]string{"Accept": "application/x-ndjson"}
	rec := w.do(t, c)
	lines := bytes.Split(bytes.TrimSpace(rec.Body.Bytes()), []byte("\n"))
	require.Len(t, lines, 2)
	var last audience.Contact
	require.NoError(t, json.Unmarshal(lines[1], &last))
	require.Equal(t, map[string]any{"seats": 1.5e6}, last.Traits)
	w.run(t, []row{
		{name: "no segment", call: admin("GET", "/v1/contacts/export?segment=nothing", ""), status: 404},
		{name: "no segment, traits named", call: admin("GET", "/v1/contacts/export?segment=nothing&traits=a", ""), status: 404},
		{name: "unknown key", call: admin("GET", "/v1/contacts/export?segments=x", ""), status: 400},
	})
}

// A server that goes down ends a transfer at the next safe place, and says when to come back.
func TestATransferStopsWithTheServer(t *testing.T) {
	t.Parallel()
	w, _ := newImportWorld(t)
	id := w.create(t, `{}`)
	w.handler.server.streams.stopping.Store(true)
	w.run(t, []row{{name: "stopped", call: put(id, leads), status: 503}})
	w.handler.server.streams.stopping.Store(false)
	require.Equal(t, "done", decode[ImportResult](t, w, put(id, leads), 200).State)
}
