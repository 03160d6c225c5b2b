package journey

import (
	"slices"
	"strings"
)

// graph checks where the steps lead: to steps that exist, all of them reachable, none off the end, no loop without a pause.
func (c *checker) graph() {
	steps := c.def.Steps
	index := map[string]int{}
	ids := make([]string, 0, len(steps))
	whole := len(steps) > 0
	for i := range steps {
		if _, double := index[steps[i].ID]; !double {
			index[steps[i].ID] = i
		}
		ids = append(ids, steps[i].ID)
		whole = whole && !steps[i].broken && steps[i].ID != ""
	}
	next := make([][]int, len(steps))
	for i := range steps {
		s := &steps[i]
		if s.broken {
			continue
		}
		for _, e := range exitsOf(steps, i) {
			target, ok := index[e.target]
			switch {
			case ok:
				next[i] = append(next[i], target)
			case e.target == "" && e.port == PortNext:
				c.errorf(s.Pointer, s.ID, "dead_end", "After the last step, %q, nothing follows: add an exit step, or next.", s.ID)
				whole = false
			case e.target != "":
				c.errorf(e.pointer, s.ID, "unknown_step", "The step %q leads to %q, which does not exist%s", s.ID, clip(e.target), didYouMean(e.target, ids))
				whole = false
			}
		}
	}
	if !whole {
		return // what is missing would make other steps look unreachable
	}
	c.unreachable(next)
	c.loops(next)
}

// exitsOf lists the ways out of a step with the default filled in: next is the step that follows in the list.
func exitsOf(steps []Step, i int) []exit {
	s := &steps[i]
	spec, ok := kindSpec(s.Kind)
	if !ok {
		return nil
	}
	if !spec.Next {
		if spec.exits == nil {
			return nil
		}
		return spec.exits(s)
	}
	e := exit{port: PortNext, target: s.Next, pointer: s.Pointer + "/next"}
	if e.target == "" && i+1 < len(steps) {
		e.target = steps[i+1].ID
	}
	return []exit{e}
}

func (c *checker) unreachable(next [][]int) {
	seen := make([]bool, len(next))
	queue := []int{0}
	seen[0] = true
	for len(queue) > 0 {
		for _, to := range next[queue[0]] {
			if !seen[to] {
				seen[to] = true
				queue = append(queue, to)
			}
		}
		queue = queue[1:]
	}
	for i, reached := range seen {
		if s := c.def.Steps[i]; !reached {
			c.errorf(s.Pointer, s.ID, "unreachable_step", "No way leads to the step %q.", s.ID)
		}
	}
}

// loops reports each loop that a contact could run through without a pause. A wait until a moment is no pause: once the moment is past,
// it passes at once.
func (c *checker) loops(next [][]int) {
	pauses := func(i int) bool {
		s := &c.def.Steps[i]
		spec, _ := kindSpec(s.Kind)
		return spec.Waits && (s.Wait == nil || s.Wait.Until == nil)
	}
	reported := make([]bool, len(next))
	for i := range next {
		if reported[i] || pauses(i) {
			continue
		}
		path := loopFrom(i, next, pauses)
		if path == nil {
			continue
		}
		var names []string
		for _, at := range path {
			reported[at] = true
			names = append(names, c.def.Steps[at].ID)
		}
		s := c.def.Steps[i]
		c.errorf(s.Pointer, s.ID, "endless_loop", "The steps %s go in a circle without a wait, a wait_for or a handoff.", strings.Join(append(names, s.ID), " → "))
	}
}

// loopFrom finds the shortest way from a step back to itself that does not pause, or nil.
func loopFrom(start int, next [][]int, pauses func(int) bool) []int {
	from := map[int]int{}
	queue := []int{start}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, to := range next[at] {
			if to == start {
				path := []int{at}
				for at != start {
					at = from[at]
					path = append(path, at)
				}
				slices.Reverse(path)
				return path
			}
			if _, seen := from[to]; !seen && !pauses(to) {
				from[to] = at
				queue = append(queue, to)
			}
		}
	}
	return nil
}
