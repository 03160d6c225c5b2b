package email

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
)

// values hold back what a contact's data says while Markdown is turned into HTML and sanitised. In the Markdown stands a mark
// of letters and digits for each value; putBack swaps it for the escaped value. So a value can't make a link, a list or a tag.
type values struct {
	list []string
}

var markPattern = regexp.MustCompile(`tlvalue(\d{1,6})q`)

func (v *values) hold(s string) string {
	v.list = append(v.list, s)
	return fmt.Sprintf("tlvalue%dq", len(v.list)-1)
}

// putBack needs sanitised HTML: there, a < or > is part of a tag and nothing else. Within a tag, a value is part of a link.
func (v *values) putBack(clean string) (string, error) {
	var b strings.Builder
	at, size := 0, 0
	for _, m := range markPattern.FindAllStringSubmatchIndex(clean, -1) {
		b.WriteString(clean[at:m[0]])
		at = m[1]
		i, err := strconv.Atoi(clean[m[2]:m[3]])
		if err != nil || i >= len(v.list) {
			continue // the author wrote something like a mark; there is no value for it
		}
		s := html.EscapeString(v.list[i])
		if strings.LastIndexByte(clean[:m[0]], '<') > strings.LastIndexByte(clean[:m[0]], '>') {
			s = escapeLink(v.list[i])
		}
		if size += len(v.list[i]); size > MaxLiquidOutput {
			return "", errLiquidOutput
		}
		b.WriteString(s)
	}
	b.WriteString(clean[at:])
	return b.String(), nil
}
