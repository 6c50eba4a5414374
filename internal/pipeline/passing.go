package pipeline

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
)

// passing reports whether an error of a database may be temporary: the connection broke, the server was not
// ready, it had no room, or two transactions were in conflict.
func passing(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return slices.Contains(passingClasses(), e.Code[:min(len(e.Code), 2)])
	}
	if e, ok := errors.AsType[*sqlite3.Error](err); ok {
		switch e.Code() {
		case sqlite3.BUSY, sqlite3.LOCKED, sqlite3.INTERRUPT, sqlite3.FULL, sqlite3.IOERR, sqlite3.NOMEM, sqlite3.CANTOPEN:
			return true
		default:
			return false
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok || pgconn.SafeToRetry(err) {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, driver.ErrBadConn, sql.ErrConnDone, context.Canceled, context.DeadlineExceeded, sql.ErrTxDone, pgx.ErrTxClosed, net.ErrClosed} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return strings.Contains(err.Error(), "conn closed") // pgconn's, which it does not export
}

// passingClasses are the first two characters of SQLSTATEs (PostgreSQL's manual, appendix A).
func passingClasses() []string {
	return []string{
		"08", // the connection
		"25", // a transaction that was ended for being idle; a server that only reads, after a failover
		"28", // the login: passwords are renewed
		"40", // a deadlock, a conflict
		"53", // no connections, memory or room left
		"55", // somebody holds a lock
		"57", // the server is stopped, or a person ended the session
		"58", // its disk
	}
}
