package store

import (
	"math"
	"strconv"

	"throughline.dev/throughline/internal/fault"
)

// maxLimit bounds every list, whatever the caller asks for.
const maxLimit = 1000

// Page is a part of a list. Next is the cursor of the part after it, a plain keyset value, and empty on the last page.
type Page[T any] struct {
	Items []T
	Next  string
}

func clampLimit(limit int) int { return min(max(limit, 1), maxLimit) }

// page cuts what was read with one row more than the limit, which tells whether there is another page.
func page[R, T any](rows []R, limit int, convert func(R) (T, error), cursor func(R) string) (Page[T], error) {
	out := Page[T]{Items: make([]T, 0, min(len(rows), limit))}
	for i, row := range rows {
		if i == limit {
			out.Next = cursor(rows[i-1])
			break
		}
		item, err := convert(row)
		if err != nil {
			return Page[T]{}, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// parseBefore reads the cursor of a list that goes from the newest to the oldest; empty: from the newest.
func parseBefore(cursor string, bits int) (int64, error) {
	if cursor == "" {
		return math.MaxInt64 >> (64 - bits), nil
	}
	n, err := strconv.ParseInt(cursor, 10, bits)
	if err != nil {
		return 0, fault.New(fault.Invalid, "bad_cursor", "The cursor is not one that a list gave out.")
	}
	return n, nil
}
