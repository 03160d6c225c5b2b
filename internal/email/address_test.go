package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ana.Ruiz+tag@Example.COM": "Ana.Ruiz+tag@example.com",
		" a@b.co ":                 "a@b.co",
		"o'neil@exämple.de":        "o'neil@xn--exmple-cua.de",
		"dev@localhost":            "dev@localhost",
	} {
		got, err := email.ParseAddress(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got)
	}
	for _, in := range []string{
		"", "a", "@b.co", "a@", "a b@c.de", "a@b c.de", "a@b.co\r\nBcc: x@y.z", "a\r\n@b.co", "<a@b.co>", "Ana <a@b.co>", "a,b@c.de", ".a@b.co", "a..b@c.de",
		"a@-b.co", "a@b..co", "a@[127.0.0.1]", `"a b"@c.de`, "jörg@example.com", "a@\xd0xä", strings.Repeat("a", 65) + "@b.co", "a@" + strings.Repeat("b.", 130) + "co",
	} {
		_, err := email.ParseAddress(in)
		require.Error(t, err, in)
		if len(in) > 3 {
			require.NotContains(t, err.Error(), in)
		}
	}
}

func TestAddressKey(t *testing.T) {
	t.Parallel()
	a, err := email.AddressKey("Ana@Example.com")
	require.NoError(t, err)
	require.Equal(t, "ana@example.com", a)
	require.Equal(t, email.Fingerprint([]byte("k"), "ANA@EXAMPLE.COM "), email.Fingerprint([]byte("k"), "ana@example.com"))
	require.NotEqual(t, email.Fingerprint([]byte("k"), "ana@example.com"), email.Fingerprint([]byte("other"), "ana@example.com"))
	require.Len(t, email.Fingerprint(nil, "no address"), 64)
}

func TestParseMailbox(t *testing.T) {
	t.Parallel()
	m, err := email.ParseMailbox("Acme Team <Hello@ACME.test>")
	require.NoError(t, err)
	require.Equal(t, "Acme Team", m.Name)
	require.Equal(t, "Hello@acme.test", m.Address)
	for _, in := range []string{"", "Acme", "A <a@b.co>\r\nBcc: x", "a@b.co, c@d.ef"} {
		_, err := email.ParseMailbox(in)
		require.Error(t, err, in)
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("ana@example.com")
	f.Add("a@exämple.de")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := email.ParseAddress(in)
		if err != nil {
			return
		}
		require.NotRegexp(t, `[\s<>,;:"\\]|[^\x21-\x7e]`, got)
		again, err := email.ParseAddress(got)
		require.NoError(t, err)
		require.Equal(t, got, again)
		key, err := email.AddressKey(in)
		require.NoError(t, err)
		require.Equal(t, strings.ToLower(got), key)
	})
}
