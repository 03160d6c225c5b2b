package audience

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"throughline.dev/throughline/internal/fault"
)

// Glossary is how a deployment calls its things, so that marketing and sales say the same. It stands here because mails, journeys and
// generated subjects are all held against it.
type Glossary struct {
	Terms []GlossaryTerm `json:"terms" nullable:"false" maxItems:"500" doc:"The right words, each with those that it stands for."`
}

// GlossaryTerm is a right word, and the wrong ones.
type GlossaryTerm struct {
	Term     string   `json:"term" maxLength:"100" doc:"The word to use." example:"sign-in link"`
	Variants []string `json:"variants" nullable:"false" maxItems:"20" doc:"What is not to be written instead. Capitals count only in a variant that differs from the term by nothing else. Forms such as the plural are variants of their own." example:"[\"magic link\",\"login link\"]"`
	Note     string   `json:"note,omitempty" maxLength:"300" doc:"Why, for whoever wrote it otherwise."`
	Locale   string   `json:"locale,omitempty" maxLength:"35" doc:"Holds in texts of this language only, such as de or pt-BR; in all without one." example:"en"`
	Level    string   `json:"level,omitempty" enum:"warning,error" doc:"error: what says it otherwise is not saved as a template, and not published as a journey. warning when empty."`
}

// CodeGlossary is the code of a problem with a word.
const CodeGlossary = "glossary_variant"

// The sizes of a glossary.
const (
	maxTerms    = 500
	maxVariants = 20
	maxTermSize = 100 // runes
	maxNoteSize = 300
)

var glossaryLocale = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// Validate lists everything that is wrong with a glossary, with JSON pointers.
func (g Glossary) Validate() []fault.Problem {
	v := &glossaryCheck{owners: map[string]int{}}
	if len(g.Terms) > maxTerms {
		v.add("/terms", "too_many", fmt.Sprintf("A glossary has %d terms at most.", maxTerms))
		return v.problems
	}
	for i, t := range g.Terms {
		v.term(i, t)
	}
	for i, t := range g.Terms { // when all right words are known
		v.variants(i, t, g.Terms)
	}
	return v.problems
}

type glossaryCheck struct {
	problems []fault.Problem
	owners   map[string]int // of right words and variants, by what they are compared by
}

func (v *glossaryCheck) add(path, code, message string) {
	v.problems = append(v.problems, fault.Problem{Path: path, Code: code, Level: fault.LevelError, Message: message})
}

func (v *glossaryCheck) term(i int, t GlossaryTerm) {
	at := fmt.Sprintf("/terms/%d", i)
	if v.word(at+"/term", t.Term) {
		name := t.Locale + "\n" + exactKey(t.Term)
		if other, taken := v.owners[name]; taken {
			v.add(at+"/term", "duplicate_term", fmt.Sprintf("Entry %d has the same term.", other+1))
		} else {
			v.owners[name] = i
		}
	}
	if utf8.RuneCountInString(t.Note) > maxNoteSize || strings.ContainsFunc(t.Note, unicode.IsControl) {
		v.add(at+"/note", "bad_note", fmt.Sprintf("A note is one line of %d characters at most.", maxNoteSize))
	}
	if t.Locale != "" && !glossaryLocale.MatchString(t.Locale) {
		v.add(at+"/locale", "bad_locale", "A language is written as de or pt-BR.")
	}
	if t.Level != "" && t.Level != fault.LevelWarning && t.Level != fault.LevelError {
		v.add(at+"/level", "bad_level", "The level is warning or error.")
	}
}

func (v *glossaryCheck) variants(i int, t GlossaryTerm, all []GlossaryTerm) {
	at := fmt.Sprintf("/terms/%d/variants", i)
	switch {
	case len(t.Variants) == 0:
		v.add(at, "required", "A term needs words that it stands for.")
	case len(t.Variants) > maxVariants:
		v.add(at, "too_many", fmt.Sprintf("A term has %d variants at most.", maxVariants))
		return
	}
	for n, variant := range t.Variants {
		path := fmt.Sprintf("%s/%d", at, n)
		if !v.word(path, variant) {
			continue
		}
		name := t.Locale + "\n" + exactKey(variant)
		other, taken := v.owners[name]
		switch {
		case !taken:
			v.owners[name] = i
		case exactKey(all[other].Term) == exactKey(variant):
			v.add(path, "variant_is_term", fmt.Sprintf("This is the right word of entry %d.", other+1))
		default:
			v.add(path, "duplicate_variant", fmt.Sprintf("Entry %d has this variant already.", other+1))
		}
	}
}

func (v *glossaryCheck) word(path, s string) bool {
	switch {
	case !utf8.ValidString(s):
		v.add(path, "bad_encoding", "The text is not valid UTF-8.")
	case !strings.ContainsFunc(s, inWord):
		v.add(path, "required", "This needs a letter or a digit.")
	case utf8.RuneCountInString(s) > maxTermSize:
		v.add(path, "too_long", fmt.Sprintf("A word of a glossary has %d characters at most.", maxTermSize))
	case strings.ContainsFunc(s, unicode.IsControl):
		v.add(path, "line_break", "This is a single line.")
	case strings.ContainsAny(s, "{}<>"):
		v.add(path, "placeholder", "A word of a glossary holds no placeholders and no markup.")
	default:
		return true
	}
	return false
}

// In lists the terms that count in a language.
func (g Glossary) In(locale string) []GlossaryTerm {
	var terms []GlossaryTerm
	for _, t := range g.Terms {
		if t.holds(locale) {
			terms = append(terms, t)
		}
	}
	return terms
}

// holds tells whether a term counts in texts of a language. Texts whose language is not known are held against what counts in all.
func (t GlossaryTerm) holds(locale string) bool {
	own, of := strings.ToLower(t.Locale), strings.ToLower(strings.ReplaceAll(locale, "_", "-"))
	return own == "" || own == of || strings.HasPrefix(of, own+"-")
}
