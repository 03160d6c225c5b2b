package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/email"
)

// point is a moment of a send at which its process is killed. arm prepares it for the victim; the kill comes once the world has reached it.
type point struct {
	arm     func(t *testing.T, w *chaosWorld, victim activities.EffectInput, address string) (release func())
	reached func(t *testing.T, w *chaosWorld, round int) bool
	// cut ends the sessions that wait: what the dead process had asked PostgreSQL for would still be done, now that the locks go.
	cut func(round int) bool
}

const sendSlots = 4 // sends that a child has under way

func nothing() {}

func always(int) bool { return true }

func aLockIsWaitedFor(t *testing.T, w *chaosWorld, _ int) bool { return w.waiting(t) > 0 }

func aFaultStruck(t *testing.T, w *chaosWorld, round int) bool { return w.hits(t) > round }

func scripted(at, action string, more map[string]any) func(*testing.T, *chaosWorld, activities.EffectInput, string) func() {
	return func(t *testing.T, w *chaosWorld, _ activities.EffectInput, address string) func() {
		script := map[string]any{"at": at, "action": action, "rcpt": address, "times": 1}
		if action == "hang" || action == "delay" {
			script["seconds"] = 600
		}
		for k, v := range more {
			script[k] = v
		}
		misbehave(t, w.config.InboxURL, script)
		return nothing
	}
}

func advisory(key int) func(*testing.T, *chaosWorld, activities.EffectInput, string) func() {
	return func(t *testing.T, w *chaosWorld, _ activities.EffectInput, _ string) func() {
		return w.hold(t, "SELECT pg_advisory_xact_lock($1)", key)
	}
}

func pointClaim() point {
	return point{cut: always, reached: aLockIsWaitedFor, arm: func(t *testing.T, w *chaosWorld, victim activities.EffectInput, _ string) func() {
		return w.hold(t, "SELECT 1 FROM contacts WHERE id = $1 FOR UPDATE", victim.Ref.ContactID)
	}}
}

func pointClaimed() point {
	return point{arm: scripted("rcpt", "hang", nil), reached: aFaultStruck, cut: always}
}

func pointData() point {
	return point{arm: scripted("mid_data", "hang", map[string]any{"bytes": 200}), reached: aFaultStruck, cut: always}
}

func pointDot() point {
	return point{arm: scripted("after_dot", "hang", map[string]any{"keep": true}), reached: aFaultStruck, cut: always}
}

func pointReply() point {
	return point{arm: advisory(1), reached: aLockIsWaitedFor, cut: always}
}

// pointCommit: the dead process's last word may still be heard, or not.
func pointCommit() point {
	return point{arm: advisory(2), reached: aLockIsWaitedFor, cut: func(round int) bool { return round%2 == 0 }}
}

// killed kills a process in each round, with some sends under way and one of them at the point; then every send is performed again, as Temporal
// would, until its fate is settled.
func killed(at point) func(*testing.T, int) tally {
	return func(t *testing.T, rounds int) tally {
		w := newChaosWorld(t)
		for round := range rounds {
			class := email.Marketing
			if round%4 == 3 {
				class = email.Transactional
			}
			victim := newPerson().email
			sends := w.add(t, class, sendSlots, func(i int) string {
				if i == 0 {
					return victim
				}
				return anybody(i)
			})
			release := at.arm(t, w, sends[0], victim)
			c := w.child(t, sends, func(o *sendOrder) { o.AtOnce = sendSlots })
			eventually(t, "the point is reached", func() bool { return at.reached(t, w, round) })
			w.kill(t, c)
			if at.cut(round) {
				_, err := w.db.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
				require.NoError(t, err)
			}
			release()
		}
		w.noFaults(t)
		w.child(t, w.sends, func(o *sendOrder) { o.AtOnce = 16 }).finish(t)
		return w.judge(t, sendSlots)
	}
}

// both makes as many marketing as transactional sends.
func (w *chaosWorld) both(t *testing.T, n int, address func(int) string) []activities.EffectInput {
	t.Helper()
	return append(w.add(t, email.Marketing, (n+1)/2, address), w.add(t, email.Transactional, n/2, func(i int) string { return address(i + (n+1)/2) })...)
}

