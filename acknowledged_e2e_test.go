package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	ackSenders = 4
	ackBatches = 60 // of each sender
	ackSize    = 20
)

// ackBatch is one batch of tracking calls and whether it was answered with 200.
type ackBatch struct {
	body  []byte
	ids   []string
	acked bool
}

// TestWhatWasAcknowledgedIsThere kills PostgreSQL in the middle of batches, again and again. What was answered with 200 is there, once; what was
// not is there once after it was sent again, and sending everything again changes nothing.
func TestWhatWasAcknowledgedIsThere(t *testing.T) {
	if testing.Short() {
		t.Skip("kills and restarts a real PostgreSQL: left out of -short")
	}
	t.Parallel()
	w := newWorld(t)
	w.start("temporal", "inbox", "api")
	p := w.product()
	senders := make([][]*ackBatch, ackSenders)
	var all []*ackBatch
	for s := range senders {
		for b := range ackBatches {
			senders[s] = append(senders[s], newAckBatch(t, fmt.Sprintf("m-%d-%d", s, b)))
		}
		all = append(all, senders[s]...)
	}

	var group sync.WaitGroup
	for _, mine := range senders {
		group.Go(func() {
			for _, batch := range mine {
				batch.acked = post(p, batch.body) == http.StatusOK
				time.Sleep(20 * time.Millisecond) //nolint:forbidigo // a sender's pace, not a wait for something
			}
		})
	}
	for range 3 {
		time.Sleep(time.Duration(200+rand.IntN(400)) * time.Millisecond) //nolint:forbidigo,gosec // the moment of the blow is what is drawn
		w.kill("postgres")
		w.start("postgres")
		eventually(t, "the api answers again", func() bool { return healthy(p) })
	}
	group.Wait()

	stored := storedMessages(t, w)
	acked, refused, kept := 0, 0, 0
	for _, batch := range all {
		for _, id := range batch.ids {
			switch {
			case batch.acked:
				acked++
				require.Equal(t, 1, stored[id], "acknowledged, and not there once: %s", id)
			case stored[id] > 0:
				kept++
			default:
				refused++
			}
		}
	}
	require.Positive(t, acked)
	require.Positive(t, refused+kept, "no batch was hit: nothing was shown")
	for range 2 {
		for _, batch := range all {
			eventually(t, "a batch is taken", func() bool { return post(p, batch.body) == http.StatusOK })
		}
	}
	stored = storedMessages(t, w)
	require.Len(t, stored, ackSenders*ackBatches*ackSize)
	for id, n := range stored {
		require.Equal(t, 1, n, id)
	}
	gaps := 0
	query(t, w.config.DatabaseURL, "SELECT count(*) FROM contacts c WHERE c.last_seq <> (SELECT count(*) FROM events e WHERE e.contact_id = c.id)", nil, &gaps)
	require.Zero(t, gaps, "every contact's events are numbered without gaps")
	t.Logf("3 kills: %d events acknowledged and there, %d not acknowledged and not there, %d there whose answer was lost", acked, refused, kept)
}

func newAckBatch(t *testing.T, prefix string) *ackBatch {
	t.Helper()
	batch := &ackBatch{}
	calls := make([]map[string]any, ackSize)
	for i := range calls {
		id := fmt.Sprint(prefix, "-", i)
		batch.ids = append(batch.ids, id)
		calls[i] = map[string]any{"type": "track", "userId": fmt.Sprint("user-", rand.IntN(200)), "event": "Seen", "messageId": id} //nolint:gosec // a test
	}
	body, err := json.Marshal(map[string]any{"batch": calls})
	require.NoError(t, err)
	batch.body = body
	return batch
}

// post gives the status, or 0 where there was no answer.
func post(p *product, body []byte) int {
	request, err := http.NewRequest(http.MethodPost, p.base+"/v1/batch", bytes.NewReader(body)) //nolint:noctx // a test
	if err != nil {
		return 0
	}
	request.SetBasicAuth(p.config.WriteKey, "")
	request.Header.Set("Content-Type", "application/json")
	answer, err := p.http.Do(request)
	if err != nil {
		return 0
	}
	defer answer.Body.Close() //nolint:errcheck // a test
	return answer.StatusCode
}

func storedMessages(t *testing.T, w *world) map[string]int {
	t.Helper()
	var rows []byte
	query(t, w.config.DatabaseURL, `SELECT coalesce(jsonb_object_agg(message_id, n), '{}') FROM (SELECT message_id, count(*) AS n FROM events GROUP BY 1) m`, nil, &rows)
	counts := map[string]int{}
	require.NoError(t, json.Unmarshal(rows, &counts))
	return counts
}
