package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTimesAreCorrectedForTheSendersClock(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seconds := func(name string, most int64) time.Duration {
			return time.Duration(rapid.Int64Range(0, most).Draw(t, name)) * time.Second
		}
		ago, transit := seconds("ago", 1e8), seconds("transit", 600)
		skew := time.Duration(rapid.Int64Range(-1e8, 1e8).Draw(t, "skew")) * time.Second
		happened := testNow.Add(-ago)
		sent := testNow.Add(-transit)
		if happened.After(sent) {
			happened = sent
		}
		// A clock that is off by any amount gives the same result as one that is right.
		fields := map[string]json.RawMessage{
			"timestamp": json.RawMessage(`"` + happened.Add(skew).Format(time.RFC3339Nano) + `"`),
			"sentAt":    json.RawMessage(`"` + sent.Add(skew).Format(time.RFC3339Nano) + `"`),
		}
		require.Equal(t, happened.Add(transit), occurredAt(fields, "", false, testNow))
	})
}

func TestTimesThatMeanNothing(t *testing.T) {
	t.Parallel()
	hour := testNow.Add(-time.Hour)
	for _, tc := range []struct {
		name, timestamp, original, sent string
		want                            time.Time
	}{
		{name: "nothing", want: testNow},
		{name: "no sentAt", timestamp: "2026-11-23T11:00:00Z", want: hour},
		{name: "nanoseconds", timestamp: "2026-11-23T11:00:00.000000000Z", want: hour},
		{name: "no zone", timestamp: "2026-11-23T11:00:00", want: hour},
		{name: "a space", timestamp: "2026-11-23 11:00:00", want: hour},
		{name: "another zone", timestamp: "2026-11-23T12:00:00+01:00", want: hour},
		{name: "the original wins", timestamp: "2026-11-23T10:00:00Z", original: "2026-11-23T11:00:00Z", want: hour},
		{name: "the future", timestamp: "2027-01-01T00:00:00Z", want: testNow},
		{name: "nonsense", timestamp: "yesterday", want: testNow},
		{name: "the zero time of Go as sentAt", timestamp: "2026-11-23T11:00:00Z", sent: "0001-01-01T00:00:00Z", want: hour},
		{name: "sent before it happened", timestamp: "2026-11-23T11:00:00Z", sent: "2026-11-23T10:00:00Z", want: testNow},
		{name: "sent in the year 9999", timestamp: "2026-11-23T11:00:00Z", sent: "9999-12-31T23:59:59Z", want: testNow},
		{name: "an import", timestamp: "2020-02-03T00:00:00Z", sent: "2026-11-23T12:00:00Z", want: time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			fields := map[string]json.RawMessage{}
			for name, value := range map[string]string{"timestamp": tc.timestamp, "originalTimestamp": tc.original, "sentAt": tc.sent} {
				if value != "" {
					fields[name] = json.RawMessage(`"` + value + `"`)
				}
			}
			require.Equal(t, tc.want, occurredAt(fields, "", false, testNow))
		})
	}
}

func TestHistoryKeepsItsTimes(t *testing.T) {
	t.Parallel()
	fields := map[string]json.RawMessage{"timestamp": json.RawMessage(`"2020-02-03T04:05:06Z"`), "sentAt": json.RawMessage(`"2026-11-23T10:00:00Z"`)}
	written := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	require.Equal(t, written.Add(2*time.Hour), occurredAt(fields, "", false, testNow))
	require.Equal(t, written, occurredAt(fields, "", true, testNow))
	fields["timestamp"] = json.RawMessage(`"2030-01-01T00:00:00Z"`)
	require.Equal(t, testNow, occurredAt(fields, "", true, testNow), "not even history is from the future")
}
