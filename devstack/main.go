// Command devstack runs real infrastructure for one command: a Temporal server with its UI, a private PostgreSQL cluster
// and an inbox that catches all mail.
//
//	devstack run [flags] -- command args…    start everything, run the command, stop everything
//	devstack temporal|postgres|inbox [flags] one part in the foreground; prints "ready" when it is
//
// It never imports the product.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"throughline.dev/throughline/devstack/internal/inbox"
	"throughline.dev/throughline/devstack/internal/postgres"
	"throughline.dev/throughline/devstack/internal/stack"
	"throughline.dev/throughline/devstack/internal/temporal"
)

const usage = `devstack runs real infrastructure for one command.

  devstack run [--dir DIR] [--throw-away] [--ports default|free] [--workdir DIR] [--temporal-set name=value] -- command args…
  devstack temporal --dir DIR [--port 7233] [--ui-port 8233] [--namespace throughline] [--set name=value]
  devstack postgres --dir DIR --port PORT [--throw-away]
  devstack inbox    --dir DIR [--smtp-port 2525] [--http-port 8025]

PORT_TEMPORAL, PORT_TEMPORAL_UI, PORT_INBOX, PORT_SMTP and PORT_POSTGRES move the ports of "run".
`

func main() {
	code, err := dispatch(os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "devstack:", err)
		if code == 0 {
			code = 1
		}
	}
	os.Exit(code)
}

func dispatch(args []string) (int, error) {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	switch name {
	case "run":
		return run(args[1:])
	case "--": // "devstack -- command": the whole stack, as it comes
		return run(args)
	case "temporal", "postgres", "inbox":
		return 0, runPart(name, args[1:])
	case "help", "-h", "--help":
		fmt.Print(usage)
		return 0, nil
	default:
		fmt.Fprint(os.Stderr, usage)
		return 2, nil
	}
}

func run(args []string) (int, error) {
	o := stack.Options{Out: os.Stderr}
	flags := flag.NewFlagSet("devstack run", flag.ContinueOnError)
	home := projectRoot()
	flags.StringVar(&o.Dir, "dir", filepath.Join(home, ".devstack"), "folder that keeps the state")
	flags.BoolVar(&o.ThrowAway, "throw-away", false, "use a temporary folder and free ports, and remove everything at the end")
	portMode := flags.String("ports", "", "default or free (default: default, with --throw-away: free)")
	flags.StringVar(&o.Workdir, "workdir", home, "folder in which the command runs")
	flags.StringVar(&o.Namespace, "namespace", "throughline", "Temporal namespace")
	flags.Func("temporal-set", "dynamic configuration of the Temporal server, name=value (repeatable)", func(text string) error {
		o.TemporalSet = append(o.TemporalSet, text)
		_, _, err := setting(text)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	o.Command = flags.Args()
	if len(o.Command) == 0 {
		return 2, errors.New("which command? devstack run [flags] -- command args…")
	}
	switch {
	case *portMode == "free", *portMode == "" && o.ThrowAway:
		o.FreePorts = true
	case *portMode != "" && *portMode != "default":
		return 2, errors.New("--ports is default or free")
	}
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return 1, err
	}
	if o.Self, err = os.Executable(); err != nil {
		return 1, err
	}
	return stack.Run(context.Background(), o)
}

// projectRoot is the current folder, or the one above it when that is where this program's own source is: "go -C devstack run ."
// means the project.
func projectRoot() string {
	if text, err := os.ReadFile("go.mod"); err == nil && strings.HasPrefix(string(text), "module throughline.dev/throughline/devstack\n") {
		return ".."
	}
	return "."
}

func runPart(name string, args []string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	ready := func() { fmt.Println("ready") }
	flags := flag.NewFlagSet("devstack "+name, flag.ContinueOnError)
	dir := flags.String("dir", "", "folder that keeps the state (required)")
	begin := func() (string, error) {
		if err := flags.Parse(args); err != nil {
			return "", err
		}
		if *dir == "" || flags.NArg() > 0 {
			return "", fmt.Errorf("usage:\n%s", usage)
		}
		full, err := filepath.Abs(*dir)
		if err != nil {
			return "", err
		}
		return full, os.MkdirAll(full, 0o755)
	}
	var err error
	switch name {
	case "temporal":
		o := temporal.Options{Dynamic: map[string]any{}}
		flags.IntVar(&o.Port, "port", 7233, "port of the server")
		flags.IntVar(&o.UIPort, "ui-port", 8233, "port of the UI")
		flags.StringVar(&o.Namespace, "namespace", "throughline", "namespace to create")
		flags.Func("set", "dynamic configuration, name=value (repeatable)", func(text string) error {
			name, value, err := setting(text)
			o.Dynamic[name] = value
			return err
		})
		if o.Dir, err = begin(); err != nil {
			return err
		}
		return temporal.Run(ctx, o, ready)
	case "postgres":
		o := postgres.Options{}
		flags.IntVar(&o.Port, "port", 5432, "port")
		flags.BoolVar(&o.ThrowAway, "throw-away", false, "never flush to disk")
		if o.Dir, err = begin(); err != nil {
			return err
		}
		if err := postgres.Ensure(ctx, os.Stderr); err != nil {
			return err
		}
		return postgres.Run(ctx, o, ready)
	default:
		o := inbox.Options{}
		flags.IntVar(&o.SMTPPort, "smtp-port", 2525, "port for mail")
		flags.IntVar(&o.HTTPPort, "http-port", 8025, "port of the page")
		if o.Dir, err = begin(); err != nil {
			return err
		}
		return inbox.Run(ctx, o, ready)
	}
}

// setting reads name=value; the value is JSON, or a plain string when it is none.
func setting(text string) (name string, value any, err error) {
	name, raw, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return "", nil, errors.New("write it as name=value")
	}
	if json.Unmarshal([]byte(raw), &value) != nil {
		value = raw
	}
	return name, value, nil
}
