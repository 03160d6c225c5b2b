package store

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// CountRecipients counts where the recipients of a broadcast stand.
func (s *Store) CountRecipients(ctx context.Context, id string) ([]email.RecipientCount, error) {
	parsed, err := parseID(id)
	if err != nil {
		return nil, broadcastNotFound("count recipients", err)
	}
	rows, err := s.q.CountRecipients(ctx, parsed)
	if err != nil {
		return nil, failure("count recipients", err)
	}
	return converted(rows, func(row dbsqlc.CountRecipientsRow) email.RecipientCount {
		return email.RecipientCount{State: email.RecipientState(row.State), Reason: row.Reason, Total: row.Total}
	}), nil
}

// TallyBroadcast counts what the variants have brought. Who got no mail is no part of it, except the holdout.
func (s *Store) TallyBroadcast(ctx context.Context, b email.Broadcast) ([]email.VariantTally, error) {
	parsed, err := parseID(b.ID)
	if err != nil {
		return nil, broadcastNotFound("tally broadcast", err)
	}
	goal, days := "", 0
	if b.Plan.Goal != nil {
		goal, days = clean(b.Plan.Goal.Event), b.Plan.Goal.Days
	}
	rows, err := s.q.TallyRecipients(ctx, goal, int32(days), parsed)
	if err != nil {
		return nil, failure("tally broadcast", err)
	}
	return converted(rows, func(row dbsqlc.TallyRecipientsRow) email.VariantTally {
		return email.VariantTally{Part: email.RecipientPart(row.Part), Variant: int(row.Variant), Entered: row.Entered, Clicked: row.Clicked, Converted: row.Converted}
	}), nil
}

// ListRecipients lists the recipients of a broadcast, narrowed by state and reason.
func (s *Store) ListRecipients(ctx context.Context, id string, filter email.RecipientCount, cursor string, limit int) (Page[email.BroadcastRecipient], error) {
	parsed, err := parseID(id)
	if err != nil {
		return Page[email.BroadcastRecipient]{}, broadcastNotFound("list recipients", err)
	}
	after, err := parseCursorID(cursor, uuid.Nil)
	if err != nil {
		return Page[email.BroadcastRecipient]{}, err
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListRecipients(ctx, dbsqlc.ListRecipientsParams{BroadcastID: parsed, State: clean(string(filter.State)), Reason: clean(filter.Reason), After: after, MaxRows: int32(limit + 1)})
	if err != nil {
		return Page[email.BroadcastRecipient]{}, failure("list recipients", err)
	}
	convert := func(row dbsqlc.ListRecipientsRow) (email.BroadcastRecipient, error) {
		return email.BroadcastRecipient{
			MessageID: row.MessageID.String(), ContactID: row.ContactID.String(), Email: fromNullable(row.Email), UserID: fromNullable(row.UserID), Part: email.RecipientPart(row.Part),
			Variant: intOf(row.Variant), State: email.RecipientState(row.State), Reason: row.Reason, DueAt: row.DueAt, DecidedAt: row.DecidedAt,
		}, nil
	}
	return page(rows, limit, convert, func(row dbsqlc.ListRecipientsRow) string { return row.MessageID.String() })
}

// CountMembers counts the members of a segment by whether, and why not, they would get a mail of a topic now, and by their time zones.
func (s *Store) CountMembers(ctx context.Context, segment, topic string) ([]email.MemberCount, error) {
	rows, err := s.q.CountBroadcast(ctx, clean(topic), clean(segment))
	if err != nil {
		return nil, failure("count members", err)
	}
	return converted(rows, func(row dbsqlc.CountBroadcastRow) email.MemberCount { return email.MemberCount(row) }), nil
}

// belonging puts to messages of no journey whose broadcast's they are.
func belonging(ctx context.Context, q *dbsqlc.Queries, mails []*email.Message) error {
	byID := map[uuid.UUID]*email.Message{}
	ids := []uuid.UUID{}
	for _, m := range mails {
		if m.EnrollmentID != "" {
			continue
		}
		id, err := uuid.Parse(m.ID)
		if err != nil {
			return fault.New(fault.Invalid, "bad_id", "An id is not a UUID.")
		}
		byID[id], ids = m, append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := q.ListBroadcastsOfMessages(ctx, ids)
	for _, row := range rows {
		in := email.InBroadcast{ID: row.BroadcastID.String(), Name: row.Name}
		var plan email.BroadcastPlan
		if row.Variant != nil && json.Unmarshal(row.Document, &plan) == nil && int(*row.Variant) < len(plan.Variants) {
			in.Variant = plan.Variants[*row.Variant].Name
		}
		byID[row.MessageID].Broadcast = &in
	}
	return err
}
