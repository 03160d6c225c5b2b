package audience

import "time"

// Segment is a named condition over contacts. Who is in it is kept current by every event, trait and score, and by the clock.
type Segment struct {
	Key       string    `json:"key"`
	Name      string    `json:"name"`
	Condition string    `json:"condition"`
	Revision  int64     `json:"revision"` // grows with each change
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Standing is a condition's plain answer, and how long it is good for.
type Standing struct {
	Holds bool
	// Until is the earliest moment at which the answer may become another by time alone; zero: never.
	Until time.Time
}
