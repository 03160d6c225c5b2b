package audience

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// word is a piece of a text as a glossary compares it: a word, a mark of punctuation, or the white space between.
type word struct {
	exact, folded string // one form of Unicode; folded without capitals
	start, end    int    // in bytes of the text
}

// wordsOf cuts a text into words, in one pass: the time is linear in its length, whatever it holds. Placeholders, tags, addresses and links
// are no words: each becomes one piece that nothing equals.
func wordsOf(text string) []word {
	c := cutter{text: text}
	for c.at < len(text) {
		c.next()
	}
	return c.words
}

type cutter struct {
	text  string
	at    int
	words []word
	plain int             // up to here it is known that no link begins
	shut  map[string]bool // closers that do not come any more
}

func (c *cutter) next() {
	rest := c.text[c.at:]
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case strings.HasPrefix(rest, "{{"):
		if c.fenced("{{", "}}") {
			return
		}
	case strings.HasPrefix(rest, "{%"):
		if c.fenced("{%", "%}") {
			return
		}
	case r == '<' && len(rest) > 1 && (rest[1] == '/' || rest[1] >= 'a' && rest[1] <= 'z' || rest[1] >= 'A' && rest[1] <= 'Z'):
		if c.fenced("<", ">") {
			return
		}
	case unicode.IsSpace(r):
		end := c.at + runLength(rest, unicode.IsSpace)
		c.words = append(c.words, word{exact: " ", folded: " ", start: c.at, end: end})
		c.at = end
		return
	case inWord(r):
		c.word(rest, r, size)
		return
	}
	c.put(rest[:size])
}

// fenced takes what stands between an opening and a closing sign as one piece. An opening that nothing closes is punctuation; that is looked
// for only once, for the time to stay linear.
func (c *cutter) fenced(open, shut string) bool {
	if c.shut[shut] {
		return false
	}
	length := strings.Index(c.text[c.at+len(open):], shut)
	if length < 0 {
		if c.shut == nil {
			c.shut = map[string]bool{}
		}
		c.shut[shut] = true
		return false
	}
	c.hide(c.at + len(open) + length + len(shut))
	return true
}

// hide makes one piece of the text up to a place, which equals no word.
func (c *cutter) hide(end int) {
	c.words = append(c.words, word{start: c.at, end: end})
	c.at = end
}

func (c *cutter) word(rest string, r rune, size int) {
	if c.at >= c.plain {
		length := runLength(rest, inLink)
		if isLink(rest[:length]) {
			c.hide(c.at + length)
			return
		}
		c.plain = c.at + length
	}
	if alone(r) { // scripts that put no space between words
		c.put(rest[:size])
		return
	}
	c.put(rest[:runLength(rest, func(r rune) bool { return inWord(r) && !alone(r) })])
}

func (c *cutter) put(piece string) {
	exact := exactKey(piece)
	c.words = append(c.words, word{exact: exact, folded: foldedKey(exact), start: c.at, end: c.at + len(piece)})
	c.at += len(piece)
}

// exactKey writes a text in the one form in which two that look the same are the same.
func exactKey(s string) string {
	if ascii(s) {
		return s
	}
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case r == '’' || r == 'ʼ':
			return '\''
		case r == '‐' || r == '‑':
			return '-'
		case unicode.Is(unicode.Cf, r):
			return -1 // a soft hyphen and the like, which nobody sees
		}
		return r
	}, s))
}

func foldedKey(exact string) string {
	if ascii(exact) {
		return strings.ToLower(exact)
	}
	return norm.NFKC.String(cases.Fold().String(exact))
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

func inWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.M) || r == '\u00ad' || r == '\u200d' || r == '\u200c'
}

func alone(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// inLink are the signs that links and addresses are made of, besides brackets.
func inLink(r rune) bool { return inWord(r) || strings.ContainsRune("-._~:/?#@!$&*+,;=%", r) }

// isLink tells whether a run of such signs is a link, an address, or the name of a server.
func isLink(run string) bool {
	if strings.Contains(run, "://") || strings.HasPrefix(strings.ToLower(run), "mailto:") {
		return true
	}
	for i := 1; i+1 < len(run); i++ {
		if run[i] != '.' && run[i] != '@' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(run[:i])
		after, _ := utf8.DecodeRuneInString(run[i+1:])
		if inWord(before) && inWord(after) && !unicode.IsUpper(after) { // a sentence that begins without a space is no server
			return true
		}
	}
	return false
}

func runLength(s string, in func(rune) bool) int {
	for i, r := range s {
		if !in(r) {
			return i
		}
	}
	return len(s)
}
