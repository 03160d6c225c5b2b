package store

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// TopicTracking is the consent that tracking needs, of the contact alone: marketing mail may go on without it.
const TopicTracking = audience.TopicTracking

const (
	// maxClicks and maxOpens bound what somebody who has a link can make us write.
	maxClicks = 200
	maxOpens  = 100_000
	// clicksKept is how long a settled click tells something about later ones.
	clicksKept = time.Hour
	// sourceMail is where clicks come from, as events.
	sourceMail = "mail"
)

// TrackingConsent tells whether it may be seen what the contact does with its mail: yes, until it says otherwise.
func (tx *ContactTx) TrackingConsent(ctx context.Context) (bool, error) {
	if withdrawn, known := take(&tx.ahead.withdrawn, TopicTracking); known {
		return !withdrawn, nil
	}
	withdrawn, err := tx.q.IsWithdrawn(ctx, tx.id, TopicTracking)
	return !withdrawn, failure("find consent", err)
}

// Tracking is what is known of a tracked mail.
type Tracking struct {
	Links  []string
	SentAt *time.Time // nil: nobody knows that it was sent
	Silent bool       // the contact has said no since: nothing is recorded
}

// FindTracking finds where the links of a mail lead.
func (s *Store) FindTracking(ctx context.Context, messageID string) (Tracking, error) {
	id, err := parseID(messageID)
	if err != nil {
		return Tracking{}, linkNotFound(err)
	}
	row, err := s.q.FindTracking(ctx, TopicTracking, id)
	if err != nil {
		return Tracking{}, linkNotFound(err)
	}
	return Tracking{Links: row.Links, SentAt: row.SentAt, Silent: row.Silent}, nil
}

func linkNotFound(err error) error {
	return notFound("find link", "unknown_link", "This link is not one of ours.", err)
}

// RecordClick keeps a request for a link until it is due.
func (s *Store) RecordClick(ctx context.Context, messageID string, c email.Click, due time.Time) error {
	id, err := parseID(messageID)
	if err != nil {
		return linkNotFound(err)
	}
	return failure("record click", s.q.InsertClick(ctx, dbsqlc.InsertClickParams{
		MessageID: id, Link: int32(c.Link), At: c.At, Actor: string(c.Actor), Reason: c.Reason, DueAt: due, Most: maxClicks,
	}))
}

// RecordOpen notes an open at its mail: when a person first did, or one more by a machine.
func (s *Store) RecordOpen(ctx context.Context, messageID string, actor email.Actor, at time.Time) error {
	id, err := parseID(messageID)
	if err != nil {
		return linkNotFound(err)
	}
	if actor == email.Human {
		return failure("record open", s.q.InsertHumanOpen(ctx, at, id))
	}
	return failure("record open", s.q.InsertMachineOpen(ctx, id, maxOpens))
}

// DueClicks judges the clicks whose time to be held is over, a bounded number of mails at a time. Nothing is written.
func (s *Store) DueClicks(ctx context.Context, now time.Time, limit int) ([]audience.MailClicks, error) {
	ids, err := s.q.ListDueMessages(ctx, now, int32(limit))
	if err != nil || len(ids) == 0 {
		return nil, failure("list due clicks", err)
	}
	rows, err := s.q.ListClicksOfMessages(ctx, now, ids)
	if err != nil {
		return nil, failure("list clicks", err)
	}
	var out []audience.MailClicks
	for from := 0; from < len(rows); {
		to := from
		for to < len(rows) && rows[to].MessageID == rows[from].MessageID {
			to++
		}
		out = append(out, judgeClicks(rows[from:to]))
		from = to
	}
	return out, nil
}

// judgeClicks judges those of one mail, and makes events of people's. The same link again is the same event.
func judgeClicks(rows []dbsqlc.ListClicksOfMessagesRow) audience.MailClicks {
	clicks := make([]email.Click, len(rows))
	for i, row := range rows {
		clicks[i] = email.Click{Link: int(row.Link), At: row.At, Actor: email.Actor(row.Actor), Reason: row.Reason}
	}
	first := rows[0]
	email.Settle(clicks, len(first.Links), first.SentAt)
	out := audience.MailClicks{ContactID: first.ContactID.String()}
	seen := map[int]bool{}
	for i, row := range rows {
		if !row.Due {
			continue
		}
		c := clicks[i]
		out.Judged = append(out.Judged, audience.JudgedClick{ID: row.ID, Actor: string(c.Actor), Reason: c.Reason})
		if c.Actor != email.Human || c.Link < 0 || c.Link >= len(row.Links) || seen[c.Link] {
			continue
		}
		seen[c.Link] = true
		out.Events = append(out.Events, audience.Incoming{
			Source: sourceMail, MessageID: "click/" + row.MessageID.String() + "/" + strconv.Itoa(c.Link), Type: audience.TypeTrack,
			Name: email.EventClicked, ContactID: row.ContactID.String(), OccurredAt: c.At,
			Properties: map[string]any{
				"journey": row.Journey, "step_id": row.StepID, "template": row.Template, "message_id": row.MessageID.String(),
				"link": email.PlainLink(row.Links[c.Link]), "link_number": float64(c.Link),
			},
		})
	}
	return out
}

// SettleClicks records how clicks were judged, once their events are in. Done again, it changes nothing.
func (s *Store) SettleClicks(ctx context.Context, judged []audience.JudgedClick) error {
	ids, actors, reasons := make([]int64, len(judged)), make([]string, len(judged)), make([]string, len(judged))
	for i, j := range judged {
		ids[i], actors[i], reasons[i] = j.ID, j.Actor, j.Reason
	}
	return failure("settle clicks", s.q.SettleClicks(ctx, ids, actors, reasons))
}

// ForgetClicks deletes what has told all that it can.
func (s *Store) ForgetClicks(ctx context.Context, now time.Time) error {
	return failure("forget clicks", s.q.DeleteSettledClicks(ctx, now.Add(-clicksKept)))
}

// Engage puts to a message what became of it.
func (s *Store) Engage(ctx context.Context, m *email.Message) error {
	return failure("read engagement", engagement(ctx, s.q, []*email.Message{m}))
}

// engagement puts to messages what became of them, and whose they are.
func engagement(ctx context.Context, q *dbsqlc.Queries, mails []*email.Message) error {
	if len(mails) == 0 {
		return nil
	}
	byID := make(map[uuid.UUID]*email.Message, len(mails))
	ids := make([]uuid.UUID, 0, len(mails))
	for _, m := range mails {
		id, err := uuid.Parse(m.ID)
		if err != nil {
			return fault.New(fault.Invalid, "bad_id", "An id is not a UUID.")
		}
		byID[id], ids = m, append(ids, id)
	}
	if err := belonging(ctx, q, mails); err != nil {
		return err
	}
	rows, err := q.ListTracking(ctx, ids)
	for _, row := range rows {
		byID[row.MessageID].Engagement = email.Engagement{
			OpenedAt: row.OpenedAt, ClickedAt: row.ClickedAt, MachineOpens: int(row.MachineOpens), MachineClicks: int(row.MachineClicks),
		}
	}
	return err
}

func orNoLinks(links []string) []string {
	if links == nil {
		return []string{}
	}
	return links
}
