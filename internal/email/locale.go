package email

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

const maxLocales = 50

// Speaks is the locale of a template that a contact of some locale gets: the same, its language (de for de-AT), or another kind of its
// language that its speakers read; else the template's own.
func (t *Template) Speaks(locale string) string {
	if len(t.Locales) == 0 {
		return t.Locale
	}
	wanted, err := language.Parse(strings.ReplaceAll(locale, "_", "-"))
	if err != nil {
		return t.Locale
	}
	if _, there := t.Locales[wanted.String()]; there {
		return wanted.String()
	}
	names := []string{t.Locale} // the first is what the matcher falls back to
	for name := range t.Locales {
		names = append(names, name)
	}
	slices.Sort(names[1:])
	tags := make([]language.Tag, len(names))
	for i, name := range names {
		tags[i] = language.Make(name)
	}
	_, i, confidence := language.NewMatcher(tags).Match(wanted)
	if confidence < language.High { // a Dane could read Norwegian, but would not expect it
		return t.Locale
	}
	return names[i]
}

// in is the template as it is in one of its locales, and where its fields stand in the document.
func (t *Template) in(locale string) (Template, string) {
	out := *t
	out.Locales = nil
	localized, there := t.Locales[locale]
	if !there {
		return out, ""
	}
	out.Locale, out.Subject, out.Preheader, out.Body = locale, localized.Subject, localized.Preheader, localized.Body
	return out, "/locales/" + locale
}

// fixedWords are those of a mail that nobody wrote.
type fixedWords struct {
	language    string // as HTML says it; empty: the template does not say
	unsubscribe string
	trouble     string // {ACTION} stands for the text of the button
	rightToLeft bool
}

// wordsOf are in the language of the mail, or of the contact where the template does not say which it is in.
func wordsOf(mail, contact string) fixedWords {
	words := fixedWords{language: mail, rightToLeft: rightToLeft(mail)}
	if mail == "" {
		mail = contact
	}
	words.unsubscribe, words.trouble = UnsubscribeText(mail), troubleText
	if text, ok := map[string]string{
		"de": "Wenn der Knopf „{ACTION}“ nicht funktioniert, kopieren Sie diese Adresse in Ihren Browser:",
		"fr": "Si le bouton « {ACTION} » ne fonctionne pas, copiez cette adresse dans votre navigateur :",
		"es": "Si el botón «{ACTION}» no funciona, copie esta dirección en su navegador:",
	}[languageOf(mail)]; ok {
		words.trouble = text
	}
	return words
}

func rightToLeft(locale string) bool {
	tag, err := language.Parse(locale)
	if err != nil {
		return false
	}
	script, _ := tag.Script()
	return slices.Contains([]string{"Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm"}, script.String())
}

// locales checks the languages of a template.
func (v *validator) locales(t Template) {
	switch {
	case t.Locale == "" && len(t.Locales) > 0:
		v.add("/locale", "required", "Say which language subject and body are in: contacts of other languages get them, too.")
	case t.Locale != "":
		v.locale("/locale", t.Locale)
	}
	if len(t.Locales) > maxLocales {
		v.add("/locales", "too_many", "A template has at most 50 languages.")
		return
	}
	names := make([]string, 0, len(t.Locales))
	for name := range t.Locales {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		path := "/locales/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		v.locale(path, name)
		if name == t.Locale {
			v.add(path, "same_locale", "This is the language of subject and body already.")
		}
		localized, _ := t.in(name)
		v.prefix = path
		v.content(localized)
		v.prefix = ""
	}
}

func (v *validator) locale(path, name string) {
	tag, err := language.Parse(name)
	switch {
	case err != nil || tag == language.Und:
		v.add(path, "bad_locale", "A language is written as in en, de-AT or zh-Hant.")
	case tag.String() != name:
		v.add(path, "bad_locale", "This language is written "+tag.String()+".")
	}
}
