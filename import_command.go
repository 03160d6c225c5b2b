package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

const (
	importPatience = 5 * time.Minute // how long an import tries to go on without getting anywhere
	importPause    = time.Second
	importPoll     = 500 * time.Millisecond
	apiPatience    = 30 * time.Second
)

// importCommand is `throughline import`.
type importCommand struct {
	file, name, event, resume string
	mapping                   []audience.ImportColumn
	dryRun                    bool
	client                    apiClient
	out, progress             io.Writer
}

func runImport(ctx context.Context, args []string, out io.Writer) error {
	cmd, err := parseImport(args)
	if err != nil {
		return err
	}
	if cmd.client, err = newAPIClient(); err != nil {
		return err
	}
	cmd.out, cmd.progress = out, os.Stderr
	return cmd.run(ctx)
}

func parseImport(args []string) (*importCommand, error) {
	cmd := &importCommand{}
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("map", "", func(pair string) error {
		to, column, ok := strings.Cut(pair, "=")
		if !ok || to == "" || column == "" {
			return errUsage
		}
		cmd.mapping = append(cmd.mapping, audience.ImportColumn{Column: column, To: to})
		return nil
	})
	flags.StringVar(&cmd.event, "event", "", "")
	flags.StringVar(&cmd.name, "name", "", "")
	flags.StringVar(&cmd.resume, "resume", "", "")
	flags.BoolVar(&cmd.dryRun, "dry-run", false, "")
	files, err := parseMixed(flags, args)
	if err != nil || len(files) != 1 || (cmd.resume != "" && (cmd.event != "" || cmd.dryRun || len(cmd.mapping) > 0)) {
		return nil, errUsage
	}
	cmd.file = files[0]
	if cmd.name == "" {
		cmd.name = filepath.Base(cmd.file)
	}
	return cmd, nil
}

