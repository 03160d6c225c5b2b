package audience

import "time"

// TopicMarketing stands for marketing mail as a whole: who withdraws it gets none, of whatever topic.
const TopicMarketing = "marketing"

// TopicTracking stands for what a contact does with its mail being seen: who withdraws it gets mail whose links are not tracked.
const TopicTracking = "tracking"

// BuiltIn tells whether a topic is there without anybody having made it.
func BuiltIn(topic string) bool { return topic == TopicMarketing || topic == TopicTracking }

// Topic is what mail is about, as recipients choose.
type Topic struct {
	Key         string    `json:"key" doc:"What steps and caps call it: lower case letters, digits and dashes."`
	Name        string    `json:"name" doc:"What recipients read."`
	Description string    `json:"description,omitempty" doc:"A sentence for recipients."`
	OptIn       bool      `json:"opt_in" doc:"Nobody gets it who has not asked for it, and confirmed that by a link in a mail."`
	UpdatedAt   time.Time `json:"updated_at"`
}

// The reasons why a contact gets no mail of a topic.
const (
	ReasonUnsubscribed = "unsubscribed" // it said no, to the topic or to marketing as a whole
	ReasonNoConsent    = "no_consent"   // it never asked for the topic, or has not confirmed it
)

// Choice is a topic as one contact has chosen.
type Choice struct {
	Topic
	Gets    bool
	Pending bool // asked for, and not confirmed yet
}
