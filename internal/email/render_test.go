package email_test

import (
	"bytes"
	"flag"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files")

func renderer(t testing.TB) *email.Renderer {
	t.Helper()
	r := email.NewRenderer(email.Brand{
		Name: "Acme", Link: "https://acme.test", Copyright: "© 2026 Acme Ltd", Address: "1 Example Street, 10115 Berlin",
	})
	require.NoError(t, r.Check())
	return r
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run make golden")
	require.Equal(t, string(want), got)
}

func unsubscribe() email.RenderOptions {
	return email.RenderOptions{UnsubscribeURL: "https://acme.test/u/v1.abc?x=1&y=2"}
}

const markdownYAML = `
key: news
subject: News
body:
  markdown: |
    # Hello {{ contact.first_name | default: 'there' }}

    See [your page](https://app.test/?u={{ contact.first_name | default: '' }}) or *{{ contact.evil | default: '' }}* and ` + "`{{ contact.evil | default: '' }}`" + `.

    - one {{ contact.evil | default: '' }}

    <script>alert(1)</script><a href="javascript:alert(2)" onclick="x()">bad</a> <img src="https://acme.test/a.png" onerror="x()">

    <div>{{ contact.evil | default: '' }}</div>
`

func TestRenderGolden(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{"welcome": welcomeYAML, "markdown": markdownYAML} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tpl := decode(t, source)
			require.False(t, fault.HasErrors(email.ValidateTemplate(tpl)))
			out, err := renderer(t).Render(tpl, someData(), unsubscribe())
			require.NoError(t, err)
			golden(t, name+".html", out.HTML)
			golden(t, name+".txt", out.Text)
			for _, part := range []string{out.HTML, out.Text} {
				require.NotContains(t, part, "Hermes")
				require.NotContains(t, part, "Yours truly")
				require.NotContains(t, part, "tlvalue")
				require.Contains(t, part, "1 Example Street, 10115 Berlin")
				require.Contains(t, part, "https://acme.test/u/v1.abc")
				require.NotContains(t, part, "&amp;amp;")
			}
			require.NotContains(t, out.HTML, "<script")
			require.NotContains(t, out.HTML, "javascript:")
			require.NotContains(t, out.HTML, "onerror")
			require.NotContains(t, out.HTML, `href="http://evil.test`)
		})
	}
}

func TestRenderShowsValuesAsTheyAre(t *testing.T) {
	t.Parallel()
	out, err := renderer(t).Render(decode(t, welcomeYAML), someData(), email.RenderOptions{})
	require.NoError(t, err)
	require.Equal(t, "Welcome, Ana & <Bob>", out.Subject)
	require.Contains(t, out.HTML, "Hi Ana &amp; &lt;Bob&gt;,")
	require.Contains(t, out.Text, "Hi Ana & <Bob>,")
	require.NotContains(t, out.HTML, "Unsubscribe", "a transactional mail has no such link")
}

func TestRenderSubject(t *testing.T) {
	t.Parallel()
	tpl := decode(t, welcomeYAML)
	out, err := renderer(t).Render(tpl, someData(), email.RenderOptions{Subject: "For {{ contact.evil }} {{ contact.seats }}"})
	require.NoError(t, err)
	require.Equal(t, "For [x](http://evil.test)<script> Bcc: x 3", out.Subject)
	tpl.Subject = "{{ contact.none }}"
	_, err = renderer(t).Render(tpl, someData(), email.RenderOptions{})
	require.Equal(t, fault.Invalid, fault.KindOf(err), "an empty subject is not sent")
	tpl.Subject = strings.Repeat("x", 300)
	out, err = renderer(t).Render(tpl, someData(), email.RenderOptions{})
	require.NoError(t, err)
	require.Len(t, []rune(out.Subject), 255)
}

func TestRenderRefusesBadLinks(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"javascript:alert(1)", "{{ contact.evil }}", "data:text/html,x", "https://", "{{ contact.none }}", "https://a b.test", "https://u:p@acme.test", "{{ event.at }}"} {
		tpl := decode(t, welcomeYAML)
		tpl.Body.Actions[0].Button.Link = link
		_, err := renderer(t).Render(tpl, someData(), email.RenderOptions{})
		require.Error(t, err, link)
		require.NotContains(t, err.Error(), "evil.test")
		require.Contains(t, err.Error(), "/body/actions/0/button/link")
	}
}

func TestNewRendererChecksTheBrand(t *testing.T) {
	t.Parallel()
	for _, b := range []email.Brand{{}, {Name: "A"}, {Name: "A", Link: "javascript:x"}, {Name: "A", Link: "https://a.test", Logo: "file:///x"}} {
		require.Error(t, email.NewRenderer(b).Check())
		_, err := email.NewRenderer(b).Render(decode(t, welcomeYAML), someData(), email.RenderOptions{})
		require.Error(t, err)
	}
}

// hermes writes into itself: this is for the race detector.
func TestRenderConcurrently(t *testing.T) {
	t.Parallel()
	r, tpl := renderer(t), decode(t, markdownYAML)
	want, err := r.Render(tpl, someData(), unsubscribe())
	require.NoError(t, err)
	got := make([]email.Rendered, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = r.Render(tpl, someData(), unsubscribe()) })
	}
	wg.Wait()
	for _, g := range got {
		require.Equal(t, want, g)
	}
}

