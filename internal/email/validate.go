package email

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"throughline.dev/throughline/internal/fault"
)

// The sizes of a template's blocks. A mail beyond them is clipped by mailbox providers anyway.
const (
	maxSubject    = 255 // runes
	maxPreheader  = 255
	maxLine       = 10_000 // runes of one sentence
	maxLines      = 50     // sentences, entries, rows
	maxColumns    = 10
	maxActions    = 10
	maxButtonText = 100
	maxLink       = 2_000
)

var (
	keyPattern   = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$`)
	colorPattern = regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)
)

// ValidateTemplate lists everything that is wrong with a template, with JSON pointers.
func ValidateTemplate(t Template) []fault.Problem {
	v := &validator{snippets: snippetBook{all: t.Snippets, locale: t.Locale}}
	if !keyPattern.MatchString(t.Key) {
		v.add("/key", "bad_key", "The key is 1 to 64 lower-case letters, digits, dots, dashes and underscores.")
	}
	v.content(t)
	v.locales(t)
	return v.problems
}

// content checks what a template says, in one language.
func (v *validator) content(t Template) {
	if v.required("/subject", t.Subject, "A mail needs a subject.") {
		v.text("/subject", t.Subject, maxSubject)
		v.oneLine("/subject", t.Subject)
	}
	v.text("/preheader", t.Preheader, maxPreheader)
	if t.HTML != "" {
		v.raw(t)
		return
	}
	if t.Text != "" {
		v.add("/text", "text_without_html", "A text part of its own stands beside HTML of its own: that of blocks is made of them.")
	}
	v.body(t.Body)
}

// ValidateSubject checks a subject that replaces the template's.
func ValidateSubject(subject string) []fault.Problem {
	v := &validator{}
	if v.required("", subject, "A mail needs a subject.") {
		v.text("", subject, maxSubject)
		v.oneLine("", subject)
	}
	return v.problems
}

type validator struct {
	prefix   string // of every path
	snippets snippetBook
	problems []fault.Problem
}

func (v *validator) add(path, code, message string) {
	v.problems = append(v.problems, fault.Problem{Path: v.prefix + path, Code: code, Level: fault.LevelError, Message: message})
}

func (v *validator) required(path, s, message string) bool {
	if strings.TrimSpace(s) == "" {
		v.add(path, "required", message)
		return false
	}
	return true
}

func (v *validator) oneLine(path, s string) {
	if strings.ContainsAny(s, "\r\n") {
		v.add(path, "line_break", "A subject is a single line.")
	}
}

// text checks length, encoding and Liquid.
func (v *validator) text(path, s string, limit int) {
	if !utf8.ValidString(s) {
		v.add(path, "bad_encoding", "The text is not valid UTF-8.")
		return
	}
	if utf8.RuneCountInString(s) > limit {
		v.add(path, "too_long", fmt.Sprintf("The text is longer than %d characters.", limit))
	}
	v.liquid(path, s, nil)
}

// liquid checks the placeholders of a text. names are more variables that it has.
func (v *validator) liquid(path, s string, names []string) {
	s, problems := v.snippets.expand(s)
	if len(problems) == 0 {
		_, problems = parseLiquid(s, names)
	}
	for _, p := range problems {
		p.Path = v.prefix + path
		v.problems = append(v.problems, p)
	}
}

func (v *validator) texts(path string, list []string) {
	v.count(path, len(list), maxLines)
	for i, s := range list {
		v.text(path+"/"+strconv.Itoa(i), s, maxLine)
	}
}

func (v *validator) count(path string, n, limit int) {
	if n > limit {
		v.add(path, "too_many", fmt.Sprintf("There are more than %d of them.", limit))
	}
}

func (v *validator) body(b Body) {
	if b.Markdown == "" && len(b.Intros)+len(b.Dictionary)+len(b.Actions)+len(b.Outros) == 0 && (b.Table == nil || len(b.Table.Rows) == 0) {
		v.add("/body", "empty_body", "The mail has no content: write intros, a table, actions, outros or markdown.")
	}
	v.text("/body/greeting", b.Greeting, maxLine)
	v.texts("/body/intros", b.Intros)
	v.dictionary(b.Dictionary)
	v.table(b.Table)
	v.actions(b.Actions)
	v.texts("/body/outros", b.Outros)
	v.text("/body/signature", b.Signature, maxLine)
	v.markdown(b)
}

func (v *validator) dictionary(entries []Entry) {
	v.count("/body/dictionary", len(entries), maxLines)
	for i, e := range entries {
		path := fmt.Sprintf("/body/dictionary/%d", i)
		if v.required(path+"/key", e.Key, "An entry needs a key.") {
			v.text(path+"/key", e.Key, maxLine)
		}
		v.text(path+"/value", e.Value, maxLine)
	}
}

func (v *validator) table(t *Table) {
	if t == nil {
		return
	}
	v.count("/body/table/columns", len(t.Columns), maxColumns)
	if len(t.Columns) == 0 {
		v.add("/body/table/columns", "required", "A table needs columns.")
	}
	for i, c := range t.Columns {
		path := fmt.Sprintf("/body/table/columns/%d", i)
		if v.required(path, c, "A column needs a name.") {
			v.text(path, c, maxLine)
		}
	}
	v.count("/body/table/rows", len(t.Rows), maxLines)
	for i, row := range t.Rows {
		path := fmt.Sprintf("/body/table/rows/%d", i)
		if len(row) != len(t.Columns) {
			v.add(path, "row_width", "The row has not as many cells as the table has columns.")
		}
		for j, cell := range row {
			v.text(fmt.Sprintf("%s/%d", path, j), cell, maxLine)
		}
	}
}

func (v *validator) actions(actions []Action) {
	v.count("/body/actions", len(actions), maxActions)
	for i, a := range actions {
		path := fmt.Sprintf("/body/actions/%d", i)
		v.text(path+"/instructions", a.Instructions, maxLine)
		if v.required(path+"/button/text", a.Button.Text, "A button needs a text.") {
			v.text(path+"/button/text", a.Button.Text, maxButtonText)
		}
		v.link(path+"/button/link", a.Button.Link)
		v.color(path+"/button/color", a.Button.Color)
		v.color(path+"/button/text_color", a.Button.TextColor)
	}
}

func (v *validator) link(path, link string) {
	if !v.required(path, link, "A button needs a link.") {
		return
	}
	v.text(path, link, maxLink)
	start := strings.Index(link, "{")
	switch {
	case start == 0: // the data holds the whole link: it is checked for each contact
	case start < 0:
		if _, err := checkLink(link); err != nil {
			v.add(path, "bad_link", "The link has to be a complete http or https address.")
		}
	default:
		rest, ok := strings.CutPrefix(strings.ToLower(link), "https://")
		if !ok {
			rest, ok = strings.CutPrefix(strings.ToLower(link), "http://")
		}
		switch {
		case !ok:
			v.add(path, "bad_link", "The link has to be a complete http or https address.")
		case !strings.ContainsAny(rest[:strings.Index(rest, "{")], "/?#"):
			// "https://example.com{{ contact.x }}" would let a trait choose the host.
			v.add(path, "link_host", "Put a / between the host of the link and the first placeholder.")
		}
	}
}

func (v *validator) color(path, color string) {
	if color != "" && !colorPattern.MatchString(color) {
		v.add(path, "bad_color", "A colour is written #rgb or #rrggbb.")
	}
}

func (v *validator) markdown(b Body) {
	if b.Markdown == "" {
		return
	}
	v.text("/body/markdown", b.Markdown, MaxLiquidSource)
	if len(b.Intros)+len(b.Dictionary)+len(b.Actions)+len(b.Outros) > 0 || b.Table != nil {
		v.add("/body/markdown", "markdown_with_blocks", "Markdown stands instead of intros, dictionary, table, actions and outros: use one or the other.")
	}
	if why := slowMarkdown(b.Markdown, v.snippets.all); why != "" {
		v.warn("/body/markdown", "slow_mail", "Each of these mails is made from the beginning, which takes ten times as long: "+why+".")
	}
}

// checkLink accepts complete http and https addresses without a user name, and writes them so that every mail program takes them.
func checkLink(link string) (string, error) {
	link = strings.TrimSpace(link)
	u, err := url.Parse(link)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || len(link) > maxLink {
		return "", errLink
	}
	if strings.ContainsAny(link, " \"<>\\`{}|^") || strings.ContainsFunc(link, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", errLink
	}
	return u.String(), nil
}
