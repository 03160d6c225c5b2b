package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

// exportCommand is `throughline export`.
type exportCommand struct {
	file, segment, traits string
	client                apiClient
}

func runExport(ctx context.Context, args []string, out io.Writer) error {
	cmd, err := parseExport(args)
	if err != nil {
		return err
	}
	if cmd.client, err = newAPIClient(); err != nil {
		return err
	}
	if cmd.file == "-" {
		_, err := cmd.copyTo(ctx, out)
		return err
	}
	return cmd.run(ctx, out)
}

func parseExport(args []string) (*exportCommand, error) {
	cmd := &exportCommand{}
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&cmd.segment, "segment", "", "")
	flags.StringVar(&cmd.traits, "traits", "", "")
	files, err := parseMixed(flags, args)
	if err != nil || len(files) != 1 {
		return nil, errUsage
	}
	cmd.file = files[0]
	return cmd, nil
}

// run writes a file that is whole or not there: the name is given when the last byte has been written.
func (cmd *exportCommand) run(ctx context.Context, out io.Writer) error {
	part, err := os.CreateTemp(filepath.Dir(cmd.file), filepath.Base(cmd.file)+".*.part")
	if err != nil {
		return err
	}
	n, err := cmd.copyTo(ctx, part)
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), cmd.file) //nolint:gosec // the user names the file
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name())) //nolint:gosec // as above
	}
	_, err = fmt.Fprintf(out, "%s: %s\n", cmd.file, counted(n, "bytes"))
	return err
}

func (cmd *exportCommand) copyTo(ctx context.Context, out io.Writer) (int64, error) {
	query := url.Values{}
	for name, value := range map[string]string{"segment": cmd.segment, "traits": cmd.traits} {
		if value != "" {
			query.Set(name, value)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cmd.client.base+"/v1/contacts/export?"+query.Encode(), nil) //nolint:gosec // the user names the server
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+cmd.client.key)
	if ext := filepath.Ext(cmd.file); ext == ".ndjson" || ext == ".jsonl" {
		req.Header.Set("Accept", "application/x-ndjson")
	}
	resp, err := http.DefaultClient.Do(req) //nolint:gosec // as above
	if err != nil {
		return 0, fmt.Errorf("the api does not answer: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return 0, refusalOf(resp)
	}
	n, err := io.Copy(out, resp.Body)
	if err != nil {
		return n, fmt.Errorf("the export was cut off: %w", err)
	}
	return n, nil
}
