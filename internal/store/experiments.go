package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// whenever is the time, in seconds, that a goal without an end counts: longer than anybody keeps anything.
const whenever = 100 * 365 * 24 * 3600.0

// FindStanding finds how an experiment stands, and what the contact was given in it before (nil: nothing). The first contact begins it.
func (tx *ContactTx) FindStanding(ctx context.Context, p journey.Planned, now time.Time) (journey.Standing, *journey.Assigned, error) {
	id := p.ID()
	row, err := tx.q.FindArm(ctx, tx.id, id)
	if isNoRows(err) {
		plan, err := planOf(p)
		if err != nil {
			return journey.Standing{}, nil, err
		}
		return journey.Standing{}, nil, failure("begin experiment", tx.q.BeginExperiment(ctx, dbsqlc.BeginExperimentParams{
			ID: id, Journey: p.Journey, Step: p.Step, Design: plan, Automatic: p.Automatic, Thompson: p.Thompson, Floor: int32(p.Floor), Now: now,
		}))
	}
	if err != nil {
		return journey.Standing{}, nil, failure("find standing", err)
	}
	standing := journey.Standing{Winner: winnerOf(row.Winner, row.WinnerAt, row.WinnerBy), Revision: row.Revision}
	if row.Seed != nil && row.DrawnAt != nil {
		if standing.Draw, err = drawOf(dbsqlc.ExperimentDraw{Draw: row.Draw, Weights: row.Weights, Seed: *row.Seed, Arms: row.Arms, At: *row.DrawnAt}); err != nil {
			return standing, nil, err
		}
	}
	if row.HadArm == nil {
		return standing, nil, nil
	}
	return standing, &journey.Assigned{Arm: int(*row.HadArm), At: *row.HadAt, Looked: *row.Looked, Converted: row.ConvertedAt != nil}, nil
}

// KeepArm writes what the contact was given in an experiment; of what comes after, the goal may be.
func (tx *ContactTx) KeepArm(ctx context.Context, experiment string, a journey.Assignment, now time.Time) error {
	return failure("keep arm", tx.q.InsertExperimentContact(ctx, dbsqlc.InsertExperimentContactParams{
		Experiment: experiment, ContactID: tx.id, Arm: int32(a.Arm), Draw: int32(a.Draw), Counted: a.Counted, At: now, Looked: tx.LastSeq(),
	}))
}

// SetConverted writes that the contact has reached an experiment's goal (nil: not yet), and which of its events are known.
func (tx *ContactTx) SetConverted(ctx context.Context, experiment string, at *time.Time, looked int64) error {
	return failure("set converted", tx.q.SetConverted(ctx, dbsqlc.SetConvertedParams{ConvertedAt: at, Looked: looked, Experiment: experiment, ContactID: tx.id}))
}

// SaveExperiments writes which experiments are in live versions, and how they are run. It lists those that do not know yet who came before
// them.
func (s *Store) SaveExperiments(ctx context.Context, live []journey.Planned, now time.Time) ([]string, error) {
	ids, incomplete := []string{}, []string{}
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		for _, p := range live {
			plan, err := planOf(p)
			if err != nil {
				return err
			}
			id := p.ID()
			complete, err := q.SaveExperiment(ctx, dbsqlc.SaveExperimentParams{
				ID: id, Journey: p.Journey, Step: p.Step, Design: plan, Automatic: p.Automatic, Thompson: p.Thompson, Floor: int32(p.Floor), Now: now,
			})
			if err != nil {
				return err
			}
			if ids = append(ids, id); !complete {
				incomplete = append(incomplete, id)
			}
		}
		return q.RetireExperiments(ctx, ids)
	})
	return incomplete, failure("save experiments", err)
}

// CompleteExperiment takes in who went through the split of some versions before contacts were kept by experiment. Done again, it changes nothing.
func (s *Store) CompleteExperiment(ctx context.Context, p journey.Planned, versions []int) error {
	numbers := make([]int32, len(versions))
	for i, v := range versions {
		numbers[i] = int32(v)
	}
	return failure("complete experiment", s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if p.Kind == journey.KindSplit {
			if err := q.CompleteSplit(ctx, dbsqlc.CompleteSplitParams{Experiment: p.ID(), Journey: p.Journey, Step: p.Step, Versions: numbers}); err != nil {
				return err
			}
		}
		return q.SetExperimentComplete(ctx, p.ID())
	}))
}

// ExperimentIDs lists all experiments, the oldest first.
func (s *Store) ExperimentIDs(ctx context.Context) ([]string, error) {
	ids, err := s.q.ListExperimentIDs(ctx)
	return ids, failure("list experiments", err)
}

