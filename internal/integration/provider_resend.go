package integration

import (
	"encoding/json"
	"strings"
	"time"

	"throughline.dev/throughline/internal/email"
)

// resend gives back the mail's own headers, so that it needs none of ours besides.
func resend() Provider {
	return Provider{Name: "resend", Env: "WEBHOOK_RESEND_SECRET", Open: openSvix, Decode: decodeResend}
}

func decodeResend(body []byte, _ time.Time) ([]email.Report, error) {
	var e struct {
		Type      text   `json:"type"`
		CreatedAt moment `json:"created_at"`
		Data      struct {
			EmailID   text                         `json:"email_id"`
			MessageID text                         `json:"message_id"`
			To        []text                       `json:"to"`
			Headers   []struct{ Name, Value text } `json:"headers"`
			Bounce    struct{ Type, SubType text } `json:"bounce"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	candidates := []string{string(e.Data.MessageID)}
	for _, h := range e.Data.Headers {
		if strings.EqualFold(string(h.Name), "X-Throughline-Message") || strings.EqualFold(string(h.Name), "Message-ID") {
			candidates = append(candidates, string(h.Value))
		}
	}
	r := email.Report{Raw: body, MessageID: ourID(candidates...), At: e.CreatedAt.Time}
	if len(e.Data.To) > 0 {
		r.Recipient = string(e.Data.To[0])
	}
	switch e.Type {
	case "email.delivered":
		r.Status = email.Delivered
	case "email.delivery_delayed":
		r.Status = email.Delayed
	case "email.complained":
		r.Status = email.Complained
	case "email.bounced":
		r.Status, r.Bounce = email.Bounced, bounceOf(e.Data.Bounce.Type == "Permanent", "")
	}
	return []email.Report{r}, nil
}
