package email_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
)

func TestUnsubscribeToken(t *testing.T) {
	t.Parallel()
	tokens := email.NewUnsubscribeTokens([]byte("key one"))
	rapid.Check(t, func(t *rapid.T) {
		contact, message := uuid.NewString(), uuid.NewString()
		token, err := tokens.Sign(contact, message)
		require.NoError(t, err)
		gotContact, gotMessage, ok := tokens.Read(token)
		require.True(t, ok)
		require.Equal(t, contact, gotContact)
		require.Equal(t, message, gotMessage)

		// Any other byte anywhere, or another key, is refused.
		at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		other := rapid.SampledFrom([]byte("abcXYZ019.-_")).Filter(func(b byte) bool { return b != token[at] }).Draw(t, "other")
		_, _, ok = tokens.Read(token[:at] + string(other) + token[at+1:])
		require.False(t, ok, "a changed token must be refused")
		_, _, ok = email.NewUnsubscribeTokens([]byte("key two")).Read(token)
		require.False(t, ok, "another key's token must be refused")
	})
}

func FuzzUnsubscribeToken(f *testing.F) {
	tokens := email.NewUnsubscribeTokens([]byte("key"))
	good, err := tokens.Sign(uuid.NewString(), uuid.NewString())
	require.NoError(f, err)
	f.Add(good)
	f.Add("v1..")
	f.Fuzz(func(t *testing.T, token string) {
		contact, message, ok := tokens.Read(token)
		if !ok {
			return
		}
		again, err := tokens.Sign(contact, message)
		require.NoError(t, err)
		require.Equal(t, token, again, "whatever is read is what was signed")
	})
}

// The token of a test names nobody, and neither passes for the other.
func TestTokenOfATest(t *testing.T) {
	t.Parallel()
	tokens := email.NewUnsubscribeTokens([]byte("key one"))
	test, err := tokens.SignTest("", uuid.NewString())
	require.NoError(t, err)
	require.True(t, tokens.IsTest(test))
	_, _, ok := tokens.Read(test)
	require.False(t, ok, "nobody is unsubscribed by a test")
	real, err := tokens.Sign(uuid.NewString(), uuid.NewString())
	require.NoError(t, err)
	for _, other := range []string{"", ".", "t1.", "t1." + real, real, test[:len(test)-1], "t" + real[1:], test + "x"} {
		require.False(t, tokens.IsTest(other), other)
	}
	require.False(t, email.NewUnsubscribeTokens([]byte("key two")).IsTest(test), "another key's")
}
