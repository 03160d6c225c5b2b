package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"throughline.dev/throughline/internal/email/doctor"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
)

// deliverabilityPort looks at how this process sends mail, one look at a time.
type deliverabilityPort struct {
	*store.Store
	checkup func(context.Context) *doctor.Checkup
	looking sync.Mutex
}

// LastCheck reads what was found last.
func (p *deliverabilityPort) LastCheck(ctx context.Context) (*doctor.Report, error) {
	raw, err := p.FindDeliverabilityCheck(ctx)
	if err != nil || raw == nil {
		return nil, err //nolint:wrapcheck // the api says what it was about
	}
	var report doctor.Report
	if err := json.Unmarshal(raw, &report); err != nil {
		return nil, fmt.Errorf("decode the last check: %w", err)
	}
	return &report, nil
}

// Check looks and keeps what it finds.
func (p *deliverabilityPort) Check(ctx context.Context, now time.Time) (doctor.Report, error) {
	if !p.looking.TryLock() {
		return doctor.Report{}, fault.New(fault.Conflict, "check_running", "Another look goes on. Its result is there in a moment.")
	}
	defer p.looking.Unlock()
	report := p.checkup(ctx).Run(ctx, now)
	raw, err := json.Marshal(report)
	if err != nil {
		return report, fmt.Errorf("encode check: %w", err)
	}
	return report, p.SaveDeliverabilityCheck(ctx, now, raw) //nolint:wrapcheck // as above
}
