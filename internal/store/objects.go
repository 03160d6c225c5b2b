package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// lockObjects is the class of the advisory locks that make two writers of one object take turns.
const lockObjects int32 = 11

// maxObjectID bounds what stands in an index.
const maxObjectID = 255

// errOwnerMoved is an object that came to another contact while we waited for the lock of the one that it had: once more.
var errOwnerMoved = errors.New("the object has moved to another contact")

// SaveObject makes or changes an object, under the lock of the contact that it belongs to (and of the one that it belonged to). The same
// again changes nothing. Whoever sees the object in a condition is looked at again: its contact, or, by the clock job, its company's members.
func (s *Store) SaveObject(ctx context.Context, w audience.ObjectWrite, now time.Time) (audience.Object, bool, error) {
	w.ID = clean(w.ID)
	if err := checkObject(w.Type, w.ID); err != nil {
		return audience.Object{}, false, fmt.Errorf("save object: %w", err)
	}
	var row dbsqlc.Object
	var created bool
	err := errOwnerMoved
	for range maxAttempts {
		owner, ownerErr := s.objectOwner(ctx, w)
		if ownerErr != nil {
			return audience.Object{}, false, fmt.Errorf("save object: %w", ownerErr)
		}
		err = retry(ctx, func() error {
			return s.inTx(ctx, func(q *dbsqlc.Queries) error {
				var err error
				row, created, err = saveObject(ctx, q, w, owner, now)
				return err
			})
		})
		if !errors.Is(err, errOwnerMoved) {
			break
		}
	}
	if err != nil {
		return audience.Object{}, false, failure("save object", err)
	}
	object, err := objectOf(row)
	return object, created, err
}

// objectOwner is who the write names; neither: nobody.
type owner struct{ contact, company *uuid.UUID }

func (o owner) none() bool { return o.contact == nil && o.company == nil }

func (s *Store) objectOwner(ctx context.Context, w audience.ObjectWrite) (owner, error) {
	var contact audience.Contact
	var err error
	switch {
	case w.ContactID != "":
		contact, err = s.FindContact(ctx, w.ContactID)
	case w.UserID != "":
		contact, err = s.FindContactBy(ctx, KindUserID, w.UserID)
	case w.GroupID != "":
		company, err := s.q.FindCompanyByGroup(ctx, clean(w.GroupID))
		if isNoRows(err) {
			return owner{}, fault.New(fault.Invalid, "unknown_company", "There is no such company. Send a group call, or save the company, before its objects.")
		}
		return owner{company: &company.ID}, failure("find company", err)
	default:
		return owner{}, nil
	}
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return owner{}, fault.New(fault.Invalid, "unknown_contact", "There is no such contact. Send an identify call before the contact's objects.")
		}
		return owner{}, err
	}
	id, err := uuid.Parse(contact.ID)
	return owner{contact: &id}, err
}

// saveObject runs in a transaction. The order of locks is that of ingestion: contacts by id, then a company.
func saveObject(ctx context.Context, q *dbsqlc.Queries, w audience.ObjectWrite, o owner, now time.Time) (dbsqlc.Object, bool, error) {
	before, there, err := lockObject(ctx, q, w.Type, w.ID, o.contact)
	if err != nil {
		return dbsqlc.Object{}, false, err
	}
	if o.none() {
		if !there {
			return dbsqlc.Object{}, false, fault.New(fault.Invalid, "no_owner", "A new object needs an owner: a contact or a company.")
		}
		o = owner{before.ContactID, before.CompanyID}
	}
	raw, same, err := changedObject(before.Fields, w.Fields, w.Merge && there)
	if err != nil {
		return dbsqlc.Object{}, false, err
	}
	if err := checkFields(ctx, q, w.Type, raw); err != nil {
		return dbsqlc.Object{}, false, err
	}
	if there && same && equalIDs(before.ContactID, o.contact) && equalIDs(before.CompanyID, o.company) {
		return before, false, nil
	}
	row, err := q.UpsertObject(ctx, dbsqlc.UpsertObjectParams{
		Type: w.Type, ID: w.ID, ContactID: o.contact, CompanyID: o.company, Fields: raw, Now: now,
	})
	if err != nil {
		return dbsqlc.Object{}, false, err
	}
	return row, !there, tellOwners(ctx, q, now, before, row)
}

