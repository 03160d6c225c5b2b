package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/workflows"
)

// holding lists the tables of the product's database that hold a text anywhere.
func holding(t *testing.T, database, text string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context()) //nolint:errcheck // a test
	rows, err := conn.Query(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	var found []string
	for _, table := range tables {
		var there bool
		sql := fmt.Sprintf("SELECT EXISTS (SELECT 1 FROM %s r WHERE strpos(lower(r::text), lower($1)) > 0 OR strpos(lower(r::text), $2) > 0)", pgx.Identifier{table}.Sanitize())
		require.NoError(t, conn.QueryRow(t.Context(), sql, text, fmt.Sprintf("%x", text)).Scan(&there))
		if there {
			found = append(found, table)
		}
	}
	return found
}

// A contact in the middle of two journeys, merged once, in the hands of sales: after the erasure there is nothing of it, in Postgres or in
// Temporal, and who comes back is new and gets no mail.
func TestEraseAContact(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome {{ contact.first_name }}")
	p.template(t, "tips", "Tips")
	p.publish(t, sendWaitSend)
	p.publish(t, desk)
	c, who, v := p.temporal(t), newPerson(), p.visit(t)
	id := p.identify(t, who, nil)
	p.does(t, v, "Signed Up")
	eventually(t, "the visitor's mail arrives", func() bool { return len(caught(t, v.email)) == 1 })
	p.joins(t, v, who)
	over(t, c, v.id)
	p.track(t, who, "Call me", nil)
	handoff := p.openHandoff(t, id)
	for _, text := range []string{who.email, who.name, v.email, v.name} {
		require.NotEmpty(t, holding(t, p.config.DatabaseURL, text))
	}

	status, body := p.do(t, "POST", "/v1/contacts/"+id+"/erase", p.config.AdminKey, "")
	require.Equal(t, http.StatusAccepted, status, string(body))
	var erasure audience.Erasure
	require.NoError(t, json.Unmarshal(body, &erasure))
	eventually(t, "the erasure is done", func() bool {
		erasure = admin[audience.Erasure](t, p, "GET", "/v1/erasures/"+erasure.ID, "")
		return erasure.State == audience.ErasureDone
	})
	require.Equal(t, []any{2, int64(1), int64(3)}, []any{erasure.Addresses, erasure.Counts["contacts"], erasure.Counts["workflows"]})
	for _, text := range []string{who.email, who.name, v.email, v.name, who.user, v.user} {
		require.Empty(t, holding(t, p.config.DatabaseURL, text), text)
	}
	noPersonalData(t, who)
	noPersonalData(t, v.person)
	for _, workflowID := range []string{workflows.JourneyID(id), workflows.JourneyID(v.id), workflows.HandoffID(handoff.ID)} {
		_, err := c.DescribeWorkflowExecution(t.Context(), workflowID, "")
		require.Error(t, err, workflowID)
		listed, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: p.config.TemporalNamespace, Query: fmt.Sprintf("WorkflowId = '%s'", workflowID),
		})
		require.NoError(t, err)
		require.Empty(t, listed.GetExecutions(), workflowID)
	}
	status, _ = p.do(t, "GET", "/v1/contacts/"+id, p.config.AdminKey, "")
	require.Equal(t, http.StatusNotFound, status)
	require.Empty(t, admin[list[audience.Contact]](t, p, "GET", "/v1/contacts?user_id="+url.QueryEscape(who.user), "").Data)

	again := p.identify(t, who, nil)
	require.NotEqual(t, id, again)
	p.track(t, who, "Signed Up", nil)
	eventually(t, "the new contact's mail is decided on", func() bool { return p.messageAt(t, again, "welcome") != nil })
	m := p.messageAt(t, again, "welcome")
	require.Equal(t, []any{email.Skipped, email.ReasonSuppressed}, []any{m.State, m.Reason})
	require.Empty(t, caught(t, who.email))
}
