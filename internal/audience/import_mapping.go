package audience

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"throughline.dev/throughline/internal/fault"
)

// ImportColumn says what becomes of a column.
type ImportColumn struct {
	Column string `json:"column"` // as the header names it
	To     string `json:"to"`     // a field, trait:NAME[:TYPE], property:NAME[:TYPE], or skip
}

// ImportSpec is how a CSV file becomes events: every row an identify call, or an event of a name.
type ImportSpec struct {
	Kind    EventType      `json:"kind"`            // identify or track
	Event   string         `json:"event,omitempty"` // the name of every event; empty: a column says
	Columns []ImportColumn `json:"mapping"`         // what is not named here goes where its header says
}

// The fields that a column can go to.
const (
	toUserID      = "user_id"
	toEmail       = "email"
	toAnonymousID = "anonymous_id"
	toTimezone    = "timezone"
	toLocale      = "locale"
	toOccurredAt  = "occurred_at"
	toCreatedAt   = "created_at"
	toEvent       = "event"
	toMessageID   = "message_id"
	toSkip        = "skip"
	toTrait       = "trait"
	toProperty    = "property"
)

// The types of a trait or a property.
const (
	typeText    = "text"
	typeNumber  = "number"
	typeBoolean = "boolean"
	typeTime    = "time"
)

func importFields() []string {
	return []string{toUserID, toEmail, toAnonymousID, toTimezone, toLocale, toOccurredAt, toCreatedAt, toEvent, toMessageID}
}

func importTypes() []string { return []string{typeText, typeNumber, typeBoolean, typeTime} }

// notTold are the columns of an export that can't be told: they follow from what is.
func notTold() []string { return []string{"id", "stage", "score", "updated_at"} }

const (
	maxImportColumns = 1000
	maxImportName    = 200 // runes of a name of an event, a trait or a property
)

// target is where a column goes.
type target struct {
	field string // a field, trait, property or skip
	name  string // of a trait or a property
	typ   string
}

func (t target) String() string {
	if t.name == "" {
		return t.field
	}
	return t.field + ":" + t.name
}

// parseTarget reads user_id, trait:NAME, property:NAME:number… A name may hold colons: only a type at the end is one.
func parseTarget(s string) (target, bool) {
	if slices.Contains(importFields(), s) || s == toSkip {
		return target{field: s}, true
	}
	field, name, _ := strings.Cut(s, ":")
	if field != toTrait && field != toProperty {
		return target{}, false
	}
	t := target{field: field, name: name, typ: typeText}
	if i := strings.LastIndexByte(name, ':'); i >= 0 && slices.Contains(importTypes(), name[i+1:]) {
		t.name, t.typ = name[:i], name[i+1:]
	}
	return t, t.name != "" && utf8.RuneCountInString(t.name) <= maxImportName && utf8.ValidString(t.name) && !strings.ContainsRune(t.name, 0)
}

// Check says all that can be said about a mapping before there is a file.
func (s ImportSpec) Check() []fault.Problem {
	var problems []fault.Problem
	problem := func(path, code, message string) {
		problems = append(problems, fault.Problem{Path: path, Code: code, Level: fault.LevelError, Message: message})
	}
	seen := map[string]bool{}
	for i, c := range s.Columns {
		path := fmt.Sprintf("/mapping/%d/to", i)
		t, ok := parseTarget(c.To)
		switch {
		case !ok:
			problem(path, "unknown_target", "A column goes to "+strings.Join(importFields(), ", ")+", trait:NAME, property:NAME or skip; a trait and a "+
				"property may end in :text, :number, :boolean or :time.")
		case t.field != toSkip && seen[t.String()]:
			problem(path, "duplicate_target", "Two columns can't go to the same place.")
		case !s.events() && (t.field == toProperty || t.field == toEvent || t.field == toMessageID):
			problem(path, "events_only", "Only events have properties, names and message ids: say which event the rows are.")
		case t.field == toEvent && s.Event != "":
			problem(path, "duplicate_target", "The name of the events is given, so no column can say it.")
		}
		seen[t.String()] = true
	}
	if s.Event != "" && badName(s.Event) {
		problem("/event", "bad_event", "Events can't have this name: it is too long, or one of Throughline's own.")
	}
	return problems
}

func (s ImportSpec) events() bool { return s.Kind == TypeTrack }

func badName(name string) bool {
	return utf8.RuneCountInString(name) > maxImportName || !utf8.ValidString(name) || strings.ContainsRune(name, 0) || Reserved(name)
}

// importColumn is a column of the file, and where it goes; one column may go to several places.
type importColumn struct {
	header  string
	targets []target
}

