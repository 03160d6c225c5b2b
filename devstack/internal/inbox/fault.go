package inbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// At is the point of an SMTP conversation at which a fault strikes.
type At string

// The points, in the order of a conversation.
const (
	AtConnect    At = "connect"     // before the greeting
	AtMail       At = "mail"        // answer to MAIL FROM
	AtRcpt       At = "rcpt"        // answer to RCPT TO
	AtData       At = "data"        // answer to the DATA command
	AtMidData    At = "mid_data"    // after some bytes of the message
	AtAfterDot   At = "after_dot"   // the whole message was read, nothing was answered
	AtAfterReply At = "after_reply" // 250 was sent
)

// Action is what happens there.
type Action string

// The actions.
const (
	Reply Action = "reply" // answer with code, enhanced and text; 421 also ends the conversation
	Close Action = "close" // cut the connection
	Hang  Action = "hang"  // say nothing for some seconds, then cut the connection
	Delay Action = "delay" // say nothing for some seconds, then go on
)

// Fault is one scripted failure.
type Fault struct {
	ID     int    `json:"id"`
	At     At     `json:"at"`
	Action Action `json:"action"`
	// Rcpt narrows the fault to conversations with a recipient that contains this text.
	Rcpt string `json:"rcpt,omitempty"`
	// Times is how often it strikes: 1 when left out, -1 for ever.
	Times    int     `json:"times"`
	Code     int     `json:"code,omitempty"`
	Enhanced string  `json:"enhanced,omitempty"`
	Text     string  `json:"text,omitempty"`
	Seconds  float64 `json:"seconds,omitempty"`
	Bytes    int     `json:"bytes,omitempty"`
	// Keep says whether the message of an after_dot fault is kept. Left out, it is kept when the answer is positive.
	Keep *bool `json:"keep,omitempty"`

	Remaining int `json:"remaining"`
	Hits      int `json:"hits"`
}

// normalise fills the defaults in and refuses what can't happen.
func (f Fault) normalise() (Fault, error) {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	points := []At{AtConnect, AtMail, AtRcpt, AtData, AtMidData, AtAfterDot, AtAfterReply}
	if !slices.Contains(points, f.At) {
		refuse("at is one of %v", points)
	}
	actions := []Action{Reply, Close, Hang, Delay}
	if !slices.Contains(actions, f.Action) {
		refuse("action is one of %v", actions)
	}
	if f.Rcpt != "" && (f.At == AtConnect || f.At == AtMail) {
		refuse("rcpt is not known yet at %s", f.At)
	}
	if f.At == AtAfterReply && f.Action == Reply {
		refuse("after_reply comes after the answer: there is nothing to reply to")
	}
	if f.Keep != nil && f.At != AtAfterDot {
		refuse("keep belongs to after_dot")
	}
	if f.Bytes < 0 || (f.Bytes > 0 && f.At != AtMidData) {
		refuse("bytes belongs to mid_data and is not negative")
	}
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Times < -1 {
		refuse("times is positive, or -1 for ever")
	}
	if f.Seconds < 0 || f.Seconds > 3600 || ((f.Action == Hang || f.Action == Delay) && f.Seconds == 0) {
		refuse("seconds is needed for hang and delay, at most 3600")
	}
	if f.Action == Reply {
		f = f.withReplyDefaults()
		if f.Code < 200 || f.Code > 599 {
			refuse("code is an SMTP code")
		}
		if strings.ContainsAny(f.Text+f.Enhanced, "\r\n") {
			refuse("text and enhanced are one line")
		}
	}
	f.Remaining, f.Hits = f.Times, 0
	return f, errors.Join(problems...)
}

func (f Fault) withReplyDefaults() Fault {
	if f.Code == 0 {
		f.Code = 451
	}
	if f.Enhanced == "" {
		f.Enhanced = fmt.Sprintf("%d.0.0", f.Code/100)
	}
	if f.Text == "" {
		f.Text = "scripted fault"
	}
	return f
}

func (f Fault) pause() time.Duration { return time.Duration(f.Seconds * float64(time.Second)) }

// keeps says whether the message of an after_dot fault is stored.
func (f Fault) keeps() bool {
	if f.Keep != nil {
		return *f.Keep
	}
	return f.Action == Delay || (f.Action == Reply && f.Code < 300)
}

// script is the list of faults, oldest first; the first one that fits strikes.
type script struct {
	mu     sync.Mutex
	faults []*Fault
	lastID int
}

func (s *script) add(f Fault) (Fault, error) {
	f, err := f.normalise()
	if err != nil {
		return Fault{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	f.ID = s.lastID
	s.faults = append(s.faults, &f)
	return f, nil
}

func (s *script) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *script) list() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Fault, 0, len(s.faults))
	for _, f := range s.faults {
		out = append(out, *f)
	}
	return out
}

// strike uses up one hit of the first fault that fits.
func (s *script) strike(at At, rcpts []string) (Fault, bool) {
	return s.find(at, rcpts, true)
}

// peek is strike without using it up: mid_data is only a hit once its bytes have gone by.
func (s *script) peek(at At, rcpts []string) (Fault, bool) {
	return s.find(at, rcpts, false)
}

func (s *script) find(at At, rcpts []string, use bool) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.At != at || f.Remaining == 0 || !f.fits(rcpts) {
			continue
		}
		if use {
			f.Hits++
			if f.Remaining > 0 {
				f.Remaining--
			}
		}
		return *f, true
	}
	return Fault{}, false
}

func (f Fault) fits(rcpts []string) bool {
	return f.Rcpt == "" || slices.ContainsFunc(rcpts, func(rcpt string) bool {
		return strings.Contains(strings.ToLower(rcpt), strings.ToLower(f.Rcpt))
	})
}
