package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"throughline.dev/throughline/internal/journey"
)

// Options are what the API is made of. Every port is needed; the rest has defaults.
type Options struct {
	Keys           Keys
	Sessions       Sessions
	Events         Events
	Poker          Poker
	Journeys       Journeys
	Templates      Templates
	Snippets       Snippets
	Contacts       Contacts
	Messages       Messages
	Handoffs       Handoffs
	Desk           Desk
	Unsubscribe    Unsubscriber
	Tracking       Tracking
	Imports        Imports
	MaxImport      int64 // bytes of a file; 2 GB when zero
	Segments       Segments
	Merger         Merger
	Erasures       Erasures
	Companies      Companies
	Objects        Objects
	Catalogue      Catalogue
	Sending        Sending
	Direct         DirectMessages
	Topics         Topics
	Suppressions   Suppressions
	ConsentChanges ConsentChanges
	Scoring        Scoring
	Numbers        Numbers
	Experiments    Experiments
	Whereabouts    Whereabouts
	Previews       Previews
	TestMails      TestMails
	Brands         Brands
	Glossaries     Glossaries
	Broadcasts     Broadcasts
	Deliverability Deliverability
	Webhooks       Webhooks // may be nil: no mail provider reports anything

	SubjectLines    SubjectLines
	SubjectSettings SubjectSettings

	Logger         *slog.Logger
	Version        string   // of the product, in the OpenAPI document
	TrustedProxies []string // networks whose X-Forwarded-For is believed; none by default
	PublicURL      string   // where the outside reaches us; https turns HSTS on
	Clock          func() time.Time
	Metrics        *prometheus.Registry
	IngestRate     int                                        // events a second that one key may send; 0: the default
	IngestInFlight int                                        // transactions that one key may have at the same time; 0: the default
	KeepIP         bool                                       // keep the visitor's address with an event
	SingleSignOn   *SingleSignOn                              // nil: people log in with keys only
	Examples       fs.FS                                      // journeys to begin with; may be nil
	Designer       http.Handler                               // serves what is not an API route; may be nil
	Readiness      map[string]func(ctx context.Context) error // what /readyz asks
}

// Handler is the whole HTTP surface of the product.
type Handler struct {
	server *server
	engine *gin.Engine
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.engine.ServeHTTP(w, r) }

// Drain waits until the journeys of all accepted events have been poked and the use of keys is noted, or ctx ends. Call it after the
// server has shut down; without it the sweeper does the rest.
func (h *Handler) Drain(ctx context.Context) error {
	return errors.Join(h.server.pokes.drain(ctx), h.server.used.drain(ctx))
}

// server holds what the handlers share. It is made once and only read afterwards.
type server struct {
	Options
	log    *slog.Logger
	now    func() time.Time
	https  bool
	engine *gin.Engine
	huma   huma.API
	access accessTable
	keys   *keyCache
	used   *keyUse
	// sessions are remembered as keys are, and stand for them; sameSite keeps other sites from using them.
	sessions *keyCache
	sameSite *http.CrossOriginProtection
	metrics  *metrics
	pokes    *pokeQueue
	streams  streams
	counted  *glances[journey.Numbers]
	flood    *flood
	tests    *hourly
	browser  browserPaths
	openapi  []byte
}

// requestTimeout bounds the work for one request; the server's write time-out is longer.
const requestTimeout = 30 * time.Second

// New builds the handler.
func New(o Options) (*Handler, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return build(o)
}

// Document is the OpenAPI document, for those who need it without a running server: the pages are built with types made of it.
func Document(version string) ([]byte, error) {
	h, err := build(Options{Version: version})
	if err != nil {
		return nil, err
	}
	return h.server.openapi, nil
}

func build(o Options) (*Handler, error) {
	s := &server{Options: o, log: o.Logger, now: o.Clock, access: accessTable{}, browser: browserPaths{},
		flood: newFlood(o.IngestRate, o.IngestInFlight), tests: newHourly(testMailsAnHour),
		https: strings.HasPrefix(strings.ToLower(o.PublicURL), "https://")}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.Options.Metrics == nil {
		s.Options.Metrics = prometheus.NewRegistry()
	}
	var err error
	if s.metrics, err = newMetrics(s.Options.Metrics); err != nil {
		return nil, err
	}
	if err := errors.Join(s.registerClockLag(), s.registerProviders()); err != nil {
		return nil, err
	}
	s.used = newKeyUse(o.Keys, s.log, s.now)
	s.keys = newKeyCache(o.Keys, s.used.note, s.now)
	s.counted = newGlances[journey.Numbers](s.now)
	s.sessions, s.sameSite = newKeyCache(sessionSource{o.Sessions, s.now}, s.used.note, s.now), http.NewCrossOriginProtection()
	s.pokes = newPokeQueue(o.Poker, s.metrics, s.log)
	if s.engine, err = s.newEngine(); err != nil {
		return nil, err
	}
	s.huma = s.newHuma()
	s.routes()
	if s.openapi, err = s.document(); err != nil {
		return nil, err
	}
	return &Handler{server: s, engine: s.engine}, nil
}

