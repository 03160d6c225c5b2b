package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// errProblems says that the input is wrong; the problems have been printed.
var errProblems = errors.New("problems")

func runJourney(ctx context.Context, args []string, out io.Writer) error {
	if len(args) < 2 {
		return errUsage
	}
	switch args[0] {
	case "lint":
		return lintFiles(args[1:], out)
	case "publish":
		return publishFile(ctx, args[1], out)
	case "simulate":
		return simulateFile(args[1:], out)
	default:
		return errUsage
	}
}

// lintFiles says everything that is wrong with each file. Templates that lie beside a journey are known to it.
func lintFiles(files []string, out io.Writer) error {
	wrong := false
	for _, file := range files {
		data, err := os.ReadFile(file) //nolint:gosec // the user names the file
		if err != nil {
			return err
		}
		_, problems := journey.Check(data, journey.Known{Templates: templatesBeside(file), Now: time.Now()})
		wrong = wrong || fault.HasErrors(problems)
		printProblems(out, file, problems)
	}
	if wrong {
		return errProblems
	}
	return nil
}

// templatesBeside knows the templates in the folder "templates" beside a journey; without that folder any name will do.
func templatesBeside(file string) func(string) bool {
	dir := filepath.Join(filepath.Dir(file), "templates")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil
	}
	return func(key string) bool {
		_, err := os.Stat(filepath.Join(dir, filepath.Base(key)+".yaml"))
		return err == nil
	}
}

func printProblems(out io.Writer, file string, problems []fault.Problem) {
	if len(problems) == 0 {
		fmt.Fprintf(out, "%s: ok\n", file)
		return
	}
	for _, p := range problems {
		step := ""
		if p.StepID != "" {
			step = " (step " + p.StepID + ")"
		}
		fmt.Fprintf(out, "%s: %s %s: %s%s\n    %s\n", file, p.Level, p.Code, p.Path, step, p.Message)
	}
}

// apiClient talks to a running api, as any other client would.
type apiClient struct {
	base, key string
}

func newAPIClient() (apiClient, error) {
	c, err := readConfig(func(name string) string {
		if v := os.Getenv(name); v != "" || name != "DATABASE_URL" {
			return v
		}
		return "unused" // a client needs no database
	})
	if err != nil {
		return apiClient{}, err
	}
	if c.AdminKey == "" {
		return apiClient{}, errors.New("THROUGHLINE_ADMIN_KEY is missing: make run prints it")
	}
	return apiClient{base: c.PublicURL, key: c.AdminKey}, nil
}

// problemBody is what the api answers when it refuses.
type problemBody struct {
	Detail   string          `json:"detail"`
	Code     string          `json:"code"`
	Problems []fault.Problem `json:"problems"`
}

// call sends a document and decodes the answer. What is wrong with the document is printed.
func (c apiClient) call(ctx context.Context, method, path, file string, body []byte, answer any, out io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Content-Type", "application/yaml")
	if json.Valid(body) {
		req.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the api does not answer: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode < 300 {
		return json.Unmarshal(data, answer)
	}
	var p problemBody
	if json.Unmarshal(data, &p) != nil {
		return fmt.Errorf("the api answered %s", resp.Status)
	}
	if len(p.Problems) > 0 {
		printProblems(out, file, p.Problems)
		return errProblems
	}
	return fmt.Errorf("%s: %s", p.Code, p.Detail)
}

func publishFile(ctx context.Context, file string, out io.Writer) error {
	data, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	def, problems := journey.Parse(data)
	if def == nil || def.Journey == "" {
		printProblems(out, file, problems)
		return errProblems
	}
	c, err := newAPIClient()
	if err != nil {
		return err
	}
	var draft journey.Draft
	if err := c.call(ctx, http.MethodPut, "/v1/journeys/"+def.Journey, file, data, &draft, out); err != nil {
		return err
	}
	var v journey.Version
	if err := c.call(ctx, http.MethodPost, "/v1/journeys/"+def.Journey+"/publish", file, nil, &v, out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: version %d is live\n", def.Journey, v.Number)
	return err
}

func runTemplate(ctx context.Context, args []string, out io.Writer) error {
	if len(args) < 2 || args[0] != "put" {
		return errUsage
	}
	c, err := newAPIClient()
	if err != nil {
		return err
	}
	for _, file := range args[1:] {
		data, err := os.ReadFile(file) //nolint:gosec // the user names the file
		if err != nil {
			return err
		}
		template, problems := email.DecodeTemplate(data)
		if fault.HasErrors(problems) {
			printProblems(out, file, problems)
			return errProblems
		}
		key := template.Key
		if key == "" {
			key = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		}
		var saved email.TemplateVersion
		if err := c.call(ctx, http.MethodPut, "/v1/templates/"+key, file, data, &saved, out); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: version %d\n", key, saved.Version)
	}
	return nil
}
