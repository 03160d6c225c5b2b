package integration_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"throughline.dev/throughline/internal/integration"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

func serve(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, o integration.Options, url string) (*http.Response, error) {
	t.Helper()
	client := integration.NewClient(o)
	t.Cleanup(client.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	if err == nil {
		t.Cleanup(func() { require.NoError(t, resp.Body.Close()) })
	}
	return resp, err
}

func TestClientRefusesPrivateAddresses(t *testing.T) {
	t.Parallel()
	server := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the call went out") })
	for _, url := range []string{
		server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), strings.Replace(server.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1),
		"https://127.0.0.1", "https://10.0.0.1", "https://169.254.169.254/latest/meta-data", "https://[::1]", "https://[fd00::1]", "https://0.0.0.0",
		"http://1.1.1.1", "https://1.1.1.1:8443", "ftp://1.1.1.1", "https://user:pass@1.1.1.1",
	} {
		_, err := get(t, integration.Options{Timeout: 2 * time.Second}, url) //nolint:bodyclose // there is none
		require.Error(t, err, url)
		require.Regexp(t, "prohibited|not allowed|only https", err.Error(), url)
	}
}

func TestClientReachesAnAllowedNetwork(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	resp, err := get(t, integration.Options{AllowPrivate: loopback()}, server.URL)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "ok", string(body))
}

func TestClientFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/", r.URL.Path)
		http.Redirect(w, r, "/secret", http.StatusFound)
	})
	resp, err := get(t, integration.Options{AllowPrivate: loopback()}, server.URL+"/")
	require.NoError(t, err)
	require.Equal(t, http.StatusFound, resp.StatusCode)
}

func TestClientCapsBodies(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := 100
		if r.URL.Path == "/more" {
			n++
		}
		_, _ = io.WriteString(w, strings.Repeat("x", n))
	})
	o := integration.Options{AllowPrivate: loopback(), MaxResponse: 100}
	resp, err := get(t, o, server.URL+"/exact")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Len(t, body, 100)
	resp, err = get(t, o, server.URL+"/more")
	require.NoError(t, err)
	body, err = io.ReadAll(resp.Body)
	require.ErrorIs(t, err, integration.ErrResponseTooLarge)
	require.Len(t, body, 100)
}
