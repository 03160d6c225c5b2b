package doctor

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const printWidth = 100

// Print writes a report for a terminal: what fails first, and each with what to do.
func (r Report) Print(out io.Writer) {
	counts := map[Result]int{}
	for _, result := range []Result{Fail, Warn, Pass} {
		for _, f := range r.Findings {
			if f.Result == result {
				counts[result]++
				f.print(out)
			}
		}
	}
	fmt.Fprintf(out, "\n%d to mend, %d to look at, %d in order.\n", counts[Fail], counts[Warn], counts[Pass])
}

func (f Finding) print(out io.Writer) {
	sign := map[Result]string{Pass: "ok  ", Warn: "look", Fail: "MEND"}[f.Result]
	if f.Result == Pass {
		wrap(out, fmt.Sprintf("%s  %-9s %s: ", sign, f.Check, f.About), f.Found)
		return
	}
	wrap(out, fmt.Sprintf("%s  %-9s %s: ", sign, f.Check, f.About), f.Found)
	if f.Fix != "" {
		wrap(out, "                → ", f.Fix)
	}
	if f.Record != nil {
		fmt.Fprintf(out, "                  %s. %s %s\n", strings.TrimSuffix(f.Record.Name, "."), f.Record.Type, quoted(*f.Record))
	}
	fmt.Fprintf(out, "                  %s\n", f.Source)
}

// quoted writes a record as zone files have it: texts in strings of 255 bytes at most.
func quoted(r Record) string {
	if r.Type != "TXT" {
		return r.Value
	}
	var parts []string
	value := r.Value
	for len(value) > 255 {
		parts, value = append(parts, `"`+value[:255]+`"`), value[255:]
	}
	return strings.Join(append(parts, `"`+value+`"`), " ")
}

// wrap writes a text in lines that fit, the further ones under the first.
func wrap(out io.Writer, before, text string) {
	indent, line := strings.Repeat(" ", 18), before
	for i, word := range strings.Fields(text) {
		if i > 0 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > printWidth {
			fmt.Fprintln(out, strings.TrimRight(line, " "))
			line = indent + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(out, strings.TrimRight(line, " "))
}
