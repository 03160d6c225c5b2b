package conditiontest

import "pgregory.net/rapid"

// Usual draws a condition as marketers write them: traits, the company, objects, and what was done, compared with what is written out.
func Usual(t *rapid.T, depth int) string {
	g := grammar{t: t}
	if depth > 0 {
		switch rapid.IntRange(0, 6).Draw(t, "join") {
		case 0, 1:
			return "(" + Usual(t, depth-1) + " && " + Usual(t, depth-1) + ")"
		case 2, 3:
			return "(" + Usual(t, depth-1) + " || " + Usual(t, depth-1) + ")"
		case 4:
			return "!(" + Usual(t, depth-1) + ")"
		case 5:
			return "(" + g.usual() + " ? " + Usual(t, depth-1) + " : " + Usual(t, depth-1) + ")"
		}
	}
	return g.usual()
}

func (g grammar) usual() string {
	switch rapid.IntRange(0, 11).Draw(g.t, "usual") {
	case 0:
		return g.dotted() + " " + g.pick("==", "!=") + " " + g.pick(`"trial"`, `"eu"`, "5", "2.5", "true", "null", `"Berlin"`)
	case 1:
		return g.dotted() + " " + g.comparison() + " " + g.pick("5", "0", "2.5", "-1")
	case 2:
		return g.pick(`"m"`, `"trial"`) + " " + g.comparison() + " " + g.dotted()
	case 3:
		return g.dotted() + g.pick("", ".lowerAscii()") + "." + g.pick("contains", "startsWith", "endsWith") + "(" + g.pick(`"tr"`, `"l"`, `"ana"`, `""`, `"ü"`) + ")"
	case 4:
		return g.dotted() + " in " + g.pick(`["trial", "paid"]`, `[5, "eu", null]`, `[true]`, "[]")
	case 5:
		return g.pick(`"eu"`, "5", "true", `"city"`) + " in " + g.dotted()
	case 6:
		return "has(" + g.dotted() + ")"
	case 7:
		return g.dotted()
	case 8:
		return "did(" + g.usuallyAsked() + ")" + g.pick("", " == did("+g.usuallyAsked()+")")
	case 9:
		return "count(" + g.usuallyAsked() + ") " + g.comparison() + " " + g.pick("0", "1", "2", "1.5")
	case 10:
		name := `last("` + g.pick(eventNames...) + `")`
		return g.pick("now - "+name+" "+g.pick("<", ">", "<=", ">=")+` duration("24h")`, name+` > timestamp("2026-03-01T12:00:00Z")`, name+" == null",
			name+` <= now - duration("90m")`, `contact.created_at < now - duration("48h")`, `now - contact.created_at >= duration("24h")`)
	}
	return g.pick("stage", "persona", "contact.stage") + " " + g.pick("==", "!=", ">=") + " " + g.pick(`"lead"`, `"customer"`, `"founder"`)
}

func (g grammar) usuallyAsked() string {
	name := `"` + g.pick(eventNames...) + `"`
	switch rapid.IntRange(0, 2).Draw(g.t, "asked") {
	case 0:
		return name
	case 1:
		return name + ", " + g.window()
	}
	filter := g.pick("event.amount > 2", `event.kind == "demo"`, `event.kind in ["demo", "call"] || event.amount == 5`, "has(event.amount)",
		`event.context.campaign.source == "news"`, "has(event.context)", `!event.kind.startsWith("d")`)
	return name + ", " + g.window() + ", " + quoted(filter)
}
