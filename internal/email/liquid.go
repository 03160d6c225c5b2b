package email

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/osteele/liquid/parser"
	"github.com/osteele/liquid/render"
	"github.com/osteele/liquid/tags"

	"throughline.dev/throughline/internal/fault"
)

// The limits of a Liquid source. The library has none of its own: a loop over a range, or a string that is appended to
// itself, would take a worker down.
const (
	MaxLiquidSource = 64 << 10  // bytes of source
	MaxLiquidOutput = 512 << 10 // bytes of output of one field
	maxLiquidDepth  = 3         // blocks within blocks
	maxLiquidItems  = 50        // items of an array
	maxLiquidValue  = 16 << 10  // bytes of one string value
	maxLiquidSteps  = 100_000   // tokens that loops may visit
)

// Mode says where the output of a placeholder goes, and so how it is escaped. Filters and conditions always see the raw value.
type Mode int

// The modes.
const (
	ModeText Mode = iota // as it is: plain text, subjects, and fields that html/template escapes later
	ModeHTML             // escaped for HTML
	ModeLink             // percent-encoded, save for a placeholder that starts the link

	modeToken // each value is held back behind a mark; see values
	modes     // how many there are
)

// Liquid is a template source that passed the gate. It may be rendered by many goroutines at once.
type Liquid struct {
	source   string
	tokens   []parser.Token // comments left out
	literal  bool           // no placeholder at all
	programs [modes]program // by mode: made once, as the library takes longer to parse a source than to run it
}

// program is a source as the library runs it.
type program struct {
	root render.Node
	cfg  render.Config
}

// ParseLiquid checks a source and lists everything that is wrong with it. Problems have an empty path: the caller knows the place.
// The Liquid is nil when any problem is an error.
func ParseLiquid(source string) (*Liquid, []fault.Problem) {
	return parseLiquid(source, nil)
}

// parseLiquid is ParseLiquid with more variables; who has them brings a page, which may be longer.
func parseLiquid(source string, names []string) (*Liquid, []fault.Problem) {
	if len(source) > MaxLiquidSource && len(names) == 0 {
		return nil, []fault.Problem{liquidProblem("liquid_too_large", 0, "The text is longer than 64 KB.")}
	}
	if !strings.Contains(source, "{{") && !strings.Contains(source, "{%") {
		return &Liquid{source: source, literal: true}, nil
	}
	g := newGate(source)
	for _, name := range names {
		g.known[name] = true
	}
	tokens := g.check()
	if fault.HasErrors(g.problems) {
		return nil, g.problems
	}
	l := &Liquid{source: source, tokens: tokens}
	for mode := range modes {
		var err error
		if l.programs[mode], err = l.compile(mode); err != nil {
			line := 0
			var located interface{ LineNumber() int }
			if errors.As(err, &located) {
				line = located.LineNumber()
			}
			g.add("liquid_syntax", line, "This is not valid Liquid.")
			return nil, g.problems
		}
	}
	return l, g.problems
}

// Render fills the placeholders from data.
func (l *Liquid) Render(mode Mode, data Data) (string, error) {
	if l.literal {
		return l.source, nil
	}
	return l.render(mode, data.bindings())
}

// renderHeld fills the placeholders with marks and gives the values to put there later.
func (l *Liquid) renderHeld(bindings map[string]any) (string, *values, error) {
	held := &values{}
	bindings[heldName] = held
	out, err := l.render(modeToken, bindings)
	return out, held, err
}

var (
	errLiquidOutput = errors.New("the output is too large")
	errLiquidSteps  = errors.New("the loops do too much work")
	errLiquidPanic  = errors.New("the template could not be evaluated")
)

