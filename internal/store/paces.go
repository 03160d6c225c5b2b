package store

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// forgetPaces is how long it is kept that a provider asked us to slow down.
const forgetPaces = 30 * 24 * time.Hour

// ListPaces lists the providers that have asked us to slow down, also those that get all of their mail again.
func (s *Store) ListPaces(ctx context.Context) ([]email.Pace, error) {
	rows, err := s.q.ListPaces(ctx)
	if err != nil {
		return nil, failure("list paces", err)
	}
	paces := make([]email.Pace, len(rows))
	for i, row := range rows {
		paces[i] = paceOf(row)
	}
	return paces, nil
}

// SlowPace notes that a provider has asked to slow down, and tells what it gets from now on. Processes that hear so at the same time are one
// after the other here, so that one request counts once.
func (s *Store) SlowPace(ctx context.Context, provider string, observed, limit float64, d email.Delivery, now time.Time) (email.Pace, error) {
	var pace email.Pace
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		row, err := q.LockPace(ctx, provider, now)
		if err != nil {
			return err
		}
		before := paceOf(row)
		pace = before.Slowed(observed, limit, d, now)
		if pace.SlowDowns == before.SlowDowns {
			return nil
		}
		if err := q.ForgetPaces(ctx, now.Add(-forgetPaces)); err != nil {
			return err
		}
		return q.SavePace(ctx, dbsqlc.SavePaceParams{
			Provider: provider, Rate: pace.Rate, Ceiling: pace.Ceiling, SlowedAt: pace.SlowedAt, SlowDowns: pace.SlowDowns, Code: int32(pace.Code),
			EnhancedCode: clean(pace.Enhanced), NextTurn: now.Add(time.Duration(float64(time.Minute) / pace.Rate)),
		})
	})
	return pace, failure("slow down", err)
}

// LeaseTurns takes the next n turns of a provider, each gap after the one before. There are none while those up to the horizon are taken.
func (s *Store) LeaseTurns(ctx context.Context, provider string, n int, gap time.Duration, horizon, now time.Time) (time.Time, bool, error) {
	taken := time.Duration(n) * gap
	params := dbsqlc.LeaseTurnsParams{Provider: provider, Now: now, Taken: taken.Seconds(), Horizon: horizon}
	next, err := s.q.LeaseTurns(ctx, params)
	if isNoRows(err) { // none are left, or nobody has asked before
		if err = s.q.AddPace(ctx, provider, now); err == nil {
			next, err = s.q.LeaseTurns(ctx, params)
		}
	}
	if isNoRows(err) {
		return time.Time{}, false, nil
	}
	return next.Add(-taken), err == nil, failure("lease turns", err)
}

// NoteWait notes that a mail waits for its turn, and why.
func (s *Store) NoteWait(ctx context.Context, id, provider string, until time.Time) error {
	parsed, err := parseID(id)
	if err != nil {
		return messageNotFound("note wait", err)
	}
	return failure("note wait", s.q.NoteWait(ctx, dbsqlc.NoteWaitParams{MessageID: parsed, Provider: provider, Until: until, Reason: email.ReasonPaced}))
}

// waitOf tells for what turn a message waits, nil when it does not.
func (s *Store) waitOf(ctx context.Context, m email.Message) (*email.Wait, error) {
	if m.State != email.Queued && m.State != email.Deferred {
		return nil, nil //nolint:nilnil // it does not wait
	}
	id, err := parseID(m.ID)
	if err != nil {
		return nil, err
	}
	row, err := s.q.FindWait(ctx, id)
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // as above
	}
	return &email.Wait{Provider: row.Provider, Until: row.Until}, failure("find wait", err)
}

// ListProviders lists the providers that asked to slow down or whose mail waits, with how many mails wait.
func (s *Store) ListProviders(ctx context.Context, now time.Time) ([]email.ProviderPace, error) {
	paces, err := s.ListPaces(ctx)
	if err != nil {
		return nil, err
	}
	// Who waits comes back now and then: a wait that ended just now is still one.
	waits, err := s.q.CountWaits(ctx, now.Add(-time.Minute))
	if err != nil {
		return nil, failure("count waits", err)
	}
	waiting := map[string]int64{}
	for _, row := range waits {
		waiting[row.Provider] = row.Waiting
	}
	out := make([]email.ProviderPace, len(paces))
	for i, pace := range paces {
		out[i] = email.ProviderPace{Pace: pace, Waiting: waiting[pace.Provider]}
		delete(waiting, pace.Provider)
	}
	for _, row := range waits {
		if n, ok := waiting[row.Provider]; ok {
			out = append(out, email.ProviderPace{Pace: email.Pace{Provider: row.Provider}, Waiting: n})
		}
	}
	return out, nil
}

func paceOf(row dbsqlc.ProviderPace) email.Pace {
	return email.Pace{
		Provider: row.Provider, Rate: row.Rate, Ceiling: row.Ceiling, SlowedAt: row.SlowedAt, SlowDowns: row.SlowDowns, Code: int(row.Code), Enhanced: row.EnhancedCode,
	}
}