// Whatever a name is, no tag of its own gets into the mail.
func TestRenderKeepsValuesOutOfMarkup(t *testing.T) {
	t.Parallel()
	r := renderer(t)
	count := func(data email.Data, source string) int {
		out, err := r.Render(decode(t, source), data, unsubscribe())
		require.NoError(t, err)
		return strings.Count(out.HTML, "<")
	}
	rapid.Check(t, func(g *rapid.T) {
		evil := "x" + rapid.StringMatching("[<>&\"'`*_#\\[\\]()!:/.a-z \n|-]{0,30}").Draw(g, "evil") + "x"
		data := email.Data{Contact: audience.Contact{ID: "c", Traits: map[string]any{"first_name": evil, "evil": evil}}}
		plain := email.Data{Contact: audience.Contact{ID: "c", Traits: map[string]any{"first_name": "x", "evil": "x"}}}
		for _, source := range []string{markdownYAML, welcomeYAML} {
			require.Equal(g, count(plain, source), count(data, source))
		}
	})
}

func headers() email.Headers {
	return email.Headers{
		ID: "6f1c0d0e-8f2b-5c7a-9b1e-0a1b2c3d4e5f", MessageID: "6f1c0d0e-8f2b-5c7a-9b1e-0a1b2c3d4e5f@acme.test", Class: email.Marketing,
		Date: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), ListUnsubscribe: "https://acme.test/u/v1." + strings.Repeat("abcdefghij", 20),
	}
}

func build(t testing.TB, h email.Headers) []byte {
	t.Helper()
	out, err := renderer(t).Render(decode(t, welcomeYAML), someData(), unsubscribe())
	require.NoError(t, err)
	raw, err := email.Build(mail.Address{Name: "Acme Team", Address: "hello@acme.test"}, mail.Address{Address: "ana@example.net"}, out, h)
	require.NoError(t, err)
	return raw
}

func TestBuild(t *testing.T) {
	t.Parallel()
	raw := build(t, headers())
	require.Equal(t, raw, build(t, headers()), "a resend has the same bytes")
	golden(t, "welcome.eml", strings.ReplaceAll(string(raw), "\r\n", "\n"))
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	require.NoError(t, err)
	require.Equal(t, "<6f1c0d0e-8f2b-5c7a-9b1e-0a1b2c3d4e5f@acme.test>", m.Header.Get("Message-ID"))
	require.Equal(t, "6f1c0d0e-8f2b-5c7a-9b1e-0a1b2c3d4e5f", m.Header.Get("X-Throughline-Message"))
	require.Equal(t, "List-Unsubscribe=One-Click", m.Header.Get("List-Unsubscribe-Post"))
	require.Contains(t, string(raw), "\r\nList-Unsubscribe: <"+headers().ListUnsubscribe+">\r\n", "in one line, however long")
	require.Contains(t, m.Header.Get("Content-Type"), "multipart/alternative")
	for _, name := range []string{"User-Agent", "X-Mailer", "Auto-Submitted"} {
		require.Empty(t, m.Header.Get(name))
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		require.LessOrEqual(t, len(line), 998)
		require.NotContains(t, line, "\n")
	}
	h := headers()
	h.Class, h.ListUnsubscribe = email.Transactional, ""
	m, err = mail.ReadMessage(bytes.NewReader(build(t, h)))
	require.NoError(t, err)
	require.Equal(t, "auto-generated", m.Header.Get("Auto-Submitted"))
	require.Empty(t, m.Header.Get("List-Unsubscribe"))
}

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	from, to := mail.Address{Address: "hello@acme.test"}, mail.Address{Address: "ana@example.net"}
	for name, change := range map[string]func(*email.Headers){
		"no unsubscribe": func(h *email.Headers) { h.ListUnsubscribe = "" },
		"two addresses":  func(h *email.Headers) { h.ListUnsubscribe = "https://a.test>, <mailto:x@y.z" },
		"line break":     func(h *email.Headers) { h.ListUnsubscribe = "https://a.test\r\nBcc: x@y.z" },
		"mailto":         func(h *email.Headers) { h.ListUnsubscribe = "mailto:x@y.z" },
		"message id":     func(h *email.Headers) { h.MessageID = "x" },
		"id":             func(h *email.Headers) { h.ID = "a\r\nBcc: x@y.z" },
		"date":           func(h *email.Headers) { h.Date = time.Time{} },
	} {
		h := headers()
		change(&h)
		_, err := email.Build(from, to, email.Rendered{Subject: "x", Text: "x", HTML: "x"}, h)
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
	}
	_, err := email.Build(from, mail.Address{Address: "ana@example.net\r\nBcc: x@y.z"}, email.Rendered{}, headers())
	require.Error(t, err)
	raw, err := email.Build(mail.Address{Name: "A\r\nBcc: x@y.z", Address: "a@b.co"}, to, email.Rendered{Subject: "a\r\nBcc: x@y.z", Text: "x", HTML: "x"}, headers())
	require.NoError(t, err)
	require.NotContains(t, string(raw), "\nBcc")
}
