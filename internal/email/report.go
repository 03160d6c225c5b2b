package email

import (
	"cmp"
	"strings"
	"time"
)

// Status is what was reported of a message after it was handed over.
type Status string

// The statuses. A message without one has had no report.
const (
	Delayed    Status = "delayed"    // a server on the way still tries
	Delivered  Status = "delivered"  // the recipient's server took it
	Bounced    Status = "bounced"    // it came back; Bounce says why
	Complained Status = "complained" // the recipient called it spam
)

// Bounce says what a mail that came back tells about its address.
type Bounce string

// The bounces. Only a hard one, or three soft ones in a month, speak of the address; a block minds us or what we wrote.
const (
	Hard  Bounce = "hard"
	Soft  Bounce = "soft"
	Block Bounce = "block"
)

// SoftBounces on as many different messages within SoftWindow suppress an address.
const (
	SoftBounces = 3
	SoftWindow  = 30 * 24 * time.Hour
)

// Why an address is suppressed because of a report.
const (
	SuppressHard      = "hard_bounce"
	SuppressComplaint = "complaint"
	SuppressSoft      = "soft_bounces"
)

// The sources of reports that are no provider.
const (
	SourceSMTP = "smtp" // the server's refusal while it was handed over
	SourceMail = "mail" // a mail that came to the bounce address
)

// Report is what somebody said of one message. One without a status is kept and has no effect: a type that nobody knows.
type Report struct {
	Source    string // smtp, mail, or a provider
	Key       string // the same for each copy of it, within the source
	Raw       []byte
	MessageID string // ours; empty: nobody said which
	Recipient string
	Status    Status
	Bounce    Bounce
	Code      string // RFC 3463, such as 5.1.1
	At        time.Time
}

// Reported is what is known of a message from reports.
type Reported struct {
	Status Status    `json:"status" enum:"delayed,delivered,bounced,complained"`
	Bounce Bounce    `json:"bounce,omitempty" enum:"hard,soft,block" doc:"What a mail that came back tells about its address."`
	Code   string    `json:"code,omitempty" doc:"RFC 3463, such as 5.1.1."`
	At     time.Time `json:"at"`
	Words  string    `json:"words" doc:"What it means, as a sentence."`
}

// Reported is what a report says.
func (r Report) Reported() Reported {
	return Reported{Status: r.Status, Bounce: r.Bounce, Code: r.Code, At: r.At, Words: reportWords(r.Status, r.Bounce)}
}

// NewReported gives what is kept of a report its words.
func NewReported(status Status, bounce Bounce, code string, at time.Time) Reported {
	return Reported{Status: status, Bounce: bounce, Code: code, At: at, Words: reportWords(status, bounce)}
}

// Outweighs tells whether this is the word that stands when both were said. Reports arrive in any order, so that none of it may depend on
// which came first: a complaint and a hard bounce are final, a delay is the weakest; of others the later one counts.
func (r Reported) Outweighs(other Reported) bool {
	return cmp.Or(
		cmp.Compare(r.weight(), other.weight()), r.At.Compare(other.At),
		cmp.Compare(r.Status, other.Status), cmp.Compare(r.Bounce, other.Bounce), cmp.Compare(r.Code, other.Code),
	) > 0
}

func (r Reported) weight() int {
	switch {
	case r.Status == Complained:
		return 4
	case r.Bounce == Hard:
		return 3
	case r.Status == Delivered, r.Status == Bounced:
		return 2
	case r.Status == Delayed:
		return 1
	}
	return 0
}

// Arrived tells whether the report proves that a server had taken the message: what settles an unknown fate.
func (s Status) Arrived() bool { return s == Delivered || s == Bounced || s == Complained }

func reportWords(status Status, bounce Bounce) string {
	switch {
	case status == Complained:
		return "The recipient marked it as spam."
	case bounce == Hard:
		return "It came back: there is no such mailbox."
	case bounce == Soft:
		return "It came back: the mailbox could not take it then."
	case bounce == Block:
		return "It came back: the recipient's server minds the sender or the content."
	case status == Delivered:
		return "The recipient's mail server took it."
	case status == Delayed:
		return "It is delayed on its way to the recipient's mail server."
	}
	return ""
}

// ClassifyBounce says what the status code of a refusal (RFC 3463) tells about the address. Without a code that can be read it is soft:
// nothing is known against the address, and three of them are too many all the same.
func ClassifyBounce(code string) Bounce {
	class, rest, _ := strings.Cut(code, ".")
	subject, detail, _ := strings.Cut(rest, ".")
	switch {
	case subject == "7", subject == "6": // policy; content
		return Block
	case subject == "1" && (detail == "7" || detail == "8"): // the sender's address
		return Block
	case class == "5" && subject == "1":
		return Hard
	}
	return Soft
}

// ClassifyRefusal says what a server's answer to an attempt tells about the address; empty: nothing. Only the answer to RCPT speaks of it,
// and only with a code: 550 alone means anything.
func ClassifyRefusal(d Delivery) Bounce {
	if d.Outcome != OutcomeRejected || d.Phase != PhaseRcpt || d.Enhanced == "" {
		return ""
	}
	return ClassifyBounce(d.Enhanced)
}

// DeliveryEntry is a report in the timeline of the contact whom the message went to.
type DeliveryEntry struct {
	Reported
	MessageID  string `json:"message_id"`
	Journey    string `json:"journey,omitempty"`
	StepID     string `json:"step_id,omitempty"`
	Subject    string `json:"subject"`
	Suppressed bool   `json:"suppressed,omitempty" doc:"Because of it the address is not written to any more."`
}

// Tell is the report as a sentence, with what followed from it.
func (d DeliveryEntry) Tell() string {
	if d.Suppressed {
		return d.Words + " The address is not written to any more."
	}
	return d.Words
}
