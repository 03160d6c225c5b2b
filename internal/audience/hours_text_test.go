package audience_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
)

func TestClocksAndDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"00:00": 0, "08:30": 510, "24:00": 1440} {
		minutes, err := audience.ParseClock(text)
		require.NoError(t, err)
		require.Equal(t, want, minutes)
		require.Equal(t, text, audience.FormatClock(minutes))
	}
	for _, text := range []string{"", "8:30", "24:01", "08:60", "-1:00", "08.30", "08:3x", "+8:30"} {
		_, err := audience.ParseClock(text)
		require.Error(t, err, text)
	}
	days, err := audience.ParseDays("sat-mon, wed,wed")
	require.NoError(t, err)
	require.Equal(t, []time.Weekday{time.Sunday, time.Monday, time.Wednesday, time.Saturday}, days)
	for _, text := range []string{"", "monday", "mon-", "mon,,tue", "mon-xyz"} {
		_, err := audience.ParseDays(text)
		require.Error(t, err, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID[int]).Draw(t, "days")
		var days []time.Weekday
		for day := range 7 {
			for _, one := range set {
				if one == day {
					days = append(days, time.Weekday(day))
				}
			}
		}
		back, err := audience.ParseDays(audience.FormatDays(days))
		require.NoError(t, err)
		require.Equal(t, days, back)
	})
}

func FuzzHours(f *testing.F) {
	f.Add("08:30", "mon-fri")
	f.Add("24:00", "sat, sun")
	f.Fuzz(func(t *testing.T, clock, days string) {
		if minutes, err := audience.ParseClock(clock); err == nil {
			require.Equal(t, clock, audience.FormatClock(minutes))
		}
		if list, err := audience.ParseDays(days); err == nil {
			require.NotEmpty(t, list)
		}
	})
}
