// Package catalogtest checks SQL against a catalogue without calls: each resource is an empty table of an
// SQLite database in memory, and SQLite itself checks the syntax of a statement and every name in it. It
// is for tests.
//
// A resource's table has the columns of SELECT. Further columns stand for all other names that a
// statement may use: parameters, attributes of request bodies, and the columns of RETURNING. The package
// does not check which of them a method requires.
package catalogtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// DB holds the tables of a catalogue's resources. They are made when a statement first names them.
// A DB is for one goroutine.
type DB struct {
	cat    *provider.Catalogue
	conn   *sqlite3.Conn
	tables map[string]bool // by the resource's full name; false while a view is being made
}

// Open makes an empty database for a catalogue. Who opens it closes it.
func Open(cat *provider.Catalogue) (*DB, error) {
	conn, err := sqlite3.Open(":memory:")
	if err != nil {
		return nil, fmt.Errorf("open a database: %w", err)
	}
	db := &DB{cat: cat, conn: conn, tables: map[string]bool{}}
	// Without this a mistyped "column" is a text, and no error.
	for _, option := range []sqlite3.DBConfig{sqlite3.DBCONFIG_DQS_DML, sqlite3.DBCONFIG_DQS_DDL} {
		if _, err := conn.Config(option, false); err != nil {
			return nil, errors.Join(fmt.Errorf("set an option of the database: %w", err), conn.Close())
		}
	}
	if err := vtab.AddFunctions(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return db, nil
}

// Close frees the database.
func (db *DB) Close() error { return db.conn.Close() }

// Prepare checks the statements of a text, which are separated by semicolons, and returns the first
// error. Resources are named provider.service.resource. Later statements of the text know the objects
// that earlier ones create; Prepare removes these objects at the end. It checks the whole body of a new
// view, which SQLite itself does only when the view is used.
func (db *DB) Prepare(statement string) error {
	rewritten, err := db.rewrite(statement)
	if err != nil {
		return err
	}
	if err := db.conn.Exec("SAVEPOINT prepare"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return errors.Join(db.prepareAll(rewritten), db.conn.Exec("ROLLBACK TO prepare; RELEASE prepare"))
}

func (db *DB) prepareAll(text string) error {
	for text != "" {
		stmt, tail, err := db.conn.Prepare(text)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, strings.TrimSpace(text))
		}
		if stmt != nil {
			if changesSchema(stmt.SQL()) {
				err = stmt.Exec()
			}
			if err := errors.Join(err, stmt.Close()); err != nil {
				return fmt.Errorf("create: %w\n%s", err, strings.TrimSpace(text))
			}
			if err := db.checkViews(); err != nil {
				return fmt.Errorf("%w\n%s", err, strings.TrimSpace(text))
			}
		}
		text = tail
	}
	return nil
}

// checkViews prepares a query of every view that is no resource.
func (db *DB) checkViews() error {
	list, _, err := db.conn.Prepare("SELECT name FROM sqlite_schema WHERE type = 'view' UNION SELECT name FROM sqlite_temp_schema WHERE type = 'view'")
	if err != nil {
		return err
	}
	var views []string
	for list.Step() {
		if name := list.ColumnText(0); !db.tables[name] {
			views = append(views, name)
		}
	}
	if err := list.Close(); err != nil {
		return err
	}
	for _, view := range views {
		stmt, _, err := db.conn.Prepare("SELECT * FROM " + sqlite3.QuoteIdentifier(view))
		if err != nil {
			return err
		}
		if err := stmt.Close(); err != nil {
			return err
		}
	}
	return nil
}

// table makes the table or view of a resource if it does not exist yet, and returns its name.
func (db *DB) table(providerName, service, resource string) (string, error) {
	r, err := db.cat.Resource(providerName, service, resource)
	if err != nil {
		if hint := provider.HintOf(err); hint != "" {
			err = fmt.Errorf("%w: %s", err, hint)
		}
		return "", err
	}
	name := r.FullName()
	if made, known := db.tables[name]; known {
		if !made {
			return "", fmt.Errorf("view %s is made of itself", name)
		}
		return name, nil
	}
	db.tables[name] = false
	create, err := db.definition(r)
	if err == nil {
		err = db.conn.Exec(create)
	}
	if err != nil {
		delete(db.tables, name)
		return "", fmt.Errorf("table %s: %w", name, err)
	}
	db.tables[name] = true
	return name, nil
}

// definition returns the statement that makes a resource's table or view.
func (db *DB) definition(r *provider.Resource) (string, error) {
	if r.View != nil {
		i := slices.IndexFunc(r.View.Definitions, func(d provider.ViewDefinition) bool {
			return d.Dialect == "" || strings.HasPrefix(strings.ToLower(d.Dialect), "sqlite")
		})
		if i < 0 {
			return "", errors.New("the view has no definition for SQLite")
		}
		query, err := db.rewrite(r.View.Definitions[i].SQL)
		return "CREATE VIEW " + sqlite3.QuoteIdentifier(r.FullName()) + " AS " + query, err
	}
	columns, err := Columns(db.cat, r)
	if err != nil {
		return "", err
	}
	if len(columns) == 0 {
		columns = []string{"?"} // a table has to have one
	}
	for i, column := range columns {
		columns[i] = sqlite3.QuoteIdentifier(column)
	}
	return "CREATE TABLE " + sqlite3.QuoteIdentifier(r.FullName()) + " (" + strings.Join(columns, ", ") + ")", nil
}
