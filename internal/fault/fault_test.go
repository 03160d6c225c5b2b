package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
)

func TestKindSurvivesWrapping(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection refused")
	err := fmt.Errorf("read contact: %w", fault.Wrap(fault.Unavailable, "database_down", "The database does not answer.", cause))
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorIs(t, err, cause)
	f, ok := fault.As(err)
	require.True(t, ok)
	require.Equal(t, "database_down", f.Code)
	require.NotContains(t, f.Message, "refused", "the cause is for the log alone")

	require.Equal(t, fault.Internal, fault.KindOf(cause), "what is no fault is internal")
	_, ok = fault.As(cause)
	require.False(t, ok)
}

func TestOnlyErrorsBlock(t *testing.T) {
	t.Parallel()
	warning, failure := fault.Problem{Level: fault.LevelWarning}, fault.Problem{Level: fault.LevelError}
	require.False(t, fault.HasErrors(nil))
	require.False(t, fault.HasErrors([]fault.Problem{warning}))
	require.True(t, fault.HasErrors([]fault.Problem{warning, failure}))
}
