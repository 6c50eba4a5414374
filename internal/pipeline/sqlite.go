package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	sqlitedriver "github.com/ncruces/go-sqlite3/driver"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/provider"
)

// sqliteDatabase is a file. One process at a time works on it, and others may read.
type sqliteDatabase struct {
	sqlConn

	path  string
	db    *sql.DB // one connection: SQLite has one writer
	lock  *sqlite3.Conn
	queue *riverQueue[*sql.Tx]
}

// openSQLite opens a file, and makes it if it does not exist.
func openSQLite(ctx context.Context, path string) (*sqliteDatabase, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, storeError(path, err)
	}
	if err := private(path); err != nil {
		return nil, storeError(path, err)
	}
	if err := makeBeside(path, indexSuffix); err != nil {
		return nil, storeError(path, err)
	}
	// The cache (64 MB, as it is needed) holds the indexes of a million rows, into which keys go in no order.
	db, err := openCached(sqliteURI(path, sandbox.FileSystem()+"&_pragma=busy_timeout(60000)&_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_pragma=cache_size(-64000)&_txlock=immediate"))
	if err != nil {
		return nil, storeError(path, err)
	}
	db.SetMaxOpenConns(1)
	s := &sqliteDatabase{sqlConn: sqlConn{db}, path: path, db: db}
	if s.queue, err = openSQLiteQueue(db); err == nil {
		err = s.queue.migrate(ctx)
	}
	if err != nil {
		s.close()
		return nil, storeError(path, err)
	}
	return s, nil
}

// private makes a file that only its owner can read, if it does not exist.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// makeBeside makes a file beside the store, with the mode of the store. SQLite would make it readable by
// everybody: the index of the write-ahead log has no parameter for its mode. A link is an error, because its
// target may belong to somebody else.
func makeBeside(path, suffix string) error {
	store, err := os.Stat(path)
	if err != nil {
		return err
	}
	beside := filepath.Clean(path) + suffix
	if there, err := os.Lstat(beside); err == nil && !there.Mode().IsRegular() {
		return provider.Usagef("%s is not a regular file", provider.Printable(beside)).
			Hintf("remove it: lakeql makes a file of that name beside its store")
	}
	if err := private(beside); err != nil {
		return err
	}
	return os.Chmod(beside, store.Mode().Perm())
}

// The files beside a store.
const (
	lockSuffix  = "-lock" // who holds it works on the store
	indexSuffix = "-shm"  // the index of SQLite's write-ahead log
)

// sqliteURI names a file for SQLite. The files beside it get its mode.
func sqliteURI(path, parameters string) string {
	path = filepath.Clean(path)
	if filepath.VolumeName(path) != "" {
		return "file:///" + filepath.ToSlash(path) + "?" + parameters
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?modeof=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20") + "&" + parameters
}

func (s *sqliteDatabase) dialect() *dialect { return &dialect{} }

// signs has no separate connection: nobody takes over the work of a process that works on a file.
func (s *sqliteDatabase) signs() conn { return s.sqlConn }

// own makes this process the only one that works on the file, until it ends in any way: the operating system
// holds a lock on a file beside it.
func (s *sqliteDatabase) own() error {
	if s.lock != nil {
		return nil
	}
	if err := makeBeside(s.path, lockSuffix); err != nil {
		return storeError(s.path, err)
	}
	lock, err := sqlite3.Open(sqliteURI(s.path+lockSuffix, "_pragma=busy_timeout(0)"))
	if err == nil {
		err = lock.Exec("BEGIN EXCLUSIVE")
	}
	if err == nil {
		s.lock = lock
		return nil
	}
	if lock != nil {
		_ = lock.Close() // the error at hand counts
	}
	if errors.Is(err, sqlite3.BUSY) {
		return provider.Usagef("another process works on the store %s", provider.Printable(s.path)).
			Hintf("wait for it, or keep the rows in PostgreSQL, on which many may work: --store postgres://…").
			Because(err)
	}
	return storeError(s.path, err)
}

func (s *sqliteDatabase) transact(ctx context.Context, f func(tx) error) error {
	t, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // after Commit there is nothing to take back
	c := sqlConn{t}
	if err := f(&sqliteTx{sqlConn: c, queueTx: s.queue.in(t, c), tx: t}); err != nil {
		return err
	}
	return t.Commit()
}

func (s *sqliteDatabase) work(ctx context.Context, w *queueWorker) (worker, error) {
	return s.queue.work(ctx, w)
}

func (s *sqliteDatabase) close() {
	_ = s.db.Close() // nothing is under way that could fail
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

// sqlConn runs statements by database/sql.
type sqlConn struct {
	db interface {
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
}

func (c sqlConn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	// A text that is prepared is one statement; the driver would run several without arguments.
	stmt, err := c.db.PrepareContext(ctx, query)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }() // it goes back to its connection
	done, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

func (c sqlConn) query(ctx context.Context, query string, args ...any) (resultRows, error) {
	rows, err := c.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return sqlRows{rows}, rows.Err()
}

// sqlRows are rows of database/sql. Err also reports their closing errors.
type sqlRows struct{ *sql.Rows }

// Close lets the rows go.
func (r sqlRows) Close() { _ = r.Rows.Close() }

type sqliteTx struct {
	sqlConn
	queueTx

	tx *sql.Tx
}

func (t *sqliteTx) insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	quoted, marks := make([]string, len(columns)), make([]string, len(columns))
	for i, name := range columns {
		quoted[i], marks[i] = quote(name), "?"
	}
	text := "INSERT INTO " + quote(table) + " (" + strings.Join(quoted, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")" //nolint:gosec // all names are quoted
	stmt, err := t.tx.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }() // it goes back to its connection
	for i, row := range rows {
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return &rowError{row: i, message: err.Error(), err: err}
		}
	}
	return nil
}

// openCached opens a database whose connections keep their prepared statements: SQLite needs more time to
// prepare a statement again than to run it.
func openCached(name string) (*sql.DB, error) {
	connector, err := (&sqlitedriver.SQLite{}).OpenConnector(name)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(cachingConnector{connector}), nil
}
