// Package fault holds the error kinds that the product decides on, and the shape of a problem that a person can mend.
//
// It imports the standard library only. Exactly two places translate a fault: api/problem.go (kind to HTTP status) and
// activities/retry.go (kind to Temporal retryability). Nothing else knows either mapping.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of thing went wrong, as far as anyone decides on it.
type Kind string

// The kinds. Whatever is not a fault counts as Internal.
const (
	Invalid      Kind = "invalid"      // the caller's input is wrong: the problems say where
	Unauthorized Kind = "unauthorized" // no key, or an unknown one
	Forbidden    Kind = "forbidden"    // a known key without the scope
	NotFound     Kind = "not_found"
	Conflict     Kind = "conflict" // a stale revision, or a state that does not allow this
	TooLarge     Kind = "too_large"
	Limited      Kind = "limited"     // too many; try later
	Unavailable  Kind = "unavailable" // a part that we depend on is down; try later
	Internal     Kind = "internal"
)

// Level of a problem: an error blocks publishing, a warning does not.
const (
	LevelError   = "error"
	LevelWarning = "warning"
)

// Problem is one thing that is wrong with an input, at a place that its author can find.
type Problem struct {
	Path    string `json:"path"`              // JSON pointer into the input (RFC 6901)
	StepID  string `json:"step_id,omitempty"` // the step of a journey, when there is one
	Code    string `json:"code"`              // stable, for programs
	Level   string `json:"level"`             // error or warning
	Message string `json:"message"`           // a sentence, for people; never echoes personal data
	// Replace is how it can be mended, where that is known.
	Replace *Replacement `json:"replace,omitempty"`
}

// Replacement is a piece of the text at a problem's place, and what to write instead.
type Replacement struct {
	Found string `json:"found"`
	With  string `json:"with"`
}

// Error is an error that someone decides on. Message is safe to show to a client; Err is for the log alone.
type Error struct {
	Kind     Kind
	Code     string
	Message  string
	Problems []Problem
	Err      error
}

// New makes a fault without a cause.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Wrap makes a fault with a cause that only the log sees.
func Wrap(kind Kind, code, message string, cause error) *Error {
	return &Error{Kind: kind, Code: code, Message: message, Err: cause}
}

// WithProblems makes an Invalid fault that lists every problem at once.
func WithProblems(code, message string, problems []Problem) *Error {
	return &Error{Kind: Invalid, Code: code, Message: message, Problems: problems}
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return e.Code + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// As finds the fault in an error's chain.
func As(err error) (*Error, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e, true
	}
	return nil, false
}

// KindOf is the kind of an error; what is no fault is Internal.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}

// HasErrors tells whether any problem blocks publishing.
func HasErrors(problems []Problem) bool {
	for _, p := range problems {
		if p.Level == LevelError {
			return true
		}
	}
	return false
}