// lockObject takes the object's turn and the locks of the contacts concerned, and reads the object under them.
func lockObject(ctx context.Context, q *dbsqlc.Queries, kind, id string, next *uuid.UUID) (dbsqlc.Object, bool, error) {
	if err := q.LockObject(ctx, lockObjects, kind+"/"+id); err != nil {
		return dbsqlc.Object{}, false, err
	}
	seen, err := q.FindObject(ctx, kind, id)
	if err != nil && !isNoRows(err) {
		return dbsqlc.Object{}, false, err
	}
	var contacts []uuid.UUID
	for _, id := range []*uuid.UUID{seen.ContactID, next} {
		if id != nil && !slices.Contains(contacts, *id) {
			contacts = append(contacts, *id)
		}
	}
	if len(contacts) == 0 {
		return seen, err == nil, nil
	}
	locked, err := q.LockContactRows(ctx, contacts)
	if err != nil {
		return dbsqlc.Object{}, false, err
	}
	if len(locked) < len(contacts) { // one of them has just been merged into another contact, or erased
		return dbsqlc.Object{}, false, errOwnerMoved
	}
	row, err := q.FindObject(ctx, kind, id)
	if err != nil && !isNoRows(err) {
		return dbsqlc.Object{}, false, err
	}
	if err == nil && row.ContactID != nil && !slices.Contains(contacts, *row.ContactID) {
		return dbsqlc.Object{}, false, errOwnerMoved
	}
	return row, err == nil, nil
}

