package audience

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var clockPattern = regexp.MustCompile(`^([01][0-9]|2[0-4]):([0-5][0-9])$`)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} //nolint:gochecknoglobals // a constant list

// ParseClock reads a time of day such as 08:30 as minutes after midnight; 24:00 is the end of the day.
func ParseClock(text string) (int, error) {
	parts := clockPattern.FindStringSubmatch(text)
	if parts == nil {
		return 0, badClock(text)
	}
	h, _ := strconv.Atoi(parts[1]) // digits: the pattern says so
	m, _ := strconv.Atoi(parts[2])
	if h*60+m > dayMinutes {
		return 0, badClock(text)
	}
	return h*60 + m, nil
}

func badClock(text string) error {
	return fmt.Errorf("%q is no time of day: write it as 08:30, from 00:00 to 24:00", clip(text))
}

// FormatClock is the way back.
func FormatClock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// ParseDays reads days of the week such as mon-fri, or mon, wed, sat.
func ParseDays(text string) ([]time.Weekday, error) {
	var days []time.Weekday
	for part := range strings.SplitSeq(text, ",") {
		first, last, span := strings.Cut(strings.TrimSpace(part), "-")
		from := slices.Index(weekdays, strings.TrimSpace(first))
		to := from
		if span {
			to = slices.Index(weekdays, strings.TrimSpace(last))
		}
		if from < 0 || to < 0 {
			return nil, fmt.Errorf("%q are no days: write them as mon-fri, or as mon, wed, sat", clip(text))
		}
		for day := from; ; day = (day + 1) % 7 {
			if !slices.Contains(days, time.Weekday(day)) {
				days = append(days, time.Weekday(day))
			}
			if day == to {
				break
			}
		}
	}
	slices.Sort(days)
	return days, nil
}

// FormatDays is the way back.
func FormatDays(days []time.Weekday) string {
	names := make([]string, len(days))
	for i, day := range days {
		names[i] = weekdays[day]
	}
	return strings.Join(names, ", ")
}
