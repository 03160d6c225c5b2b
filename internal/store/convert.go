package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/fault"
)

// EmailKey is an address as it is compared: suppressions and identities know it by this.
func EmailKey(address string) string { return clean(strings.ToLower(strings.TrimSpace(address))) }

// parseID reads an id from outside. What is no id is the id of nothing, so it reads as "no rows".
func parseID(id string) (uuid.UUID, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return uuid.UUID{}, pgx.ErrNoRows
	}
	return parsed, nil
}

// parseOptionalID reads an id that may be missing.
func parseOptionalID(id string) (*uuid.UUID, error) {
	if id == "" {
		return nil, nil //nolint:nilnil // a missing id is a null column
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return nil, fault.New(fault.Invalid, "bad_id", "An id is not a UUID.")
	}
	return &parsed, nil
}

func optionalID(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

func fromNullable(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func toNullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// clean makes a text storable: PostgreSQL takes neither NUL nor broken UTF-8, and one such character must not cost a batch of events.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// encodeObject makes JSON of a map; nil is the empty object.
func encodeObject(m map[string]any) (json.RawMessage, error) {
	if len(m) == 0 {
		return json.RawMessage("{}"), nil
	}
	raw, err := json.Marshal(m)
	if err != nil {
		// The encoder's text names a type or shows a number; say neither.
		return nil, fault.New(fault.Invalid, "bad_value", "A value can't be written as JSON.")
	}
	if bytes.Contains(raw, []byte(`\u0000`)) { // rarely, so decode only then; it may also be a backslash and "u0000"
		return encodeWithoutNUL(raw)
	}
	return raw, nil
}

func encodeWithoutNUL(raw json.RawMessage) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fault.New(fault.Invalid, "bad_value", "A value can't be written as JSON.")
	}
	return json.Marshal(withoutNUL(value))
}

func withoutNUL(value any) any {
	switch v := value.(type) {
	case string:
		return clean(v)
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
		return v
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[clean(key)] = withoutNUL(inner)
		}
		return out
	default:
		return value
	}
}

// decodeObject reads a JSON object column; it is never nil.
func decodeObject(raw []byte) (map[string]any, error) {
	m := map[string]any{}
	if len(raw) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("decode a stored object: %w", err)
	}
	return m, nil
}
