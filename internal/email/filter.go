package email

// MessageFilter narrows a list of messages; the zero value lists all.
type MessageFilter struct {
	ContactID string
	State     State
	Reason    string
	Journey   string
	Template  string
}
