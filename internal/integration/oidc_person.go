package integration

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"
)

// Person is who an OpenID provider says somebody is.
type Person struct {
	ID     string // tells people apart, and says nothing about them
	Name   string
	Groups []string // sorted
}

const (
	maxPersonName = 100 // characters
	nobodysName   = "Somebody"
)

// personID is the same at every login, and leads to nobody: a hash of whom the issuer calls so.
func personID(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return "person-" + hex.EncodeToString(sum[:16])
}

// nameIn is what somebody is called on the pages.
func nameIn(claims map[string]any) string {
	for _, claim := range []string{"name", "given_name", "preferred_username", "nickname"} {
		text, _ := claims[claim].(string)
		name := strings.TrimSpace(strings.ReplaceAll(text, "\x00", ""))
		if name == "" || !utf8.ValidString(name) {
			continue
		}
		if runes := []rune(name); len(runes) > maxPersonName {
			name = string(runes[:maxPersonName])
		}
		return name
	}
	return nobodysName
}

// groupsIn finds somebody's groups: a list, one text, or an object whose names are the groups. told is false when there is no such claim.
// A claim may have dots in its own name, as a URL has, so the whole path is looked for first.
func groupsIn(claims map[string]any, path string) (groups []string, told bool) {
	value, told := claims[path]
	for at := any(claims); !told; {
		name, rest, more := strings.Cut(path, ".")
		object, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[name]; !ok {
			return nil, false
		}
		at, path, told = value, rest, !more
	}
	switch v := value.(type) {
	case string:
		groups = []string{v}
	case []any:
		for _, one := range v {
			if text, ok := one.(string); ok {
				groups = append(groups, text)
			}
		}
	case map[string]any:
		for name := range v {
			groups = append(groups, name)
		}
	}
	slices.Sort(groups)
	return groups, true
}
