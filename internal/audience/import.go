package audience

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// ImportSource is the source of all events that come from files.
const ImportSource = "import"

// ImportProblem is what is wrong with a row, in a sentence that never repeats a value.
type ImportProblem struct {
	Line    int64  `json:"line"`
	Column  string `json:"column,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ImportRow is a row as an event, or what is wrong with it.
type ImportRow struct {
	Line      int64
	Event     Incoming
	CreatedAt time.Time // since when the contact has been one, if the row tells
	Problems  []ImportProblem
}

// ImportMark is a place in a file: behind a row. An upload that broke off goes on from there.
type ImportMark struct {
	Line   int64  // line ends before it
	Offset int64  // bytes before it
	Digest []byte // SHA-256 of these bytes: another file is noticed
}

// ErrOtherFile says that the beginning of a file is not that of the one that an import began with.
var ErrOtherFile = errors.New("not the file that the import began with")

// ImportReader reads a CSV file row by row, in flat memory. Begin comes first.
type ImportReader struct {
	csv          *csvReader
	spec         ImportSpec
	id           string
	now          time.Time
	parseAddress func(string) (string, error)
	columns      []importColumn
	zones        map[string]bool
}

// NewImportReader reads a file of an import with that id, which makes the message ids. parseAddress says what an e-mail address is.
func NewImportReader(file io.Reader, spec ImportSpec, id string, now time.Time, parseAddress func(string) (string, error)) *ImportReader {
	return &ImportReader{csv: newCSVReader(file), spec: spec, id: id, now: now, parseAddress: parseAddress, zones: map[string]bool{}}
}

// Begin reads the header. Problems mean that the file can't be imported like this.
func (r *ImportReader) Begin() ([]ImportProblem, error) {
	row, err := r.csv.header()
	switch {
	case errors.Is(err, io.EOF):
		return []ImportProblem{headerProblem("", "empty_file", "The file is empty: its first line has to name the columns.")}, nil
	case err != nil:
		return nil, err
	case row.code != "":
		return []ImportProblem{headerProblem("", row.code, rowSentence(row.code))}, nil
	}
	columns, problems := r.spec.plan(row.fields)
	r.columns = columns
	return problems, nil
}

// Continue goes to a place that an earlier reader of the file had come to.
func (r *ImportReader) Continue(at ImportMark) error {
	if at.Offset == 0 {
		return nil
	}
	err := r.csv.skipTo(at.Offset, at.Line)
	if errors.Is(err, errShortFile) || (err == nil && (r.csv.offset != at.Offset || string(r.csv.digest.Sum(nil)) != string(at.Digest))) {
		return ErrOtherFile
	}
	return err
}

// Mark is the place behind the last row.
func (r *ImportReader) Mark() ImportMark {
	return ImportMark{Line: r.csv.line, Offset: r.csv.offset, Digest: r.csv.digest.Sum(nil)}
}

// Columns says where each column goes, in the notation of a mapping.
func (r *ImportReader) Columns() []ImportColumn {
	var out []ImportColumn
	for _, c := range r.columns {
		for _, t := range c.targets {
			to := t.String()
			if t.typ != "" && t.typ != typeText {
				to += ":" + t.typ
			}
			out = append(out, ImportColumn{Column: c.header, To: to})
		}
	}
	return out
}

// Next reads the next row; io.EOF after the last.
func (r *ImportReader) Next() (ImportRow, error) {
	raw, err := r.csv.next()
	if err != nil {
		return ImportRow{}, err
	}
	row := ImportRow{Line: raw.line}
	switch {
	case raw.code != "":
		row.problem("", raw.code, rowSentence(raw.code))
		return row, nil
	case len(raw.fields) != len(r.columns):
		row.problem("", "ragged_row", fmt.Sprintf("This row has %d values, and the header names %d columns.", len(raw.fields), len(r.columns)))
		return row, nil
	}
	row.Event = Incoming{
		Source: ImportSource, Type: r.spec.Kind, Name: r.spec.Event, MessageID: "import:" + r.id + ":" + strconv.FormatInt(raw.line, 10), OccurredAt: r.now,
	}
	for i, c := range r.columns {
		cell := unescapeCell(raw.fields[i])
		if strings.TrimSpace(cell) == "" { // not told
			continue
		}
		for _, t := range c.targets {
			if code, sentence := r.take(&row, t, cell); code != "" {
				row.problem(c.header, code, sentence)
			}
		}
	}
	if len(row.Problems) > 0 {
		return row, nil
	}
	e := &row.Event
	if e.UserID == "" && e.Email == "" && e.AnonymousID == "" {
		row.problem("", "no_identity", "This row does not say whose it is.")
	}
	if r.spec.events() && e.Name == "" {
		row.problem("", "no_event", "This row does not name its event.")
	}
	return row, nil
}

func (row *ImportRow) problem(column, code, sentence string) {
	row.Problems = append(row.Problems, ImportProblem{Line: row.Line, Column: column, Code: code, Message: sentence})
}

func rowSentence(code string) string {
	switch code {
	case codeRowTooLong:
		return fmt.Sprintf("This row is longer than %d bytes, or a quote that it opens is never closed.", MaxImportRow)
	case codeBadQuotes:
		return `A quote stands in the middle of a value, or is never closed: put the value in quotes and double those in it.`
	case codeNotUTF8:
		return "This is not UTF-8: save the file as CSV UTF-8."
	case codeUTF16:
		return "The file is UTF-16: save it as CSV UTF-8."
	}
	return "This holds a NUL character, which is no text."
}

// take puts a cell where its column goes, or says what is wrong with it.
func (r *ImportReader) take(row *ImportRow, t target, cell string) (code, sentence string) {
	e, plain := &row.Event, strings.TrimSpace(cell)
	switch t.field {
	case toTrait, toProperty:
		value, sentence := typed(cell, t.typ)
		if sentence != "" {
			return "bad_" + t.typ, sentence
		}
		into := &e.Traits
		if t.field == toProperty {
			into = &e.Properties
		}
		if *into == nil {
			*into = map[string]any{}
		}
		(*into)[t.name] = value
	case toEmail:
		address, err := r.parseAddress(plain)
		if err != nil {
			return "bad_email", "This is no e-mail address."
		}
		e.Email = address
	case toUserID, toAnonymousID:
		if tooLong(plain, maxImportIdentity) {
			return "too_long", fmt.Sprintf("An id has %d bytes at most.", maxImportIdentity)
		}
		if t.field == toUserID {
			e.UserID = plain
		} else {
			e.AnonymousID = plain
		}
	case toTimezone:
		if !r.zone(plain) {
			return "bad_timezone", "This is no time zone: write a name such as Europe/Berlin."
		}
		e.Timezone = plain
	case toLocale:
		if !localeName(plain) {
			return "bad_locale", "This is no locale: write a name such as de or pt-BR."
		}
		e.Locale = plain
	default:
		return r.takeOfEvent(row, t, plain)
	}
	return "", ""
}

func (r *ImportReader) takeOfEvent(row *ImportRow, t target, plain string) (code, sentence string) {
	switch t.field {
	case toOccurredAt:
		row.Event.OccurredAt, code, sentence = moment(plain, r.now)
	case toCreatedAt:
		row.CreatedAt, code, sentence = moment(plain, r.now)
	case toEvent:
		if badName(plain) {
			return "bad_event", "Events can't have this name: it is too long, or one of Throughline's own."
		}
		row.Event.Name = plain
	case toMessageID:
		if tooManyRunes(plain, maxImportMessageID) {
			return "too_long", fmt.Sprintf("A message id has %d characters at most.", maxImportMessageID)
		}
		row.Event.MessageID = "told:" + plain
	}
	return code, sentence
}

// zone tells whether a name is a time zone. Few are in a file, so the answers are kept.
func (r *ImportReader) zone(name string) bool {
	known, seen := r.zones[name]
	if !seen && len(name) <= maxImportZone && name != "Local" {
		_, err := time.LoadLocation(name)
		known = err == nil
		if len(r.zones) < maxImportColumns {
			r.zones[name] = known
		}
	}
	return known
}
