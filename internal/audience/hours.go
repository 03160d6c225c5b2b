package audience

import (
	"slices"
	"time"
)

// Hours are times of day, in the contact's own time zone. From may lie after Until: then they go over midnight. Equal ones are the whole day.
type Hours struct {
	Days  []time.Weekday // on which they begin; none: every day
	From  int            // minutes after midnight, 0 to 1439
	Until int            // minutes after midnight, not included; 1440 is midnight
}

const dayMinutes = 24 * 60

// Holds tells whether a wall clock shows a time within the hours.
func (h Hours) Holds(local time.Time) bool {
	minute := local.Hour()*60 + local.Minute()
	today, yesterday := h.onDay(local.Weekday()), h.onDay((local.Weekday()+6)%7)
	if h.From < h.Until {
		return today && minute >= h.From && minute < h.Until
	}
	return today && minute >= h.From || yesterday && minute < h.Until
}

func (h Hours) onDay(day time.Weekday) bool {
	return len(h.Days) == 0 || slices.Contains(h.Days, day)
}

// daysAhead is how far the next allowed moment is looked for: what is allowed on one day of the week is allowed within eight days, and a
// zone that skips a day (Samoa in 2011) takes one more.
const daysAhead = 10

// NextAllowed is the first moment, not before at, at which a clock in the zone shows a time that is within every window and in none of the
// quiet hours. Clocks that are put forward skip times of day, and those that are put back show them twice: the moment is what counts, so a
// window that begins in a gap begins behind it, and one that begins twice begins the first time. No such moment: false.
func NextAllowed(at time.Time, zone *time.Location, windows, quiet []Hours) (time.Time, bool) {
	allowed := func(t time.Time) bool {
		local := t.In(zone)
		return !slices.ContainsFunc(quiet, func(h Hours) bool { return h.Holds(local) }) &&
			!slices.ContainsFunc(windows, func(h Hours) bool { return !h.Holds(local) })
	}
	if allowed(at) {
		return at, true
	}
	var next time.Time
	for _, t := range changes(at, zone, append(slices.Clone(windows), quiet...)) {
		if t.After(at) && (next.IsZero() || t.Before(next)) && allowed(t) {
			next = t
		}
	}
	return next, !next.IsZero()
}

// changes are all moments after at when what is allowed can become another: when a clock shows the beginning or the end of hours, at
// midnight, and when clocks are put forward or back.
func changes(at time.Time, zone *time.Location, hours []Hours) []time.Time {
	minutes := []int{0}
	for _, h := range hours {
		minutes = append(minutes, h.From, h.Until)
	}
	var all []time.Time
	local := at.In(zone)
	for day := -1; day <= daysAhead; day++ {
		for _, minute := range minutes {
			all = append(all, showing(local.Year(), local.Month(), local.Day()+day, minute, zone)...)
		}
	}
	for t := at; t.Before(at.AddDate(0, 0, daysAhead)); {
		_, end := t.In(zone).ZoneBounds()
		if end.IsZero() {
			break
		}
		all = append(all, end)
		t = end
	}
	return all
}

// Midnight is when a day begins in a zone: where clocks skip midnight, the moment at which they do.
func Midnight(year int, month time.Month, day int, zone *time.Location) time.Time {
	return ShownAt(time.Date(year, month, day, 0, 0, 0, 0, time.UTC), zone)
}

// ShownAt is when a clock in a zone first shows a date and a time of day, given as if they were UTC: where clocks skip it, the moment at which
// they do.
func ShownAt(shown time.Time, zone *time.Location) time.Time {
	if all := showing(shown.Year(), shown.Month(), shown.Day(), shown.Hour()*60+shown.Minute(), zone); len(all) > 0 {
		return slices.MinFunc(all, time.Time.Compare)
	}
	t := time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), 0, 0, zone)
	start, end := t.ZoneBounds()
	if !end.IsZero() && end.Sub(t) < t.Sub(start) {
		return end
	}
	return start
}

// showing are the moments at which a clock shows a time: none in a gap, two where it is put back.
func showing(year int, month time.Month, day, minute int, zone *time.Location) []time.Time {
	utc := time.Date(year, month, day, 0, minute, 0, 0, time.UTC) // what the clock shows, read as if it were UTC
	var all []time.Time
	for _, near := range []time.Time{utc.Add(-26 * time.Hour), utc.Add(26 * time.Hour)} { // no offset is larger; the zone's offsets around it
		_, offset := near.In(zone).Zone()
		t := utc.Add(-time.Duration(offset) * time.Second)
		if _, now := t.In(zone).Zone(); now == offset {
			all = append(all, t)
		}
	}
	return all
}
