package journey

import "time"

// Pause is a time in which a journey stood still, and everybody in it.
type Pause struct {
	Journey   string     `json:"journey"`
	PausedAt  time.Time  `json:"paused_at"`
	ResumedAt *time.Time `json:"resumed_at,omitempty" doc:"Absent: the journey is paused now."`
	PausedBy  string     `json:"paused_by,omitempty" doc:"Who paused it: the name of the key."`
	ResumedBy string     `json:"resumed_by,omitempty"`
}

// EnrollmentPause is a pause that has held an enrollment still.
type EnrollmentPause struct {
	EnrollmentID string
	Pause
}

// Words says when the journey stood still.
func (p Pause) Words() string {
	if p.ResumedAt == nil {
		return "The journey is paused since " + moment(p.PausedAt) + ": nobody moves in it."
	}
	return "The journey was paused from " + moment(p.PausedAt) + " to " + moment(*p.ResumedAt) + "."
}

func moment(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 MST") }

// around are the pauses that began before a moment, in the order of time; with nil all of them.
func around(pauses []Pause, at *time.Time) []Pause {
	var out []Pause
	for _, p := range pauses {
		if at == nil || p.PausedAt.Before(*at) {
			out = append(out, p)
		}
	}
	return out
}

// Held adds to an answer the pauses that the contact stood still in before it was decided, and says the last of them: what came late, or has
// not come, has its reason there. pauses are those around the enrollment, in the order of time.
func (a Answer) Held(pauses []Pause) Answer {
	if a.Pauses = around(pauses, a.At); len(a.Pauses) > 0 {
		a.Words += " " + a.Pauses[len(a.Pauses)-1].Words()
	}
	return a
}
