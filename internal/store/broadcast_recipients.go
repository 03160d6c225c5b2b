package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// GatherRecipients takes the next members of the segment into a broadcast's audience, in a transaction of their own, and tells how many rows
// they made and whether that were all. How far it is, is part of the commit: whoever takes over goes on from there. Nothing is done while
// the broadcast does not run.
func (s *Store) GatherRecipients(ctx context.Context, id string, limit int, now time.Time, assign func(email.BroadcastMember) email.BroadcastRecipient) (gathered int64, done bool, err error) {
	parsed, err := parseID(id)
	if err != nil {
		return 0, false, broadcastNotFound("gather recipients", err)
	}
	err = retry(ctx, func() error {
		return s.inTx(ctx, func(q *dbsqlc.Queries) error {
			b, err := q.LockBroadcast(ctx, parsed)
			if err != nil {
				return err
			}
			if done = b.GatheredAt != nil || !email.BroadcastState(b.State).Sends(); done {
				return nil
			}
			members, err := q.ListMembersToGather(ctx, b.Segment, b.GatheredTo, int32(limit))
			if err != nil {
				return err
			}
			if gathered, err = insertRecipients(ctx, q, b.ID, members, assign); err != nil {
				return err
			}
			if done = len(members) < limit; done {
				b.GatheredAt = &now
			} else {
				b.GatheredTo = members[len(members)-1].ID
			}
			return q.AdvanceGathering(ctx, b.GatheredTo, b.GatheredAt, b.ID)
		})
	})
	if err != nil {
		return 0, false, broadcastNotFound("gather recipients", err)
	}
	return gathered, done, nil
}

func insertRecipients(ctx context.Context, q *dbsqlc.Queries, broadcast uuid.UUID, members []dbsqlc.ListMembersToGatherRow, assign func(email.BroadcastMember) email.BroadcastRecipient) (int64, error) {
	rows := dbsqlc.InsertRecipientsParams{BroadcastID: broadcast}
	for _, member := range members {
		r := assign(email.BroadcastMember{ContactID: member.ID.String(), Timezone: fromNullable(member.Timezone)})
		message, err := parseID(r.MessageID)
		if err != nil {
			return 0, err
		}
		variant := int32(-1) // the query makes a null of it
		if r.Variant != nil {
			variant = int32(*r.Variant)
		}
		rows.MessageIds, rows.ContactIds, rows.Parts = append(rows.MessageIds, message), append(rows.ContactIds, member.ID), append(rows.Parts, string(r.Part))
		rows.Variants, rows.Due = append(rows.Variants, variant), append(rows.Due, r.DueAt)
	}
	if len(rows.MessageIds) == 0 {
		return 0, nil
	}
	return q.InsertRecipients(ctx, rows)
}

// DueRecipients lists whose turn it is: first those before the rest, then, once that may go out, the rest.
func (s *Store) DueRecipients(ctx context.Context, id string, withRest bool, now time.Time, limit int) ([]email.BroadcastRecipient, error) {
	parsed, err := parseID(id)
	if err != nil {
		return nil, broadcastNotFound("list due recipients", err)
	}
	var out []email.BroadcastRecipient
	for _, rest := range []bool{false, true} {
		if rest && !withRest || len(out) >= limit {
			break
		}
		rows, err := s.q.ListDueRecipients(ctx, dbsqlc.ListDueRecipientsParams{BroadcastID: parsed, Rest: rest, Now: now, MaxRows: int32(limit - len(out))})
		if err != nil {
			return nil, failure("list due recipients", err)
		}
		for _, row := range rows {
			out = append(out, email.BroadcastRecipient{
				MessageID: row.MessageID.String(), BroadcastID: id, ContactID: row.ContactID.String(), Part: email.RecipientPart(row.Part), Variant: intOf(row.Variant), State: email.RecipientState(row.State),
			})
		}
	}
	return out, nil
}