// render hides the cause of a library error: it may quote a contact's values. The library works on a copy of the bindings, so that what a
// template assigns is gone with it.
func (l *Liquid) render(mode Mode, bindings map[string]any) (out string, err error) {
	if l.literal {
		return l.source, nil
	}
	budget := maxLiquidSteps
	bindings[budgetName] = &budget
	w := &limitedWriter{left: MaxLiquidOutput}
	defer func() {
		if r := recover(); r != nil {
			out, err = "", fmt.Errorf("render liquid: %w", liquidCause(w, budget))
		}
	}()
	if rerr := render.Render(l.programs[mode].root, w, bindings, l.programs[mode].cfg); rerr != nil {
		return "", fmt.Errorf("render liquid: %w", liquidCause(w, budget))
	}
	return w.buf.String(), nil
}

func liquidCause(w *limitedWriter, budget int) error {
	switch {
	case w.full:
		return errLiquidOutput
	case budget < 0:
		return errLiquidSteps
	default:
		return errLiquidPanic
	}
}

// compile rewrites the source so that every placeholder ends in the mode's escaping filter and every loop counts its steps,
// then hands it to the library. The library panics on some bad literals.
func (l *Liquid) compile(mode Mode) (p program, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errLiquidPanic
		}
	}()
	p.cfg = render.NewConfig()
	addFilters(&p.cfg)
	tags.AddStandardTags(p.cfg)
	p.cfg.AddTag(tickTag, l.tick)
	root, perr := p.cfg.Compile(l.rewrite(mode), parser.SourceLoc{LineNo: 1})
	if perr != nil {
		return p, perr
	}
	p.root = root
	return p, nil
}

// Names that the gate keeps out of templates.
const (
	reservedPrefix = "tl_"
	budgetName     = "tl_budget"
	heldName       = "tl_held"
	tickTag        = "tl_tick"
	filterText     = "tl_text"
	filterHTML     = "tl_html"
	filterToken    = "tl_token"
	filterLink     = "tl_link"
)

func (l *Liquid) rewrite(mode Mode) string {
	var b strings.Builder
	for i, tok := range l.tokens {
		switch {
		case tok.Type == parser.ObjTokenType:
			// "(expr)" first: a filter binds tighter than a comparison.
			start, end := trimMarks(tok.Source)
			fmt.Fprintf(&b, "{{%s (%s) | %s %s}}", start, tok.Args, l.filterOf(mode, i), end)
		case tok.Type == parser.TagTokenType && tok.Name == "for":
			b.WriteString(tok.Source)
			b.WriteString("{% " + tickTag + " %}")
		default:
			b.WriteString(tok.Source)
		}
	}
	return b.String()
}

func (l *Liquid) filterOf(mode Mode, index int) string {
	switch {
	case mode == ModeHTML:
		return filterHTML
	case mode == modeToken:
		return filterToken + ": " + heldName
	case mode == ModeLink && index > 0 && !endsInFilter(l.tokens[index].Args, "url_encode"):
		return filterLink
	default:
		return filterText
	}
}

func trimMarks(source string) (start, end string) {
	if strings.HasPrefix(source, "{{-") {
		start = "-"
	}
	if strings.HasSuffix(source, "-}}") {
		end = "-"
	}
	return start, end
}

// tick charges one turn of a loop with the size of the whole template: an upper bound of what the turn costs.
func (l *Liquid) tick(string) (func(io.Writer, render.Context) error, error) {
	cost := len(l.tokens)
	return func(_ io.Writer, ctx render.Context) error {
		budget, ok := ctx.Get(budgetName).(*int)
		if !ok {
			return errLiquidSteps
		}
		if *budget -= cost; *budget < 0 {
			return errLiquidSteps
		}
		return nil
	}, nil
}

// limitedWriter refuses what is too much. The library panics when a write fails; render recovers.
type limitedWriter struct {
	buf  bytes.Buffer
	left int
	full bool
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		w.full = true
		return 0, errLiquidOutput
	}
	w.left -= len(p)
	return w.buf.Write(p)
}

func liquidProblem(code string, line int, message string) fault.Problem {
	if line > 1 {
		message = fmt.Sprintf("Line %d: %s", line, message)
	}
	return fault.Problem{Code: code, Level: fault.LevelError, Message: message}
}
