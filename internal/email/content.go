package email

import (
	"html"
	"html/template"
	"strconv"
	"strings"

	"github.com/matcornic/hermes/v2"
	"github.com/russross/blackfriday/v2"
)

// content is a template filled for one contact: plain values, not yet a mail.
type content struct {
	subject     string
	preheader   string
	body        hermes.Body
	fixedTable  bool    // nobody's table differs
	marked      string  // markdown, with a mark for each value
	held        *values // the values
	raw         bool    // the marked text is HTML of the author, and the whole mail
	text        string  // of the author, beside such HTML; empty: it is made of the HTML
	unsubscribe string  // the address; empty: none
	words       fixedWords
}

// markdown is the sanitised HTML of the content's Markdown, with the marks in it.
func (r *Renderer) markdown(c *content) string {
	if c.marked == "" || c.raw {
		return ""
	}
	return string(r.policy.SanitizeBytes(blackfriday.Run([]byte(c.marked))))
}

// generate makes the mail by hermes, from the beginning. What a form gives is measured by it.
func (r *Renderer) generate(c *content) (Rendered, error) {
	mail, err := c.held.putBack(r.markdown(c))
	if err != nil {
		return Rendered{}, renderFault("/body/markdown", err)
	}
	marks := outlookMarks(c)
	out := Rendered{Subject: c.subject, Locale: c.words.language}
	if out.HTML, err = r.hermes(c.words, r.themeOf(c, mail, marks)).GenerateHTML(hermes.Email{Body: c.body}); err != nil {
		return Rendered{}, renderFault("/body", err)
	}
	if out.Text, err = r.hermes(c.words, r.themeOf(c, mail, marks)).GeneratePlainText(hermes.Email{Body: c.body}); err != nil {
		return Rendered{}, renderFault("/body", err)
	}
	for i, mark := range marks {
		out.HTML = strings.Replace(out.HTML, mark, html.EscapeString(c.body.Actions[i].Button.Text), 1)
	}
	out.Text = strings.TrimSpace(out.Text) + "\n"
	return out, nil
}

// outlookMarks are words that the content has not, one a button.
func outlookMarks(c *content) []string {
	word := "tloutlook"
	for c.says(word) {
		word += "x"
	}
	marks := make([]string, len(c.body.Actions))
	for i := range marks {
		marks[i] = word + strconv.Itoa(i) + "q"
	}
	return marks
}

// says tells whether a word is in the content.
func (c *content) says(word string) bool {
	for _, p := range c.pieces() {
		if strings.Contains(*p.at, word) {
			return true
		}
	}
	return strings.Contains(strings.Join(append(c.fixedCells(), c.held.list...), " ")+c.marked, word)
}

func (r *Renderer) themeOf(c *content, mail string, outlook []string) theme {
	t := r.theme
	t.Preheader, t.Address, t.UnsubscribeText, t.UnsubscribeURL, t.Outlook = c.preheader, r.brand.Address, c.words.unsubscribe, c.unsubscribe, outlook
	t.Language, t.Start = c.words.language, "left"
	if c.words.rightToLeft {
		t.Start = "right"
	}
	t.Content = template.HTML(mail) //nolint:gosec // sanitised, and the values are escaped
	return t
}

// hermes is a fresh one: it writes its defaults into itself, and would race.
func (r *Renderer) hermes(words fixedWords, t theme) *hermes.Hermes {
	h := &hermes.Hermes{Theme: t, Product: hermes.Product{
		Name: r.brand.Name, Link: r.brand.Link, Logo: r.brand.Logo, Copyright: r.brand.Copyright, TroubleText: words.trouble,
	}}
	if words.rightToLeft {
		h.TextDirection = hermes.TDRightToLeft
	}
	return h
}
