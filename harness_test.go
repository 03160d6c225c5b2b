package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/workflows"
)

const (
	patience = 2 * time.Minute       // how long a test waits for what must happen
	look     = 50 * time.Millisecond // how often it looks
)

// product is the whole product, running in this process against the real parts of the devstack.
type product struct {
	config config
	base   string
	http   *http.Client
}

// needStack skips a test that has no real parts to run on.
func needStack(t *testing.T) {
	t.Helper()
	for _, name := range []string{"DATABASE_URL", "TEMPORAL_ADDRESS", "SMTP_URL", "INBOX_URL", "DEVSTACK_BIN"} {
		if os.Getenv(name) == "" {
			t.Skipf("%s is not set: make test starts the real parts that this test runs on", name)
		}
	}
}

// newDatabase makes a database of the test's own.
func newDatabase(t *testing.T, server string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server)
	require.NoError(t, err)
	defer conn.Close(ctx) //nolint:errcheck // a test
	name := "e2e_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	require.NoError(t, err)
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

// testConfig is a configuration of the test's own: database, task queue, keys and port.
func testConfig(t *testing.T) config {
	t.Helper()
	needStack(t)
	env := map[string]string{
		"DATABASE_URL":          newDatabase(t, os.Getenv("DATABASE_URL")),
		"TEMPORAL_TASK_QUEUE":   "e2e-" + uuid.NewString(),
		"LISTEN":                "127.0.0.1:0",
		"THROUGHLINE_ADMIN_KEY": "admin-" + uuid.NewString(),
		"THROUGHLINE_WRITE_KEY": "write-" + uuid.NewString(),
		"ALLOW_PRIVATE":         "127.0.0.0/8",
		"LOG_LEVEL":             "warn",
		"VERIFY_DNS":            "false", // tests of it bring a DNS server of their own
	}
	for _, name := range []string{"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "SMTP_URL", "INBOX_URL"} {
		env[name] = os.Getenv(name)
	}
	c, err := readConfig(func(name string) string { return env[name] })
	require.NoError(t, err)
	return c
}

// start runs the product until the test ends. change may alter its configuration first.
func start(t *testing.T, change ...func(*config)) *product {
	t.Helper()
	c := testConfig(t)
	for _, f := range change {
		f(&c)
	}
	return startWith(t, c)
}

func startWith(t *testing.T, c config) *product {
	t.Helper()
	return startRole(t, c, "serve")
}

func startRole(t *testing.T, c config, role string) *product {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p, err := newProcess(ctx, c, slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})))
	require.NoError(t, err)
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- p.run(ctx, role, func(addr string) { ready <- addr }) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done, "the product must stop cleanly")
	})
	select {
	case addr := <-ready:
		return &product{config: c, base: "http://" + addr, http: &http.Client{Timeout: 30 * time.Second}}
	case err := <-done:
		require.NoError(t, err)
		return nil
	}
}

// testLog shows the product's warnings with the test that caused them.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	if os.Getenv("E2E_LOG") != "" {
		fmt.Fprint(os.Stderr, l.t.Name()+": "+string(p))
	}
	return len(p), nil
}

// do calls the api with a key and returns the status and the body.
func (p *product) do(t *testing.T, method, path, key, body string) (int, []byte) {
	t.Helper()
	return p.doWith(t, method, path, key, body)
}