func cutAfterReply(t *testing.T, n int) tally {
	w := newChaosWorld(t)
	misbehave(t, w.config.InboxURL, map[string]any{"at": "after_reply", "action": "close", "times": -1})
	w.both(t, n, anybody)
	w.child(t, w.sends).finish(t)
	w.noFaults(t)
	w.child(t, w.sends).finish(t) // once more, as after a crash: nothing is sent again
	found := w.judge(t, sendSlots)
	if sent := w.states(t)["sent "]; sent != n || found.Resent > 0 {
		found.wrong("%d of %d accepted, %d resent", sent, n, found.Resent)
	}
	return found
}

// states counts the messages by state and reason.
func (w *chaosWorld) states(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, row := range w.ledger(t) {
		counts[row.State+" "+row.Reason]++
	}
	return counts
}

func cutBeforeReply(t *testing.T, n int) tally {
	w := newChaosWorld(t)
	address := func(i int) string {
		to := anybody(i)
		script := map[string]any{"at": "after_dot", "action": "close", "rcpt": to, "times": 1, "keep": i%2 == 0}
		if i%4 >= 2 {
			script["action"], script["seconds"] = "hang", 600
		}
		misbehave(t, w.config.InboxURL, script)
		return to
	}
	w.both(t, n, address)
	w.child(t, w.sends, func(o *sendOrder) { o.Dot = 300 * time.Millisecond; o.AtOnce = 16 }).finish(t)
	found := w.judge(t, n)
	// Of marketing nobody knows for ever; of a transactional mail the second copy is known to be there.
	if states := w.states(t); states["unknown fate_unknown"] != (n+1)/2 || states["sent "] != n/2 {
		found.wrong("states: %v", states)
	}
	return found
}

func cutInBody(t *testing.T, n int) tally {
	w := newChaosWorld(t)
	w.both(t, n, func(i int) string {
		to := anybody(i)
		misbehave(t, w.config.InboxURL, map[string]any{"at": "mid_data", "action": "close", "rcpt": to, "times": 1, "bytes": rand.N(6000)}) //nolint:gosec // any byte
		return to
	})
	// And one that can't be made: its template is wrong for this contact alone.
	admin[map[string]any](t, w.product, http.MethodPut, "/v1/templates/broken", `{"key":"broken","subject":"{{ contact.plan }}","body":{"intros":["{{ contact.plan }}"]}}`)
	w.publish(t, strings.Replace(fmt.Sprintf(chaosJourney, "marketing", "broken"), "chaos-marketing", "chaos-broken", 1))
	broken := w.add(t, "broken", 1, anybody)[0]
	w.child(t, w.sends, func(o *sendOrder) { o.AtOnce = 16 }).finish(t)
	found := w.judge(t, sendSlots)
	if row := w.ledger(t)[broken.Ref.EnrollmentID]; row.State != string(email.Failed) || row.Reason != email.ReasonRenderFailed {
		found.wrong("a mail that can't be made is %s %s", row.State, row.Reason)
	}
	// Where the system had taken the last byte off us before the cut, nobody knows: then marketing stays where it is.
	if states := w.states(t); states["sent "]+states["unknown fate_unknown"] != n || states["sent "] < n/2 {
		found.wrong("%v", states)
	}
	return found
}

func putOff(t *testing.T, n int) tally {
	w := newChaosWorld(t)
	replies := []map[string]any{
		{"at": "rcpt", "code": 421, "enhanced": "4.7.0"}, {"at": "rcpt", "code": 450, "enhanced": "4.7.1"}, {"at": "rcpt", "code": 451, "enhanced": "4.7.1", "text": "greylisted"},
		{"at": "data", "code": 452, "enhanced": "4.3.1"}, {"at": "mid_data", "code": 452, "enhanced": "4.3.1", "bytes": 500},
	}
	w.both(t, n, func(i int) string {
		to := strings.Replace(anybody(i), "@example.test", fmt.Sprintf("@slow%d.example", i), 1) // a provider each: how they are paced has its own tests
		script := map[string]any{"action": "reply", "rcpt": to, "times": 1}
		for k, v := range replies[i%len(replies)] {
			script[k] = v
		}
		misbehave(t, w.config.InboxURL, script)
		return to
	})
	w.child(t, w.sends, func(o *sendOrder) { o.AtOnce = 32 }).finish(t)
	found := w.judge(t, sendSlots)
	if sent := w.states(t)["sent "]; sent != n || found.Resent > 0 || w.hits(t) != n {
		found.wrong("%v, %d faults met", w.states(t), w.hits(t))
	}
	return found
}

