package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/fault"
)

// mergeContacts makes one contact of two, in a transaction of its own: everything of from becomes into's.
func (s *Store) mergeContacts(_ context.Context, _ time.Time, _, _ uuid.UUID, _ identity) error {
	return fault.New(fault.Invalid, "merge_unsupported", "Contacts can't be merged yet.")
}
