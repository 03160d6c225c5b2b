package sales

import (
	"cmp"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

var keyForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Parse reads a scoring model, YAML or JSON, as far as it can be read, with every problem of its form and its meaning, sorted. A model
// without errors can be compiled.
func Parse(data []byte) (*Definition, []fault.Problem) {
	r := &reader{}
	root := r.tree(data)
	if root == nil {
		return &Definition{}, r.problems
	}
	def := r.definition(root)
	c := &checker{reader: r, ids: map[string]string{}}
	c.definition(def)
	return def, sortProblems(r.problems)
}

func (r *reader) definition(root *yaml.Node) *Definition {
	o := r.object(root, "", "name", "personas", "fit", "engagement", "labels", "stages")
	def := &Definition{Name: o.short("name", false)}
	for i, n := range o.list("personas", MaxPersonas) {
		def.Personas = append(def.Personas, r.persona(n, indexOf("/personas", i)))
	}
	if o.has("fit") {
		def.Fit = r.fit(o.fields["fit"])
	}
	if o.has("engagement") {
		e := r.object(o.fields["engagement"], "/engagement", "groups")
		for i, n := range e.list("groups", MaxGroups) {
			def.Engagement.Groups = append(def.Engagement.Groups, r.group(n, indexOf("/engagement/groups", i)))
		}
	}
	if o.has("labels") {
		def.Labels = r.labels(o.fields["labels"])
	}
	if o.has("stages") {
		def.Stages = r.stages(o.fields["stages"])
	}
	return def
}

// key reads a name that stands in states and answers: plain, so that it never needs quoting.
func (o object) key(name string) string {
	key := o.text(name, true)
	if key != "" && !keyForm.MatchString(key) {
		o.r.problem(o.place(name), "bad_key", "%s has lower-case letters, digits, - and _ (64 at most) and begins with a letter or digit.", named(o.place(name)))
		return ""
	}
	return key
}

func (r *reader) persona(n *yaml.Node, at string) PersonaRule {
	o := r.object(n, at, "key", "name", "when")
	return PersonaRule{Key: o.key("key"), Name: o.short("name", false), When: o.text("when", true)}
}

func (o object) points() int {
	points, ok := o.integer("points", true, -MaxPoints, MaxPoints)
	if ok && points == 0 {
		o.r.problem(o.place("points"), "out_of_range", "%s is 0: the rule does nothing.", named(o.place("points")))
	}
	return points
}

func (r *reader) fit(n *yaml.Node) Fit {
	o := r.object(n, "/fit", "cap", "rules")
	var fit Fit
	fit.Cap, _ = o.integer("cap", false, 1, MaxThreshold)
	for i, n := range o.list("rules", MaxRules) {
		rule := r.object(n, indexOf("/fit/rules", i), "id", "when", "points")
		fit.Rules = append(fit.Rules, FitRule{ID: rule.key("id"), When: rule.text("when", true), Points: rule.points()})
	}
	return fit
}

func (r *reader) group(n *yaml.Node, at string) Group {
	o := r.object(n, at, "key", "name", "cap", "half_life", "rules")
	group := Group{Key: o.key("key"), Name: o.short("name", false), HalfLife: o.halfLife("half_life"), Rules: []EventRule{}}
	group.Cap, _ = o.integer("cap", false, 1, MaxThreshold)
	rules := o.list("rules", MaxRules)
	if n.Kind == yaml.MappingNode && len(rules) == 0 && (!o.has("rules") || o.fields["rules"].Kind == yaml.SequenceNode) {
		r.problem(at, "missing_field", "%s needs \"rules\", with at least one rule.", named(at))
	}
	for i, n := range rules {
		rule := r.object(n, indexOf(at+"/rules", i), "id", "event", "when", "points")
		when := rule.text("when", false)
		if rule.has("when") && strings.TrimSpace(when) == "" && rule.fields["when"].Kind == yaml.ScalarNode {
			r.problem(rule.place("when"), audience.CodeConditionSyntax, "The condition is empty.")
		}
		group.Rules = append(group.Rules, EventRule{ID: rule.key("id"), Event: rule.short("event", true), When: when, Points: rule.points()})
	}
	return group
}

func (r *reader) labels(n *yaml.Node) *Labels {
	o := r.object(n, "/labels", "fit", "engagement")
	labels := &Labels{}
	pair := func(name, high, low string) (int, int) {
		if !o.has(name) {
			r.problem("/labels", "missing_field", "%s needs the field %q.", named("/labels"), name)
			return 0, 0
		}
		p := r.object(o.fields[name], o.place(name), high, low)
		above, ok1 := p.integer(high, true, -MaxThreshold, MaxThreshold)
		below, ok2 := p.integer(low, true, -MaxThreshold, MaxThreshold)
		if ok1 && ok2 && above <= below {
			r.problem(p.place(high), "bad_order", "%s has to be above %s.", named(p.place(high)), low)
		}
		return above, below
	}
	labels.Fit.A, labels.Fit.B = pair("fit", "A", "B")
	labels.Engagement.One, labels.Engagement.Two = pair("engagement", "1", "2")
	return labels
}

func (r *reader) stages(n *yaml.Node) map[string]Threshold {
	names := Stages()[1:] // everybody is a subscriber to begin with
	o := r.object(n, "/stages", names...)
	stages := map[string]Threshold{}
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		t := r.object(o.fields[name], o.place(name), "fit", "engagement", "total", "labels")
		var threshold Threshold
		for field, target := range map[string]**int{"fit": &threshold.Fit, "engagement": &threshold.Engagement, "total": &threshold.Total} {
			if value, ok := t.integer(field, false, -MaxThreshold, MaxThreshold); ok {
				*target = &value
			}
		}
		for i, label := range t.list("labels", 9) {
			text, place := label.Value, indexOf(t.place("labels"), i)
			if label.Kind != yaml.ScalarNode || !isLabel(text) {
				r.problem(place, "wrong_type", "%s must be one of A1 to C3.", named(place))
				continue
			}
			threshold.Labels = append(threshold.Labels, text)
		}
		slices.Sort(threshold.Labels)
		threshold.Labels = slices.Compact(threshold.Labels)
		if o.fields[name].Kind == yaml.MappingNode && len(t.fields) == 0 {
			r.problem(o.place(name), "missing_field", "%s needs one of fit, engagement, total and labels.", named(o.place(name)))
		}
		stages[name] = threshold
	}
	return stages
}

