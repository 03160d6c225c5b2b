package main

import (
	"flag"
	"io"
	"os"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

func simulateFile(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	events := flags.String("events", "", "events, a JSON line each")
	if err := flags.Parse(args[1:]); err != nil || *events == "" || flags.NArg() > 0 {
		return errUsage
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	def, problems := journey.Check(data, journey.Known{})
	if fault.HasErrors(problems) {
		printProblems(out, args[0], problems)
		return errProblems
	}
	input, err := os.Open(*events)
	if err != nil {
		return err
	}
	defer input.Close() //nolint:errcheck // read only
	lines, problems := journey.DecodeSimEvents(input)
	if fault.HasErrors(problems) {
		printProblems(out, *events, problems)
		return errProblems
	}
	trace, err := journey.Simulate(def, lines, journey.SimOptions{})
	if err != nil {
		return err
	}
	return journey.WriteText(out, trace)
}
