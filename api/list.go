package api

import (
	"encoding/base64"
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
func cursorOf(next string) string {
	if next == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + next))
}

// keyCursor unwraps the cursor of a list that is ordered by key.
func (in ListInput) keyCursor() (string, error) {
	if in.Cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	value, ours := strings.CutPrefix(string(raw), cursorPrefix)
	if err != nil || !ours || value == "" || !validText(value) {
		return "", badCursor()
	}
	return value, nil
}

// numberCursor unwraps the cursor of a list that is ordered by a number.
func (in ListInput) numberCursor() (text string, number int64, err error) {
	text, err = in.keyCursor()
	if err != nil || text == "" {
		return "", 0, err
	}
	if number, err = strconv.ParseInt(text, 10, 64); err != nil || number < 1 {
		return "", 0, badCursor()
	}
	return text, number, nil
}

func badCursor() error {
	return invalid("query:cursor", "bad_cursor", "This is no cursor of this list: take next_cursor of the page before.")
}

func listOf[T any](page Page[T]) *listOutput[T] {
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
