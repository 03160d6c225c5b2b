package audience

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Day and Week are spans of 24 and 168 hours: a journey's units know no calendar and no daylight saving.
const (
	Day  = 24 * time.Hour
	Week = 7 * Day
)

// MaxDuration is the longest span that a journey or a condition may name: ten years. A longer one is a slip of the pen.
const MaxDuration = 3660 * Day

// durationUnits in the order in which a compound names them: the largest first.
var durationUnits = []struct {
	letter byte
	size   time.Duration
}{{'w', Week}, {'d', Day}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

// ParseDuration reads a span in journey units: 45s, 30m, 2h, 3d, 1w, or a compound with the largest unit first, such as 1d12h.
// The span is positive and at most MaxDuration.
func ParseDuration(text string) (time.Duration, error) {
	rest, total, last := text, time.Duration(0), -1
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits == len(rest) || digits > 9 {
			return 0, fmt.Errorf("%q is not a duration such as 45m, 3d or 1d12h", clip(text))
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration such as 45m, 3d or 1d12h", clip(text))
		}
		unit := unitIndex(rest[digits])
		if unit < 0 {
			return 0, fmt.Errorf("%q has no such unit of time: use s, m, h, d or w", clip(text))
		}
		if unit <= last {
			return 0, fmt.Errorf("%q names its units out of order: the largest comes first, each once", clip(text))
		}
		if n > int64(MaxDuration/durationUnits[unit].size) {
			return 0, fmt.Errorf("%q is longer than ten years", clip(text))
		}
		total += time.Duration(n) * durationUnits[unit].size
		rest, last = rest[digits+1:], unit
	}
	switch {
	case text == "":
		return 0, fmt.Errorf("a duration such as 45m, 3d or 1d12h is missing")
	case total <= 0:
		return 0, fmt.Errorf("%q is no time at all", clip(text))
	case total > MaxDuration:
		return 0, fmt.Errorf("%q is longer than ten years", clip(text))
	}
	return total, nil
}

// FormatDuration writes a span of whole seconds the way ParseDuration reads it; weeks only when nothing else is left.
func FormatDuration(d time.Duration) string {
	if d > 0 && d%Week == 0 {
		return strconv.FormatInt(int64(d/Week), 10) + "w"
	}
	var b strings.Builder
	for _, u := range durationUnits[1:] {
		if n := d / u.size; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10))
			b.WriteByte(u.letter)
			d -= n * u.size
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

func unitIndex(letter byte) int {
	for i, u := range durationUnits {
		if u.letter == letter {
			return i
		}
	}
	return -1
}

// clip keeps a quoted input short enough for a message.
func clip(s string) string {
	const most = 40
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}
