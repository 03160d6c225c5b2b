package email

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func testTracker() *Tracker {
	return &Tracker{Tokens: NewTrackingTokens(TrackingKey{ID: 1, Secret: []byte("secret")}), Base: "https://mail.example"}
}

func TestTrackingTokensNameAMessageAndALink(t *testing.T) {
	t.Parallel()
	old := TrackingKey{ID: 1, Secret: []byte("old")}
	tokens := NewTrackingTokens(TrackingKey{ID: 2, Secret: []byte("new")}, old)
	id := uuid.NewString()
	token, err := tokens.Sign(TrackClick, id, 7)
	require.NoError(t, err)
	require.Len(t, token, 47)
	message, link, ok := tokens.Read(TrackClick, token)
	require.True(t, ok)
	require.Equal(t, id, message)
	require.Equal(t, 7, link)

	_, _, ok = tokens.Read(TrackOpen, token)
	require.False(t, ok, "a link is no picture")
	before, err := NewTrackingTokens(old).Sign(TrackClick, id, 7)
	require.NoError(t, err)
	_, _, ok = tokens.Read(TrackClick, before)
	require.True(t, ok, "old mail stays around")
	_, _, ok = NewTrackingTokens(old).Read(TrackClick, token)
	require.False(t, ok, "an unknown key")
	_, _, ok = NewTrackingTokens(TrackingKey{ID: 2, Secret: []byte("other")}).Read(TrackClick, token)
	require.False(t, ok, "another secret")
	_, err = tokens.Sign(TrackClick, "no id", 0)
	require.Error(t, err)
}

// Nothing that was not signed is read, and nothing panics.
func FuzzReadTrackingToken(f *testing.F) {
	tokens := testTracker().Tokens
	good, err := tokens.Sign(TrackClick, uuid.Nil.String(), 3)
	require.NoError(f, err)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	twin := good[:46] + string(alphabet[strings.IndexByte(alphabet, good[46])^1]) // other bits than those that are read
	for _, seed := range []string{twin, good + "\n", good, good[:46], good + "A", "", "https://evil.example", "//evil.example", "..%2f", strings.ToUpper(good)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		message, link, ok := tokens.Read(TrackClick, token)
		if !ok {
			require.Empty(t, message)
			require.Zero(t, link)
			return
		}
		again, err := tokens.Sign(TrackClick, message, link)
		require.NoError(t, err)
		require.Equal(t, again, token, "a token is written in one way only")
	})
}

func TestTrackReplacesLinksAndNothingElse(t *testing.T) {
	t.Parallel()
	tr := testTracker()
	id := uuid.NewString()
	address := func(link int) string {
		token, err := tr.Tokens.Sign(TrackClick, id, link)
		require.NoError(t, err)
		return tr.Base + "/c/" + token
	}
	const button = `<!--[if mso]><v:roundrect href="https://shop.example/a?b=1&amp;c=2" x="y"></v:roundrect><![endif]-->`
	in := Rendered{Subject: "s",
		HTML: `<html><body>` + button + `<a class="x" href="https://shop.example/a?b=1&amp;c=2">Buy</a> <a href="https://shop.example/b">https://shop.example/b</a>` +
			`<a href="mailto:a@example.test">w</a><a href="https://mail.example/u/tok">Unsubscribe</a><img src="https://shop.example/logo.png">` +
			`<a href="javascript:alert(1)">x</a> https://shop.example/b &amp; more</body></html>`,
		Text: "Buy:\nhttps://shop.example/a?b=1&c=2\n(https://shop.example/b). https://other.example/x https://shop.example/bc\nhttps://mail.example/u/tok\n"}
	out, links, err := tr.Track(in, id, "https://mail.example/u/tok")
	require.NoError(t, err)
	require.Equal(t, []string{"https://shop.example/a?b=1&c=2", "https://shop.example/b"}, links)
	a, b := address(0), address(1)
	head, tail, ok := strings.Cut(out.HTML, `<a href="`+address(HoneypotLink)+`" aria-hidden="true" tabindex="-1"`)
	require.True(t, ok, "the link that nobody sees")
	require.Equal(t, `<html><body>`+strings.Replace(button, "https://shop.example/a?b=1&amp;c=2", a, 1)+`<a class="x" href="`+a+`">Buy</a> <a href="`+b+`">`+b+`</a>`+
		`<a href="mailto:a@example.test">w</a><a href="https://mail.example/u/tok">Unsubscribe</a><img src="https://shop.example/logo.png">`+
		`<a href="javascript:alert(1)">x</a> https://shop.example/b &amp; more`, head)
	require.NotContains(t, tail, "display:none")
	require.Contains(t, tail, `<img src="https://mail.example/o/`)
	require.Equal(t, "Buy:\n"+a+"\n("+b+"). https://other.example/x https://shop.example/bc\nhttps://mail.example/u/tok\n", out.Text)

	again, _, err := tr.Track(in, id, "https://mail.example/u/tok")
	require.NoError(t, err)
	require.Equal(t, out, again, "the same mail, the same bytes")
}

func FuzzTrackHTML(f *testing.F) {
	for _, seed := range []string{`<a href="https://a.example">x</a>`, `<!--[if mso]><a href="https://a.example">`, `<a href='https://a.example`, `</body>`, "<a href=https://a.example/\x00>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		_, links, err := testTracker().Track(Rendered{HTML: source, Text: source}, uuid.Nil.String())
		require.NoError(t, err)
		require.LessOrEqual(t, len(links), MaxLinks)
		for _, link := range links {
			require.True(t, strings.HasPrefix(link, "http://") || strings.HasPrefix(link, "https://"), link)
		}
	})
}
