package audience

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// Object is a typed record that belongs to a contact or to a company: a subscription, a workspace, an invoice. Conditions and templates see
// the newest one of a type: that of the contact or of its company, whichever was changed last.
type Object struct {
	Type      string         `json:"type"`
	ID        string         `json:"id"`                   // as the product calls it; unique within its type
	ContactID string         `json:"contact_id,omitempty"` // exactly one of the two is set
	CompanyID string         `json:"company_id,omitempty"`
	Fields    map[string]any `json:"fields"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
}

// ObjectWrite is a change of an object. At most one of the owners is given; none: it stays with the one that it has.
type ObjectWrite struct {
	Type, ID  string
	ContactID string
	UserID    string // of the contact
	GroupID   string // of the company
	Fields    map[string]any
	Merge     bool // put the fields over those that are there, null removes; else they replace them
}

// ObjectOwner names whose objects are meant: exactly one of the two.
type ObjectOwner struct {
	ContactID string
	CompanyID string
}

// ObjectType says of which types an object's fields are. Fields that it does not name may be anything.
type ObjectType struct {
	Type      string               `json:"type"`
	Fields    map[string]ValueType `json:"fields"`
	UpdatedAt time.Time            `json:"updated_at"`
}

var (
	objectTypePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	fieldPattern      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
)

// ValidObjectType tells whether a text can name a type of objects: conditions and templates write it out.
func ValidObjectType(name string) bool { return objectTypePattern.MatchString(name) }

// CheckDeclaration lists what is wrong with a type's fields.
func (t ObjectType) CheckDeclaration() []fault.Problem {
	var problems []fault.Problem
	for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
		switch {
		case !fieldPattern.MatchString(name):
			problems = append(problems, fault.Problem{Path: "/fields", Code: "bad_field", Level: fault.LevelError,
				Message: "A field's name is letters, digits and underscores (64 at most), and does not begin with a digit."})
		case !t.Fields[name].Declarable():
			problems = append(problems, fault.Problem{Path: "/fields/" + name, Code: "bad_type", Level: fault.LevelError,
				Message: "A field is a number, text, boolean or time."})
		}
	}
	return problems
}

// Check lists the fields whose values are not of the declared type. A field that is missing or null is nothing wrong.
func (t ObjectType) Check(fields map[string]any) []fault.Problem {
	var problems []fault.Problem
	for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
		value, want := fields[name], t.Fields[name]
		if value == nil || want.Holds(value) {
			continue
		}
		problems = append(problems, fault.Problem{Path: "/fields/" + name, Code: "wrong_type", Level: fault.LevelError,
			Message: fmt.Sprintf("%q has to be %s.", name, want.phrase())})
	}
	return problems
}
