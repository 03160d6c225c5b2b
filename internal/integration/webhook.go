package integration

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// WebhookRequest is one call of a webhook, by Standard Webhooks 1.0.
type WebhookRequest struct {
	ID      string         // the same on every attempt: the receiver deduplicates by it
	URL     string         //
	Secret  string         // whsec_… ; two, with a space between them, while a secret is being replaced
	Payload map[string]any // type, timestamp, data
}

// WebhookResult is what came back. The body is not kept.
type WebhookResult struct {
	Status     int
	RetryAfter time.Duration // when the receiver asked for it
}

// Webhooks calls webhooks.
type Webhooks struct {
	client *http.Client
	now    func() time.Time
}

const maxWebhookPayload = 20 << 10 // what receivers are told to expect

// NewWebhooks makes a caller over the guarded client. The specification gives receivers 15 to 30 seconds.
func NewWebhooks(o Options) *Webhooks {
	return &Webhooks{client: NewClient(o), now: time.Now} // the signature's time is the wall clock's, by its purpose
}

// Call makes one attempt. An Unavailable fault may pass (429, 5xx, time-outs; see RetryAfterOf), an Invalid one will not.
func (w *Webhooks) Call(ctx context.Context, in WebhookRequest) (WebhookResult, error) {
	req, err := w.request(ctx, in)
	if err != nil {
		return WebhookResult{}, err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return WebhookResult{}, unreachable("webhook", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be used again; the status has been said
	result := WebhookResult{Status: resp.StatusCode, RetryAfter: parseRetryAfter(resp.Header.Get("Retry-After"), w.now())}
	if resp.StatusCode/100 != 2 {
		return result, refused("webhook", resp.StatusCode, result.RetryAfter)
	}
	return result, nil
}

func (w *Webhooks) request(ctx context.Context, in WebhookRequest) (*http.Request, error) {
	body, err := json.Marshal(in.Payload)
	if err != nil {
		return nil, fault.New(fault.Invalid, "webhook_payload", "The payload of the webhook is no JSON.")
	}
	if len(body) > maxWebhookPayload {
		return nil, fault.New(fault.Invalid, "webhook_payload", "The payload of the webhook is larger than 20 KB.")
	}
	now := w.now()
	signature, err := signWebhook(in.Secret, in.ID, now, body)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(in.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		return nil, fault.New(fault.Invalid, "webhook_url", "The address of the webhook is a complete https address.")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "webhook_url", "The address of the webhook can't be used.")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Throughline-Webhooks/1")
	req.Header.Set("Webhook-Id", in.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", signature)
	return req, nil
}

const webhookSecretPrefix = "whsec_"

// signWebhook makes the webhook-signature header: one signature for each secret.
func signWebhook(secrets, id string, now time.Time, body []byte) (string, error) {
	if id == "" || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '.' }) {
		return "", fault.New(fault.Invalid, "webhook_id", "The id of a webhook call is a word without dots.")
	}
	var signatures []string
	for secret := range strings.FieldsSeq(secrets) {
		encoded, ok := strings.CutPrefix(secret, webhookSecretPrefix)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(key) < 24 || len(key) > 64 {
			return "", fault.New(fault.Invalid, "webhook_secret", "The secret of the webhook is whsec_ and the base64 of 24 to 64 bytes.")
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(now.Unix(), 10) + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if len(signatures) == 0 {
		return "", fault.New(fault.Invalid, "webhook_secret", "The webhook has no secret.")
	}
	return strings.Join(signatures, " "), nil
}