func (o Options) check() error {
	ports := []struct {
		name    string
		missing bool
	}{
		{"Keys", o.Keys == nil},
		{"Sessions", o.Sessions == nil},
		{"Events", o.Events == nil},
		{"Poker", o.Poker == nil},
		{"Journeys", o.Journeys == nil},
		{"Templates", o.Templates == nil},
		{"Snippets", o.Snippets == nil},
		{"Contacts", o.Contacts == nil},
		{"Messages", o.Messages == nil},
		{"Handoffs", o.Handoffs == nil},
		{"Desk", o.Desk == nil},
		{"Unsubscribe", o.Unsubscribe == nil},
		{"Tracking", o.Tracking == nil},
		{"Imports", o.Imports == nil},
		{"Segments", o.Segments == nil},
		{"Merger", o.Merger == nil},
		{"Erasures", o.Erasures == nil},
		{"Companies", o.Companies == nil},
		{"Objects", o.Objects == nil},
		{"Catalogue", o.Catalogue == nil},
		{"Sending", o.Sending == nil},
		{"Direct", o.Direct == nil},
		{"Topics", o.Topics == nil}, {"Suppressions", o.Suppressions == nil},
		{"ConsentChanges", o.ConsentChanges == nil},
		{"Scoring", o.Scoring == nil},
		{"Numbers", o.Numbers == nil},
		{"Experiments", o.Experiments == nil},
		{"Whereabouts", o.Whereabouts == nil},
		{"Previews", o.Previews == nil},
		{"TestMails", o.TestMails == nil},
		{"Brands", o.Brands == nil},
		{"Glossaries", o.Glossaries == nil},
		{"Broadcasts", o.Broadcasts == nil},
		{"SubjectLines", o.SubjectLines == nil},
		{"SubjectSettings", o.SubjectSettings == nil},
		{"Deliverability", o.Deliverability == nil},
	}
	var errs []error
	for _, p := range ports {
		if p.missing {
			errs = append(errs, fmt.Errorf("api: option %s is missing", p.name))
		}
	}
	return errors.Join(errs...)
}

func (s *server) newEngine() (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode) // the process's own switch: else gin prints every route to standard output
	e := gin.New()
	e.UseRawPath = true             // a name with a slash in it (%2F) is one segment of a path
	e.RedirectTrailingSlash = false // a redirect loses the body of a POST
	e.HandleMethodNotAllowed = true
	if err := e.SetTrustedProxies(s.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	// timeout comes before recoverPanics: a panic that unwinds past it cancels the context, as if the client had gone.
	e.Use(identify, s.observe, s.secure, s.allowOrigins, timeout(requestTimeout), s.recoverPanics, refuseBadText, s.authorize)
	e.NoRoute(s.serveDesigner)
	e.NoMethod(func(c *gin.Context) {
		writeProblem(c, newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "This route does not take this method; see Allow."))
	})
	return e, nil
}

func (s *server) routes() {
	s.healthRoutes()
	s.sessionRoutes()
	s.loginRoutes()
	s.keyRoutes()
	s.segmentRoutes()
	s.signalRoutes()
	s.enrollmentRoutes()
	s.journeyRoutes()
	s.numberRoutes()
	s.experimentRoutes()
	s.exampleRoutes()
	s.tryRoutes()
	s.pauseRoutes()
	s.kindRoutes()
	s.sendingRoutes()
	s.deliverabilityRoutes()
	s.providerRoutes()
	s.glossaryRoutes()
	s.subjectRoutes()
	s.directRoutes()
	s.topicRoutes()
	s.suppressionRoutes()
	s.consentRoutes()
	s.templateRoutes()
	s.snippetRoutes()
	s.previewRoutes()
	s.testMailRoutes()
	s.brandRoutes()
	s.contactRoutes()
	s.importRoutes()
	s.messageRoutes()
	s.handoffRoutes()
	s.preferenceRoutes()
	s.mailRoutes()
	s.segmentsRoutes()
	s.mergeRoutes()
	s.eraseRoutes()
	s.companyRoutes()
	s.objectRoutes()
	s.catalogueRoutes()
	s.scoringRoutes()
	s.stageRoutes()
	s.reasonRoutes()
	s.webhookRoutes()
	s.broadcastRoutes()
}

// serveDesigner answers what is no API route: pages for browsers. Below the API's own folders there are none.
func (s *server) serveDesigner(c *gin.Context) {
	get := c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead
	path := c.Request.URL.Path
	if s.Designer == nil || !get || path == "/v1" || slices.ContainsFunc([]string{"/v1/", "/u/", "/s/", "/c/", "/o/"}, func(own string) bool { return strings.HasPrefix(path, own) }) {
		writeProblem(c, notFound())
		return
	}
	c.Status(http.StatusOK) // gin has set 404 already; the designer says what it is
	s.Designer.ServeHTTP(c.Writer, c.Request)
}
