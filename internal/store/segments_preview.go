package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
	"throughline.dev/throughline/internal/store/segmentsql"
)

// previewPatience bounds what a look at a segment that is not there yet may cost.
const previewPatience = 10 * time.Second

const previewChunk = 1000 // contacts judged at once

var errPreviewPatience = errors.New("a preview took too long")

// PreviewSegment tells how many contacts a condition holds for now, and gives the newest of them. PostgreSQL answers; whom its query leaves
// open is judged by the very code that keeps membership. Nothing is written. One that takes too long is a fault (preview_too_slow).
func (s *Store) PreviewSegment(ctx context.Context, source string, now time.Time, limit int) (int64, []audience.Contact, error) {
	condition, err := audience.CompileSegment(source)
	if err != nil {
		return 0, nil, err
	}
	patient, cancel := context.WithTimeoutCause(ctx, previewPatience, errPreviewPatience)
	defer cancel()
	p := &preview{limit: clampLimit(limit), now: now, segment: &liveSegment{key: "preview", condition: condition, names: condition.Names()}}
	err = s.onConnection(patient, "preview segment", func(conn *pgxpool.Conn) error { return p.run(patient, s, conn) })
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(patient), errPreviewPatience) {
		return 0, nil, fault.New(fault.Unavailable, "preview_too_slow", "The preview took longer than ten seconds. The segment itself can be saved: it is filled step by step.")
	}
	if err != nil {
		return 0, nil, failure("preview segment", err)
	}
	return int64(len(p.members)), p.newest, nil
}

type preview struct {
	segment *liveSegment
	now     time.Time
	limit   int
	members []uuid.UUID
	newest  []audience.Contact
}

func (p *preview) run(ctx context.Context, s *Store, conn *pgxpool.Conn) error {
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
	open, err := p.ask(ctx, conn, segmentsql.Compile(p.segment.condition, only.model, p.now))
	if err != nil {
		return err
	}
	for ids := range slices.Chunk(open, previewChunk) {
		if err := p.judge(ctx, conn, only, ids); err != nil {
			return err
		}
	}
	return p.show(ctx, q)
}

// ask takes in whom the condition surely holds for, and gives those for whom it may.
func (p *preview) ask(ctx context.Context, conn *pgxpool.Conn, query segmentsql.Query) ([]uuid.UUID, error) {
	// A statement of its own each time: kept plans are made for the average of arguments, and there is nothing to keep them for.
	rows, err := conn.Query(ctx, query.SQL, append([]any{pgx.QueryExecModeDescribeExec}, query.Args...)...)
	if err != nil {
		return nil, err
	}
	var open []uuid.UUID
	var id uuid.UUID
	var left bool
	_, err = pgx.ForEachRow(rows, []any{&id, &left}, func() error {
		if left {
			open = append(open, id)
		} else {
			p.members = append(p.members, id)
		}
		return nil
	})
	return open, err
}

func (p *preview) judge(ctx context.Context, conn *pgxpool.Conn, only *rules, ids []uuid.UUID) error {
	rows, err := dbsqlc.New(conn).ListContactsOf(ctx, ids)
	if err != nil {
		return err
	}
	d := &derivation{rules: only, now: p.now}
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
		if standing.Holds {
			p.members = append(p.members, subject.row.ID)
		}
	}
	return nil
}

// show reads the newest members. Ids grow with time.
func (p *preview) show(ctx context.Context, q *dbsqlc.Queries) error {
	slices.SortFunc(p.members, func(a, b uuid.UUID) int { return bytes.Compare(b[:], a[:]) })
	rows, err := q.ListContactsOf(ctx, p.members[:min(len(p.members), p.limit)])
	if err != nil {
		return err
	}
	for _, row := range rows {
		contact, err := contactOf(row)
		if err != nil {
			return err
		}
		p.newest = append(p.newest, contact)
	}
	return nil
}
