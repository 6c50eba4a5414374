package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs/memdb"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// MemoryStore is the path of a store that ends with the session.
const MemoryStore = ":memory:"

// stores are the SQLite databases that keep tables and views: a file, and one in memory for what ends
// with the session. They are opened anew for each statement that needs them, so that other processes
// may use the file as well. The zero value is empty.
type stores struct {
	once sync.Once
	all  []*store // the one that is looked into first first
}

// store is one of them.
type store struct {
	schema string          // what it is attached as
	path   string          // of the file; empty: it is in memory
	memory string          // the name of one in memory
	gone   map[string]bool // what a dry run would have dropped, in lower case
}

// object is a table or view of a store.
type object struct {
	store      *store
	name       string
	kind       statement.ObjectKind
	definition string // of a view: its query, as it was written
	columns    string // of a view: the names it was given, as SQLite reads them; empty: the query's
	refreshed  string // of a materialized view: when, as ISO 8601 has it
}

const (
	// sessionSchema is what the store is attached as that ends with the session.
	sessionSchema = "session"
	// objectsTable lists the views of a store.
	objectsTable = "lakeql_objects"
	// ownPrefix begins the names that a store has for itself.
	ownPrefix = "lakeql_"
)

// memories counts the databases in memory of a process, whose names have to differ.
var memories atomic.Int64 //nolint:gochecknoglobals // SQLite's names are global as well

// open lists the stores of a session.
func (s *Session) open() []*store {
	s.stores.once.Do(func() {
		name := fmt.Sprintf("lakeql-%d", memories.Add(1))
		memdb.Create(name, nil)
		temporary := &store{schema: sessionSchema, memory: name}
		s.stores.all = []*store{temporary}
		if s.StorePath != "" && s.StorePath != MemoryStore {
			s.stores.all = append(s.stores.all, &store{schema: "store", path: s.StorePath, gone: map[string]bool{}})
		}
	})
	return s.stores.all
}

// Close lets go what the session keeps in memory.
func (s *Session) Close() {
	for _, st := range s.stores.all {
		if st.memory != "" {
			memdb.Delete(st.memory)
		}
	}
}

// forNew gives the store that a new object belongs to.
func (s *Session) forNew(temporary bool) *store {
	all := s.open()
	if temporary {
		return all[0]
	}
	return all[len(all)-1]
}

// writable gives the store that a change of another one goes to: a dry run changes nothing that outlives
// it.
func (s *Session) writable(st *store) *store {
	if s.DryRun {
		return s.open()[0]
	}
	return st
}

// exists reports whether anything was ever put into the store.
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

// create makes the file if there is none, readable by its owner alone.
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

// attach makes the store part of a database. A file that may not be written is read.
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
	stmt, _, err := db.Prepare("ATTACH ? AS " + st.schema)
	if err != nil {
		return err
	}
	return errors.Join(stmt.BindText(1, st.uri(mode)), stmt.Exec(), stmt.Close())
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

// fault words an error of the store.
func (st *store) fault(err error) error {
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e
	}
	where := st.path
	if st.memory != "" {
		where = MemoryStore
	}
	e := &provider.Error{
		Code:    provider.Usage,
		Message: "the store " + provider.Printable(where) + ": " + vtab.Message(err),
		Hint:    "name another file with --store",
		Err:     err,
	}
	switch {
	case errors.Is(err, sqlite3.INTERRUPT):
		return &provider.Error{Code: provider.Canceled, Message: "canceled", Err: err}
	case errors.Is(err, sqlite3.BUSY):
		e.Message, e.Hint = "the store "+provider.Printable(where)+" is in use", "try again when the process that writes to it is done"
	case errors.Is(err, sqlite3.ERROR), errors.Is(err, sqlite3.CONSTRAINT):
		e.Message, e.Hint = vtab.Message(err), "" // what the statement wants cannot be
	}
	return e
}

// use runs a function over a database of its own that has the store.
func (st *store) use(f func(db *sqlite3.Conn) error) error {
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		return st.fault(err)
	}
	err = st.attach(db)
	if err == nil {
		err = f(db)
	}
	return errors.Join(err, db.Close())
}

// change is use for what writes, all of it or nothing.
func (st *store) change(ctx context.Context, f func(db *sqlite3.Conn) error) error {
	if err := st.create(); err != nil {
		return err
	}
	return st.use(func(db *sqlite3.Conn) error {
		db.SetInterrupt(ctx)
		return st.transact(db, f)
	})
}

// transact runs a function in a transaction of a database that has the store.
func (st *store) transact(db *sqlite3.Conn, f func(db *sqlite3.Conn) error) error {
	tx, err := db.BeginImmediate()
	if err != nil {
		return st.fault(err)
	}
	if err := db.Exec("CREATE TABLE IF NOT EXISTS " + st.schema + "." + objectsTable +
		" (name TEXT PRIMARY KEY COLLATE NOCASE, kind TEXT NOT NULL, definition TEXT NOT NULL, columns TEXT NOT NULL, refreshed TEXT NOT NULL)"); err != nil {
		return errors.Join(st.fault(err), tx.Rollback())
	}
	if err := f(db); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(st.fault(err), tx.Rollback())
	}
	return nil
}

// objects lists what the store has, in order of name.
func (st *store) objects() ([]object, error) {
	if ok, err := st.exists(); !ok || err != nil {
		return nil, err
	}
	var found []object
	err := st.use(func(db *sqlite3.Conn) error {
		var err error
		found, err = st.list(db)
		return err
	})
	return found, err
}

// list is objects for a database that has the store.
func (st *store) list(db *sqlite3.Conn) ([]object, error) {
	query := "SELECT name, upper(type), '', '', '' FROM " + st.schema + ".sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'lakeql\\_%' ESCAPE '\\'" +
		// The queue of pipelines, where they fill the store.
		" AND NOT (name LIKE 'river\\_%' ESCAPE '\\' AND EXISTS (SELECT 1 FROM " + st.schema + ".sqlite_schema WHERE name = '" + pipelineTables + "'))"
	if ours, _, err := db.Prepare("SELECT 1 FROM " + st.schema + "." + objectsTable); err == nil {
		_ = ours.Close() // it never ran
		query = "SELECT name, kind, definition, columns, refreshed FROM " + st.schema + "." + objectsTable +
			" UNION ALL " + query + " AND name COLLATE NOCASE NOT IN (SELECT name FROM " + st.schema + "." + objectsTable + ")"
	}
	stmt, _, err := db.Prepare(query + " ORDER BY 1 COLLATE NOCASE")
	if err != nil {
		return nil, st.fault(err)
	}
	var all []object
	for stmt.Step() {
		if st.gone[strings.ToLower(stmt.ColumnText(0))] {
			continue
		}
		all = append(all, object{
			store: st, name: stmt.ColumnText(0), kind: statement.ObjectKind(stmt.ColumnText(1)),
			definition: stmt.ColumnText(2), columns: stmt.ColumnText(3), refreshed: stmt.ColumnText(4),
		})
	}
	if err := stmt.Close(); err != nil {
		return nil, st.fault(err)
	}
	return all, nil
}

// find gives the object of a name among others, whatever the case; nil where there is none.
func find(all []object, name string) *object {
	for i := range all {
		if strings.EqualFold(all[i].name, name) {
			return &all[i]
		}
	}
	return nil
}

// object finds a table or view by its name; nil where there is none.
func (s *Session) object(name string) (*object, error) {
	for _, st := range s.open() {
		all, err := st.objects()
		if err != nil {
			return nil, err
		}
		if o := find(all, name); o != nil {
			return o, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}
