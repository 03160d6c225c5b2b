// Package examples holds the journeys and mails to begin with: to read here, and to take over in the designer.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed *.yaml templates/*.yaml
var files embed.FS

// Files are the journeys, at the top, and the mails that they send, in templates.
func Files() fs.FS { return files }
