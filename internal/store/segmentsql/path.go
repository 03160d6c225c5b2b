package segmentsql

import (
	"fmt"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// The functions that ask facts.
const (
	fnDid    = "did"
	fnCount  = "count"
	fnLast   = "last"
	fnObject = "object"
)

// steps takes a path apart: contact.address.city is contact, then address and city. Only keys that are written out are followed.
func steps(e ast.Expr) (root ast.Expr, keys []string, ok bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return e, nil, true
	case ast.SelectKind:
		root, keys, ok = steps(e.AsSelect().Operand())
		return root, append(keys, e.AsSelect().FieldName()), ok
	case ast.CallKind:
		call := e.AsCall()
		switch call.FunctionName() {
		case fnObject:
			return e, nil, true
		case operators.Index:
			key, is := text(call.Args()[1])
			if root, keys, ok = steps(call.Args()[0]); !is || len(keys) > 0 {
				return nil, nil, false // of an index inside a value, memory knows best
			}
			return root, append(keys, key), ok
		}
	}
	return nil, nil, false
}

func text(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().Value().(string)
	return s, ok
}

// path writes a field of the contact, its company, an object or the event.
func (b *builder) path(e ast.Expr) (value, bool) {
	root, keys, ok := steps(e)
	if !ok {
		return value{}, false
	}
	if built, is := b.builtIn(root, keys); is {
		return built, len(keys) == 1
	}
	base, keys, ok := b.base(root, keys)
	if !ok {
		return value{}, false
	}
	return b.within(base, keys), true
}

// builtIn writes a field that every contact or company has; a trait of the same name is not seen.
func (b *builder) builtIn(root ast.Expr, keys []string) (value, bool) {
	if root.Kind() != ast.IdentKind || len(keys) == 0 || b.event {
		return value{}, false
	}
	switch root.AsIdent() + "." + keys[0] {
	case "contact.id":
		return value{kind: kindJSON, sql: "to_jsonb(c.id::text)"}, true
	case "contact.user_id":
		return value{kind: kindJSON, sql: "to_jsonb(c.user_id)"}, true
	case "contact.email":
		return value{kind: kindJSON, sql: "to_jsonb(c.email)"}, true
	case "contact.timezone":
		return value{kind: kindJSON, sql: "to_jsonb(c.timezone)"}, true
	case "contact.locale":
		return value{kind: kindJSON, sql: "to_jsonb(c.locale)"}, true
	case "contact.stage":
		return value{kind: kindJSON, sql: "to_jsonb(c.stage)"}, true
	case "contact.email_verdict":
		return value{kind: kindJSON, sql: "to_jsonb(NULLIF(c.email_verdict, ''))"}, true
	case "contact.email_reasons":
		return value{kind: kindJSON, sql: "to_jsonb(c.email_reasons)"}, true
	case "contact.score":
		return b.score(), true
	case "contact.created_at":
		return value{}, true // a moment: it is written where it is compared
	case "company.id":
		b.join(companies)
		return value{kind: kindJSON, sql: "to_jsonb(co.group_id)"}, true
	case "company.score":
		b.join(companies)
		return value{kind: kindJSON, sql: "to_jsonb(co.score)"}, true
	}
	return value{}, false
}

// source is JSON that paths lead into.
type source struct {
	sql    string
	fields bool // it is a set of fields, and never a list
}

// base writes the JSON that a path leads into, and gives the keys that are left.
func (b *builder) base(root ast.Expr, keys []string) (source, []string, bool) {
	if root.Kind() == ast.CallKind {
		kind, ok := text(root.AsCall().Args()[0])
		if !ok {
			return source{}, nil, false
		}
		return source{b.object(kind) + ".fields", true}, keys, true
	}
	if len(keys) == 0 {
		return source{}, nil, false
	}
	switch name := root.AsIdent(); {
	case name == "contact" && !b.event:
		return source{"c.traits", true}, keys, true
	case name == "company" && !b.event:
		b.join(companies)
		return source{"co.traits", true}, keys, true
	case name == "event" && b.event && keys[0] == "context":
		return source{"CASE WHEN jsonb_exists(e.properties, 'context') THEN e.properties->'context' ELSE e.context END", false}, keys[1:], true
	case name == "event" && b.event:
		return source{"e.properties", true}, keys, true
	}
	return source{}, nil, false
}

const companies = "companies co ON co.id = c.company_id"

// object joins the newest record of a type that belongs to the contact or its company, and gives its name.
func (b *builder) object(kind string) string {
	if known, ok := b.objects[kind]; ok {
		return known
	}
	name := fmt.Sprint("o", len(b.objects)+1)
	b.objects[kind] = name
	b.join(fmt.Sprintf("LATERAL (SELECT o.fields FROM objects o WHERE o.type = %s AND (o.contact_id = c.id OR o.company_id = c.company_id)"+
		" ORDER BY o.updated_at DESC, o.id LIMIT 1) %s ON true", b.arg(kind, "text"), name))
	return name
}

// within follows keys into JSON. What is not there, or no set of fields, gives null; a list has no fields and fails.
func (b *builder) within(base source, keys []string) value {
	if len(keys) == 0 {
		return value{kind: kindJSON, sql: base.sql}
	}
	return value{kind: kindJSON, sql: fmt.Sprintf("(%s #> %s)", base.sql, b.arg(keys, "text[]")), failed: b.lists(base, keys)}
}

// lists is whether a key is asked of a list.
func (b *builder) lists(base source, keys []string) string {
	var parts []string
	first := 0
	if base.fields {
		first = 1
	}
	for i := first; i < len(keys); i++ {
		parts = append(parts, fmt.Sprintf("COALESCE(jsonb_typeof(%s #> %s) = 'array', false)", base.sql, b.arg(keys[:i], "text[]")))
	}
	return or(parts...)
}

// has writes has(path).
func (b *builder) has(e ast.Expr, w want) (string, bool) {
	root, keys, ok := steps(e.AsSelect().Operand())
	if !ok {
		return "", false
	}
	key := e.AsSelect().FieldName()
	keys = append(keys, key)
	if built, is := b.builtIn(root, keys); is {
		switch {
		case len(keys) > 1:
			return "", false
		case built.kind != kindJSON:
			return exactly(w, sqlTrue, ""), true // every contact has a score and an age
		}
		return exactly(w, built.sql+" IS NOT NULL", ""), true
	}
	base, keys, ok := b.base(root, keys)
	if !ok {
		return "", false
	}
	if len(keys) == 0 { // event.context: there, if one of the two is
		return exactly(w, "(jsonb_exists(e.properties, 'context') OR e.context IS NOT NULL)", ""), true
	}
	parent := fmt.Sprintf("(%s #> %s)", base.sql, b.arg(keys[:len(keys)-1], "text[]"))
	there := fmt.Sprintf("COALESCE(CASE WHEN jsonb_typeof(%s) = 'object' THEN jsonb_exists(%s, %s) END, false)", parent, parent, b.arg(key, "text"))
	return exactly(w, there, b.lists(base, keys)), true
}
