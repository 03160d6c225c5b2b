package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

const (
	// subjectPatience is how long a set that failed is left alone.
	subjectPatience = time.Hour
	maxSubjectSets  = 50
	// wonAfter is how many mails a subject takes to be told of as liked.
	wonAfter = 100
	maxWon   = 5
)

// FindSubjects finds the set of a key, with its lines. false: there is none.
func (s *Store) FindSubjects(ctx context.Context, key string) (email.SubjectSet, bool, error) {
	row, err := s.q.FindSubjectSetByKey(ctx, key)
	if isNoRows(err) {
		return email.SubjectSet{}, false, nil
	}
	if err != nil {
		return email.SubjectSet{}, false, failure("find subjects", err)
	}
	sets, err := withLines(ctx, s.q, []dbsqlc.SubjectSet{row})
	if err != nil {
		return email.SubjectSet{}, false, err
	}
	return sets[0], true, nil
}

// FindSubjectSet finds a set by its id, with its lines.
func (s *Store) FindSubjectSet(ctx context.Context, id string) (email.SubjectSet, error) {
	row, err := s.subjectSet(ctx, id)
	if err != nil {
		return email.SubjectSet{}, err
	}
	sets, err := withLines(ctx, s.q, []dbsqlc.SubjectSet{row})
	if err != nil {
		return email.SubjectSet{}, err
	}
	return sets[0], nil
}

func (s *Store) subjectSet(ctx context.Context, id string) (dbsqlc.SubjectSet, error) {
	parsed, err := parseID(id)
	if err != nil {
		return dbsqlc.SubjectSet{}, subjectsNotFound(err)
	}
	row, err := s.q.FindSubjectSet(ctx, parsed)
	return row, subjectsNotFound(err)
}

func subjectsNotFound(err error) error {
	return notFound("find subjects", "unknown_subjects", "There are no such subject lines.", err)
}

// WantSubjects sees to it that there is a set of a key. fresh tells that the model has to be asked: there was none, or it has failed some time
// ago. Of those who want it at once, one is told so.
func (s *Store) WantSubjects(ctx context.Context, key string, from email.SubjectSource, now time.Time) (set email.SubjectSet, fresh bool, err error) {
	inserted, err := s.q.InsertSubjectSet(ctx, dbsqlc.InsertSubjectSetParams{
		ID: newID(), Key: key, Template: from.Template, TemplateVersion: int32(from.TemplateVersion), Locale: clean(from.Locale), Segment: from.Segment,
		Brief: clean(from.Brief), Written: clean(from.Written), Now: now,
	})
	if err != nil {
		return set, false, failure("want subjects", err)
	}
	if inserted == 0 {
		if inserted, err = s.q.WantSubjectSetAgain(ctx, now, key, now.Add(-subjectPatience)); err != nil {
			return set, false, failure("want subjects again", err)
		}
	}
	set, found, err := s.FindSubjects(ctx, key)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "unknown_subjects", "There are no such subject lines.")
	}
	return set, inserted > 0, err
}

// LateSubjects lists sets that were wanted some time ago and are not there: whoever should have asked for them has died, perhaps.
func (s *Store) LateSubjects(ctx context.Context, before time.Time, limit int) ([]email.SubjectSet, error) {
	rows, err := s.q.ListLateSubjectSets(ctx, before, int32(limit))
	if err != nil {
		return nil, failure("list late subjects", err)
	}
	return withLines(ctx, s.q, rows)
}

// ListSubjects lists the sets of a template, the newest first.
func (s *Store) ListSubjects(ctx context.Context, template string) ([]email.SubjectSet, error) {
	rows, err := s.q.ListSubjectSets(ctx, template, maxSubjectSets)
	if err != nil {
		return nil, failure("list subjects", err)
	}
	return withLines(ctx, s.q, rows)
}

// FailSubjects notes why a set that is wanted can't be had.
func (s *Store) FailSubjects(ctx context.Context, id, reason string, now time.Time) error {
	parsed, err := parseID(id)
	if err != nil {
		return subjectsNotFound(err)
	}
	_, err = s.q.SettleSubjectSet(ctx, dbsqlc.SettleSubjectSetParams{ID: parsed, State: string(email.SubjectsFailed), Reason: reason, Now: now})
	return failure("fail subjects", err)
}

// ChangeSubjects changes the lines of a set, one change at a time. What change adds is given its id; a set that was wanted is ready then.
func (s *Store) ChangeSubjects(ctx context.Context, id string, now time.Time, change func(email.SubjectSet) ([]email.SubjectLine, error)) (email.SubjectSet, error) {
	parsed, err := parseID(id)
	if err != nil {
		return email.SubjectSet{}, subjectsNotFound(err)
	}
	var set email.SubjectSet
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		row, err := q.LockSubjectSet(ctx, parsed)
		if err != nil {
			return subjectsNotFound(err)
		}
		sets, err := withLines(ctx, q, []dbsqlc.SubjectSet{row})
		if err != nil {
			return err
		}
		lines, err := change(sets[0])
		if err != nil {
			return err
		}
		if err := saveLines(ctx, q, parsed, lines, now); err != nil {
			return err
		}
		ready := dbsqlc.SettleSubjectSetParams{ID: parsed, State: string(email.SubjectsReady), Now: now}
		if _, err := q.SettleSubjectSet(ctx, ready); err != nil {
			return err
		}
		if row, err = q.FindSubjectSet(ctx, parsed); err != nil {
			return err
		}
		if sets, err = withLines(ctx, q, []dbsqlc.SubjectSet{row}); err != nil {
			return err
		}
		set = sets[0]
		return nil
	})
	return set, failure("change subjects", err)
}

