package localstore

import (
	"context"
	"errors"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Object is a table or view of a store.
type Object struct {
	Name       string
	Kind       statement.ObjectKind
	Definition string // of a view: the text of its query
	Refreshed  string // of a materialized view: when, as ISO 8601

	Columns []string // of a view: the names given to its columns; empty: the query's
	Backend Backend
}

// key identifies the object among those of a session.
func (o *Object) key() string { return o.Backend.Schema() + "." + strings.ToLower(o.Name) }

// Objects implements [Backend].
func (st *store) Objects() ([]Object, error) {
	if ok, err := st.exists(); !ok || err != nil {
		return nil, err
	}
	var found []Object
	err := st.use(func(db *sqlite3.Conn) error {
		var err error
		found, err = st.list(db)
		return err
	})
	return found, err
}

// list is Objects for a database that has the store.
func (st *store) list(db *sqlite3.Conn) ([]Object, error) {
	query := "SELECT name, upper(type), '', '', '' FROM " + st.schema + ".sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'lakeql\\_%' ESCAPE '\\'" +
		// The queue of pipelines, where they fill the store.
		" AND NOT (name LIKE 'river\\_%' ESCAPE '\\' AND EXISTS (SELECT 1 FROM " + st.schema + ".sqlite_schema WHERE name = '" + pipelineTables + "'))"
	ours, err := st.has(db, objectsTable)
	if err != nil {
		return nil, err
	}
	if ours {
		query = "SELECT name, kind, definition, columns, refreshed FROM " + st.schema + "." + objectsTable +
			" UNION ALL " + query + " AND name COLLATE NOCASE NOT IN (SELECT name FROM " + st.schema + "." + objectsTable + ")"
	}
	stmt, err := sandbox.Prepare(db, query+" ORDER BY 1 COLLATE NOCASE")
	if err != nil {
		return nil, st.fault(err)
	}
	defer func() { _ = stmt.Close() }() // it returns the error of the last step again
	var all []Object
	for stmt.Step() {
		o := Object{
			Backend: st, Name: stmt.ColumnText(0), Kind: statement.ObjectKind(stmt.ColumnText(1)),
			Definition: stmt.ColumnText(2), Refreshed: stmt.ColumnText(4),
		}
		if err := o.check(st, stmt.ColumnText(3)); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	if err := stmt.Err(); err != nil {
		return nil, st.fault(err)
	}
	return all, nil
}

// check validates the store's description of the object, and reads its list of columns. A store's file
// may hold anything.
func (o *Object) check(st *store, columns string) error {
	switch {
	case strings.ContainsRune(o.Name, 0):
		return st.damaged("the name %s holds the character 0", provider.Quote(o.Name))
	case o.Kind != statement.TableObject && o.Kind != statement.View && o.Kind != statement.MaterializedView:
		return st.damaged("%s is a %s, and there are tables, views and materialized views", provider.Quote(o.Name), provider.Quote(string(o.Kind)))
	}
	var ok bool
	if o.Columns, ok = unquoteList(columns); !ok {
		return st.damaged("the columns of the view %s are not a list of names: %s", provider.Quote(o.Name), provider.Quote(columns))
	}
	return nil
}

// quoteList writes names as a store keeps them: "a", "b".
func quoteList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = sqlite3.QuoteIdentifier(name)
	}
	return strings.Join(quoted, ", ")
}

// unquoteList reads the output of quoteList. ok reports whether the text has that form.
func unquoteList(text string) (names []string, ok bool) {
	for rest := text; rest != ""; {
		var name strings.Builder
		if rest, ok = strings.CutPrefix(rest, `"`); !ok {
			return nil, false
		}
		for {
			part, behind, closed := strings.Cut(rest, `"`)
			if !closed {
				return nil, false
			}
			name.WriteString(part)
			if rest, ok = strings.CutPrefix(behind, `"`); !ok {
				break
			}
			name.WriteByte('"')
		}
		if strings.ContainsRune(name.String(), 0) {
			return nil, false
		}
		names = append(names, name.String())
		if rest == "" {
			break
		}
		if rest, ok = strings.CutPrefix(rest, ", "); !ok || rest == "" {
			return nil, false
		}
	}
	return names, true
}

// find returns the object with a name; nil if no object has it. Of several that differ by case, it
// returns the one with exactly the name.
func find(all []Object, name string) *Object {
	var alike *Object
	for i := range all {
		switch {
		case all[i].Name == name:
			return &all[i]
		case alike == nil && strings.EqualFold(all[i].Name, name):
			alike = &all[i]
		}
	}
	return alike
}

// named names a table with the store, for SQLite.
func (st *store) named(table string) string { return st.schema + "." + sqlite3.QuoteIdentifier(table) }

// keep writes the object into the list of its store.
func (st *store) keep(db *sqlite3.Conn, o *Object) error {
	stmt, err := sandbox.Prepare(db, "INSERT OR REPLACE INTO "+st.schema+"."+objectsTable+" VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return st.fault(err)
	}
	for i, text := range []string{o.Name, string(o.Kind), o.Definition, quoteList(o.Columns), o.Refreshed} {
		err = errors.Join(err, stmt.BindText(i+1, text))
	}
	if err := errors.Join(err, stmt.Exec(), stmt.Close()); err != nil {
		return st.fault(err)
	}
	return nil
}

// Drop implements [Backend].
func (st *store) Drop(ctx context.Context, o *Object) error {
	return st.change(ctx, func(db *sqlite3.Conn) error { return st.drop(db, o) })
}

func (st *store) drop(db *sqlite3.Conn, o *Object) error {
	stmt, err := sandbox.Prepare(db, "DELETE FROM "+st.schema+"."+objectsTable+" WHERE name = ?")
	if err != nil {
		return st.fault(err)
	}
	if err := errors.Join(stmt.BindText(1, o.Name), stmt.Exec(), stmt.Close()); err != nil {
		return st.fault(err)
	}
	if o.Kind != statement.View {
		return st.dropTable(db, o.Name)
	}
	if err := sandbox.Exec(db, "DROP VIEW IF EXISTS "+st.named(o.Name)); err != nil { // one that SQLite has itself
		return st.fault(err)
	}
	return nil
}

func (st *store) dropTable(db *sqlite3.Conn, name string) error {
	if err := sandbox.Exec(db, "DROP TABLE IF EXISTS "+st.named(name)); err != nil {
		return st.fault(err)
	}
	return nil
}

// noObject is the error that no table or view has the name.
func noObject(kind statement.ObjectKind, name statement.Ident) error {
	return provider.Errorf(provider.Unknown, "there is no %s %s", strings.ToLower(string(kind)), provider.Quote(name.Text)).
		At(name.Pos).
		Hintf("see SHOW TABLES, SHOW VIEWS, SHOW MATERIALIZED VIEWS")
}

// otherKind is the error that something is of another kind than the statement says.
func otherKind(o *Object, kind statement.ObjectKind, pos provider.Position) error {
	return provider.Usagef("%s is a %s", provider.Printable(o.Name), strings.ToLower(string(o.Kind))).
		At(pos).
		Hintf("write %s instead of %s", string(o.Kind), string(kind))
}

// written returns a name as statements write it.
func written(name string) string {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return provider.Printable(sqlite3.QuoteIdentifier(name))
		}
	}
	return name
}

// isQuery reports whether the object is a view that its store keeps as a text, and SQLite does not
// know.
func (o *Object) isQuery() bool { return o.Kind == statement.View && o.Definition != "" }
