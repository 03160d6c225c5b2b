package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/email"
)

const (
	sendMails  = 2000
	sendAtOnce = 16
)

// TestBenchSend measures the whole send path (claim, arbiter, render, signature, SMTP, ledger) beside the transport alone, which hands the very
// same bytes to the same server.
func TestBenchSend(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	w := newChaosWorld(t)
	_, err := w.db.Exec(t.Context(), "DROP TRIGGER hold_statement ON messages; DROP TRIGGER hold_commit ON messages")
	require.NoError(t, err)
	w.exampleTemplates(t)
	admin[map[string]any](t, w.product, "PUT", "/v1/sending_policy", `{"caps":[{"max":3,"days":7}],"quiet_hours":{"from":"03:00","until":"03:01"}}`)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	w.benchSend(t, "signed by the relay", nil)
	w.benchSend(t, "signed with Ed25519", ed)
	w.benchSend(t, "signed with RSA-2048", rsaKey)
}

func (w *chaosWorld) benchSend(t *testing.T, signed string, key any) {
	t.Helper()
	p := w.process(t, func(c *config) {
		if key != nil {
			der, err := x509.MarshalPKCS8PrivateKey(key)
			require.NoError(t, err)
			c.DKIM = [][2]string{{string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "bench"}}
		}
	})
	all, _ := p.activities()
	atOnce(w.add(t, email.Marketing, 200, anybody), func(in activities.EffectInput) { benchOne(t, all.Messages, in) })
	sends := w.add(t, email.Marketing, sendMails, anybody)
	stop := profile(t, signed)
	began := time.Now()
	atOnce(sends, func(in activities.EffectInput) { benchOne(t, all.Messages, in) })
	whole := rate(sendMails, time.Since(began))
	stop()

	ledger := w.ledger(t)
	began = time.Now()
	atOnce(sends, func(in activities.EffectInput) {
		d := p.smtp.Send(t.Context(), email.Envelope{From: "bounce@example.com", To: "ana@example.net", Bytes: ledger[in.Ref.EnrollmentID].Raw})
		if d.Outcome != email.OutcomeAccepted {
			t.Errorf("bare: %s", d.Outcome)
		}
	})
	bare := rate(sendMails, time.Since(began))
	t.Logf("\n| mails/s through the whole send path, %s (%d at once, %d bytes) | %.0f | the transport alone: %.0f | %.2f |\n", signed, sendAtOnce, len(ledger[sends[0].Ref.EnrollmentID].Raw), whole, bare, whole/bare)
}

// profile writes a CPU profile where BENCH_PROFILE says.
func profile(t *testing.T, name string) (stop func()) {
	t.Helper()
	folder := os.Getenv("BENCH_PROFILE")
	if folder == "" {
		return func() {}
	}
	out, err := os.Create(filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".prof")) //nolint:gosec // whoever measures says where
	require.NoError(t, err)
	require.NoError(t, pprof.StartCPUProfile(out))
	return func() {
		pprof.StopCPUProfile()
		require.NoError(t, out.Close())
	}
}

func benchOne(t *testing.T, m *activities.Messages, in activities.EffectInput) {
	t.Helper()
	result, err := m.SendEmail(t.Context(), in)
	if err != nil || result.State != email.Sent {
		t.Errorf("send: %v %v", result, err)
	}
}

// atOnce does everything, some at a time.
func atOnce[T any](all []T, do func(T)) {
	var group sync.WaitGroup
	next := make(chan T)
	for range sendAtOnce {
		group.Go(func() {
			for one := range next {
				do(one)
			}
		})
	}
	for _, one := range all {
		next <- one
	}
	close(next)
	group.Wait()
}
