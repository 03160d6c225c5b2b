package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
)

// suppressBatch is how many addresses go in one request.
const suppressBatch = 500

// runSuppress is `throughline suppress FILE`: it takes over the list of addresses that another tool never writes to. The file has an address
// a line, or is CSV with a column called email.
func runSuppress(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		return errUsage
	}
	file, err := os.Open(args[0]) //nolint:gosec // the file that the caller names
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // read only
	client, err := newAPIClient()
	if err != nil {
		return err
	}
	sum := suppression{client: client, file: args[0], out: out}
	if err := sum.read(ctx, file); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d added, %d on the list already, %d that are no address\n", args[0], sum.added, sum.known, sum.bad)
	if sum.bad > 0 {
		return errProblems
	}
	return nil
}

type suppression struct {
	client            apiClient
	file              string
	out               io.Writer
	added, known, bad int
}

func (s *suppression) read(ctx context.Context, file io.Reader) error {
	reader := csv.NewReader(file)
	reader.FieldsPerRecord, reader.LazyQuotes, reader.TrimLeadingSpace = -1, true, true
	column := -1
	var addresses []string
	var lines []int
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return s.send(ctx, addresses, lines)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.file, err)
		}
		if column < 0 { // the first line: names of columns, or an address
			column = max(0, slices.IndexFunc(record, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), "email") }))
			if strings.EqualFold(strings.TrimSpace(record[column]), "email") {
				continue
			}
		}
		if column >= len(record) || strings.TrimSpace(record[column]) == "" {
			continue
		}
		line, _ := reader.FieldPos(column)
		addresses, lines = append(addresses, strings.TrimSpace(record[column])), append(lines, line)
		if len(addresses) == suppressBatch {
			if err := s.send(ctx, addresses, lines); err != nil {
				return err
			}
			addresses, lines = addresses[:0], lines[:0]
		}
	}
}

// send puts some addresses on the list. Done again, it changes nothing, so a broken run is simply begun anew.
func (s *suppression) send(ctx context.Context, addresses []string, lines []int) error {
	if len(addresses) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{"addresses": addresses, "reason": audience.SuppressImported})
	if err != nil {
		return err
	}
	var answer api.Suppressed
	if err := s.client.call(ctx, http.MethodPost, "/v1/suppressions", s.file, body, &answer, s.out); err != nil {
		return err
	}
	s.added, s.known = s.added+answer.Added, s.known+answer.Known
	for _, problem := range answer.Problems {
		s.bad++
		index, err := strconv.Atoi(strings.TrimPrefix(problem.Path, "/addresses/"))
		if err != nil || index >= len(lines) {
			return fmt.Errorf("the api names no line: %s", problem.Path)
		}
		fmt.Fprintf(s.out, "%s:%d: %s\n", s.file, lines[index], problem.Message)
	}
	return nil
}
