package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func verdictOf(t testing.TB, s *store.Store, id string) (string, []string, string) {
	t.Helper()
	c, err := s.FindContact(t.Context(), id)
	require.NoError(t, err)
	return c.EmailVerdict, c.EmailReasons, c.EmailSuggestion
}

func dueDomains(t testing.TB, s *store.Store, now time.Time) map[string]string {
	t.Helper()
	due, err := s.DueAddresses(t.Context(), now, 100)
	require.NoError(t, err)
	out := map[string]string{}
	for _, d := range due {
		out[d.ContactID] = d.Domain
	}
	return out
}

// The verdict is there when the event is, follows every change of the address, and moves segments.
func TestAddressesAreJudged(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	saveSegment(t, s, "bad", `contact.email_verdict == "undeliverable"`)
	saveSegment(t, s, "throwaway", `"disposable" in contact.email_reasons`)
	walk(t, s, start, 100)

	got := ingest(t, s, start,
		identify("typo", "1", map[string]any{"email": "Ana@gmial.com"}), identify("throw", "2", map[string]any{"email": "x@mailinator.com"}),
		identify("plain", "3", map[string]any{"email": "ana@acme.net"}), identify("none", "4", map[string]any{"plan": "trial", "email_verdict": "deliverable"}),
		identify("broken", "5", map[string]any{"email": "not an address"}))
	want := []struct {
		verdict, suggestion string
		reasons             []string
	}{{"risky", "Ana@gmail.com", []string{"typo"}}, {"risky", "", []string{"disposable"}}, {"unknown", "", []string{}}, {"", "", []string{}}, {"undeliverable", "", []string{"syntax"}}}
	for i, w := range want {
		verdict, reasons, suggestion := verdictOf(t, s, got[i].ContactID)
		require.Equal(t, []any{w.verdict, w.reasons, w.suggestion}, []any{verdict, reasons, suggestion}, i)
	}
	require.Equal(t, []string{got[4].ContactID}, members(t, s, "bad"))
	require.Equal(t, []string{got[1].ContactID}, members(t, s, "throwaway"))
	require.Equal(t, map[string]string{got[0].ContactID: "gmial.com", got[1].ContactID: "mailinator.com", got[2].ContactID: "acme.net"}, dueDomains(t, s, start))

	// What DNS says moves the contact, and it is not asked again for long.
	plain := got[2].ContactID
	require.NoError(t, s.SettleAddresses(ctx, []string{plain}, map[string]email.MailDomain{"acme.net": email.DomainNone}, start))
	verdict, reasons, _ := verdictOf(t, s, plain)
	require.Equal(t, []any{"undeliverable", []string{"no_mx"}}, []any{verdict, reasons})
	require.ElementsMatch(t, []string{plain, got[4].ContactID}, members(t, s, "bad"))
	require.NotContains(t, dueDomains(t, s, start), plain)
	require.Contains(t, dueDomains(t, s, start.Add(25*time.Hour)), plain)

	// A contact whose address has changed meanwhile is left to the next look.
	ingest(t, s, start, identify("plain", "6", map[string]any{"email": "ana@other.net"}))
	verdict, reasons, _ = verdictOf(t, s, plain)
	require.Equal(t, []any{"unknown", []string{}}, []any{verdict, reasons})
	require.NoError(t, s.SettleAddresses(ctx, []string{plain}, map[string]email.MailDomain{"acme.net": email.DomainTakesMail}, start))
	verdict, _, _ = verdictOf(t, s, plain)
	require.Equal(t, "unknown", verdict)
	require.Equal(t, "other.net", dueDomains(t, s, start)[plain])
	require.Equal(t, []string{got[4].ContactID}, members(t, s, "bad"))

	// A journey's own change is judged, too, and so is the removal.
	inContact(t, s, plain, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.UpdateContact(ctx, map[string]any{"email": "x@mailinator.com"}, nil, start))
		require.Equal(t, "risky", tx.Contact().EmailVerdict)
		require.NoError(t, tx.UpdateContact(ctx, map[string]any{"email": nil}, nil, start))
		require.Empty(t, tx.Contact().EmailVerdict)
	})
	require.NotContains(t, dueDomains(t, s, start), plain)
}

