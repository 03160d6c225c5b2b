package email

import (
	"fmt"
	"maps"
	"slices"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// CheckWords holds every text of a template that a contact reads against a glossary, in each of its languages by the terms of that language.
func CheckWords(t Template, glossary audience.Glossary) []fault.Problem {
	problems := checkWords("", Localized{Subject: t.Subject, Preheader: t.Preheader, Body: t.Body}, glossary.Lexicon(t.Locale))
	for _, name := range slices.Sorted(maps.Keys(t.Locales)) {
		problems = append(problems, checkWords("/locales/"+name, t.Locales[name], glossary.Lexicon(name))...)
	}
	return problems
}

func checkWords(at string, t Localized, words *audience.Lexicon) []fault.Problem {
	var problems []fault.Problem
	check := func(path, text string) { problems = append(problems, words.Check(at+path, text)...) }
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
