package journey

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"throughline.dev/throughline/internal/audience"
)

// The words of problems: how places and types are called in a sentence.

func named(at string) string {
	if at == "" {
		return "The definition"
	}
	parts := strings.Split(at[1:], "/")
	last := parts[len(parts)-1]
	i, err := strconv.Atoi(last)
	if err != nil || len(parts) < 2 {
		return strconv.Quote(clip(strings.NewReplacer("~1", "/", "~0", "~").Replace(last)))
	}
	if parent := parts[len(parts)-2]; parent != "steps" {
		return fmt.Sprintf("Entry %d of %q", i+1, clip(parent))
	}
	return fmt.Sprintf("Step %d", i+1)
}

func listed(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " such as " + strings.Join(names, ", ")
}

func didYouMean(word string, candidates []string) string {
	if near := audience.Suggest(word, candidates); near != "" {
		return fmt.Sprintf(". Did you mean %q?", near)
	}
	return "."
}

func example(f Field) string {
	if f.Example == "" {
		return ""
	}
	return " such as " + f.Example
}

func fieldNames(fields []Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

func typePhrase(t FieldType) string {
	switch t {
	case FieldInteger:
		return "a whole number"
	case FieldFlag:
		return "true or false"
	case FieldDuration:
		return "a duration with a unit"
	case FieldTime:
		return "a moment"
	case FieldValues, FieldNumbers, FieldObject, FieldMatches:
		return "an object"
	case FieldStep:
		return "the id of a step"
	case FieldCondition:
		return "a condition in quotes"
	case FieldText, FieldTemplate, FieldEvent, FieldSegment, FieldTopic, FieldChoice, FieldURL:
	}
	return "a text"
}

func nodePhrase(t nodeType) string {
	switch t {
	case typeObject:
		return "an object"
	case typeList:
		return "a list"
	case typeText:
		return "a text"
	case typeNumber:
		return "a number"
	case typeFlag, typeNull:
	}
	return string(t)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func valuesNode(values map[string]any) *node {
	if len(values) == 0 {
		return nil
	}
	n := objectNode()
	for _, name := range sortedKeys(values) {
		switch v := values[name].(type) {
		case string:
			n.with(name, textNode(v))
		case float64:
			n.with(name, &node{typ: typeNumber, text: canonicalNumber(strconv.FormatFloat(v, 'g', -1, 64))})
		case bool:
			n.with(name, flagNode(v))
		default:
			n.with(name, &node{typ: typeNull})
		}
	}
	return n
}

func numbersNode(numbers map[string]float64) *node {
	values := make(map[string]any, len(numbers))
	for name, v := range numbers {
		values[name] = v
	}
	return valuesNode(values)
}