// Of two that are one, the address that stays keeps what is known of it.
func TestMergeKeepsTheVerdict(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	a := ingest(t, s, start, identify("a", "1", map[string]any{"email": "ana@acme.net"}))[0].ContactID
	b := ingest(t, s, start, track("b", "Signed Up", "2"))[0].ContactID
	require.NoError(t, s.SettleAddresses(t.Context(), []string{a}, map[string]email.MailDomain{"acme.net": email.DomainRefuses}, start))
	ingest(t, s, start, audience.Incoming{Source: "test", MessageID: "3", Type: audience.TypeAlias, UserID: "b", PreviousID: "a", OccurredAt: start})
	verdict, reasons, _ := verdictOf(t, s, b)
	require.Equal(t, []any{"undeliverable", []string{"null_mx"}}, []any{verdict, reasons})
}

func TestMailDomains(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	for _, c := range []struct {
		says, kept email.MailDomain
		after      time.Duration
	}{
		{email.DomainUnknown, email.DomainUnknown, 0}, {email.DomainTakesMail, email.DomainTakesMail, time.Minute},
		{email.DomainUnknown, email.DomainTakesMail, time.Hour},                                                        // a resolver that is down makes nobody unknown
		{email.DomainNone, email.DomainNone, 2 * time.Hour}, {email.DomainUnknown, email.DomainUnknown, 3 * time.Hour}, // and never speaks against anybody
	} {
		kept, err := s.SaveMailDomain(ctx, "acme.net", c.says, start.Add(c.after))
		require.NoError(t, err)
		require.Equal(t, c.kept, kept)
	}
	known, err := s.MailDomains(ctx, []string{"acme.net", "other.net"}, start.Add(3*time.Hour))
	require.NoError(t, err)
	require.Equal(t, map[string]email.MailDomain{"acme.net": email.DomainUnknown}, known)
	known, err = s.MailDomains(ctx, []string{"acme.net"}, start.Add(5*time.Hour))
	require.NoError(t, err)
	require.Empty(t, known, "it is asked again")
}

// An import groups its rows by what is known of their addresses now.
func TestImportCountsAddresses(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	made, err := s.CreateImport(ctx, "leads", audience.ImportSpec{Kind: audience.TypeIdentify}, false, start)
	require.NoError(t, err)
	step := audience.ImportStep{To: audience.ImportMark{Line: 7, Offset: 10, Digest: []byte("x")}, Counts: audience.ImportCounts{Rows: 7, Accepted: 6, Rejected: 1},
		Addresses: []audience.ImportAddresses{
			{Domain: "acme.net", Rows: 2}, {Domain: "gone.net", Rows: 1}, {Domain: "gone.net", Reasons: []string{"role"}, Rows: 1},
			{Domain: "mailinator.com", Reasons: []string{"disposable"}, Rows: 2}, {Reasons: []string{"syntax"}, Rows: 1},
		}}
	require.NoError(t, s.AdvanceImport(ctx, made.ID, step, start))
	step.From, step.To.Offset = 10, 20
	require.NoError(t, s.AdvanceImport(ctx, made.ID, step, start))
	found, err := s.FindImport(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, []audience.ImportVerdict{
		{Verdict: "risky", Reasons: []string{"disposable"}, Rows: 4}, {Verdict: "risky", Reasons: []string{"role"}, Rows: 2},
		{Verdict: "undeliverable", Reasons: []string{"syntax"}, Rows: 2}, {Verdict: "unknown", Reasons: []string{}, Rows: 6},
	}, found.Addresses)
	for domain, state := range map[string]email.MailDomain{"acme.net": email.DomainTakesMail, "gone.net": email.DomainNone} {
		_, err := s.SaveMailDomain(ctx, domain, state, start)
		require.NoError(t, err)
	}
	done, err := s.FinishImport(ctx, made.ID, start)
	require.NoError(t, err)
	require.Equal(t, []audience.ImportVerdict{
		{Verdict: "deliverable", Reasons: []string{}, Rows: 4}, {Verdict: "risky", Reasons: []string{"disposable"}, Rows: 4},
		{Verdict: "undeliverable", Reasons: []string{"no_mx"}, Rows: 2}, {Verdict: "undeliverable", Reasons: []string{"no_mx", "role"}, Rows: 2},
		{Verdict: "undeliverable", Reasons: []string{"syntax"}, Rows: 2},
	}, done.Addresses)
	_, err = s.FindImport(ctx, uuid.NewString())
	require.Error(t, err)
}
