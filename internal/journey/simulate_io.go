package journey

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// SimEvent is one line of a simulation's input.
type SimEvent struct {
	At         time.Time
	User       string
	Type       string // track, identify, handoff, segment or stage
	Event      string // of track
	Properties map[string]any
	Traits     map[string]any // of identify
	Outcome    string         // of handoff: won, lost or rejected
	Amount     float64        // of a won handoff
	Entered    string         // of segment: the key of the segment that the user is in from now on
	Left       string         // of segment: the one that the user is no longer in
	Stage      string         // of stage: the lifecycle stage that the user has reached
	Line       int
}

// The types of lines that no product back end sends: what sales did, and what the segments and the score have made of the user, which the
// simulator can't work out by itself.
const (
	SimHandoff = "handoff"
	SimSegment = "segment"
	SimStage   = "stage"
)

const (
	maxSimLine  = 64 << 10
	maxSimLines = 100_000
)

// simLine is the form of a line in the file.
type simLine struct {
	At         string         `json:"at"`
	User       string         `json:"user"`
	Type       string         `json:"type"`
	Event      string         `json:"event"`
	Properties map[string]any `json:"properties"`
	Traits     map[string]any `json:"traits"`
	Outcome    string         `json:"outcome"`
	Amount     float64        `json:"amount"`
	Entered    string         `json:"entered"`
	Left       string         `json:"left"`
	Stage      string         `json:"stage"`
}

// DecodeSimEvents reads JSON lines; empty ones and those that begin with # are skipped. A problem's message names its line, and its path
// is the line's index from 0.
func DecodeSimEvents(r io.Reader) ([]SimEvent, []fault.Problem) {
	var events []SimEvent
	var problems []fault.Problem
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxSimLine)
	line, before := 0, time.Time{}
	complain := func(code, format string, args ...any) {
		problems = append(problems, fault.Problem{
			Path: indexOf("", line-1), Code: code, Level: fault.LevelError, Message: fmt.Sprintf("Line %d: ", line) + fmt.Sprintf(format, args...),
		})
	}
	for scanner.Scan() {
		line++
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		if line > maxSimLines {
			complain("too_large", "there are more than %d lines.", maxSimLines)
			return events, problems
		}
		var l simLine
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&l); err != nil || dec.More() || !utf8.Valid(text) {
			complain("syntax", "this is not a line such as {\"at\": \"+1d\", \"user\": \"ana\", \"type\": \"track\", \"event\": \"Signed Up\"}.")
			continue
		}
		at, err := simTime(l.At, before)
		if err != nil {
			complain("bad_time", "%s.", err.Error())
			continue
		}
		before = at
		if code, message := l.check(); code != "" {
			complain(code, "%s", message)
			continue
		}
		events = append(events, SimEvent{
			At: at, User: l.User, Type: l.Type, Event: l.Event, Properties: l.Properties, Traits: l.Traits, Outcome: l.Outcome, Amount: l.Amount,
			Entered: l.Entered, Left: l.Left, Stage: l.Stage, Line: line,
		})
	}
	if scanner.Err() != nil {
		line++
		complain("too_large", "the line is longer than %d KB, or can't be read.", maxSimLine>>10)
	}
	return events, problems
}

// simTime reads a moment, or a time after the line before.
func simTime(text string, before time.Time) (time.Time, error) {
	if span, relative := strings.CutPrefix(text, "+"); relative {
		if before.IsZero() {
			return time.Time{}, fmt.Errorf("the first line needs a moment such as 2026-01-05T09:00:00Z")
		}
		d, err := audience.ParseDuration(span)
		if err != nil {
			return time.Time{}, err
		}
		if at := before.Add(d); at.Year() <= 9000 {
			return at, nil
		}
		return time.Time{}, fmt.Errorf("the time runs out of the calendar")
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1970 || at.Year() > 9000 {
		return time.Time{}, fmt.Errorf("\"at\" is a moment such as 2026-01-05T09:00:00Z, or a time after the line before such as +3d")
	}
	return at, nil
}

func (l simLine) check() (code, message string) {
	switch {
	case l.User == "" || len(l.User) > maxNameBytes:
		return "missing_field", "\"user\" is missing or too long."
	case l.Type == string(audience.TypeTrack) && l.Event == "":
		return "missing_field", "a track line needs \"event\"."
	case l.Type == SimHandoff && l.Outcome != PortWon && l.Outcome != PortLost && l.Outcome != PortRejected:
		return "wrong_type", "a handoff's \"outcome\" is won, lost or rejected."
	case l.Type == SimSegment && (l.Entered == "") == (l.Left == ""):
		return "missing_field", "a segment line needs exactly one of \"entered\" and \"left\", with the segment's key."
	case l.Type == SimSegment && !journeyKey.MatchString(l.Entered+l.Left):
		return "bad_key", "a segment's key has lower case letters, digits and dashes, at most 64."
	case l.Type == SimStage && !slices.Contains(stages(), l.Stage):
		return "wrong_type", "a stage line's \"stage\" is one of " + strings.Join(stages(), ", ") + "."
	}
	if !slices.Contains([]string{string(audience.TypeTrack), string(audience.TypeIdentify), SimHandoff, SimSegment, SimStage}, l.Type) {
		return "wrong_type", "\"type\" is track, identify, handoff, segment or stage."
	}
	return "", ""
}

// WriteText writes a trace for a terminal: each contact's times, steps, outcomes and why.
func WriteText(w io.Writer, t Trace) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s: %d contacts\n", t.Journey, len(t.Contacts))
	for _, c := range t.Contacts {
		end := c.State
		if c.At != "" {
			end += " at " + c.At
		}
		if c.Reason != "" {
			end += " (" + c.Reason + ")"
		}
		fmt.Fprintf(out, "\n%s: %s, score %d\n", c.User, end, c.Score)
		width := 0
		for _, s := range c.Steps {
			width = max(width, len(s.label()))
		}
		for _, s := range c.Steps {
			line := fmt.Sprintf("  %s  %-*s  %s", s.At.UTC().Format("2006-01-02 15:04"), width, s.label(), s.why())
			fmt.Fprintln(out, strings.TrimRight(line, " "))
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	return nil
}

// label is the step and the way it was left: "activated → timeout".
func (s TraceStep) label() string {
	switch s.Kind {
	case TraceEntered:
		return "entered"
	case TraceNotEntered, TraceIgnored:
		return strings.ReplaceAll(s.Kind, "_", " ") + ": " + s.Outcome
	case TraceEnded:
		return s.Outcome
	}
	label := s.Step + " → " + s.Outcome
	if s.Visit > 1 {
		label += fmt.Sprintf(" (visit %d)", s.Visit)
	}
	return label
}

// why is what decided.
func (s TraceStep) why() string {
	var parts []string
	if s.Event != "" {
		parts = append(parts, "by "+s.Event)
	}
	if s.Note != "" {
		parts = append(parts, s.Note)
	}
	for _, t := range s.Terms {
		value, err := json.Marshal(t.Value)
		if err != nil {
			value = []byte("?")
		}
		parts = append(parts, t.Expression+" = "+string(value))
	}
	return strings.Join(parts, "; ")
}
