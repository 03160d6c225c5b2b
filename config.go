package main

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/integration"
	"throughline.dev/throughline/workflows"
)

// config is everything that the environment says. All mistakes are reported at once.
type config struct {
	DatabaseURL       string
	TemporalAddress   string
	TemporalNamespace string
	TaskQueue         string
	TemporalUIURL     string // shown to people only
	SMTPURL           string
	MailFrom          string            // header From of every mail
	TransactionalFrom string            // of transactional mail; MailFrom when empty
	BounceAddress     string            // where mail returns to, with a token for each message; MailFrom's address, without, when empty
	DKIMDomain        string            // of MAIL_FROM when empty
	DKIM              [][2]string       // private keys in PEM, or the files that hold them, each with its selector; none: the relay signs
	Providers         map[string]string // settings of the mail providers that report by webhooks, by environment variable
	BounceListen      string            // host:port, or lmtp://host:port, that takes returned mail; empty: nothing listens
	DNSServer         string            // host:port; empty: those of the machine
	SendingIPs        []netip.Addr      // from which the relay hands mail over; none: those of the relay are guessed
	VerifyDNS         bool              // whether domains of addresses are looked up
	VerifyEvery       time.Duration     // not from the environment, as below
	Brand             email.Brand
	OpenAIBaseURL     string // empty with an empty key: no generated subjects
	OpenAIKey         string
	OpenAIModel       string
	WebhookSecret     string // whsec_…; generated and kept in the database when empty
	AllowPrivate      []netip.Prefix
	PublicURL         string
	Listen            string
	AdminKey          string
	WriteKey          string
	InboxURL          string // shown to people only
	LogLevel          string
	IngestRate        int // events a second that one key may send; 0: the api's default
	IngestInFlight    int // transactions that one key may have at the same time; 0: the api's default
	IngestKeepIP      bool
	ClickHolds        email.ClickHolds // not from the environment: tests can't wait
	Patience          time.Duration    // as above; how long a step waits for the SMTP server before the send goes on by itself
	Lease             time.Duration    // as above; how long a message is left to a worker that is not heard of
	SMTPTimeouts      email.Timeouts   // as above; zero: the usual ones
	TrustedProxies    []string
	Login             loginConfig
}

// readConfig reads the environment. getenv is os.Getenv outside of tests.
func readConfig(getenv func(string) string) (config, error) {
	or := func(name, fallback string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return fallback
	}
	c := config{
		DatabaseURL:       getenv("DATABASE_URL"),
		TemporalAddress:   or("TEMPORAL_ADDRESS", "127.0.0.1:7233"),
		TemporalNamespace: or("TEMPORAL_NAMESPACE", "throughline"),
		TaskQueue:         or("TEMPORAL_TASK_QUEUE", workflows.TaskQueue),
		TemporalUIURL:     getenv("TEMPORAL_UI_URL"),
		SMTPURL:           or("SMTP_URL", "smtp://127.0.0.1:2525"),
		ClickHolds:        email.UsualHolds(),
		Patience:          sendPatience,
		Lease:             sendLease,
		MailFrom:          or("MAIL_FROM", "Throughline <hello@throughline.example>"),
		TransactionalFrom: getenv("MAIL_FROM_TRANSACTIONAL"),
		BounceAddress:     getenv("BOUNCE_ADDRESS"),
		BounceListen:      getenv("BOUNCE_LISTEN"),
		Providers:         map[string]string{},
		DKIMDomain:        getenv("DKIM_DOMAIN"),
		DNSServer:         getenv("DNS_SERVER"),
		VerifyEvery:       verifyEvery,
		Brand: email.Brand{
			Name: or("BRAND_NAME", "Throughline"), Link: or("BRAND_LINK", "https://example.com"), Logo: getenv("BRAND_LOGO"),
			Copyright: getenv("BRAND_COPYRIGHT"), Address: or("BRAND_ADDRESS", "1 Example Street, 10115 Berlin"), Color: getenv("BRAND_COLOR"),
		},
		OpenAIBaseURL: getenv("OPENAI_BASE_URL"), OpenAIKey: getenv("OPENAI_API_KEY"), OpenAIModel: or("OPENAI_MODEL", "gpt-4o-mini"),
		WebhookSecret: getenv("WEBHOOK_SECRET"),
		PublicURL:     strings.TrimRight(or("PUBLIC_URL", "http://127.0.0.1:8080"), "/"),
		Listen:        or("LISTEN", "127.0.0.1:8080"),
		AdminKey:      getenv("THROUGHLINE_ADMIN_KEY"), WriteKey: getenv("THROUGHLINE_WRITE_KEY"),
		InboxURL: getenv("INBOX_URL"), LogLevel: or("LOG_LEVEL", "info"),
	}
	for _, kind := range []string{"", "_ED25519"} {
		if key := getenv("DKIM_KEY" + kind); key != "" {
			c.DKIM = append(c.DKIM, [2]string{key, getenv("DKIM_SELECTOR" + kind)})
		}
	}
	for _, provider := range integration.Providers() {
		if setting := getenv(provider.Env); setting != "" {
			c.Providers[provider.Env] = setting
		}
	}
	return c, errors.Join(c.check(getenv("ALLOW_PRIVATE")), c.checkReturned(), c.readIngest(getenv), c.readDNS(getenv), c.readLogin(getenv))
}

