package audience

import "time"

// The states of an import. One whose upload broke off is running: it goes on with the next upload of the file.
const (
	ImportRunning = "running"
	ImportDone    = "done"
	ImportFailed  = "failed" // the file can't be imported like this; nothing of it was taken
)

// Import is a CSV file on its way in, and how far it has come.
type Import struct {
	ID      string         `json:"id"`
	Name    string         `json:"name,omitempty"`
	Kind    EventType      `json:"kind"`
	Event   string         `json:"event,omitempty"`
	Mapping []ImportColumn `json:"mapping"`
	DryRun  bool           `json:"dry_run"`
	State   string         `json:"state"`
	ImportCounts
	Lines     int64      `json:"lines"`            // of the file that are done, the header among them
	Bytes     int64      `json:"bytes"`            // of the file that are done
	SHA256    string     `json:"sha256,omitempty"` // of these bytes; of the file when the import is done
	Failure   string     `json:"failure,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	DoneAt    *time.Time `json:"done_at,omitempty"`

	Addresses []ImportVerdict `json:"addresses,omitempty" doc:"The rows by what is known of their addresses; lists leave it out. Domains are looked up after the import: what is unknown may be known later."`
}

// ImportVerdict counts rows of an import whose addresses got the same verdict for the same reasons.
type ImportVerdict struct {
	Verdict string   `json:"verdict" enum:"deliverable,risky,undeliverable,unknown"`
	Reasons []string `json:"reasons,omitempty"`
	Rows    int64    `json:"rows"`
}

// ImportAddresses are rows of a file with addresses at one domain that are judged alike.
type ImportAddresses struct {
	Domain  string // empty: what stands there is no address
	Reasons []string
	Rows    int64
}

// ImportCounts are what became of rows.
type ImportCounts struct {
	Rows       int64 `json:"rows"`
	Accepted   int64 `json:"accepted"`
	Duplicates int64 `json:"duplicates"` // their message ids, told by the file, were accepted from another file before
	Rejected   int64 `json:"rejected"`
	Created    int64 `json:"created"`  // contacts that are new
	Problems   int64 `json:"problems"` // a rejected row has one or more
}

// Spec is how the import reads its file.
func (i Import) Spec() ImportSpec {
	return ImportSpec{Kind: i.Kind, Event: i.Event, Columns: i.Mapping}
}

// ImportStep is what a batch of rows adds to an import: all of it is kept, or nothing.
type ImportStep struct {
	From     int64 // the byte that the batch began at: when the import is elsewhere, another upload was quicker
	To       ImportMark
	Counts   ImportCounts
	Problems []ImportProblem
	// Addresses are the rows that tell one.
	Addresses []ImportAddresses
	Since     map[string]time.Time // contacts by id, and since when they have been one, as the file tells
}
