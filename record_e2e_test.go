package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
)

// record keeps a workflow's history for the replay tests, when RECORD_HISTORIES is set. A file that is there stays: old
// histories are what the replay is for.
func record(t *testing.T, c client.Client, workflowID, runID, name string) {
	t.Helper()
	if os.Getenv("RECORD_HISTORIES") == "" {
		return
	}
	path := filepath.Join("workflows", "testdata", "history", name+".json.gz")
	if _, err := os.Stat(path); err == nil {
		return
	}
	var history historypb.History
	it := c.GetWorkflowHistory(t.Context(), workflowID, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, e)
	}
	data, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(&history)
	require.NoError(t, err)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile(path, packed.Bytes(), 0o644)) //nolint:gosec // test data for everybody
	t.Logf("recorded %s: %d events", path, len(history.GetEvents()))
}
