package email

import (
	"errors"
	"fmt"
	"html"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/osteele/liquid/render"
)

// filter is one Liquid filter: fn takes the value and two arguments at most, nil when absent. The library's own filters have
// no limits (append in a row of assigns doubles a string until memory is gone), so none of them is used.
type filter struct {
	min, max int
	fn       func(v, a, b any) (any, error)
}

var errFilter = errors.New("filter failed") // says no more: the value may be personal

// addFilters gives the library our filters. Token marks a place in Markdown; see values.
func addFilters(cfg *render.Config) {
	cfg.AddFilter(filterToken, func(v, held, _ any) (any, error) {
		marks, ok := held.(*values)
		if !ok {
			return nil, errFilter
		}
		return marks.hold(printable(text(v))), nil
	})
	for name, f := range filters() {
		cfg.AddFilter(name, f.fn)
	}
}

func filters() map[string]filter {
	return map[string]filter{
		"default": {1, 1, func(v, a, _ any) (any, error) {
			if empty(v) {
				return a, nil
			}
			return v, nil
		}},
		"upcase":         textFilter(0, func(s, _, _ string) string { return strings.ToUpper(s) }),
		"downcase":       textFilter(0, func(s, _, _ string) string { return strings.ToLower(s) }),
		"capitalize":     textFilter(0, func(s, _, _ string) string { return capitalize(s) }),
		"strip":          textFilter(0, func(s, _, _ string) string { return strings.TrimSpace(s) }),
		"strip_newlines": textFilter(0, func(s, _, _ string) string { return strings.NewReplacer("\r", "", "\n", "").Replace(s) }),
		"url_encode":     textFilter(0, func(s, _, _ string) string { return url.QueryEscape(s) }),
		"append":         textFilter(1, func(s, a, _ string) string { return s + a }),
		"prepend":        textFilter(1, func(s, a, _ string) string { return a + s }),
		"remove":         textFilter(1, func(s, a, _ string) string { return strings.ReplaceAll(s, a, "") }),
		"replace":        textFilter(2, boundedReplace),
		"split":          {1, 1, splitFilter},
		"join":           {0, 1, joinFilter},
		"first":          {0, 0, func(v, _, _ any) (any, error) { return itemAt(v, 0), nil }},
		"last":           {0, 0, func(v, _, _ any) (any, error) { return itemAt(v, -1), nil }},
		"size":           {0, 0, sizeFilter},
		"truncate":       {0, 2, truncateFilter},
		"truncatewords":  {0, 2, truncateWordsFilter},
		"date":           {1, 1, dateFilter},
		"plus":           numberFilter(func(a, b float64) float64 { return a + b }),
		"minus":          numberFilter(func(a, b float64) float64 { return a - b }),
		"times":          numberFilter(func(a, b float64) float64 { return a * b }),
		"divided_by":     numberFilter(func(a, b float64) float64 { return a / b }),
		"modulo":         numberFilter(math.Mod),
		"round":          {0, 1, roundFilter},
		"ceil":           {0, 0, func(v, _, _ any) (any, error) { return mapNumber(v, math.Ceil) }},
		"floor":          {0, 0, func(v, _, _ any) (any, error) { return mapNumber(v, math.Floor) }},
		"abs":            {0, 0, func(v, _, _ any) (any, error) { return mapNumber(v, math.Abs) }},
		filterText:       {0, 0, func(v, _, _ any) (any, error) { return printable(text(v)), nil }},
		filterHTML:       {0, 0, func(v, _, _ any) (any, error) { return html.EscapeString(printable(text(v))), nil }},
		filterLink:       {0, 0, func(v, _, _ any) (any, error) { return escapeLink(text(v)), nil }},
	}
}

func textFilter(args int, fn func(s, a, b string) string) filter {
	return filter{args, args, func(v, a, b any) (any, error) { return clip(fn(text(v), text(a), text(b))), nil }}
}

func numberFilter(fn func(a, b float64) float64) filter {
	return filter{1, 1, func(v, a, _ any) (any, error) {
		x, okX := number(v)
		y, okY := number(a)
		result := fn(x, y)
		if !okX || !okY || math.IsNaN(result) || math.IsInf(result, 0) {
			return nil, errFilter
		}
		return bindValue(result, 0), nil
	}}
}

func mapNumber(v any, fn func(float64) float64) (any, error) {
	x, ok := number(v)
	if !ok {
		return nil, errFilter
	}
	return bindValue(fn(x), 0), nil
}

