package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

func simulateFile(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	events := flags.String("events", "", "events, a JSON line each")
	winners := map[string]string{}
	flags.Func("winner", "the arm that has won, as step=number from 0; may be given again", func(text string) error {
		step, port, ok := strings.Cut(text, "=")
		if !ok {
			return errUsage
		}
		winners[step] = port
		return nil
	})
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
	standing := func(p journey.Planned) journey.Standing {
		if port, ok := winners[p.Step]; ok {
			return journey.Standing{Winner: &journey.ExperimentWinner{Port: port}}
		}
		return journey.Standing{}
	}
	for step, port := range winners {
		if p, ok := def.Experiment(step); !ok || !p.Has(port) {
			return fmt.Errorf("there is no experiment %s with an arm %s", step, port)
		}
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
	trace, err := journey.Simulate(def, lines, journey.SimOptions{Standing: standing})
	if err != nil {
		return err
	}
	return journey.WriteText(out, trace)
}
