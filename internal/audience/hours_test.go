package audience_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
)

func zone(t require.TestingT, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func TestNextAllowed(t *testing.T) {
	t.Parallel()
	night := audience.Hours{From: 21 * 60, Until: 8 * 60}
	office := audience.Hours{Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}, From: 9 * 60, Until: 17 * 60}
	for name, test := range map[string]struct {
		zone, at, want string
		windows, quiet []audience.Hours
	}{
		"in the day":                       {"Europe/Berlin", "2026-03-03T12:00:00+01:00", "2026-03-03T12:00:00+01:00", nil, []audience.Hours{night}},
		"late in the evening":              {"Europe/Berlin", "2026-03-03T21:00:00+01:00", "2026-03-04T08:00:00+01:00", nil, []audience.Hours{night}},
		"early in the morning":             {"Europe/Berlin", "2026-03-03T07:59:59+01:00", "2026-03-03T08:00:00+01:00", nil, []audience.Hours{night}},
		"over the night of a change":       {"Europe/Berlin", "2026-03-28T23:00:00+01:00", "2026-03-29T08:00:00+02:00", nil, []audience.Hours{night}},
		"over the night of a change back":  {"Europe/Berlin", "2026-10-24T23:00:00+02:00", "2026-10-25T08:00:00+01:00", nil, []audience.Hours{night}},
		"a window that begins in a gap":    {"Europe/Berlin", "2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00", []audience.Hours{{From: 150, Until: 240}}, nil},
		"a window that begins twice":       {"Europe/Berlin", "2026-10-25T01:00:00+02:00", "2026-10-25T02:30:00+02:00", []audience.Hours{{From: 150, Until: 240}}, nil},
		"the weekend":                      {"America/New_York", "2026-03-06T17:00:00-05:00", "2026-03-09T09:00:00-04:00", []audience.Hours{office}, nil},
		"a change of half an hour":         {"Australia/Lord_Howe", "2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00+11:00", []audience.Hours{{From: 135, Until: 200}}, nil},
		"a quarter of an hour":             {"Asia/Kathmandu", "2026-03-03T22:00:00+05:45", "2026-03-04T08:00:00+05:45", nil, []audience.Hours{night}},
		"a day that never was":             {"Pacific/Apia", "2011-12-29T23:00:00-10:00", "2011-12-31T08:00:00+14:00", nil, []audience.Hours{night}},
		"a window on the day that was not": {"Pacific/Apia", "2011-12-29T23:00:00-10:00", "2012-01-06T10:00:00+14:00", []audience.Hours{{Days: []time.Weekday{time.Friday}, From: 600, Until: 660}}, nil},
		"the end of a window in quiet hours": {"Europe/Berlin", "2026-03-03T20:30:00+01:00", "2026-03-04T20:00:00+01:00",
			[]audience.Hours{{From: 20 * 60, Until: 22 * 60}}, []audience.Hours{{From: 20*60 + 30, Until: 8 * 60}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, test.at)
			require.NoError(t, err)
			next, ok := audience.NextAllowed(at, zone(t, test.zone), test.windows, test.quiet)
			require.True(t, ok)
			require.Equal(t, test.want, next.In(zone(t, test.zone)).Format(time.RFC3339))
		})
	}
	_, ok := audience.NextAllowed(time.Now(), time.UTC, []audience.Hours{{From: 600, Until: 660}}, []audience.Hours{{From: 540, Until: 720}})
	require.False(t, ok, "the window lies in quiet hours")
}

// The first minute that is allowed is found, whatever clocks do: looked for a minute at a time.
func TestNextAllowedIsTheFirst(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		hours := rapid.Custom(func(t *rapid.T) audience.Hours {
			h := audience.Hours{From: rapid.IntRange(0, 1439).Draw(t, "from"), Until: rapid.IntRange(1, 1440).Draw(t, "until")}
			for day := time.Sunday; day <= time.Saturday; day++ {
				if rapid.IntRange(0, 2).Draw(t, "day") == 0 {
					h.Days = append(h.Days, day)
				}
			}
			return h
		})
		windows, quiet := rapid.SliceOfN(hours, 0, 1).Draw(t, "windows"), rapid.SliceOfN(hours, 0, 2).Draw(t, "quiet")
		start := rapid.SampledFrom([]string{"2026-03-28", "2026-10-24", "2026-10-03", "2011-12-28", "2026-06-01", "2018-11-03", "2026-02-14"}).Draw(t, "start")
		day, err := time.ParseInLocation(time.DateOnly, start, loc)
		require.NoError(t, err)
		at := day.Add(time.Duration(rapid.IntRange(0, 60*60*40).Draw(t, "second")) * time.Second)
		next, ok := audience.NextAllowed(at, loc, windows, quiet)
		for t0 := at; t0.Before(at.AddDate(0, 0, 8)); t0 = t0.Truncate(time.Minute).Add(time.Minute) {
			local, good := t0.In(loc), true
			for _, h := range windows {
				good = good && h.Holds(local)
			}
			for _, h := range quiet {
				good = good && !h.Holds(local)
			}
			if good {
				require.True(t, ok, "there is one")
				require.Equal(t, local.Format(time.RFC3339), next.In(loc).Format(time.RFC3339))
				return
			}
		}
		if ok {
			require.True(t, next.After(at.AddDate(0, 0, 7)))
		}
	})
}
