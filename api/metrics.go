package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what the API counts. Labels come from closed lists: route templates, never paths.
type metrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	events    *prometheus.CounterVec
	pokes     *prometheus.CounterVec
	handler   http.Handler
}

// What became of an event on its way in.
const (
	eventAccepted  = "accepted"
	eventDuplicate = "duplicate"
	eventRefused   = "refused" // the sender's mistake; the reason says which
	eventIgnored   = "ignored" // a type that nothing uses yet
)

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "throughline_http_requests_total", Help: "HTTP requests by route template.",
		}, []string{"method", "route", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "throughline_http_request_duration_seconds", Help: "Time to answer, by route template.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "throughline_events_total", Help: "Events that came in, by what became of them.",
		}, []string{"outcome", "reason"}),
		pokes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "throughline_pokes_total", Help: "Journeys to wake after a commit: done, or failed or dropped, and left to the sweeper.",
		}, []string{"outcome"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.durations, m.events, m.pokes} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metric: %w", err)
		}
	}
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m, nil
}

func (m *metrics) request(verb, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method(verb), route, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(method(verb), route).Observe(took.Seconds())
}

func (m *metrics) event(outcome, reason string, n int) {
	if n > 0 {
		m.events.WithLabelValues(outcome, reason).Add(float64(n))
	}
}

func (m *metrics) poke(outcome string) { m.pokes.WithLabelValues(outcome).Inc() }
