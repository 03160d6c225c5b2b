package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
)

func runScoring(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 2 {
		return errUsage
	}
	switch args[0] {
	case "lint":
		_, err := readModel(args[1], out)
		return err
	case "publish":
		return publishModel(ctx, args[1], out)
	default:
		return errUsage
	}
}

// readModel reads a scoring model, and prints everything that is wrong with it.
func readModel(file string, out io.Writer) ([]byte, error) {
	data, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err
	}
	_, problems := sales.Parse(data)
	printProblems(out, file, problems)
	if fault.HasErrors(problems) {
		return nil, errProblems
	}
	return data, nil
}

func publishModel(ctx context.Context, file string, out io.Writer) error {
	data, err := readModel(file, out)
	if err != nil {
		return err
	}
	c, err := newAPIClient()
	if err != nil {
		return err
	}
	var v sales.ModelVersion
	if err := c.call(ctx, http.MethodPut, "/v1/scoring", file, data, &v, out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "scoring: version %d counts\n", v.Number)
	return err
}
