package integration

import (
	"encoding/json"
	"time"

	"throughline.dev/throughline/internal/email"
)

// postmark signs nothing: the secret is user and password in the address that it calls.
func postmark() Provider {
	return Provider{
		Name: "postmark", Env: "WEBHOOK_POSTMARK_SECRET", Open: openBasic, Decode: decodePostmark,
		Header: func(id string) (string, string) { return "X-PM-Metadata-" + idName, id },
	}
}

func decodePostmark(body []byte, _ time.Time) ([]email.Report, error) {
	var e struct {
		RecordType, Type, MessageID, Recipient, Email text
		ID                                            json.Number
		Metadata                                      map[string]text
		DeliveredAt, BouncedAt                        moment
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	r := email.Report{Raw: body, MessageID: ourID(string(e.Metadata[idName])), Recipient: string(e.Recipient + e.Email), At: e.BouncedAt.Time}
	switch e.RecordType {
	case "Delivery":
		r.Status, r.At = email.Delivered, e.DeliveredAt.Time
	case "SpamComplaint":
		r.Status = email.Complained
	case "Bounce":
		r.Status = email.Bounced
		switch e.Type {
		case "HardBounce", "BadEmailAddress":
			r.Bounce = email.Hard
		case "SpamNotification", "Blocked", "DMARCPolicy", "ManuallyDeactivated", "VirusNotification", "ChallengeVerification":
			r.Bounce = email.Block
		case "SpamComplaint":
			r.Status = email.Complained
		case "AutoResponder", "AddressChange", "Subscribe", "Unsubscribe", "OpenRelayTest":
			r.Status = ""
		case "Transient":
			r.Status = email.Delayed
		default:
			r.Bounce = email.Soft
		}
	}
	return []email.Report{r}, nil
}
