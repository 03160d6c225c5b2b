package api

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const clockLagTimeout = 2 * time.Second

// registerClockLag shows how late the clock job is: what time alone changes about contacts is a promise to the minute.
func (s *server) registerClockLag() error {
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "throughline_clock_lag_seconds", Help: "How late the most overdue contact is of those that time alone moves into and out of segments.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), clockLagTimeout) //nolint:forbidigo // a collector is given no context
		defer cancel()
		lag, err := s.Segments.ClockLag(ctx, s.now())
		if err != nil {
			return math.NaN()
		}
		return lag.Seconds()
	})
	if err := s.Options.Metrics.Register(gauge); err != nil {
		return fmt.Errorf("register metric: %w", err)
	}
	return nil
}
