package conditiontest

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// Condition draws a condition that segments may have. Most parts are of the right types, some are of any.
func Condition(t *rapid.T, depth int) string {
	g := grammar{t: t}
	return g.truth(depth)
}

// Filter draws a condition over an event alone.
func Filter(t *rapid.T, depth int) string {
	g := grammar{t: t, filter: true}
	return g.truth(depth)
}

type grammar struct {
	t      *rapid.T
	filter bool
	item   bool // inside a loop
}

func (g grammar) pick(options ...string) string {
	return rapid.SampledFrom(options).Draw(g.t, "word")
}

func (g grammar) chance(of int) bool { return rapid.IntRange(1, of).Draw(g.t, "chance") == 1 }

func (g grammar) truth(depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 6).Draw(g.t, "join") {
		case 0, 1:
			return "(" + g.truth(depth-1) + " && " + g.truth(depth-1) + ")"
		case 2, 3:
			return "(" + g.truth(depth-1) + " || " + g.truth(depth-1) + ")"
		case 4:
			return "!(" + g.truth(depth-1) + ")"
		case 5:
			return "(" + g.truth(0) + " ? " + g.truth(depth-1) + " : " + g.truth(0) + ")"
		}
	}
	return g.term()
}

func (g grammar) term() string {
	most := 13
	if g.filter {
		most = 8
	}
	switch rapid.IntRange(0, most).Draw(g.t, "term") {
	case 0:
		return g.path() + " " + g.pick("==", "!=") + " " + g.any()
	case 1:
		return g.path() + " " + g.comparison() + " " + g.pick(g.text(), g.number(), g.path(), "true")
	case 2:
		return g.number() + " " + g.comparison() + " " + g.number()
	case 3:
		return g.text() + "." + g.pick("contains", "startsWith", "endsWith") + "(" + g.pick(g.text(), g.path(), `""`) + ")"
	case 4:
		return g.text() + ".matches(" + g.pick(`"^tr"`, `"[a-c]+$"`, `"(?:ri|er)+"`, `"^[^@]{2,5}a"`, `"."`, `"^$"`, `"[ü-ÿ]"`, `"\\\\d"`, `"[0-9]{5}"`, `"x*"`, `"a|^5"`) + ")"
	case 5:
		return g.any() + " in " + g.pick(g.path(), g.list())
	case 6:
		return "has(" + g.dotted() + ")"
	case 7:
		return g.path()
	case 8:
		return g.loop()
	case 9:
		return g.question()
	case 10:
		return g.scored()
	case 11, 12:
		return g.time() + " " + g.comparison() + " " + g.time()
	}
	return g.span() + " " + g.comparison() + " " + g.span()
}

func (g grammar) comparison() string { return g.pick("==", "!=", "<", "<=", ">", ">=") }

func (g grammar) root() string {
	switch {
	case g.item && g.chance(2):
		return "t"
	case g.filter:
		return "event"
	}
	return g.pick("contact", "contact", "contact", "company", `object("subscription")`, `object("device")`)
}

func (g grammar) dotted() string {
	root := g.root()
	names := []string{"plan", "seats", "vip", "tags", "address.city", "address.list", "plan.city", "tags.city", "gone", "gone.city", "odd", "mrr", "id", "score", "ends"}
	if root == "contact" {
		names = append(names, "email", "user_id", "timezone", "stage", "created_at", "email.x", "email_verdict", "email_reasons")
	}
	if root == "event" {
		names = []string{"amount", "kind", "context", "context.campaign.source", "kind.x"}
	}
	return root + "." + g.pick(names...)
}

func (g grammar) path() string {
	if g.item && g.chance(2) {
		return "t"
	}
	path := g.dotted()
	for strings.HasSuffix(path, "created_at") && g.chance(2) {
		path = g.dotted()
	}
	switch rapid.IntRange(0, 7).Draw(g.t, "index") {
	case 0:
		return path + "[0]"
	case 1:
		return path + `["city"]`
	case 2:
		return g.root2() + `["tags"][` + g.pick("0", "1", "-1", "7") + "]"
	}
	return path
}

func (g grammar) root2() string {
	if g.filter {
		return "event"
	}
	return "contact"
}

