//go:build !linux

package proc

import "syscall"

// Child are the attributes of a child in a process group of its own. Without Linux's parent death signal a child
// may outlive a killed parent; the next start takes its folder over by its lock.
func Child(_ syscall.Signal, cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: cred}
}