// readIngest reads what concerns the tracking API alone.
func (c *config) readIngest(getenv func(string) string) error {
	var mistakes []error
	for _, number := range []struct {
		name string
		into *int
	}{{"INGEST_EVENTS_PER_SECOND", &c.IngestRate}, {"INGEST_IN_FLIGHT", &c.IngestInFlight}} {
		text := getenv(number.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxIngest {
			mistakes = append(mistakes, fmt.Errorf("%s is a whole number from 1 to %d", number.name, maxIngest))
		}
		*number.into = n
	}
	if text := getenv("INGEST_KEEP_IP"); text != "" {
		keep, err := strconv.ParseBool(text)
		if err != nil {
			mistakes = append(mistakes, errors.New("INGEST_KEEP_IP is true or false"))
		}
		c.IngestKeepIP = keep
	}
	for text := range strings.FieldsFuncSeq(getenv("TRUSTED_PROXIES"), isSpaceOrComma) {
		if _, err := netip.ParsePrefix(text); err != nil {
			mistakes = append(mistakes, errors.New("TRUSTED_PROXIES is a list of networks, such as 10.0.0.0/8"))
			break
		}
		c.TrustedProxies = append(c.TrustedProxies, text)
	}
	return errors.Join(mistakes...)
}

// readDNS reads whom to ask about domains.
func (c *config) readDNS(getenv func(string) string) error {
	var mistakes []error
	if _, _, err := net.SplitHostPort(c.DNSServer); err != nil && c.DNSServer != "" {
		mistakes = append(mistakes, errors.New("DNS_SERVER is an address such as 192.0.2.53:53"))
	}
	for text := range strings.FieldsFuncSeq(getenv("SENDING_IPS"), isSpaceOrComma) {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			mistakes = append(mistakes, errors.New("SENDING_IPS is a list of addresses, such as 192.0.2.1, 2001:db8::1"))
			break
		}
		c.SendingIPs = append(c.SendingIPs, ip)
	}
	c.VerifyDNS = true
	if text := getenv("VERIFY_DNS"); text != "" {
		verify, err := strconv.ParseBool(text)
		if err != nil {
			mistakes = append(mistakes, errors.New("VERIFY_DNS is true or false"))
		}
		c.VerifyDNS = verify
	}
	return errors.Join(mistakes...)
}

// maxIngest keeps the limits of the tracking API within what a limiter can count.
const maxIngest = 100_000_000

func (c *config) check(allowPrivate string) error {
	var mistakes []error
	mistake := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if c.DatabaseURL == "" {
		mistake("DATABASE_URL is missing: say where PostgreSQL is, such as postgres://user:password@host:5432/throughline")
	}
	for _, u := range []struct{ name, value, schemes string }{
		{"SMTP_URL", c.SMTPURL, "smtp smtp+starttls smtps"}, {"PUBLIC_URL", c.PublicURL, "http https"},
		{"OPENAI_BASE_URL", c.OpenAIBaseURL, "http https"}, {"BRAND_LINK", c.Brand.Link, "http https"},
	} {
		if u.value == "" {
			continue
		}
		parsed, err := url.Parse(u.value)
		if err != nil || parsed.Host == "" || !strings.Contains(" "+u.schemes+" ", " "+parsed.Scheme+" ") {
			mistake("%s is no URL that can be used: it begins with %s", u.name, strings.ReplaceAll(u.schemes, " ", " or "))
		}
	}
	if _, err := email.ParseMailbox(c.MailFrom); err != nil {
		mistake("MAIL_FROM is no address: write it as Name <name@example.com>")
	}
	if _, err := email.ParseMailbox(c.TransactionalFrom); err != nil && c.TransactionalFrom != "" {
		mistake("MAIL_FROM_TRANSACTIONAL is no address: write it as Name <name@example.com>")
	}
	if err := email.NewRenderer(c.Brand).Check(); err != nil {
		mistake("BRAND_NAME, BRAND_LINK, BRAND_LOGO or BRAND_COLOR: %w", err)
	}
	for name, key := range map[string]string{"THROUGHLINE_ADMIN_KEY": c.AdminKey, "THROUGHLINE_WRITE_KEY": c.WriteKey} {
		if key != "" && len(key) < 16 {
			mistake("%s is too short: 16 characters at least", name)
		}
	}
	for text := range strings.FieldsFuncSeq(allowPrivate, isSpaceOrComma) {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			mistake("ALLOW_PRIVATE is a list of networks, such as 127.0.0.0/8, 10.0.0.0/8")
			break
		}
		c.AllowPrivate = append(c.AllowPrivate, prefix)
	}
	return errors.Join(mistakes...)
}

func environment() (config, error) { return readConfig(os.Getenv) }

// from is the sender that recipients see.
func (c *config) from() mail.Address {
	from, err := email.ParseMailbox(c.MailFrom)
	if err != nil {
		return mail.Address{} // check has refused this
	}
	return from
}

// transactionalFrom is the sender of transactional mail; empty: that of all mail.
func (c *config) transactionalFrom() mail.Address {
	from, err := email.ParseMailbox(c.TransactionalFrom)
	if err != nil {
		return mail.Address{} // none, or check has refused it
	}
	return from
}

// signers sign every mail, once for each key.
func (c *config) signers() ([]*email.Signer, error) {
	from := c.from()
	_, domain, _ := strings.Cut(from.Address, "@")
	if c.DKIMDomain != "" {
		domain = c.DKIMDomain
	}
	var signers []*email.Signer
	for _, given := range c.DKIM {
		key := []byte(given[0])
		if !strings.HasPrefix(given[0], "-----BEGIN") {
			var err error
			if key, err = os.ReadFile(given[0]); err != nil {
				return nil, errors.New("DKIM_KEY: the file can't be read")
			}
		}
		signer, err := email.NewSigner(key, given[1], domain)
		if err != nil {
			return nil, fmt.Errorf("DKIM_KEY, DKIM_SELECTOR or DKIM_DOMAIN: %w", err)
		}
		signers = append(signers, signer)
	}
	return signers, nil
}
