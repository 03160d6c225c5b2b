package email

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	liquidvalues "github.com/osteele/liquid/values"

	"throughline.dev/throughline/internal/audience"
)

// Data is what placeholders may show.
type Data struct {
	Contact audience.Contact
	Event   map[string]any // properties of the event that enrolled the contact
	Company map[string]any
	// Object gives the fields of the newest custom object of a type; nil: there is none. It may be nil.
	Object func(kind string) map[string]any
}

// bindings makes the variables of one rendering: copies, cut down to the limits.
func (d Data) bindings() map[string]any {
	c := d.Contact
	contact := make(map[string]any, len(c.Traits)+8)
	for k, v := range c.Traits {
		contact[k] = v
	}
	// The tracking API spells names in camel case, the journey language in snake case.
	alias(contact, "first_name", "firstName")
	alias(contact, "last_name", "lastName")
	set := func(name, value string) {
		if value != "" {
			contact[name] = value
		}
	}
	set("id", c.ID)
	set("user_id", c.UserID)
	set("email", c.Email)
	set("timezone", c.Timezone)
	set("locale", c.Locale)
	set("stage", c.Stage)
	contact["score"] = c.Score
	return map[string]any{
		"contact": newObject(contact, 0),
		"event":   newObject(d.Event, 0),
		"company": newObject(d.Company, 0),
		"object":  &objects{find: d.Object, known: map[string]any{}},
	}
}

func alias(m map[string]any, name, from string) {
	if v, ok := m[from]; ok && m[name] == nil {
		m[name] = v
	}
}

// object is a map as Liquid sees it: fields can be asked for, but it can't be looped over (Go's order is random) nor printed.
type object struct {
	fields map[string]any
}

const maxDataDepth = 8

func newObject(m map[string]any, depth int) *object {
	o := &object{fields: make(map[string]any, len(m))}
	for k, v := range m {
		o.fields[k] = bindValue(v, depth+1)
	}
	return o
}

// bindValue reduces a value to what JSON has: nil, bool, int, float64, string, []any, object.
func bindValue(v any, depth int) any {
	if depth > maxDataDepth {
		return nil
	}
	switch v := v.(type) {
	case nil, bool, int:
		return v
	case string:
		return clip(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int(v)
		}
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, err := v.Float64()
		if err != nil {
			return clip(v.String())
		}
		return bindValue(f, depth)
	case time.Time:
		return v.Format(time.RFC3339)
	case map[string]any:
		return newObject(v, depth)
	}
	return bindOther(v, depth)
}

func bindOther(v any, depth int) any {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Slice, reflect.Array:
		n := min(rv.Len(), maxLiquidItems)
		list := make([]any, n)
		for i := range n {
			list[i] = bindValue(rv.Index(i).Interface(), depth+1)
		}
		return list
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(rv.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int(rv.Uint())
	case reflect.Float32:
		return bindValue(rv.Float(), depth)
	case reflect.String:
		return clip(rv.String())
	default:
		return clip(fmt.Sprint(v))
	}
}

// clip bounds a string and repairs what is no UTF-8.
func clip(s string) string {
	if len(s) > maxLiquidValue {
		return strings.ToValidUTF8(s[:maxLiquidValue], "") // a rune may have been cut in two
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// The library's view of an object.

func (o *object) Interface() any                { return o }
func (o *object) Int() int                      { return 0 }
func (o *object) Equal(liquidvalues.Value) bool { return false }
func (o *object) Less(liquidvalues.Value) bool  { return false }
func (o *object) Test() bool                    { return true }
func (o *object) String() string                { return "" }
func (o *object) Contains(v liquidvalues.Value) bool {
	key, ok := v.Interface().(string)
	return ok && o.fields[key] != nil
}

func (o *object) IndexValue(v liquidvalues.Value) liquidvalues.Value { return o.PropertyValue(v) }

func (o *object) PropertyValue(v liquidvalues.Value) liquidvalues.Value {
	key, ok := v.Interface().(string)
	if !ok {
		return liquidvalues.ValueOf(nil)
	}
	return liquidvalues.ValueOf(o.fields[key])
}
