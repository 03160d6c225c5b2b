package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// movedByHand is the reason in the journal when a person gave none.
const movedByHand = "moved by hand"

// MoveStage is a person's word about a contact's lifecycle stage. Forward is free; backward needs a reason, and the score leads to where
// the contact came from only after it has been below that stage's threshold once.
func (s *Store) MoveStage(ctx context.Context, contactID, stage, reason string, now time.Time) (audience.Contact, error) {
	reason = strings.TrimSpace(clean(reason))
	if !slices.Contains(sales.Stages(), stage) {
		return audience.Contact{}, stageProblem("/stage", "bad_stage", "There is no such stage; there are "+strings.Join(sales.Stages(), ", ")+".")
	}
	var moved audience.Contact
	err := s.InContact(ctx, contactID, func(ctx context.Context, tx *ContactTx) error {
		from := tx.Contact().Stage
		back := from != stage && !sales.Forward(from, stage)
		if back && reason == "" {
			return stageProblem("/reason", "reason_required", "Moving a contact back from "+from+" needs a reason.")
		}
		if from != stage {
			if err := tx.hold(ctx, from, stage, now); err != nil {
				return err
			}
			if reason == "" {
				reason = movedByHand
			}
			if err := tx.SetStage(ctx, stage, reason, now); err != nil {
				return err
			}
		}
		moved = tx.Contact()
		return nil
	})
	return moved, failure("move stage", err)
}

func stageProblem(path, code, message string) error {
	return fault.WithProblems("invalid", message, []fault.Problem{{Path: path, Code: code, Level: fault.LevelError, Message: message}})
}

// hold notes from where a person took the contact back, or that it has gone there again.
func (tx *ContactTx) hold(ctx context.Context, from, to string, now time.Time) error {
	return tx.follow(ctx, now, nil, func(s *subject) error {
		state, err := s.state()
		if err != nil {
			return err
		}
		held := state.Held
		switch {
		case sales.Forward(to, from) && (held == "" || sales.Forward(held, from)):
			held = from
		case held != "" && !sales.Forward(to, held):
			held = ""
		}
		if held == state.Held {
			return nil
		}
		state.Held = held
		return s.keepState(tx.rules.model, now)
	})
}

// StageClocks tells when a contact was in which lifecycle stage, and for how long.
func (s *Store) StageClocks(ctx context.Context, contactID string, now time.Time) ([]sales.StageClock, error) {
	contact, err := s.FindContact(ctx, contactID)
	if err != nil {
		return nil, err
	}
	id, err := parseID(contact.ID)
	if err != nil {
		return nil, contactNotFound("read stages", err)
	}
	rows, err := s.q.ListStageDecisions(ctx, id)
	if err != nil {
		return nil, failure("read stages", err)
	}
	return sales.Clocks(contact.CreatedAt, contact.Stage, movesOf(rows), now), nil
}

func movesOf(rows []dbsqlc.ListStageDecisionsRow) []sales.StageMove {
	moves := make([]sales.StageMove, len(rows))
	for i, row := range rows {
		moves[i] = sales.StageMove{From: row.CameFrom, To: row.Outcome, At: row.At}
	}
	return moves
}
