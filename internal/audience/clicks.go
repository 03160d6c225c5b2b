package audience

// MailClicks are clicks on the links of one mail whose time to be held is over.
type MailClicks struct {
	ContactID string
	Events    []Incoming    // what people did, to be taken in
	Judged    []JudgedClick // all of them, to be settled after that
}

// JudgedClick says who made a click, and why that is no person.
type JudgedClick struct {
	ID            int64
	Actor, Reason string
}
