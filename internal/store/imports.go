package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// maxImportProblems bounds what is kept of a file that is wrong all over; how many there were is counted.
const maxImportProblems = 10_000

// CreateImport notes how a file is going to be read.
func (s *Store) CreateImport(ctx context.Context, name string, spec audience.ImportSpec, dryRun bool, now time.Time) (audience.Import, error) {
	if spec.Columns == nil {
		spec.Columns = []audience.ImportColumn{}
	}
	mapping, err := json.Marshal(spec.Columns)
	if err != nil {
		return audience.Import{}, fmt.Errorf("create import: %w", err)
	}
	row, err := s.q.InsertImport(ctx, dbsqlc.InsertImportParams{
		ID: newID(), Name: clean(name), Kind: string(spec.Kind), Event: spec.Event, Mapping: mapping, DryRun: dryRun, Now: now,
	})
	if err != nil {
		return audience.Import{}, failure("create import", err)
	}
	return importOf(row)
}

// FindImport finds an import and how far it has come.
func (s *Store) FindImport(ctx context.Context, id string) (audience.Import, error) {
	parsed, err := parseID(id)
	if err != nil {
		return audience.Import{}, importNotFound("find import", err)
	}
	row, err := s.q.FindImport(ctx, parsed)
	if err != nil {
		return audience.Import{}, importNotFound("find import", err)
	}
	return s.importWithAddresses(ctx, row)
}

// ListImports lists imports, the newest first; the cursor is the last id of the page before.
func (s *Store) ListImports(ctx context.Context, cursor string, limit int) (Page[audience.Import], error) {
	limit = clampLimit(limit)
	before, beforeID := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max
	if cursor != "" {
		last, err := s.FindImport(ctx, cursor)
		if err != nil {
			return Page[audience.Import]{}, fault.New(fault.Invalid, "bad_cursor", "The cursor is not one that a list gave out.")
		}
		before, beforeID = last.CreatedAt, uuid.MustParse(last.ID)
	}
	rows, err := s.q.ListImports(ctx, before, beforeID, int32(limit+1))
	if err != nil {
		return Page[audience.Import]{}, failure("list imports", err)
	}
	return page(rows, limit, importOf, func(row dbsqlc.Import) string { return row.ID.String() })
}

// AdvanceImport notes what became of a batch of rows, after the batch itself was committed. What lies between the two commits is repeated
// when a process dies there, and recognised by its message ids.
func (s *Store) AdvanceImport(ctx context.Context, id string, step audience.ImportStep, now time.Time) error {
	parsed, err := parseID(id)
	if err != nil {
		return importNotFound("advance import", err)
	}
	c := step.Counts
	err = retry(ctx, func() error {
		return s.inTx(ctx, func(q *dbsqlc.Queries) error {
			problems, err := q.AdvanceImport(ctx, dbsqlc.AdvanceImportParams{
				ID: parsed, FromOffset: step.From, ReadRows: c.Rows, Accepted: c.Accepted, Duplicates: c.Duplicates, Rejected: c.Rejected,
				Created: c.Created, Problems: int64(len(step.Problems)), FileLine: step.To.Line, FileOffset: step.To.Offset, Digest: step.To.Digest, Now: now,
			})
			if isNoRows(err) {
				return fault.New(fault.Conflict, "import_elsewhere", "Another upload of this file has taken these rows.")
			}
			if err != nil {
				return err
			}
			if err := insertImportProblems(ctx, q, parsed, problems-int64(len(step.Problems)), step.Problems); err != nil {
				return err
			}
			if err := addImportAddresses(ctx, q, parsed, step.Addresses); err != nil {
				return err
			}
			return setContactsSince(ctx, q, step.Since, now)
		})
	})
	return failure("advance import", err)
}

func insertImportProblems(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, before int64, problems []audience.ImportProblem) error {
	room := max(0, maxImportProblems-before)
	problems = problems[:min(int64(len(problems)), room)]
	if len(problems) == 0 {
		return nil
	}
	rows := dbsqlc.InsertImportProblemsParams{ImportID: id}
	for i, p := range problems {
		rows.Numbers, rows.Lines = append(rows.Numbers, before+int64(i)+1), append(rows.Lines, p.Line)
		rows.Columns, rows.Codes, rows.Messages = append(rows.Columns, clean(p.Column)), append(rows.Codes, p.Code), append(rows.Messages, p.Message)
	}
	return q.InsertImportProblems(ctx, rows)
}

func setContactsSince(ctx context.Context, q *dbsqlc.Queries, since map[string]time.Time, now time.Time) error {
	if len(since) == 0 {
		return nil
	}
	ids, times := make([]uuid.UUID, 0, len(since)), make([]time.Time, 0, len(since))
	for _, id := range slices.Sorted(maps.Keys(since)) {
		parsed, err := parseID(id)
		if err != nil {
			return err
		}
		ids, times = append(ids, parsed), append(times, since[id])
	}
	return q.SetContactsSince(ctx, now, ids, times)
}

