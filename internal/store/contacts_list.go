package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// highest sorts after every other character: what begins with a text lies between the text and the text with this behind it.
const highest = "\U0010FFFF"

// ListContacts lists contacts. With a beginning: those whose address, user id or name begins with it, addresses first, each kind in the
// order of the alphabet. Without one: the newest first; of a segment, who came into it last.
func (s *Store) ListContacts(ctx context.Context, filter audience.ContactFilter, cursor string, limit int) (Page[audience.Contact], error) {
	limit = clampLimit(limit)
	filter.Segment, filter.Stage = clean(filter.Segment), clean(filter.Stage)
	switch {
	case strings.TrimSpace(filter.Beginning) != "":
		return s.searchContacts(ctx, filter, cursor, limit)
	case filter.Segment != "":
		return s.newestOfSegment(ctx, filter, cursor, limit)
	}
	before := uuid.Max
	if cursor != "" {
		var err error
		if before, err = uuid.Parse(cursor); err != nil {
			return Page[audience.Contact]{}, badCursor()
		}
	}
	var rows []dbsqlc.Contact
	var err error
	if filter.Stage != "" {
		rows, err = s.q.ListNewestOfStage(ctx, filter.Stage, before, int32(limit+1))
	} else {
		rows, err = s.q.ListNewestContacts(ctx, before, int32(limit+1))
	}
	if err != nil {
		return Page[audience.Contact]{}, failure("list contacts", err)
	}
	return page(rows, limit, contactOf, func(row dbsqlc.Contact) string { return row.ID.String() })
}

func (s *Store) newestOfSegment(ctx context.Context, filter audience.ContactFilter, cursor string, limit int) (Page[audience.Contact], error) {
	before, err := parseMemberCursor(cursor)
	if err != nil {
		return Page[audience.Contact]{}, err
	}
	rows, err := s.q.ListNewestOfSegment(ctx, dbsqlc.ListNewestOfSegmentParams{
		Segment: filter.Segment, Stage: filter.Stage, BeforeAt: before.at, BeforeID: before.id, MaxRows: int32(limit + 1),
	})
	if err != nil {
		return Page[audience.Contact]{}, failure("list contacts of a segment", err)
	}
	convert := func(row dbsqlc.ListNewestOfSegmentRow) (audience.Contact, error) { return contactOf(row.Contact) }
	return page(rows, limit, convert, func(row dbsqlc.ListNewestOfSegmentRow) string {
		return row.EnteredAt.UTC().Format(time.RFC3339Nano) + "_" + row.Contact.ID.String()
	})
}

// searchCursor is where a page of a search ended: by what somebody was found, and who.
type searchCursor struct {
	Arm int32     `json:"arm"`
	Key string    `json:"key"`
	ID  uuid.UUID `json:"id"`
}

func (s *Store) searchContacts(ctx context.Context, filter audience.ContactFilter, cursor string, limit int) (Page[audience.Contact], error) {
	var after searchCursor
	if cursor != "" {
		if err := json.Unmarshal([]byte(cursor), &after); err != nil || after.Arm < 1 {
			return Page[audience.Contact]{}, badCursor()
		}
	}
	low := strings.ToLower(strings.TrimSpace(clean(filter.Beginning)))
	found, err := s.q.SearchContacts(ctx, dbsqlc.SearchContactsParams{
		Arm: after.Arm, AfterKey: clean(after.Key), AfterID: after.ID, Low: low, High: low + highest,
		Stage: filter.Stage, Segment: filter.Segment, MaxRows: int32(limit + 1),
	})
	if err != nil {
		return Page[audience.Contact]{}, failure("search contacts", err)
	}
	ids := make([]uuid.UUID, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	rows, err := s.q.ListContactsOf(ctx, ids)
	if err != nil {
		return Page[audience.Contact]{}, failure("read found contacts", err)
	}
	contacts := make(map[uuid.UUID]dbsqlc.Contact, len(rows))
	for _, row := range rows {
		contacts[row.ID] = row
	}
	return foundPage(found, contacts, limit)
}

// foundPage puts the contacts into the order in which they were found. Who has gone in between is left out.
func foundPage(found []dbsqlc.SearchContactsRow, contacts map[uuid.UUID]dbsqlc.Contact, limit int) (Page[audience.Contact], error) {
	var out Page[audience.Contact]
	if len(found) > limit {
		last := found[limit-1]
		next, err := json.Marshal(searchCursor{Arm: last.Arm, Key: last.Key, ID: last.ID})
		if err != nil {
			return out, err
		}
		found, out.Next = found[:limit], string(next)
	}
	for _, f := range found {
		row, ok := contacts[f.ID]
		if !ok {
			continue
		}
		contact, err := contactOf(row)
		if err != nil {
			return Page[audience.Contact]{}, err
		}
		out.Items = append(out.Items, contact)
	}
	return out, nil
}

func badCursor() error {
	return fault.New(fault.Invalid, "bad_cursor", "The cursor is not one that a list gave out.")
}