// plan says where each column of a file goes, or what is wrong with its header.
func (s ImportSpec) plan(header []string) ([]importColumn, []ImportProblem) {
	columns := make([]importColumn, len(header))
	for i, h := range header {
		columns[i].header = strings.TrimSpace(h)
	}
	problems := checkHeader(columns)
	if len(problems) > 0 {
		return nil, problems
	}
	taken := map[string]bool{}
	if s.Event != "" {
		taken[toEvent] = true
	}
	for _, c := range s.Columns {
		t, _ := parseTarget(c.To)
		i := findColumn(columns, c.Column)
		if i < 0 {
			problems = append(problems, headerProblem(c.Column, "unknown_column", "The file has no column of this name."))
			continue
		}
		taken[t.String()] = true
		columns[i].targets = append(columns[i].targets, t)
	}
	for i := range columns {
		if len(columns[i].targets) == 0 {
			t := s.guess(columns[i].header, taken)
			taken[t.String()] = true
			columns[i].targets = []target{t}
		}
	}
	if !taken[toUserID] && !taken[toEmail] && !taken[toAnonymousID] {
		problems = append(problems, headerProblem("", "no_identity", "No column says whose a row is: map one to user_id, email or anonymous_id."))
	}
	if s.events() && !taken[toEvent] {
		problems = append(problems, headerProblem("", "no_event", "Nothing says which events these are: name one, or map a column to event."))
	}
	return columns, problems
}

func headerProblem(column, code, message string) ImportProblem {
	return ImportProblem{Line: 1, Column: column, Code: code, Message: message}
}

func checkHeader(columns []importColumn) []ImportProblem {
	var problems []ImportProblem
	seen := map[string]bool{}
	for i, c := range columns {
		place := fmt.Sprintf("column %d", i+1)
		switch {
		case c.header == "":
			problems = append(problems, headerProblem(place, "unnamed_column", "Every column needs a name in the first line."))
		case looksLikeData(c.header): // and may be personal: say which column, not what is in it
			return []ImportProblem{headerProblem(place, "no_header", "The first line looks like data: it has to name the columns.")}
		case utf8.RuneCountInString(c.header) > maxImportName:
			problems = append(problems, headerProblem(place, "long_name", "The name of this column is too long."))
		case seen[c.header]:
			problems = append(problems, headerProblem(c.header, "duplicate_column", "Two columns have this name."))
		}
		seen[c.header] = true
	}
	if len(columns) > maxImportColumns {
		problems = append(problems, headerProblem("", "too_many_columns", fmt.Sprintf("A file may have %d columns.", maxImportColumns)))
	}
	return problems
}

// looksLikeData tells a value from a name: an address, a number, a moment.
func looksLikeData(header string) bool {
	_, number := parseNumber(header)
	_, moment := parseMoment(header)
	return strings.ContainsRune(header, '@') || number || moment
}

// findColumn finds a column by its name, or by its name in other letters when there is just one.
func findColumn(columns []importColumn, name string) int {
	name = strings.TrimSpace(name)
	found := -1
	for i, c := range columns {
		if c.header == name {
			return i
		}
		if strings.EqualFold(c.header, name) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// guess says where a column goes that nobody mapped: where its header says, if that reads like a target; else the field of that name; else
// a trait, or a property of an event.
func (s ImportSpec) guess(header string, taken map[string]bool) target {
	if t, ok := parseTarget(header); ok && t.name != "" && !taken[t.String()] && (s.events() || t.field == toTrait) {
		return t
	}
	plain := strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "", ".", "").Replace(header))
	for _, field := range importFields() {
		if plain != strings.ReplaceAll(field, "_", "") || taken[field] {
			continue
		}
		if s.events() || (field != toEvent && field != toMessageID) {
			return target{field: field}
		}
	}
	if slices.Contains(notTold(), header) {
		return target{field: toSkip}
	}
	t := target{field: toTrait, name: traitName(header), typ: typeText}
	if s.events() {
		t.field = toProperty
	}
	if taken[t.String()] { // "Plan type" beside "plan_type"
		t.name = header
	}
	if taken[t.String()] {
		return target{field: toSkip}
	}
	return t
}

// traitName makes a name of a header that a condition can write without quotes: "Plan type" becomes plan_type. What is one already stays.
func traitName(header string) string {
	if isIdentifier(header) {
		return header
	}
	name := strings.Join(strings.FieldsFunc(strings.ToLower(header), func(r rune) bool { return !identifierRune(r) }), "_")
	if !isIdentifier(name) {
		return header
	}
	return name
}

func isIdentifier(s string) bool {
	return s != "" && (s[0] < '0' || s[0] > '9') && strings.IndexFunc(s, func(r rune) bool { return !identifierRune(r) }) < 0
}

func identifierRune(r rune) bool {
	return r == '_' || (r >= '0' && r <= '9') || (r >= 'A' && r <= 'Z') || (r >= 'a' && r <= 'z')
}

// ExportHeader is the name of a trait's column in an export: an import of the file finds the trait by it.
func ExportHeader(trait string) string {
	t := ImportSpec{Kind: TypeIdentify}.guess(trait, map[string]bool{})
	if t.field == toTrait && t.name == trait && !looksLikeData(trait) && strings.TrimSpace(trait) == trait {
		return trait
	}
	return toTrait + ":" + trait + ":" + typeText
}
