package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
)

func batchOf(n int) string {
	return `{"batch":[` + strings.TrimSuffix(strings.Repeat(`{"type":"track","userId":"u","event":"e"},`, n), ",") + `]}`
}

func TestAKeyThatFloodsIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.IngestRate = 2000 })
	send := func(key string, events int) *http.Response {
		return w.do(t, call{method: "POST", url: "/v1/batch", key: key, body: batchOf(events)}).Result()
	}
	require.Equal(t, 200, send("key-ingest", 2500).StatusCode)
	require.Equal(t, 200, send("key-ingest", 1500).StatusCode, "two seconds' worth may come at once")
	over := send("key-ingest", 2000)
	require.Equal(t, http.StatusTooManyRequests, over.StatusCode)
	require.Equal(t, "1", over.Header.Get("Retry-After"))
	require.Equal(t, "2", send("key-ingest", 2500).Header.Get("Retry-After"), "whole seconds, rounded up")
	require.Equal(t, 200, send("key-admin", 2500).StatusCode, "another key is not concerned")
	require.Equal(t, http.StatusTooManyRequests, send("key-ingest", 0).StatusCode, "a call with nothing in it counts, too")
	w.now = w.now.Add(time.Second)
	require.Equal(t, 200, send("key-ingest", 2000).StatusCode, "who comes back when told is let in: refusals cost nothing")
	require.Equal(t, http.StatusTooManyRequests, send("key-ingest", 1).StatusCode)
	require.Len(t, w.events, 2500+1500+2500+2000)
}

func TestAFullBatchFitsAnyRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.IngestRate = 1 })
	body := batchOf(maxTrackingItems + 100)
	require.Equal(t, 200, w.do(t, call{method: "POST", url: "/v1/batch", key: "key-ingest", body: body}).Code)
	rec := w.do(t, call{method: "POST", url: "/v1/batch", key: "key-ingest", body: body})
	require.Equal(t, http.StatusTooManyRequests, rec.Code)
	require.Equal(t, "60", rec.Header().Get("Retry-After"), "no client is sent away for an hour")
}

// held is a port whose ingestion of one source stands still until it is let go.
type held struct {
	*memory
	source  string
	arrived chan struct{}
	letGo   chan struct{}
}

func (h *held) Ingest(ctx context.Context, now time.Time, events []audience.Incoming) ([]audience.Accepted, error) {
	if events[0].Source == h.source {
		h.arrived <- struct{}{}
		<-h.letGo
	}
	return h.memory.Ingest(ctx, now, events)
}

func TestOneKeysTransactionsAreBoundedAndOthersPass(t *testing.T) {
	t.Parallel()
	const inFlight = 2
	port := &held{memory: newMemory(), source: "id-ingest", arrived: make(chan struct{}, 1000), letGo: make(chan struct{})}
	w := newWorld(t, func(o *Options) { o.Events, o.Keys, o.IngestInFlight = port, port, inFlight })
	const all = inFlight*(1+waitersEach) + 20
	statuses := make(chan int, all)
	var calls sync.WaitGroup
	for i := range all {
		calls.Go(func() {
			statuses <- serve(w, call{method: "POST", url: "/v1/t", key: "key-ingest", body: fmt.Sprintf(`{"userId":"u%d","event":"e"}`, i)}).Code
		})
	}
	for range 20 { // more than may wait: refused at once, while nothing has moved
		require.Equal(t, http.StatusTooManyRequests, <-statuses)
	}
	for range inFlight {
		<-port.arrived
	}
	require.Equal(t, 200, serve(w, call{method: "POST", url: "/v1/t", key: "key-admin", body: `{"userId":"x","event":"e"}`}).Code,
		"another key passes while the first stands still")
	require.Empty(t, port.arrived, "no more than %d of the first key's are on their way", inFlight)
	close(port.letGo)
	calls.Wait()
	close(statuses)
	for status := range statuses {
		require.Equal(t, 200, status, "who waited is served")
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	f := newFlood(0, 1)
	f.patience = time.Millisecond
	release, err := f.admit(t.Context(), "k", testNow, 1)
	require.NoError(t, err)
	_, err = f.admit(t.Context(), "k", testNow, 1)
	var flooded *floodedError
	require.ErrorAs(t, err, &flooded)
	require.Equal(t, "1", flooded.retryAfter())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	f.patience = time.Hour
	_, err = f.admit(gone, "k", testNow, 1)
	require.ErrorIs(t, err, context.Canceled, "a client that has gone waits no longer")
	release()
	for range 3 * (1 + waitersEach) { // nothing of all that was left behind
		release, err = f.admit(t.Context(), "k", testNow, 1)
		require.NoError(t, err)
		release()
	}
}

// On a real store: one key sends all it can, the other is served as ever, and what was acknowledged of the flood is there.
func TestAFloodLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	w := newRealWorld(t, func(o *Options) { o.IngestRate, o.IngestInFlight = 3000, 4 })
	var flood sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]int{}
	for i := range 8 {
		flood.Go(func() {
			for j := range 10 {
				body := strings.ReplaceAll(batchOf(500), `"userId":"u"`, fmt.Sprintf(`"userId":"flood-%d-%d"`, i, j))
				rec := serve(w, call{method: "POST", url: "/v1/batch", key: "key-ingest", body: body})
				if rec.Code == http.StatusTooManyRequests && rec.Header().Get("Retry-After") == "" {
					rec.Code = 0 // counted as what it is: a refusal that says nothing
				}
				mu.Lock()
				answers[rec.Code]++
				mu.Unlock()
			}
		})
	}
	var slowest time.Duration
	for i := range 40 {
		start := time.Now()
		rec := serve(w, call{method: "POST", url: "/v1/t", key: "key-admin", body: fmt.Sprintf(`{"userId":"other-%d","event":"e"}`, i)})
		require.Equal(t, 200, rec.Code, rec.Body.String())
		slowest = max(slowest, time.Since(start))
	}
	flood.Wait()
	t.Logf("the flood: %v; the other key's slowest call: %s", answers, slowest)
	require.Equal(t, map[int]int{200: 12, http.StatusTooManyRequests: 68}, answers, "two seconds' worth, and not an event more")
	require.Less(t, slowest, admitPatience, "nobody else waits as long as the one who floods may have to")
}
