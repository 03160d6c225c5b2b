// Package email makes and delivers mail: templates, rendering, MIME, the SMTP transport with its five outcomes.
//
// It may import fault and audience; it knows neither the store, nor journeys, nor Temporal.
package email

// Template is a mail as structured data: hermes content blocks plus subject and preheader, all with Liquid placeholders.
type Template struct {
	Key       string `json:"key"`
	Subject   string `json:"subject"`
	Preheader string `json:"preheader,omitempty"`
	Body      Body   `json:"body"`
	HTML      string `json:"html,omitempty" doc:"A whole page of one's own, with placeholders, instead of the body."`
	Text      string `json:"text,omitempty" doc:"The text part beside html; made of the html when empty."`
	Tracking  *bool  `json:"tracking,omitempty" doc:"false: its links lead where they say, and nobody sees who opens it."`
	Locale    string `json:"locale,omitempty" doc:"The language of subject and body, as BCP 47 writes it; required beside locales." example:"en"`
	// Locales are whole, each: a mail in two languages is right in none.
	Locales map[string]Localized `json:"locales,omitempty" doc:"The same mail in other languages, by their BCP 47 tags; a contact gets the nearest."`
	// Snippets are those that the template names, and those that they name: whoever keeps templates adds them.
	Snippets map[string]Snippet `json:"-"`
}

// Localized is what a template says, in one language.
type Localized struct {
	Subject   string `json:"subject"`
	Preheader string `json:"preheader,omitempty"`
	Body      Body   `json:"body"`
	HTML      string `json:"html,omitempty" doc:"A whole page of one's own, with placeholders, instead of the body."`
	Text      string `json:"text,omitempty" doc:"The text part beside html; made of the html when empty."`
}

// Tracked tells whether links and opens are tracked: yes, unless the template says no.
func (t *Template) Tracked() bool { return t.Tracking == nil || *t.Tracking }

// Body mirrors the content blocks of hermes/v2.
type Body struct {
	Greeting   string   `json:"greeting,omitempty"` // the whole line, such as "Hi {{ contact.first_name | default: 'there' }},"
	Intros     []string `json:"intros,omitempty"`
	Dictionary []Entry  `json:"dictionary,omitempty"`
	Table      *Table   `json:"table,omitempty"`
	Actions    []Action `json:"actions,omitempty"`
	Outros     []string `json:"outros,omitempty"`
	Signature  string   `json:"signature,omitempty"`
	Markdown   string   `json:"markdown,omitempty"` // free text instead of intros, actions and outros
}

// Entry is one line of a dictionary block.
type Entry struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Table is a block of rows under column heads.
type Table struct {
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Action is a sentence with a button under it.
type Action struct {
	Instructions string `json:"instructions,omitempty"`
	Button       Button `json:"button"`
}

// Button is a link that looks like a button. The link is http or https.
type Button struct {
	Text      string `json:"text"`
	Link      string `json:"link"`
	Color     string `json:"color,omitempty"`      // #rgb or #rrggbb
	TextColor string `json:"text_color,omitempty"` // #rgb or #rrggbb
}

// TemplateVersion is a saved template. Each save makes a new version; a journey sends the newest.
type TemplateVersion struct {
	Template
	Version int    `json:"version"`
	Hash    string `json:"hash"`
}