// PostponeRecipient lets others go first.
func (s *Store) PostponeRecipient(ctx context.Context, messageID string, until time.Time) error {
	parsed, err := parseID(messageID)
	if err != nil {
		return messageNotFound("postpone recipient", err)
	}
	return failure("postpone recipient", s.q.PostponeRecipient(ctx, until, parsed))
}

// BroadcastQueue tells who waits.
func (s *Store) BroadcastQueue(ctx context.Context, id string) (email.BroadcastQueue, error) {
	var out email.BroadcastQueue
	parsed, err := parseID(id)
	if err != nil {
		return out, broadcastNotFound("look at the queue of a broadcast", err)
	}
	for rest, next := range map[bool]**time.Time{false: &out.NextDue, true: &out.NextRest} {
		due, err := s.q.NextRecipientDue(ctx, parsed, rest)
		if err == nil {
			*next = &due
		} else if !isNoRows(err) {
			return out, failure("look at the queue of a broadcast", err)
		}
	}
	out.Busy, err = s.q.IsBroadcastBusy(ctx, parsed)
	return out, failure("look at the queue of a broadcast", err)
}

// SettleRecipients gives those whose mail has come to an end since the end of their mail, and tells how many there are of each.
func (s *Store) SettleRecipients(ctx context.Context, id string) ([]email.RecipientCount, error) {
	parsed, err := parseID(id)
	if err != nil {
		return nil, broadcastNotFound("settle recipients", err)
	}
	rows, err := s.q.SettleRecipients(ctx, parsed)
	if err != nil {
		return nil, failure("settle recipients", err)
	}
	return converted(rows, func(row dbsqlc.SettleRecipientsRow) email.RecipientCount {
		return email.RecipientCount{State: email.RecipientState(row.State), Total: row.Total}
	}), nil
}

// CancelRecipients gives some of those who have had nothing the reason that they will get nothing, and tells how many they were.
func (s *Store) CancelRecipients(ctx context.Context, id string, limit int, now time.Time) (int64, error) {
	parsed, err := parseID(id)
	if err != nil {
		return 0, broadcastNotFound("cancel recipients", err)
	}
	n, err := s.q.CancelRecipients(ctx, dbsqlc.CancelRecipientsParams{Reason: email.ReasonCancelled, Now: now, BroadcastID: parsed, MaxRows: int32(limit)})
	return n, failure("cancel recipients", err)
}

// Recipient finds and locks a recipient that stands for the contact, or nil: it stands for another one by now, or is none any more.
func (tx *ContactTx) Recipient(ctx context.Context, messageID string) (*email.LockedRecipient, error) {
	parsed, err := parseID(messageID)
	if err != nil {
		return nil, nil //nolint:nilnil // no id, no recipient
	}
	row, err := tx.q.LockRecipient(ctx, parsed, tx.id)
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, failure("find recipient", err)
	}
	r := row.BroadcastRecipient
	return &email.LockedRecipient{
		BroadcastRecipient: email.BroadcastRecipient{
			MessageID: messageID, BroadcastID: r.BroadcastID.String(), ContactID: r.ContactID.String(), Part: email.RecipientPart(r.Part), Variant: intOf(r.Variant),
			State: email.RecipientState(r.State), Reason: r.Reason, DueAt: r.DueAt, BeginsAt: r.BeginsAt, DecidedAt: r.DecidedAt,
		},
		Broadcast: email.BroadcastState(row.BroadcastState), Winner: intOf(row.Winner), Doubled: row.Doubled,
	}, nil
}

// UpdateRecipient writes where a recipient stands.
func (tx *ContactTx) UpdateRecipient(ctx context.Context, r email.BroadcastRecipient) error {
	parsed, err := parseID(r.MessageID)
	if err != nil {
		return messageNotFound("update recipient", err)
	}
	return failure("update recipient", tx.q.UpdateRecipient(ctx, dbsqlc.UpdateRecipientParams{
		MessageID: parsed, State: string(r.State), Reason: r.Reason, DueAt: r.DueAt, Variant: nullableInt(r.Variant), DecidedAt: r.DecidedAt,
	}))
}
