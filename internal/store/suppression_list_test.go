package store_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

func TestTheListOfSuppressions(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx := t.Context()
	require.NoError(t, s.Suppress(ctx, "angry@example.test", email.SuppressComplaint, start))
	added, err := s.SuppressAll(ctx, []string{"b@example.test", "A@example.test", "a@example.test", "angry@example.test"}, audience.SuppressImported, "Maria", start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, added, "one was given twice, and one is on the list")
	added, err = s.SuppressAll(ctx, []string{"a@example.test"}, audience.SuppressManual, "Ben", start)
	require.NoError(t, err)
	require.Zero(t, added)

	var got []string
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page, err := s.ListSuppressions(ctx, "", cursor, 2)
		require.NoError(t, err)
		for _, one := range page.Items {
			got = append(got, one.Address+" "+one.Reason+" "+one.AddedBy)
		}
		_, isNumber := strconv.Atoi(page.Next + "0")
		require.NoError(t, isNumber, "a cursor names nobody")
		cursor = page.Next
	}
	require.Equal(t, []string{"b@example.test imported Maria", "a@example.test imported Maria", "angry@example.test complaint "}, got)
	page, err := s.ListSuppressions(ctx, email.SuppressComplaint, "", 10)
	require.NoError(t, err)
	require.Len(t, page.Items, 1)

	require.NoError(t, s.Unsuppress(ctx, "B@example.test"))
	_, is, err := s.Suppressed(ctx, "b@example.test")
	require.NoError(t, err)
	require.False(t, is)
	requireFault(t, s.Unsuppress(ctx, "b@example.test"), fault.NotFound, "not_suppressed")
	requireFault(t, s.Unsuppress(ctx, "angry@example.test"), fault.Conflict, "complained")
	_, is, err = s.Suppressed(ctx, "angry@example.test")
	require.NoError(t, err)
	require.True(t, is)
}