// FinishImport ends an import whose file has been read to its end.
func (s *Store) FinishImport(ctx context.Context, id string, now time.Time) (audience.Import, error) {
	return s.endImport(ctx, id, audience.ImportDone, nil, now)
}

// FailImport ends an import whose file can't be imported like this, and says why.
func (s *Store) FailImport(ctx context.Context, id string, problems []audience.ImportProblem, now time.Time) (audience.Import, error) {
	return s.endImport(ctx, id, audience.ImportFailed, problems, now)
}

func (s *Store) endImport(ctx context.Context, id, state string, problems []audience.ImportProblem, now time.Time) (audience.Import, error) {
	parsed, err := parseID(id)
	if err != nil {
		return audience.Import{}, importNotFound("end import", err)
	}
	why := ""
	if len(problems) > 0 {
		why = problems[0].Message
	}
	var row dbsqlc.Import
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		row, err = q.EndImport(ctx, dbsqlc.EndImportParams{ID: parsed, State: state, Failure: why, Now: now})
		if isNoRows(err) {
			return fault.New(fault.Conflict, "import_ended", "This import has ended.")
		}
		if err != nil {
			return err
		}
		return insertImportProblems(ctx, q, parsed, row.Problems, problems)
	})
	if err != nil {
		return audience.Import{}, failure("end import", err)
	}
	return s.importWithAddresses(ctx, row)
}

// ListImportProblems lists what was wrong with rows, in the order of lines; the cursor is a number.
func (s *Store) ListImportProblems(ctx context.Context, id, cursor string, limit int) (Page[audience.ImportProblem], error) {
	limit = clampLimit(limit)
	after := int64(0)
	if cursor != "" {
		n, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil {
			return Page[audience.ImportProblem]{}, fault.New(fault.Invalid, "bad_cursor", "The cursor is not one that a list gave out.")
		}
		after = min(max(n, 0), math.MaxInt64)
	}
	found, err := s.FindImport(ctx, id)
	if err != nil {
		return Page[audience.ImportProblem]{}, err
	}
	rows, err := s.q.ListImportProblems(ctx, uuid.MustParse(found.ID), after, int32(limit+1))
	if err != nil {
		return Page[audience.ImportProblem]{}, failure("list import problems", err)
	}
	return page(rows, limit, func(row dbsqlc.ImportProblem) (audience.ImportProblem, error) {
		return audience.ImportProblem{Line: row.FileLine, Column: row.ColumnName, Code: row.Code, Message: row.Message}, nil
	}, func(row dbsqlc.ImportProblem) string { return strconv.FormatInt(row.Number, 10) })
}

// KnownPeople tells for each event whether it would be one of a contact that is there already: a look without locks, for dry runs.
func (s *Store) KnownPeople(ctx context.Context, events []audience.Incoming) ([]bool, error) {
	items := make([]item, len(events))
	for i := range events {
		items[i] = item{Incoming: events[i]}
	}
	l := lookupsOf(items)
	rows, err := s.q.FindKnownPeople(ctx, l.kinds, l.values)
	if err != nil {
		return nil, failure("look for known people", err)
	}
	userIDs := map[identity]string{}
	for _, row := range rows {
		userIDs[identity{row.Kind, row.Value}] = fromNullable(row.UserID)
	}
	known := make([]bool, len(items))
	for i := range items {
		it := &items[i]
		for _, identity := range it.identities() {
			userID, there := userIDs[identity]
			// As in ingestion: a weaker identity does not outweigh two different user ids.
			if there && (identity.kind == KindUserID || it.UserID == "" || userID == "") {
				known[i] = true
			}
		}
	}
	return known, nil
}

func importOf(row dbsqlc.Import) (audience.Import, error) {
	out := audience.Import{
		ID: row.ID.String(), Name: row.Name, Kind: audience.EventType(row.Kind), Event: row.Event, DryRun: row.DryRun, State: row.State,
		ImportCounts: audience.ImportCounts{
			Rows: row.ReadRows, Accepted: row.Accepted, Duplicates: row.Duplicates, Rejected: row.Rejected, Created: row.Created, Problems: row.Problems,
		},
		Lines: row.FileLine, Bytes: row.FileOffset, SHA256: hex.EncodeToString(row.Digest), Failure: row.Failure,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, DoneAt: row.DoneAt,
	}
	if err := json.Unmarshal(row.Mapping, &out.Mapping); err != nil {
		return audience.Import{}, fmt.Errorf("decode the mapping of import %s: %w", row.ID, err)
	}
	return out, nil
}

func importNotFound(op string, err error) error {
	return notFound(op, "import_not_found", "There is no such import.", err)
}
