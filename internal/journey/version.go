package journey

import (
	"encoding/json"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// Draft is the editable document of a journey. It may be wrong and always saves.
type Draft struct {
	Journey  string          `json:"key"`
	Revision int64           `json:"revision"` // counts saves; guards against lost updates
	Document json.RawMessage `json:"document"` // the definition as JSON (YAML is converted on the way in)
	// Source is the text that the document was written as, comments included; empty where the document says it all.
	Source    string          `json:"source,omitempty"`
	Problems  []fault.Problem `json:"problems"`
	UpdatedAt time.Time       `json:"updated_at"`
	// LiveVersion is the number of the version that contacts enter; 0 while nothing is published.
	LiveVersion int `json:"live_version,omitempty"`
	// PausedAt is since when nobody moves in the journey and nothing is sent; nil: it runs.
	PausedAt *time.Time `json:"paused_at,omitempty"`
	// PausedBy is who paused it, and perhaps why; only where one journey is read.
	PausedBy string `json:"paused_by,omitempty"`
}

// Version is a frozen, compiled, numbered definition. It never changes.
type Version struct {
	Journey     string          `json:"journey"`
	Number      int             `json:"version"` // 1, 2, 3… per journey
	Hash        string          `json:"hash"`    // content hash of the definition
	Document    json.RawMessage `json:"document"`
	PublishedAt time.Time       `json:"published_at"`
}

// LiveVersion is the version that new contacts enter, with the time since which its trigger has been live: older
// events enroll nobody.
type LiveVersion struct {
	Version
	LiveSince time.Time
}
