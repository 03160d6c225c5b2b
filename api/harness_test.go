package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder(typeNDJSON, openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/javascript", openapi3filter.FileBodyDecoder)
	m.Run()
}

// syncBuffer collects the log of handlers that run side by side.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// world is a handler with its ports and its log.
type world struct {
	*memory
	handler *Handler
	log     *syncBuffer
	now     time.Time
	router  routers.Router
}

var testNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// optionsOf are all ports: a line each, so that those who add one at the same time don't meet.
func optionsOf(m *memory) Options {
	return Options{
		Keys:            m,
		Sessions:        memorySessions{m},
		Events:          m,
		Poker:           m,
		Journeys:        m,
		Templates:       m,
		Contacts:        m,
		Messages:        m,
		Handoffs:        m,
		Desk:            m,
		Unsubscribe:     m,
		Tracking:        memoryTracking{m},
		Imports:         noImports{},
		Segments:        memorySegments{m},
		Merger:          noErasures{},
		Erasures:        noErasures{},
		Companies:       noRecords{},
		Objects:         noRecords{},
		Catalogue:       noRecords{},
		Sending:         noRecords{},
		Direct:          noRecords{},
		Topics:          memoryTopics{},
		Suppressions:    noSuppressions{},
		Snippets:        memorySnippets{},
		ConsentChanges:  memoryConsents{m},
		Scoring:         memoryScoring{m},
		Numbers:         noNumbers{},
		Experiments:     &memoryExperiments{},
		Whereabouts:     memoryWhereabouts{m},
		Previews:        plainPreviews{},
		Brands:          &memoryBrand{},
		TestMails:       noTestMails{},
		Broadcasts:      noBroadcasts{},
		Glossaries:      noRecords{},
		SubjectLines:    noRecords{},
		SubjectSettings: noRecords{},
		Deliverability:  &memoryDeliverability{},
	}
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{memory: newMemory(), log: &syncBuffer{}, now: testNow}
	o := optionsOf(w.memory)
	o.Logger = slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Clock, o.Version = func() time.Time { return w.now }, "test"
	for _, c := range change {
		c(&o)
	}
	var err error
	w.handler, err = New(o)
	require.NoError(t, err)
	w.router = contractOf(t, w.handler)
	return w
}

// contracts are the documents that were read before, by their text: nearly every test's server serves the same, and reading it costs more
// than most tests.
var contracts sync.Map

// contractOf reads the served OpenAPI document as any client would.
func contractOf(t *testing.T, h http.Handler) routers.Router {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	require.Equal(t, http.StatusOK, rec.Code)
	if known, ok := contracts.Load(rec.Body.String()); ok {
		return known.(routers.Router) //nolint:forcetypeassert // stored below
	}
	doc, err := openapi3.NewLoader().LoadFromData(rec.Body.Bytes())
	require.NoError(t, err)
	require.NoError(t, doc.Validate(context.Background()))
	doc.Servers = nil // the tests call no server by its name
	router, err := gorillamux.NewRouter(doc)
	require.NoError(t, err)
	contracts.Store(rec.Body.String(), router)
	return router
}

type call struct {
	method, url, key, body string
	header                 map[string]string
}

func (c call) request() *http.Request {
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	r := httptest.NewRequest(c.method, c.url, body)
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	return r
}

// do calls the handler and holds the answer against the OpenAPI document.
func (w *world) do(t *testing.T, c call) *httptest.ResponseRecorder {
	t.Helper()
	r := c.request()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	w.checkContract(t, r, rec)
	return rec
}

func (w *world) checkContract(t *testing.T, r *http.Request, rec *httptest.ResponseRecorder) {
	t.Helper()
	described := r.Clone(context.Background())
	described.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	route, params, err := w.router.FindRoute(described)
	if err != nil { // no such route, or no such method
		require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, rec.Code, "an undescribed route answered")
		requireProblem(t, rec)
		return
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: described, PathParams: params, Route: route},
		Status:                 rec.Code, Header: rec.Header(),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	in.SetBodyBytes(rec.Body.Bytes())
	require.NoError(t, openapi3filter.ValidateResponse(context.Background(), in), "%s %s → %d %s", r.Method, r.URL.Path, rec.Code, rec.Body)
	if rec.Code >= 400 && strings.Contains(rec.Header().Get("Content-Type"), "problem") {
		requireProblem(t, rec)
	}
}

func requireProblem(t *testing.T, rec *httptest.ResponseRecorder) Problem {
	t.Helper()
	require.Equal(t, problemType, rec.Header().Get("Content-Type"))
	var p Problem
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &p))
	require.Equal(t, rec.Code, p.Status)
	require.NotEmpty(t, p.Code)
	require.NotEmpty(t, p.RequestID)
	require.Equal(t, rec.Header().Get(requestIDHeader), p.RequestID)
	return p
}

// row is one scenario.
type row struct {
	name        string
	call        call
	status      int
	contains    []string
	notContains []string
}

func (w *world) run(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		rec := w.do(t, r.call)
		require.Equal(t, r.status, rec.Code, "%s: %s", r.name, rec.Body)
		for _, s := range r.contains {
			require.Contains(t, rec.Body.String(), s, r.name)
		}
		for _, s := range r.notContains {
			require.NotContains(t, rec.Body.String(), s, r.name)
		}
	}
}
