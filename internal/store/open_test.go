package store_test

import (
	"net"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// A password may hold every character that means something in a URL, in SQL and in a keyword string.
const hostilePassword = `p@ss:/w?o#r%d&x=y 'q"u\o;te$$`

// TestOpenWithHostilePassword listens to what goes over the wire: the server gets the very password, and when it refuses it and even quotes
// it, the error does not.
func TestOpenWithHostilePassword(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	told := make(chan string, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			refusePassword(conn, told)
		}
	}()
	address := url.URL{
		Scheme: "postgres", Host: listener.Addr().String(), Path: "/db", RawQuery: "sslmode=disable",
		User: url.UserPassword("us er@/", hostilePassword),
	}
	_, err = store.Open(t.Context(), address.String())
	requireFault(t, err, fault.Invalid, "database_refused")
	require.Equal(t, hostilePassword, <-told)
	for _, part := range []string{hostilePassword, url.QueryEscape(hostilePassword), url.PathEscape(hostilePassword), "p@ss", "p%40ss"} {
		require.NotContains(t, err.Error(), part)
	}
}

// refusePassword is the part of a PostgreSQL server that asks for a password in clear and refuses it.
func refusePassword(conn net.Conn, told chan<- string) {
	defer conn.Close()
	backend := pgproto3.NewBackend(conn, conn)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	if backend.Flush() != nil || backend.SetAuthType(pgproto3.AuthTypeCleartextPassword) != nil {
		return
	}
	message, err := backend.Receive()
	if err != nil {
		return
	}
	if password, ok := message.(*pgproto3.PasswordMessage); ok {
		told <- password.Password
		backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "no such password: " + password.Password})
		_ = backend.Flush()
	}
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