// ConvertContacts finds who has reached a goal that has no condition, and tells whose events may have reached one that has: those are looked
// at one by one.
func (s *Store) ConvertContacts(ctx context.Context, r journey.ExperimentRecord, limit int) ([]string, error) {
	id, within, after := r.ID(), whenever, time.Time{}
	if r.Within > 0 {
		within = r.Within.Seconds()
		if r.CountedAt != nil {
			after = r.CountedAt.Add(-r.Within - lateCommit)
		}
	}
	if goals := r.Unconditional(); len(goals) > 0 || r.Own {
		if _, err := s.q.ConvertContacts(ctx, dbsqlc.ConvertContactsParams{
			Experiment: id, Goals: goals, Within: within, Own: r.Own, Journey: r.Journey, AssignedAfter: after,
		}); err != nil {
			return nil, failure("convert contacts", err)
		}
	}
	names := r.Conditional()
	if len(names) == 0 {
		return nil, nil
	}
	rows, err := s.q.ListMaybeConverted(ctx, dbsqlc.ListMaybeConvertedParams{Experiment: id, AssignedAfter: after, Names: names, Within: within, MaxRows: int32(limit)})
	if err != nil {
		return nil, failure("list contacts that may have reached a goal", err)
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.String()
	}
	return ids, nil
}

// lateCommit is how much later than it was received an event may be seen: a window that has closed is looked at for that long.
const lateCommit = 10 * time.Minute

// CountExperiment counts the contacts of an experiment, by arm and by the draw that gave it to them; with all draws.
func (s *Store) CountExperiment(ctx context.Context, id string) ([]journey.ArmTally, []journey.Draw, error) {
	rows, err := s.q.CountExperiment(ctx, id)
	if err != nil {
		return nil, nil, failure("count experiment", err)
	}
	tallies := converted(rows, func(row dbsqlc.CountExperimentRow) journey.ArmTally {
		return journey.ArmTally{Arm: int(row.Arm), Draw: int(row.Draw), Entered: row.Entered, Converted: row.Converted}
	})
	drawn, err := s.q.ListDraws(ctx, id)
	if err != nil {
		return nil, nil, failure("list draws", err)
	}
	draws := make([]journey.Draw, len(drawn))
	for i, row := range drawn {
		draw, err := drawOf(row)
		if err != nil {
			return nil, nil, err
		}
		draws[i] = *draw
	}
	return tallies, draws, nil
}

// SaveLook writes what was counted at one look, and what follows from it: the next draw, if any, and the winner, if there is one and none was
// before. Two who look at the same time write the same.
func (s *Store) SaveLook(ctx context.Context, id string, counts []journey.ArmCount, next *journey.Draw, winner *journey.ExperimentWinner, now time.Time) error {
	arms, err := json.Marshal(counts)
	if err != nil {
		return fmt.Errorf("save look: %w", err)
	}
	return failure("save look", s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.SaveLook(ctx, arms, now, id); err != nil {
			return err
		}
		if next != nil {
			if err := insertDraw(ctx, q, id, *next); err != nil {
				return err
			}
		}
		if winner == nil {
			return nil
		}
		_, err := setWinner(ctx, q, id, *winner, nil, true)
		if isNoRows(err) {
			return nil // somebody was quicker
		}
		return err
	}))
}

func insertDraw(ctx context.Context, q *dbsqlc.Queries, id string, next journey.Draw) error {
	weights, err := json.Marshal(next.Weights)
	if err != nil {
		return err
	}
	arms, err := json.Marshal(next.Arms)
	if err != nil {
		return err
	}
	n, err := q.InsertDraw(ctx, dbsqlc.InsertDrawParams{Experiment: id, Draw: int32(next.Number), Weights: weights, Seed: next.Seed, Arms: arms, Now: next.At})
	if err != nil || n == 0 {
		return err
	}
	return q.SetDraw(ctx, int32(next.Number), id)
}

func setWinner(ctx context.Context, q *dbsqlc.Queries, id string, w journey.ExperimentWinner, expected *int64, onlyFirst bool) (dbsqlc.Experiment, error) {
	arm, err := strconv.ParseInt(w.Port, 10, 32)
	if err != nil {
		return dbsqlc.Experiment{}, fault.New(fault.Invalid, "unknown_variant", "The experiment has no such variant.")
	}
	row, err := q.SetWinner(ctx, dbsqlc.SetWinnerParams{Arm: int32(arm), Now: w.Since, By: clean(w.By), ID: id, Expected: expected, OnlyFirst: onlyFirst})
	if err != nil {
		return row, err
	}
	return row, q.InsertWinner(ctx, dbsqlc.InsertWinnerParams{Experiment: id, Revision: row.Revision, Arm: int32(arm), By: clean(w.By), Now: w.Since})
}

