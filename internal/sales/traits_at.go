package sales

import (
	"sort"
	"time"
)

// Thinned leaves of a contact's trait changes those that matter at some moments, which are in the order of time: of each trait the last change
// between two of them. TraitsAt gives the same at each of the moments, and has little to look at however many changes there were.
func Thinned(changes []TraitChange, moments []time.Time) []TraitChange {
	type place struct {
		trait string
		span  int
	}
	last := map[place]int{}
	spans := make([]int, len(changes))
	for i, change := range changes {
		spans[i] = sort.Search(len(moments), func(n int) bool { return !change.At.After(moments[n]) })
		for trait := range change.Traits {
			last[place{trait, spans[i]}] = i
		}
	}
	var out []TraitChange
	for i, change := range changes {
		kept := map[string]any{}
		for trait, value := range change.Traits {
			if last[place{trait, spans[i]}] == i {
				kept[trait] = value
			}
		}
		if len(kept) > 0 {
			out = append(out, TraitChange{Traits: kept, At: change.At})
		}
	}
	return out
}
