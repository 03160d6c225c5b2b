package email

import (
	_ "embed"
	"strings"
)

// The lists are searched as they stand in the binary: nothing is built from them when a process starts. lists/README.md says where they come from.
var (
	//go:embed lists/disposable.txt
	disposableDomains string
	//go:embed lists/roles.txt
	roleNames string
)

// isDisposable tells whether a domain, or one above it, hands out mailboxes for a few minutes.
func isDisposable(domain string) bool {
	for strings.Contains(domain, ".") {
		if listed(disposableDomains, domain) {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}

// isRole tells whether a local part, without what follows a plus, stands for a task.
func isRole(local string) bool {
	local, _, _ = strings.Cut(local, "+")
	return listed(roleNames, local)
}

// listed searches a list of lines that are sorted by their bytes.
func listed(list, line string) bool {
	low, high := 0, len(list)
	for low < high {
		middle := low + (high-low)/2
		start := strings.LastIndexByte(list[low:middle], '\n') + 1 + low
		end := start + strings.IndexByte(list[start:], '\n')
		switch found := list[start:end]; {
		case found == line:
			return true
		case found < line:
			low = end + 1
		default:
			high = start
		}
	}
	return false
}