// ChooseWinner gives an arm to all new contacts, because somebody says so. With an expected revision, a choice over somebody else's is refused
// as a Conflict.
func (s *Store) ChooseWinner(ctx context.Context, id string, w journey.ExperimentWinner, expected *int64) (journey.ExperimentRecord, error) {
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		_, err := setWinner(ctx, q, id, w, expected, false)
		return err
	})
	if isNoRows(err) {
		if _, err := s.FindExperiment(ctx, id); err != nil {
			return journey.ExperimentRecord{}, err
		}
		return journey.ExperimentRecord{}, fault.New(fault.Conflict, "stale_revision", "A winner was chosen meanwhile. Load the experiment again.")
	}
	if err != nil {
		return journey.ExperimentRecord{}, failure("choose winner", err)
	}
	return s.FindExperiment(ctx, id)
}

// FindExperiment finds what is kept of an experiment.
func (s *Store) FindExperiment(ctx context.Context, id string) (journey.ExperimentRecord, error) {
	found, err := s.experimentsOf(ctx, []string{clean(id)})
	if err != nil {
		return journey.ExperimentRecord{}, err
	}
	if len(found) == 0 {
		return journey.ExperimentRecord{}, fault.New(fault.NotFound, "experiment_not_found", "There is no such experiment.")
	}
	return found[0], nil
}

func (s *Store) experimentsOf(ctx context.Context, ids []string) ([]journey.ExperimentRecord, error) {
	rows, err := s.q.ListExperimentsOf(ctx, ids)
	if err != nil {
		return nil, failure("find experiments", err)
	}
	return withDraws(ctx, s.q, rows)
}

// ListExperiments lists experiments, the newest first: of one journey, or (empty) of all.
func (s *Store) ListExperiments(ctx context.Context, journeyKey, cursor string, limit int) (Page[journey.ExperimentRecord], error) {
	before, err := parseBefore(cursor, 64)
	if err != nil {
		return Page[journey.ExperimentRecord]{}, err
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListExperiments(ctx, before, clean(journeyKey), int32(limit+1))
	if err != nil {
		return Page[journey.ExperimentRecord]{}, failure("list experiments", err)
	}
	records, err := withDraws(ctx, s.q, rows)
	if err != nil {
		return Page[journey.ExperimentRecord]{}, err
	}
	same := func(r journey.ExperimentRecord) (journey.ExperimentRecord, error) { return r, nil }
	return page(records, limit, same, func(r journey.ExperimentRecord) string { return strconv.FormatInt(r.Number, 10) })
}

func withDraws(ctx context.Context, q *dbsqlc.Queries, rows []dbsqlc.Experiment) ([]journey.ExperimentRecord, error) {
	var drawn []string
	for _, row := range rows {
		if row.Draw > 0 {
			drawn = append(drawn, row.ID)
		}
	}
	draws := map[string]*journey.Draw{}
	if len(drawn) > 0 {
		found, err := q.ListNewestDraws(ctx, drawn)
		if err != nil {
			return nil, failure("find draws", err)
		}
		for _, row := range found {
			if draws[row.Experiment], err = drawOf(row); err != nil {
				return nil, err
			}
		}
	}
	records := make([]journey.ExperimentRecord, len(rows))
	for i, row := range rows {
		r, err := experimentOf(row)
		if err != nil {
			return nil, err
		}
		r.Draw = draws[row.ID]
		records[i] = r
	}
	return records, nil
}

func experimentOf(row dbsqlc.Experiment) (journey.ExperimentRecord, error) {
	r := journey.ExperimentRecord{
		Standing: journey.Standing{Winner: winnerOf(row.Winner, row.WinnerAt, row.WinnerBy), Revision: row.Revision},
		Number:   row.Number, Live: row.Live, BegunAt: row.BegunAt, CountedAt: row.LookedAt,
	}
	err := errors.Join(json.Unmarshal(row.Design, &r.Design), json.Unmarshal(row.Arms, &r.Counts))
	if err != nil {
		return r, fmt.Errorf("decode experiment %s: %w", row.ID, err)
	}
	r.Automatic, r.Thompson, r.Floor = row.Automatic, row.Thompson, int(row.Floor)
	return r, nil
}

func winnerOf(arm *int32, at *time.Time, by string) *journey.ExperimentWinner {
	if arm == nil || at == nil {
		return nil
	}
	return &journey.ExperimentWinner{Port: strconv.Itoa(int(*arm)), Since: *at, By: by}
}

func drawOf(row dbsqlc.ExperimentDraw) (*journey.Draw, error) {
	d := journey.Draw{Number: int(row.Draw), Seed: row.Seed, At: row.At}
	if err := errors.Join(json.Unmarshal(row.Weights, &d.Weights), json.Unmarshal(row.Arms, &d.Arms)); err != nil {
		return nil, fmt.Errorf("decode draw %d: %w", row.Draw, err)
	}
	return &d, nil
}

func planOf(p journey.Planned) (json.RawMessage, error) {
	raw, err := json.Marshal(p.Design)
	if err != nil {
		return nil, fmt.Errorf("encode experiment: %w", err)
	}
	return raw, nil
}