// doWith is do with more headers: name, value, name, value…
func (p *product) doWith(t *testing.T, method, path, key, body string, headers ...string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.base+path, bytes.NewBufferString(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := p.http.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, data
}

// admin calls the api with the admin key, requires success and decodes the answer.
func admin[T any](t *testing.T, p *product, method, path, body string) T {
	t.Helper()
	status, data := p.do(t, method, path, p.config.AdminKey, body)
	require.Less(t, status, 300, "%s %s: %s", method, path, data)
	var out T
	require.NoError(t, json.Unmarshal(data, &out), string(data))
	return out
}

// publish saves and publishes a journey.
func (p *product) publish(t *testing.T, document string) journey.Version {
	t.Helper()
	def, problems := journey.Parse([]byte(document))
	require.NotNil(t, def, "%v", problems)
	admin[map[string]any](t, p, "PUT", "/v1/journeys/"+def.Journey, document)
	return admin[journey.Version](t, p, "POST", "/v1/journeys/"+def.Journey+"/publish", "")
}

// template saves a small mail template.
func (p *product) template(t *testing.T, key, subject string) {
	t.Helper()
	admin[map[string]any](t, p, "PUT", "/v1/templates/"+key,
		fmt.Sprintf(`{"key":%q,"subject":%q,"body":{"greeting":"Hi {{ contact.first_name | default: 'there' }},","intros":["This is %s."]}}`, key, subject, key))
}

// exampleTemplates saves the templates of the examples.
func (p *product) exampleTemplates(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob("examples/templates/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		admin[map[string]any](t, p, "PUT", "/v1/templates/"+strings.TrimSuffix(filepath.Base(file), ".yaml"), string(data))
	}
}

// person is a contact that nobody else has.
type person struct{ user, email, name string }

func newPerson() person {
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	return person{user: "user-" + id, email: "canary-" + id + "@example.test", name: "Zebediah" + id[:8]}
}

// identify tells the product who a person is; the answer is the contact's id.
func (p *product) identify(t *testing.T, who person, traits map[string]any) string {
	t.Helper()
	all := map[string]any{"email": who.email, "first_name": who.name}
	for k, v := range traits {
		all[k] = v
	}
	p.segment(t, "/v1/identify", map[string]any{"userId": who.user, "traits": all, "messageId": uuid.NewString()})
	return p.contact(t, who).ID
}

// track sends an event the way a tracking library does.
func (p *product) track(t *testing.T, who person, event string, properties map[string]any) {
	t.Helper()
	p.segment(t, "/v1/track", map[string]any{"userId": who.user, "event": event, "properties": properties, "messageId": uuid.NewString()})
}

func (p *product) segment(t *testing.T, path string, body any) {
	t.Helper()
	data, err := json.Marshal(body)
	require.NoError(t, err)
	status, answer := p.do(t, "POST", path, p.config.WriteKey, string(data))
	require.Equal(t, 200, status, string(answer))
}

type list[T any] struct {
	Data []T    `json:"data"`
	Next string `json:"next_cursor"`
}

func (p *product) contact(t *testing.T, who person) audience.Contact {
	t.Helper()
	found := admin[list[audience.Contact]](t, p, "GET", "/v1/contacts?user_id="+url.QueryEscape(who.user), "")
	require.Len(t, found.Data, 1)
	return found.Data[0]
}

func (p *product) messages(t *testing.T, contactID string) []email.Message {
	t.Helper()
	return admin[list[email.Message]](t, p, "GET", "/v1/messages?limit=200&contact_id="+contactID, "").Data
}

// messageAt finds the message of a step, if there is one yet.
func (p *product) messageAt(t *testing.T, contactID, step string) *email.Message {
	t.Helper()
	for _, m := range p.messages(t, contactID) {
		if m.StepID == step {
			return &m
		}
	}
	return nil
}

// entry is one line of a timeline, as the api shows it.
type entry struct {
	Kind     string            `json:"kind"`
	At       time.Time         `json:"at"`
	Event    *audience.Event   `json:"event"`
	Decision *journey.Decision `json:"decision"`
	Message  *email.Message    `json:"message"`
	Handoff  *sales.Handoff    `json:"handoff"`
}

// timeline reads all pages.
func (p *product) timeline(t *testing.T, contactID string) []entry {
	t.Helper()
	var all []entry
	cursor := ""
	for {
		page := admin[list[entry]](t, p, "GET", "/v1/contacts/"+contactID+"/timeline?limit=200&cursor="+url.QueryEscape(cursor), "")
		all = append(all, page.Data...)
		if page.Next == "" {
			return all
		}
		cursor = page.Next
	}
}

// decision finds what was decided at a step.
func (p *product) decision(t *testing.T, contactID, step, kind string) *journey.Decision {
	t.Helper()
	for _, e := range p.timeline(t, contactID) {
		if e.Decision != nil && e.Decision.StepID == step && e.Decision.Kind == kind {
			return e.Decision
		}
	}
	return nil
}

// ended waits until the contact's only enrollment in the journey is over, and tells how.
func (p *product) ended(t *testing.T, contactID string) journey.Decision {
	t.Helper()
	var end *journey.Decision
	eventually(t, "the enrollment ends", func() bool {
		for _, e := range p.timeline(t, contactID) {
			if e.Decision != nil && journey.EnrollmentState(e.Decision.Kind).Final() {
				end = e.Decision
				return true
			}
		}
		return false
	})
	return *end
}

// eventually looks again and again until something has happened.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !happened() {
		require.True(t, time.Now().Before(deadline), "not in time: "+what)
		time.Sleep(look) //nolint:forbidigo // the pause between two looks, not a synchronisation
	}
}

// caught are the mails that the catcher holds for an address.
func caught(t *testing.T, address string) []caughtMail {
	t.Helper()
	return caughtAt(t, os.Getenv("INBOX_URL"), address)
}

type caughtMail struct {
	ID        string   `json:"id"`
	From      string   `json:"from"`
	To        []string `json:"to"`
	Subject   string   `json:"subject"`
	MessageID string   `json:"message_id"`
	Replied   bool     `json:"replied"`
}

func caughtAt(t *testing.T, inbox, address string) []caughtMail {
	t.Helper()
	var mails []caughtMail
	getJSON(t, inbox+"/api/messages?to="+url.QueryEscape(address), &mails)
	return mails
}

func getJSON(t *testing.T, address string, out any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test
	require.Equal(t, 200, resp.StatusCode)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(out))
}

// misbehave tells the catcher how to misbehave.
func misbehave(t *testing.T, inbox string, script map[string]any) {
	t.Helper()
	data, err := json.Marshal(script)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, inbox+"/api/faults", bytes.NewReader(data))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test
	require.Less(t, resp.StatusCode, 300)
}

// temporal is a client of the test's own.
func (p *product) temporal(t *testing.T) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: p.config.TemporalAddress, Namespace: p.config.TemporalNamespace, Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// history reads the current run's events of a contact's journey.
func history(t *testing.T, c client.Client, contactID string) []*historypb.HistoryEvent {
	t.Helper()
	var events []*historypb.HistoryEvent
	it := c.GetWorkflowHistory(t.Context(), workflows.JourneyID(contactID), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

// quiet is a logger for clients whose chatter would hide a test's own words.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// rawMail reads a caught mail as it came over the wire.
func rawMail(t *testing.T, inbox, id string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, inbox+"/api/messages/"+id+"/raw", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}

// unsubscribeLink reads the one-click link out of a caught mail's header.
func unsubscribeLink(t *testing.T, mailID, inbox string) string {
	t.Helper()
	message, err := mail.ReadMessage(strings.NewReader(rawMail(t, inbox, mailID)))
	require.NoError(t, err)
	require.Equal(t, "List-Unsubscribe=One-Click", message.Header.Get("List-Unsubscribe-Post"))
	return strings.Trim(strings.Split(message.Header.Get("List-Unsubscribe"), ",")[0], "<> ")
}
