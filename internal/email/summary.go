package email

import "strings"

const maxSummary = 1_000 // runes

// Summary tells in short what a template is about, for a model that writes a subject. It is the template's source in one of its
// languages: it holds placeholders and never a contact's data.
func Summary(t Template, locale string) string {
	t, _ = t.in(locale)
	parts := []string{t.Preheader}
	parts = append(parts, t.Body.Intros...)
	for _, a := range t.Body.Actions {
		parts = append(parts, a.Instructions, a.Button.Text)
	}
	parts = append(parts, t.Body.Outros...)
	parts = append(parts, t.Body.Markdown)
	runes := []rune(strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
	return string(runes[:min(len(runes), maxSummary)])
}
