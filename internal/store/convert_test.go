package store

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
)

// FuzzEncodeObject: whatever JSON comes in, what goes to PostgreSQL is JSON without NUL, and nothing else of it changes.
func FuzzEncodeObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":"\u0000"}`, `{"\u0000":[{"b":"\\u0000"}]}`, `{"n":1e400}`, `{"a":null,"b":[1,2.5,true]}`, "{\"a\":\"\xff\"}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var in map[string]any
		if json.Unmarshal([]byte(text), &in) != nil {
			return
		}
		raw, err := encodeObject(in)
		require.NoError(t, err)
		out, err := decodeObject(raw)
		require.NoError(t, err)
		requireNoNUL(t, out)
		if !strings.Contains(text, `\u0000`) && len(in) > 0 {
			require.Equal(t, in, out)
		}
	})
}

func requireNoNUL(t *testing.T, value any) {
	t.Helper()
	switch v := value.(type) {
	case string:
		require.NotContains(t, v, "\x00")
	case []any:
		for _, inner := range v {
			requireNoNUL(t, inner)
		}
	case map[string]any:
		for key, inner := range v {
			require.NotContains(t, key, "\x00")
			requireNoNUL(t, inner)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("plain")
	f.Add("a\x00b\xff")
	f.Fuzz(func(t *testing.T, text string) {
		out := clean(text)
		require.True(t, utf8.ValidString(out))
		require.NotContains(t, out, "\x00")
		require.Equal(t, out, clean(out))
		if utf8.ValidString(text) && !strings.Contains(text, "\x00") {
			require.Equal(t, text, out)
		}
	})
}

func TestFailureHidesValues(t *testing.T) {
	t.Parallel()
	for state, kind := range map[string]fault.Kind{
		"23505": fault.Conflict, "40001": fault.Unavailable, "40P01": fault.Unavailable, "08006": fault.Unavailable, "53300": fault.Unavailable,
		"57P01": fault.Unavailable, "25P03": fault.Unavailable, "22003": fault.Invalid, "28P01": fault.Invalid, "3D000": fault.Invalid, "54000": fault.Invalid, "23514": fault.Internal,
		"42P01": fault.Internal,
	} {
		err := failure("save", &pgconn.PgError{
			Code: state, Message: "ana@example.test is bad", Detail: "Key (email)=(ana@example.test)", Hint: "ana", TableName: "contacts",
			ConstraintName: "contacts_email_has_key",
		})
		require.Equal(t, kind, fault.KindOf(err), state)
		require.NotContains(t, err.Error(), "ana")
		require.Contains(t, err.Error(), "save")
		require.Contains(t, err.Error(), "contacts_email_has_key")
		var pgErr *pgconn.PgError
		require.False(t, errors.As(err, &pgErr), "nobody digs the detail out")
	}
	require.NoError(t, failure("save", nil))
}
