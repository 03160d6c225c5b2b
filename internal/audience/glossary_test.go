package audience_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

var words = audience.Glossary{Terms: []audience.GlossaryTerm{ //nolint:gochecknoglobals // never changed
	{Term: "sign-in link", Variants: []string{"magic link", "login link", "link"}, Note: "It is no magic."},
	{Term: "GitHub", Variants: []string{"Github", "GIT hub"}},
	{Term: "workspace", Variants: []string{"Team space"}, Level: fault.LevelError},
	{Term: "Büro", Variants: []string{"Office", "STRASSE 1"}, Locale: "de"},
	{Term: "電子郵件", Variants: []string{"郵件"}},
	{Term: "it’s fine", Variants: []string{"it's ok"}},
	{Term: "café", Variants: []string{"cafe\u0301 bar"}},
}}

func TestGlossaryFinds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text, locale string
		found        []string
	}{
		"a word":                            {"Use the magic link now", "", []string{"magic link"}},
		"whatever its capitals":             {"MAGIC Link and Magic LINK", "", []string{"MAGIC Link", "Magic LINK"}},
		"over the end of a line":            {"the magic\n  link", "", []string{"magic\n  link"}},
		"with marks around it":              {"(magic link), “login link”!", "", []string{"magic link", "login link"}},
		"no part of a word":                 {"magic linking, amagic link5, relinked", "", nil},
		"within the right word":             {"Your sign-in link is here", "", nil},
		"the longest one":                   {"magic link", "", []string{"magic link"}},
		"capitals where nothing else is":    {"Github, GitHub, github, GITHUB", "", []string{"Github"}},
		"a placeholder":                     {"{{ contact.link | default: 'magic link' }} {% if link %}", "", nil},
		"one that does not end":             {"{{ magic link", "", []string{"magic link"}},
		"a link":                            {"https://a.test/magic/link?link=1 http://link www.link.test link@a.test mailto:link a.link/link", "", nil},
		"beside a link":                     {"[link](https://a.test/link)", "", []string{"link"}},
		"a tag":                             {`<a href="/link" title=link>Link</a> 1 < 2 link`, "", []string{"Link", "link"}},
		"a sentence without space":          {"Done.Link now", "", []string{"Link"}},
		"another language":                  {"Im Office", "en", nil},
		"no language":                       {"Im Office", "", nil},
		"its own":                           {"Im Office, Straße 1", "de_AT", []string{"Office", "Straße 1"}},
		"without spaces between":            {"請看郵件。電子郵件", "", []string{"郵件"}},
		"another apostrophe":                {"It’s OK", "", []string{"It’s OK"}},
		"the other form of the same letter": {"Café Bar, Cafe\u0301 bar", "", []string{"Café Bar", "Cafe\u0301 bar"}},
		"a soft hyphen":                     {"ma\u00adgic link", "", []string{"ma\u00adgic link"}},
		"nothing":                           {"", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var found []string
			for _, u := range words.Lexicon(row.locale).Find(row.text) {
				require.Equal(t, u.Found, row.text[u.Start:u.End])
				found = append(found, u.Found)
			}
			require.Equal(t, row.found, found)
		})
	}
}

func TestGlossaryProblem(t *testing.T) {
	t.Parallel()
	require.Equal(t, []fault.Problem{
		{Path: "/subject", Code: "glossary_variant", Level: "warning", Message: "We say “sign-in link”, not “Magic link”. It is no magic.", Replace: &fault.Replacement{Found: "Magic link", With: "sign-in link"}},
		{Path: "/subject", Code: "glossary_variant", Level: "error", Message: "We say “workspace”, not “team space”.", Replace: &fault.Replacement{Found: "team space", With: "workspace"}},
	}, words.Lexicon("").Check("/subject", "Magic link to your team space. Magic link!"))
	require.Empty(t, audience.Glossary{}.Lexicon("de").Check("/subject", "anything"))
}

