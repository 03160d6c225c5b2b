package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/storetest"
)

func TestDeliverabilityCheckAndCounts(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	none, err := s.FindDeliverabilityCheck(ctx)
	require.NoError(t, err)
	require.Nil(t, none)
	require.NoError(t, s.SaveDeliverabilityCheck(ctx, start.Add(time.Minute), json.RawMessage(`{"result":"fail"}`)))
	require.NoError(t, s.SaveDeliverabilityCheck(ctx, start, json.RawMessage(`{"result":"pass"}`)))
	kept, err := s.FindDeliverabilityCheck(ctx)
	require.NoError(t, err)
	require.JSONEq(t, `{"result":"fail"}`, string(kept), "the later look is kept")

	m := sentMail(t, s, 1, "ana@example.test")
	take(t, s, start, report(m, "complaint", email.Complained, ""))
	mails, err := s.CountMails(ctx, start.Add(-time.Hour))
	require.NoError(t, err)
	require.Len(t, mails, 1)
	require.Equal(t, []any{int64(1), int64(1), int64(0), email.Marketing}, []any{mails[0].Mails, mails[0].Complaints, mails[0].HardBounces, mails[0].Class})
	mails, err = s.CountMails(ctx, start.Add(time.Hour))
	require.NoError(t, err)
	require.Empty(t, mails, "older mails don't count")
	suppressed, err := s.CountSuppressions(ctx)
	require.NoError(t, err)
	require.Equal(t, []email.SuppressedFor{{Reason: "complaint", Addresses: 1}}, suppressed)
	unmatched, err := s.CountUnmatchedReports(ctx)
	require.NoError(t, err)
	require.Zero(t, unmatched)
}
