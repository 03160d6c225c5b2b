package email

import (
	"fmt"
	"strings"

	"github.com/osteele/liquid/expressions"
	"github.com/osteele/liquid/parser"

	"throughline.dev/throughline/internal/fault"
)

// gate walks the tokens of a Liquid source, by the library's own scanner, and collects what is not allowed.
type gate struct {
	source   string
	filters  map[string]filter
	problems []fault.Problem
	blocks   []block
	known    map[string]bool // variables that a template made itself
}

// block is an open if, unless, case or for; paths are what its condition looked at.
type block struct {
	name  string
	line  int
	paths []string
}

func newGate(source string) *gate {
	return &gate{
		source:  source,
		filters: filters(),
		known:   map[string]bool{"contact": true, "event": true, "company": true, "object": true},
	}
}

func (g *gate) add(code string, line int, message string) {
	g.problems = append(g.problems, liquidProblem(code, line, message))
}

// check gives back the tokens without comments and trim marks.
func (g *gate) check() []parser.Token {
	var kept []parser.Token
	comment := 0 // line of the open comment
	for _, tok := range parser.Scan(g.source, parser.SourceLoc{LineNo: 1}, nil) {
		line := tok.SourceLoc.LineNo
		if comment > 0 {
			if tok.Type == parser.TagTokenType && tok.Name == "endcomment" {
				comment = 0
			}
			continue
		}
		switch tok.Type {
		case parser.TextTokenType:
			if strings.Contains(tok.Source, "{{") || strings.Contains(tok.Source, "{%") {
				g.add("liquid_unclosed", line, "A placeholder is opened and not closed on the same line.")
			}
		case parser.ObjTokenType:
			g.object(tok)
		case parser.TagTokenType:
			if tok.Name == "comment" {
				comment = line
				continue
			}
			g.tag(tok)
		default:
			continue
		}
		kept = append(kept, tok)
	}
	if comment > 0 {
		g.add("liquid_unclosed", comment, "The comment is not closed.")
	}
	for _, b := range g.blocks {
		g.add("liquid_unclosed", b.line, fmt.Sprintf("%q is not closed.", b.name))
	}
	return kept
}

func (g *gate) object(tok parser.Token) {
	if !parses(tok.Args) { // by itself: "a) | b | (c" would be right within the brackets that rewrite adds
		g.add("liquid_syntax", tok.SourceLoc.LineNo, "This is not valid Liquid.")
		return
	}
	e := g.expression(tok)
	if len(e.paths) == 0 || e.has("default") || len(e.compares) > 0 {
		return
	}
	path := e.paths[0]
	if !mayBeMissing(path) || g.guarded(path) {
		return
	}
	p := liquidProblem("missing_default", tok.SourceLoc.LineNo, fmt.Sprintf("%s may be empty: add a default, such as {{ %s | default: 'there' }}.", path, path))
	p.Level = fault.LevelWarning
	g.problems = append(g.problems, p)
}

// parses asks the library, which panics on numbers that are too large.
func parses(source string) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	_, err := expressions.Parse(source)
	return err == nil
}

// mayBeMissing tells whether a placeholder shows what not every contact has. Of the event, the author knows more than we do; company is
// left to the author, too, because journeys for companies have one throughout.
func mayBeMissing(path string) bool {
	return strings.HasPrefix(path, "contact.") && !alwaysThere(path) || strings.HasPrefix(path, "object.")
}

// alwaysThere names what every contact has that gets mail.
func alwaysThere(path string) bool {
	return path == "contact.email" || path == "contact.id" || path == "contact.score" || path == "contact.stage"
}

// guarded tells whether an open block asked about a path before it is printed.
func (g *gate) guarded(path string) bool {
	for _, b := range g.blocks {
		for _, p := range b.paths {
			if p == path {
				return true
			}
		}
	}
	return false
}

func (g *gate) tag(tok parser.Token) {
	line := tok.SourceLoc.LineNo
	switch tok.Name {
	case "if", "unless", "case":
		g.open(tok, g.expression(tok).paths)
	case "for":
		name, _, _ := strings.Cut(tok.Args, " ")
		g.declare(name, line)
		g.open(tok, g.expression(tok).paths)
		g.known["forloop"] = true
	case "assign":
		name, _, _ := strings.Cut(tok.Args, "=")
		g.declare(strings.TrimSpace(name), line)
		g.expression(tok)
	case "elsif", "when":
		paths := g.expression(tok).paths
		if n := len(g.blocks); n > 0 {
			g.blocks[n-1].paths = append(g.blocks[n-1].paths, paths...)
		}
	case "else", "break", "continue":
	case "endif", "endunless", "endcase", "endfor":
		g.close(tok)
	default:
		g.add("unknown_tag", line, "This tag does not exist here: use if, unless, case, for, assign, comment and render.")
	}
}

func (g *gate) open(tok parser.Token, paths []string) {
	g.blocks = append(g.blocks, block{name: tok.Name, line: tok.SourceLoc.LineNo, paths: paths})
	if len(g.blocks) == maxLiquidDepth+1 {
		g.add("liquid_too_deep", tok.SourceLoc.LineNo, "Blocks are nested more than 3 deep.")
	}
}

func (g *gate) close(tok parser.Token) {
	n := len(g.blocks)
	if n == 0 || "end"+g.blocks[n-1].name != tok.Name {
		g.add("liquid_unclosed", tok.SourceLoc.LineNo, fmt.Sprintf("%q closes nothing that is open.", tok.Name))
		return
	}
	g.blocks = g.blocks[:n-1]
}

// declare makes a variable known. Those that hold the data can't be replaced.
func (g *gate) declare(name string, line int) {
	switch {
	case name == "contact", name == "event", name == "company", name == "object", name == "forloop", strings.HasPrefix(name, reservedPrefix):
		g.add("reserved_name", line, "This name can't be used for a variable.")
	case name != "":
		g.known[name] = true
	}
}

func (g *gate) expression(tok parser.Token) expression {
	line := tok.SourceLoc.LineNo
	e := scanExpression(tok.Args)
	if e.ranges {
		g.add("range_not_allowed", line, "Ranges such as (1..9) are not allowed: loop over a list of the data.")
	}
	for _, f := range e.filters {
		def, ok := g.filters[f.name]
		switch {
		case !ok || strings.HasPrefix(f.name, reservedPrefix):
			g.add("unknown_filter", line, "This filter does not exist: "+quoteName(f.name)+".")
		case f.args < def.min || f.args > def.max:
			g.add("filter_arguments", line, fmt.Sprintf("The filter %s takes %s.", quoteName(f.name), argumentCount(def)))
		}
	}
	for _, root := range e.roots {
		if tok.Name != "" && loopWord(tok.Name, root) {
			continue
		}
		if !g.known[root] {
			g.add("unknown_variable", line, fmt.Sprintf("%s is not known here: placeholders start with contact, event, company or object.", quoteName(root)))
		}
	}
	return e
}

func argumentCount(def filter) string {
	if def.min == def.max {
		return fmt.Sprintf("%d argument(s)", def.min)
	}
	return fmt.Sprintf("%d to %d arguments", def.min, def.max)
}

// loopWord tells the words of a tag's grammar from variables.
func loopWord(tag, word string) bool {
	return tag == "for" && (word == "in" || word == "reversed") || tag == "when" && word == "or"
}

// quoteName shows an identifier of the author, shortened.
func quoteName(name string) string {
	if len(name) > 40 {
		name = name[:40] + "…"
	}
	return fmt.Sprintf("%q", name)
}
