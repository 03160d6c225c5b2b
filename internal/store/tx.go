package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/store/dbsqlc"
)

// Advisory locks: the one of migrations has a number of its own, the others are a class and the hash of a name.
const (
	lockMigrations int64 = 0x7468726f7567686c // "throughl"
	lockAddresses  int32 = 1
	lockTemplates  int32 = 2
	lockDocuments  int32 = 20
)

// maxAttempts bounds how often a transaction is run again because another one was quicker. Each retry means that another has
// committed, so the bound is only reached when something is wrong.
const maxAttempts = 20

// inTx runs fn in a transaction (read committed).
func (s *Store) inTx(ctx context.Context, fn func(q *dbsqlc.Queries) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return fn(s.q.WithTx(tx)) })
}

// retry runs fn again while it loses against other transactions.
func retry(ctx context.Context, fn func() error) error {
	var err error
	for range maxAttempts {
		if err = fn(); err == nil || !worthRetrying(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// onConnection runs fn with a connection on which fn opens and commits a transaction itself, to save round trips by queueing "begin" and
// "commit" with other statements. Whatever fn leaves open is rolled back.
func (s *Store) onConnection(ctx context.Context, op string, fn func(conn *pgxpool.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return failure(op, err)
	}
	defer conn.Release() // a connection that is still inside a transaction is closed, not reused
	err = fn(conn)
	if open := conn.Conn().PgConn().TxStatus() != 'I'; open && !conn.Conn().IsClosed() {
		// Should this fail, the connection is closed, which rolls back as well: the error of fn is the one to tell.
		_, _ = conn.Exec(context.WithoutCancel(ctx), "rollback")
	}
	return err
}

// commit ends the transaction, and notices when the server made a rollback of it because a statement had failed.
func commit(ctx context.Context, conn *pgxpool.Conn) error {
	tag, err := conn.Exec(ctx, "commit")
	if err != nil {
		return err
	}
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// send runs queued statements in one round trip and stops at the first that fails.
func send(ctx context.Context, conn *pgxpool.Conn, batch *pgx.Batch) error {
	return conn.SendBatch(ctx, batch).Close()
}

// rowsInto collects the rows of a queued statement.
func rowsInto[T any](target *[]T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var err error
		*target, err = pgx.CollectRows(rows, pgx.RowToStructByPos[T])
		return err
	}
}
