package audience

import "time"

// Facts are what a condition may look at, at one moment. The store answers from Postgres, the simulator from memory.
type Facts interface {
	Contact() Contact
	// Event is the event under consideration, or nil when there is none: then event.* is empty.
	Event() *Event
	Company() map[string]any
	Persona() string
	// Score is the contact's score at Now.
	Score() Score
	// Object gives the fields of the newest custom object of a type that belongs to the contact or to its company; nil: there is none.
	Object(kind string) (map[string]any, error)
	// Tally answers how often something was done, and when.
	Tally(q Question) (Tally, error)
	// Last is the time of the contact's newest event of that name.
	Last(name string) (time.Time, bool, error)
	InSegment(key string) (bool, error)
	Now() time.Time
}

// Question asks about a contact's events of one name that happened up to now. It is comparable: an answer is kept by its question.
type Question struct {
	Name   string        `json:"name"`
	Within time.Duration `json:"within,omitempty"` // later than this long ago; 0: ever
	Where  string        `json:"where,omitempty"`  // a condition over event.* alone
}

// Tally is the answer to a question.
type Tally struct {
	Count  int
	Oldest time.Time // of the events that were counted: when it leaves the window, the answer changes by itself
}

// Score is a contact's lead score at one moment: what it is (fit) and what it does (engagement), apart.
type Score struct {
	Total      int    `json:"total"`
	Fit        int    `json:"fit"`
	Engagement int    `json:"engagement"`
	Label      string `json:"label"` // A1…C3, empty without a scoring model
	// ChangesAt is when a number changes by decay alone, if nothing else happens; zero: never.
	ChangesAt time.Time `json:"-"`
}
