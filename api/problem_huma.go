package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"throughline.dev/throughline/internal/fault"
)

// cleanErrors is a huma transformer: every response passes through it. It turns huma's own errors, which repeat what
// the client sent (up to the whole body), into Problems, which never do. A transformer belongs to one API, while
// huma.NewError is a variable of the whole process.
func cleanErrors(ctx huma.Context, _ string, body any) (any, error) {
	switch e := body.(type) {
	case *huma.ErrorModel:
		p := fromHuma(e)
		p.RequestID = requestID(ctx.Context())
		return p, nil
	case *Problem:
		p := *e
		p.RequestID = requestID(ctx.Context())
		return &p, nil
	}
	return body, nil
}

func fromHuma(e *huma.ErrorModel) *Problem {
	p := newProblem(e.Status, "invalid", "The request has problems; see problems.")
	switch {
	case e.Status == http.StatusBadRequest:
		p.Code, p.Detail = "malformed", "The body is not valid JSON."
		if len(e.Errors) == 0 {
			p.Detail = "A body is needed."
		}
		return p
	case e.Status == http.StatusUnsupportedMediaType:
		p.Code, p.Detail = "unsupported_media_type", "Send the body as application/json."
		return p
	case e.Status != http.StatusUnprocessableEntity:
		return problemOf(e)
	}
	for _, d := range e.Errors {
		if d == nil {
			continue
		}
		code, message := explain(d.Message)
		p.Problems = append(p.Problems, fault.Problem{
			Path: pointer(d.Location), Code: code, Level: fault.LevelError, Message: message,
		})
	}
	return p
}

// explain sorts a validation message of huma's into a stable code, and cuts off what may repeat a value.
func explain(message string) (code, sentence string) {
	switch {
	case message == "unexpected property":
		return "unknown_field", "There is no field of this name here."
	case strings.HasPrefix(message, "expected required property "):
		return "missing_field", "A required field is missing: " +
			strings.TrimSuffix(strings.TrimPrefix(message, "expected required property "), " to be present") + "."
	case strings.HasPrefix(message, "required "):
		return "missing_field", "A required value is missing."
	case strings.HasPrefix(message, "json: "), strings.HasPrefix(message, "invalid "):
		return "wrong_type", "The value has the wrong type or does not fit."
	}
	// Messages that carry a cause put it after a colon, and the cause may quote the value.
	if i := strings.Index(message, ": "); i > 0 {
		message = message[:i]
	}
	switch strings.TrimPrefix(message, "expected ") {
	case "boolean", "number", "integer", "string", "array", "object":
		code = "wrong_type"
	default:
		code = "invalid_value"
	}
	return code, "This is wrong: " + message + "."
}

// pointer turns huma's "body.items[3].tags" into the JSON pointer "/items/3/tags". Places outside the body are named
// as "query:limit", "path:id" or "header:If-Match".
func pointer(location string) string {
	where, rest, found := strings.Cut(location, ".")
	if where != "body" {
		if !found {
			return where
		}
		return where + ":" + fieldName(rest)
	}
	if rest == "" {
		return ""
	}
	var out strings.Builder
	for _, part := range strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		name := fieldName(part)
		if name == "*" { // a name may hold dots, so its parts are not to be told from their neighbours
			return "/*"
		}
		out.WriteByte('/')
		out.WriteString(name)
	}
	return out.String()
}

// fieldName lets a name through that looks like one of a field. An unknown field is named by the client, and what is
// no plain name could be anything, an address too.
func fieldName(s string) string {
	if s == "" || len(s) > 64 {
		return "*"
	}
	for _, r := range s {
		if r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return "*"
		}
	}
	return s
}