func TestGlossaryIsChecked(t *testing.T) {
	t.Parallel()
	require.Empty(t, words.Validate())
	long := strings.Repeat("x", 101)
	wrong := audience.Glossary{Terms: []audience.GlossaryTerm{
		{Term: "a", Variants: []string{"b"}},
		{Term: "a", Variants: []string{"a", "b", " ", long, "c\n", "{{x}}", "\xff"}, Note: "x\ny", Level: "fatal"},
		{Term: "-", Locale: "german!"},
		{Term: "d", Variants: slices.Repeat([]string{"e"}, 21)},
	}}
	paths := map[string]string{}
	for _, p := range wrong.Validate() {
		paths[p.Path] = p.Code
		require.True(t, strings.HasSuffix(p.Message, "."), p.Message)
	}
	require.Equal(t, map[string]string{
		"/terms/1/term": "duplicate_term", "/terms/1/note": "bad_note", "/terms/2/locale": "bad_locale", "/terms/1/level": "bad_level",
		"/terms/1/variants/0": "variant_is_term", "/terms/1/variants/1": "duplicate_variant", "/terms/1/variants/2": "required", "/terms/1/variants/3": "too_long",
		"/terms/1/variants/4": "line_break", "/terms/1/variants/5": "placeholder", "/terms/1/variants/6": "bad_encoding",
		"/terms/2/term": "required", "/terms/2/variants": "required", "/terms/3/variants": "too_many",
	}, paths)
	require.Equal(t, "too_many", audience.Glossary{Terms: make([]audience.GlossaryTerm, 501)}.Validate()[0].Code)
}

// A wrong word is found wherever it stands between other words, and what is put in its place is right.
func TestGlossaryMends(t *testing.T) {
	t.Parallel()
	l := words.Lexicon("")
	rapid.Check(t, func(t *rapid.T) {
		around := rapid.SliceOfN(rapid.SampledFrom([]string{"We", "send", "{{ contact.x }}", "https://x.test/link", "—", "now.", "sign-in link", "GitHub", "ünïcode", "電", "👩‍👩‍👧"}), 0, 6)
		wrong := rapid.SampledFrom([]string{"magic link", "Login Link", "Github", "team space", "郵件"}).Draw(t, "wrong")
		before, after := strings.Join(around.Draw(t, "before"), " "), strings.Join(around.Draw(t, "after"), " ")
		text := before + " " + wrong + " " + after
		found := l.Find(text)
		require.Len(t, found, 1, text)
		require.Equal(t, wrong, found[0].Found)
		require.Empty(t, l.Find(text[:found[0].Start]+found[0].Term.Term+text[found[0].End:]), text)
	})
}

// Ten times the text takes about ten times as long, also of what would make a careless reader go back again and again.
func TestGlossaryIsLinear(t *testing.T) {
	t.Parallel()
	l := words.Lexicon("")
	for _, piece := range []string{"a-", "{{", "{%", "<a", "magic ", "a.B", "\u0301", "link@"} {
		took := func(n int) time.Duration {
			text := strings.Repeat(piece, n/len(piece))
			best := time.Hour
			for range 3 {
				start := time.Now()
				l.Find(text)
				best = min(best, time.Since(start))
			}
			return best
		}
		small, large := took(20_000), took(400_000)
		require.Less(t, large, 100*small+50*time.Millisecond, "%q", piece)
	}
}

func FuzzGlossary(f *testing.F) {
	for _, text := range []string{"magic link", "{{ link", "<a link", "https://link", "郵件", "Cafe\u0301 bar", "\xff link", "a.b.c@d"} {
		f.Add(text, "magic link")
	}
	f.Fuzz(func(t *testing.T, text, variant string) {
		g := audience.Glossary{Terms: []audience.GlossaryTerm{{Term: "zzz right zzz", Variants: []string{variant}}}}
		if len(g.Validate()) > 0 {
			return
		}
		end := 0
		for _, u := range g.Lexicon("").Find(text) {
			require.GreaterOrEqual(t, u.Start, end)
			require.Greater(t, u.End, u.Start)
			require.Equal(t, text[u.Start:u.End], u.Found)
			require.True(t, !utf8.ValidString(text) || utf8.ValidString(u.Found))
			end = u.End
		}
	})
}
