// Package store keeps the facts in PostgreSQL: rows to domain types and back, transactions, migrations.
//
// It may import pgx, goose, its generated dbsqlc and the domain packages (fault, audience, journey, email, sales); it knows neither
// Temporal nor HTTP. SQL lives in queries/ (sqlc) and migrations/ (goose); every error leaves through errors.go, which makes faults of
// SQLSTATEs and never lets a value of a row into a text. Time enters as an argument.
//
// What keeps signals from being lost: everything about one contact happens under its row lock. Ingest (ingest.go) commits an event, its
// number and the pending mark under that lock; a journey reads its events and writes what it waits for next under the same lock
// (contacttx.go). So either the event sees the interest, or the reader sees the event.
package store

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// defaultConnections is the size of the pool unless the URL says otherwise (pool_max_conns).
const defaultConnections = 16

// Store is the facts in PostgreSQL. It is safe for concurrent use.
type Store struct {
	pool  *pgxpool.Pool
	q     *dbsqlc.Queries
	rules atomic.Pointer[rules] // as they were when somebody last looked
	wake  func(contactID string)
}

// Open connects to a database: a postgres:// URL or a libpq keyword string. Its errors never show the URL, which holds a password.
func Open(ctx context.Context, databaseURL string) (*Store, error) {
	config, err := poolConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, failure("open database", err)
	}
	s := &Store{pool: pool, q: dbsqlc.New(pool)}
	if err := s.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

func poolConfig(databaseURL string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		// The parser's text quotes the URL, and its redaction can't be trusted with a URL that it could not parse: say nothing of it.
		return nil, fault.New(fault.Invalid, "bad_database_url",
			"DATABASE_URL can't be understood. Special characters in the password have to be percent-encoded.")
	}
	if !strings.Contains(databaseURL, "pool_max_conns") {
		config.MaxConns = defaultConnections
	}
	defaults := map[string]string{
		"application_name": "throughline",
		"jit":              "off", // short statements: compiling one costs more than running it
		// A process that hangs inside a transaction would hold a contact's lock for ever.
		"idle_in_transaction_session_timeout": "60s",
	}
	for name, value := range defaults {
		if _, given := config.ConnConfig.RuntimeParams[name]; !given {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		timestamptz := &pgtype.TimestamptzCodec{ScanLocation: time.UTC}
		conn.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: timestamptz})
		pgxuuid.Register(conn.TypeMap()) // in binary: without it every id is written and read as text
		return nil
	}
	return config, nil
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return failure("ping database", err)
	}
	return nil
}

// Close gives the connections back.
func (s *Store) Close() { s.pool.Close() }

// WithDatabase is a URL that leads to another database of the same server, for tests and tools that make databases.
func WithDatabase(databaseURL, name string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "" {
		return "", fault.New(fault.Invalid, "bad_database_url", "DATABASE_URL is no postgres:// URL.")
	}
	u.Path = "/" + name
	u.RawPath = ""
	return fmt.Sprint(u), nil
}