// refused: an address that does not exist is never written to again; one whose server minds us is.
func refused(t *testing.T, n int) tally {
	w := newChaosWorld(t)
	var addresses []string
	w.both(t, n, func(i int) string {
		to := anybody(i)
		addresses = append(addresses, to)
		misbehave(t, w.config.InboxURL, map[string]any{"at": "rcpt", "action": "reply", "rcpt": to, "times": -1, "code": 550, "enhanced": []string{"5.1.1", "5.7.26"}[i%2]})
		return to
	})
	w.child(t, w.sends).finish(t)
	found := w.judge(t, sendSlots)
	if got := w.states(t)["rejected rejected"]; got != n {
		found.wrong("%v", w.states(t))
	}
	for i, address := range addresses {
		var suppressed bool
		require.NoError(t, w.db.QueryRow(t.Context(), "SELECT EXISTS (SELECT 1 FROM suppressions WHERE email_key = $1)", address).Scan(&suppressed))
		if suppressed != (i%2 == 0) {
			found.wrong("550 %s: suppressed is %v", []string{"5.1.1", "5.7.26"}[i%2], suppressed)
		}
	}
	return found
}

// zombie: a process is stopped while it sends, another one takes its work over, and then the first goes on as if nothing had been.
func zombie(t *testing.T, rounds int) tally {
	w := newChaosWorld(t)
	_, err := w.db.Exec(t.Context(), `
CREATE TABLE chaos_late (message_id uuid);
CREATE FUNCTION note_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO chaos_late VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER note_late BEFORE UPDATE OF sent_at ON messages FOR EACH ROW WHEN (OLD.state = 'sent') EXECUTE FUNCTION note_late();`)
	require.NoError(t, err)
	for round := range rounds {
		var victims []string
		fresh := w.both(t, 2, func(i int) string {
			victims = append(victims, anybody(i))
			return victims[len(victims)-1]
		})
		for _, address := range victims {
			misbehave(t, w.config.InboxURL, map[string]any{"at": "data", "action": "delay", "seconds": 1.5, "rcpt": address, "times": 1})
		}
		short := func(o *sendOrder) { o.Lease = time.Second }
		first := w.child(t, fresh, short)
		eventually(t, "both sends are under way", func() bool { return w.hits(t) == 2*(round+1) })
		require.NoError(t, first.cmd.Process.Signal(syscall.SIGSTOP))
		w.kills++
		w.child(t, fresh, short).finish(t) // waits for the lease
		require.NoError(t, first.cmd.Process.Signal(syscall.SIGCONT))
		first.finish(t)
	}
	found := w.judge(t, 2)
	var late int
	require.NoError(t, w.db.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM chaos_late) + (SELECT count(*) FROM messages WHERE class = 'transactional' AND (state <> 'sent' OR fence <> 2))").Scan(&late))
	if late > 0 {
		found.wrong("%d late writers won", late)
	}
	return found
}

