package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Objects keeps typed records that belong to contacts and companies, and the declared types of their fields.
type Objects interface {
	SaveObject(ctx context.Context, w audience.ObjectWrite, now time.Time) (audience.Object, bool, error)
	FindObject(ctx context.Context, kind, id string) (audience.Object, error)
	DeleteObject(ctx context.Context, kind, id string, now time.Time) error
	ListObjects(ctx context.Context, of audience.ObjectOwner, kind, cursor string, limit int) (Page[audience.Object], error)
	SaveObjectType(ctx context.Context, t audience.ObjectType, now time.Time) (audience.ObjectType, error)
	ListObjectTypes(ctx context.Context, cursor string, limit int) (Page[audience.ObjectType], error)
}

// maxObject is the largest object.
const maxObject = 64 << 10

// ObjectInput names an object.
type ObjectInput struct {
	Type string `path:"type" maxLength:"64" doc:"What it is, such as subscription: lower-case letters, digits and _."`
	ID   string `path:"id" maxLength:"255" doc:"As the product calls it, percent-encoded."`
}

// SaveObjectInput is an object's owner and fields.
type SaveObjectInput struct {
	ObjectInput
	Body struct {
		ContactID string         `json:"contact_id,omitempty" maxLength:"36" doc:"The contact that it belongs to."`
		UserID    string         `json:"user_id,omitempty" maxLength:"255" doc:"The contact, as the product calls it."`
		GroupID   string         `json:"group_id,omitempty" maxLength:"1000" doc:"The company that it belongs to, as the product calls it."`
		Fields    map[string]any `json:"fields" doc:"Conditions see them as object(\"type\").*. A field that is null is removed."`
	}
}

// SavedObject is the object: 201 when it is new, 200 when it was there.
type SavedObject struct {
	Status int
	Body   audience.Object
}

type objectOutput struct{ Body audience.Object }

// ObjectsInput lists objects.
type ObjectsInput struct {
	Type string `query:"type" maxLength:"64" doc:"Only of this type."`
	ListInput
}

// ObjectTypeInput names a type.
type ObjectTypeInput struct {
	Type string `path:"type" maxLength:"64" doc:"The type."`
}

// SaveObjectTypeInput declares a type.
type SaveObjectTypeInput struct {
	ObjectTypeInput
	Body struct {
		Fields map[string]audience.ValueType `json:"fields" doc:"A field's name, and number, text, boolean or time. Fields that are not named may be anything."`
	}
}

type objectTypeOutput struct{ Body audience.ObjectType }

func (s *server) objectRoutes() {
	read, write := anyOf(ScopeRead, ScopeSales), anyOf(ScopeIngest, ScopeJourneys)
	op := func(id, method, path, summary, doc string, a access) operation {
		return operation{id: id, method: method, path: path, tag: "objects", summary: summary, doc: doc, access: a}
	}
	const object = "/v1/objects/{type}/{id}"
	const doc = " At most one of contact_id, user_id and group_id; without one it stays with its owner, and a new object needs one. " +
		"The same again changes nothing. 422 names each field that is not of its declared type."
	put := op("save-object", http.MethodPut, object, "Save an object", "The fields replace those that it has."+doc, write)
	put.status, put.twin, put.maxBody = http.StatusCreated, http.StatusOK, maxObject
	handle(s, put, s.saveObject(false))
	patch := op("patch-object", http.MethodPatch, object, "Change some fields of an object", "The others stay."+doc, write)
	patch.status, patch.twin, patch.maxBody = http.StatusCreated, http.StatusOK, maxObject
	handle(s, patch, s.saveObject(true))
	handle(s, op("find-object", http.MethodGet, object, "Read an object", "", read), s.findObject)
	remove := op("delete-object", http.MethodDelete, object, "Delete an object", "", write)
	remove.status = http.StatusNoContent
	handle(s, remove, s.deleteObject)
	handle(s, op("list-contact-objects", http.MethodGet, "/v1/contacts/{id}/objects", "List a contact's objects", "By type and id.", read), s.contactObjects)
	handle(s, op("list-company-objects", http.MethodGet, "/v1/companies/{group_id}/objects", "List a company's objects", "By type and id.", read), s.companyObjects)
	types := anyOf(ScopeRead, ScopeJourneys)
	handle(s, op("list-object-types", http.MethodGet, "/v1/object_types", "List declared types of objects", "", types), s.listObjectTypes)
	handle(s, op("save-object-type", http.MethodPut, "/v1/object_types/{type}", "Declare the types of an object's fields",
		"Holds for what is saved from now on. Objects of types that are not declared are free-form.", anyOf(ScopeJourneys)), s.saveObjectType)
}

