package email

import (
	"fmt"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// CheckWords holds every text of a template that a contact reads against a glossary.
func CheckWords(t Template, words *audience.Lexicon) []fault.Problem {
	var problems []fault.Problem
	check := func(path, text string) { problems = append(problems, words.Check(path, text)...) }
	list := func(path string, texts []string) {
		for i, text := range texts {
			check(fmt.Sprintf("%s/%d", path, i), text)
		}
	}
	check("/subject", t.Subject)
	check("/preheader", t.Preheader)
	b := t.Body
	check("/body/greeting", b.Greeting)
	list("/body/intros", b.Intros)
	for i, e := range b.Dictionary {
		check(fmt.Sprintf("/body/dictionary/%d/key", i), e.Key)
		check(fmt.Sprintf("/body/dictionary/%d/value", i), e.Value)
	}
	if b.Table != nil {
		list("/body/table/columns", b.Table.Columns)
		for i, row := range b.Table.Rows {
			list(fmt.Sprintf("/body/table/rows/%d", i), row)
		}
	}
	for i, a := range b.Actions {
		check(fmt.Sprintf("/body/actions/%d/instructions", i), a.Instructions)
		check(fmt.Sprintf("/body/actions/%d/button/text", i), a.Button.Text)
	}
	list("/body/outros", b.Outros)
	check("/body/signature", b.Signature)
	check("/body/markdown", b.Markdown)
	return problems
}
