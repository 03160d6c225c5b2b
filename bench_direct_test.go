package main

import (
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

const (
	directRate    = 50 // a second
	directSeconds = 10
)

// TestBenchDirect measures how long a mail that a product asks for takes from the request to the mail server's answer, at a steady rate.
func TestBenchDirect(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	p := startDirect(t)
	who := newPerson()
	p.identify(t, who, nil)
	asked := map[string]time.Time{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	ticker := time.NewTicker(time.Second / directRate)
	defer ticker.Stop()
	for range directRate * directSeconds {
		<-ticker.C
		wg.Go(func() {
			began := time.Now()
			status, m, answer := p.sendDirect(t, uuid.NewString(), `{"email":"`+newPerson().email+`","template":"reset","data":{"link":"https://example.com/r"}}`)
			if status != http.StatusAccepted {
				t.Errorf("status %d: %s", status, answer)
			}
			mu.Lock()
			defer mu.Unlock()
			asked[m.ID] = began
		})
	}
	wg.Wait()
	count(t, p, "SELECT count(*) FROM messages WHERE state = 'sent'", directRate*directSeconds)
	var took []time.Duration
	for id, began := range asked {
		m := admin[email.Message](t, p, http.MethodGet, "/v1/messages/"+id, "")
		require.NotNil(t, m.SentAt)
		took = append(took, m.SentAt.Sub(began))
	}
	slices.Sort(took)
	t.Logf("\n| transactional mail at %d/s, request → accepted by the mail server | p50 %s | p99 %s | largest %s |\n", directRate,
		took[len(took)/2].Round(time.Millisecond), took[len(took)*99/100].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
}
