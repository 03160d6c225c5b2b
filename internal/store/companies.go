package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// FindCompany finds a company by its id.
func (s *Store) FindCompany(ctx context.Context, id string) (audience.Company, error) {
	parsed, err := parseID(id)
	if err != nil {
		return audience.Company{}, companyNotFound("find company", err)
	}
	row, err := s.q.FindCompany(ctx, parsed)
	if err != nil {
		return audience.Company{}, companyNotFound("find company", err)
	}
	return companyOf(row)
}

// FindCompanyByGroup finds a company by what the product calls it.
func (s *Store) FindCompanyByGroup(ctx context.Context, groupID string) (audience.Company, error) {
	row, err := s.q.FindCompanyByGroup(ctx, clean(groupID))
	if err != nil {
		return audience.Company{}, companyNotFound("find company by group id", err)
	}
	return companyOf(row)
}

// ListCompanies lists companies, the newest first; the cursor is the last id of the page before.
func (s *Store) ListCompanies(ctx context.Context, cursor string, limit int) (Page[audience.Company], error) {
	before, err := parseCursorID(cursor, uuid.Max)
	if err != nil {
		return Page[audience.Company]{}, fmt.Errorf("list companies: %w", err)
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListCompanies(ctx, before, int32(limit+1))
	if err != nil {
		return Page[audience.Company]{}, failure("list companies", err)
	}
	return page(rows, limit, companyOf, func(row dbsqlc.Company) string { return row.ID.String() })
}

// ListCompanyMembers lists the contacts of a company, the oldest first; the cursor is the last id of the page before.
func (s *Store) ListCompanyMembers(ctx context.Context, companyID, cursor string, limit int) (Page[audience.Contact], error) {
	company, err := parseID(companyID)
	if err != nil {
		return Page[audience.Contact]{}, companyNotFound("list members", err)
	}
	if cursor == "" { // an unknown company is not an empty one
		if _, err := s.q.FindCompany(ctx, company); err != nil {
			return Page[audience.Contact]{}, companyNotFound("list members", err)
		}
	}
	after, err := parseCursorID(cursor, uuid.Nil)
	if err != nil {
		return Page[audience.Contact]{}, fmt.Errorf("list members: %w", err)
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListCompanyMembers(ctx, company, after, int32(limit+1))
	if err != nil {
		return Page[audience.Contact]{}, failure("list members", err)
	}
	return page(rows, limit, contactOf, func(row dbsqlc.Contact) string { return row.ID.String() })
}

// SaveCompany sets the traits of a company, which is made when it is new: in place of those that it has, or, merging, over them, where nil
// removes. The same again changes nothing. The members are told by the clock job: it finds changed_at set.
func (s *Store) SaveCompany(ctx context.Context, groupID string, traits map[string]any, merge bool, now time.Time) (audience.Company, error) {
	groupID = clean(groupID)
	if groupID == "" || len(groupID) > maxKeyBytes {
		return audience.Company{}, fmt.Errorf("save company: %w", fault.New(fault.Invalid, "bad_group_id", "A company's id is 1 to 1,000 bytes."))
	}
	var saved dbsqlc.Company
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		empty := json.RawMessage("{}")
		created, err := q.InsertCompany(ctx, dbsqlc.InsertCompanyParams{ID: newID(), GroupID: groupID, Traits: empty, Now: now})
		if err != nil {
			return err
		}
		if saved, err = q.LockCompany(ctx, groupID); err != nil {
			return err
		}
		raw, same, err := changedObject(saved.Traits, traits, merge)
		if err != nil || same && created == 0 {
			return err
		}
		at, err := toldNow(saved.Traits, traits, merge, now)
		if err != nil {
			return err
		}
		saved, err = q.SetCompanyTraits(ctx, dbsqlc.SetCompanyTraitsParams{Traits: raw, ToldAt: at, Now: &now, ID: saved.ID})
		return err
	})
	if err != nil {
		return audience.Company{}, failure("save company", err)
	}
	return companyOf(saved)
}

// toldNow dates what a change of a company's traits says: all that it names, and, where it is in place of what was there, that as well.
func toldNow(stored json.RawMessage, change map[string]any, merge bool, now time.Time) (json.RawMessage, error) {
	delta := newCompanyDelta()
	if !merge {
		before, err := decodeObject(stored)
		if err != nil {
			return nil, err
		}
		delta.hear(before, now)
	}
	delta.hear(change, now)
	return json.Marshal(delta.at)
}

// errJoined is a contact that became a member while its company was on its way out: once more.
var errJoined = errors.New("somebody has joined the company")

// DeleteCompany forgets a company and its objects. Its members are members no more, and are looked at again.
//
// The members are locked before the company, as everywhere. Who joins between the two makes it begin again, because locking contacts while
// the company is held would be the other way round.
func (s *Store) DeleteCompany(ctx context.Context, groupID string, now time.Time) error {
	err := errJoined
	for n := 0; n < maxAttempts && errors.Is(err, errJoined); n++ {
		err = retry(ctx, func() error {
			return s.inTx(ctx, func(q *dbsqlc.Queries) error { return deleteCompany(ctx, q, clean(groupID), now) })
		})
	}
	if errors.Is(err, errJoined) {
		err = fault.Wrap(fault.Unavailable, "company_busy", "Contacts keep joining this company; try again.", err)
	}
	if err != nil {
		return companyNotFound("delete company", err)
	}
	return nil
}

func deleteCompany(ctx context.Context, q *dbsqlc.Queries, groupID string, now time.Time) error {
	company, err := q.FindCompanyByGroup(ctx, groupID)
	if err != nil {
		return err
	}
	if err := q.ReleaseMembers(ctx, now, company.ID); err != nil {
		return err
	}
	if _, err := q.LockCompanyToDelete(ctx, groupID); err != nil {
		return err
	}
	joined, err := q.ListCompanyMembers(ctx, company.ID, uuid.Nil, 1)
	if err != nil {
		return err
	}
	if len(joined) > 0 {
		return errJoined
	}
	return q.DeleteCompany(ctx, company.ID)
}

// changedObject is a JSON object after a change, and whether that leaves it as it is.
func changedObject(stored json.RawMessage, change map[string]any, merge bool) (json.RawMessage, bool, error) {
	before, err := decodeObject(stored)
	if err != nil {
		return nil, false, err
	}
	after := map[string]any{}
	if merge {
		maps.Copy(after, before)
	}
	for name, value := range change {
		if value == nil {
			delete(after, name)
		} else {
			after[name] = value
		}
	}
	raw, err := encodeObject(after)
	if err != nil {
		return nil, false, err
	}
	again, err := decodeObject(raw) // as the database will give it back: numbers of one type
	return raw, reflect.DeepEqual(before, again), err
}

func companyOf(row dbsqlc.Company) (audience.Company, error) {
	traits, err := decodeObject(row.Traits)
	if err != nil {
		return audience.Company{}, fmt.Errorf("company %s: %w", row.ID, err)
	}
	return audience.Company{
		ID: row.ID.String(), GroupID: row.GroupID, Traits: traits, Score: int(row.Score), CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}, nil
}

// parseCursorID reads the cursor of a list that goes by id.
func parseCursorID(cursor string, start uuid.UUID) (uuid.UUID, error) {
	if cursor == "" {
		return start, nil
	}
	id, err := uuid.Parse(cursor)
	if err != nil {
		return uuid.UUID{}, fault.New(fault.Invalid, "bad_cursor", "The cursor is not one that a list gave out.")
	}
	return id, nil
}

func companyNotFound(op string, err error) error {
	return notFound(op, "company_not_found", "There is no such company.", err)
}
