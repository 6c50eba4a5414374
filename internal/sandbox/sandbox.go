// Package sandbox opens SQLite databases that neither a statement nor a store's file can escape from. A
// file comes from outside: anybody may have written its views, triggers, generated columns and column
// lists.
//
//   - [Open] opens a database with bounded memory, and [Confine] confines an open database. SQLite's
//     authorizer refuses ATTACH, DETACH and every PRAGMA that changes something. The schema of a file
//     is not trusted: its views and triggers can call only functions and virtual tables that are marked
//     as innocuous.
//   - [Attach] is the only way to open another file.
//   - [Prepare] and [Exec] take exactly one statement. Text after it is an error.
//   - SQLite's temporary files are encrypted (tempfiles.go).
//   - SQLite panics if it has no memory left. [Catch] turns the panic into an error (memory.go), and
//     [Close] then releases the database.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// UsualMemory is how many bytes of memory a database may take, unless it is opened with another
// number.
const UsualMemory = 256 << 20

// Open opens a database in memory. memory is its limit in bytes, rounded up to 1 MiB; 0 means
// [UsualMemory].
//
//nolint:contextcheck,nolintlint // no context is needed here: a statement gets its context when it runs
func Open(memory int64) (*sqlite3.Conn, error) {
	memory = bound(memory)
	ctx := sqlite3.WithMaxMemory(context.Background(), memory) // it carries the memory and nothing else
	db, err := sqlite3.OpenContext(ctx, "file::memory:?"+FileSystem())
	if err != nil {
		return nil, err
	}
	if err := Confine(db, memory); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Confine confines a database that may take so many bytes of memory; 0: [UsualMemory].
func Confine(db *sqlite3.Conn, memory int64) error {
	memory = bound(memory)
	// SQLite's own limits come first: they are errors, and not panics.
	db.HardHeapLimit(heap(memory))
	db.Limit(sqlite3.LIMIT_LENGTH, int(LongestValue(memory)))
	for option, on := range map[sqlite3.DBConfig]bool{
		sqlite3.DBCONFIG_DEFENSIVE:      true,
		sqlite3.DBCONFIG_TRUSTED_SCHEMA: false,
	} {
		if _, err := db.Config(option, on); err != nil {
			return fmt.Errorf("confine SQLite: %w", err)
		}
	}
	return db.SetAuthorizer(authorize)
}

// harmless are the PRAGMAs that only read (also as table-valued functions, pragma_table_info), and the
// PRAGMA that limits the size of a file.
var harmless = map[string]bool{ //nolint:gochecknoglobals // a table of data
	"collation_list": true, "compile_options": true, "database_list": true, "foreign_key_list": true,
	"function_list": true, "index_info": true, "index_list": true, "index_xinfo": true,
	"integrity_check": true, "max_page_count": true, "module_list": true, "page_count": true, "pragma_list": true, "quick_check": true,
	"table_info": true, "table_list": true, "table_xinfo": true,
}

// authorize is SQLite's authorizer. SQLite asks it while it compiles a statement, once for each
// thing that the statement does, whatever view or trigger does it.
func authorize(action sqlite3.AuthorizerActionCode, third, _, _, _ string) sqlite3.AuthorizerReturnCode {
	switch action { //nolint:exhaustive // the default allows the others
	case sqlite3.AUTH_ATTACH, sqlite3.AUTH_DETACH:
		return sqlite3.AUTH_DENY
	case sqlite3.AUTH_PRAGMA:
		if !harmless[strings.ToLower(third)] {
			return sqlite3.AUTH_DENY
		}
	}
	return sqlite3.AUTH_OK
}

// Attach attaches another database to a database of [Open].
func Attach(db *sqlite3.Conn, uri, schema string) (err error) {
	if err := db.SetAuthorizer(nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.SetAuthorizer(authorize)) }()
	stmt, err := Prepare(db, "ATTACH ? AS "+sqlite3.QuoteIdentifier(schema))
	if err != nil {
		return err
	}
	return errors.Join(stmt.BindText(1, uri), stmt.Exec(), stmt.Close())
}

// ErrMore is the error of a text with more than one statement.
var ErrMore = errors.New("text behind the end of the statement")

// ErrNone is the error of a text without a statement.
var ErrNone = errors.New("there is no statement")

// Prepare compiles a text that is exactly one statement.
func Prepare(db *sqlite3.Conn, text string) (*sqlite3.Stmt, error) {
	// SQLite reads a text up to its first NUL.
	if strings.ContainsRune(text, 0) {
		return nil, ErrMore
	}
	stmt, tail, err := db.Prepare(text)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return nil, ErrNone
	case strings.TrimSpace(tail) != "":
		return nil, errors.Join(ErrMore, stmt.Close())
	}
	return stmt, nil
}

// Exec runs a text that is exactly one statement.
func Exec(db *sqlite3.Conn, text string) error {
	stmt, err := Prepare(db, text)
	if err != nil {
		return err
	}
	return errors.Join(stmt.Exec(), stmt.Close())
}
