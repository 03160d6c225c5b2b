package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// Message finds a message of the contact, or nil.
func (tx *ContactTx) Message(ctx context.Context, id string) (*email.Message, error) {
	parsed, err := parseID(id)
	if err != nil {
		return nil, nil //nolint:nilnil // no id, no message
	}
	if rows, known := take(&tx.ahead.message, parsed); known {
		if len(rows) == 0 {
			return nil, nil //nolint:nilnil // as above
		}
		m := messageOf(rows[0])
		return &m, nil
	}
	return optional(messageOf, "find message")(tx.q.FindContactMessage(ctx, tx.id, parsed))
}

// InsertMessage writes a new row of the ledger: queued, or sending, which is the same as queued and then claimed, or skipped or failed from the
// start. A second one for the same visit of a step is a Conflict.
func (tx *ContactTx) InsertMessage(ctx context.Context, m email.Message) error {
	id, err := uuid.Parse(m.ID)
	if err != nil {
		return fault.New(fault.Invalid, "bad_id", "An id is not a UUID.")
	}
	enrollment, err := parseOptionalID(m.EnrollmentID)
	if err != nil {
		return err
	}
	claims := int32(0)
	switch m.State {
	case email.Queued, email.Skipped, email.Failed:
	case email.Sending:
		claims = 1
	case email.Sent, email.Deferred, email.Rejected, email.Unknown:
		return fault.New(fault.Invalid, "bad_message_state", "A message begins queued, sending, skipped or failed.")
	}
	if (m.LeaseUntil != nil) != (m.State == email.Sending) {
		return fault.New(fault.Invalid, "bad_lease", "A message that is sending has a lease, and no other.")
	}
	raw := m.Raw
	if raw == nil {
		raw = []byte{}
	}
	n, err := tx.q.InsertMessage(ctx, dbsqlc.InsertMessageParams{
		ID: id, ContactID: tx.id, EnrollmentID: enrollment, Journey: m.Journey, Version: int32(m.Version), StepID: m.StepID,
		Visit: int32(m.Visit), Template: m.Template, TemplateVersion: int32(m.TemplateVersion), Class: string(m.Class), State: string(m.State),
		Reason: clean(m.Reason), ToAddress: clean(m.ToAddress), Subject: clean(m.Subject), Html: clean(m.HTML), Text: clean(m.Text), Raw: raw,
		MessageID: m.MessageID, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt, Topic: m.Topic, Locale: m.Locale,
		Claims: claims, LeaseUntil: m.LeaseUntil,
	})
	if err != nil {
		return failure("insert message", err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "message_exists", "This message has been made before.")
	}
	if !m.Tracked || m.State != email.Queued && m.State != email.Sending {
		return nil
	}
	return failure("insert tracking", tx.q.InsertTracking(ctx, id, orNoLinks(m.Links)))
}

// ClaimMessage hands a message to a transport until the lease ends: only a queued or deferred one, or, once, a transactional one whose fate
// is unknown. Each claim raises the fence, and with it shuts out whoever held the message before.
func (tx *ContactTx) ClaimMessage(ctx context.Context, id string, leaseUntil, now time.Time) (email.Message, error) {
	parsed, err := parseID(id)
	if err != nil {
		return email.Message{}, messageNotFound("claim message", err)
	}
	row, err := tx.q.ClaimMessage(ctx, dbsqlc.ClaimMessageParams{ContactID: tx.id, ID: parsed, LeaseUntil: leaseUntil, Now: now})
	if err == nil {
		return messageOf(row), nil
	}
	if !isNoRows(err) {
		return email.Message{}, failure("claim message", err)
	}
	return email.Message{}, tx.refuse(ctx, parsed)
}

// SkipMessage closes a message that no transport holds: failed when it was tried and given up or could not be rendered, skipped otherwise.
// Doing so again is fine.
func (tx *ContactTx) SkipMessage(ctx context.Context, id, reason string, now time.Time) error {
	parsed, err := parseID(id)
	if err != nil {
		return messageNotFound("skip message", err)
	}
	state := email.Skipped
	if reason == email.ReasonGaveUp || reason == email.ReasonRenderFailed {
		state = email.Failed
	}
	n, err := tx.q.CloseUnsentMessage(ctx, dbsqlc.CloseUnsentMessageParams{
		ContactID: tx.id, ID: parsed, State: string(state), Reason: reason, Now: now,
	})
	if err != nil {
		return failure("skip message", err)
	}
	if n == 1 {
		return nil
	}
	if m, err := tx.Message(ctx, id); err == nil && m != nil && m.State == state && m.Reason == reason {
		return nil
	}
	return tx.refuse(ctx, parsed)
}

// refuse says why a message could not be changed: it is not there, or its state does not allow that.
func (tx *ContactTx) refuse(ctx context.Context, id uuid.UUID) error {
	if _, err := tx.q.FindContactMessage(ctx, tx.id, id); err != nil {
		return messageNotFound("find message", err)
	}
	return fault.New(fault.Conflict, "message_not_open", "The state of this message does not allow that.")
}

