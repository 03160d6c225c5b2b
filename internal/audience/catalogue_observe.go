package audience

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of what is noted: a product that puts ids into names must not fill memory or the catalogue.
const (
	maxWindowNames      = 2000 // names of events, and of traits, within one window
	maxNameProperties   = 200  // properties of an event, and traits
	maxCatalogueName    = 200  // bytes
	maxSampleBytes      = 64
	maxWindowSamples    = 3  // of a property and type within one window
	maxWindowLooks      = 20 // values of a property and type that are looked at within one window
	maxCandidates       = 8  // values of a property and type that may become samples
	maxCandidateKeys    = 5000
	sampleContacts      = 3 // so many contacts share a value before it is shown as a sample
	maxTraitsOfIncoming = 200
)

// Observed is what was seen since the last Take.
type Observed struct {
	Events     map[string]*ObservedName
	Traits     map[string]*ObservedName // by trait, with one property named ""
	Blocked    map[string]int64
	Mismatches map[string]int64
}

// ObservedName is what was seen of one name.
type ObservedName struct {
	Count       int64
	First, Last time.Time
	Properties  map[string]map[ValueType]*ObservedType
}

// ObservedType is what was seen of a property's values of one type.
type ObservedType struct {
	Count   int64
	Samples []string
	looks   int
}

// Observer notes the names, types and samples of events. It is not safe for concurrent use.
//
// Samples are never somebody's own: a value becomes one when several contacts share it, and nothing that looks like an address ever does.
type Observer struct {
	window     *Observed
	candidates map[sampleKey]*candidates
}

type sampleKey struct {
	trait          bool
	name, property string
	kind           ValueType
}

// candidates are values that were seen lately, with the contacts that have them.
type candidates struct {
	values [maxCandidates]candidate
	next   int
}

type candidate struct {
	value    string
	contacts []string // up to sampleContacts; then the value is a sample
}

// NewObserver makes an observer that has seen nothing.
func NewObserver() *Observer {
	return &Observer{window: newObserved(), candidates: map[sampleKey]*candidates{}}
}

func newObserved() *Observed {
	return &Observed{
		Events: map[string]*ObservedName{}, Traits: map[string]*ObservedName{}, Blocked: map[string]int64{}, Mismatches: map[string]int64{},
	}
}

// Empty tells whether nothing was seen.
func (o *Observed) Empty() bool {
	return len(o.Events)+len(o.Traits)+len(o.Blocked)+len(o.Mismatches) == 0
}

// Take gives what was seen and begins anew.
func (o *Observer) Take() *Observed {
	taken := o.window
	o.window = newObserved()
	return taken
}

// Left notes what the rules have left out or could not make of its type.
func (o *Observer) Left(a Applied) {
	for name, n := range a.Blocked {
		if _, there := o.window.Blocked[name]; there || len(o.window.Blocked) < maxWindowNames {
			o.window.Blocked[name] += n
		}
	}
	for name, n := range a.Mismatches { // declared traits only, so there are few
		o.window.Mismatches[name] += n
	}
}

// See notes an event that was taken in as a contact's.
func (o *Observer) See(e *Incoming, contactID string, now time.Time) {
	if e.Type.Named() && e.Type != TypeSystem && presentable(e.Name) {
		if name := seen(o.window.Events, e.Name, now); name != nil {
			for property, value := range e.Properties {
				o.value(sampleKey{name: e.Name, property: property}, name, property, value, contactID)
			}
		}
	}
	left := maxTraitsOfIncoming
	for trait, value := range e.Traits {
		if left--; left < 0 {
			break
		}
		if !presentable(trait) {
			continue
		}
		if name := seen(o.window.Traits, trait, now); name != nil {
			o.value(sampleKey{trait: true, name: trait}, name, "", value, contactID)
		}
	}
}

func seen(names map[string]*ObservedName, key string, now time.Time) *ObservedName {
	name, there := names[key]
	if !there {
		if len(names) >= maxWindowNames {
			return nil
		}
		name = &ObservedName{First: now, Properties: map[string]map[ValueType]*ObservedType{}}
		names[key] = name
	}
	name.Count++
	name.Last = now
	return name
}

func (o *Observer) value(key sampleKey, name *ObservedName, property string, value any, contactID string) {
	key.kind = TypeOf(value)
	if key.kind == "" {
		return
	}
	types, there := name.Properties[property]
	if !there {
		if len(name.Properties) >= maxNameProperties || property != "" && !presentable(property) {
			return
		}
		types = map[ValueType]*ObservedType{}
		name.Properties[property] = types
	}
	t, there := types[key.kind]
	if !there {
		t = &ObservedType{}
		types[key.kind] = t
	}
	t.Count++
	if t.looks++; t.looks > maxWindowLooks || len(t.Samples) >= maxWindowSamples {
		return
	}
	if text, ok := sampleOf(value); ok && o.shared(key, text, contactID) && !slices.Contains(t.Samples, text) {
		t.Samples = append(t.Samples, text)
	}
}

// shared notes that a contact has a value, and tells whether this contact is the one that makes it a sample.
func (o *Observer) shared(key sampleKey, text, contactID string) bool {
	c, there := o.candidates[key]
	if !there {
		if len(o.candidates) >= maxCandidateKeys {
			return false
		}
		c = &candidates{}
		o.candidates[key] = c
	}
	for i := range c.values {
		v := &c.values[i]
		if v.value != text || len(v.contacts) == 0 {
			continue
		}
		if len(v.contacts) == sampleContacts || slices.Contains(v.contacts, contactID) {
			return false
		}
		v.contacts = append(v.contacts, contactID)
		return len(v.contacts) == sampleContacts
	}
	c.values[c.next] = candidate{value: strings.Clone(text), contacts: []string{contactID}}
	c.next = (c.next + 1) % maxCandidates
	return false
}

// presentable tells whether a name may stand in the catalogue: not one that holds an address.
func presentable(name string) bool {
	return name != "" && len(name) <= maxCatalogueName && strings.IndexByte(name, '@') < 0 && strings.IndexByte(name, 0) < 0 && utf8.ValidString(name)
}

// sampleOf is a value as it may be shown, and whether it may be: addresses, lists and objects never are.
func sampleOf(value any) (string, bool) {
	switch v := value.(type) {
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		if size := math.Abs(v); size >= 1e15 || size != 0 && size < 1e-6 {
			return "", false // it would be long, and says nothing
		}
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case string:
		if v == "" || strings.IndexByte(v, '@') >= 0 || strings.Contains(v, "%40") || strings.IndexByte(v, 0) >= 0 || !utf8.ValidString(v) {
			return "", false
		}
		if len(v) > maxSampleBytes {
			v = strings.ToValidUTF8(v[:maxSampleBytes], "")
		}
		return v, true
	}
	return "", false
}
