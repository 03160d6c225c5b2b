package journey

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
)

//go:generate go test -run TestDocsAreFresh -update .

//go:embed docs_intro.md
var docsIntro string

// Docs is the reference of the language as Markdown (docs/definition.md), made from the kind table.
func Docs() []byte {
	var b bytes.Buffer
	b.WriteString("<!-- Generated from the kind table by `go generate ./internal/journey`. Do not edit. -->\n\n")
	b.WriteString(docsIntro)
	b.WriteString("\n## Fields of a definition\n\n")
	writeFields(&b, DefinitionFields(), "")
	b.WriteString("| `steps` | list of steps | yes | The steps; the first is where everybody begins. At most 200. | |\n")
	b.WriteString("\n## Steps\n\nEvery step has an `id` and exactly one of the kinds below. A step whose kind has the port `next` may say `next: <id>`; without it, the following step of the list comes next.\n")
	for _, spec := range Kinds() {
		writeKind(&b, spec)
	}
	return b.Bytes()
}

func writeKind(b *bytes.Buffer, spec KindSpec) {
	fmt.Fprintf(b, "\n### %s\n\n%s: %s\n\n```yaml\n%s```\n\n", spec.Kind, spec.Title, spec.Summary, spec.Example)
	if spec.Arms {
		b.WriteString("A list of arms, each with these fields:\n\n")
	}
	if spec.Short != "" {
		fmt.Fprintf(b, "Short form: a bare text is `%s`.\n\n", spec.Short)
	}
	writeFields(b, spec.Fields, "")
	b.WriteString("\n")
	if len(spec.Beside) > 0 {
		fmt.Fprintf(b, "Beside `%s`, the step may say:\n\n", spec.Kind)
		writeFields(b, spec.Beside, "")
		b.WriteString("\n")
	}
	if len(spec.Ports) == 0 {
		b.WriteString("It leads nowhere: the enrollment is over.\n")
		return
	}
	b.WriteString("| port | taken |\n|---|---|\n")
	for _, p := range spec.Ports {
		fmt.Fprintf(b, "| `%s` | %s |\n", p.Name, cell(p.Doc))
	}
}

func writeFields(b *bytes.Buffer, fields []Field, prefix string) {
	if prefix == "" {
		b.WriteString("| field | holds | required | meaning | example |\n|---|---|---|---|---|\n")
	}
	for _, f := range fields {
		required, doc, sample := "", f.Doc, ""
		if f.Required {
			required = "yes"
		}
		if f.Default != "" {
			doc += " Default: " + f.Default + "."
		}
		if f.Example != "" {
			sample = "`" + f.Example + "`"
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s | %s |\n", prefix, f.Name, fieldWord(f), required, cell(doc), cell(sample))
		writeSub(b, f, prefix)
	}
}

func writeSub(b *bytes.Buffer, f Field, prefix string) {
	if len(f.Fields) > 0 {
		writeFields(b, f.Fields, prefix+f.Name+".")
	}
}

func fieldWord(f Field) string {
	switch f.Type {
	case FieldChoice:
		return strings.Join(f.Choices, " or ")
	case FieldStep:
		return "id of a step"
	case FieldFlag:
		return "true or false"
	case FieldMatches:
		return "one event or a list"
	case FieldTemplate:
		return "key of a template"
	case FieldEvent:
		return "name of an event"
	case FieldTopic:
		return "key of a topic"
	case FieldSegment:
		return "key of a segment"
	case FieldValues:
		return "names with values"
	case FieldNumbers:
		return "names with numbers"
	case FieldURL:
		return "address"
	case FieldInteger:
		return "whole number"
	case FieldText, FieldCondition, FieldDuration, FieldTime, FieldObject:
	}
	return string(f.Type)
}

// cell keeps a text inside one cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
