package email

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// The closed list of codes why a subject that a model wrote is refused.
const (
	SubjectEmpty       = "subject_empty"
	SubjectTooLong     = "subject_too_long"
	SubjectControl     = "subject_control"     // control or invisible characters, line breaks
	SubjectLink        = "subject_link"        // a link, an address, or something that looks like one
	SubjectPlaceholder = "subject_placeholder" // Liquid, or another template language
	SubjectShouting    = "subject_shouting"    // capitals throughout, or a row of exclamation marks
	SubjectMarkup      = "subject_markup"      // HTML or JSON
	SubjectEmoji       = "subject_emoji"       // more than two pictures
	SubjectForbidden   = "subject_forbidden"   // a word that the settings forbid
	SubjectGlossary    = "subject_glossary"    // a word that the glossary has a right one for
	SubjectAlike       = "subject_alike"       // as good as the written one, or as another candidate
)

const (
	maxGeneratedSubject = 90  // characters as a reader counts them
	maxGeneratedRunes   = 200 // of all that they are made of
	maxPictures         = 2
	maxLikeness         = 0.6
)

var (
	linkPattern = regexp.MustCompile(`(?i)https?:|www\.|://|\b[a-z0-9-]+\.(com|net|org|io|dev|app|co|info|biz|ru|cn|xyz|link|click|top|me|ly)\b|[^\s@]+@[^\s@]+\.[a-z]`)
	bangPattern = regexp.MustCompile(`[!?¡¿]{3,}|\${3,}`)
)

// SubjectCheck is what a generated subject is held against. The candidate comes from outside and is treated as hostile; what the written
// subject itself contains (a domain name, capitals) is allowed in the candidate too.
type SubjectCheck struct {
	Written   string
	Others    []string          // that are there already
	Forbidden *audience.Lexicon // words that no subject may hold; nil: none
	Words     *audience.Lexicon // of the glossary; nil: none
}

// Check decides whether a candidate may stand beside the written subject.
func (c SubjectCheck) Check(candidate string) error {
	switch {
	case strings.TrimSpace(candidate) == "":
		return refuse(SubjectEmpty, "The generated subject is empty.")
	case !utf8.ValidString(candidate), strings.ContainsFunc(candidate, invisible):
		return refuse(SubjectControl, "The generated subject has control or invisible characters.")
	case characters(candidate) > maxGeneratedSubject, utf8.RuneCountInString(candidate) > maxGeneratedRunes:
		return refuse(SubjectTooLong, fmt.Sprintf("The generated subject is longer than %d characters.", maxGeneratedSubject))
	case strings.ContainsAny(candidate, "{}") || strings.Contains(candidate, "%}"):
		return refuse(SubjectPlaceholder, "The generated subject has a placeholder.")
	case strings.ContainsAny(candidate, "<>"):
		return refuse(SubjectMarkup, "The generated subject has markup.")
	case pictures(candidate) > max(maxPictures, pictures(c.Written)):
		return refuse(SubjectEmoji, fmt.Sprintf("The generated subject has more than %d pictures.", maxPictures))
	}
	for _, link := range linkPattern.FindAllString(candidate, -1) {
		if !strings.Contains(strings.ToLower(c.Written), strings.ToLower(link)) {
			return refuse(SubjectLink, "The generated subject has a link.")
		}
	}
	if bangPattern.MatchString(candidate) || (shouts(candidate) && !shouts(c.Written)) {
		return refuse(SubjectShouting, "The generated subject shouts.")
	}
	return c.words(candidate)
}

func (c SubjectCheck) words(candidate string) error {
	if c.Forbidden != nil {
		if found := c.Forbidden.Find(candidate); len(found) > 0 {
			return refuse(SubjectForbidden, fmt.Sprintf("“%s” is a word that subjects may not hold.", found[0].Found))
		}
	}
	if c.Words != nil {
		if found := c.Words.Check("", candidate); len(found) > 0 {
			return refuse(SubjectGlossary, found[0].Message)
		}
	}
	for i, other := range append([]string{c.Written}, c.Others...) {
		if likeness(candidate, other) > maxLikeness {
			if i == 0 {
				return refuse(SubjectAlike, "It says nearly the same as the written subject.")
			}
			return refuse(SubjectAlike, "It says nearly the same as another one.")
		}
	}
	return nil
}

// CleanSubject takes off what a model puts around an answer: white space and a pair of quotation marks.
func CleanSubject(s string) string {
	s = strings.TrimSpace(s)
	for _, pair := range []string{`""`, `''`, "“”", "«»", "„“", "``"} {
		runes := []rune(pair)
		inner, ok := strings.CutPrefix(s, string(runes[0]))
		if !ok {
			continue
		}
		if inner, ok = strings.CutSuffix(inner, string(runes[1])); ok && !strings.ContainsRune(inner, runes[0]) {
			return strings.TrimSpace(inner)
		}
	}
	return s
}

func refuse(code, message string) error {
	return fault.New(fault.Invalid, code, message)
}

// invisible finds control characters, line breaks, bidi marks, zero-width characters and private use. The joiner and the
// variation selector are letters' business: emoji and several scripts need them.
func invisible(r rune) bool {
	if r == '\u200d' || r == '\u200c' || r == '\ufe0f' {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) || r == utf8.RuneError
}

// shouts wants at least eight letters, so that "VAT: OK" passes.
func shouts(s string) bool {
	upper, lower := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			lower++
		}
	}
	return upper >= 8 && upper > 3*lower
}

// characters counts what a reader sees as one: marks belong to their letters, and what is joined is one picture.
func characters(s string) int {
	n, joined, flag := 0, false, false
	for _, r := range s {
		switch {
		case r == '\u200d':
			joined = true
			continue
		case unicode.In(r, unicode.M), r == '\u200c', r >= 0x1f3fb && r <= 0x1f3ff: // marks, selectors, colours of skin
			continue
		case r >= 0x1f1e6 && r <= 0x1f1ff: // flags are two letters
			if flag = !flag; flag {
				n++
			}
			joined = false
			continue
		case !joined:
			n++
		}
		joined, flag = false, false
	}
	return n
}

// pictures counts emoji and the like.
func pictures(s string) int {
	n, joined, flag := 0, false, false
	for _, r := range s {
		if r >= 0x1f1e6 && r <= 0x1f1ff { // flags are two letters
			if flag = !flag; flag {
				n++
			}
			continue
		}
		if r >= 0x2600 && r <= 0x27bf || r >= 0x1f000 && r <= 0x1faff && (r < 0x1f3fb || r > 0x1f3ff) {
			if !joined {
				n++
			}
		}
		joined = r == '\u200d'
	}
	return n
}

// likeness is which part of their trigrams two texts have in common, from 0 to 1: capitals, punctuation and placeholders aside.
func likeness(a, b string) float64 {
	x, y := trigrams(a), trigrams(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	common := 0
	for t := range x {
		if y[t] {
			common++
		}
	}
	return float64(common) / float64(len(x)+len(y)-common)
}

var placeholderPattern = regexp.MustCompile(`\{\{[^}]*\}\}|\{%[^%]*%\}`)

func trigrams(s string) map[string]bool {
	letters := strings.FieldsFunc(strings.ToLower(placeholderPattern.ReplaceAllString(s, " ")), func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.N, unicode.M)
	})
	if len(letters) == 0 {
		return nil
	}
	runes := []rune(" " + strings.Join(letters, " ") + " ")
	found := map[string]bool{}
	for i := range len(runes) - 2 {
		found[string(runes[i:i+3])] = true
	}
	return found
}
