package email

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// SubjectSource is what a set of subjects is made from. It is about a template, a language and a segment; never about a contact.
type SubjectSource struct {
	Template        string `json:"template"`
	TemplateVersion int    `json:"template_version"`
	Locale          string `json:"locale,omitempty" doc:"The language; that of the written subject when empty."`
	Segment         string `json:"segment,omitempty" doc:"Whom they are written for; everybody when empty."`
	Brief           string `json:"brief" doc:"What they should do."`
	Written         string `json:"written" doc:"The subject that a person wrote: it is one of those that are sent, and what is sent while there are no others."`
}

// SubjectState is how far a set of subjects is.
type SubjectState string

// The states of a set.
const (
	SubjectsWanted SubjectState = "wanted" // the model is being asked
	SubjectsReady  SubjectState = "ready"
	SubjectsFailed SubjectState = "failed" // with a reason; it is tried again when a mail wants it, an hour later at the earliest
)

// LineState is what may become of a subject line.
type LineState string

// The states of a line.
const (
	LineProposed LineState = "proposed" // somebody has to look at it
	LineApproved LineState = "approved" // it is sent
	LineRejected LineState = "rejected" // by a person
	LineRefused  LineState = "refused"  // by a check, with the reason
	LineRetired  LineState = "retired"  // it was sent, and others were better
)

// SubjectLine is one subject of a set. Number 0 is the written one, which is always sent to a part.
type SubjectLine struct {
	ID      string    `json:"id"`
	Number  int       `json:"number" doc:"0: the written one."`
	Text    string    `json:"text"`
	State   LineState `json:"state" enum:"proposed,approved,rejected,refused,retired"`
	Reason  string    `json:"reason,omitempty" doc:"A code, of what was refused or retired."`
	Words   string    `json:"words,omitempty" doc:"The reason, as a sentence."`
	Sent    int64     `json:"sent" doc:"Mails that are old enough to be judged."`
	Clicked int64     `json:"clicked" doc:"Those of them in which a person followed a link."`
	Weight  float64   `json:"weight" doc:"The part of the next mails that get it, from 0 to 1."`
}

// SubjectSet is the subjects of one source, and how they stand.
type SubjectSet struct {
	ID string `json:"id"`
	SubjectSource
	State     SubjectState      `json:"state" enum:"wanted,ready,failed"`
	Reason    string            `json:"reason,omitempty" doc:"Why it failed."`
	WantedAt  time.Time         `json:"wanted_at"`
	UpdatedAt time.Time         `json:"updated_at"`
	Lines     []SubjectLine     `json:"lines" nullable:"false"`
	Instead   []SubjectFallback `json:"instead" nullable:"false" doc:"Mails that got the written subject because there was no choice, by the reason."`
}

// SubjectFallback counts mails that got the written subject for a reason.
type SubjectFallback struct {
	Reason string `json:"reason"`
	Mails  int64  `json:"mails"`
}

// Why a mail that asks for a generated subject got the written one, besides by the choice between them.
const (
	SubjectNotConfigured = "not_configured"
	SubjectOff           = "ai_off"
	SubjectGenerating    = "generating"
	SubjectUnapproved    = "awaiting_approval"
	SubjectNoneGood      = "no_candidate"
	SubjectBudgetSpent   = "budget_spent"
)

// Pick chooses the line for a message by the weights. It is decided by the message's id alone, so that whoever asks again gets the same.
// Without any line besides the written one there is no choice.
func (s SubjectSet) Pick(messageID string) (SubjectLine, bool) {
	total, open := 0.0, 0
	for _, l := range s.Lines {
		if l.State == LineApproved {
			total += l.Weight
			open++
		}
	}
	if open < 2 || total <= 0 {
		return SubjectLine{}, false
	}
	at := fraction(messageID) * total
	var chosen SubjectLine
	for _, l := range s.Lines {
		if l.State != LineApproved || l.Weight <= 0 {
			continue
		}
		chosen = l
		if at -= l.Weight; at < 0 {
			break
		}
	}
	return chosen, true
}

// fraction spreads ids evenly over 0 to 1.
func fraction(id string) float64 {
	hashed := sha256.Sum256([]byte("subject|" + id))
	return float64(binary.BigEndian.Uint64(hashed[:8])>>11) / (1 << 53)
}

// Fallback is why there is no choice.
func (s SubjectSet) Fallback() string {
	switch s.State {
	case SubjectsWanted:
		return SubjectGenerating
	case SubjectsFailed:
		return s.Reason
	case SubjectsReady:
	}
	for _, l := range s.Lines {
		if l.State == LineProposed {
			return SubjectUnapproved
		}
	}
	return SubjectNoneGood
}

// CanBecome says whether a person may put a line into a state, as a Conflict with a sentence if not.
func (l SubjectLine) CanBecome(state LineState) error {
	switch {
	case l.State == state:
		return nil
	case l.Number == 0:
		return fault.New(fault.Conflict, "written_stays", "The written subject is always sent to a part.")
	case l.State == LineRefused:
		return fault.New(fault.Conflict, "line_refused", "This subject was refused by a check: "+l.Words)
	case state == LineApproved,
		state == LineRejected && l.State == LineProposed,
		state == LineRetired && l.State == LineApproved:
		return nil
	}
	return fault.New(fault.Conflict, "line_decided", "This subject is "+string(l.State)+" already.")
}
