package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// previewPatience bounds what a look at a segment that is not there yet may cost.
const previewPatience = 10 * time.Second

const previewChunk = 1000 // contacts judged at once

var errPreviewPatience = errors.New("a preview took too long")

// PreviewSegment tells how many contacts a condition holds for now, and gives the newest of them. It judges everybody by the very code that
// keeps membership, and writes nothing. One that takes too long is a fault (preview_too_slow).
func (s *Store) PreviewSegment(ctx context.Context, source string, now time.Time, limit int) (int64, []audience.Contact, error) {
	condition, err := audience.CompileSegment(source)
	if err != nil {
		return 0, nil, err
	}
	patient, cancel := context.WithTimeoutCause(ctx, previewPatience, errPreviewPatience)
	defer cancel()
	p := &preview{limit: clampLimit(limit), segment: &liveSegment{key: "preview", condition: condition, names: condition.Names()}}
	err = s.onConnection(patient, "preview segment", func(conn *pgxpool.Conn) error { return p.run(patient, s, conn, now) })
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(patient), errPreviewPatience) {
		return 0, nil, fault.New(fault.Unavailable, "preview_too_slow", "The preview took longer than ten seconds. The segment itself can be saved: it is filled step by step.")
	}
	if err != nil {
		return 0, nil, failure("preview segment", err)
	}
	return p.count, p.newest, nil
}

type preview struct {
	segment *liveSegment
	limit   int
	count   int64
	newest  []audience.Contact
}

func (p *preview) run(ctx context.Context, s *Store, conn *pgxpool.Conn, now time.Time) error {
	q := dbsqlc.New(conn)
	revision, err := q.RulesRevision(ctx)
	if err != nil {
		return err
	}
	live, err := s.liveRules(ctx, q, revision)
	if err != nil {
		return err
	}
	only := &rules{model: live.model, segments: []*liveSegment{p.segment}}
	for after := (uuid.UUID{}); ; {
		rows, err := q.ListContactsByID(ctx, after, previewChunk)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := p.judge(ctx, conn, only, rows, now); err != nil {
			return err
		}
		after = rows[len(rows)-1].ID
	}
}

func (p *preview) judge(ctx context.Context, conn *pgxpool.Conn, only *rules, rows []dbsqlc.Contact, now time.Time) error {
	d := &derivation{rules: only, now: now}
	for _, row := range rows {
		subject := newSubject(row)
		subject.news.everything = true
		d.subjects = append(d.subjects, subject)
	}
	if err := d.load(ctx, conn); err != nil {
		return err
	}
	for _, subject := range d.subjects {
		standing, err := p.segment.condition.Stands(&subjectFacts{d: d, s: subject})
		if err != nil {
			return err
		}
		if !standing.Holds {
			continue
		}
		p.count++
		contact, err := subject.contact()
		if err != nil {
			return err
		}
		// Ids grow with time, so the last ones are the newest.
		p.newest = append([]audience.Contact{contact}, p.newest[:min(len(p.newest), p.limit-1)]...)
	}
	return nil
}
