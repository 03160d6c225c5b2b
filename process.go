package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/api"
	"throughline.dev/throughline/designer"
	"throughline.dev/throughline/examples"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/integration"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/worker"
)

const (
	startRetry      = time.Second
	wakePatience    = 10 * time.Second
	sweepEvery      = 5 * time.Second
	guardEvery      = time.Minute
	verifyEvery     = time.Second
	judgeEvery      = 5 * time.Second
	reviewEvery     = 30 * time.Second
	sweepOlder      = 10 * time.Second
	shutdownGrace   = 30 * time.Second
	sendPatience    = 3 * time.Second // how long a step waits for the SMTP server before the send goes on by itself
	sendLease       = 30 * time.Second
	smtpConnections = 16
	// providerConnections of them at most are to one provider.
	providerConnections = 12
	sendPoll            = 250 * time.Millisecond
	// testMailPatience, twice, is less than what a request may take.
	testMailPatience = 12 * time.Second
)

// process is the wired product.
type process struct {
	config   config
	log      *slog.Logger
	store    *store.Store
	events   *store.Catalogue
	smtp     *email.Transport
	paces    *activities.Paces
	temporal client.Client
	now      activities.Clock
	tokens   email.UnsubscribeTokens
	brands   *activities.Renderers
	writer   *activities.Copywriter
	tracking email.TrackingTokens
	holds    email.ClickHolds
	secret   string
	signers  []*email.Signer
	bounces  *email.BounceAddresses // nil: no address of our own that mail returns to
}

func newLogger(out io.Writer, level string) *slog.Logger {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: l}))
}

// openStore opens the database, waiting for one that is still starting.
func openStore(ctx context.Context, c config, log *slog.Logger) (*store.Store, error) {
	for {
		s, err := store.Open(ctx, c.DatabaseURL)
		if err == nil {
			if err = s.Migrate(ctx); err == nil {
				return s, nil
			}
			s.Close()
		}
		log.Warn("database not ready yet", "error", err.Error())
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("open database: %w", err)
		case <-time.After(startRetry):
		}
	}
}

func newProcess(ctx context.Context, c config, log *slog.Logger) (*process, error) {
	s, err := openStore(ctx, c, log)
	if err != nil {
		return nil, err
	}
	p := &process{config: c, log: log, store: s, events: store.NewCatalogue(s), now: time.Now, secret: c.WebhookSecret,
		brands: activities.NewRenderers(s, c.Brand)}
	if err := p.keys(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if p.signers, err = c.signers(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.paces = &activities.Paces{Source: s, Policies: &activities.Policies{Source: s, Now: p.now}, Now: p.now, Log: log.With("part", "paces")}
	if p.smtp, err = email.NewTransport(email.Options{URL: c.SMTPURL, MaxConns: smtpConnections, PerProvider: p.perProvider, Timeouts: c.SMTPTimeouts}); err != nil {
		return nil, errors.Join(fmt.Errorf("SMTP_URL: %w", err), p.close())
	}
	// Lazy: the api takes events in while Temporal is down, and the worker waits for it.
	p.temporal, err = client.NewLazyClient(client.Options{
		HostPort: c.TemporalAddress, Namespace: c.TemporalNamespace, Logger: sdklog.NewStructuredLogger(log.With("part", "temporal")),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("temporal client: %w", err), p.close())
	}
	p.writer = p.copywriter()
	s.OnWake(p.wake)
	return p, nil
}

// perProvider leaves connections for others when a provider hangs.
func (p *process) perProvider(provider string) int {
	if n := p.paces.Connections(provider); n > 0 {
		return min(n, providerConnections)
	}
	return providerConnections
}

// wake pokes a journey behind the back of whoever has changed something for its contact. A poke that fails is swept later.
func (p *process) wake(contactID string) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), wakePatience) //nolint:forbidigo // whoever caused it does not wait
		defer cancel()
		if err := p.poker().Poke(ctx, contactID); err != nil {
			p.log.Warn("journey not woken, left to the sweeper", "contact_id", contactID, "error", err.Error())
		}
	}()
}

