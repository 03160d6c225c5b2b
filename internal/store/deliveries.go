package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// The states of a kept report.
const (
	reportApplied   = "applied"
	reportIgnored   = "ignored" // it says nothing that has an effect
	reportUnmatched = "unmatched"
)

// TakeReports keeps what was reported of messages and does what it demands, in one transaction: once it returns, no mail to an address that
// came back for good or complained is claimed any more. A report that is known already changes nothing.
func (s *Store) TakeReports(ctx context.Context, now time.Time, reports []email.Report) error {
	reports = slices.Clone(reports)
	for i := range reports {
		if id, err := uuid.Parse(reports[i].MessageID); err == nil {
			reports[i].MessageID = id.String()
		}
	}
	// One order for all, so that two batches of the same reports don't wait for each other.
	slices.SortFunc(reports, func(a, b email.Report) int {
		return strings.Compare(a.Source+"\x00"+a.Key, b.Source+"\x00"+b.Key)
	})
	return failure("take mail reports", retry(ctx, func() error {
		return s.inTx(ctx, func(q *dbsqlc.Queries) error { return takeReports(ctx, q, now, reports) })
	}))
}

// takeReports locks addresses before messages, as whoever claims a message does.
func takeReports(ctx context.Context, q *dbsqlc.Queries, now time.Time, reports []email.Report) error {
	recipients, err := recipientsOf(ctx, q, reports)
	if err != nil {
		return err
	}
	var keys []string
	for _, r := range reports {
		if key, known := recipients[r.MessageID]; known && (r.Status == email.Bounced || r.Status == email.Complained) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if err := q.LockAddress(ctx, lockAddresses, key); err != nil {
			return fmt.Errorf("lock address: %w", err)
		}
	}
	for _, r := range reports {
		key, known := recipients[r.MessageID]
		if err := takeReport(ctx, q, now, r, key, known); err != nil {
			return err
		}
	}
	return nil
}

// recipientsOf tells to whom the messages that reports name went; those that we never sent are missing.
func recipientsOf(ctx context.Context, q *dbsqlc.Queries, reports []email.Report) (map[string]string, error) {
	var ids []uuid.UUID
	for _, r := range reports {
		if id, err := uuid.Parse(r.MessageID); err == nil {
			ids = append(ids, id)
		}
	}
	out := map[string]string{}
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := q.FindRecipients(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("find recipients: %w", err)
	}
	for _, row := range rows {
		out[row.ID.String()] = suppressionKey(row.ToAddress)
	}
	return out, nil
}

// suppressionKey is the form under which an address is looked for before a send.
func suppressionKey(address string) string {
	if key, err := email.AddressKey(address); err == nil {
		return EmailKey(key)
	}
	return EmailKey(address)
}

func takeReport(ctx context.Context, q *dbsqlc.Queries, now time.Time, r email.Report, key string, known bool) error {
	row := dbsqlc.InsertMailReportParams{
		ID: newID(), Source: r.Source, DedupeKey: clean(r.Key), EmailKey: key, State: reportApplied, Raw: r.Raw, ReceivedAt: now,
	}
	var message uuid.UUID
	switch {
	case !known:
		row.State, row.EmailKey = reportUnmatched, suppressionKey(r.Recipient)
	default:
		message = uuid.MustParse(r.MessageID) // it was found by it
		row.MessageID = &message
		if r.Status == "" {
			row.State = reportIgnored
		}
	}
	if row.Raw == nil {
		row.Raw = []byte{}
	}
	n, err := q.InsertMailReport(ctx, row)
	if err != nil {
		return fmt.Errorf("keep report: %w", err)
	}
	if n == 0 || row.State != reportApplied {
		return nil
	}
	suppressed, err := suppressFor(ctx, q, now, r, message, key)
	if err != nil {
		return err
	}
	said := r.Reported()
	if err := q.InsertDelivery(ctx, dbsqlc.InsertDeliveryParams{
		ReportID: row.ID, MessageID: message, EmailKey: key, Delivery: string(r.Status), Bounce: string(r.Bounce), Code: clean(r.Code),
		Suppressed: suppressed, At: said.At, CreatedAt: now,
	}); err != nil {
		return fmt.Errorf("insert delivery: %w", err)
	}
	return setDelivery(ctx, q, now, message, said)
}

// suppressFor puts the address on the never-send list when the report, or the third of its kind, demands it. It tells whether it was not there before.
func suppressFor(ctx context.Context, q *dbsqlc.Queries, now time.Time, r email.Report, message uuid.UUID, key string) (bool, error) {
	reason := ""
	switch {
	case r.Status == email.Complained:
		reason = email.SuppressComplaint
	case r.Bounce == email.Hard:
		reason = email.SuppressHard
	case r.Bounce == email.Soft:
		others, err := q.CountSoftBounces(ctx, key, now.Add(-email.SoftWindow), message)
		if err != nil {
			return false, fmt.Errorf("count soft bounces: %w", err)
		}
		if others+1 >= email.SoftBounces {
			reason = email.SuppressSoft
		}
	}
	if reason == "" || key == "" {
		return false, nil
	}
	n, err := q.InsertSuppression(ctx, key, reason, now)
	if err != nil {
		return false, fmt.Errorf("suppress address: %w", err)
	}
	return n == 1, nil
}

// setDelivery writes what stands of a message now, and settles a fate that nobody knew.
func setDelivery(ctx context.Context, q *dbsqlc.Queries, now time.Time, message uuid.UUID, said email.Reported) error {
	row, err := q.LockDelivery(ctx, message)
	if err != nil {
		return fmt.Errorf("lock message: %w", err)
	}
	if stands := reportedOf(row.Delivery, row.Bounce, row.DeliveryCode, row.DeliveryAt); stands == nil || said.Outweighs(*stands) {
		if err := q.SetDelivery(ctx, dbsqlc.SetDeliveryParams{
			ID: message, Delivery: string(said.Status), Bounce: string(said.Bounce), DeliveryCode: clean(said.Code), DeliveryAt: said.At,
		}); err != nil {
			return fmt.Errorf("set delivery: %w", err)
		}
	}
	if !said.Status.Arrived() {
		return nil
	}
	if err := q.SettleUnknown(ctx, said.At, now, message); err != nil {
		return fmt.Errorf("settle unknown fate: %w", err)
	}
	return nil
}

func reportedOf(status, bounce, code string, at *time.Time) *email.Reported {
	if status == "" || at == nil {
		return nil
	}
	r := email.NewReported(email.Status(status), email.Bounce(bounce), code, *at)
	return &r
}
