package integration

import (
	"encoding/json"
	"time"

	"throughline.dev/throughline/internal/email"
)

// sendgrid reports in batches, each event with an id of its own.
func sendgrid() Provider {
	return Provider{
		Name: "sendgrid", Env: "WEBHOOK_SENDGRID_KEY", Open: openECDSA, Decode: decodeSendgrid,
		Header: func(id string) (string, string) {
			return "X-SMTPAPI", `{"unique_args":{"` + idName + `":"` + id + `"}}`
		},
	}
}

func decodeSendgrid(body []byte, _ time.Time) ([]email.Report, error) {
	var batch []json.RawMessage
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, err
	}
	reports := make([]email.Report, 0, len(batch))
	for _, raw := range batch {
		var e struct {
			ID        text   `json:"sg_event_id"`
			Event     text   `json:"event"`
			Type      text   `json:"type"`
			Status    text   `json:"status"`
			Email     text   `json:"email"`
			SMTPID    text   `json:"smtp-id"`
			Ours      text   `json:"throughline"`
			Timestamp moment `json:"timestamp"`
		}
		r := email.Report{Raw: raw}
		if json.Unmarshal(raw, &e) == nil {
			r = email.Report{Key: string(e.ID), Raw: raw, MessageID: ourID(string(e.Ours), string(e.SMTPID)), Recipient: string(e.Email), Code: string(e.Status), At: e.Timestamp.Time}
			switch e.Event {
			case "delivered":
				r.Status = email.Delivered
			case "deferred":
				r.Status = email.Delayed
			case "spamreport":
				r.Status = email.Complained
			case "bounce":
				r.Status, r.Bounce = email.Bounced, email.ClassifyBounce(r.Code)
				if e.Type == "blocked" {
					r.Bounce = email.Block
				}
			}
		}
		reports = append(reports, r)
	}
	return reports, nil
}
