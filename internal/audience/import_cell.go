package audience

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxImportIdentity bounds ids in bytes, as the tracking API does.
const (
	maxImportIdentity  = 255
	maxImportMessageID = 100
	maxImportLocale    = 35
	maxImportZone      = 64
)

// EscapeCell makes a text safe to open in a spreadsheet, which would run what begins like a formula: an apostrophe goes before it.
func EscapeCell(text string) string {
	if formula(strings.TrimLeft(text, "'")) {
		return "'" + text
	}
	return text
}

// unescapeCell takes back what EscapeCell did, so that an export can be imported.
func unescapeCell(cell string) string {
	if strings.HasPrefix(cell, "'") && formula(strings.TrimLeft(cell, "'")) {
		return cell[1:]
	}
	return cell
}

func formula(text string) bool { return text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) }

// parseNumber reads a number with a dot. Go's other notations (hexadecimal, infinity, underscores) are none of a spreadsheet's.
func parseNumber(cell string) (float64, bool) {
	if strings.ContainsFunc(cell, func(r rune) bool { return !strings.ContainsRune("0123456789+-.eE", r) }) {
		return 0, false
	}
	n, err := strconv.ParseFloat(cell, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

func parseBoolean(cell string) (value, ok bool) {
	switch strings.ToLower(cell) {
	case "true", "yes", "1":
		return true, true
	case "false", "no", "0":
		return false, true
	}
	return false, false
}

// parseMoment reads RFC 3339, also with a space for the T and without a zone, which means UTC, and dates.
func parseMoment(cell string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, cell); err == nil {
			t = t.UTC()
			return t, t.Year() >= 1 && t.Year() < 10_000
		}
	}
	return time.Time{}, false
}

// typed reads a cell as a type; the sentence says what it is not.
func typed(cell, typ string) (value any, sentence string) {
	plain := strings.TrimSpace(cell)
	switch typ {
	case typeNumber:
		if n, ok := parseNumber(plain); ok {
			return n, ""
		}
		return nil, "This is no number: write it with digits and a dot."
	case typeBoolean:
		if b, ok := parseBoolean(plain); ok {
			return b, ""
		}
		return nil, "This is neither true nor false: write true, false, yes, no, 1 or 0."
	case typeTime:
		if t, ok := parseMoment(plain); ok {
			return t.Format(time.RFC3339Nano), ""
		}
		return nil, notAMoment
	}
	return cell, ""
}

const notAMoment = "This is no date or time: write 2026-11-23 or 2026-11-23T09:30:00Z."

// moment reads when something happened, which lies in the past.
func moment(cell string, now time.Time) (t time.Time, code, sentence string) {
	t, ok := parseMoment(cell)
	switch {
	case !ok || t.Year() < 1900:
		return time.Time{}, "bad_time", notAMoment
	case t.After(now):
		return time.Time{}, "in_future", "This lies in the future, so it can't have happened yet."
	}
	return t, "", ""
}

func localeName(s string) bool {
	return len(s) <= maxImportLocale && strings.IndexFunc(s, func(r rune) bool { return r != '-' && !identifierRune(r) }) < 0
}

func tooLong(cell string, bytes int) bool { return len(cell) > bytes }

func tooManyRunes(cell string, runes int) bool { return utf8.RuneCountInString(cell) > runes }
