package inbox

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"slices"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/charset"
)

// content is a mail taken apart for the reader.
type content struct {
	Text        string       `json:"text"`
	HTML        string       `json:"html"`
	Headers     []header     `json:"headers"`
	Attachments []attachment `json:"attachments"`
	// Problem says why a part could not be read; the source is always there.
	Problem string `json:"problem,omitempty"`
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type attachment struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int    `json:"size"`
}

// headline reads subject and message id; both are empty when the header can't be read.
func headline(source []byte) (subject, messageID string) {
	m, err := mail.ReadMessage(bytes.NewReader(source))
	if err != nil {
		return "", ""
	}
	return decodeWords(m.Header.Get("Subject")), strings.Trim(strings.TrimSpace(m.Header.Get("Message-Id")), "<>")
}

func decodeWords(text string) string {
	words := mime.WordDecoder{CharsetReader: charset.Reader}
	if plain, err := words.DecodeHeader(text); err == nil {
		return plain
	}
	return text
}

// takeApart finds the text, the HTML and the names of the rest. It never fails: half a mail is shown as far as it goes.
func takeApart(source []byte) content {
	c := content{Headers: []header{}, Attachments: []attachment{}}
	entity, err := message.Read(bytes.NewReader(source))
	if entity == nil {
		c.Problem = err.Error()
		return c
	}
	if err != nil {
		c.Problem = err.Error() // an unknown character set or encoding: the rest is readable
	}
	for fields := entity.Header.Fields(); fields.Next(); {
		c.Headers = append(c.Headers, header{Name: fields.Key(), Value: decodeWords(fields.Value())})
	}
	walkErr := entity.Walk(func(_ []int, part *message.Entity, err error) error {
		if err != nil {
			c.Problem = err.Error()
		}
		if part != nil {
			c.take(part)
		}
		return nil
	})
	if walkErr != nil {
		c.Problem = walkErr.Error()
	}
	return c
}

func (c *content) take(part *message.Entity) {
	kind, params, err := part.Header.ContentType()
	if err != nil || kind == "" {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		return
	}
	body, err := io.ReadAll(io.LimitReader(part.Body, maxMessage))
	if err != nil {
		c.Problem = err.Error()
	}
	disposition, names, _ := part.Header.ContentDisposition() // a broken one is as good as none
	switch {
	case disposition != "attachment" && kind == "text/plain" && c.Text == "":
		c.Text = string(body)
	case disposition != "attachment" && kind == "text/html" && c.HTML == "":
		c.HTML = string(body)
	default:
		candidates := []string{names["filename"], params["name"], "(no name)"}
		named := slices.IndexFunc(candidates, func(name string) bool { return name != "" })
		c.Attachments = append(c.Attachments, attachment{Name: candidates[named], Type: kind, Size: len(body)})
	}
}
