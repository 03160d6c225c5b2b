package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// ListMessages lists messages without their bodies, the newest first.
func (s *Store) ListMessages(ctx context.Context, filter email.MessageFilter, cursor string, limit int) (Page[email.Message], error) {
	before, err := parseBefore(cursor, 64)
	if err != nil {
		return Page[email.Message]{}, err
	}
	limit = clampLimit(limit)
	where, ok := messageConditions(filter)
	if !ok {
		return Page[email.Message]{Items: []email.Message{}}, nil // a filter that matches nobody
	}
	where.add("journal_id <", before)
	query := "SELECT journal_id FROM messages WHERE " + strings.Join(where.terms, " AND ") + " ORDER BY journal_id DESC LIMIT " + strconv.Itoa(limit+1)
	rows, err := s.pool.Query(ctx, query, where.args...)
	if err != nil {
		return Page[email.Message]{}, failure("list messages", err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return Page[email.Message]{}, failure("list messages", err)
	}
	found, err := s.q.ListMessagesOfNumbers(ctx, numbers)
	if err != nil {
		return Page[email.Message]{}, failure("read listed messages", err)
	}
	convert := func(row dbsqlc.ListMessagesOfNumbersRow) (email.Message, error) {
		return messageOf(dbsqlc.Message(row)), nil
	}
	listed, err := page(found, limit, convert, func(row dbsqlc.ListMessagesOfNumbersRow) string { return strconv.FormatInt(row.JournalID, 10) })
	if err != nil {
		return listed, err
	}
	mails := make([]*email.Message, len(listed.Items))
	for i := range listed.Items {
		mails[i] = &listed.Items[i]
	}
	return listed, failure("read engagement", engagement(ctx, s.q, mails))
}

// conditions are what rows have to be like. Their texts are ours; what comes from outside is an argument.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(term string, arg any) {
	c.args = append(c.args, arg)
	c.terms = append(c.terms, fmt.Sprintf("%s $%d", term, len(c.args)))
}

// messageConditions are written out for the filter at hand, not with an "or there is no filter" for each field: so the planner sees which
// of the indexes serves. The literal terms are those of the partial indexes.
func messageConditions(filter email.MessageFilter) (conditions, bool) {
	var c conditions
	if filter.ContactID != "" {
		id, err := uuid.Parse(filter.ContactID)
		if err != nil {
			return c, false
		}
		c.add("contact_id =", id)
	}
	if filter.State != "" {
		c.add("state =", clean(string(filter.State)))
		if filter.State != email.Sent {
			c.terms = append(c.terms, "state <> 'sent'")
		}
	}
	if filter.Reason != "" {
		c.add("reason =", clean(filter.Reason))
		c.terms = append(c.terms, "reason <> ''")
	}
	if filter.Journey != "" {
		c.add("journey =", clean(filter.Journey))
	}
	if filter.Template != "" {
		c.add("template =", clean(filter.Template))
	}
	return c, true
}