func roundFilter(v, places, _ any) (any, error) {
	n := 0
	if places != nil {
		p, ok := number(places)
		if !ok || p < 0 || p > 9 {
			return nil, errFilter
		}
		n = int(p)
	}
	return mapNumber(v, func(x float64) float64 { return math.Round(x*math.Pow10(n)) / math.Pow10(n) })
}

// boundedReplace looks at the size of the result before it is made.
func boundedReplace(s, old, with string) string {
	if old == "" || len(s)+strings.Count(s, old)*len(with) > 4*maxLiquidValue {
		return s
	}
	return strings.ReplaceAll(s, old, with)
}

func splitFilter(v, sep, _ any) (any, error) {
	parts := strings.SplitN(text(v), text(sep), maxLiquidItems+1)
	return bindValue(parts[:min(len(parts), maxLiquidItems)], 0), nil
}

func joinFilter(v, sep, _ any) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return clip(text(v)), nil
	}
	with := " "
	if sep != nil {
		with = text(sep)
	}
	parts := make([]string, 0, len(list))
	for _, item := range list {
		parts = append(parts, text(item))
	}
	return clip(strings.Join(parts, with)), nil
}

func itemAt(v any, i int) any {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil
	}
	if i < 0 {
		i += len(list)
	}
	return list[i]
}

func sizeFilter(v, _, _ any) (any, error) {
	if list, ok := v.([]any); ok {
		return len(list), nil
	}
	return len([]rune(text(v))), nil
}

func truncateFilter(v, length, ellipsis any) (any, error) {
	n, tail, err := cutArguments(length, ellipsis, 50)
	runes := []rune(text(v))
	if err != nil || len(runes) <= n {
		return string(runes), err
	}
	return string(runes[:max(0, n-len([]rune(tail)))]) + tail, nil
}

func truncateWordsFilter(v, count, ellipsis any) (any, error) {
	n, tail, err := cutArguments(count, ellipsis, 15)
	words := strings.Fields(text(v))
	if err != nil || len(words) <= n {
		return text(v), err
	}
	return strings.Join(words[:n], " ") + tail, nil
}

func cutArguments(length, ellipsis any, n int) (int, string, error) {
	tail := "..."
	if length != nil {
		x, ok := number(length)
		if !ok || x < 0 || x > maxLiquidValue {
			return 0, "", errFilter
		}
		n = int(x)
	}
	if ellipsis != nil {
		tail = text(ellipsis)
	}
	return n, tail, nil
}

func capitalize(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	default:
		return false
	}
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
	default:
		return 0, false
	}
}

// text is how a value prints. Objects print as nothing, floats never in scientific notation.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var b strings.Builder
		for _, item := range v {
			b.WriteString(text(item))
		}
		return clip(b.String())
	case bool, int:
		return fmt.Sprint(v)
	default:
		return ""
	}
}

// printable drops control characters, save for line breaks and tabs.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

func escapeLink(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// dateFormats are what a property may hold; the tracking API writes RFC 3339.
func dateFormats() []string {
	return []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"}
}

// dateFilter prints a date by a strftime format. There is no "now": a template must render the same on each attempt.
func dateFilter(v, format, _ any) (any, error) {
	for _, layout := range dateFormats() {
		t, err := time.Parse(layout, text(v))
		if err == nil {
			return clip(strftime(t, text(format))), nil
		}
	}
	if empty(v) {
		return "", nil
	}
	return nil, errFilter
}

func strftime(t time.Time, format string) string {
	layouts := map[string]string{
		"Y": "2006", "y": "06", "m": "01", "-m": "1", "B": "January", "b": "Jan", "d": "02", "-d": "2", "e": "_2", "j": "002",
		"A": "Monday", "a": "Mon", "H": "15", "I": "03", "-I": "3", "l": "3", "M": "04", "S": "05", "p": "PM", "P": "pm", "z": "-0700", "Z": "MST",
		"F": "2006-01-02", "T": "15:04:05", "R": "15:04", "D": "01/02/06",
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		key := format[i : i+1]
		if key == "-" && i+1 < len(format) {
			i++
			key = format[i-1 : i+1]
		}
		if layout, ok := layouts[key]; ok {
			b.WriteString(t.Format(layout))
		} else if key == "%" {
			b.WriteByte('%')
		}
	}
	return b.String()
}