func (s *server) saveObject(merge bool) func(context.Context, *SaveObjectInput) (*SavedObject, error) {
	return func(ctx context.Context, in *SaveObjectInput) (*SavedObject, error) {
		b, owners := in.Body, 0
		for _, owner := range []string{b.ContactID, b.UserID, b.GroupID} {
			if owner != "" {
				owners++
			}
		}
		if owners > 1 {
			return nil, invalid("", "one_owner", "An object belongs to one: name it by one of contact_id, user_id and group_id.")
		}
		object, created, err := s.Objects.SaveObject(ctx, audience.ObjectWrite{
			Type: in.Type, ID: in.ID, ContactID: b.ContactID, UserID: b.UserID, GroupID: b.GroupID, Fields: b.Fields, Merge: merge,
		}, s.now())
		if err != nil {
			return nil, fmt.Errorf("save object: %w", err)
		}
		out := &SavedObject{Status: http.StatusOK, Body: object}
		if created {
			out.Status = http.StatusCreated
		}
		return out, nil
	}
}

func (s *server) findObject(ctx context.Context, in *ObjectInput) (*objectOutput, error) {
	object, err := s.Objects.FindObject(ctx, in.Type, in.ID)
	if err != nil {
		return nil, fmt.Errorf("find object: %w", err)
	}
	return &objectOutput{Body: object}, nil
}

func (s *server) deleteObject(ctx context.Context, in *ObjectInput) (*struct{}, error) {
	if err := s.Objects.DeleteObject(ctx, in.Type, in.ID, s.now()); err != nil {
		return nil, fmt.Errorf("delete object: %w", err)
	}
	return nil, nil //nolint:nilnil // 204 has no body
}

func (s *server) contactObjects(ctx context.Context, in *struct {
	ContactInput
	ObjectsInput
}) (*listOutput[audience.Object], error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	return s.listObjects(ctx, audience.ObjectOwner{ContactID: id}, in.ObjectsInput)
}

func (s *server) companyObjects(ctx context.Context, in *struct {
	CompanyInput
	ObjectsInput
}) (*listOutput[audience.Object], error) {
	company, err := s.Companies.FindCompanyByGroup(ctx, in.GroupID)
	if err != nil {
		return nil, fmt.Errorf("find company: %w", err)
	}
	return s.listObjects(ctx, audience.ObjectOwner{CompanyID: company.ID}, in.ObjectsInput)
}

func (s *server) listObjects(ctx context.Context, of audience.ObjectOwner, in ObjectsInput) (*listOutput[audience.Object], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Objects.ListObjects(ctx, of, in.Type, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	return listOf(page), nil
}

func (s *server) listObjectTypes(ctx context.Context, in *ListInput) (*listOutput[audience.ObjectType], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Objects.ListObjectTypes(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list object types: %w", err)
	}
	return listOf(page), nil
}

func (s *server) saveObjectType(ctx context.Context, in *SaveObjectTypeInput) (*objectTypeOutput, error) {
	saved, err := s.Objects.SaveObjectType(ctx, audience.ObjectType{Type: in.Type, Fields: in.Body.Fields}, s.now())
	if err != nil {
		return nil, fmt.Errorf("save object type: %w", err)
	}
	return &objectTypeOutput{Body: saved}, nil
}