func isLabel(s string) bool {
	return len(s) == 2 && strings.ContainsRune("ABC", rune(s[0])) && strings.ContainsRune("123", rune(s[1]))
}

func pointerTo(base, name string) string {
	return base + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func indexOf(base string, i int) string { return base + "/" + strconv.Itoa(i) }

// named calls a place by what its author sees: "rule 2 of fit", and else by its last field.
func named(at string) string {
	if at == "" {
		return "A scoring model"
	}
	parts := strings.Split(strings.TrimPrefix(at, "/"), "/")
	last := parts[len(parts)-1]
	if i, err := strconv.Atoi(last); err == nil && len(parts) > 1 {
		words := map[string]string{"rules": "Rule", "groups": "Group", "personas": "Persona", "labels": "Label"}
		if word, ok := words[parts[len(parts)-2]]; ok {
			return word + " " + strconv.Itoa(min(i, math.MaxInt32)+1)
		}
	}
	return `"` + clip(strings.NewReplacer("~1", "/", "~0", "~").Replace(last)) + `"`
}

func clip(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

func didYouMean(word string, candidates []string) string {
	if near := audience.Suggest(word, candidates); near != "" {
		return ". Did you mean \"" + near + "\"?"
	}
	return ". There are " + strings.Join(candidates, ", ") + "."
}

func sortProblems(problems []fault.Problem) []fault.Problem {
	slices.SortStableFunc(problems, func(a, b fault.Problem) int {
		return cmp.Or(comparePointers(a.Path, b.Path), strings.Compare(a.Code, b.Code), strings.Compare(a.Message, b.Message))
	})
	problems = slices.Compact(problems)
	return problems[:min(len(problems), maxProblems)]
}

func comparePointers(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "/"), strings.Split(b, "/"), func(x, y string) int {
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		if errX == nil && errY == nil {
			return cmp.Compare(i, j)
		}
		return strings.Compare(x, y)
	})
}
