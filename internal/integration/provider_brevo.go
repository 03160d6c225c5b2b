package integration

import (
	"encoding/json"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/email"
)

// brevo signs nothing, and drops for good what was answered with a 5xx: only after 429 does it call again.
func brevo() Provider {
	return Provider{
		Name: "brevo", Env: "WEBHOOK_BREVO_SECRET", Open: openBasic, Decode: decodeBrevo, Busy: http.StatusTooManyRequests,
		Header: func(id string) (string, string) { return "X-Mailin-custom", id },
	}
}

func decodeBrevo(body []byte, _ time.Time) ([]email.Report, error) {
	var e struct {
		Event     text   `json:"event"`
		Email     text   `json:"email"`
		MessageID text   `json:"message-id"`
		Custom    text   `json:"X-Mailin-custom"`
		At        moment `json:"ts_event"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	r := email.Report{Raw: body, MessageID: ourID(string(e.Custom), string(e.MessageID)), Recipient: string(e.Email), At: e.At.Time}
	switch e.Event {
	case "delivered":
		r.Status = email.Delivered
	case "deferred":
		r.Status = email.Delayed
	case "spam", "complaint":
		r.Status = email.Complained
	case "hard_bounce", "invalid_email":
		r.Status, r.Bounce = email.Bounced, email.Hard
	case "soft_bounce":
		r.Status, r.Bounce = email.Bounced, email.Soft
	case "blocked":
		r.Status, r.Bounce = email.Bounced, email.Block
	}
	return []email.Report{r}, nil
}
