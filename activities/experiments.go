package activities

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/report"
)

// assign gives a contact its arm in the experiment of a step, under the contact's lock, and keeps it.
func assign(ctx context.Context, tx ContactTx, versions *Versions, ref StepRef, now time.Time) (journey.Assignment, error) {
	l, err := versions.loaded(ref.Hash)
	if err != nil {
		return journey.Assignment{}, err
	}
	planned, ok := l.def.Experiment(ref.Step)
	if !ok {
		return journey.Assignment{}, fault.New(fault.Invalid, "unknown_step", "The version has no such step.")
	}
	standing, before, err := tx.FindStanding(ctx, planned, now)
	if err != nil {
		return journey.Assignment{}, fmt.Errorf("find standing: %w", err)
	}
	given := planned.Assign(ref.ContactID, standing, before)
	if given.Kept {
		return given, nil
	}
	if err := tx.KeepArm(ctx, planned.ID(), given, now); err != nil {
		return given, fmt.Errorf("keep arm: %w", err)
	}
	return given, nil
}

// withhold keeps a mail that would be sent now from those who are left alone. It is the last thing to be decided, so that both sides are
// contacts who would have got it, from the same moment on.
func (a *Messages) withhold(ctx context.Context, tx ContactTx, in EffectInput, m *email.Message) error {
	l, err := a.Versions.loaded(in.Ref.Hash)
	if err != nil {
		return err
	}
	if _, ok := l.def.Experiment(in.Ref.Step); !ok {
		return nil
	}
	given, err := assign(ctx, tx, a.Versions, in.Ref, m.CreatedAt)
	if err != nil || given.Arm != journey.ArmWithheld {
		return err
	}
	m.Reason, m.Raw, m.Tracked, m.Links = email.ReasonHoldout, nil, false, nil
	return nil
}

// ExperimentStore keeps experiments.
type ExperimentStore interface {
	LiveVersions(ctx context.Context) ([]journey.Version, error)
	FindVersion(ctx context.Context, key string, number int) (journey.Version, error)
	SaveExperiments(ctx context.Context, live []journey.Planned, now time.Time) ([]string, error)
	CompleteExperiment(ctx context.Context, p journey.Planned, versions []int) error
	ExperimentIDs(ctx context.Context) ([]string, error)
	FindExperiment(ctx context.Context, id string) (journey.ExperimentRecord, error)
	ConvertContacts(ctx context.Context, r journey.ExperimentRecord, limit int) ([]string, error)
	CountExperiment(ctx context.Context, id string) ([]journey.ArmTally, []journey.Draw, error)
	SaveLook(ctx context.Context, id string, counts []journey.ArmCount, next *journey.Draw, winner *journey.ExperimentWinner, now time.Time) error
}

// Experiments looks at experiments: it counts, draws weights, and names winners. Whatever it is cut off at, the next look does the same again.
type Experiments struct {
	Store    ExperimentStore
	Contacts Contacts
	Versions *Versions
	Now      Clock

	mu    sync.Mutex
	known []string // hashes of the live versions that were noted last
}

// convertBatch is how many contacts are looked at one by one at once, and convertTurns how often within one look.
const (
	convertBatch = 500
	convertTurns = 20
)

// Note writes which experiments live versions have. It reads nothing but keys as long as the same versions are live.
func (e *Experiments) Note(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	versions, err := e.Store.LiveVersions(ctx)
	if err != nil {
		return fmt.Errorf("list live versions: %w", err)
	}
	hashes := make([]string, len(versions))
	for i, v := range versions {
		hashes[i] = v.Hash
	}
	if e.known != nil && slices.Equal(e.known, hashes) {
		return nil
	}
	live := map[string]journey.Planned{}
	var all []journey.Planned
	for _, v := range versions {
		for _, p := range e.of(v) {
			live[p.ID()] = p
			all = append(all, p)
		}
	}
	incomplete, err := e.Store.SaveExperiments(ctx, all, e.Now())
	if err != nil {
		return fmt.Errorf("save experiments: %w", err)
	}
	for _, id := range incomplete {
		if err := e.complete(ctx, live[id], versions); err != nil {
			return err
		}
	}
	e.known = hashes
	return nil
}

// of lists the experiments of a version. One that can't be read any more has none.
func (e *Experiments) of(v journey.Version) []journey.Planned {
	def, problems := journey.Parse(v.Document)
	if fault.HasErrors(problems) {
		return nil
	}
	return def.Experiments()
}