// keys stores the given API keys and makes the signing keys that the database keeps.
func (p *process) keys(ctx context.Context) error {
	now := time.Now()
	if p.config.AdminKey != "" {
		if _, err := p.store.UpsertKey(ctx, "admin (environment)", p.config.AdminKey, []string{"admin"}, now); err != nil {
			return fmt.Errorf("store admin key: %w", err)
		}
	}
	if p.config.WriteKey != "" {
		if _, err := p.store.UpsertKey(ctx, "write (environment)", p.config.WriteKey, []string{"ingest"}, now); err != nil {
			return fmt.Errorf("store write key: %w", err)
		}
	}
	key, err := p.store.Secret(ctx, "unsubscribe", randomKey)
	if err != nil {
		return fmt.Errorf("unsubscribe key: %w", err)
	}
	p.tokens = email.NewUnsubscribeTokens(key)
	if key, err = p.store.Secret(ctx, "tracking", randomKey); err != nil {
		return fmt.Errorf("tracking key: %w", err)
	}
	p.tracking, p.holds = email.NewTrackingTokens(email.TrackingKey{ID: trackingKey, Secret: key}), p.config.ClickHolds
	if err := p.bounceKey(ctx); err != nil {
		return err
	}
	if p.secret == "" {
		secret, err := p.store.Secret(ctx, "webhook", randomKey)
		if err != nil {
			return fmt.Errorf("webhook secret: %w", err)
		}
		p.secret = "whsec_" + base64.StdEncoding.EncodeToString(secret)
	}
	return nil
}

func randomKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return key
}

func (p *process) close() error {
	if p.temporal != nil {
		p.temporal.Close()
	}
	if p.smtp != nil {
		p.smtp.Close()
	}
	p.store.Close()
	return nil
}

func runMigrate(ctx context.Context, out io.Writer) error {
	c, err := environment()
	if err != nil {
		return err
	}
	s, err := openStore(ctx, c, newLogger(out, c.LogLevel))
	if err != nil {
		return err
	}
	s.Close()
	_, err = fmt.Fprintln(out, "the database is up to date")
	return err
}

// runProcess runs a role until the context ends.
func runProcess(ctx context.Context, role string, out io.Writer) error {
	c, err := environment()
	if err != nil {
		return err
	}
	p, err := newProcess(ctx, c, newLogger(os.Stderr, c.LogLevel))
	if err != nil {
		return err
	}
	return p.run(ctx, role, func(addr string) { welcome(out, c, role, addr) })
}

// run serves the role's parts. ready is told the address once the api listens (empty for a worker).
func (p *process) run(ctx context.Context, role string, ready func(addr string)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var parts []func(context.Context) error
	if role != "worker" {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.config.Listen)
		if err != nil {
			return errors.Join(fmt.Errorf("the api cannot listen on %s (set LISTEN to another address): %w", p.config.Listen, err), p.close())
		}
		handler, err := p.handler(ctx)
		if err != nil {
			return errors.Join(err, p.close())
		}
		parts = append(parts, func(ctx context.Context) error { return p.serve(ctx, listener, handler, ready) }, p.note)
		if p.config.BounceListen != "" {
			returned, err := p.listenReturned(ctx)
			if err != nil {
				return errors.Join(err, listener.Close(), p.close())
			}
			parts = append(parts, returned)
		}
	} else {
		ready("")
	}
	if role != "api" {
		parts = append(parts, p.work, p.sweep, p.keepTime, p.erase, p.settle, p.guard, p.review, p.pace, p.judge)
		if p.config.VerifyDNS {
			parts = append(parts, p.verify)
		}
	}
	errs := make([]error, len(parts))
	var running sync.WaitGroup
	for i, part := range parts {
		running.Go(func() {
			defer cancel() // one part that ends ends them all
			errs[i] = part(ctx)
		})
	}
	running.Wait()
	p.noteRest(ctx)
	return errors.Join(append(errs, p.close())...)
}

