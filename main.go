// Throughline runs each contact's one customer journey, from first touch to loyal customer, as one durable workflow.
//
// Package main holds the configuration and the wiring: it is the only place that knows every part, and holds no business
// rule.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"throughline.dev/throughline/api"
)

const usage = `throughline – one durable customer journey per contact

  throughline serve                          api and worker in one process
  throughline api                            the HTTP api alone
  throughline worker                         the worker alone
  throughline migrate                        bring the database to this version
  throughline journey lint FILE…             say everything that is wrong with a journey
  throughline journey publish FILE           save and publish a journey through the api
  throughline journey simulate FILE --events EVENTS.jsonl [--winner STEP=ARM]
                                             run a journey in memory, on a virtual clock
  throughline template put FILE…             save mail templates through the api
  throughline scoring lint FILE              say everything that is wrong with a scoring model
  throughline scoring publish FILE           publish a scoring model through the api
  throughline import FILE --map email=Email --map trait:seats:number=Seats [--event NAME] [--dry-run] [--name NAME] [--resume ID]
                                             import contacts or events from a CSV file through the api
  throughline suppress FILE                  never write to these addresses: one a line, or CSV with a column email
  throughline export FILE|- [--segment KEY] [--traits A,B]
                                             write contacts to a CSV file, or to .ndjson
  throughline doctor [--send ADDRESS] [--delivered FILE] [--json]
                                             look at SPF, DKIM, DMARC, names, TLS and a message, and say what to mend
  throughline openapi                        print the description of the HTTP API
  throughline version

journey publish, template put, scoring publish, import, suppress and export talk to PUBLIC_URL with THROUGHLINE_ADMIN_KEY.
Configuration comes from the environment: docs/operations.md lists it.
`

// errUsage ends the program with the usage text.
var errUsage = errors.New("usage")

// version is set at build time.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case err == nil:
		return
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	case errors.Is(err, errProblems):
		os.Exit(1) // the problems have been printed
	default:
		fmt.Fprintln(os.Stderr, "throughline: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	switch role, rest := args[0], args[1:]; role {
	case "serve", "api", "worker":
		if len(rest) > 0 {
			return errUsage
		}
		return runProcess(ctx, role, out)
	case "migrate":
		return runMigrate(ctx, out)
	case "journey":
		return runJourney(ctx, rest, out)
	case "template":
		return runTemplate(ctx, rest, out)
	case "scoring":
		return runScoring(ctx, rest, out)
	case "import":
		return runImport(ctx, rest, out)
	case "suppress":
		return runSuppress(ctx, rest, out)
	case "export":
		return runExport(ctx, rest, out)
	case "doctor":
		return runDoctor(ctx, rest, out)
	case "openapi":
		return runOpenAPI(out)
	case "version":
		_, err := fmt.Fprintln(out, version)
		return err
	default:
		return errUsage
	}
}

// runOpenAPI prints what /openapi.json serves.
func runOpenAPI(out io.Writer) error {
	document, err := api.Document(version)
	if err != nil {
		return err
	}
	_, err = out.Write(append(document, '\n'))
	return err
}
