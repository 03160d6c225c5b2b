// Command composecheck reads docker-compose.yml with the library that Docker Compose itself reads it with: the schema, the
// interpolation, the references between services. It needs no container engine, and says nothing about whether the images run.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	if err := check(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "composecheck:", err)
		os.Exit(1)
	}
}

// settings stand for the user's .env: every variable that the file insists on.
func settings() []string {
	return []string{
		"POSTGRES_PASSWORD=secret", "SMTP_URL=smtp://mail:25", "MAIL_FROM=A <a@example.com>",
		"THROUGHLINE_ADMIN_KEY=admin", "THROUGHLINE_WRITE_KEY=write",
	}
}

func check(ctx context.Context, files []string) error {
	if _, err := load(ctx, files, settings()); err != nil {
		return err
	}
	for i, setting := range settings() { // what the file insists on, it insists on one by one
		rest := append(append([]string{}, settings()[:i]...), settings()[i+1:]...)
		name, _, _ := strings.Cut(setting, "=")
		if _, err := load(ctx, files, rest); err == nil || !strings.Contains(err.Error(), name) {
			return fmt.Errorf("%s may be left out without a word (%v)", name, err)
		}
	}
	return nil
}

func load(ctx context.Context, files, env []string) (*types.Project, error) {
	options, err := cli.NewProjectOptions(files, cli.WithEnv(env), cli.WithInterpolation(true), cli.WithResolvedPaths(true))
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return nil, err
	}
	for name, service := range project.Services {
		if _, err := project.GetServices(dependencies(service)...); err != nil {
			return nil, fmt.Errorf("service %s: %w", name, err)
		}
	}
	return project, nil
}

func dependencies(s types.ServiceConfig) []string {
	names := make([]string, 0, len(s.DependsOn))
	for name := range s.DependsOn {
		names = append(names, name)
	}
	return names
}