// unsubscribed: the one click comes while a mail is being sent. Both go through the contact's row; a mail that was claimed before the click is
// sent, and no mail is claimed after it.
func unsubscribed(t *testing.T, rounds int) tally {
	w := newChaosWorld(t)
	_, err := w.db.Exec(t.Context(), `
CREATE TABLE chaos_order (n bigserial, contact_id uuid, what text);
CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_order (contact_id, what) VALUES (NEW.contact_id, TG_ARGV[0]); PERFORM pg_advisory_xact_lock_shared(3); RETURN NEW; END $$;
CREATE TRIGGER note_claim BEFORE INSERT OR UPDATE OF fence ON messages FOR EACH ROW WHEN (NEW.state = 'sending') EXECUTE FUNCTION note_claim('claim');
CREATE TRIGGER note_withdrawal BEFORE INSERT OR UPDATE ON consents FOR EACH ROW WHEN (NOT NEW.granted) EXECUTE FUNCTION note_claim('withdraw');`)
	require.NoError(t, err)
	sends := w.add(t, email.Marketing, rounds, anybody)
	again := make([]activities.EffectInput, rounds)
	tokens := email.NewUnsubscribeTokens(w.secret(t))
	all, _ := w.process(t).activities()
	p := all.Messages
	var group sync.WaitGroup
	slots := make(chan struct{}, 8)
	click := func(contact string) error {
		token, err := tokens.Sign(contact, uuid.NewString())
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.base+"/u/"+token, strings.NewReader("List-Unsubscribe=One-Click"))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := w.http.Do(req)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("unsubscribe: %d", resp.StatusCode)
		}
		return resp.Body.Close()
	}
	failed := make(chan error, 3*rounds)
	for i, in := range sends {
		slots <- struct{}{}
		again[i] = in
		again[i].Ref.Visit = 2 // another mail, after the answer
		group.Go(func() {
			defer func() { <-slots }()
			var pair sync.WaitGroup
			pair.Go(func() { failed <- performSend(p, in) })
			pair.Go(func() {
				time.Sleep(rand.N(30 * time.Millisecond)) //nolint:gosec,forbidigo // any moment of the send
				failed <- click(in.Ref.ContactID)
			})
			pair.Wait()
			failed <- performSend(p, again[i])
		})
	}
	group.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	return w.judgeUnsubscribed(t, rounds)
}

func (w *chaosWorld) judgeUnsubscribed(t *testing.T, rounds int) tally {
	t.Helper()
	found := tally{Messages: 2 * rounds}
	var late, withdrawn, second, sent, skipped int
	require.NoError(t, w.db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM chaos_order c JOIN chaos_order w USING (contact_id) WHERE c.what = 'claim' AND w.what = 'withdraw' AND c.n > w.n),
		(SELECT count(DISTINCT contact_id) FROM chaos_order WHERE what = 'withdraw'), (SELECT count(*) FROM messages WHERE visit = 2 AND (state <> 'skipped' OR reason <> 'unsubscribed')),
		(SELECT count(*) FROM messages WHERE visit = 1 AND state = 'sent'), (SELECT count(*) FROM messages WHERE visit = 1 AND state = 'skipped')`).Scan(&late, &withdrawn, &second, &sent, &skipped))
	if late > 0 {
		found.wrong("%d mails were claimed after the unsubscribe", late)
	}
	if withdrawn != rounds || sent+skipped != rounds {
		found.wrong("%d unsubscribed, %d sent, %d skipped of %d", withdrawn, sent, skipped, rounds)
	}
	if second > 0 {
		found.wrong("%d mails were sent that began after the answer", second)
	}
	if mails := w.onServer(t); len(mails) != sent {
		found.wrong("the server has %d mails, the ledger says %d", len(mails), sent)
	}
	if rounds >= 100 && (sent == 0 || skipped == 0) {
		found.wrong("the race was none: %d sent, %d skipped", sent, skipped)
	}
	t.Logf("%d mails were claimed before the click, %d after it were not", sent, skipped)
	return found
}

// secret is the key of the unsubscribe links, as the api has it.
func (w *chaosWorld) secret(t *testing.T) []byte {
	t.Helper()
	key, err := w.store.Secret(t.Context(), "unsubscribe", randomKey)
	require.NoError(t, err)
	return key
}

// process is the product in this process, as a worker would wire it.
func (w *chaosWorld) process(t *testing.T, change ...func(*config)) *process {
	t.Helper()
	c := w.config
	for _, f := range change {
		f(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p, err := newProcess(ctx, c, quietLog())
	require.NoError(t, err)
	var paces sync.WaitGroup
	paces.Go(func() { p.paces.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		paces.Wait()
		require.NoError(t, p.close())
	})
	return p
}
