package integration

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/email"
)

// mailgun signs a time and a token, and not what it says: a token counts once, for ever, so that nobody says something else with it.
func mailgun() Provider {
	return Provider{
		Name: "mailgun", Env: "WEBHOOK_MAILGUN_KEY", Open: openMailgun, Decode: decodeMailgun,
		Header: func(id string) (string, string) { return "X-Mailgun-Variables", `{"` + idName + `":"` + id + `"}` },
	}
}

type mailgunCall struct {
	Signature struct {
		Timestamp, Token, Signature text
	} `json:"signature"`
	Event struct {
		Event     text            `json:"event"`
		Severity  text            `json:"severity"`
		Recipient text            `json:"recipient"`
		Timestamp moment          `json:"timestamp"`
		Variables map[string]text `json:"user-variables"`
		Message   struct {
			Headers struct {
				MessageID text `json:"message-id"`
			} `json:"headers"`
		} `json:"message"`
		Status struct {
			Enhanced text `json:"enhanced-code"`
		} `json:"delivery-status"`
	} `json:"event-data"`
}

func openMailgun(setting string, _ *http.Client) (Verifier, error) {
	return func(_ context.Context, _ http.Header, body []byte, now time.Time) error {
		var in mailgunCall
		if err := json.Unmarshal(body, &in); err != nil {
			return errSigned
		}
		given, err := hex.DecodeString(string(in.Signature.Signature))
		mac := hmac.New(sha256.New, []byte(setting))
		mac.Write([]byte(in.Signature.Timestamp + in.Signature.Token))
		if err != nil || in.Signature.Token == "" || !hmac.Equal(given, mac.Sum(nil)) {
			return errSigned
		}
		return recent(string(in.Signature.Timestamp), now, 12*time.Hour) // it tries again for eight hours
	}, nil
}

func decodeMailgun(body []byte, _ time.Time) ([]email.Report, error) {
	var in mailgunCall
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	e := in.Event
	r := email.Report{Key: string(in.Signature.Token), Raw: body, MessageID: ourID(string(e.Variables[idName]), string(e.Message.Headers.MessageID)),
		Recipient: string(e.Recipient), Code: string(e.Status.Enhanced), At: e.Timestamp.Time}
	switch e.Event {
	case "delivered":
		r.Status = email.Delivered
	case "complained":
		r.Status = email.Complained
	case "failed":
		r.Status, r.Bounce = email.Bounced, bounceOf(e.Severity == "permanent", r.Code)
		if e.Severity != "permanent" { // it goes on trying
			r.Status, r.Bounce = email.Delayed, ""
		}
	}
	return []email.Report{r}, nil
}
