package audience

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// EventName is what the catalogue knows of an event's name, and what is done with events of that name.
type EventName struct {
	Name         string     `json:"name"`
	Count        int64      `json:"count"`                // events that were taken in under this name
	FirstSeen    *time.Time `json:"first_seen,omitempty"` // absent: never
	LastSeen     *time.Time `json:"last_seen,omitempty"`
	RenamedTo    string     `json:"renamed_to,omitempty"` // later events of this name are taken in under that one
	Blocked      bool       `json:"blocked"`              // later events of this name are not taken in
	BlockedCount int64      `json:"blocked_count"`
}

// PropertyName is what the catalogue knows of a property of an event.
type PropertyName struct {
	Name  string     `json:"name"`
	Types []SeenType `json:"types"` // by count, the largest first
}

// TraitName is what the catalogue knows of a contact's trait.
type TraitName struct {
	Name       string     `json:"name"`
	Declared   ValueType  `json:"declared,omitempty"` // what comes in is made one of this type, where that can be done
	Mismatches int64      `json:"mismatches"`         // values that could not be, and were kept as they were sent
	FirstSeen  *time.Time `json:"first_seen,omitempty"`
	LastSeen   *time.Time `json:"last_seen,omitempty"`
	Types      []SeenType `json:"types"` // by count, the largest first
}

// SeenType is a type of which values were seen, with some of them. Samples are values that several contacts share.
type SeenType struct {
	Type    ValueType `json:"type"`
	Count   int64     `json:"count"`
	Samples []string  `json:"samples"`
}

// CatalogueRules are what the catalogue does to events on their way in. The zero value does nothing.
type CatalogueRules struct {
	Renamed map[string]string
	Blocked map[string]bool
	Declare map[string]ValueType // traits
}

// Applied is what the rules have made of a batch.
type Applied struct {
	Events     []Incoming
	At         []int            // for each event, its place in the batch; nil: nothing was left out
	Blocked    map[string]int64 // events left out, by name
	Mismatches map[string]int64 // values that are not of their declared type, by trait
}

// Apply renames events, leaves blocked ones out and makes traits of their declared types. The batch itself stays as it is; what says who
// somebody is (identify, group, alias) has no name and is never left out.
func (r CatalogueRules) Apply(batch []Incoming) Applied {
	out := Applied{Events: batch}
	if len(r.Renamed)+len(r.Blocked)+len(r.Declare) == 0 {
		return out
	}
	out.Events, out.At = make([]Incoming, 0, len(batch)), make([]int, 0, len(batch))
	for i := range batch {
		e := batch[i]
		if e.Type.Named() && e.Type != TypeSystem {
			if r.Blocked[e.Name] {
				out.Blocked = plus(out.Blocked, e.Name)
				continue
			}
			if to, renamed := r.Renamed[e.Name]; renamed {
				e.Name = to
			}
		}
		e.Traits = r.coerce(e.Traits, &out)
		out.Events, out.At = append(out.Events, e), append(out.At, i)
	}
	return out
}

// coerce gives the traits with declared ones made of their types: the same map when nothing is another.
func (r CatalogueRules) coerce(traits map[string]any, out *Applied) map[string]any {
	changed := false
	for name, value := range traits {
		want, declared := r.Declare[name]
		if !declared || value == nil {
			continue
		}
		made, ok := want.Coerce(value)
		if !ok {
			out.Mismatches = plus(out.Mismatches, name)
			continue
		}
		if want.Holds(value) {
			continue
		}
		if !changed {
			traits, changed = maps.Clone(traits), true
		}
		traits[name] = made
	}
	return traits
}

func plus(m map[string]int64, name string) map[string]int64 {
	if m == nil {
		m = map[string]int64{}
	}
	m[name]++
	return m
}

// KnownEvents are the names that somebody can build upon, for hints to authors. The nil value and the empty one hint at nothing.
type KnownEvents struct {
	Seen    []string // names of which events were taken in, sorted
	Renamed map[string]string
	Blocked map[string]bool
}

// The codes of hints. A hint is a warning: what was never seen may come tomorrow.
const (
	CodeEventNeverSeen = "event_never_seen"
	CodeEventRenamed   = "event_renamed"
	CodeEventBlocked   = "event_blocked"
)

// Hint tells what an author should know about the name of an event that a journey or a segment looks for; empty: nothing.
func (k *KnownEvents) Hint(name string) (code, message string) {
	if k == nil || name == "" || Reserved(name) || len(k.Seen)+len(k.Renamed)+len(k.Blocked) == 0 {
		return "", ""
	}
	if k.Blocked[name] {
		return CodeEventBlocked, fmt.Sprintf("`%s` is blocked in the catalogue: events of this name are not taken in.", clipName(name))
	}
	if to, renamed := k.Renamed[name]; renamed {
		return CodeEventRenamed, fmt.Sprintf("`%s` is renamed to `%s` on its way in: write `%s`.", clipName(name), clipName(to), clipName(to))
	}
	if name == PageViewed || name == ScreenViewed {
		return "", ""
	}
	if _, seen := slices.BinarySearch(k.Seen, name); seen {
		return "", ""
	}
	if meant := Suggest(name, k.Seen); meant != "" {
		return CodeEventNeverSeen, fmt.Sprintf("`%s` was never seen; did you mean `%s`?", clipName(name), clipName(meant))
	}
	return CodeEventNeverSeen, fmt.Sprintf("`%s` was never seen.", clipName(name))
}

// clipName shortens a name for a sentence.
func clipName(name string) string {
	if runes := []rune(name); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return name
}
