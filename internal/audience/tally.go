package audience

import "time"

// TallyEvents answers a question from events in memory. It is what the answer means; the store's SQL gives the same.
func TallyEvents(events []Event, q Question, now time.Time) (Tally, error) {
	var t Tally
	for i := range events {
		e := &events[i]
		if e.Name != q.Name || !q.Covers(e.OccurredAt, now) {
			continue
		}
		ok, err := q.Admits(e)
		if err != nil {
			return Tally{}, err
		}
		if ok {
			t = t.With(e.OccurredAt)
		}
	}
	return t, nil
}

// Covers tells whether a time lies within the question's window: (now − within, now].
func (q Question) Covers(at, now time.Time) bool {
	return !at.After(now) && (q.Within == 0 || at.After(now.Add(-q.Within)))
}

// With is the tally with one more event.
func (t Tally) With(at time.Time) Tally {
	if t.Count == 0 || at.Before(t.Oldest) {
		t.Oldest = at
	}
	t.Count++
	return t
}
