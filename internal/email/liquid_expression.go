package email

import "strings"

// expression is what the gate wants to know of the text within a placeholder or tag. It is no parser: the library checks the grammar.
type expression struct {
	filters  []filterUse
	paths    []string // contact.first_name, in order
	roots    []string // the first names of paths
	compares []string // operators, and, or, contains
	ranges   bool
}

type filterUse struct {
	name string
	args int
}

func (e expression) has(filter string) bool {
	for _, f := range e.filters {
		if f.name == filter {
			return true
		}
	}
	return false
}

// scanExpression reads an expression by the library's lexical rules: quotes have no escapes, names may hold - and end in ?.
func scanExpression(source string) expression {
	var e expression
	words := lexExpression(source)
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "..":
			e.ranges = true
		case word == "|":
			if i+1 < len(words) {
				var use filterUse
				use, i = scanFilter(words, i+1)
				e.filters = append(e.filters, use)
			}
		case word == "and", word == "or", word == "contains", strings.Contains("== != >= <= < >", word):
			e.compares = append(e.compares, word)
		case word == "true", word == "false", word == "nil", !isNameStart(word[0]), strings.HasSuffix(word, ":"):
		default:
			e.roots = append(e.roots, word)
			path := word
			for i+1 < len(words) && strings.HasPrefix(words[i+1], ".") && words[i+1] != ".." {
				i++
				path += words[i]
			}
			e.paths = append(e.paths, path)
		}
	}
	return e
}

// scanFilter counts the arguments of the filter at words[i] and gives the index of its name's last word.
func scanFilter(words []string, i int) (filterUse, int) {
	name, takes := strings.CutSuffix(words[i], ":")
	use := filterUse{name: name}
	if !takes {
		return use, i
	}
	use.args = 1
	for _, word := range words[i+1:] {
		if word == "|" {
			break
		}
		if word == "," {
			use.args++
		}
	}
	return use, i
}

// endsInFilter tells whether the last filter of an expression is the named one.
func endsInFilter(source, name string) bool {
	e := scanExpression(source)
	return len(e.filters) > 0 && e.filters[len(e.filters)-1].name == name
}

func lexExpression(source string) []string {
	var words []string
	for i := 0; i < len(source); {
		n := wordLength(source[i:])
		word := source[i : i+n]
		i += n
		if strings.TrimSpace(word) != "" {
			words = append(words, word)
		}
	}
	return words
}

func wordLength(s string) int {
	c := s[0]
	switch {
	case c == '"' || c == '\'':
		if end := strings.IndexByte(s[1:], c); end >= 0 {
			return end + 2
		}
		return 1
	case isNameStart(c):
		return nameLength(s, 0)
	case c == '.' && len(s) > 1 && s[1] == '.':
		return 2
	case c == '.' && len(s) > 1 && isNameStart(s[1]):
		return strings.IndexFunc(s[1:]+" ", func(r rune) bool { return r > 127 || !isNamePart(byte(r)) }) + 1
	case len(s) > 1 && s[1] == '=' && strings.IndexByte("=!<>", c) >= 0:
		return 2
	case c >= '0' && c <= '9':
		return numberLength(s)
	default:
		return 1
	}
}

// nameLength covers a colon behind a name: then it is a keyword, or a filter with arguments.
func nameLength(s string, i int) int {
	for i < len(s) && isNamePart(s[i]) {
		i++
	}
	if i < len(s) && s[i] == '?' {
		i++
	}
	if i < len(s) && s[i] == ':' {
		i++
	}
	return i
}

// numberLength stops before "..", so that 1..9 is a range and not 1. and .9.
func numberLength(s string) int {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9') {
		i++
	}
	return i
}

func isNameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isNamePart(c byte) bool {
	return isNameStart(c) || c == '-' || c >= '0' && c <= '9'
}
