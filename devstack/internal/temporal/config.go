package temporal

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/testing/freeport"
)

const (
	loopback = "127.0.0.1"
	cluName  = "active"
)

// serverConfig is a whole Temporal cluster in one process on one SQLite file.
func serverConfig(o Options, file string) *config.Config {
	c := &config.Config{}
	c.Global.Membership = config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: loopback}
	c.Persistence = config.Persistence{
		DefaultStore:    sqliteplugin.PluginName,
		VisibilityStore: sqliteplugin.PluginName,
		// One shard: SQLite has one writer, more shards would only queue in another place.
		NumHistoryShards: 1,
		DataStores: map[string]config.DataStore{
			sqliteplugin.PluginName: {SQL: sqliteConfig(file)},
		},
	}
	c.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10,
		MasterClusterName:        cluName,
		CurrentClusterName:       cluName,
		ClusterInformation: map[string]cluster.ClusterInformation{
			cluName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: hostPort(o.Port)},
		},
	}
	c.DCRedirectionPolicy = config.DCRedirectionPolicy{Policy: "noop"}
	c.Services = map[string]config.Service{
		"frontend": service(o.Port),
		// freeport leaves the port in TIME_WAIT, so that stacks that start side by side never draw the same one.
		"history":  service(freeport.MustGetFreePort()),
		"matching": service(freeport.MustGetFreePort()),
		"worker":   service(freeport.MustGetFreePort()),
	}
	c.Archival = config.Archival{
		History:    config.HistoryArchival{State: config.ArchivalDisabled},
		Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
	}
	c.NamespaceDefaults.Archival.History.State = config.ArchivalDisabled
	c.NamespaceDefaults.Archival.Visibility.State = config.ArchivalDisabled
	c.PublicClient = config.PublicClient{HostPort: hostPort(o.Port)}
	return c
}

// sqliteConfig opens the file in WAL mode: 3-5 times faster than the default journal. With
// synchronous=NORMAL a killed process loses nothing; a power cut may lose the last commits, which a
// development stack can bear. The names carry no underscore: this plugin passes unknown keys on as
// pragmas, and SQLite ignores a pragma that it does not know ("_journal_mode") without a word.
//
// MaxConns stays at one: with several connections a deferred transaction that turns into a write
// fails at once with SQLITE_BUSY, however long the busy timeout is.
func sqliteConfig(file string) *config.SQL {
	return &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: file,
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "WAL",
			"synchronous":  "NORMAL",
			"busy_timeout": "10000",
		},
	}
}

func service(port int) config.Service {
	return config.Service{RPC: config.RPC{
		GRPCPort:        port,
		MembershipPort:  freeport.MustGetFreePort(),
		BindOnLocalHost: true,
	}}
}

// dynamicConfig holds what differs from the server's defaults, each with its reason.
func dynamicConfig(extra map[string]any) dynamicconfig.StaticClient {
	values := dynamicconfig.StaticClient{
		// 10 list calls a second in a namespace is too few for test suites that run side by side.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 500,
		// A search attribute that was just added is usable at once.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		// 1 GiB of cached mutable state is for servers; a laptop runs the product beside it.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key(): 16_000,
	}
	for name, value := range extra {
		values[dynamicconfig.MakeKey(name)] = value
	}
	return values
}

func hostPort(port int) string {
	return net.JoinHostPort(loopback, strconv.Itoa(port))
}

func portFree(port int) error {
	l, err := net.Listen("tcp", hostPort(port))
	if err != nil {
		return fmt.Errorf("port %d is taken: %w", port, err)
	}
	return l.Close()
}
