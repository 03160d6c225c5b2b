package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// DueAddress is an address whose domain is to be looked up.
type DueAddress struct {
	ContactID, Domain string // no domain: there is nothing to look up
}

// judgeAddress gives the verdict on the contact's address as far as nobody has to be asked: its domain is looked up after the transaction.
func (s *subject) judgeAddress(now time.Time) {
	s.settleAddress(email.DomainUnknown, &now)
}

// settleAddress gives the verdict on the contact's address by the state of its domain, and says when that is looked up next.
func (s *subject) settleAddress(domain email.MailDomain, next *time.Time) {
	address := fromNullable(s.row.Email)
	verdict := email.JudgeAddress(address, domain)
	if email.DomainOf(address) == "" {
		next = nil
	}
	if verdict.Verdict != s.row.EmailVerdict {
		s.news.fields["email_verdict"], s.changed = true, true
	}
	s.news.fields["email_reasons"] = true
	s.row.EmailVerdict, s.row.EmailReasons, s.row.EmailCheckAt = verdict.Verdict, verdict.Reasons, next
	if s.row.EmailReasons == nil {
		s.row.EmailReasons = []string{}
	}
	s.parsed.contact, s.touched = nil, true
}

// DueAddresses lists addresses whose domains are to be looked up, the longest due first.
func (s *Store) DueAddresses(ctx context.Context, now time.Time, limit int) ([]DueAddress, error) {
	rows, err := s.q.ListDueAddresses(ctx, now, int32(clampLimit(limit)))
	if err != nil {
		return nil, failure("list due addresses", err)
	}
	out := make([]DueAddress, len(rows))
	for i, row := range rows {
		out[i] = DueAddress{ContactID: row.ID.String(), Domain: email.DomainOf(fromNullable(row.EmailKey))}
	}
	return out, nil
}

// MailDomains are the states of domains that were looked up not too long ago.
func (s *Store) MailDomains(ctx context.Context, domains []string, now time.Time) (map[string]email.MailDomain, error) {
	rows, err := s.q.FindMailDomains(ctx, domains, now)
	if err != nil {
		return nil, failure("find mail domains", err)
	}
	out := make(map[string]email.MailDomain, len(rows))
	for _, row := range rows {
		out[row.Domain] = email.MailDomain(row.State)
	}
	return out, nil
}

// SaveMailDomain keeps what DNS said of a domain, and gives what is to be believed now.
func (s *Store) SaveMailDomain(ctx context.Context, domain string, state email.MailDomain, now time.Time) (email.MailDomain, error) {
	kept, err := s.q.SaveMailDomain(ctx, dbsqlc.SaveMailDomainParams{Domain: domain, State: string(state), Now: now, GoodUntil: now.Add(state.GoodFor())})
	return email.MailDomain(kept), failure("save mail domain", err)
}

// SettleAddresses gives the verdicts on contacts' addresses by the states of their domains, with what follows from that. Who has got another
// address meanwhile is left for the next time.
func (s *Store) SettleAddresses(ctx context.Context, contactIDs []string, domains map[string]email.MailDomain, now time.Time) error {
	ids := make([]uuid.UUID, 0, len(contactIDs))
	for _, text := range contactIDs {
		id, err := parseID(text)
		if err != nil {
			return failure("settle addresses", err)
		}
		ids = append(ids, id)
	}
	var d *derivation
	err := retry(ctx, func() error {
		return s.onConnection(ctx, "settle addresses", func(conn *pgxpool.Conn) error {
			var err error
			if d, err = s.lockForRefresh(ctx, conn, now, ids); err != nil {
				return err
			}
			for _, sub := range d.subjects {
				sub.news.everything = false
				domain := email.DomainOf(fromNullable(sub.row.Email))
				if state, known := domains[domain]; known || domain == "" {
					next := state.NextLook(now)
					sub.settleAddress(state, &next)
				}
			}
			return d.finish(ctx, conn, nil, true)
		})
	})
	if err != nil {
		return failure("settle addresses", err)
	}
	s.wakeAll(d.subjects)
	return nil
}
