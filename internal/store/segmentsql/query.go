// Package segmentsql asks PostgreSQL whom a segment's condition holds for.
//
// For every part of a condition it writes bounds instead of a translation: SQL that is true at least wherever the part is true, and so for
// untrue, not true and not untrue (a part with a missing value is neither true nor untrue). Bounds of && and || are made of their parts'
// bounds, those of ! are its part's mirrored. A part that SQL can't answer exactly as memory does has the bound "true", so every condition
// has a query, none is wrong, and only those contacts have to be judged in memory for whom the bounds leave it open.
//
// Nothing that a marketer wrote becomes SQL text: names, texts and numbers are arguments.
package segmentsql

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
)

// Query selects (id, open): the contacts for whom a condition may hold, and of each whether that has to be judged in memory. Who is not
// among them: it does not hold for. It runs with the tables contacts, companies, objects and events.
type Query struct {
	SQL   string
	Args  []any
	Exact bool // open is false for everybody
}

// Compile makes the query of a condition at a moment, under a scoring model.
func Compile(c *audience.Condition, model *sales.Model, now time.Time) Query {
	b := &builder{condition: c, model: model, now: now.UTC().Truncate(time.Microsecond), exact: true, objects: map[string]string{}}
	may, open := sqlTrue, sqlTrue
	if storable(c.Expression()) {
		may = b.bound(c.Expression(), isTrue)
		open = sqlFalse
		if !b.exact {
			open = b.bound(c.Expression(), notTrue)
		}
	} else {
		b.exact = false
	}
	from := append([]string{"contacts c"}, b.joins...)
	sql, args := numbered(fmt.Sprintf("SELECT c.id, (%s) AS open FROM %s WHERE %s", open, strings.Join(from, " LEFT JOIN "), may), b.args)
	return Query{SQL: sql, Args: args, Exact: b.exact}
}

// builder writes one query.
type builder struct {
	condition *audience.Condition // that the part at hand belongs to
	model     *sales.Model
	now       time.Time
	args      []any
	exact     bool              // no part was left open
	joins     []string          // what the contact is joined with
	objects   map[string]string // the names of the objects joined, by their type
	event     bool              // inside a filter: event is e
}

// arg adds an argument and gives its place.
func (b *builder) arg(value any, as string) string {
	b.args = append(b.args, value)
	return fmt.Sprintf("$%d::%s", len(b.args), as)
}

// join joins the contact with one row, or with none.
func (b *builder) join(what string) {
	if !slices.Contains(b.joins, what) {
		b.joins = append(b.joins, what)
	}
}

var placeholder = regexp.MustCompile(`\$\d+`)

// numbered leaves out the arguments that nothing refers to, because PostgreSQL refuses them. Texts are arguments, so that nothing else looks
// like a place.
func numbered(sql string, args []any) (string, []any) {
	var used []any
	places := map[string]string{}
	sql = placeholder.ReplaceAllStringFunc(sql, func(old string) string {
		if places[old] == "" {
			number, _ := strconv.Atoi(old[1:])
			used = append(used, args[number-1])
			places[old] = fmt.Sprint("$", len(used))
		}
		return places[old]
	})
	return sql, used
}

// storable tells whether PostgreSQL can be asked with the texts of a condition: it takes no NUL.
func storable(e ast.Expr) bool {
	ok := true
	check := func(text string) { ok = ok && utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(inner ast.Expr) {
		switch inner.Kind() {
		case ast.LiteralKind:
			if text, is := inner.AsLiteral().Value().(string); is {
				check(text)
			}
		case ast.SelectKind:
			check(inner.AsSelect().FieldName())
		}
	}))
	return ok
}
