package email

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

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
)

const maxGeneratedSubject = 120 // runes

var (
	linkPattern = regexp.MustCompile(`(?i)https?:|www\.|://|\b[a-z0-9-]+\.(com|net|org|io|dev|app|co|info|biz|ru|cn|xyz|link|click|top|me|ly)\b|[^\s@]+@[^\s@]+\.[a-z]`)
	bangPattern = regexp.MustCompile(`[!?¡¿]{3,}|\${3,}`)
)

// CheckSubject decides whether a generated subject may replace the written one. The candidate comes from outside and is
// treated as hostile; what the written subject itself contains (a domain name, capitals) is allowed in the candidate too.
func CheckSubject(candidate, written string) error {
	switch {
	case strings.TrimSpace(candidate) == "":
		return refuse(SubjectEmpty, "The generated subject is empty.")
	case !utf8.ValidString(candidate), strings.ContainsFunc(candidate, invisible):
		return refuse(SubjectControl, "The generated subject has control or invisible characters.")
	case utf8.RuneCountInString(candidate) > maxGeneratedSubject:
		return refuse(SubjectTooLong, "The generated subject is longer than 120 characters.")
	case strings.ContainsAny(candidate, "{}") || strings.Contains(candidate, "%}"):
		return refuse(SubjectPlaceholder, "The generated subject has a placeholder.")
	case strings.ContainsAny(candidate, "<>"):
		return refuse(SubjectMarkup, "The generated subject has markup.")
	}
	for _, link := range linkPattern.FindAllString(candidate, -1) {
		if !strings.Contains(strings.ToLower(written), strings.ToLower(link)) {
			return refuse(SubjectLink, "The generated subject has a link.")
		}
	}
	if bangPattern.MatchString(candidate) || (shouts(candidate) && !shouts(written)) {
		return refuse(SubjectShouting, "The generated subject shouts.")
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