// parseMixed lets flags stand before and after the other arguments.
func parseMixed(flags *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

func (cmd *importCommand) run(ctx context.Context) error {
	info, err := os.Stat(cmd.file)
	if err != nil {
		return err
	}
	current, err := cmd.begin(ctx)
	if err != nil {
		return err
	}
	bar := newProgressBar(cmd.progress, filepath.Base(cmd.file), info.Size(), current)
	result, err := cmd.untilDone(ctx, current, bar)
	bar.end()
	if ctx.Err() != nil {
		return fmt.Errorf("stopped. Go on with: throughline import %s --resume %s", cmd.file, current.ID)
	}
	if err != nil {
		return err
	}
	return cmd.report(ctx, result)
}

// begin makes the import, or finds the one to go on with.
func (cmd *importCommand) begin(ctx context.Context) (audience.Import, error) {
	var current audience.Import
	if cmd.resume != "" {
		err := cmd.client.json(ctx, http.MethodGet, "/v1/imports/"+url.PathEscape(cmd.resume), nil, &current)
		return current, err
	}
	body := map[string]any{"name": cmd.name, "dry_run": cmd.dryRun, "mapping": cmd.mapping}
	if cmd.mapping == nil {
		body["mapping"] = []audience.ImportColumn{}
	}
	if cmd.event != "" {
		body["event"] = cmd.event
	}
	for _, c := range cmd.mapping {
		if c.To == "event" {
			body["kind"] = audience.TypeTrack
		}
	}
	err := cmd.client.json(ctx, http.MethodPost, "/v1/imports", body, &current)
	var refused *apiError
	if errors.As(err, &refused) && len(refused.Problems) > 0 {
		for _, p := range refused.Problems {
			fmt.Fprintf(cmd.out, "%s: %s\n", mapped(cmd.mapping, p.Path), p.Message)
		}
		return current, errProblems
	}
	return current, err
}

// mapped names the mapping that a problem is about, in the words of the command line.
func mapped(mapping []audience.ImportColumn, path string) string {
	var i int
	if n, err := fmt.Sscanf(path, "/mapping/%d", &i); n == 1 && err == nil && i < len(mapping) {
		return "--map " + mapping[i].To + "=" + mapping[i].Column
	}
	return strings.TrimPrefix(path, "/")
}

// untilDone sends the file until it has been read to its end, however often the connection breaks or the server goes down.
func (cmd *importCommand) untilDone(ctx context.Context, current audience.Import, bar *progressBar) (api.ImportResult, error) {
	progressed := time.Now()
	for {
		switch current.State {
		case audience.ImportDone:
			return api.ImportResult{Import: current}, nil
		case audience.ImportFailed:
			return api.ImportResult{Import: current}, nil
		}
		result, err := cmd.upload(ctx, current, bar)
		if err == nil {
			return result, nil
		}
		if ctx.Err() != nil || !worthAnotherUpload(err) {
			return result, err
		}
		if !ended(err) {
			bar.note("the connection broke, trying again")
		}
		before := current.Bytes
		if current, err = cmd.find(ctx, current, progressed.Add(importPatience)); err != nil {
			return api.ImportResult{}, err
		}
		if current.Bytes > before {
			progressed = time.Now()
		}
		if time.Since(progressed) > importPatience {
			return api.ImportResult{}, fmt.Errorf("the import gets nowhere. Go on later with: throughline import %s --resume %s", cmd.file, current.ID)
		}
	}
}

// worthAnotherUpload tells what passes by itself from what does not.
func worthAnotherUpload(err error) bool {
	var refused *apiError
	if !errors.As(err, &refused) {
		return true // no answer at all
	}
	switch refused.Code {
	case "cut_off", "timeout", "import_elsewhere":
		return true
	}
	return ended(err) || refused.status >= http.StatusInternalServerError || refused.status == http.StatusTooManyRequests
}

// ended tells an answer that the import has ended, one way or the other: the import itself says which.
func ended(err error) bool {
	var refused *apiError
	return errors.As(err, &refused) && (refused.status == http.StatusUnprocessableEntity || refused.Code == "import_ended")
}

// find asks how far the import has come until the server answers.
func (cmd *importCommand) find(ctx context.Context, current audience.Import, until time.Time) (audience.Import, error) {
	for {
		select {
		case <-ctx.Done():
			return current, ctx.Err()
		case <-time.After(importPause):
		}
		var found audience.Import
		err := cmd.client.json(ctx, http.MethodGet, "/v1/imports/"+current.ID, nil, &found)
		if err == nil {
			return found, nil
		}
		if time.Now().After(until) {
			return current, fmt.Errorf("%w. Go on later with: throughline import %s --resume %s", err, cmd.file, current.ID)
		}
	}
}

// upload sends the whole file once; the server skips what it has.
func (cmd *importCommand) upload(ctx context.Context, current audience.Import, bar *progressBar) (api.ImportResult, error) {
	file, err := os.Open(cmd.file)
	if err != nil {
		return api.ImportResult{}, err
	}
	defer file.Close() //nolint:errcheck // read only
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		cmd.watch(watching, current.ID, bar)
	}()
	defer func() { stop(); <-watched }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, cmd.client.base+"/v1/imports/"+current.ID+"/file", file)
	if err != nil {
		return api.ImportResult{}, err
	}
	if info, err := file.Stat(); err == nil {
		req.ContentLength = info.Size()
	}
	req.Header.Set("Content-Type", "text/csv")
	req.Header.Set("Expect", "100-continue") // a refusal comes before the file is sent
	var result api.ImportResult
	err = cmd.client.do(&http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, ExpectContinueTimeout: apiPatience, ResponseHeaderTimeout: 4 * apiPatience, DisableKeepAlives: true,
	}}, req, &result)
	return result, err
}

// watch shows how far the import has come.
func (cmd *importCommand) watch(ctx context.Context, id string, bar *progressBar) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(importPoll):
		}
		var found audience.Import
		if cmd.client.json(ctx, http.MethodGet, "/v1/imports/"+id, nil, &found) == nil {
			bar.show(found)
		}
	}
}

// apiError is a refusal.
type apiError struct {
	problemBody
	status int
}

func (e *apiError) Error() string {
	if e.Code == "" {
		return "the api answered " + http.StatusText(e.status)
	}
	if len(e.Problems) == 1 {
		return e.Code + ": " + e.Problems[0].Message
	}
	return e.Code + ": " + e.Detail
}

// json calls the api with a JSON body.
func (c apiClient) json(ctx context.Context, method, path string, body, answer any) error {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return c.do(&http.Client{Timeout: apiPatience}, req, answer)
}

func (c apiClient) do(client *http.Client, req *http.Request, answer any) error {
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the api does not answer: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode >= http.StatusMultipleChoices {
		return refusalOf(resp)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 16<<20)).Decode(answer)
}

func refusalOf(resp *http.Response) error {
	refused := &apiError{status: resp.StatusCode}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return err
	}
	if json.Unmarshal(data, &refused.problemBody) != nil {
		refused.problemBody = problemBody{Problems: []fault.Problem{}}
	}
	return refused
}