// complete takes in those who went through an experiment before contacts were kept by experiment.
func (e *Experiments) complete(ctx context.Context, p journey.Planned, live []journey.Version) error {
	newest := 0
	for _, v := range live {
		if v.Journey == p.Journey {
			newest = v.Number
		}
	}
	var same []int
	for number := 1; number <= newest; number++ {
		v, err := e.Store.FindVersion(ctx, p.Journey, number)
		if err != nil {
			return fmt.Errorf("find version: %w", err)
		}
		if slices.ContainsFunc(e.of(v), func(other journey.Planned) bool { return other.ID() == p.ID() }) {
			same = append(same, number)
		}
	}
	if err := e.Store.CompleteExperiment(ctx, p, same); err != nil {
		return fmt.Errorf("complete experiment: %w", err)
	}
	return nil
}

// All lists the experiments that there are.
func (e *Experiments) All(ctx context.Context) ([]string, error) {
	ids, err := e.Store.ExperimentIDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list experiments: %w", err)
	}
	return ids, nil
}

// Look counts an experiment and does what follows. It tells in words what was decided, if something was.
func (e *Experiments) Look(ctx context.Context, id string) (string, error) {
	r, err := e.Store.FindExperiment(ctx, id)
	if err != nil {
		return "", fmt.Errorf("find experiment: %w", err)
	}
	now := e.Now()
	if err := e.convert(ctx, r); err != nil {
		return "", err
	}
	tallies, draws, err := e.Store.CountExperiment(ctx, id)
	if err != nil {
		return "", fmt.Errorf("count experiment: %w", err)
	}
	counts := r.CountArms(tallies, draws)
	var winner *journey.ExperimentWinner
	if arm := r.Decide(counts); r.Live && r.Winner == nil && arm != report.NoWinner {
		winner = &journey.ExperimentWinner{Port: strconv.Itoa(arm), Since: now, By: journey.ByThroughline}
	}
	var next *journey.Draw
	if r.Winner == nil && winner == nil {
		next = r.NextDraw(counts, r.Draw, now)
	}
	if winner == nil && next == nil && slices.Equal(counts, r.Counts) && r.CountedAt != nil {
		if r.Within == 0 || now.Sub(*r.CountedAt) < time.Hour { // which events are too old to look at is worth a write now and then
			return "", nil
		}
	}
	if err := e.Store.SaveLook(ctx, id, counts, next, winner, now); err != nil {
		return "", fmt.Errorf("save look: %w", err)
	}
	if winner == nil {
		return "", nil
	}
	r.Counts = counts
	return r.Show().Verdict.Sentence, nil
}

// convert finds who has reached the goal since.
func (e *Experiments) convert(ctx context.Context, r journey.ExperimentRecord) error {
	for range convertTurns {
		contacts, err := e.Store.ConvertContacts(ctx, r, convertBatch)
		if err != nil {
			return fmt.Errorf("convert contacts: %w", err)
		}
		for _, id := range contacts {
			if err := e.convertOne(ctx, r, id); err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
		}
		if len(contacts) < convertBatch {
			return nil
		}
	}
	return nil
}

// convertOne judges the events of a contact by a goal that has a condition. The contact's own facts are those of now.
func (e *Experiments) convertOne(ctx context.Context, r journey.ExperimentRecord, contactID string) error {
	return e.Contacts.InContact(ctx, contactID, func(ctx context.Context, tx ContactTx) error {
		if tx.Contact().ID != contactID {
			return nil // merged meanwhile: the next look finds it under its other name
		}
		_, had, err := tx.FindStanding(ctx, r.Planned, e.Now())
		if err != nil || had == nil || had.Converted {
			return err
		}
		looked := had.Looked
		for {
			events, err := tx.EventsAfter(ctx, looked, r.Conditional(), guardPage)
			if err != nil {
				return fmt.Errorf("read events: %w", err)
			}
			for _, event := range events {
				looked = event.Seq
				if !event.ReceivedAt.After(had.At) || r.Within > 0 && event.ReceivedAt.After(had.At.Add(r.Within)) {
					continue
				}
				for _, goal := range r.Goals {
					if goal.Event != event.Name || goal.When == "" {
						continue
					}
					verdict, err := e.Versions.holds(goal.When, tx.Facts(ctx, &event, e.Now()))
					if err != nil {
						return err
					}
					if verdict.Holds {
						return tx.SetConverted(ctx, r.ID(), &event.ReceivedAt, looked)
					}
				}
			}
			if len(events) < guardPage {
				return tx.SetConverted(ctx, r.ID(), nil, looked)
			}
		}
	})
}
