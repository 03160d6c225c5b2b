package api

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// slowLine hands a file over bit by bit.
type slowLine struct {
	rest string
	step int
}

func (s *slowLine) Read(p []byte) (int, error) {
	if s.rest == "" {
		return 0, io.EOF
	}
	time.Sleep(100 * time.Millisecond) //nolint:forbidigo // a slow line is what is tested
	n := copy(p, s.rest[:min(s.step, len(s.rest))])
	s.rest = s.rest[n:]
	return n, nil
}

// A transfer takes as long as it takes: the server's time-outs are for requests.
func TestALongUploadOutlivesTheServersTimeouts(t *testing.T) {
	t.Parallel()
	w, _ := newImportWorld(t)
	id := w.create(t, `{}`)
	server := httptest.NewUnstartedServer(w.handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	server.Start()
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/v1/imports/"+id+"/file", &slowLine{rest: leads, step: len(leads)/8 + 1})
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer key-admin")
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// brokenExport has one page and then no database.
type brokenExport struct{ noImports }

func (brokenExport) ExportPage(_ context.Context, _, after string, limit int) ([]audience.Contact, error) {
	if after != "" {
		return nil, fault.New(fault.Unavailable, "database_unavailable", "The database can't be reached.")
	}
	page := make([]audience.Contact, limit)
	for i := range page {
		page[i] = audience.Contact{ID: uuid.NewString()}
	}
	return page, nil
}

// Half an export does not look like a whole one.
func TestAnExportThatBreaksIsCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Imports = brokenExport{} })
	server := httptest.NewServer(w.handler)
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/contacts/export", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer key-admin")
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test
	body, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Positive(t, strings.Count(string(body), "\n"))
}

func TestAServerThatShutsDownStopsTransfers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, NewServer(w.handler, ":0").Shutdown(t.Context()))
	require.Eventually(t, w.handler.server.streams.stopping.Load, 10*time.Second, time.Millisecond)
}
