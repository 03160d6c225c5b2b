package audience_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"45s": 45 * time.Second, "30m": 30 * time.Minute, "2h": 2 * time.Hour, "3d": 72 * time.Hour, "1w": 168 * time.Hour,
		"1d12h": 36 * time.Hour, "1w2d3h4m5s": 9*audience.Day + 3*time.Hour + 4*time.Minute + 5*time.Second, "0d5m": 5 * time.Minute,
	} {
		got, err := audience.ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "3", "d", "3 d", "-3d", "1.5h", "3y", "3D", "12h1d", "1d1d", "0s", "99999999999d", "4000d", "3660d1s", "٣d"} {
		_, err := audience.ParseDuration(text)
		require.Error(t, err, text)
	}
}

func TestFormatDurationProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(1, int64(audience.MaxDuration/time.Second)).Draw(t, "seconds")) * time.Second
		got, err := audience.ParseDuration(audience.FormatDuration(want))
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	steps := []string{"welcome", "activated", "done"}
	require.Equal(t, "welcome", audience.Suggest("wellcome", steps))
	require.Equal(t, "done", audience.Suggest("dnoe", steps))
	require.Equal(t, "", audience.Suggest("nurture", steps))
}
