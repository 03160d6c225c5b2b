package audience

import "time"

// Facts are what a condition may look at, at one moment. The store answers from Postgres, the simulator from memory.
type Facts interface {
	Contact() Contact
	// Event is the event under consideration, or nil when there is none: then event.* is empty.
	Event() *Event
	Company() map[string]any
	Persona() string
	// Count tells how many events of that name the contact has, within the time before Now (0: ever).
	Count(name string, within time.Duration) (int, error)
	// Last is the time of the contact's newest event of that name.
	Last(name string) (time.Time, bool, error)
	InSegment(key string) (bool, error)
	Now() time.Time
}
