package email_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

func TestCheckSubject(t *testing.T) {
	t.Parallel()
	settings := email.SubjectSettings{Forbidden: []string{"free", "Act now"}}
	glossary := audience.Glossary{Terms: []audience.GlossaryTerm{{Term: "workspace", Variants: []string{"team space"}}}}
	const written = "Welcome to Acme.io, {{ contact.first_name | default: 'you' }}"
	check := email.SubjectCheck{Written: written, Others: []string{"Ten ideas for your garden"}, Forbidden: settings.Lexicon(), Words: glossary.Lexicon("")}
	for candidate, code := range map[string]string{
		"Your first project, in five minutes": "",
		"Bienvenue ! Prêt à commencer ?":      "",
		"最初のプロジェクトを始めましょう":                    "",
		"Ready? 👩‍💻":                          "",
		"Start with acme.io today":            "", // the written subject names it
		"SSO and 2FA: done":                   "",
		"":                                    email.SubjectEmpty,
		" \t":                                 email.SubjectEmpty,
		"a\r\nBcc: x@example.com":             email.SubjectControl,
		"a\nb":                                email.SubjectControl,
		"safe \u202egnp.exe":                  email.SubjectControl,
		"zero\u200bwidth":                     email.SubjectControl,
		"bad \xff":                            email.SubjectControl,
		strings.Repeat("x", 91):               email.SubjectTooLong,
		strings.Repeat("👩‍💻", 91):             email.SubjectTooLong,
		"a" + strings.Repeat("\u0301", 200):   email.SubjectTooLong,
		strings.Repeat("e\u0301", 90):         "",
		"Start 🚀🎉🔥 today":                     email.SubjectEmoji,
		"Flags 🇩🇪 👩🏽‍💻":                       "",
		"It is FREE for you":                  email.SubjectForbidden,
		"Why not act  now":                    email.SubjectForbidden,
		"Freedom for all":                     "",
		"A new team space":                    email.SubjectGlossary,
		"Welcome to Acme.io!":                 email.SubjectAlike,
		"Ten ideas for your gardens":          email.SubjectAlike,
		"Ideas that grow on you":              "",
		"Hi {{ contact.first_name }}":         email.SubjectPlaceholder,
		"Hi {% if x %}":                       email.SubjectPlaceholder,
		"Hi <b>you</b>":                       email.SubjectMarkup,
		"Visit https://evil.test":             email.SubjectLink,
		"Visit evil.com now":                  email.SubjectLink,
		"Write to x@evil.test":                email.SubjectLink,
		"BUY YOUR PROJECT NOW":                email.SubjectShouting,
		"Hurry up!!!":                         email.SubjectShouting,
	} {
		err := check.Check(candidate)
		if code == "" {
			require.NoError(t, err, candidate)
			continue
		}
		f, ok := fault.As(err)
		require.True(t, ok, "%q passed", candidate)
		require.Equal(t, code, f.Code, candidate)
	}
	require.NoError(t, email.SubjectCheck{Written: "BLACK FRIDAY IS HERE"}.Check("FLASH SALE ENDS TODAY"), "the marketer shouts as well")
}

func TestCleanSubject(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{` "Hello" `: "Hello", "“Hello”": "Hello", `"a" or "b"`: `"a" or "b"`, "plain": "plain", `"`: `"`, "": ""} {
		require.Equal(t, want, email.CleanSubject(in))
	}
}

// Whatever a model says: what passes is one line that a header can carry, short, and neither the written subject nor another candidate.
func FuzzCheckSubject(f *testing.F) {
	for _, s := range []string{"Hello", "a\r\nBcc: x@y.z", "safe \u202egnp.exe", "Start 🚀🎉🔥", "{{ x }}", "http://x", "e\u0301", "WELCOME TO IT"} {
		f.Add(s, "Welcome to it")
	}
	f.Fuzz(func(t *testing.T, candidate, written string) {
		candidate = email.CleanSubject(candidate)
		if (email.SubjectCheck{Written: written, Others: []string{written}}).Check(candidate) != nil {
			return
		}
		require.True(t, utf8.ValidString(candidate))
		require.NotContains(t, candidate, "\n")
		require.NotContains(t, candidate, "\r")
		require.NotContains(t, candidate, "{{")
		require.LessOrEqual(t, utf8.RuneCountInString(candidate), 200)
		require.NotEmpty(t, strings.TrimSpace(candidate))
		require.NotContains(t, strings.ToLower(candidate), "http:")
	})
}

func TestPickOfASubject(t *testing.T) {
	t.Parallel()
	set := email.SubjectSet{State: email.SubjectsReady, Lines: []email.SubjectLine{
		{ID: "w", Number: 0, State: email.LineApproved, Weight: 0.2}, {ID: "a", Number: 1, State: email.LineApproved, Weight: 0.5},
		{ID: "x", Number: 2, State: email.LineRejected, Weight: 9}, {ID: "b", Number: 3, State: email.LineApproved, Weight: 0.3},
	}}
	got := map[string]float64{}
	const mails = 20_000
	for i := range mails {
		line, ok := set.Pick(strconv.Itoa(i))
		require.True(t, ok)
		got[line.ID]++
		again, _ := set.Pick(strconv.Itoa(i))
		require.Equal(t, line, again, "the same message, the same subject")
	}
	require.InDelta(t, 0.2, got["w"]/mails, 0.02)
	require.InDelta(t, 0.5, got["a"]/mails, 0.02)
	require.InDelta(t, 0.3, got["b"]/mails, 0.02)
	require.Zero(t, got["x"])

	for _, row := range []struct {
		set  email.SubjectSet
		want string
	}{
		{email.SubjectSet{State: email.SubjectsWanted}, email.SubjectGenerating},
		{email.SubjectSet{State: email.SubjectsFailed, Reason: email.SubjectBudgetSpent}, email.SubjectBudgetSpent},
		{email.SubjectSet{State: email.SubjectsReady, Lines: []email.SubjectLine{{State: email.LineApproved, Weight: 1}, {State: email.LineProposed}}}, email.SubjectUnapproved},
		{email.SubjectSet{State: email.SubjectsReady, Lines: []email.SubjectLine{{State: email.LineApproved, Weight: 1}, {State: email.LineRefused}}}, email.SubjectNoneGood},
	} {
		_, ok := row.set.Pick("m")
		require.False(t, ok)
		require.Equal(t, row.want, row.set.Fallback())
	}
}