// tellOwners has those looked at again who see an object that has changed, moved or gone.
func tellOwners(ctx context.Context, q *dbsqlc.Queries, now time.Time, rows ...dbsqlc.Object) error {
	var contacts []uuid.UUID
	var companies []uuid.UUID
	for _, row := range rows {
		if row.ContactID != nil {
			contacts = append(contacts, *row.ContactID)
		}
		if row.CompanyID != nil && !slices.Contains(companies, *row.CompanyID) {
			companies = append(companies, *row.CompanyID)
		}
	}
	if len(contacts) > 0 {
		if err := q.RecheckOwner(ctx, now, contacts); err != nil {
			return err
		}
	}
	slices.SortFunc(companies, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range companies {
		if err := q.TouchCompany(ctx, now, id); err != nil {
			return err
		}
	}
	return nil
}

// FindObject finds an object.
func (s *Store) FindObject(ctx context.Context, kind, id string) (audience.Object, error) {
	row, err := s.q.FindObject(ctx, clean(kind), clean(id))
	if err != nil {
		return audience.Object{}, objectNotFound("find object", err)
	}
	return objectOf(row)
}

// DeleteObject forgets an object.
func (s *Store) DeleteObject(ctx context.Context, kind, id string, now time.Time) error {
	err := errOwnerMoved
	for n := 0; n < maxAttempts && errors.Is(err, errOwnerMoved); n++ {
		err = retry(ctx, func() error {
			return s.inTx(ctx, func(q *dbsqlc.Queries) error {
				row, there, err := lockObject(ctx, q, clean(kind), clean(id), nil)
				if err != nil {
					return err
				}
				if !there {
					return fault.New(fault.NotFound, "object_not_found", "There is no such object.")
				}
				if err := q.DeleteObject(ctx, row.Type, row.ID); err != nil {
					return err
				}
				return tellOwners(ctx, q, now, row)
			})
		})
	}
	return failure("delete object", err)
}

// ListObjects lists the objects of a contact or of a company, of one type or of all, by type and id. The cursor is type/id of the last one
// of the page before.
func (s *Store) ListObjects(ctx context.Context, of audience.ObjectOwner, kind, cursor string, limit int) (Page[audience.Object], error) {
	afterType, afterID, _ := strings.Cut(cursor, "/") // a type holds no slash
	limit = clampLimit(limit)
	var rows []dbsqlc.Object
	var err error
	if of.ContactID != "" {
		var contact audience.Contact
		if contact, err = s.FindContact(ctx, of.ContactID); err != nil {
			return Page[audience.Object]{}, err
		}
		rows, err = s.q.ListObjectsOfContact(ctx, dbsqlc.ListObjectsOfContactParams{
			ContactID: uuid.MustParse(contact.ID), Type: clean(kind), AfterType: afterType, AfterID: afterID, MaxRows: int32(limit + 1),
		})
	} else {
		var company audience.Company
		if company, err = s.FindCompany(ctx, of.CompanyID); err != nil {
			return Page[audience.Object]{}, err
		}
		rows, err = s.q.ListObjectsOfCompany(ctx, dbsqlc.ListObjectsOfCompanyParams{
			CompanyID: uuid.MustParse(company.ID), Type: clean(kind), AfterType: afterType, AfterID: afterID, MaxRows: int32(limit + 1),
		})
	}
	if err != nil {
		return Page[audience.Object]{}, failure("list objects", err)
	}
	return page(rows, limit, objectOf, func(row dbsqlc.Object) string { return row.Type + "/" + row.ID })
}

// SaveObjectType declares the types of the fields of objects of a type. Objects that are there already are not looked at.
func (s *Store) SaveObjectType(ctx context.Context, t audience.ObjectType, now time.Time) (audience.ObjectType, error) {
	if !audience.ValidObjectType(t.Type) {
		return audience.ObjectType{}, fmt.Errorf("save object type: %w", badObjectType())
	}
	if problems := t.CheckDeclaration(); len(problems) > 0 {
		return audience.ObjectType{}, fmt.Errorf("save object type: %w", fault.WithProblems("invalid", "The type has problems; see problems.", problems))
	}
	fields := t.Fields
	if fields == nil {
		fields = map[string]audience.ValueType{}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return audience.ObjectType{}, fmt.Errorf("save object type: %w", err)
	}
	row, err := s.q.SaveObjectType(ctx, t.Type, raw, now)
	if err != nil {
		return audience.ObjectType{}, failure("save object type", err)
	}
	return objectTypeOf(row)
}

// ListObjectTypes lists the declared types by name; the cursor is the last one of the page before.
func (s *Store) ListObjectTypes(ctx context.Context, cursor string, limit int) (Page[audience.ObjectType], error) {
	limit = clampLimit(limit)
	rows, err := s.q.ListObjectTypes(ctx, cursor, int32(limit+1))
	if err != nil {
		return Page[audience.ObjectType]{}, failure("list object types", err)
	}
	return page(rows, limit, objectTypeOf, func(row dbsqlc.ObjectType) string { return row.Type })
}

func checkObject(kind, id string) error {
	switch {
	case !audience.ValidObjectType(kind):
		return badObjectType()
	case id == "" || len(id) > maxObjectID:
		return fault.New(fault.Invalid, "bad_object_id", "An object's id is 1 to 255 bytes.")
	}
	return nil
}

func badObjectType() error {
	return fault.New(fault.Invalid, "bad_object_type",
		"A type has lower-case letters, digits and _ (64 at most) and begins with a letter, such as subscription.")
}

// checkFields holds the fields to the declared type, if there is one.
func checkFields(ctx context.Context, q *dbsqlc.Queries, kind string, raw json.RawMessage) error {
	row, err := q.FindObjectType(ctx, kind)
	if isNoRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	declared, err := objectTypeOf(row)
	if err != nil {
		return err
	}
	fields, err := decodeObject(raw)
	if err != nil {
		return err
	}
	if problems := declared.Check(fields); len(problems) > 0 {
		return fault.WithProblems("wrong_type", "Some fields are not of their declared types; see problems.", problems)
	}
	return nil
}

func objectOf(row dbsqlc.Object) (audience.Object, error) {
	fields, err := decodeObject(row.Fields)
	if err != nil {
		return audience.Object{}, fmt.Errorf("object of type %s: %w", row.Type, err)
	}
	return audience.Object{
		Type: row.Type, ID: row.ID, ContactID: optionalID(row.ContactID), CompanyID: optionalID(row.CompanyID), Fields: fields,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}, nil
}

func objectTypeOf(row dbsqlc.ObjectType) (audience.ObjectType, error) {
	t := audience.ObjectType{Type: row.Type, UpdatedAt: row.UpdatedAt}
	if err := json.Unmarshal(row.Fields, &t.Fields); err != nil {
		return t, fmt.Errorf("object type %s: %w", row.Type, err)
	}
	return t, nil
}

func equalIDs(a, b *uuid.UUID) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func objectNotFound(op string, err error) error {
	return notFound(op, "object_not_found", "There is no such object.", err)
}
