// Package localstore keeps tables and views of the user in SQLite: in a file, or in memory for those
// that end with the session.
//
//   - [Stores] finds tables and views, and makes them part of the programs that name them
//     ([Stores.Provide]). In a file that pipelines fill, it also provides <table>_at(time), the rows of
//     an earlier time.
//   - [Runner] checks the statements that make, change, refresh and drop tables and views. Each becomes
//     a [Work] that runs later.
//
// Every statement opens the databases again, so other processes may use the file at the same time. A
// store never holds credentials: a mask replaces them. A table is filled as a copy, which replaces the
// old table after the last row; if an answer has gaps, the copy is discarded.
package localstore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs/memdb"

	"github.com/lakeql/lakeql/internal/sandbox"
)

// Memory is the path of a store that ends with the session.
const Memory = ":memory:"

// Stores are the databases of one session: one in memory, and a second one if it is configured. Several
// goroutines may read them.
type Stores struct {
	all []Backend // in the order in which a name is looked up; the first one is in memory
	// gone holds what a dry run would have dropped, by schema and name in lower case.
	gone map[string]bool
}

const (
	// sessionSchema is the schema of the store in memory.
	sessionSchema = "session"
	// StoreSchema is the schema of the file, or of the backend in its place.
	StoreSchema = "store"
	// objectsTable lists the views of a store.
	objectsTable = "lakeql_objects"
	// ownPrefix is the beginning of the names that a store has for itself.
	ownPrefix = "lakeql_"
)

// memories counts the in-memory databases of the process, because their names must differ.
var memories atomic.Int64 //nolint:gochecknoglobals // SQLite's names are global as well

// New makes the stores of a session. path is that of the file, which need not exist; empty or
// [Memory]: there is no file. second, if not nil, takes the place of the file. SQLite may take sqlMemory
// bytes of memory for a statement; 0: 256 MiB.
func New(path string, second Backend, sqlMemory int64) *Stores {
	name := fmt.Sprintf("lakeql-%d", memories.Add(1))
	memdb.Create(name, nil)
	s := &Stores{all: []Backend{&store{schema: sessionSchema, memory: name, sqlMemory: sqlMemory}}, gone: map[string]bool{}}
	switch {
	case second != nil:
		s.all = append(s.all, second)
	case path != "" && path != Memory:
		s.all = append(s.all, &store{schema: StoreSchema, path: path, sqlMemory: sqlMemory})
	}
	return s
}

// SQLMemory sets how many bytes of memory SQLite may take for a statement.
func (s *Stores) SQLMemory(bytes int64) {
	for _, st := range s.all {
		if own, ok := st.(*store); ok {
			own.sqlMemory = bytes
		}
	}
}

// Close releases the database in memory.
func (s *Stores) Close() {
	for _, st := range s.all {
		if own, ok := st.(*store); ok && own.memory != "" {
			memdb.Delete(own.memory)
		}
	}
}

// Objects lists the tables and views of all stores, sorted by name in each store. If a store cannot be
// read, it lists the others and returns the first error.
func (s *Stores) Objects() ([]Object, error) {
	var all []Object
	var first error
	for _, st := range s.all {
		objects, err := s.objects(st)
		if err != nil && first == nil {
			first = err
		}
		all = append(all, objects...)
	}
	return all, first
}

// objects lists the tables and views of a store, without those that a dry run has dropped.
func (s *Stores) objects(st Backend) ([]Object, error) {
	all, err := st.Objects()
	return slices.DeleteFunc(all, func(o Object) bool { return s.gone[o.key()] }), err
}

// object returns the table or view with a name; nil if no store has it.
func (s *Stores) object(name string) (*Object, error) {
	for _, st := range s.all {
		all, err := s.objects(st)
		if err != nil {
			return nil, err
		}
		if o := find(all, name); o != nil {
			return o, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// Has reports whether a table or view has a name.
func (s *Stores) Has(name string) (bool, error) {
	o, err := s.object(name)
	return o != nil, err
}

// forNew returns the store that a new object belongs to.
func (s *Stores) forNew(temporary bool) Backend {
	if temporary {
		return s.all[0]
	}
	return s.all[len(s.all)-1]
}

// Version is a text that is another one once a table or view was made, changed or dropped.
func (s *Stores) Version() (string, error) {
	sum := sha256.New()
	for _, st := range s.all {
		if err := st.Version(sum); err != nil {
			return "", err
		}
		_, _ = io.WriteString(sum, "\x00"+st.Schema()+"\x00")
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Version implements [Backend].
func (st *store) Version(sum io.Writer) error {
	if there, err := st.exists(); !there || err != nil {
		return err
	}
	return st.use(func(db *sqlite3.Conn) error {
		ours, err := st.has(db, objectsTable)
		if err != nil {
			return err
		}
		query := "SELECT name, type, sql FROM " + st.schema + ".sqlite_schema"
		if ours {
			query += " UNION ALL SELECT name, kind, columns || definition || refreshed FROM " + st.schema + "." + objectsTable
		}
		return st.eachText(db, query+" ORDER BY 1, 2", func(text string) { _, _ = io.WriteString(sum, text+"\x00") }) // a hash takes everything
	})
}

// eachText visits every value of a query.
func (st *store) eachText(db *sqlite3.Conn, query string, visit func(text string)) error {
	stmt, err := sandbox.Prepare(db, query)
	if err != nil {
		return st.fault(err)
	}
	defer func() { _ = stmt.Close() }() // it returns the error of the last step again
	for stmt.Step() {
		for i := range stmt.ColumnCount() {
			visit(stmt.ColumnText(i))
		}
	}
	if err := stmt.Err(); err != nil {
		return st.fault(err)
	}
	return nil
}

// Schema is the name before the object's own: store for those in a file, session for those that end with the
// session.
func (o *Object) Schema() string { return o.Backend.Schema() }
