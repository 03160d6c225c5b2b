package email

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/osteele/liquid/parser"

	"throughline.dev/throughline/internal/fault"
)

// Snippet is a piece of text that templates share. It stands where {% render "key" %} does, as if it were written there: as text in a
// sentence, as Markdown in Markdown.
type Snippet struct {
	Key     string            `json:"key"`
	Text    string            `json:"text" doc:"With placeholders, as in a template."`
	Locale  string            `json:"locale,omitempty" doc:"The language of text, as BCP 47 writes it; required beside locales." example:"en"`
	Locales map[string]string `json:"locales,omitempty" doc:"The same in other languages, by their BCP 47 tags; a mail takes the nearest to its own."`
}

// SnippetVersion is a saved snippet. Templates show the newest.
type SnippetVersion struct {
	Snippet
	Version int    `json:"version"`
	Hash    string `json:"hash"`
}

const (
	maxSnippet      = 16 << 10 // bytes
	maxSnippetDepth = 3        // snippets within snippets
	renderTag       = "render"
)

var snippetArgument = regexp.MustCompile(`^(?:"([^"]*)"|'([^']*)')$`)

// in is the text of a snippet for a mail of some locale.
func (s Snippet) in(locale string) string {
	if text, there := s.Locales[nearest(s.Locale, s.Locales, locale)]; there {
		return text
	}
	return s.Text
}

// Uses lists the snippets that a snippet names itself.
func (s Snippet) Uses() []string {
	return usedSnippets(reflect.ValueOf(s))
}

// Uses lists the snippets that a template names itself, in whatever field and language.
func (t *Template) Uses() []string {
	return usedSnippets(reflect.ValueOf(*t))
}

func usedSnippets(v reflect.Value) []string {
	var keys []string
	eachText(v, func(source string) {
		for _, tok := range renders(source) {
			if key, ok := snippetKey(tok); ok && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	})
	slices.Sort(keys)
	return keys
}

func eachText(v reflect.Value, fn func(string)) {
	switch v.Kind() { //nolint:exhaustive // what a template is made of
	case reflect.String:
		fn(v.String())
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), fn)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), fn)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			eachText(v.MapIndex(key), fn)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				eachText(v.Field(i), fn)
			}
		}
	default:
	}
}

// renders finds the tags that name snippets, outside of comments.
func renders(source string) []parser.Token {
	var out []parser.Token
	eachPart(source, func(tok parser.Token, render bool) {
		if render {
			out = append(out, tok)
		}
	})
	return out
}

// eachPart gives the parts of a source, and whether they name a snippet.
func eachPart(source string, fn func(tok parser.Token, render bool)) {
	if !mayRender(source) {
		fn(parser.Token{Source: source}, false)
		return
	}
	comment := false
	for _, tok := range parser.Scan(source, parser.SourceLoc{LineNo: 1}, nil) {
		tag := tok.Type == parser.TagTokenType
		if tok.Type != parser.TextTokenType && tok.Type != parser.ObjTokenType && !tag {
			continue // the marks of white space, which are within the others' sources, too
		}
		comment = tag && tok.Name == "comment" || comment && (!tag || tok.Name != "endcomment")
		fn(tok, tag && tok.Name == renderTag && !comment)
	}
}

func mayRender(source string) bool {
	return strings.Contains(source, "{%") && strings.Contains(source, renderTag)
}

func snippetKey(tok parser.Token) (string, bool) {
	m := snippetArgument.FindStringSubmatch(strings.TrimSpace(tok.Args))
	if m == nil {
		return "", false
	}
	return m[1] + m[2], true
}

// snippetBook puts snippets where they are named.
type snippetBook struct {
	all      map[string]Snippet
	locale   string // of the mail
	problems []fault.Problem
}

// expand gives a source with its snippets in their places, and what is wrong with them. Problems have an empty path.
func (b *snippetBook) expand(source string) (string, []fault.Problem) {
	if !mayRender(source) {
		return source, nil
	}
	b.problems = nil
	out := b.put(source, nil)
	return out, b.problems
}

func (b *snippetBook) put(source string, within []string) string {
	var out strings.Builder
	eachPart(source, func(tok parser.Token, render bool) {
		text := tok.Source
		if render {
			text = b.text(tok, within)
		}
		switch {
		case len(b.problems) > 0:
		case out.Len()+len(text) > maxRaw: // what is not a page may be less long, which is looked at later
			b.add("liquid_too_large", "With its snippets the text is longer than 200 KB.", within)
		default:
			out.WriteString(text)
		}
	})
	return out.String()
}

func (b *snippetBook) text(tok parser.Token, within []string) string {
	key, ok := snippetKey(tok)
	if !ok {
		b.add("bad_render", `A snippet is put in by {% render "key" %}: its key in quotes, and nothing else.`, within)
		return ""
	}
	snippet, there := b.all[key]
	switch {
	case !there:
		b.add("unknown_snippet", fmt.Sprintf("There is no snippet %s.", quoteName(key)), within)
		return ""
	case slices.Contains(within, key):
		b.add("snippet_cycle", fmt.Sprintf("The snippet %s contains itself.", quoteName(key)), within)
		return ""
	case len(within) == maxSnippetDepth:
		b.add("snippet_too_deep", "Snippets are nested more than 3 deep.", within)
		return ""
	}
	return b.put(snippet.in(b.locale), append(slices.Clone(within), key))
}

// add names the snippet that something is wrong within.
func (b *snippetBook) add(code, message string, within []string) {
	if n := len(within); n > 0 {
		message = fmt.Sprintf("In the snippet %s: %s", quoteName(within[n-1]), message)
	}
	b.problems = append(b.problems, fault.Problem{Code: code, Level: fault.LevelError, Message: message})
}

// ValidateSnippet lists everything that is wrong with a snippet, with JSON pointers. others are those that it may name.
func ValidateSnippet(s Snippet, others map[string]Snippet) []fault.Problem {
	all := map[string]Snippet{}
	for key, other := range others {
		all[key] = other
	}
	all[s.Key] = s
	v := &validator{snippets: snippetBook{all: all}}
	if !keyPattern.MatchString(s.Key) {
		v.add("/key", "bad_key", "The key is 1 to 64 lower-case letters, digits, dots, dashes and underscores.")
	}
	v.snippet("/text", s.Text, s.Locale)
	v.languages(s.Locale, len(s.Locales))
	for _, name := range sortedKeys(s.Locales) {
		v.locale(localePath(name), name)
		if name == s.Locale {
			v.add(localePath(name), "same_locale", "This is the language of the text already.")
		}
		v.snippet(localePath(name), s.Locales[name], name)
	}
	return v.problems
}

func (v *validator) snippet(path, text, locale string) {
	if !v.required(path, text, "A snippet needs a text.") {
		return
	}
	if len(text) > maxSnippet || !utf8.ValidString(text) {
		v.add(path, "too_long", "A snippet is UTF-8, and at most 16 KB long.")
		return
	}
	v.snippets.locale = locale
	v.text(path, text, maxSnippet)
}
