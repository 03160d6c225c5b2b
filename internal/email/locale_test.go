package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

const localesYAML = `
key: hello
subject: Hello
locale: en
body: {intros: ["Hello {{ contact.first_name | default: 'there' }}."], actions: [{button: {text: Go, link: "https://a.test/"}}]}
locales:
  de: {subject: Hallo, preheader: Kurz, body: {intros: ["Hallo."], actions: [{button: {text: Los, link: "https://a.test/de"}}]}}
  pt-BR: {subject: Olá, body: {intros: ["Olá."]}}
  nb: {subject: Hei, body: {intros: ["Hei."]}}
  ar: {subject: مرحبا, body: {intros: ["مرحبا."], table: {columns: [أ], rows: [[ب]]}}}
`

func TestAContactGetsTheNearestLocale(t *testing.T) {
	t.Parallel()
	tpl := decode(t, localesYAML)
	require.Empty(t, email.ValidateTemplate(tpl))
	for locale, want := range map[string]string{
		"": "en", "en-GB": "en", "de": "de", "de-AT": "de", "de_CH": "de", "DE": "de", "pt-BR": "pt-BR", "pt": "pt-BR", "pt-PT": "pt-BR", "ar-EG": "ar", "da": "en", "nb-NO": "nb", "no": "nb", "fr": "en", "not a locale": "en", "und": "en", "nds": "en",
	} {
		require.Equal(t, want, tpl.Speaks(locale), locale)
	}
	for locale, say := range map[string][]string{
		"de-AT": {`lang="de"`, `dir="ltr"`, "Hallo.", "https://a.test/de", "E-Mails abbestellen", "Wenn der Knopf „Los“ nicht funktioniert", ">Kurz</span>"},
		"ar":    {`lang="ar"`, `dir="rtl"`, "مرحبا.", "text-align:right"},
		"fr":    {`lang="en"`, "Hello Ana", "Unsubscribe"},
	} {
		data := someData()
		data.Contact.Locale = locale
		out, err := renderer(t).Render(tpl, data, unsubscribe())
		require.NoError(t, err)
		require.Equal(t, tpl.Speaks(locale), out.Locale)
		for _, words := range say {
			require.Contains(t, out.HTML, words, locale)
		}
		require.NotContains(t, out.HTML, "If the button “Los”", locale)
	}
}

// Such a template says nothing of its language: its few fixed words are in the contact's.
func TestATemplateWithoutALocale(t *testing.T) {
	t.Parallel()
	data := someData()
	data.Contact.Locale = "de"
	out, err := renderer(t).Render(decode(t, welcomeYAML), data, unsubscribe())
	require.NoError(t, err)
	require.Empty(t, out.Locale)
	require.NotContains(t, out.HTML, "lang=")
	require.Contains(t, out.HTML, "E-Mails abbestellen")
}

func TestValidateLocales(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][]string{
		strings.Replace(localesYAML, "locale: en\n", "", 1):                                                               {"/locale required"},
		strings.Replace(localesYAML, "locale: en\n", "locale: EN\n", 1):                                                   {"/locale bad_locale"},
		strings.Replace(localesYAML, "  de:", "  de-at:", 1):                                                              {"/locales/de-at bad_locale"},
		strings.Replace(localesYAML, "  de:", "  a/b:", 1):                                                                {"/locales/a~1b bad_locale"},
		strings.Replace(localesYAML, "  de:", "  en:", 1):                                                                 {"/locales/en same_locale"},
		strings.Replace(localesYAML, "subject: Hallo, ", "", 1):                                                           {"/locales/de/subject required"},
		strings.Replace(localesYAML, `["Hallo."]`, `["{{ nobody }}"]`, 1):                                                 {"/locales/de/body/intros/0 unknown_variable"},
		"key: k\nsubject: s\nlocale: en\nbody: {intros: [a]}\nlocales: {de: [x]}":                                         {"/locales/de bad_type"},
		"key: k\nsubject: s\nlocale: en\nbody: {intros: [a]}\nlocales: {de: {subject: s, sujet: t, body: {intros: [a]}}}": {"/locales/de/sujet unknown_field"},
	} {
		tpl, problems := email.DecodeTemplate([]byte(source))
		if !fault.HasErrors(problems) {
			problems = email.ValidateTemplate(tpl)
		}
		require.Equal(t, want, codes(problems), source)
	}
}

func TestWhatIsWrongInALocaleSaysWhere(t *testing.T) {
	t.Parallel()
	tpl := decode(t, strings.Replace(localesYAML, "https://a.test/de", "{{ contact.evil }}", 1))
	data := someData()
	data.Contact.Locale = "de"
	_, err := renderer(t).Render(tpl, data, email.RenderOptions{})
	require.ErrorContains(t, err, "/locales/de/body/actions/0/button/link")
}
