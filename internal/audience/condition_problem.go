package audience

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"throughline.dev/throughline/internal/fault"
)

// maxConditionProblems bounds the list: after a few, the rest follow from the first.
const maxConditionProblems = 5

// conditionFault turns the compiler's issues into sentences for the person who wrote the condition.
func conditionFault(source string, issues []*cel.Error) *fault.Error {
	problems := make([]fault.Problem, 0, len(issues))
	for _, issue := range issues {
		code, sentence := explain(source, issue.Message)
		line, column := issue.Location.Line(), issue.Location.Column()+1
		if line < 1 {
			line, column = 1, 1
		}
		problems = append(problems, fault.Problem{Code: code, Level: fault.LevelError, Message: fmt.Sprintf("%s (%d:%d)", sentence, line, column)})
		// A parser that lost its way reports what follows from that: only its first word helps.
		if code == CodeConditionSyntax || len(problems) == maxConditionProblems {
			break
		}
	}
	if len(problems) == 0 {
		problems = append(problems, fault.Problem{Code: CodeConditionSyntax, Level: fault.LevelError, Message: "The condition can't be read. (1:1)"})
	}
	return fault.WithProblems(problems[0].Code, problems[0].Message, problems)
}

var (
	undeclaredName = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	noOverload     = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
	badLiteral     = regexp.MustCompile(`^invalid (duration|timestamp|matches) argument`)
	singleEquals   = regexp.MustCompile(`[^=!<>]=[^=]`)
	wordOperator   = regexp.MustCompile(`(?i)\s(and|or|not)\s`)
)

func explain(source, message string) (code, sentence string) {
	if m := undeclaredName.FindStringSubmatch(message); m != nil {
		return CodeConditionUnknownName, unknownName(m[1])
	}
	if m := noOverload.FindStringSubmatch(message); m != nil {
		return CodeConditionType, wrongTypes(m[1], m[2])
	}
	if strings.HasPrefix(message, "Syntax error") {
		return CodeConditionSyntax, syntaxSentence(source)
	}
	if m := badLiteral.FindStringSubmatch(message); m != nil {
		return CodeConditionType, literalSentences[m[1]]
	}
	if strings.Contains(message, "limit") {
		return CodeConditionTooLong, "The condition is nested too deeply or has too many parts."
	}
	return CodeConditionType, "This part does not fit: " + strings.TrimSuffix(clipTo(message, 160), ".") + "."
}

var literalSentences = map[string]string{
	"duration":  `duration("…") takes hours, minutes and seconds, such as "72h" or "1h30m".`,
	"timestamp": `timestamp("…") takes a time such as "2026-01-31T09:00:00Z".`,
	"matches":   `The pattern in matches("…") is not a valid regular expression.`,
}

func unknownName(name string) string {
	name = strings.TrimPrefix(name, ".")
	sentence := fmt.Sprintf("Nothing is called %q here.", clip(name))
	if near := Suggest(name, conditionNames()); near != "" {
		return sentence + fmt.Sprintf(" Did you mean %q?", near)
	}
	return sentence + fmt.Sprintf(" A contact's own data is reached with contact., such as contact.%s; texts stand in quotes.", clip(name))
}

func syntaxSentence(source string) string {
	switch {
	case singleEquals.MatchString(source):
		return "The condition can't be read here. To compare, write two equals signs: ==."
	case wordOperator.MatchString(source):
		return "The condition can't be read here. Write && for and, || for or, and ! for not."
	case strings.ContainsAny(source, "“”„’"):
		return "The condition can't be read here. Use straight quotes: \"…\"."
	}
	return "The condition can't be read here. Check quotes, brackets and operators."
}

var operatorSigns = map[string]string{
	"_==_": "==", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=", "_&&_": "&&", "_||_": "||", "!_": "!",
	"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "-_": "-", "@in": "in", "_?_:_": "? :", "_[_]": "[ ]",
}

func wrongTypes(function, applied string) string {
	var words []string
	for _, t := range strings.Split(strings.NewReplacer("(", "", ")", "").Replace(applied), ",") {
		if t = strings.TrimSpace(t); t != "" {
			words = append(words, typeWord(t))
		}
	}
	given := strings.Join(words, " and ")
	if sign, ok := operatorSigns[function]; ok {
		if slices.Contains(words, "a whole number") && slices.Contains(words, "a decimal number") {
			return fmt.Sprintf("%s can't be used with %s: write both the same way, such as 2.0 and 2.5.", sign, given)
		}
		return fmt.Sprintf("%s can't be used with %s.", sign, given)
	}
	if given == "" {
		given = "nothing"
	}
	return fmt.Sprintf("%s(…) can't be used with %s.", clip(function), given)
}

func typeWord(t string) string {
	switch {
	case t == "string":
		return "a text"
	case t == "int" || t == "uint":
		return "a whole number"
	case t == "double":
		return "a decimal number"
	case t == "bool":
		return "true/false"
	case strings.HasSuffix(t, "timestamp") || strings.HasSuffix(t, "Timestamp"):
		return "a time"
	case strings.HasSuffix(t, "duration") || strings.HasSuffix(t, "Duration"):
		return "a span of time"
	case strings.HasPrefix(t, "list"):
		return "a list"
	case strings.HasPrefix(t, "map"):
		return "a set of fields"
	case t == "null_type" || t == "null":
		return "null"
	case t == "dyn":
		return "any value"
	}
	return clip(t)
}

func clipTo(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

func isBlank(source string) bool { return strings.TrimSpace(source) == "" }