func saveLines(ctx context.Context, q *dbsqlc.Queries, set uuid.UUID, lines []email.SubjectLine, now time.Time) error {
	for _, l := range lines {
		if l.ID != "" {
			id, err := parseID(l.ID)
			if err != nil {
				return err
			}
			if err := q.UpdateSubjectLine(ctx, dbsqlc.UpdateSubjectLineParams{ID: id, State: string(l.State), Reason: l.Reason, Words: clean(l.Words), Weight: l.Weight, Now: now}); err != nil {
				return fmt.Errorf("update line %d: %w", l.Number, err)
			}
			continue
		}
		if err := q.InsertSubjectLine(ctx, dbsqlc.InsertSubjectLineParams{
			ID: newID(), SetID: set, Number: int32(l.Number), Text: clean(l.Text), State: string(l.State), Reason: l.Reason, Words: clean(l.Words), Weight: l.Weight, Now: now,
		}); err != nil {
			return fmt.Errorf("insert line %d: %w", l.Number, err)
		}
	}
	return nil
}

// CountSubjects adds the mails of before a moment to the sums of their lines, and tells of which sets.
func (s *Store) CountSubjects(ctx context.Context, before time.Time, limit int) (sets []string, mails int, err error) {
	rows, err := s.q.CountSubjects(ctx, before, int32(limit))
	if err != nil {
		return nil, 0, failure("count subjects", err)
	}
	for _, row := range rows {
		sets = append(sets, row.SetID.String())
		mails += int(row.Mails)
	}
	return sets, mails, nil
}

// WonSubjects lists what people liked best of a template's subjects, in a language.
func (s *Store) WonSubjects(ctx context.Context, template, locale string) ([]string, error) {
	texts, err := s.q.ListWonSubjects(ctx, dbsqlc.ListWonSubjectsParams{Template: template, Locale: locale, Least: wonAfter, MaxRows: maxWon})
	return texts, failure("list liked subjects", err)
}

// ChooseSubject notes which subject a message got, or why there was no choice.
func (tx *ContactTx) ChooseSubject(ctx context.Context, messageID, setID, lineID, reason string, now time.Time) error {
	message, err := parseID(messageID)
	if err != nil {
		return err
	}
	set, err := parseID(setID)
	if err != nil {
		return err
	}
	arg := dbsqlc.InsertMessageSubjectParams{MessageID: message, SetID: set, Reason: reason, At: now}
	if lineID != "" {
		line, err := parseID(lineID)
		if err != nil {
			return err
		}
		arg.LineID = &line
	}
	return failure("choose subject", tx.q.InsertMessageSubject(ctx, arg))
}

func withLines(ctx context.Context, q *dbsqlc.Queries, rows []dbsqlc.SubjectSet) ([]email.SubjectSet, error) {
	ids := make([]uuid.UUID, len(rows))
	sets := make([]email.SubjectSet, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
		sets[i] = email.SubjectSet{
			ID: row.ID.String(), State: email.SubjectState(row.State), Reason: row.Reason, WantedAt: row.WantedAt, UpdatedAt: row.UpdatedAt, Lines: []email.SubjectLine{}, Instead: []email.SubjectFallback{},
			SubjectSource: email.SubjectSource{Template: row.Template, TemplateVersion: int(row.TemplateVersion), Locale: row.Locale, Segment: row.Segment, Brief: row.Brief, Written: row.Written},
		}
	}
	lines, err := q.ListSubjectLines(ctx, ids)
	if err != nil {
		return nil, failure("list subject lines", err)
	}
	for _, l := range lines {
		set := &sets[slices.Index(ids, l.SetID)]
		set.Lines = append(set.Lines, email.SubjectLine{
			ID: l.ID.String(), Number: int(l.Number), Text: l.Text, State: email.LineState(l.State), Reason: l.Reason, Words: l.Words, Sent: l.Sent, Clicked: l.Clicked, Weight: l.Weight,
		})
	}
	return sets, nil
}

// CountFallbacks adds to sets how many mails got the written subject for want of a choice.
func (s *Store) CountFallbacks(ctx context.Context, sets []email.SubjectSet) error {
	var ids []uuid.UUID
	for _, set := range sets {
		id, err := parseID(set.ID)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	rows, err := s.q.CountFallbacks(ctx, ids)
	if err != nil {
		return failure("count fallbacks", err)
	}
	for _, row := range rows {
		set := &sets[slices.Index(ids, row.SetID)]
		set.Instead = append(set.Instead, email.SubjectFallback{Reason: row.Reason, Mails: row.Mails})
	}
	return nil
}
