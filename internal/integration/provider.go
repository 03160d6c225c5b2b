package integration

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// Provider is a mail provider that calls us when something has become of a mail: one declaration each, on one engine (Intake).
type Provider struct {
	Name string
	Env  string // the environment variable that turns it on; each has one setting
	// Open reads the setting and gives what checks a call.
	Open func(setting string, client *http.Client) (Verifier, error)
	// Decode reads a call that was verified. What it can't read is kept as it is.
	Decode func(body []byte, now time.Time) ([]email.Report, error)
	// Confirm is done after the reports are kept; nil: nothing. Providers ask whether an address wants to be called.
	Confirm func(ctx context.Context, client *http.Client, body []byte) error
	// Header makes the provider tell our message's id with everything it reports of a mail.
	Header func(messageID string) (name, value string)
	// Busy is what to answer when a call could not be kept, so that it comes again; 503 when zero.
	Busy int
}

// Verifier checks that a call is the provider's own. An error means that it is not, and is not told to the caller.
type Verifier func(ctx context.Context, header http.Header, body []byte, now time.Time) error

// Providers are all that we know.
func Providers() []Provider {
	return []Provider{amazonSES(), sendgrid(), postmark(), mailgun(), resend(), brevo()}
}

// idName is what our message's id is called in providers' metadata.
const idName = "throughline"

// Intake takes the calls of the providers that are turned on.
type Intake struct {
	providers map[string]openProvider
	client    *http.Client
	take      func(ctx context.Context, now time.Time, reports []email.Report) error
	now       func() time.Time
}

type openProvider struct {
	Provider
	verify Verifier
}

// NewIntake opens the providers that have a setting. take keeps reports and does what they demand, and has committed when it returns.
func NewIntake(settings map[string]string, o Options, take func(context.Context, time.Time, []email.Report) error, now func() time.Time) (*Intake, error) {
	in := &Intake{providers: map[string]openProvider{}, client: NewClient(o), take: take, now: now}
	for _, p := range Providers() {
		if settings[p.Env] == "" {
			continue
		}
		verify, err := p.Open(settings[p.Env], in.client)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, "bad_provider", p.Env+" can't be used.", err)
		}
		in.providers[p.Name] = openProvider{p, verify}
	}
	return in, nil
}

// TakeWebhook verifies a call, keeps it and does what it demands. A provider that is not turned on is NotFound, a call that is not its own
// Unauthorized; then nothing is kept.
func (in *Intake) TakeWebhook(ctx context.Context, provider string, header http.Header, body []byte) error {
	p, on := in.providers[provider]
	if !on {
		return fault.New(fault.NotFound, "unknown_provider", "There is no such provider.")
	}
	now := in.now()
	if err := p.verify(ctx, header, body, now); err != nil {
		if fault.KindOf(err) == fault.Unavailable {
			return err
		}
		return fault.Wrap(fault.Unauthorized, "bad_signature", "The signature is missing or wrong.", err)
	}
	reports, err := p.Decode(body, now)
	if err != nil || len(reports) == 0 {
		reports = []email.Report{{Raw: body, At: now}}
	}
	for i := range reports {
		reports[i] = p.complete(reports[i], now)
	}
	if err := in.take(ctx, now, reports); err != nil {
		return err
	}
	if p.Confirm != nil {
		return p.Confirm(ctx, in.client, body)
	}
	return nil
}

// Busy is the status to answer when a call could not be kept.
func (in *Intake) Busy(provider string) int {
	if p, on := in.providers[provider]; on && p.Provider.Busy != 0 {
		return p.Provider.Busy
	}
	return http.StatusServiceUnavailable
}

func (p Provider) complete(r email.Report, now time.Time) email.Report {
	r.Source = p.Name
	if r.Key == "" {
		sum := sha256.Sum256(r.Raw)
		r.Key = hex.EncodeToString(sum[:])
	}
	if r.At.IsZero() || r.At.After(now) {
		r.At = now
	}
	if r.Status == email.Bounced && r.Bounce == "" {
		r.Bounce = email.ClassifyBounce(r.Code)
	}
	return r
}

// ourID finds our message's id in what a provider tells: the id itself, or a Message-ID of ours.
func ourID(candidates ...string) string {
	for _, c := range candidates {
		c, _, _ = strings.Cut(strings.Trim(strings.TrimSpace(c), "<>"), "@")
		if id, err := uuid.Parse(c); err == nil && len(c) == 36 {
			return id.String()
		}
	}
	return ""
}

// text is a string in JSON, or nothing when it is something else: providers change their minds.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	}
	return nil
}

// moment reads what providers write for a time: seconds, with or without a fraction, or a text.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(raw []byte) error {
	written := strings.Trim(string(raw), `"`)
	if seconds, err := strconv.ParseFloat(written, 64); err == nil && seconds > 0 && seconds < 1e11 {
		m.Time = time.UnixMilli(int64(seconds * 1000)).UTC()
		return nil
	}
	if at, err := time.Parse(time.RFC3339, written); err == nil {
		m.Time = at.UTC()
	}
	return nil
}
