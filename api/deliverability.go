package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/email/doctor"
)

// deliverabilityDays is how far back mails are counted.
const deliverabilityDays = 7

// Deliverability looks at how mail is sent, and counts how it is taken. What it looks at comes from the configuration alone.
type Deliverability interface {
	// LastCheck is what the last look has found; nil: nobody has looked yet.
	LastCheck(ctx context.Context) (*doctor.Report, error)
	// Check looks, and keeps what it finds. While another look goes on it is a Conflict.
	Check(ctx context.Context, now time.Time) (doctor.Report, error)
	CountMails(ctx context.Context, since time.Time) ([]email.Numbers, error)
	CountSuppressions(ctx context.Context) ([]email.SuppressedFor, error)
	CountUnmatchedReports(ctx context.Context) (int64, error)
}

// DeliverabilityReport is how mail is taken by those who receive it.
type DeliverabilityReport struct {
	Check            *doctor.Report        `json:"check,omitempty" doc:"The last look at SPF, DKIM and the rest; absent: nobody has looked yet."`
	Days             int                   `json:"days" doc:"How many days of mails are counted."`
	Journeys         []email.MailNumbers   `json:"journeys" nullable:"false" doc:"Marketing mail by journey, the most first."`
	Providers        []email.MailNumbers   `json:"providers" nullable:"false" doc:"All mail by who receives it, the most first, 50 at most."`
	Suppressions     []email.SuppressedFor `json:"suppressions" nullable:"false" doc:"Addresses that are never written to, by reason."`
	UnmatchedReports int64                 `json:"unmatched_reports" doc:"Reports about messages that are not ours, or not known yet."`
}

type deliverabilityOutput struct{ Body DeliverabilityReport }

type checkOutput struct{ Body doctor.Report }

// maxProvidersShown bounds a list that is as long as there are domains.
const maxProvidersShown = 50

func (s *server) deliverabilityRoutes() {
	handle(s, operation{id: "read-deliverability", method: http.MethodGet, path: "/v1/deliverability", tag: "messages", summary: "Read how mail is taken",
		doc: "The last look at what mailbox providers look at, bounces and complaints of the last days, and who is never written to.", access: anyOf(ScopeRead, ScopeJourneys)}, s.readDeliverability)
	handle(s, operation{id: "check-deliverability", method: http.MethodPost, path: "/v1/deliverability/check", tag: "messages", errors: []int{http.StatusConflict},
		summary: "Look at SPF, DKIM, DMARC, names, TLS and a message", doc: "Looks at the domains and servers of the configuration, which takes some seconds, and keeps what it finds. Nothing is sent: " +
			"the message is looked at as it leaves. How one arrives: `throughline doctor --send ADDRESS`. 409 `check_running` while another look goes on.", access: anyOf(ScopeAdmin)}, s.checkDeliverability)
}

func (s *server) readDeliverability(ctx context.Context, _ *struct{}) (*deliverabilityOutput, error) {
	report := DeliverabilityReport{Days: deliverabilityDays}
	var err error
	if report.Check, err = s.Deliverability.LastCheck(ctx); err != nil {
		return nil, fmt.Errorf("find last check: %w", err)
	}
	mails, err := s.Deliverability.CountMails(ctx, s.now().AddDate(0, 0, -deliverabilityDays))
	if err != nil {
		return nil, fmt.Errorf("count mails: %w", err)
	}
	report.Journeys, report.Providers = email.ByJourney(mails), email.ByProvider(mails)
	report.Providers = report.Providers[:min(len(report.Providers), maxProvidersShown)]
	if report.Suppressions, err = s.Deliverability.CountSuppressions(ctx); err != nil {
		return nil, fmt.Errorf("count suppressions: %w", err)
	}
	if report.UnmatchedReports, err = s.Deliverability.CountUnmatchedReports(ctx); err != nil {
		return nil, fmt.Errorf("count unmatched reports: %w", err)
	}
	return &deliverabilityOutput{Body: report}, nil
}

func (s *server) checkDeliverability(ctx context.Context, _ *struct{}) (*checkOutput, error) {
	report, err := s.Deliverability.Check(ctx, s.now())
	if err != nil {
		return nil, fmt.Errorf("check deliverability: %w", err)
	}
	return &checkOutput{Body: report}, nil
}
