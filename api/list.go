package api

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// ListInput is what every list takes.
type ListInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
	Cursor string `query:"cursor" maxLength:"300" doc:"next_cursor of the page before."`
}

// List is one page.
type List[T any] struct {
	Data       []T    `json:"data" nullable:"false"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Absent on the last page."`
}

type listOutput[T any] struct{ Body List[T] }

const cursorPrefix = "v1:"

// cursorOf wraps a keyset value, so that clients don't build on what is in it.
func cursorOf[K Keyset](next *K) string {
	if next == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + fmt.Sprint(*next)))
}

// parseCursor unwraps it; no cursor is the zero value.
func parseCursor[K Keyset](cursor string) (K, error) {
	var out K
	if cursor == "" {
		return out, nil
	}
	bad := invalid("query:cursor", "bad_cursor", "This is no cursor of this list: take next_cursor of the page before.")
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	value, ours := strings.CutPrefix(string(raw), cursorPrefix)
	if err != nil || !ours || !validText(value) {
		return out, bad
	}
	switch p := any(&out).(type) {
	case *string:
		*p = value
	case *int64:
		if *p, err = strconv.ParseInt(value, 10, 64); err != nil || *p < 0 {
			return out, bad
		}
	}
	return out, nil
}

func listOf[T any, K Keyset](page Page[T, K]) *listOutput[T] {
	out := &listOutput[T]{Body: List[T]{Data: page.Items, NextCursor: cursorOf(page.Next)}}
	if out.Body.Data == nil {
		out.Body.Data = []T{}
	}
	return out
}

// parseID reads an id from a path. What is no UUID names nothing, so it is absent and not invalid.
func parseID(s string) (string, error) {
	if len(s) != 36 {
		return "", notFound()
	}
	id, err := uuid.Parse(s)
	if err != nil {
		return "", notFound()
	}
	return id.String(), nil
}
