package journey

import (
	"regexp"
	"slices"
	"strings"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

var (
	journeyKey = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	stepKey    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// Parse reads a definition, YAML or JSON. It always gives one, as far as it could be read, with every problem of its form, sorted;
// Validate finds the problems of its meaning.
func Parse(data []byte) (*Definition, []fault.Problem) {
	root, err := read(data)
	if err != nil {
		return &Definition{hash: Hash(data)}, []fault.Problem{syntaxProblem(err)}
	}
	d := &decoder{}
	def := d.definition(root)
	def.hash = hashOf(root)
	return def, sortProblems(d.problems)
}

// Check parses and validates: every problem at once. A definition without errors can be compiled.
func Check(data []byte, known Known) (*Definition, []fault.Problem) {
	def, problems := Parse(data)
	if slices.ContainsFunc(problems, func(p fault.Problem) bool {
		return p.Path == "" && (p.Code == "syntax" || p.Code == "too_large" || p.Code == "wrong_type")
	}) {
		return def, problems // nothing was read, so nothing more is known
	}
	return def, sortProblems(append(problems, Validate(def, known)...))
}

// maxPriority keeps priorities numbers that people can tell apart.
const maxPriority = 100

func (d *decoder) definition(root *node) *Definition {
	o := d.object(root, "", DefinitionFields(), "steps")
	def := &Definition{Journey: o.text("journey"), Name: o.text("name")}
	if def.Journey != "" && !journeyKey.MatchString(def.Journey) {
		d.problem("/journey", "bad_key", "The journey's key has lower case letters, digits and dashes, at most 64, and does not begin with a dash.")
	}
	def.Enter = d.matches(root.get("enter"), "/enter")
	def.Goal = d.matches(root.get("goal"), "/goal")
	def.Exit = d.matches(root.get("exit"), "/exit")
	def.Reenter = d.reenter(o.text("reenter"))
	if def.Priority = o.integer("priority"); def.Priority < -maxPriority || def.Priority > maxPriority {
		d.problem("/priority", "wrong_type", "\"priority\" is a whole number from %d to %d.", -maxPriority, maxPriority)
	}
	def.DuringHandoff = DuringHandoff(o.text("during_handoff"))
	if root.typ == typeObject {
		def.Steps = d.steps(root.get("steps"))
	}
	return def
}

func (d *decoder) reenter(text string) Reenter {
	switch span, after := strings.CutPrefix(text, "after "); {
	case text == "" || text == string(ReenterNever):
	case text == string(ReenterAlways):
		return Reenter{Policy: ReenterAlways}
	case after:
		length, err := audience.ParseDuration(strings.TrimSpace(span))
		if err == nil {
			return Reenter{Policy: ReenterAfter, After: length}
		}
		d.problem("/reenter", "bad_duration", "%s: %s.", named("/reenter"), err.Error())
	default:
		d.problem("/reenter", "wrong_type", "\"reenter\" is never, always, or after a time such as after 90d.")
	}
	return Reenter{Policy: ReenterNever}
}

// matches reads one event match or a list of them.
func (d *decoder) matches(n *node, at string) []Match {
	if n == nil {
		return nil
	}
	if n.typ != typeList {
		return []Match{d.match(n, at)}
	}
	if len(n.items) > maxArms {
		d.problem(at, "too_large", "%s has more than %d entries.", named(at), maxArms)
		return nil
	}
	var all []Match
	for i, item := range n.items {
		all = append(all, d.match(item, indexOf(at, i)))
	}
	return all
}

func (d *decoder) match(n *node, at string) Match {
	return d.object(n, at, matchFields()).match()
}

func (d *decoder) steps(n *node) []Step {
	switch {
	case n == nil || n.typ == typeList && len(n.items) == 0:
		d.problem("", "missing_field", "The definition needs \"steps\", with at least one step.")
		return nil
	case n.typ != typeList:
		d.problem("/steps", "wrong_type", "\"steps\" must be a list, not %s.", nodePhrase(n.typ))
		return nil
	case len(n.items) > MaxSteps:
		d.problem("/steps", "too_large", "The journey has %d steps; at most %d are allowed.", len(n.items), MaxSteps)
		return nil
	}
	steps := make([]Step, 0, len(n.items))
	for i, item := range n.items {
		steps = append(steps, d.oneStep(item, indexOf("/steps", i)))
	}
	return steps
}

func (d *decoder) oneStep(n *node, at string) Step {
	d.step, d.broken = "", false
	defer func() { d.step = "" }()
	if id := n.get("id"); id != nil && id.typ == typeText && stepKey.MatchString(id.text) {
		d.step = id.text
	}
	kind, known := d.kind(n, at)
	spec, _ := kindSpec(kind)
	others := kindNames()
	if !known { // of which kind it is meant to be is unclear: its other fields are let pass
		for _, f := range n.fields {
			others = append(others, f.name)
		}
	}
	if known && !spec.Next && n.get("next") != nil {
		d.problem(at+"/next", "unknown_field", "A step of kind %q has no \"next\": where it leads stands in the step itself.", kind)
		others = append(others, "next")
	}
	o := d.object(n, at, append(stepFields(spec.Next || !known), spec.Beside...), others...)
	s := Step{ID: o.text("id"), Kind: kind, Next: o.text("next"), Pointer: at}
	if s.ID != "" && !stepKey.MatchString(s.ID) {
		d.problem(at+"/id", "bad_key", "A step's id has lower case letters, digits and underscores, at most 64, and begins with a letter.")
	}
	if known {
		b := d.body(n.get(string(kind)), pointerTo(at, string(kind)), spec)
		b.step = o
		spec.decode(b, &s)
	}
	s.broken = d.broken
	return s
}

// kind finds the one kind key of a step.
func (d *decoder) kind(n *node, at string) (Kind, bool) {
	if n.typ != typeObject {
		return "", false
	}
	var found []string
	var strange []string
	for _, f := range n.fields {
		switch {
		case slices.Contains(kindNames(), f.name):
			found = append(found, f.name)
		case f.name != "id" && f.name != "next" && f.name != experimentField:
			strange = append(strange, f.name)
		}
	}
	switch {
	case len(found) == 1:
		return Kind(found[0]), true
	case len(found) > 1:
		d.problem(at, "two_kinds", "%s is of more than one kind: %s. Make them separate steps.", named(at), strings.Join(found, ", "))
	case len(strange) > 0:
		d.problem(pointerTo(at, strange[0]), "unknown_kind", "There is no kind of step called %q%s", clip(strange[0]), didYouMean(strange[0], kindNames()))
	default:
		d.problem(at, "no_kind", "%s does nothing: give it one of %s.", named(at), strings.Join(kindNames(), ", "))
	}
	return "", false
}

// body reads a step's body in its kind's form.
func (d *decoder) body(n *node, at string, spec KindSpec) *body {
	if !spec.Arms {
		if spec.Short != "" && n.typ != typeObject {
			// The bare form is the object with one field, but keeps its place in the document.
			short := *n
			fields := slices.Clone(spec.Fields)
			o := &object{d: d, at: at, nodes: map[string]*node{}, wrong: map[string]bool{}, specs: fields}
			i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == spec.Short })
			before := len(d.problems)
			d.check(&short, at, fields[i])
			if len(d.problems) == before {
				o.nodes[spec.Short] = &short
			}
			return &body{object: o}
		}
		return &body{object: d.object(n, at, spec.Fields)}
	}
	b := &body{}
	switch {
	case n.typ != typeList:
		d.problem(at, "wrong_type", "%s must be a list of arms, not %s.", named(at), nodePhrase(n.typ))
	case len(n.items) > maxArms:
		d.problem(at, "too_large", "%s has more than %d arms.", named(at), maxArms)
	default:
		for i, item := range n.items {
			b.arms = append(b.arms, d.object(item, indexOf(at, i), spec.Fields))
		}
	}
	return b
}
