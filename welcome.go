package main

import (
	"fmt"
	"io"
	"strings"
)

// welcome tells a person where everything is, and one thing to try.
func welcome(out io.Writer, c config, role, addr string) {
	if role == "worker" {
		fmt.Fprintln(out, "worker: waiting for journeys")
		return
	}
	base := "http://" + addr
	var b strings.Builder
	b.WriteString("\nThroughline is running.\n\n")
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-22s %s\n", name, value)
		}
	}
	line("api", base+"/openapi.json")
	line("designer", base+"/")
	line("Temporal UI", c.TemporalUIURL)
	line("inbox (caught mail)", c.InboxURL)
	line("THROUGHLINE_ADMIN_KEY", c.AdminKey)
	line("THROUGHLINE_WRITE_KEY", c.WriteKey)
	if c.WriteKey != "" {
		fmt.Fprintf(&b, "\nTry it:\n\n  curl -u %s: %s/v1/track \\\n    -d '{\"userId\":\"ana\",\"event\":\"Signed Up\",\"properties\":{\"plan\":\"trial\"}}'\n", c.WriteKey, base)
	}
	b.WriteString("\nCtrl-C stops it; what it knows stays.\n")
	fmt.Fprintln(out, b.String())
}
