package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Populate fills the tables by SQL: as many contacts, and events spread over them and over half a year.
func Populate(t testing.TB, conn *pgx.Conn, contacts, events int, now time.Time) {
	t.Helper()
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO companies (id, group_id, traits, created_at, updated_at)
			SELECT gen_random_uuid(), 'company-' || n, jsonb_build_object('industry', (ARRAY['software','retail','health','finance'])[1 + n %% 4]), now(), now()
			FROM generate_series(1, %d) n`, contacts/50),
		fmt.Sprintf(`INSERT INTO contacts (id, user_id, traits, created_at, updated_at, company_id, last_seq, score_state)
			SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user-' || n,
				jsonb_build_object('plan', (ARRAY['trial','paid','free'])[1 + n %% 3], 'seats', n %% 60, 'country', 'DE', 'role', 'maker'), now(), now(),
				(SELECT id FROM companies WHERE group_id = 'company-' || (1 + n %% %d)), %d,
				jsonb_build_object('model', 1, 'fit', n %% 20, 'engagement', jsonb_build_object('product',
					jsonb_build_object('value', n %% 50, 'at', to_char(now() - (n %% 60) * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))))
			FROM generate_series(1, %d) n`, max(contacts/50, 1), events/contacts, contacts),
		`INSERT INTO identities (kind, value, contact_id) SELECT 'user_id', user_id, id FROM contacts`,
		fmt.Sprintf(`INSERT INTO events (id, contact_id, seq, source, message_id, type, name, properties, occurred_at, received_at)
			SELECT gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad(to_hex(1 + n %% %d), 12, '0'))::uuid, 1 + n / %d, 'bench', 'm' || n, 'track',
				'Event ' || (n / %d + n * 7) %% 25, jsonb_build_object('amount', n %% 100), $1::timestamptz - random() * interval '180 days', $1
			FROM generate_series(0, %d - 1) n`, contacts, contacts, contacts, events),
		`INSERT INTO objects (type, id, contact_id, fields, created_at, updated_at)
			SELECT 'subscription', 'o' || user_id, id, jsonb_build_object('mrr', ('x' || right(id::text, 2))::bit(8)::int), now(), now() FROM contacts`,
		"VACUUM ANALYZE",
	} {
		args := []any{}
		if strings.Contains(statement, "$1") {
			args = append(args, now)
		}
		_, err := conn.Exec(t.Context(), statement, args...)
		require.NoError(t, err, statement)
	}
}
