package audience

import (
	"regexp"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// Segment is a named condition over contacts. Who is in it is kept current by every event, trait and score, and by the clock.
type Segment struct {
	Key       string    `json:"key"`
	Name      string    `json:"name"`
	Condition string    `json:"condition"`
	Revision  int64     `json:"revision"` // grows with each change
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// SegmentState is a segment and how many are in it.
type SegmentState struct {
	Segment
	Members int64 `json:"members"`
	// FilledAt is when everybody who was there before had been judged; nil: that is under way, and entering and leaving are silent.
	FilledAt *time.Time `json:"filled_at,omitempty"`
}

// Member is a contact in a segment.
type Member struct {
	Contact   Contact   `json:"contact"`
	EnteredAt time.Time `json:"entered_at"`
}

// Membership is a segment that a contact is in.
type Membership struct {
	Key       string    `json:"key"`
	Name      string    `json:"name"`
	EnteredAt time.Time `json:"entered_at"`
}

var segmentKey = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// IsSegmentKey tells whether a text can be a segment's key: lower case letters, digits and dashes.
func IsSegmentKey(key string) bool { return segmentKey.MatchString(key) }

// CodeConditionNotForSegment is a condition that is right, and that no segment can have.
const CodeConditionNotForSegment = "condition_not_for_segment"

// CompileSegment compiles a segment's condition, and refuses what a segment can't have: it is about a contact and its past, so there is no
// event at hand, segments don't stand on each other, and it can be told when its answer may become another by time alone.
func CompileSegment(source string) (*Condition, error) {
	c, err := CompileCondition(source)
	if err != nil {
		return nil, err
	}
	names := c.Names()
	switch {
	case names.Event:
		return nil, fault.New(fault.Invalid, CodeConditionNotForSegment, "A segment has no event at hand: ask did(\"Name\") or count(\"Name\") instead of event.")
	case len(names.Segments) > 0:
		return nil, fault.New(fault.Invalid, CodeConditionNotForSegment, "A segment can't ask for another segment: write out its condition.")
	case c.free:
		return nil, fault.New(fault.Invalid, CodeConditionNotForSegment,
			"A segment changes on time: compare now with a time (now - last(\"Seen\") > duration(\"336h\")), and write the spans in did and count out.")
	}
	return c, nil
}

// Standing is a condition's plain answer, and how long it is good for.
type Standing struct {
	Holds bool
	// Until is the earliest moment at which the answer may become another by time alone; zero: never.
	Until time.Time
}
