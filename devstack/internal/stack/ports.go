package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ports of the stack, all on the loopback interface.
type ports struct {
	Temporal   int `json:"temporal"`
	TemporalUI int `json:"temporal_ui"`
	Inbox      int `json:"inbox"`
	SMTP       int `json:"smtp"`
	Postgres   int `json:"postgres"`
}

// portWish is one port that the stack needs: who wants it, which variable moves it, and its usual number (0: any).
type portWish struct {
	what     string
	variable string
	usual    int
	into     func(*ports) *int
}

func portWishes() []portWish {
	return []portWish{
		{"the Temporal server", "PORT_TEMPORAL", 7233, func(p *ports) *int { return &p.Temporal }},
		{"the Temporal UI", "PORT_TEMPORAL_UI", 8233, func(p *ports) *int { return &p.TemporalUI }},
		{"the inbox page", "PORT_INBOX", 8025, func(p *ports) *int { return &p.Inbox }},
		{"the inbox's SMTP server", "PORT_SMTP", 2525, func(p *ports) *int { return &p.SMTP }},
		{"PostgreSQL", "PORT_POSTGRES", 0, func(p *ports) *int { return &p.Postgres }},
	}
}

// choosePorts settles every port: the variable, else the usual number, else (or with free) one that nobody uses. A port that
// only PostgreSQL got by chance is taken again when it is still free, so that a kept address stays valid.
func choosePorts(free bool, last ports, env func(string) string) (ports, error) {
	var p ports
	var problems []error
	for _, wish := range portWishes() {
		port, err := wish.settle(free, *wish.into(&last), env)
		problems = append(problems, err)
		*wish.into(&p) = port
	}
	return p, errors.Join(problems...)
}

func (w portWish) settle(free bool, last int, env func(string) string) (int, error) {
	port := w.usual
	if text := env(w.variable); text != "" {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || number > 65535 {
			return 0, fmt.Errorf("%s is no port number (1 to 65535)", w.variable)
		}
		port = number
	} else if free || port == 0 {
		if !free && last != 0 && probe(last) == nil {
			return last, nil
		}
		return freePort()
	}
	err := probe(port)
	if errors.Is(err, syscall.EADDRINUSE) {
		return 0, fmt.Errorf("port %d is taken, and %s wants it: stop what listens there, or set %s to another port",
			port, w.what, w.variable)
	}
	if err != nil {
		return 0, fmt.Errorf("%s can't listen on port %d (%s): %w", w.what, port, w.variable, err)
	}
	return port, nil
}

func probe(port int) error {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return err
	}
	return l.Close()
}

// freePort finds a port that stays free for a while. A connection that its listener closed first leaves the port in
// TIME_WAIT: the kernel gives it to nobody who asks for any port, and lets him have it who asks for this one. So stacks
// that start side by side never draw the same number.
func freePort() (int, error) {
	l, err := net.Listen("tcp", address(0))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	if err := server.Close(); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, nil
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// loadPorts reads what the last run on this folder used; nothing when it can't be read, it is only a memory.
func loadPorts(dir string) ports {
	var p ports
	if text, err := os.ReadFile(filepath.Join(dir, "ports.json")); err != nil || json.Unmarshal(text, &p) != nil {
		return ports{}
	}
	return p
}

func (p ports) save(dir string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("remember the ports: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ports.json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("remember the ports: %w", err)
	}
	return nil
}
