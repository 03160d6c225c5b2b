package main

import (
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
	path := filepath.Join("workflows", "testdata", "history", name+".json")
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
	data, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&history)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(data, '\n'), 0o600))
	t.Logf("recorded %s: %d events", path, len(history.GetEvents()))
}
