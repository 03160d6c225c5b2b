package audience

import (
	"fmt"
	"sync"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// CodeConditionPlace is a condition that looks at what there is not where it stands.
const CodeConditionPlace = "condition_wrong_place"

// wheres holds compiled filters: they are part of many conditions, and a question carries only their text.
var wheres = sync.OnceValue(func() *ConditionCache { return NewConditionCache(1000) }) //nolint:gochecknoglobals // never changed

// compileWhere compiles the filter of did and count: a condition over the event alone.
func compileWhere(source string) (*Condition, error) {
	c, err := wheres().Compile(source)
	if err != nil {
		return nil, err
	}
	n := c.names
	if len(n.Events)+len(n.Segments)+len(n.Traits)+len(n.Fields)+len(n.Objects) > 0 || n.Score || n.Company || n.Persona || n.Now || !n.Event {
		return nil, fault.New(fault.Invalid, CodeConditionPlace, "it may look at event.* alone.")
	}
	return c, nil
}

// Admits tells whether an event of the question's name fulfils its filter.
func (q Question) Admits(e *Event) (bool, error) {
	if q.Where == "" {
		return true, nil
	}
	c, err := compileWhere(q.Where)
	if err != nil {
		return false, fmt.Errorf("filter of a question: %w", err)
	}
	standing, err := c.Stands(eventAlone{e})
	return standing.Holds, err
}

func faultSentence(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return "it can't be read."
}

// eventAlone are the facts of a filter.
type eventAlone struct{ event *Event }

func (eventAlone) Contact() Contact                               { return Contact{} }
func (f eventAlone) Event() *Event                                { return f.event }
func (eventAlone) Company() map[string]any                        { return nil }
func (eventAlone) Persona() string                                { return "" }
func (eventAlone) Score() Score                                   { return Score{} }
func (eventAlone) Object(string) (map[string]any, error)          { return nil, nil }
func (eventAlone) Tally(Question) (Tally, error)                  { return Tally{}, nil }
func (eventAlone) Last(string) (at time.Time, ok bool, err error) { return time.Time{}, false, nil }
func (eventAlone) InSegment(string) (bool, error)                 { return false, nil }
func (f eventAlone) Now() time.Time                               { return f.event.OccurredAt }
