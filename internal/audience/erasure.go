package audience

import "time"

// ErasureState is how far an erasure has come.
type ErasureState string

// Requested: nothing is sent any more. Deleted: the contact's rows are gone. Done: the histories of its workflows are gone, too.
const (
	ErasureRequested ErasureState = "requested"
	ErasureDeleted   ErasureState = "deleted"
	ErasureDone      ErasureState = "done"
)

// Erasure is the proof that a contact was erased. Nothing in it says who it was: its contact id leads nowhere, and of its addresses only
// keyed hashes are kept, so that they stay suppressed.
type Erasure struct {
	ID          string           `json:"id"`
	ContactID   string           `json:"contact_id"`
	State       ErasureState     `json:"state"`
	Addresses   int              `json:"addresses"` // how many stay suppressed by their hash
	Counts      map[string]int64 `json:"counts"`    // what was deleted, by kind
	RequestedAt time.Time        `json:"requested_at"`
	DeletedAt   *time.Time       `json:"deleted_at,omitempty"`
	DoneAt      *time.Time       `json:"done_at,omitempty"`
	// Workflows are the ids of the workflows whose histories have to go; none when it is done.
	Workflows []string `json:"-"`
}
