package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// maxImportDomains bounds what is kept of a file in which every row has a domain of its own: the rest is counted together, and its domains
// stay unknown in the report.
const maxImportDomains = 100_000

func addImportAddresses(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, addresses []audience.ImportAddresses) error {
	if len(addresses) == 0 {
		return nil
	}
	rows := dbsqlc.AddImportAddressesParams{ImportID: id, MaxKept: maxImportDomains}
	for _, a := range addresses {
		rows.Domains, rows.Reasons = append(rows.Domains, a.Domain), append(rows.Reasons, strings.Join(a.Reasons, ","))
		rows.Counts = append(rows.Counts, a.Rows)
	}
	return q.AddImportAddresses(ctx, rows)
}

// importWithAddresses adds what is known now of the addresses in the file.
func (s *Store) importWithAddresses(ctx context.Context, row dbsqlc.Import) (audience.Import, error) {
	out, err := importOf(row)
	if err != nil {
		return out, err
	}
	sums, err := s.q.SumImportAddresses(ctx, row.ID)
	if err != nil {
		return out, failure("sum addresses", err)
	}
	at := map[string]int{}
	for _, sum := range sums {
		judged := email.WithDomain(sum.Reasons, email.MailDomain(sum.State))
		key := strings.Join(judged.Reasons, ",") + judged.Verdict
		if _, there := at[key]; !there {
			at[key] = len(out.Addresses)
			out.Addresses = append(out.Addresses, audience.ImportVerdict{Verdict: judged.Verdict, Reasons: judged.Reasons})
		}
		out.Addresses[at[key]].Rows += sum.FileRows
	}
	slices.SortFunc(out.Addresses, func(a, b audience.ImportVerdict) int {
		return cmp.Or(cmp.Compare(a.Verdict, b.Verdict), cmp.Compare(b.Rows, a.Rows), slices.Compare(a.Reasons, b.Reasons))
	})
	return out, nil
}