// FinishMessage records how an attempt went. It applies only to the newest claim: while it is held, or after its lease ran out and nobody
// claimed the message since (then the truth came late). It tells whether it applied.
func (s *Store) FinishMessage(ctx context.Context, id string, fence int64, result email.Delivery, state email.State, reason string, now time.Time) (bool, error) {
	parsed, err := parseID(id)
	if err != nil {
		return false, messageNotFound("finish message", err)
	}
	if state == email.Sending {
		return false, fault.New(fault.Invalid, "bad_message_state", "An attempt does not end in sending.")
	}
	var sentAt *time.Time
	if state == email.Sent {
		sentAt = &now
	}
	row := dbsqlc.FinishMessageParams{
		ID: parsed, Fence: fence, State: string(state), Reason: reason, SmtpCode: int32(result.Code), EnhancedCode: clean(result.Enhanced),
		SmtpReply: clean(result.Reply), SentAt: sentAt, Now: now,
	}
	bounce := email.ClassifyRefusal(result)
	if bounce == "" {
		n, err := s.q.FinishMessage(ctx, row)
		return n == 1, failure("finish message", err)
	}
	report := email.Report{
		Source: email.SourceSMTP, Key: fmt.Sprintf("%s/%d", parsed, fence), Raw: []byte(clean(result.Reply)), MessageID: parsed.String(),
		Status: email.Bounced, Bounce: bounce, Code: result.Enhanced, At: now,
	}
	return s.finishBounced(ctx, row, report)
}

// finishBounced records a refusal that tells something about the address, together with what follows from it. That holds also when a later
// claim has the message and its outcome counts.
func (s *Store) finishBounced(ctx context.Context, row dbsqlc.FinishMessageParams, report email.Report) (bool, error) {
	var n int64
	err := retry(ctx, func() error {
		return s.inTx(ctx, func(q *dbsqlc.Queries) error {
			if err := takeReports(ctx, q, row.Now, []email.Report{report}); err != nil {
				return err
			}
			var err error
			n, err = q.FinishMessage(ctx, row)
			return err
		})
	})
	return err == nil && n == 1, failure("finish message", err)
}

// ExtendLease lets the holder of the newest claim go on; false: it holds the message no longer.
func (s *Store) ExtendLease(ctx context.Context, id string, fence int64, until time.Time) (bool, error) {
	parsed, err := parseID(id)
	if err != nil {
		return false, messageNotFound("extend lease", err)
	}
	n, err := s.q.ExtendLease(ctx, until, parsed, fence)
	if err != nil {
		return false, failure("extend lease", err)
	}
	return n == 1, nil
}

// ExpireLease takes a message whose holder has not been heard of until the lease ended for one of unknown fate, and gives back the message
// as it stands now, changed or not.
func (s *Store) ExpireLease(ctx context.Context, id string, now time.Time) (email.Message, error) {
	parsed, err := parseID(id)
	if err != nil {
		return email.Message{}, messageNotFound("expire lease", err)
	}
	if _, err := s.q.ExpireLease(ctx, email.ReasonFateUnknown, now, parsed); err != nil {
		return email.Message{}, failure("expire lease", err)
	}
	return s.FindMessage(ctx, id)
}

// FindMessage finds a message with its bodies.
func (s *Store) FindMessage(ctx context.Context, id string) (email.Message, error) {
	parsed, err := parseID(id)
	if err != nil {
		return email.Message{}, messageNotFound("find message", err)
	}
	row, err := s.q.FindMessage(ctx, parsed)
	if err != nil {
		return email.Message{}, messageNotFound("find message", err)
	}
	m := messageOf(row)
	m.Waits, err = s.waitOf(ctx, m)
	return m, err
}

func messageOf(row dbsqlc.Message) email.Message {
	return email.Message{
		ID: row.ID.String(), ContactID: row.ContactID.String(), EnrollmentID: optionalID(row.EnrollmentID), Journey: row.Journey,
		Version: int(row.Version), StepID: row.StepID, Visit: int(row.Visit), Template: row.Template, TemplateVersion: int(row.TemplateVersion),
		Class: email.Class(row.Class), State: email.State(row.State), Reason: row.Reason, ToAddress: row.ToAddress, Subject: row.Subject,
		HTML: row.Html, Text: row.Text, Raw: row.Raw, MessageID: row.MessageID, Attempt: int(row.Attempt), Fence: row.Fence,
		LeaseUntil: row.LeaseUntil, SMTPCode: int(row.SmtpCode), EnhancedCode: row.EnhancedCode, SMTPReply: row.SmtpReply,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, SentAt: row.SentAt, Locale: row.Locale,
		Delivery: reportedOf(row.Delivery, row.Bounce, row.DeliveryCode, row.DeliveryAt),
	}
}
