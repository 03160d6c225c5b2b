package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// Tally counts what a journey's numbers are made of, all at one moment. Version 0 stands for all versions. Experiments, named by their ids, are
// as they were counted last, in all versions that have them.
func (s *Store) Tally(ctx context.Context, key string, version int, experiments []string, since, now time.Time) (journey.Tally, error) {
	out := journey.Tally{}
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		enrollments, err := q.TallyEnrollments(ctx, key, int32(version))
		if err != nil {
			return err
		}
		for _, e := range enrollments {
			out.Enrollments = append(out.Enrollments, journey.EnrollmentTally{State: journey.EnrollmentState(e.State), Reason: e.Reason, Step: e.Step, Total: e.Total})
		}
		decisions, err := q.TallyDecisions(ctx, key, int32(version))
		if err != nil {
			return err
		}
		for _, d := range decisions {
			out.Decisions = append(out.Decisions, journey.DecisionTally{Step: d.StepID, Kind: d.Kind, Outcome: d.Outcome, Total: d.Total})
		}
		stranded, err := q.TallyStranded(ctx, key, int32(version))
		if err != nil {
			return err
		}
		for _, row := range stranded {
			out.Stranded = append(out.Stranded, journey.StrandedTally{Step: row.StepID, Total: row.Total})
		}
		begun, err := q.ListExperimentsOf(ctx, experiments)
		if err != nil {
			return err
		}
		if out.Experiments, err = withDraws(ctx, q, begun); err != nil {
			return err
		}
		messages, err := q.TallyMessages(ctx, key, int32(version))
		if err != nil {
			return err
		}
		for _, m := range messages {
			out.Messages = append(out.Messages, journey.MessageTally{Step: m.StepID, State: m.State, Reason: m.Reason, Port: onward(m), Total: m.Total})
		}
		clicks, err := q.TallyClicks(ctx, key, int32(version))
		if err != nil {
			return err
		}
		for _, row := range clicks {
			out.Clicks = append(out.Clicks, journey.ClickTally{Step: row.StepID, Total: row.Total})
		}
		days, err := q.TallyDays(ctx, key, since)
		out.Days = everyDay(days, since, now)
		return err
	})
	if err != nil {
		return journey.Tally{}, failure("tally journey", err)
	}
	return out, nil
}

// onward is the way that the contacts of mails in one state have gone on, empty while they still stand there.
func onward(m dbsqlc.TallyMessagesRow) string {
	switch {
	case !email.State(m.State).Final():
		return ""
	case m.Reason == email.ReasonGoalReached:
		return journey.Outcome{Goal: true}.Name()
	case m.Reason == email.ReasonExited:
		return journey.Outcome{Exit: true}.Name()
	}
	return journey.PortNext
}

// everyDay fills in the days on which nothing happened.
func everyDay(days []dbsqlc.TallyDaysRow, since, now time.Time) []journey.Day {
	var out []journey.Day
	for at := since.UTC(); !at.After(now); at = at.AddDate(0, 0, 1) {
		day := journey.Day{Day: at.Format(time.DateOnly)}
		if i := slices.IndexFunc(days, func(d dbsqlc.TallyDaysRow) bool { return d.Day == day.Day }); i >= 0 {
			day.Entered, day.Converted, day.Sent = days[i].Entered, days[i].Converted, days[i].Sent
		}
		out = append(out, day)
	}
	return out
}

// ListCounted lists the contacts behind a number, newest first.
func (s *Store) ListCounted(ctx context.Context, key string, of journey.Counted, cursor string, limit int) (Page[journey.CountedContact], error) {
	if of.Outcome == "" && of.Message == "" {
		return s.listEnrolled(ctx, key, of, cursor, limit)
	}
	before, err := parseBefore(cursor, 64)
	if err != nil {
		return Page[journey.CountedContact]{}, err
	}
	limit = clampLimit(limit)
	var rows []dbsqlc.ListDecidedRow
	switch {
	case of.Message == journey.MessageClicked:
		var clicked []dbsqlc.ListClickedRow
		clicked, err = s.q.ListClicked(ctx, dbsqlc.ListClickedParams{Journey: key, Version: int32(of.Version), Step: of.Step, Before: before, MaxRows: int32(limit + 1)})
		for _, row := range clicked {
			rows = append(rows, dbsqlc.ListDecidedRow(row))
		}
	case of.Outcome != "":
		rows, err = s.q.ListDecided(ctx, dbsqlc.ListDecidedParams{
			Journey: key, Version: int32(of.Version), Step: of.Step, Outcome: of.Outcome, Before: before, MaxRows: int32(limit + 1),
		})
	default:
		var mailed []dbsqlc.ListMailedRow
		mailed, err = s.q.ListMailed(ctx, dbsqlc.ListMailedParams{
			Journey: key, Version: int32(of.Version), Step: of.Step, State: of.Message, Reason: of.Reason, Before: before, MaxRows: int32(limit + 1),
		})
		for _, row := range mailed {
			rows = append(rows, dbsqlc.ListDecidedRow(row))
		}
	}
	if err != nil {
		return Page[journey.CountedContact]{}, failure("list counted contacts", err)
	}
	return page(rows, limit, countedOf, func(row dbsqlc.ListDecidedRow) string { return strconv.FormatInt(row.Cursor, 10) })
}

// listEnrolled goes by the ids of enrollments, which grow with time.
func (s *Store) listEnrolled(ctx context.Context, key string, of journey.Counted, cursor string, limit int) (Page[journey.CountedContact], error) {
	before := uuid.Max
	if cursor != "" {
		var err error
		if before, err = uuid.Parse(cursor); err != nil {
			return Page[journey.CountedContact]{}, fault.New(fault.Invalid, "bad_cursor", "The cursor is not one that a list gave out.")
		}
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListEnrolled(ctx, dbsqlc.ListEnrolledParams{
		Journey: key, Version: int32(of.Version), Step: of.Step, State: of.State, Reason: of.Reason, Before: before, MaxRows: int32(limit + 1),
	})
	if err != nil {
		return Page[journey.CountedContact]{}, failure("list enrolled contacts", err)
	}
	return page(rows, limit, func(row dbsqlc.ListEnrolledRow) (journey.CountedContact, error) {
		return countedOf(dbsqlc.ListDecidedRow{ContactID: row.ContactID, Email: row.Email, UserID: row.UserID, At: row.At, Outcome: row.Outcome, Reason: row.Reason})
	}, func(row dbsqlc.ListEnrolledRow) string { return row.Cursor.String() })
}

func countedOf(row dbsqlc.ListDecidedRow) (journey.CountedContact, error) {
	return journey.CountedContact{
		ContactID: row.ContactID.String(), Email: fromNullable(row.Email), UserID: fromNullable(row.UserID), At: row.At, Outcome: row.Outcome, Reason: row.Reason,
	}, nil
}
