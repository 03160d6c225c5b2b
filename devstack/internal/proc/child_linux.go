package proc

import "syscall"

// Child are the attributes of a child in a process group of its own (a Ctrl-C in the terminal reaches the stack, and
// the stack tells its parts in order) that gets sig when this process dies, even by SIGKILL.
//
// The kernel sends it when the thread that forked ends. The Go runtime ends threads only when a locked goroutine
// returns, which nothing here does.
func Child(sig syscall.Signal, cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: sig, Credential: cred}
}
