package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/email/doctor"
)

type memoryDeliverability struct{ last *doctor.Report }

func (m *memoryDeliverability) LastCheck(context.Context) (*doctor.Report, error) { return m.last, nil }

func (m *memoryDeliverability) Check(_ context.Context, now time.Time) (doctor.Report, error) {
	m.last = &doctor.Report{At: now, Result: doctor.Fail, Findings: []doctor.Finding{{Check: doctor.CheckSPF, Result: doctor.Fail, About: "acme.net", Found: "There is no SPF record.",
		Fix: "Publish one.", Record: &doctor.Record{Name: "acme.net", Type: "TXT", Value: "v=spf1 -all"}, Source: "https://www.rfc-editor.org/rfc/rfc7208"}}}
	return *m.last, nil
}

func (m *memoryDeliverability) CountMails(context.Context, time.Time) ([]email.Numbers, error) {
	return []email.Numbers{{Journey: "trial", Domain: "gmail.com", Class: email.Marketing, Mails: 1000, Complaints: 1}}, nil
}

func (m *memoryDeliverability) CountSuppressions(context.Context) ([]email.SuppressedFor, error) {
	return []email.SuppressedFor{{Reason: "complaint", Addresses: 3}}, nil
}

func (m *memoryDeliverability) CountUnmatchedReports(context.Context) (int64, error) { return 2, nil }

func TestDeliverability(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := decode[DeliverabilityReport](t, w, admin("GET", "/v1/deliverability", ""), http.StatusOK)
	require.Nil(t, before.Check)
	require.Equal(t, []email.MailNumbers{{Of: "trial", Mails: 1000, Complaints: 1, State: "watch"}}, before.Journeys)
	require.Equal(t, "gmail", before.Providers[0].Of)
	require.Equal(t, []any{int64(2), 7}, []any{before.UnmatchedReports, before.Days})
	found := decode[doctor.Report](t, w, admin("POST", "/v1/deliverability/check", ""), http.StatusOK)
	require.Equal(t, doctor.Fail, found.Result)
	require.Equal(t, found.Findings, decode[DeliverabilityReport](t, w, admin("GET", "/v1/deliverability", ""), http.StatusOK).Check.Findings)
	w.run(t, []row{
		{name: "names come from the configuration", call: admin("POST", "/v1/deliverability/check", `{"domain":"internal.example"}`), status: 200, contains: []string{`"about":"acme.net"`}},
	})
}
