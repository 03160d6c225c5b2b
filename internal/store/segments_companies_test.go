package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/store"
)

// The clock job tells the members of a company that changed, adds up their scores, and leaves them alone when nobody looks at the sum.
func TestRefreshCompanies(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	saveSegment(t, s, "enterprise", `company.plan == "enterprise"`)
	walk(t, s, start, 100)
	ana := ingest(t, s, start, group("ana", "acme", "1", nil))[0].ContactID
	bob := ingest(t, s, start, group("bob", "acme", "2", nil))[0].ContactID
	eve := ingest(t, s, start, group("eve", "other", "3", nil))[0].ContactID
	turn := func(now time.Time) int {
		for next := ""; ; {
			var err error
			next, err = s.RefreshCompanies(ctx, now, next, 1)
			require.NoError(t, err)
			if next == "" {
				return refreshDue(t, s, now)
			}
		}
	}
	turn(start)
	require.Zero(t, turn(start), "told is told")

	_, err := s.SaveCompany(ctx, "acme", map[string]any{"plan": "enterprise"}, true, start)
	require.NoError(t, err)
	require.Empty(t, members(t, s, "enterprise"))
	require.Equal(t, 2, turn(start.Add(time.Second)), "the two of acme, and nobody else")
	require.ElementsMatch(t, []string{ana, bob}, members(t, s, "enterprise"))
	require.Equal(t, map[string]int{"Segment Entered: enterprise": 1}, notes(t, conn, ana))

	points := func(contact string, n int) {
		inContact(t, s, contact, func(ctx context.Context, tx *store.ContactTx) {
			_, _, err := tx.AddScore(ctx, n, "because", "", "", 0, start)
			require.NoError(t, err)
		})
	}
	sum := func(groupID string) int {
		company, err := s.FindCompanyByGroup(ctx, groupID)
		require.NoError(t, err)
		return company.Score
	}
	points(ana, 30)
	points(bob, -5)
	points(eve, 7)
	require.Zero(t, turn(start.Add(2*time.Second)), "no rule looks at the sum")
	require.Equal(t, []int{25, 7}, []int{sum("acme"), sum("other")})

	saveSegment(t, s, "warm", `company.score >= 40`)
	walk(t, s, start, 100)
	points(bob, 20)
	require.Equal(t, 2, turn(start.Add(3*time.Second)))
	require.ElementsMatch(t, []string{ana, bob}, members(t, s, "warm"))
	_, err = s.RefreshCompanies(ctx, start, "nonsense", 1)
	require.Error(t, err)
}
