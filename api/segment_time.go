package api

import (
	"encoding/json"
	"strings"
	"time"
)

// occurredAt is when an item happened, by our clock: the sender's own time, corrected by how far the sender's clock is
// off. sentAt and the time of the item were taken from the same clock, so their distance is right even when both are
// wrong: receivedAt − (sentAt − originalTimestamp). What comes in as history was written down long before it was sent, so
// its times are taken as they are.
func occurredAt(fields map[string]json.RawMessage, batchSentAt string, history bool, receivedAt time.Time) time.Time {
	original := parseTime(scalar(fields["originalTimestamp"]))
	if original.IsZero() {
		original = parseTime(scalar(fields["timestamp"]))
	}
	if original.IsZero() {
		return receivedAt
	}
	sent := parseTime(scalar(fields["sentAt"]))
	if sent.IsZero() {
		sent = parseTime(batchSentAt)
	}
	if !sent.IsZero() && !history {
		original = original.Add(receivedAt.Sub(sent))
	}
	if original.After(receivedAt) || !plausible(original) {
		return receivedAt // nothing has happened after we heard of it
	}
	return original.UTC()
}

// parseTime reads the notations that clients use: RFC 3339 with any precision, with a space for the T, and without a
// zone, which means UTC. What can't be read, and what no client means (Go's zero time, a clock before 1970), is zero.
func parseTime(s string) time.Time {
	s = strings.TrimSpace(s)
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700",
		"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil && plausible(t) {
			return t.UTC()
		}
	}
	return time.Time{}
}

func plausible(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 10_000 }
