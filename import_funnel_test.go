package main

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// funnelVariable says where the real leads and deals are. They are not ours to ship.
const funnelVariable = "THROUGHLINE_FUNNEL_DATA"

// Real leads and deals are imported as anybody would, and what Throughline counts of them is what the files say.
func TestImportOfRealFunnel(t *testing.T) {
	t.Parallel()
	folder := os.Getenv(funnelVariable)
	if folder == "" {
		t.Skip(funnelVariable + " is not set: the files have a licence of their own and stay where they are")
	}
	p := start(t)
	leads := readCSV(t, filepath.Join(folder, "olist_marketing_qualified_leads.csv"))
	deals := readCSV(t, filepath.Join(folder, "olist_closed_deals.csv"))
	require.Len(t, leads, 8000)
	require.Len(t, deals, 842)

	var b strings.Builder // there are no addresses in the file: one is made of each id
	w := csv.NewWriter(&b)
	require.NoError(t, w.Write([]string{"mql_id", "first_contact_date", "landing_page_id", "origin", "email"}))
	for _, l := range leads {
		require.NoError(t, w.Write([]string{l["mql_id"], l["first_contact_date"], l["landing_page_id"], l["origin"], l["mql_id"] + "@example.test"}))
	}
	w.Flush()
	says, _, err := p.importCLI(t, p.base, writeFile(t, "leads.csv", b.String()),
		"--map", "user_id=mql_id", "--map", "created_at=first_contact_date", "--map", "occurred_at=first_contact_date", "--map", "trait:landing_page=landing_page_id")
	require.NoError(t, err, says)
	require.Contains(t, says, "8,000 rows: 8,000 accepted, 8,000 new contacts, 0 rejected")
	says, _, err = p.importCLI(t, p.base, filepath.Join(folder, "olist_closed_deals.csv"), "--event", "Deal Won",
		"--map", "user_id=mql_id", "--map", "occurred_at=won_date", "--map", "message_id=seller_id", "--map", "property:declared_monthly_revenue:number=declared_monthly_revenue",
		"--map", "property:average_stock=average_stock", "--map", "property:has_company:boolean=has_company")
	require.NoError(t, err, says)
	require.Contains(t, says, "842 rows: 842 accepted, 0 new contacts, 0 rejected")

	origin, wantLeads, wantDeals, wantSegments := map[string]string{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, l := range leads {
		origin[l["mql_id"]] = l["origin"]
		wantLeads[l["first_contact_date"][:7]+" "+l["origin"]]++
	}
	for _, d := range deals {
		wantDeals[d["won_date"][:7]+" "+origin[d["mql_id"]]]++
		wantSegments[d["business_segment"]]++
	}
	require.Equal(t, wantLeads, countBy(t, p, `SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM') || ' ' || coalesce(traits->>'origin', '') FROM contacts`))
	require.Equal(t, wantLeads, countBy(t, p, `SELECT to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM') || ' ' || coalesce(c.traits->>'origin', '')
		FROM events e JOIN contacts c ON c.id = e.contact_id WHERE e.type = 'identify'`))
	require.Equal(t, wantDeals, countBy(t, p, `SELECT to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM') || ' ' || coalesce(c.traits->>'origin', '')
		FROM events e JOIN contacts c ON c.id = e.contact_id WHERE e.name = 'Deal Won'`))
	require.Equal(t, wantSegments, countBy(t, p, `SELECT coalesce(properties->>'business_segment', '') FROM events WHERE name = 'Deal Won'`))

	status, exported := p.do(t, http.MethodGet, "/v1/contacts/export?traits=origin", p.config.AdminKey, "")
	require.Equal(t, http.StatusOK, status)
	got := map[string]int{}
	for _, c := range parseCSV(t, string(exported)) {
		got[c["created_at"][:7]+" "+c["origin"]]++
	}
	require.Equal(t, wantLeads, got, "the api gives the same")
	logFunnel(t, wantLeads, wantDeals)
}

// logFunnel prints what was counted.
func logFunnel(t *testing.T, leads, deals map[string]int) {
	t.Helper()
	for _, cut := range []struct {
		title string
		key   func(string) string
	}{
		{"origin", func(k string) string { return k[8:] }},
		{"month", func(k string) string { return k[:7] }},
	} {
		rows := map[string][2]int{}
		for k, n := range leads {
			r := rows[cut.key(k)]
			rows[cut.key(k)] = [2]int{r[0] + n, r[1]}
		}
		for k, n := range deals {
			r := rows[cut.key(k)]
			rows[cut.key(k)] = [2]int{r[0], r[1] + n}
		}
		var text strings.Builder
		fmt.Fprintf(&text, "%-20s %6s %6s\n", cut.title, "leads", "deals")
		for _, name := range slices.Sorted(maps.Keys(rows)) {
			fmt.Fprintf(&text, "%-20s %6d %6d\n", name, rows[name][0], rows[name][1])
		}
		t.Log("\n" + text.String())
	}
}

func countBy(t *testing.T, p *product, sql string) map[string]int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.config.DatabaseURL)
	require.NoError(t, err)
	defer conn.Close(t.Context()) //nolint:errcheck // a test
	rows, err := conn.Query(t.Context(), sql)
	require.NoError(t, err)
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	out := map[string]int{}
	for _, k := range keys {
		out[k]++
	}
	return out
}

func readCSV(t *testing.T, path string) []map[string]string {
	t.Helper()
	data, err := os.ReadFile(path) //nolint:gosec // the user names the folder
	require.NoError(t, err)
	return parseCSV(t, string(data))
}

func parseCSV(t *testing.T, text string) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, row := range rows[1:] {
		record := map[string]string{}
		for i, name := range rows[0] {
			record[name] = row[i]
		}
		out = append(out, record)
	}
	return out
}
