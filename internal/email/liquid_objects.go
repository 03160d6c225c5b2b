package email

import liquidvalues "github.com/osteele/liquid/values"

// objects is the variable object: object.subscription is the newest object of that type, asked for when a template names it, and once.
// It can't be looped over nor printed.
type objects struct {
	find  func(kind string) map[string]any
	known map[string]any
}

func (o *objects) field(kind string) any {
	if value, asked := o.known[kind]; asked {
		return value
	}
	var value any
	if o.find != nil {
		if fields := o.find(kind); fields != nil {
			value = newObject(fields, 1)
		}
	}
	o.known[kind] = value
	return value
}

// The library's view.

func (o *objects) Interface() any                { return o }
func (o *objects) Int() int                      { return 0 }
func (o *objects) Equal(liquidvalues.Value) bool { return false }
func (o *objects) Less(liquidvalues.Value) bool  { return false }
func (o *objects) Test() bool                    { return true }
func (o *objects) String() string                { return "" }

// Contains tells whether there is an object of a type.
func (o *objects) Contains(v liquidvalues.Value) bool {
	kind, ok := v.Interface().(string)
	return ok && o.field(kind) != nil
}

// IndexValue is object["type"].
func (o *objects) IndexValue(v liquidvalues.Value) liquidvalues.Value { return o.PropertyValue(v) }

// PropertyValue is object.type.
func (o *objects) PropertyValue(v liquidvalues.Value) liquidvalues.Value {
	kind, ok := v.Interface().(string)
	if !ok {
		return liquidvalues.ValueOf(nil)
	}
	return liquidvalues.ValueOf(o.field(kind))
}
