package workflows_test

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"throughline.dev/throughline/worker"
	"throughline.dev/throughline/workflows"
)

// Every recorded history runs through today's workflow code without a difference: a deploy breaks nobody on their way.
func TestReplay(t *testing.T) {
	t.Parallel()
	files := histories(t, "*")
	require.GreaterOrEqual(t, len(files), 5)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			replayer := sdk.NewWorkflowReplayer()
			worker.RegisterWorkflows(replayer)
			require.NoError(t, replayer.ReplayWorkflowHistory(nil, load(t, file)))
		})
	}
}

// The control: a workflow that was changed without care must be noticed, or the test above proves nothing.
func TestReplayNoticesAChange(t *testing.T) {
	t.Parallel()
	for _, file := range histories(t, "journey*") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			replayer := sdk.NewWorkflowReplayer()
			replayer.RegisterWorkflowWithOptions(func(ctx workflow.Context, in workflows.JourneyInput) error {
				if err := workflow.Sleep(ctx, time.Second); err != nil { // a timer that the history has not
					return err
				}
				return workflows.CustomerJourney(ctx, in)
			}, workflow.RegisterOptions{Name: workflows.CustomerJourneyName})
			err := replayer.ReplayWorkflowHistory(nil, load(t, file))
			require.Error(t, err)
			require.True(t, strings.Contains(err.Error(), "TMPRL1100") || strings.Contains(strings.ToLower(err.Error()), "nondeterministic"), err.Error())
		})
	}
}

func histories(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "history", pattern+".json.gz"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func load(t *testing.T, file string) *history.History {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // read only
	unpacked, err := gzip.NewReader(f)
	require.NoError(t, err)
	h, err := client.HistoryFromJSON(unpacked, client.HistoryJSONOptions{})
	require.NoError(t, err)
	return h
}
