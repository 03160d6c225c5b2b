// Package temporal runs a real Temporal server and its UI inside this process, on one SQLite file.
//
// It may import the Temporal server and UI modules and the standard library; it knows nothing of the
// product beyond the namespace and the search attributes that the product expects to find.
package temporal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema/sqlite"
	server "go.temporal.io/server/temporal"
	"google.golang.org/protobuf/types/known/durationpb"

	"throughline.dev/throughline/devstack/internal/proc"
)

// Options say where the server lives. Every port is on the loopback interface only.
type Options struct {
	Dir       string
	Port      int
	UIPort    int
	Namespace string
	// Dynamic is dynamic configuration by name, on top of this package's own few values.
	Dynamic map[string]any
}

// retention is long enough to look at yesterday's journeys and short enough for a laptop's disk.
const retention = 72 * time.Hour

// stopPatience is how long a stop may take. The state is crash-safe, so nothing is lost after it.
const stopPatience = 5 * time.Second

// Run starts server and UI, calls ready once the namespace can be used, and blocks until ctx ends.
func Run(ctx context.Context, o Options, ready func()) error {
	lock, err := proc.TakeOver(ctx, filepath.Join(o.Dir, "temporal.lock"), 10*time.Second)
	if err != nil {
		return fmt.Errorf("lock the Temporal folder: %w", err)
	}
	defer func() { _ = lock.Release() }()
	for _, port := range []int{o.Port, o.UIPort} {
		if err := portFree(port); err != nil {
			return err
		}
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{
		Level: "warn", Format: "console", OutputFile: filepath.Join(o.Dir, "temporal.log"),
	}))
	file := filepath.Join(o.Dir, "temporal.db")
	cfg := serverConfig(o, file)
	if err := prepare(o, sqliteConfig(file)); err != nil {
		return err
	}
	srv, err := newServer(o, cfg, logger)
	if err != nil {
		return fmt.Errorf("build the temporal server: %w", err)
	}
	if err := srv.Start(); err != nil {
		return fmt.Errorf("start the temporal server: %w", err)
	}
	defer stop(srv)

	ui := newUI(o)
	uiFailed := make(chan error, 1)
	go func() { uiFailed <- ui.Start() }()
	defer ui.Stop()

	if err := awaitUsable(ctx, o); err != nil {
		return err
	}
	ready()
	select {
	case <-ctx.Done():
		return nil
	case err := <-uiFailed:
		return fmt.Errorf("the temporal UI stopped: %w", errors.Join(err, errors.New("see temporal.log")))
	}
}

func newServer(o Options, cfg *config.Config, logger log.Logger) (server.Server, error) {
	authorizer, err := authorization.GetAuthorizerFromConfig(&cfg.Global.Authorization)
	if err != nil {
		return nil, fmt.Errorf("authorizer: %w", err)
	}
	claims, err := authorization.GetClaimMapperFromConfig(&cfg.Global.Authorization, logger)
	if err != nil {
		return nil, fmt.Errorf("claim mapper: %w", err)
	}
	return server.NewServer(
		server.WithConfig(cfg),
		server.ForServices(server.DefaultServices),
		server.WithLogger(logger),
		server.WithAuthorizer(authorizer),
		server.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return claims }),
		server.WithDynamicConfigClient(dynamicConfig(o.Dynamic)),
	)
}

func newUI(o Options) *uiserver.Server {
	return uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host:                loopback,
		Port:                o.UIPort,
		TemporalGRPCAddress: hostPort(o.Port),
		EnableUI:            true,
		DefaultNamespace:    o.Namespace,
		// Nothing on this page leaves the machine: no news, no version check.
		DisableNewsFetch:   true,
		NotifyOnNewVersion: false,
		HideLogs:           true,
		// Plain HTTP on loopback: a Secure cookie would never come back and every action would be refused.
		CORS: uiconfig.CORS{CookieInsecure: true},
	}))
}

// prepare makes the schema and the namespace before the server first opens the file, so that both are
// there from its first second. A marker is written last: a kill halfway leaves no half schema behind.
func prepare(o Options, cfg *config.SQL) error {
	marker := filepath.Join(o.Dir, "schema.version")
	made, err := os.ReadFile(marker)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := removeDatabase(cfg.DatabaseName); err != nil {
			return err
		}
		if err := sqlite.SetupSchema(cfg); err != nil {
			return fmt.Errorf("create the temporal schema: %w", err)
		}
		if err := createNamespace(o.Namespace, cfg); err != nil {
			return err
		}
		if err := os.WriteFile(marker, []byte(headers.ServerVersion+"\n"), 0o644); err != nil {
			return fmt.Errorf("write the schema marker: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("read the schema marker: %w", err)
	}
	if have := strings.TrimSpace(string(made)); have != headers.ServerVersion {
		fmt.Fprintf(os.Stderr, "the state in %s was made by Temporal %s, this is %s; if it misbehaves, remove that folder\n",
			o.Dir, have, headers.ServerVersion)
	}
	if err := forgetMembers(cfg); err != nil {
		return err
	}
	return createNamespace(o.Namespace, cfg) // another --namespace on the same folder; else nothing to do
}

// forgetMembers removes what the last process wrote about its ring. After a kill those hosts look alive for
// 20 seconds, and the new process would wait half a minute to join them. They can't be: the folder is ours alone.
func forgetMembers(cfg *config.SQL) error {
	db, err := sql.NewSQLAdminDB(sqlplugin.DbKindMain, cfg, resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return fmt.Errorf("open the temporal database: %w", err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Exec("DELETE FROM cluster_membership"); err != nil {
		return fmt.Errorf("forget the last run's members: %w", err)
	}
	return nil
}

func createNamespace(name string, cfg *config.SQL) error {
	ns, err := sqlite.NewNamespaceConfig(cluName, name, false, SearchAttributes())
	if err != nil {
		return fmt.Errorf("describe namespace %s: %w", name, err)
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	if err := sqlite.CreateNamespaces(cfg, ns); err != nil {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	return nil
}

func removeDatabase(file string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(file + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove a half-made database: %w", err)
		}
	}
	return nil
}

func stop(srv server.Server) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Stop() // the process ends either way and the file is crash-safe
	}()
	select {
	case <-done:
	case <-time.After(stopPatience):
	}
}
