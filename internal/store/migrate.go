package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"throughline.dev/throughline/internal/store/dbsqlc"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Status tells how far a database is migrated: Current of Latest.
type Status struct {
	Current int64
	Latest  int64
}

// UpToDate tells whether the schema is what this program was built with, or newer.
func (s Status) UpToDate() bool { return s.Current >= s.Latest }

// Migrate brings the schema up to what this program needs. Processes that start together take turns.
func (s *Store) Migrate(ctx context.Context) error {
	return s.withMigrations(ctx, "migrate database", func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

// MigrateDown takes the schema back to a version; 0 drops everything.
func (s *Store) MigrateDown(ctx context.Context, version int64) error {
	return s.withMigrations(ctx, "migrate database down", func(p *goose.Provider) error {
		_, err := p.DownTo(ctx, version)
		return err
	})
}

// MigrationStatus reads how far the database is migrated, and changes nothing.
func (s *Store) MigrationStatus(ctx context.Context) (Status, error) {
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return Status{}, fmt.Errorf("read migration status: %w", err)
	}
	var status Status
	for _, source := range provider.ListSources() {
		status.Latest = max(status.Latest, source.Version)
	}
	var there bool
	if err := s.pool.QueryRow(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&there); err != nil {
		return Status{}, failure("read migration status", err)
	}
	if !there { // asking goose would make its table
		return status, nil
	}
	if status.Current, err = provider.GetDBVersion(ctx); err != nil {
		return Status{}, failure("read migration status", err)
	}
	return status, nil
}

// Migrations are the migration files, for those who need to know whether they have changed.
func Migrations() fs.FS { return migrationFiles }

func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files)
}

// withMigrations runs under a lock of the whole database: goose's own locker polls by the second, this one is woken.
func (s *Store) withMigrations(ctx context.Context, op string, fn func(*goose.Provider) error) (err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return failure(op, err)
	}
	defer conn.Release()
	if err := dbsqlc.New(conn).LockMigrations(ctx, lockMigrations); err != nil {
		return failure(op, err)
	}
	defer func() {
		// Should this fail, the connection goes, and its lock with it.
		if unlockErr := dbsqlc.New(conn).UnlockMigrations(context.WithoutCancel(ctx), lockMigrations); unlockErr != nil {
			err = errors.Join(err, failure(op, errors.Join(unlockErr, conn.Hijack().Close(context.WithoutCancel(ctx)))))
		}
	}()
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if err := fn(provider); err != nil {
		return failure(op, err)
	}
	return nil
}
