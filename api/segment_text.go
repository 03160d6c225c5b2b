package api

import "strings"

// text is a value when it is a string.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// cleanText takes out the NUL characters, which no text column can hold.
func cleanText(s string) string {
	if strings.ContainsRune(s, 0) {
		return strings.ReplaceAll(s, "\x00", "")
	}
	return s
}

// stripNUL cleans every string and key inside a decoded JSON value.
func stripNUL(v any) any {
	switch v := v.(type) {
	case string:
		return cleanText(v)
	case []any:
		for i := range v {
			v[i] = stripNUL(v[i])
		}
		return v
	case map[string]any:
		for key, item := range v {
			clean := cleanText(key)
			if clean != key {
				delete(v, key)
			}
			v[clean] = stripNUL(item)
		}
		return v
	}
	return v
}

// shallow tells whether a decoded JSON value nests at most depth levels.
func shallow(v any, depth int) bool {
	if depth < 0 {
		return false
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if !shallow(item, depth-1) {
				return false
			}
		}
	case map[string]any:
		for _, item := range v {
			if !shallow(item, depth-1) {
				return false
			}
		}
	}
	return true
}
