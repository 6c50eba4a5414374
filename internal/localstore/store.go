package localstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// store is one database.
type store struct {
	schema string // its schema in a program's database
	path   string // of the file; empty: it is in memory
	memory string // the name of one in memory
	// sqlMemory is how many bytes SQLite may take; 0: the usual number.
	sqlMemory int64
}

// Native implements [Backend].
func (*store) Native() bool { return true }

// Schema implements [Backend].
func (st *store) Schema() string { return st.schema }

// Check implements [Backend]: SQLite takes any name.
func (*store) Check(string, []provider.Column) error { return nil }

// CheckDefinition implements [Backend]: SQLite has read it.
func (*store) CheckDefinition(*statement.Create) error { return nil }

// exists reports whether the store was ever written.
func (st *store) exists() (bool, error) {
	if st.memory != "" {
		return true, nil
	}
	_, err := os.Stat(st.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, st.fault(err)
	}
	return true, nil
}

// create makes the file if it does not exist, readable only by its owner.
func (st *store) create() error {
	if there, err := st.exists(); there || err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(st.path), 0o700); err != nil {
		return st.fault(err)
	}
	f, err := os.OpenFile(st.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return st.fault(err)
	}
	if err := f.Close(); err != nil {
		return st.fault(err)
	}
	return nil
}

// busyTimeout is how long a statement waits for another process that writes to the store.
const busyTimeout = time.Minute

// attach makes the store part of a database, read-only if the file may not be written.
func (st *store) attach(db *sqlite3.Conn) error {
	if err := db.BusyTimeout(busyTimeout); err != nil {
		return st.fault(err)
	}
	err := st.attachAs(db, "rw")
	if err != nil && st.memory == "" && st.attachAs(db, "ro") == nil {
		return nil
	}
	if err != nil {
		return st.fault(err)
	}
	return nil
}

func (st *store) attachAs(db *sqlite3.Conn, mode string) error {
	return sandbox.Attach(db, st.uri(mode), st.schema)
}

// has reports whether the store has a table with the name. If the name belongs to another object, such
// as a view, it returns an error: lakeql reads its own data only from rows, never from values that a
// file's schema computes.
func (st *store) has(db *sqlite3.Conn, table string) (bool, error) {
	stmt, err := sandbox.Prepare(db, "SELECT type = 'table' AND rootpage > 0 FROM "+st.schema+".sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE")
	if err != nil {
		return false, st.fault(err)
	}
	there, real := false, true
	err = stmt.BindText(1, table)
	for err == nil && stmt.Step() {
		there, real = true, real && stmt.ColumnBool(0)
	}
	if err := errors.Join(err, stmt.Close()); err != nil {
		return false, st.fault(err)
	}
	if !real {
		return false, st.damaged("%s is not a table", table)
	}
	return there, nil
}

// damaged is the error for a store with content that lakeql has not written.
func (st *store) damaged(format string, args ...any) *provider.Error {
	return provider.Usagef("the store %s is damaged, or something else has written to it: %s", provider.Printable(st.place()), provider.Printable(fmt.Sprintf(format, args...))).
		Hintf("repair it with sqlite3, or name another file with --store")
}

// place is where the store is, for a person.
func (st *store) place() string {
	if st.memory != "" {
		return Memory
	}
	return st.path
}

// uri names the database for SQLite. The journal beside a file gets the file's mode.
func (st *store) uri(mode string) string {
	if st.memory != "" {
		return "file:/" + st.memory + "?vfs=memdb"
	}
	if filepath.VolumeName(st.path) != "" {
		return st.path // Windows has no such modes
	}
	path := filepath.Clean(st.path)
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=" + mode + "&modeof=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
}

// fault is the error to report for one of the store.
func (st *store) fault(err error) error {
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e
	}
	where := st.place()
	e := provider.Usagef("the store %s: %s", provider.Printable(where), vtab.Message(err)).
		Hintf("name another file with --store").
		Because(err)
	switch {
	case errors.Is(err, sqlite3.TOOBIG):
		return sandbox.TooLong(st.sqlMemory)
	case errors.Is(err, sqlite3.INTERRUPT):
		return provider.Errorf(provider.Canceled, "canceled: the store is as it was").Because(err)
	case errors.Is(err, sqlite3.BUSY):
		e.Message, e.Hint = "the store "+provider.Printable(where)+" is in use", "try again when the process that writes to it is done"
	case errors.Is(err, sqlite3.ERROR), errors.Is(err, sqlite3.CONSTRAINT):
		e.Message, e.Hint = vtab.Message(err), "" // what the statement wants cannot be
	}
	return e
}

// use runs a function over a new database that the store is part of.
func (st *store) use(f func(db *sqlite3.Conn) error) error {
	db, err := sandbox.Open(st.sqlMemory)
	if err != nil {
		return st.fault(err)
	}
	err = sandbox.Catch(st.sqlMemory, func() error {
		if err := st.attach(db); err != nil {
			return err
		}
		return f(db)
	})
	return errors.Join(err, sandbox.Close(db))
}

// change is use for a function that writes, in one transaction.
func (st *store) change(ctx context.Context, f func(db *sqlite3.Conn) error) error {
	if err := st.create(); err != nil {
		return err
	}
	return st.use(func(db *sqlite3.Conn) error {
		db.SetInterrupt(ctx)
		return st.transact(db, f)
	})
}

// Begin implements [Backend].
func (st *store) Begin(_ context.Context, p *vtab.Program) (Transaction, error) {
	tx, err := p.DB.BeginImmediate()
	if err != nil {
		return nil, st.fault(err)
	}
	return &transaction{tx, st}, nil
}

// transaction is one of SQLite.
type transaction struct {
	tx    sqlite3.Txn
	store *store
}

// Commit implements [Transaction].
func (t *transaction) Commit() error {
	if err := sandbox.Catch(t.store.sqlMemory, t.tx.Commit); err != nil {
		return t.store.fault(err)
	}
	return nil
}

// Rollback implements [Transaction].
func (t *transaction) Rollback() error { return sandbox.Catch(t.store.sqlMemory, t.tx.Rollback) }

// transact runs a function in a transaction of a database that the store is part of.
func (st *store) transact(db *sqlite3.Conn, f func(db *sqlite3.Conn) error) error {
	tx, err := db.BeginImmediate()
	if err != nil {
		return st.fault(err)
	}
	if err := sandbox.Exec(db, "CREATE TABLE IF NOT EXISTS "+st.schema+"."+objectsTable+
		" (name TEXT PRIMARY KEY COLLATE NOCASE, kind TEXT NOT NULL, definition TEXT NOT NULL, columns TEXT NOT NULL, refreshed TEXT NOT NULL)"); err != nil {
		return errors.Join(st.fault(err), tx.Rollback())
	}
	if err := sandbox.Catch(st.sqlMemory, func() error { return f(db) }); err != nil {
		return errors.Join(err, sandbox.Catch(st.sqlMemory, tx.Rollback))
	}
	if err := sandbox.Catch(st.sqlMemory, tx.Commit); err != nil {
		return errors.Join(st.fault(err), sandbox.Catch(st.sqlMemory, tx.Rollback))
	}
	return nil
}
