package audience

import (
	"cmp"
	"fmt"
	"strings"

	"throughline.dev/throughline/internal/fault"
)

// Usage is a wrong word in a text, and the right one.
type Usage struct {
	Start, End int    // in bytes of the text
	Found      string // as it is written there
	Term       GlossaryTerm
}

// Lexicon is a glossary made ready to look through texts of one language.
type Lexicon struct {
	root *lexeme
}

// lexeme is a place in the tree of all words of a lexicon, piece by piece.
type lexeme struct {
	next  map[string]*lexeme
	ends  []ending
	right bool // the right word of some entry ends here
}

// ending is a word that ends at a place of the tree. With exact it is only meant with these capitals.
type ending struct {
	term  *GlossaryTerm
	exact string
}

// Lexicon makes ready what holds in a language.
func (g Glossary) Lexicon(locale string) *Lexicon {
	l := &Lexicon{root: &lexeme{}}
	for i := range g.Terms {
		t := &g.Terms[i]
		if !t.holds(locale) {
			continue
		}
		l.add(t.Term).right = true
		for _, variant := range t.Variants {
			end := ending{term: t}
			if foldedKey(exactKey(variant)) == foldedKey(exactKey(t.Term)) {
				end.exact = spelling(wordsOf(strings.TrimSpace(variant)))
			}
			at := l.add(variant)
			at.ends = append(at.ends, end)
		}
	}
	return l
}

func (l *Lexicon) add(text string) *lexeme {
	at := l.root
	for _, w := range wordsOf(strings.TrimSpace(text)) {
		if at.next == nil {
			at.next = map[string]*lexeme{}
		}
		if at.next[w.folded] == nil {
			at.next[w.folded] = &lexeme{}
		}
		at = at.next[w.folded]
	}
	return at
}

func spelling(words []word) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.exact)
	}
	return b.String()
}

// Find lists the wrong words of a text, in their order. The longest word at a place counts: what stands within a right word is right. The
// time is linear in the text: from each place no more than the longest word of the glossary is looked at.
func (l *Lexicon) Find(text string) []Usage {
	if l.root.next == nil {
		return nil
	}
	words := wordsOf(text)
	var found []Usage
	for i := 0; i < len(words); {
		length, term := l.longest(words[i:])
		if term != nil {
			start, end := words[i].start, words[i+length-1].end
			found = append(found, Usage{Start: start, End: end, Found: text[start:end], Term: *term})
		}
		i += max(1, length)
	}
	return found
}

// longest is how many pieces the longest word at the beginning has, and, when it is a wrong one, whose.
func (l *Lexicon) longest(words []word) (int, *GlossaryTerm) {
	at, length := l.root, 0
	var wrong *GlossaryTerm
	for n, w := range words {
		if w.folded == "" {
			break
		}
		if at = at.next[w.folded]; at == nil {
			break
		}
		if at.right {
			length, wrong = n+1, nil
		}
		for _, end := range at.ends {
			if end.exact == "" || end.exact == spelling(words[:n+1]) {
				length, wrong = n+1, end.term
				break
			}
		}
	}
	return length, wrong
}

// Check is what Find finds, as problems of the text at a place; each word once.
func (l *Lexicon) Check(path, text string) []fault.Problem {
	var problems []fault.Problem
	seen := map[string]bool{}
	for _, u := range l.Find(text) {
		if seen[u.Found] {
			continue
		}
		seen[u.Found] = true
		problems = append(problems, fault.Problem{
			Path: path, Code: CodeGlossary, Level: cmp.Or(u.Term.Level, fault.LevelWarning), Message: u.sentence(),
			Replace: &fault.Replacement{Found: u.Found, With: u.Term.Term},
		})
	}
	return problems
}

func (u Usage) sentence() string {
	said := fmt.Sprintf("We say “%s”, not “%s”.", u.Term.Term, u.Found)
	if u.Term.Note != "" {
		said += " " + u.Term.Note
	}
	return said
}