func (g grammar) any() string {
	return g.pick(g.text(), g.number(), g.path(), "null", "true", "false", `"eu"`, "5", "2.5")
}

func (g grammar) list() string {
	items := make([]string, rapid.IntRange(0, 3).Draw(g.t, "items"))
	for i := range items {
		items[i] = g.pick(`"trial"`, `"eu"`, "5", "2.5", "null", "true", g.path())
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func (g grammar) text() string {
	texts := []string{`"trial"`, `"eu"`, `"Berlin"`, `"q\"uo'te"`, g.path(), g.path(), g.path()}
	if !g.filter {
		texts = append(texts, "stage", "label", "contact.email", "contact.locale", "persona")
	}
	text := g.pick(texts...)
	switch rapid.IntRange(0, 6).Draw(g.t, "made") {
	case 0:
		return "(" + text + " + " + g.pick(`"x"`, g.path()) + ")"
	case 1:
		if strings.HasPrefix(text, `"`) || !strings.HasPrefix(text, "[") {
			return text + "." + g.pick("lowerAscii", "upperAscii") + "()"
		}
	}
	return text
}

func (g grammar) number() string {
	numbers := []string{"5", "2", "0", "2.5", "-3.0", g.path(), g.path(), "size(" + g.path() + ")"}
	if !g.filter {
		numbers = append(numbers, "score", "fit", "engagement", "contact.score", "company.score", g.counted())
	}
	number := g.pick(numbers...)
	if g.chance(4) {
		operand := g.path()
		operator := g.pick("+", "-", "*", "/")
		if g.chance(2) {
			return fmt.Sprintf("(%s %s %s)", operand, operator, g.pick("2.0", "0.0", "3.0", operand))
		}
		return fmt.Sprintf("(%s %s %s)", number, operator, operand)
	}
	return number
}

func (g grammar) counted() string {
	return "count(" + g.asked() + ")"
}

// scored calculates with whole numbers.
func (g grammar) scored() string {
	left := g.pick("score", "fit", "engagement", g.counted())
	if g.chance(2) {
		left = fmt.Sprintf("(%s %s %s)", left, g.pick("+", "-", "*", "/", "%"), g.pick("2", "3", "0", "7", "fit", "9223372036854775807"))
	}
	return left + " " + g.comparison() + " " + g.pick("0", "1", "2", "10", "score", "2.5")
}

func (g grammar) question() string {
	switch rapid.IntRange(0, 3).Draw(g.t, "question") {
	case 0:
		return g.counted() + " " + g.comparison() + " " + g.pick("0", "1", "2")
	}
	return "did(" + g.asked() + ")"
}

func (g grammar) asked() string {
	name := `"` + g.pick(eventNames...) + `"`
	switch rapid.IntRange(0, 2).Draw(g.t, "asked") {
	case 0:
		return name
	case 1:
		return name + ", " + g.window()
	}
	return name + ", " + g.window() + ", " + quoted(Filter(g.t, 1))
}

func quoted(source string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(source) + `"`
}

func (g grammar) window() string {
	return g.pick(`"1h"`, `"15m"`, `"1d"`, `"2d12h"`, `duration("36h")`)
}

func (g grammar) loop() string {
	inner := grammar{t: g.t, filter: g.filter, item: true}
	if g.item {
		return "t == " + g.any()
	}
	return g.path() + "." + g.pick("exists", "all") + "(t, " + inner.truth(1) + ")"
}

func (g grammar) time() string {
	time := g.pick("now", "now", `last("`+g.pick(eventNames...)+`")`, "contact.created_at", "timestamp(contact.ends)", `timestamp("2026-03-02T12:00:00Z")`, "timestamp("+g.path()+")")
	if g.chance(3) {
		return "(" + time + " " + g.pick("+", "-") + " " + `duration("` + g.pick("1h", "24h", "90m", "-3h", "1ms") + `")` + ")"
	}
	return time
}

func (g grammar) span() string {
	if g.chance(2) {
		return `duration("` + g.pick("1h", "24h", "0s", "-90m") + `")`
	}
	return "(" + g.time() + " - " + g.time() + ")"
}
