package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

// tally is what the oracle found.
type tally struct {
	Kills, Messages, Duplicates, Lost, Unknown int
	Resent                                     int // transactional mails that the server has twice: with the same bytes, after a fate that nobody knew
	Wrong                                      []string
}

func (t *tally) wrong(format string, args ...any) {
	t.Wrong = append(t.Wrong, fmt.Sprintf(format, args...))
}

func (t *tally) add(o tally) {
	t.Kills += o.Kills
	t.Messages += o.Messages
	t.Duplicates += o.Duplicates
	t.Lost += o.Lost
	t.Unknown += o.Unknown
	t.Resent += o.Resent
	t.Wrong = append(t.Wrong, o.Wrong...)
}

// ledgerRow is what the ledger says of a send.
type ledgerRow struct {
	ID, Enrollment, Class, State, Reason, MessageID string
	Resends                                         int
	Raw                                             []byte
}

// judge joins what was to be sent with the ledger and with what the mail server has. For each send, exactly one of these holds: it was accepted
// and the server has it once; its fate is unknown and the server has it once at most; it was not sent and the server has nothing. A
// transactional mail may be there once more, when its fate was unknown. All copies are the very bytes of the ledger. slots is how many sends a
// process had under way: a kill leaves no more fates unknown than that.
func (w *chaosWorld) judge(t *testing.T, slots int) tally {
	t.Helper()
	found := tally{Kills: w.kills, Messages: len(w.sends)}
	ledger := w.ledger(t)
	server := w.onServer(t)
	known := map[string]bool{}
	for _, in := range w.sends {
		row, ok := ledger[in.Ref.EnrollmentID]
		if !ok {
			found.Lost++
			found.wrong("a send has left no row in the ledger")
			continue
		}
		known[row.MessageID] = true
		found.judge(row, server[row.MessageID])
	}
	for id, copies := range server {
		if !known[id] {
			found.wrong("the server has %d mails that nobody was to send", len(copies))
		}
	}
	if found.Unknown > found.Kills*slots && found.Kills > 0 {
		found.wrong("%d fates unknown after %d kills of %d sends each", found.Unknown, found.Kills, slots)
	}
	return found
}

func (t *tally) judge(row ledgerRow, copies [][]byte) {
	n, allowed := len(copies), 1
	if row.Class == string(email.Transactional) {
		allowed += row.Resends
	}
	switch state := email.State(row.State); {
	case !state.Final():
		t.Lost++
		t.wrong("a message is %s for ever", row.State)
	case state == email.Sent && n == 0:
		t.Lost++
		t.wrong("a message was accepted, and the server does not have it")
	case state == email.Unknown:
		t.Unknown++
	case state != email.Sent && n > 0:
		t.wrong("a message is %s (%s), and the server has it", row.State, row.Reason)
	}
	if n > allowed {
		t.Duplicates += n - allowed
		t.wrong("the server has a %s message %d times, %s", row.Class, n, row.State)
	} else if n > 1 {
		t.Resent++
	}
	for _, raw := range copies {
		if !bytes.Equal(raw, row.Raw) {
			t.wrong("the server has %d bytes of a message of %d", len(raw), len(row.Raw))
		}
	}
}

// ledger reads the rows by enrollment; each has one: a step's visit is unique (messages_once).
func (w *chaosWorld) ledger(t *testing.T) map[string]ledgerRow {
	t.Helper()
	rows, err := w.db.Query(t.Context(), "SELECT id::text, enrollment_id::text, class, state, reason, message_id, resends, raw FROM messages WHERE enrollment_id IS NOT NULL")
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r ledgerRow, err error) {
		err = row.Scan(&r.ID, &r.Enrollment, &r.Class, &r.State, &r.Reason, &r.MessageID, &r.Resends, &r.Raw)
		return r, err
	})
	require.NoError(t, err)
	by := map[string]ledgerRow{}
	for _, r := range all {
		by[r.Enrollment] = r
	}
	return by
}

// onServer reads every mail that the server has ended with a dot, by its Message-ID.
func (w *chaosWorld) onServer(t *testing.T) map[string][][]byte {
	t.Helper()
	var mails []caughtMail
	getJSON(t, w.config.InboxURL+"/api/messages", &mails)
	by := map[string][][]byte{}
	for _, m := range mails {
		id := strings.Trim(m.MessageID, "<>")
		by[id] = append(by[id], []byte(rawMail(t, w.config.InboxURL, m.ID)))
	}
	return by
}
