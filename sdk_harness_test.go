package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mishap is what goes wrong with a call on its way.
type mishap int

const (
	down    mishap = iota // 503 from something in front of the product, which knows nothing of origins
	busy                  // 429 with Retry-After, as the product answers it
	unheard               // the product takes the call, and its answer is lost
	late                  // the call takes a while to get there
)

// front stands before the product as a proxy does: over http and over https, and with mishaps.
type front struct {
	plain, secure string
	mu            sync.Mutex
	target        http.Handler
	mishaps       []mishap  // of the next calls
	lastAnswer    time.Time // when the last call was answered
}

// fronted runs the product behind a proxy whose address is the product's public one. The first calls have these mishaps.
func fronted(t *testing.T, mishaps ...mishap) (*product, *front) {
	t.Helper()
	if os.Getenv("E2E") == "" {
		t.Skip("E2E is not set: make e2e installs the public libraries that this test drives, and a browser")
	}
	f := &front{mishaps: mishaps}
	plain, secure := httptest.NewServer(f), httptest.NewTLSServer(f)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	f.plain, f.secure = plain.URL, secure.URL
	p := start(t, func(c *config) { c.PublicURL = f.secure })
	target, err := url.Parse(p.base)
	require.NoError(t, err)
	f.mu.Lock()
	f.target = httputil.NewSingleHostReverseProxy(target) //nolint:staticcheck // it hands everything on, as it should
	f.mu.Unlock()
	return p, f
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	target, next := f.target, mishap(-1)
	call := r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/v1/")
	if call && len(f.mishaps) > 0 {
		next, f.mishaps = f.mishaps[0], f.mishaps[1:]
	}
	f.mu.Unlock()
	if call {
		defer f.answered()
	}
	switch next {
	case down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case busy:
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case unheard:
		target.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(http.StatusServiceUnavailable)
	case late:
		<-time.After(lateBy)
		target.ServeHTTP(w, r)
	default:
		target.ServeHTTP(w, r)
	}
}

const lateBy = 200 * time.Millisecond // longer than a page needs to be left

func (f *front) answered() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lastAnswer = time.Now()
}

// allHappened requires that no mishap is left: else the test has shown less than it says.
func (f *front) allHappened(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Empty(t, f.mishaps)
}

// sdkResult is what a script says at its end.
type sdkResult struct {
	Failed      []string `json:"failed"`
	Said        []string `json:"said"`    // errors and warnings in the browser's console
	Foreign     []string `json:"foreign"` // addresses that are neither ours nor the page's
	AnonymousID string   `json:"anonymousId"`
	LeftAt      int64    `json:"leftAt"` // when the page with the script was left, in milliseconds
}

// node runs a script of the e2e folder with an unmodified client; env is NAME=value.
func node(t *testing.T, p *product, endpoint string, who person, script []string, env ...string) (sdkResult, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", script...)
	cmd.Dir = "e2e"
	cmd.WaitDelay = time.Second
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	cmd.Env = append(os.Environ(), "ENDPOINT="+endpoint, "WRITE_KEY="+p.config.WriteKey, "USER_ID="+who.user, "EMAIL="+who.email)
	cmd.Env = append(cmd.Env, env...)
	err := cmd.Run()
	if err != nil {
		t.Log(complaints.String())
		return sdkResult{}, err
	}
	var result sdkResult
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &result), out.String())
	return result, nil
}

// arrived lists the contact's events as "type name", sorted: one line each, so that a double shows.
func (p *product) arrived(t *testing.T, contactID string) []string {
	t.Helper()
	var out []string
	for _, e := range p.timeline(t, contactID) {
		if e.Event != nil && e.Event.Type != "system" {
			out = append(out, strings.TrimSpace(string(e.Event.Type)+" "+e.Event.Name))
		}
	}
	sort.Strings(out)
	return out
}
