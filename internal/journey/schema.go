package journey

import (
	"bytes"
	"encoding/json"
)

// Schema is the JSON Schema (2020-12) of a definition, made from the kind table: for editors that complete and explain while somebody
// types. It knows the form; Validate also knows the meaning, and has the last word.
func Schema() []byte {
	root := schemaObject(DefinitionFields())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Throughline journey"
	root["properties"].(map[string]any)["steps"] = map[string]any{
		"type": "array", "minItems": 1, "maxItems": MaxSteps, "description": "The steps; the first is where everybody begins.",
		"items": map[string]any{"oneOf": stepSchemas()},
	}
	root["required"] = append(root["required"].([]string), "steps")
	root["properties"].(map[string]any)["journey"].(map[string]any)["pattern"] = journeyKey.String()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil { // maps of texts always encode
		return []byte("{}")
	}
	return b.Bytes()
}

func stepSchemas() []any {
	var all []any
	for _, spec := range Kinds() {
		s := schemaObject(append(stepFields(spec.Next), spec.Beside...))
		s["title"], s["description"] = spec.Title, spec.Summary
		properties := s["properties"].(map[string]any)
		properties["id"].(map[string]any)["pattern"] = stepKey.String()
		properties[string(spec.Kind)] = bodySchema(spec)
		s["required"] = append(s["required"].([]string), string(spec.Kind))
		all = append(all, s)
	}
	return all
}

func bodySchema(spec KindSpec) map[string]any {
	body := schemaObject(spec.Fields)
	switch {
	case spec.Arms:
		return map[string]any{"type": "array", "minItems": 1, "maxItems": maxArms, "items": body}
	case spec.Short != "":
		for _, f := range spec.Fields {
			if f.Name == spec.Short {
				return map[string]any{"oneOf": []any{fieldSchema(f), body}}
			}
		}
	}
	return body
}

func schemaObject(fields []Field) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range fields {
		properties[f.Name] = fieldSchema(f)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// oneWord requires exactly one of the words of a match.
func oneWord() []any {
	var all []any
	for _, w := range matchWords() {
		all = append(all, map[string]any{"required": []string{w.field.Name}})
	}
	return all
}

func fieldSchema(f Field) map[string]any {
	s := fieldForm(f)
	s["description"] = f.Doc
	if f.Default != "" {
		s["description"] = f.Doc + " Default: " + f.Default + "."
	}
	return s
}

func fieldForm(f Field) map[string]any {
	switch f.Type {
	case FieldInteger:
		return map[string]any{"type": "integer"}
	case FieldFlag:
		return map[string]any{"type": "boolean"}
	case FieldDuration:
		return map[string]any{"type": "string", "pattern": `^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$`, "minLength": 2}
	case FieldTime:
		return map[string]any{"type": "string", "format": "date-time"}
	case FieldChoice:
		return map[string]any{"enum": f.Choices}
	case FieldURL:
		return map[string]any{"type": "string", "pattern": "^https?://"}
	case FieldStep:
		return map[string]any{"type": "string", "pattern": stepKey.String()}
	case FieldValues:
		return map[string]any{"type": "object", "minProperties": 1, "additionalProperties": map[string]any{"type": []string{"string", "number", "boolean", "null"}}}
	case FieldNumbers:
		return map[string]any{"type": "object", "minProperties": 1, "additionalProperties": map[string]any{"type": "number"}}
	case FieldObject:
		return schemaObject(f.Fields)
	case FieldMatches:
		one := schemaObject(f.Fields)
		one["oneOf"] = oneWord()
		return map[string]any{"oneOf": []any{one, map[string]any{"type": "array", "maxItems": maxArms, "items": one}}}
	case FieldSegment, FieldTopic:
		return map[string]any{"type": "string", "pattern": journeyKey.String()}
	case FieldText, FieldTemplate, FieldEvent, FieldCondition:
	}
	return map[string]any{"type": "string", "minLength": 1}
}
