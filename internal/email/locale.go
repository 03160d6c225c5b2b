package email

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

const maxLocales = 50

// Speaks is the locale of a template that a contact of some locale gets: the same, its language (de for de-AT), or another kind of its
// language that its speakers read; else the template's own.
func (t *Template) Speaks(locale string) string {
	return nearest(t.Locale, t.Locales, locale)
}

// nearest is that of some locales which is nearest to a wanted one, or own.
func nearest[V any](own string, others map[string]V, locale string) string {
	if len(others) == 0 {
		return own
	}
	wanted, err := language.Parse(strings.ReplaceAll(locale, "_", "-"))
	if err != nil {
		return own
	}
	if _, there := others[wanted.String()]; there {
		return wanted.String()
	}
	names := append([]string{own}, sortedKeys(others)...) // the first is what the matcher falls back to
	tags := make([]language.Tag, len(names))
	for i, name := range names {
		tags[i] = language.Make(name)
	}
	_, i, confidence := language.NewMatcher(tags).Match(wanted)
	if confidence < language.High || languageOfTag(tags[i]) != languageOfTag(wanted) { // a Dane could read Norwegian, but would not expect it
		return own
	}
	return names[i]
}

// languageOfTag is without country and script, and one for what has two names.
func languageOfTag(tag language.Tag) string {
	if canonical, err := language.All.Canonicalize(tag); err == nil {
		tag = canonical
	}
	base, _ := tag.Base()
	return base.String()
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// Only is the template as it is in one of its locales, and in no other; its own for one that it has not.
func (t *Template) Only(locale string) Template {
	out, _ := t.in(locale)
	return out
}

// in is the template as it is in one of its locales, and where its fields stand in the document.
func (t *Template) in(locale string) (Template, string) {
	out := *t
	out.Locales = nil
	localized, there := t.Locales[locale]
	if !there {
		return out, ""
	}
	out.Locale, out.Subject, out.Preheader, out.Body, out.HTML, out.Text = locale, localized.Subject, localized.Preheader, localized.Body, localized.HTML, localized.Text
	return out, localePath(locale)
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
	v.languages(t.Locale, len(t.Locales))
	for _, name := range sortedKeys(t.Locales) {
		path := localePath(name)
		v.locale(path, name)
		if name == t.Locale {
			v.add(path, "same_locale", "This is the language of subject and body already.")
		}
		localized, _ := t.in(name)
		v.prefix, v.snippets.locale = path, name
		v.content(localized)
		v.prefix = ""
	}
}

func localePath(name string) string {
	return "/locales/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// languages checks that a document with others says which is its own.
func (v *validator) languages(own string, others int) {
	switch {
	case own == "" && others > 0:
		v.add("/locale", "required", "Say which language this is: whoever reads none of the others gets it.")
	case own != "":
		v.locale("/locale", own)
	}
	if others > maxLocales {
		v.add("/locales", "too_many", "There are more than 50 languages.")
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
