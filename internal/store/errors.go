package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"throughline.dev/throughline/internal/fault"
)

// SQLSTATEs that somebody decides on.
const (
	stateUniqueViolation   = "23505"
	stateForeignKey        = "23503"
	stateSerialization     = "40001"
	stateDeadlock          = "40P01"
	classConnection        = "08"
	classResources         = "53"
	classOperator          = "57" // shut down, cannot connect now, cancelled
	classBadData           = "22" // a value that its type can't hold
	stateProgramLimit      = "54000"
	stateIdleInTransaction = "25P03"
	classAuthorization     = "28" // unknown user, wrong password
	classCatalog           = "3D" // no such database
)

// sqlError is what remains of PostgreSQL's error: names of the schema, and no values. The server's own text quotes input.
type sqlError struct {
	State      string
	Table      string
	Constraint string
}

func (e sqlError) Error() string {
	text := "SQLSTATE " + e.State
	if e.Table != "" {
		text += " on table " + e.Table
	}
	if e.Constraint != "" {
		text += ", constraint " + e.Constraint
	}
	return text
}

// failure is the one way of a database error out of this package: faults stay faults, what is down becomes Unavailable, and nothing
// carries a value of a row.
func failure(op string, err error) error {
	var pgErr *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case isFault(err), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", op, err)
	case errors.As(err, &pgErr):
		return fmt.Errorf("%s: %w", op, translate(pgErr))
	case isConnectionLoss(err):
		return fmt.Errorf("%s: %w", op, fault.Wrap(fault.Unavailable, "database_unavailable", "The database can't be reached.", err))
	}
	return fmt.Errorf("%s: %w", op, err)
}

func isFault(err error) bool {
	_, ok := fault.As(err)
	return ok
}

func translate(e *pgconn.PgError) error {
	cause := sqlError{State: e.Code, Table: e.TableName, Constraint: e.ConstraintName}
	switch {
	case e.Code == stateUniqueViolation:
		return fault.Wrap(fault.Conflict, "conflict", "Something else of that kind is there already.", cause)
	case e.Code == stateSerialization, e.Code == stateDeadlock:
		return fault.Wrap(fault.Unavailable, "database_busy", "The database was too busy for this; try again.", cause)
	case strings.HasPrefix(e.Code, classConnection), strings.HasPrefix(e.Code, classResources), strings.HasPrefix(e.Code, classOperator),
		e.Code == stateIdleInTransaction:
		return fault.Wrap(fault.Unavailable, "database_unavailable", "The database can't be reached.", cause)
	case strings.HasPrefix(e.Code, classAuthorization), strings.HasPrefix(e.Code, classCatalog):
		return fault.Wrap(fault.Invalid, "database_refused", "The database is not there, or refuses this user and password.", cause)
	case strings.HasPrefix(e.Code, classBadData), e.Code == stateProgramLimit:
		return fault.Wrap(fault.Invalid, "bad_value", "A value is too large or has a form that can't be stored.", cause)
	}
	return cause
}

func isConnectionLoss(err error) bool {
	var connectErr *pgconn.ConnectError
	var netErr net.Error
	return errors.As(err, &connectErr) || errors.As(err, &netErr) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}

// worthRetrying tells whether the same transaction, run again, would find what stood in its way.
func worthRetrying(err error) bool {
	var e *pgconn.PgError
	if errors.Is(err, errMerged) {
		return true
	}
	if !errors.As(err, &e) {
		return false
	}
	companyGone := e.Code == stateForeignKey && e.ConstraintName == "contacts_company" // deleted just now: it is made anew
	return companyGone || e.Code == stateUniqueViolation || e.Code == stateSerialization || e.Code == stateDeadlock
}

// notFound makes a NotFound fault of "no rows", and passes the rest on.
func notFound(op, code, message string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%s: %w", op, fault.New(fault.NotFound, code, message))
	}
	return failure(op, err)
}

func contactNotFound(op string, err error) error {
	return notFound(op, "contact_not_found", "There is no such contact.", err)
}

func journeyNotFound(op string, err error) error {
	return notFound(op, "journey_not_found", "There is no such journey.", err)
}

func versionNotFound(op string, err error) error {
	return notFound(op, "version_not_found", "There is no such version.", err)
}

func messageNotFound(op string, err error) error {
	return notFound(op, "message_not_found", "There is no such message.", err)
}

func handoffNotFound(op string, err error) error {
	return notFound(op, "handoff_not_found", "There is no such handoff.", err)
}