func (p *process) serve(ctx context.Context, listener net.Listener, handler *api.Handler, ready func(string)) error {
	server := api.NewServer(handler, p.config.Listen)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	ready(listener.Addr().String())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	return handler.Drain(grace)
}

// work runs the worker. One that cannot start, or that ends by itself, is started again: journeys wait, they are not lost.
func (p *process) work(ctx context.Context) error {
	a, dispatcher := p.activities()
	var direct sync.WaitGroup
	direct.Go(func() {
		(&activities.Direct{Messages: a.Messages, Source: directSource{p.store}, Log: p.log.With("part", "direct")}).Run(ctx)
	})
	for {
		err := worker.Run(ctx, p.temporal, p.config.TaskQueue, a)
		if ctx.Err() != nil {
			direct.Wait()
			grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
			dispatcher.Drain(grace)
			cancel()
			return nil
		}
		p.log.Warn("worker not running", "error", fmt.Sprint(err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(startRetry):
		}
	}
}

func (p *process) sweep(ctx context.Context) error {
	s := worker.Sweeper{
		Source: p.store, Poke: p.poker().Poke, Every: sweepEvery, OlderThan: sweepOlder, Now: time.Now, Log: p.log.With("part", "sweeper"),
	}
	broadcasts := s
	broadcasts.Source, broadcasts.Poke = broadcastPending{p.store}, p.poker().PokeBroadcast
	var running sync.WaitGroup
	running.Go(func() { broadcasts.Run(ctx) })
	s.Run(ctx)
	running.Wait()
	return nil
}

// guard pauses journeys that harm the sender's reputation.
func (p *process) guard(ctx context.Context) error {
	g := worker.Guard{Source: guardPort{p.store}, Every: guardEvery, Now: time.Now, Log: p.log.With("part", "guard")}
	g.Run(ctx)
	return nil
}

// pace keeps up with what receiving providers let us send.
func (p *process) pace(ctx context.Context) error {
	p.paces.Run(ctx)
	return nil
}

// judge looks at experiments.
func (p *process) judge(ctx context.Context) error {
	source := &activities.Experiments{Store: p.store, Contacts: contactsPort{p.store}, Versions: activities.NewVersions(p.store), Now: p.now}
	j := worker.Judge{Source: source, Every: judgeEvery, Now: time.Now, Log: p.log.With("part", "judge")}
	j.Run(ctx)
	return nil
}

func (p *process) poker() *worker.Poker {
	return &worker.Poker{Client: p.temporal, TaskQueue: p.config.TaskQueue}
}

// composer makes the mails.
func (p *process) composer() *activities.Composer {
	return &activities.Composer{
		Renderers: p.brands, From: p.config.from(), TransactionalFrom: p.config.transactionalFrom(), Sign: p.tokens.Sign, UnsubscribeBase: p.config.PublicURL + "/u/",
		Tracker: &email.Tracker{Tokens: p.tracking, Base: p.config.PublicURL},
		Signers: p.signers, Extra: p.config.providerHeaders(),
	}
}

// previews shows mails by the code that makes them; their unsubscribe links are a test's.
func (p *process) previews() previewPort {
	composer := p.composer()
	composer.Sign = p.tokens.SignTest
	return previewPort{store: p.store, renderers: p.brands, composer: composer, writer: p.writer, now: p.now}
}

func (p *process) testMails() testMailPort {
	composer := p.composer()
	composer.Sign, composer.Prefix = p.tokens.SignTest, activities.TestMailPrefix
	return testMailPort{previews: p.previews(), mails: &activities.TestMails{
		Composer: composer, Transport: p.smtp, From: p.sender(""), Patience: testMailPatience, Now: p.now,
	}}
}

// subjectWriter is nil when no language model is configured.
func (p *process) subjectWriter() *integration.SubjectWriter {
	if p.config.OpenAIKey == "" && p.config.OpenAIBaseURL == "" {
		return nil
	}
	return integration.NewSubjectWriter(integration.SubjectWriterOptions{
		BaseURL: p.config.OpenAIBaseURL, APIKey: p.config.OpenAIKey, Model: p.config.OpenAIModel, Outbound: integration.Options{AllowPrivate: p.config.AllowPrivate},
	})
}

// activities wires the side effects to their parts.
func (p *process) activities() (worker.Activities, *activities.Dispatcher) {
	contacts, versions := contactsPort{p.store}, activities.NewVersions(p.store)
	dispatcher := &activities.Dispatcher{
		Transport: p.smtp, Ledger: p.store, Paces: p.paces, Sender: p.sender, Patience: p.config.Patience, Lease: p.config.Lease, Poll: sendPoll, Now: p.now,
		Log: p.log.With("part", "dispatcher"),
	}
	guarded := integration.Options{AllowPrivate: p.config.AllowPrivate}
	messages := &activities.Messages{
		Contacts: contacts, Versions: versions, Templates: p.store, Policies: &activities.Policies{Source: p.store, Now: p.now}, Subjects: p.subjectOrders(), Copywriter: p.writer, Dispatcher: dispatcher, Ledger: p.store, Paces: p.paces, Now: p.now,
		Composer: p.composer(),
	}
	if p.config.VerifyDNS {
		messages.Addresses = p.addresses()
	}
	return worker.Activities{
		Inbox:      &activities.Inbox{Contacts: contacts, Versions: versions, Now: p.now},
		Steps:      &activities.Steps{Contacts: contacts, Versions: versions, Webhooks: integration.NewWebhooks(guarded), Secret: p.secret, Now: p.now},
		Messages:   messages,
		Broadcasts: &activities.Broadcasts{Messages: messages, Source: p.store},
		Sales:      &activities.Sales{Contacts: contacts, Versions: versions, PublicURL: p.config.PublicURL, Now: p.now},
		Reviews:    p.subjectReviews(),
	}, dispatcher
}

// handler wires the api.
func (p *process) handler(ctx context.Context) (*api.Handler, error) {
	port := storePort{p.store}
	login, err := p.singleSignOn(ctx)
	if err != nil {
		return nil, err
	}
	intake, err := p.intake()
	if err != nil {
		return nil, err
	}
	return api.New(api.Options{
		Keys: port, Sessions: port, Events: p.events, Poker: p.poker(), Journeys: port, Templates: port, Snippets: port, Contacts: port, Messages: port, Handoffs: port, Segments: port, Merger: port, Erasures: port,
		Desk:        &api.TemporalDesk{Client: p.temporal, Handoffs: port},
		Unsubscribe: unsubscribePort{store: p.store, tokens: p.tokens},
		Tracking:    trackingPort{store: p.store, tokens: p.tracking, holds: p.holds, decoy: p.config.Brand.Link},
		Imports:     importsPort{p.store},
		Companies:   port, Objects: port, Catalogue: port, Sending: port, Topics: port, Suppressions: port, ConsentChanges: p.consents(), Direct: directPort{store: p.store, renderers: p.brands, composer: p.composer(), now: p.now}, Scoring: port, Numbers: port, Experiments: port, Whereabouts: port,
		Previews: p.previews(), TestMails: p.testMails(), Brands: brandPort{Store: p.store, fallback: p.config.Brand}, Broadcasts: broadcastPort{p.store, p.wakeBroadcast},
		Glossaries: p.store, SubjectSettings: p.store, SubjectLines: p.subjects(),
		Deliverability: &deliverabilityPort{Store: p.store, checkup: p.checkup},
		Webhooks:       intake,
		Logger:         p.log.With("part", "api"), Version: version, PublicURL: p.config.PublicURL, TrustedProxies: p.config.TrustedProxies,
		IngestRate: p.config.IngestRate, IngestInFlight: p.config.IngestInFlight, KeepIP: p.config.IngestKeepIP,
		Examples: examples.Files(), SingleSignOn: login,
		Designer: designer.Handler(designer.Options{TemporalUIURL: p.config.TemporalUIURL, InboxURL: p.config.InboxURL}),
		Readiness: map[string]func(context.Context) error{
			"postgres": p.store.Ping,
			"temporal": func(ctx context.Context) error {
				_, err := p.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
				return err
			},
		},
	})
}
