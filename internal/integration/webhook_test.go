package integration

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
)

const (
	vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherSecret  = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
)

// The vector of the Standard Webhooks specification.
func TestSignWebhookVector(t *testing.T) {
	t.Parallel()
	signature, err := signWebhook(vectorSecret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	require.NoError(t, err)
	require.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", signature)
	both, err := signWebhook(otherSecret+" "+vectorSecret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(both, " "+signature))
}

func webhooks(t testing.TB, timeout time.Duration) *Webhooks {
	t.Helper()
	w := NewWebhooks(Options{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: timeout})
	w.now = func() time.Time { return time.Unix(1_795_000_000, 0) }
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

func call(url string) WebhookRequest {
	return WebhookRequest{ID: "msg_1", URL: url, Secret: vectorSecret, Payload: map[string]any{"type": "trial.stalled", "data": map[string]any{"contact_id": "c1"}}}
}

func TestCallSigns(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.JSONEq(t, `{"type":"trial.stalled","data":{"contact_id":"c1"}}`, string(body))
		signature, err := signWebhook(vectorSecret, r.Header.Get("webhook-id"), time.Unix(1_795_000_000, 0), body)
		require.NoError(t, err)
		require.Equal(t, signature, r.Header.Get("webhook-signature"))
		require.Equal(t, "1795000000", r.Header.Get("webhook-timestamp"))
		require.Equal(t, http.MethodPost, r.Method)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	result, err := webhooks(t, 0).Call(t.Context(), call(server.URL))
	require.NoError(t, err)
	require.Equal(t, WebhookResult{Status: 204}, result)
}

func TestCallFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status     int
		retryAfter string
		kind       fault.Kind
		code       string
		wait       time.Duration
	}{
		{429, "120", fault.Unavailable, "webhook_unavailable", 2 * time.Minute},
		{503, "Thu, 18 Nov 2027 00:00:00 GMT", fault.Unavailable, "webhook_unavailable", 24 * time.Hour},
		{500, "-3", fault.Unavailable, "webhook_unavailable", 0},
		{502, "soon", fault.Unavailable, "webhook_unavailable", 0},
		{408, "", fault.Unavailable, "webhook_unavailable", 0},
		{400, "", fault.Invalid, "webhook_refused", 0},
		{401, "", fault.Invalid, "webhook_refused", 0},
		{410, "", fault.Invalid, "webhook_gone", 0},
		{302, "", fault.Invalid, "webhook_redirect", 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", tc.retryAfter)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, "ana@example.net")
		}))
		result, err := webhooks(t, 0).Call(t.Context(), call(server.URL))
		server.Close()
		require.Equal(t, tc.status, result.Status)
		require.Equal(t, tc.kind, fault.KindOf(err), tc.status)
		f, ok := fault.As(err)
		require.True(t, ok)
		require.Equal(t, tc.code, f.Code)
		require.Equal(t, tc.wait, RetryAfterOf(err))
		require.NotContains(t, err.Error(), "ana@")
	}
}

func TestCallTimesOutAndHidesTheAddress(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	_, err := webhooks(t, 30*time.Millisecond).Call(t.Context(), call(server.URL+"/hooks/secret-token"))
	close(over)
	server.Close()
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	f, _ := fault.As(err)
	require.Equal(t, "webhook_timeout", f.Code)
	require.NotContains(t, err.Error(), "secret-token")
	_, err = webhooks(t, time.Second).Call(t.Context(), call(server.URL+"/hooks/secret-token"))
	f, _ = fault.As(err)
	require.Equal(t, "webhook_unreachable", f.Code)
	require.NotContains(t, err.Error(), "secret-token")
}

func TestCallRefusesBadRequests(t *testing.T) {
	t.Parallel()
	for code, change := range map[string]func(*WebhookRequest){
		"webhook_secret":            func(r *WebhookRequest) { r.Secret = "plain" },
		"webhook_id":                func(r *WebhookRequest) { r.ID = "a.b" },
		"webhook_url":               func(r *WebhookRequest) { r.URL = "file:///etc/passwd" },
		"webhook_forbidden_address": func(r *WebhookRequest) { r.URL = "https://10.1.2.3/" },
		"webhook_payload":           func(r *WebhookRequest) { r.Payload["big"] = strings.Repeat("x", maxWebhookPayload) },
	} {
		in := call("https://192.168.0.1")
		change(&in)
		_, err := webhooks(t, time.Second).Call(t.Context(), in)
		f, ok := fault.As(err)
		require.True(t, ok, code)
		require.Equal(t, code, f.Code)
		require.Equal(t, fault.Invalid, f.Kind)
	}
}
