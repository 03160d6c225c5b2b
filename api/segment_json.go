package api

import (
	"encoding/json"
	"unicode/utf8"
)

// The functions below take JSON apart that is known to be valid: encoding/json would check every part of it again at
// every level, which is most of what a batch costs. They never decode what nobody asks for.

// object is the members of a JSON object, one level deep; of anything else (null, the [] of a PHP client) there are
// none. Of two members of one name the later counts, as in encoding/json.
func object(raw json.RawMessage) map[string]json.RawMessage {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return nil
	}
	out := make(map[string]json.RawMessage, 12)
	for i = space(raw, i+1); i < len(raw) && raw[i] == '"'; {
		end := value(raw, i)
		name := unquote(raw[i:end])
		i = space(raw, end) // at the colon
		i = space(raw, i+1) // at the value
		end = value(raw, i) // behind it
		out[name] = raw[i:end]
		i = space(raw, end) // at a comma or the end
		i = space(raw, i+1) // at the next name
	}
	return out
}

// elements is the elements of a JSON array, and whether it is one.
func elements(raw json.RawMessage) ([]json.RawMessage, bool) {
	i := space(raw, 0)
	if i >= len(raw) || raw[i] != '[' {
		return nil, false
	}
	out := []json.RawMessage{}
	for i = space(raw, i+1); i < len(raw) && raw[i] != ']'; {
		end := value(raw, i)
		out = append(out, raw[i:end])
		if i = space(raw, end); i < len(raw) && raw[i] == ',' {
			i = space(raw, i+1)
		}
	}
	return out, true
}

// space is where the white space at i ends, at the end of raw at the latest.
func space(raw []byte, i int) int {
	i = min(i, len(raw))
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r') {
		i++
	}
	return i
}

// value is where the value at i ends. It moves on by at least one byte, whatever is there.
func value(raw []byte, i int) int {
	depth := 0
	for start := i; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(raw))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return max(i, start+1)
			}
		case ',', ' ', '\n', '\t', '\r', ':':
			if depth == 0 {
				return max(i, start+1)
			}
		}
	}
	return len(raw)
}

// unquote reads a JSON string.
func unquote(raw []byte) string {
	if len(raw) < 2 {
		return ""
	}
	inside := raw[1 : len(raw)-1]
	plain := utf8.Valid(inside)
	for _, b := range inside {
		plain = plain && b != '\\'
	}
	if plain {
		return string(inside)
	}
	var out string
	_ = json.Unmarshal(raw, &out) // of valid JSON it can't fail
	return out
}
