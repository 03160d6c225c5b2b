package store

import (
	"context"
	"encoding/json"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// Progress is what is recorded of an enrollment's steps: its decisions, and the messages whose fate is settled.
func (tx *ContactTx) Progress(ctx context.Context, enrollmentID string) (journey.Progress, error) {
	id, err := parseID(enrollmentID)
	if err != nil {
		return journey.Progress{}, enrollmentNotFound(err)
	}
	row, err := tx.q.FindEnrollment(ctx, tx.id, id)
	if err != nil {
		return journey.Progress{}, enrollmentNotFound(err)
	}
	var p journey.Progress
	if row.ScannedSeq != nil {
		p.Scanned = *row.ScannedSeq
	}
	decisions, err := tx.q.ListEnrollmentDecisions(ctx, id)
	if err != nil {
		return journey.Progress{}, failure("list decisions of an enrollment", err)
	}
	for _, d := range decisions {
		if r, ok := recordOf(d); ok {
			p.Records = append(p.Records, r)
		}
	}
	messages, err := tx.q.ListEnrollmentMessages(ctx, id)
	if err != nil {
		return journey.Progress{}, failure("list messages of an enrollment", err)
	}
	for _, m := range messages {
		if settled(m) {
			p.Records = append(p.Records, journey.Record{
				Step: m.StepID, Visit: int(m.Visit), Kind: journey.KindSend, Outcome: journey.Outcome{Port: journey.PortNext}, At: m.UpdatedAt,
			})
		}
	}
	return p, nil
}

// recordOf reads the outcome that a step's decision keeps; entries about something else than a step's outcome have none.
func recordOf(d dbsqlc.Decision) (journey.Record, bool) {
	var detail struct {
		Outcome *journey.Outcome `json:"outcome"`
	}
	if len(d.Detail) == 0 || json.Unmarshal(d.Detail, &detail) != nil || detail.Outcome == nil {
		return journey.Record{}, false
	}
	return journey.Record{Step: d.StepID, Visit: int(d.Visit), Kind: journey.Kind(d.Kind), Outcome: *detail.Outcome, At: d.At}, true
}

// settled tells whether a send has led on. One that a goal or an exit has stopped is asked again which of them it was.
func settled(m dbsqlc.ListEnrollmentMessagesRow) bool {
	switch {
	case !email.State(m.State).Final():
		return false
	case m.Reason == email.ReasonGoalReached, m.Reason == email.ReasonExited:
		return false
	}
	resent := m.State == string(email.Unknown) && m.Class == string(email.Transactional) && m.Resends == 0
	return !resent
}
