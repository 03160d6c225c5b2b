package email

// Outcome is what a transport knows after an attempt: five, never two.
type Outcome string

// The outcomes. Only an error after the final dot may have been written is Unknown.
const (
	OutcomeNotSent  Outcome = "not_sent" // nothing the server could have kept: safe to try again
	OutcomeDeferred Outcome = "deferred" // 4xx
	OutcomeRejected Outcome = "rejected" // 5xx
	OutcomeAccepted Outcome = "accepted" // 250 after the final dot
	OutcomeUnknown  Outcome = "unknown"  // cut off after the final dot
)

// Delivery is the result of one attempt to hand a message to an SMTP server.
type Delivery struct {
	Outcome  Outcome
	Phase    string // where it ended: connect, greeting, hello, starttls, auth, mail, rcpt, data, body, dot
	Code     int    // SMTP reply code, 0 when there was none
	Enhanced string // RFC 3463 status, such as 5.1.1
	Reply    string // the server's text; may hold the address
	Err      error
}

// Envelope is what goes over the wire.
type Envelope struct {
	From  string // envelope sender
	To    string // one recipient
	Bytes []byte // the complete message
}
