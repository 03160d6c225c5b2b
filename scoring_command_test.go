package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScoringCommand(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	require.NoError(t, os.WriteFile(wrong, []byte("fit: {rules: [{id: a, when: scor > 1, points: 5}]}\n"), 0o600))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut || r.URL.Path != "/v1/scoring" || r.Header.Get("Authorization") != "Bearer thr_test_0123456789abcdef" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(`{"version":7,"hash":"h","problems":[]}`))
	}))
	defer server.Close()
	t.Setenv("PUBLIC_URL", server.URL)
	t.Setenv("THROUGHLINE_ADMIN_KEY", "thr_test_0123456789abcdef")
	for _, row := range []struct {
		args []string
		err  error
		says string
	}{
		{[]string{"scoring"}, errUsage, ""},
		{[]string{"scoring", "dance", wrong}, errUsage, ""},
		{[]string{"scoring", "lint", wrong}, errProblems, "condition_unknown_name: /fit/rules/0/when"},
		{[]string{"scoring", "publish", wrong}, errProblems, "/fit/rules/0/when"},
		{[]string{"scoring", "lint", "examples/scoring.yaml"}, nil, "scoring.yaml: ok"},
		{[]string{"scoring", "publish", "examples/scoring.yaml"}, nil, "version 7 counts"},
		{[]string{"scoring", "lint", wrong + ".not"}, os.ErrNotExist, ""},
	} {
		var out bytes.Buffer
		require.ErrorIs(t, run(t.Context(), row.args, &out), row.err, row.args)
		require.Contains(t, out.String(), row.says)
	}
}
