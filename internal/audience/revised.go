package audience

import "time"

// Revised is a document of which a deployment has one, such as its brand, and how often it was saved. Revision 0 says that nobody has saved
// any, and the document is what holds without one.
type Revised[T any] struct {
	Document  T
	Revision  int64
	UpdatedAt *time.Time // nil while nobody has saved one
}
