package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

const (
	importBatch  = 500
	importSample = 20
)

// importRun takes a file in, batch by batch. Each batch goes through the ingestion of events like any other call, and is then noted: a
// batch whose note was lost is sent again and recognised by its message ids, so that an upload may break off anywhere.
type importRun struct {
	server *server
	found  audience.Import
	reader *audience.ImportReader
	sample []ImportSample
}

func (r *importRun) whole(ctx context.Context) (ImportResult, error) {
	if err := r.begin(ctx); err != nil {
		return ImportResult{}, err
	}
	from := r.found.Bytes
	for {
		rows, last, err := r.read()
		if err != nil {
			return ImportResult{}, fmt.Errorf("read file: %w", err)
		}
		to := r.reader.Mark()
		if len(rows) > 0 || to.Offset > from {
			if err := r.step(ctx, rows, from, to); err != nil {
				return ImportResult{}, err
			}
			from = to.Offset
		}
		if last {
			break
		}
	}
	done, err := r.server.Imports.FinishImport(ctx, r.found.ID, r.server.now())
	if err != nil {
		return ImportResult{}, fmt.Errorf("finish import: %w", err)
	}
	return ImportResult{Import: done, Columns: r.reader.Columns(), Sample: r.sample}, nil
}

// read takes the next rows out of the file; last tells that there are no more.
func (r *importRun) read() (rows []audience.ImportRow, last bool, err error) {
	for len(rows) < importBatch {
		row, err := r.reader.Next()
		if errors.Is(err, io.EOF) {
			return rows, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, row)
	}
	return rows, false, nil
}

func (r *importRun) step(ctx context.Context, rows []audience.ImportRow, from int64, to audience.ImportMark) error {
	ctx, cancel := context.WithTimeoutCause(ctx, requestTimeout, errTooSlow)
	defer cancel()
	step := audience.ImportStep{From: from, To: to, Counts: audience.ImportCounts{Rows: int64(len(rows))}, Since: map[string]time.Time{}}
	step.Addresses = addressesOf(rows)
	good := make([]audience.ImportRow, 0, len(rows))
	for _, row := range rows {
		if len(row.Problems) > 0 {
			step.Problems = append(step.Problems, row.Problems...)
			step.Counts.Rejected++
			continue
		}
		good = append(good, row)
	}
	take := r.ingest
	if r.found.DryRun {
		take = r.pretend
	}
	if err := take(ctx, good, &step); err != nil {
		return err
	}
	if err := r.server.Imports.AdvanceImport(ctx, r.found.ID, step, r.server.now()); err != nil {
		return fmt.Errorf("advance import: %w", err)
	}
	return nil
}

// pretend counts what ingestion would do.
func (r *importRun) pretend(ctx context.Context, rows []audience.ImportRow, step *audience.ImportStep) error {
	known, err := r.server.Imports.KnownPeople(ctx, eventsOf(rows))
	if err != nil {
		return fmt.Errorf("look for known people: %w", err)
	}
	for i, row := range rows {
		step.Counts.Accepted++
		if !known[i] {
			step.Counts.Created++
		}
		if len(r.sample) < importSample {
			r.sample = append(r.sample, sampleOf(row))
		}
	}
	return nil
}

// ingest takes rows in. What ingestion refuses as a whole is taken in halves, until the row is found that it does not like.
func (r *importRun) ingest(ctx context.Context, rows []audience.ImportRow, step *audience.ImportStep) error {
	if len(rows) == 0 {
		return nil
	}
	accepted, err := r.server.Events.Ingest(ctx, r.server.now(), eventsOf(rows))
	if f, ok := fault.As(err); ok && f.Kind == fault.Invalid {
		if len(rows) == 1 {
			step.Counts.Rejected++
			step.Problems = append(step.Problems, audience.ImportProblem{Line: rows[0].Line, Code: "refused", Message: "This row can't be stored: " + f.Message})
			return nil
		}
		half := len(rows) / 2
		if err := r.ingest(ctx, rows[:half], step); err != nil {
			return err
		}
		return r.ingest(ctx, rows[half:], step)
	}
	if err != nil {
		return fmt.Errorf("ingest rows: %w", err)
	}
	r.server.afterCommit(accepted)
	for i, a := range accepted {
		if a.Blocked {
			step.Counts.Rejected++
			step.Problems = append(step.Problems, audience.ImportProblem{Line: rows[i].Line, Code: "blocked", Message: "Events of this name are blocked in the catalogue."})
			continue
		}
		// A message id that was made of the line belongs to this import alone: it is accepted, if not for the first time.
		told := !strings.HasPrefix(rows[i].Event.MessageID, "import:")
		if told && a.Duplicate {
			step.Counts.Duplicates++
		} else {
			step.Counts.Accepted++
			if a.Seq == 1 {
				step.Counts.Created++
			}
		}
		if since := rows[i].CreatedAt; !since.IsZero() {
			if earliest, there := step.Since[a.ContactID]; !there || since.Before(earliest) {
				step.Since[a.ContactID] = since
			}
		}
	}
	return nil
}

// addressesOf groups rows by what is known of their addresses while nobody is asked.
func addressesOf(rows []audience.ImportRow) []audience.ImportAddresses {
	var out []audience.ImportAddresses
	at := map[string]int{}
	for _, row := range rows {
		judged := email.JudgeAddress(row.Event.Email, email.DomainUnknown)
		if slices.ContainsFunc(row.Problems, func(p audience.ImportProblem) bool { return p.Code == "bad_email" }) {
			judged = email.AddressVerdict{Reasons: []string{email.AddressSyntax}}
		} else if judged.Verdict == "" || len(row.Problems) > 0 {
			continue // no address, or a row that is left out for other reasons
		}
		domain := email.DomainOf(row.Event.Email)
		if slices.Contains(judged.Reasons, email.AddressSyntax) {
			domain = ""
		}
		key := domain + " " + strings.Join(judged.Reasons, ",")
		if _, there := at[key]; !there {
			at[key] = len(out)
			out = append(out, audience.ImportAddresses{Domain: domain, Reasons: judged.Reasons})
		}
		out[at[key]].Rows++
	}
	return out
}

func eventsOf(rows []audience.ImportRow) []audience.Incoming {
	events := make([]audience.Incoming, len(rows))
	for i, row := range rows {
		events[i] = row.Event
	}
	return events
}

func sampleOf(row audience.ImportRow) ImportSample {
	e := row.Event
	s := ImportSample{Line: row.Line, UserID: e.UserID, Email: e.Email, Anonymous: e.AnonymousID, Timezone: e.Timezone, Locale: e.Locale, Event: e.Name,
		OccurredAt: e.OccurredAt.Format(time.RFC3339), Traits: e.Traits, Properties: e.Properties}
	if !row.CreatedAt.IsZero() {
		s.CreatedAt = row.CreatedAt.Format(time.RFC3339)
	}
	return s
}
