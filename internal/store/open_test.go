package store_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// A password may hold every character that means something in a URL, in SQL and in a keyword string.
const hostilePassword = `p@ss:/w?o#r%d&x=y 'q"u\o;te$$`

func TestOpenWithHostilePassword(t *testing.T) {
	t.Parallel()
	server := storetest.ServerURL(t)
	admin, err := pgx.Connect(t.Context(), server)
	require.NoError(t, err)
	defer admin.Close(t.Context())
	role := "hostile_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	quoted := pgx.Identifier{role}.Sanitize()
	// E'' because the server reads the literal; quotes and backslashes are doubled.
	literal := strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(hostilePassword)
	_, err = admin.Exec(t.Context(), fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD E'%s'", quoted, literal))
	require.NoError(t, err)
	defer func() {
		_, err := admin.Exec(t.Context(), "DROP ROLE "+quoted)
		require.NoError(t, err)
	}()

	u, err := url.Parse(server)
	require.NoError(t, err)
	u.User = url.UserPassword(role, hostilePassword)
	s, err := store.Open(t.Context(), u.String())
	require.NoError(t, err)
	s.Close()

	u.User = url.UserPassword(role, hostilePassword+"wrong")
	s, err = store.Open(t.Context(), u.String())
	if err == nil { // a server that trusts everybody on loopback asks for no password
		s.Close()
		return
	}
	require.NotContains(t, err.Error(), "p@ss")
	require.NotContains(t, err.Error(), url.QueryEscape("p@ss"))
}

func TestOpenNeverTellsThePassword(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"not encoded":   "postgres://ana:sesame%zz@127.0.0.1:1/db",
		"bad port":      "postgres://ana:sesame@127.0.0.1:port/db",
		"slash":         "postgres://ana:ses/ame@127.0.0.1:1/db",
		"keywords":      "host=127.0.0.1 password=sesame port=x",
		"nobody there":  "postgres://ana:sesame@127.0.0.1:1/db?connect_timeout=1",
		"bad parameter": "postgres://ana:sesame@127.0.0.1:1/db?sslmode=sesame",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := store.Open(t.Context(), address)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "sesame")
			require.NotContains(t, err.Error(), "ses/ame")
			f, ok := fault.As(err)
			require.True(t, ok)
			require.Contains(t, []fault.Kind{fault.Invalid, fault.Unavailable}, f.Kind)
		})
	}
}

func TestErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	secret := "ana@example.test"
	_, err := s.FindContactBy(t.Context(), store.KindEmail, secret)
	requireFault(t, err, fault.NotFound, "contact_not_found")
	require.NotContains(t, err.Error(), secret)

	_, err = s.FindContact(t.Context(), secret)
	requireFault(t, err, fault.NotFound, "contact_not_found")
	require.NotContains(t, err.Error(), secret)

	_, err = s.Ingest(t.Context(), start, []audience.Incoming{{
		Source: "test", MessageID: "1", Type: audience.TypeTrack, Name: "Huge", Email: secret, OccurredAt: start,
		Properties: map[string]any{"n": hugeNumber{}},
	}})
	requireFault(t, err, fault.Invalid, "bad_value")
	require.NotContains(t, err.Error(), secret)
	require.NotContains(t, err.Error(), "99999")
}

// hugeNumber is JSON that no numeric column holds.
type hugeNumber struct{}

func (hugeNumber) MarshalJSON() ([]byte, error) { return []byte("1e999999"), nil }
