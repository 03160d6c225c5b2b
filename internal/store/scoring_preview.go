package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// impactChunk is how many contacts are scored at a time: what a preview of a model holds in memory.
const impactChunk = 1000

// PreviewModel works out what a candidate would make of all contacts, beside the model that counts. It reads the journal of everybody
// once, a chunk of contacts at a time, and changes nothing. listed bounds the contacts that are named for each stage.
func (s *Store) PreviewModel(ctx context.Context, candidate *sales.Model, listed int, now time.Time) (sales.Impact, error) {
	var impact sales.Impact
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		live, err := loadModel(ctx, q)
		if err != nil {
			return err
		}
		p := &modelPreview{db: tx, q: q, live: live, candidate: candidate, counter: sales.NewImpactCounter(live, candidate, listed), now: now}
		for after := (uuid.UUID{}); ; {
			rows, err := q.ListContactsFrom(ctx, after, impactChunk)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			if err := p.chunk(ctx, rows); err != nil {
				return err
			}
			after = rows[len(rows)-1].ID
		}
		impact = p.counter.Impact()
		return nil
	})
	if ctx.Err() != nil {
		return sales.Impact{}, fault.Wrap(fault.Unavailable, "preview_too_slow",
			"There are too many contacts and events to work this out in time; try again when there is less to do.", ctx.Err())
	}
	return impact, failure("preview scoring model", err)
}

type modelPreview struct {
	db        dbsqlc.DBTX
	q         *dbsqlc.Queries
	live      *sales.Model
	candidate *sales.Model
	counter   *sales.ImpactCounter
	now       time.Time
}

func (p *modelPreview) chunk(ctx context.Context, rows []dbsqlc.Contact) error {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	states, err := foldScores(ctx, p.db, ids, p.candidate, p.now)
	if err != nil {
		return err
	}
	related, err := p.related(ctx, rows, ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		facts, err := related.of(row, p.now)
		if err != nil {
			return err
		}
		after := states[row.ID]
		if err := p.candidate.Rate(&after, facts); err != nil {
			return fmt.Errorf("rate contact %s: %w", row.ID, err)
		}
		var before sales.ScoreState
		if err := json.Unmarshal(row.ScoreState, &before); err != nil {
			return fmt.Errorf("read score of contact %s: %w", row.ID, err)
		}
		p.counter.Add(row.ID.String(), row.Stage, p.live.Worth(before, p.now), p.candidate.Worth(after, p.now))
	}
	return nil
}

// relatedFacts are the companies and objects of a chunk of contacts.
type relatedFacts struct {
	companies map[uuid.UUID]map[string]any
	objects   map[contactName]map[string]any
	kinds     []string
}

func (p *modelPreview) related(ctx context.Context, rows []dbsqlc.Contact, ids []uuid.UUID) (*relatedFacts, error) {
	names := p.candidate.FitNames()
	out := &relatedFacts{companies: map[uuid.UUID]map[string]any{}, objects: map[contactName]map[string]any{}, kinds: names.Objects}
	if names.Company {
		var wanted []uuid.UUID
		for _, row := range rows {
			if row.CompanyID != nil {
				wanted = append(wanted, *row.CompanyID)
			}
		}
		companies, err := p.q.ListCompaniesByID(ctx, wanted)
		if err != nil {
			return nil, failure("read companies", err)
		}
		for _, row := range companies {
			traits, err := decodeObject(row.Traits)
			if err != nil {
				return nil, err
			}
			out.companies[row.ID] = companyFields(row.GroupID, traits, row.Score)
		}
	}
	for _, kind := range names.Objects {
		kinds := make([]string, len(ids))
		for i := range kinds {
			kinds[i] = kind
		}
		objects, err := p.q.NewestObjects(ctx, places(len(ids)), ids, kinds)
		if err != nil {
			return nil, failure("read objects", err)
		}
		for _, row := range objects {
			if out.objects[contactName{ids[row.Place], kind}], err = decodeObject(row.Fields); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (r *relatedFacts) of(row dbsqlc.Contact, now time.Time) (audience.Facts, error) {
	contact, err := contactOf(row)
	if err != nil {
		return nil, err
	}
	f := &stillFacts{contact: contact, objects: map[string]map[string]any{}, now: now}
	if row.CompanyID != nil {
		f.company = r.companies[*row.CompanyID]
	}
	for _, kind := range r.kinds {
		f.objects[kind] = r.objects[contactName{row.ID, kind}]
	}
	return f, nil
}
