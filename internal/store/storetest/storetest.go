// Package storetest gives a test a database of its own on a real PostgreSQL. It is for tests only.
package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/store"
)

// Variable names the environment variable that says where PostgreSQL is. Its role has to be allowed to make databases.
const Variable = "DATABASE_URL"

// lockTemplate keeps test binaries that start together from making the template twice.
const lockTemplate = 0x7468726f75746d70

// New opens a store on a fresh, migrated database that goes away with the test. It is a clone of a template, so it costs tens of
// milliseconds, not a migration.
func New(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), NewURL(t))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// NewURL makes a fresh, migrated database and says where it is.
func NewURL(t testing.TB) string {
	t.Helper()
	return create(t, " TEMPLATE "+pgx.Identifier{template(t)}.Sanitize())
}

// NewEmptyURL makes a database that was never migrated.
func NewEmptyURL(t testing.TB) string {
	t.Helper()
	return create(t, " TEMPLATE template0")
}

// ServerURL is where the tests' PostgreSQL is. Without one the test is skipped.
func ServerURL(t testing.TB) string {
	t.Helper()
	url := os.Getenv(Variable)
	if url == "" {
		t.Skip("no DATABASE_URL: `make test` runs the tests with a throw-away PostgreSQL")
	}
	return url
}

func create(t testing.TB, from string) string {
	t.Helper()
	server := ServerURL(t)
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	require.NoError(t, err)
	defer conn.Close(ctx)
	// By the default strategy: FILE_COPY forces two checkpoints, which all tests that run at once would wait for.
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+from)
	require.NoError(t, err)
	t.Cleanup(func() { drop(t, server, name) })
	url, err := store.WithDatabase(server, name)
	require.NoError(t, err)
	return url
}

func drop(t testing.TB, server, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // the test's own context is over
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Logf("database %s stays behind", name)
		return
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		t.Logf("database %s stays behind", name)
	}
}

// template makes the migrated template, unless a run with the same migrations has made it.
func template(t testing.TB) string {
	t.Helper()
	server := ServerURL(t)
	name := "throughline_template_" + migrationsHash(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	require.NoError(t, err)
	defer conn.Close(ctx) // and its lock with it
	_, err = conn.Exec(ctx, "SELECT pg_advisory_lock($1::bigint)", int64(lockTemplate))
	require.NoError(t, err)
	var there bool
	require.NoError(t, conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there))
	if there {
		return name
	}
	// Made under another name first: a run that is cut off leaves no half template.
	half := name + "_half"
	_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{half}.Sanitize()+" WITH (FORCE)")
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{half}.Sanitize()+" TEMPLATE template0")
	require.NoError(t, err)
	url, err := store.WithDatabase(server, half)
	require.NoError(t, err)
	s, err := store.Open(ctx, url)
	require.NoError(t, err)
	err = s.Migrate(ctx)
	s.Close()
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "ALTER DATABASE "+pgx.Identifier{half}.Sanitize()+" RENAME TO "+pgx.Identifier{name}.Sanitize())
	require.NoError(t, err)
	return name
}

func migrationsHash(t testing.TB) string {
	t.Helper()
	hash := sha256.New()
	err := fs.WalkDir(store.Migrations(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(store.Migrations(), path)
		if err == nil {
			hash.Write([]byte(path))
			hash.Write(content)
		}
		return err
	})
	require.NoError(t, err)
	return hex.EncodeToString(hash.Sum(nil))[:16]
}
