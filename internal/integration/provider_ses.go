package integration

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // SignatureVersion 1 is SHA-1; topics can be set to 2
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// amazonSES reports through topics of SNS. The setting lists the topics (ARNs) that are ours: anybody can have SNS sign a call from a topic
// of their own.
func amazonSES() Provider {
	return Provider{
		Name: "ses", Env: "WEBHOOK_SES_TOPICS",
		Open: func(setting string, client *http.Client) (Verifier, error) {
			topics := strings.FieldsFunc(setting, func(r rune) bool { return r == ',' || r == ' ' })
			certs := &snsCertificates{client: client, known: map[string]*rsa.PublicKey{}}
			return func(ctx context.Context, _ http.Header, body []byte, _ time.Time) error {
				return verifySNS(ctx, body, topics, certs.find)
			}, nil
		},
		Decode: decodeSES, Confirm: confirmSNS,
		Header: func(id string) (string, string) { return "X-SES-MESSAGE-TAGS", idName + "=" + id },
	}
}

type snsMessage struct {
	Type, MessageID, TopicARN, Subject, Message, Timestamp, Token, SubscribeURL string
	SignatureVersion, Signature, SigningCertURL                                 string
}

func (m *snsMessage) UnmarshalJSON(raw []byte) error {
	var in struct {
		Type, Subject, Message, Timestamp, Token, SignatureVersion, Signature text
		MessageID                                                             text `json:"MessageId"`
		TopicARN                                                              text `json:"TopicArn"`
		SubscribeURL                                                          text `json:"SubscribeURL"`
		SigningCertURL                                                        text `json:"SigningCertURL"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	*m = snsMessage{Type: string(in.Type), MessageID: string(in.MessageID), TopicARN: string(in.TopicARN), Subject: string(in.Subject), Message: string(in.Message),
		Timestamp: string(in.Timestamp), Token: string(in.Token), SubscribeURL: string(in.SubscribeURL), SignatureVersion: string(in.SignatureVersion),
		Signature: string(in.Signature), SigningCertURL: string(in.SigningCertURL)}
	return nil
}

var (
	errTopic       = errors.New("the topic is not one of ours")
	errCertificate = errors.New("the certificate is not Amazon's")
	errSigned      = errors.New("the signature does not fit")
	snsCertificate = regexp.MustCompile(`^https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/SimpleNotificationService-[a-z0-9]+\.pem$`)
	snsHost        = regexp.MustCompile(`^sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$`)
)

const (
	snsNotification = "Notification"
	snsSubscription = "SubscriptionConfirmation"
)

func verifySNS(ctx context.Context, body []byte, topics []string, key func(context.Context, string) (*rsa.PublicKey, error)) error {
	var m snsMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return errSigned
	}
	if !slices.Contains(topics, m.TopicARN) {
		return errTopic
	}
	if !snsCertificate.MatchString(m.SigningCertURL) {
		return errCertificate
	}
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil {
		return errSigned
	}
	public, err := key(ctx, m.SigningCertURL)
	if err != nil {
		return err
	}
	signed := []byte(m.signed())
	switch m.SignatureVersion {
	case "1":
		sum := sha1.Sum(signed) //nolint:gosec // as above
		return rsa.VerifyPKCS1v15(public, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256(signed)
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature)
	}
	return errSigned
}

// signed is the text that SNS signs: names and values, a line each, by the alphabet.
func (m snsMessage) signed() string {
	fields := [][2]string{{"Message", m.Message}, {"MessageId", m.MessageID}}
	if m.Type == snsNotification {
		if m.Subject != "" {
			fields = append(fields, [2]string{"Subject", m.Subject})
		}
	} else {
		fields = append(fields, [2]string{"SubscribeURL", m.SubscribeURL})
	}
	fields = append(fields, [2]string{"Timestamp", m.Timestamp})
	if m.Type != snsNotification {
		fields = append(fields, [2]string{"Token", m.Token})
	}
	fields = append(fields, [2]string{"TopicArn", m.TopicARN}, [2]string{"Type", m.Type})
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f[0] + "\n" + f[1] + "\n")
	}
	return b.String()
}

// snsCertificates fetches Amazon's certificates once each. They change a few times a year.
type snsCertificates struct {
	client *http.Client
	mu     sync.Mutex
	known  map[string]*rsa.PublicKey
}

const maxCertificates = 20

func (c *snsCertificates) find(ctx context.Context, address string) (*rsa.PublicKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock() // one fetch at a time: nobody makes us ask often
	if key, ok := c.known[address]; ok {
		return key, nil
	}
	raw, err := get(ctx, c.client, address)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, errCertificate
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, errCertificate
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errCertificate
	}
	if len(c.known) >= maxCertificates {
		clear(c.known)
	}
	c.known[address] = key
	return key, nil
}

func get(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errCertificate
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, unreachable("provider", err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, unreachable("provider", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refused("provider", resp.StatusCode, 0)
	}
	return raw, nil
}

// confirmSNS says yes to a topic of ours that asks whether it may call us.
func confirmSNS(ctx context.Context, client *http.Client, body []byte) error {
	var m snsMessage
	if err := json.Unmarshal(body, &m); err != nil || m.Type != snsSubscription {
		return nil //nolint:nilerr // what is no JSON asks nothing
	}
	u, err := url.Parse(m.SubscribeURL)
	if err != nil || u.Scheme != "https" || u.User != nil || !snsHost.MatchString(u.Host) {
		return fault.New(fault.Invalid, "bad_subscribe_url", "The address of the subscription is not Amazon's.")
	}
	_, err = get(ctx, client, m.SubscribeURL)
	return err
}

func decodeSES(body []byte, now time.Time) ([]email.Report, error) {
	var envelope snsMessage
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, err
	}
	var in struct {
		EventType        text `json:"eventType"`
		NotificationType text `json:"notificationType"`
		Mail             struct {
			Destination   []text                       `json:"destination"`
			Tags          map[string][]text            `json:"tags"`
			Headers       []struct{ Name, Value text } `json:"headers"`
			CommonHeaders struct {
				MessageID text `json:"messageId"`
			} `json:"commonHeaders"`
		} `json:"mail"`
		Bounce struct {
			BounceType text   `json:"bounceType"`
			Timestamp  moment `json:"timestamp"`
			Recipients []struct {
				Status text `json:"status"`
			} `json:"bouncedRecipients"`
		} `json:"bounce"`
		Complaint, Delivery struct {
			Timestamp moment `json:"timestamp"`
		}
	}
	r := email.Report{Key: envelope.MessageID, Raw: body, At: now}
	if err := json.Unmarshal([]byte(envelope.Message), &in); err != nil {
		return []email.Report{r}, nil //nolint:nilerr // a question or a test: it is kept
	}
	candidates := []string{string(in.Mail.CommonHeaders.MessageID)}
	for _, h := range in.Mail.Headers {
		if name := string(h.Name); strings.EqualFold(name, "X-Throughline-Message") || strings.EqualFold(name, "Message-ID") {
			candidates = append(candidates, string(h.Value))
		}
	}
	for _, tag := range in.Mail.Tags[idName] {
		candidates = append(candidates, string(tag))
	}
	r.MessageID = ourID(candidates...)
	if len(in.Mail.Destination) > 0 {
		r.Recipient = string(in.Mail.Destination[0])
	}
	switch in.EventType + in.NotificationType {
	case "Delivery":
		r.Status, r.At = email.Delivered, in.Delivery.Timestamp.Time
	case "Complaint":
		r.Status, r.At = email.Complained, in.Complaint.Timestamp.Time
	case "DeliveryDelay":
		r.Status = email.Delayed
	case "Bounce":
		r.Status, r.At = email.Bounced, in.Bounce.Timestamp.Time
		if len(in.Bounce.Recipients) > 0 {
			r.Code = string(in.Bounce.Recipients[0].Status)
		}
		r.Bounce = bounceOf(in.Bounce.BounceType == "Permanent", r.Code)
	}
	return []email.Report{r}, nil
}

// bounceOf is what a provider's own judgement and the code say together: a code that blames us or the content weighs more than "permanent".
func bounceOf(permanent bool, code string) email.Bounce {
	bounce := email.ClassifyBounce(code)
	switch {
	case bounce == email.Block:
		return bounce
	case permanent:
		return email.Hard
	}
	return email.Soft
}
