package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

func TestCheckSubject(t *testing.T) {
	t.Parallel()
	const written = "Welcome to Acme.io, {{ contact.first_name | default: 'you' }}"
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
		strings.Repeat("x", 121):              email.SubjectTooLong,
		"Hi {{ contact.first_name }}":         email.SubjectPlaceholder,
		"Hi {% if x %}":                       email.SubjectPlaceholder,
		"Hi <b>you</b>":                       email.SubjectMarkup,
		"Visit https://evil.test":             email.SubjectLink,
		"Visit evil.com now":                  email.SubjectLink,
		"Write to x@evil.test":                email.SubjectLink,
		"BUY YOUR PROJECT NOW":                email.SubjectShouting,
		"Hurry up!!!":                         email.SubjectShouting,
	} {
		err := email.CheckSubject(candidate, written)
		if code == "" {
			require.NoError(t, err, candidate)
			continue
		}
		f, ok := fault.As(err)
		require.True(t, ok, "%q passed", candidate)
		require.Equal(t, code, f.Code, candidate)
	}
	require.NoError(t, email.CheckSubject("FLASH SALE ENDS TODAY", "BLACK FRIDAY IS HERE"), "the marketer shouts as well")
}

func TestCleanSubject(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{` "Hello" `: "Hello", "“Hello”": "Hello", `"a" or "b"`: `"a" or "b"`, "plain": "plain", `"`: `"`, "": ""} {
		require.Equal(t, want, email.CleanSubject(in))
	}
}
