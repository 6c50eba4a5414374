package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// planCreate checks that a table or view can be made.
func (s *Session) planCreate(c *statement.Create) (*plan, error) {
	if err := freeName(c.Name); err != nil {
		return nil, err
	}
	target := s.forNew(c.Temp)
	all, err := target.objects()
	if err != nil {
		return nil, err
	}
	if exists, err := admits(all, c); err != nil {
		return nil, err
	} else if exists {
		return s.nothing(), nil
	}
	if c.As == nil {
		return s.planDefinition(c, s.writable(target))
	}
	env := s.env()
	p, err := vtab.Compile(env, c.As.Position, func(p *vtab.Program) (string, error) { return p.Rewrite(c.As) })
	if err != nil {
		return nil, err
	}
	columns, err := namedColumns(c, p.Columns)
	if err == nil && c.Kind == statement.View {
		err = s.checkView(c)
	}
	if err != nil {
		_ = p.Close() // the error at hand counts
		return nil, err
	}
	o := &object{store: s.writable(target), name: c.Name.Text, kind: c.Kind, definition: c.As.Text, columns: quotedList(c.Columns)}
	if c.Kind == statement.View {
		return s.planChange(o.store, func(db *sqlite3.Conn) error { return o.replaceView(db, c) }, p), nil
	}
	return s.planMaterialize(&filling{env: env, object: o, position: c.As.Position, as: c.As, columns: columns, admit: func(all []object) (bool, error) { return admits(all, c) }}, p), nil
}

// freeName checks that something may have the name.
func freeName(name statement.Ident) error {
	lower := strings.ToLower(name.Text)
	fault := ""
	switch {
	case strings.HasPrefix(lower, ownPrefix), strings.HasPrefix(lower, "sqlite_"):
		fault = "names that begin with lakeql_ or sqlite_ are taken"
	case strings.ContainsRune(lower, 0):
		fault = "a name cannot hold the character 0"
	default:
		return nil
	}
	return &provider.Error{Code: provider.Usage, Message: provider.Quote(name.Text) + ": " + fault, Position: name.Pos}
}

// admits checks that there is room for what a CREATE makes among the objects of its store, and reports
// whether it is there already and may be.
func admits(all []object, c *statement.Create) (exists bool, err error) {
	there := find(all, c.Name.Text)
	switch {
	case there == nil:
		return false, nil
	case c.IfNotExists && there.kind == c.Kind:
		return true, nil
	case c.OrReplace && there.kind == c.Kind:
		return false, nil
	}
	return false, &provider.Error{
		Code:     provider.Usage,
		Message:  fmt.Sprintf("there is a %s %s", strings.ToLower(string(there.kind)), provider.Printable(there.name)),
		Hint:     fmt.Sprintf("DROP %s %s before", there.kind, written(there.name)),
		Position: c.Name.Pos,
	}
}

// written gives a name as statements write it.
func written(name string) string {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return provider.Printable(sqlite3.QuoteIdentifier(name))
		}
	}
	return name
}

// namedColumns gives the columns of a query the names that a CREATE gives them. Those of a table have
// to differ.
func namedColumns(c *statement.Create, columns []provider.Column) ([]provider.Column, error) {
	if len(c.Columns) > 0 && len(c.Columns) != len(columns) {
		return nil, &provider.Error{
			Code:     provider.Usage,
			Message:  fmt.Sprintf("%d columns are named, and the query has %d", len(c.Columns), len(columns)),
			Position: c.Columns[0].Pos,
		}
	}
	for i, column := range c.Columns {
		if strings.ContainsRune(column.Text, 0) {
			return nil, freeName(column)
		}
		columns[i].Name = column.Text
	}
	if c.Kind == statement.View {
		return columns, nil // SQLite tells them apart
	}
	return columns, distinct(columns, c.As.Position)
}

// distinct checks that no two columns of a table have the same name.
func distinct(columns []provider.Column, pos provider.Position) error {
	seen := map[string]bool{}
	for _, column := range columns {
		name := strings.ToLower(column.Name)
		if seen[name] {
			return &provider.Error{
				Code:     provider.Usage,
				Message:  "two columns have the name " + provider.Quote(column.Name),
				Hint:     "name them apart with AS",
				Position: pos,
			}
		}
		seen[name] = true
	}
	return nil
}

// checkView makes a view in a database of its own and looks into it, so that SQLite finds what no view
// may do, such as naming itself.
func (s *Session) checkView(c *statement.Create) error {
	p, err := vtab.Compile(s.env(), c.As.Position, func(p *vtab.Program) (string, error) {
		err := p.CreateView(c.Name.Text, quotedList(c.Columns), c.As.Text)
		return "SELECT * FROM temp." + sqlite3.QuoteIdentifier(c.Name.Text), err
	})
	if err != nil {
		return provider.At(inView(c.Name.Text, err), c.As.Position)
	}
	return p.Close()
}

// planChange is the plan of a statement that changes a store and gives no rows. The program, if any,
// was compiled for its check.
func (s *Session) planChange(st *store, change func(db *sqlite3.Conn) error, checked *vtab.Program) *plan {
	discard := func() {
		if checked != nil {
			_ = checked.Close() // there is nothing in it
		}
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		discard()
		if s.DryRun {
			s.note("a dry run changes nothing")
		}
		return provider.NewRows(nil, nil), st.change(ctx, change)
	}
	return &plan{run: run, close: discard}
}

// nothing is the plan of a statement with nothing to do.
func (s *Session) nothing() *plan {
	return &plan{run: func(context.Context) (provider.Rows, error) { return provider.NewRows(nil, nil), nil }}
}

// planDefinition checks a CREATE TABLE with column definitions, by making the table in a database of
// its own.
func (s *Session) planDefinition(c *statement.Create, target *store) (*plan, error) {
	definition := func(schema string) string {
		return "CREATE TABLE " + schema + sqlite3.QuoteIdentifier(c.Name.Text) + " (" + c.Definition + "\n)"
	}
	scratch, err := sqlite3.Open(":memory:")
	if err != nil {
		return nil, &provider.Error{Code: provider.Internal, Message: "open SQLite", Err: err}
	}
	defer func() { _ = scratch.Close() }() // there is nothing in it
	if err := execOne(scratch, definition("")); err != nil {
		return nil, &provider.Error{Code: provider.Usage, Message: vtab.Message(err), Position: c.Position, Err: err}
	}
	return s.planChange(target, func(db *sqlite3.Conn) error {
		all, err := target.list(db)
		if err != nil {
			return err
		}
		if exists, err := admits(all, c); err != nil || exists {
			return err
		}
		if err := dropTable(db, target, c.Name.Text); err != nil {
			return err
		}
		if err := execOne(db, definition(target.schema+".")); err != nil {
			return target.fault(err)
		}
		return nil
	}, nil), nil
}

// execOne runs one statement and no other that may stand behind it.
func execOne(db *sqlite3.Conn, text string) error {
	stmt, tail, err := db.Prepare(text)
	if err != nil {
		return err
	}
	if strings.TrimSpace(tail) != "" {
		_ = stmt.Close() // it never ran
		return errors.New("text behind the end of the statement")
	}
	return errors.Join(stmt.Exec(), stmt.Close())
}

func quotedList(columns []statement.Ident) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = sqlite3.QuoteIdentifier(c.Text)
	}
	return strings.Join(names, ", ")
}

// replaceView makes a view, in place of the one that may be there.
func (o *object) replaceView(db *sqlite3.Conn, c *statement.Create) error {
	all, err := o.store.list(db)
	if err != nil {
		return err
	}
	if exists, err := admits(all, c); err != nil || exists {
		return err
	}
	if err := db.Exec("DROP VIEW IF EXISTS " + o.inStore()); err != nil { // one that SQLite has itself
		return o.store.fault(err)
	}
	return o.keep(db)
}

// inStore names the object with its store, for SQLite.
func (o *object) inStore() string { return o.store.schema + "." + sqlite3.QuoteIdentifier(o.name) }

func dropTable(db *sqlite3.Conn, st *store, name string) error {
	if err := db.Exec("DROP TABLE IF EXISTS " + st.schema + "." + sqlite3.QuoteIdentifier(name)); err != nil {
		return st.fault(err)
	}
	return nil
}

// keep enters the object into the list of its store.
func (o *object) keep(db *sqlite3.Conn) error {
	stmt, _, err := db.Prepare("INSERT OR REPLACE INTO " + o.store.schema + "." + objectsTable + " VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return o.store.fault(err)
	}
	for i, text := range []string{o.name, string(o.kind), o.definition, o.columns, o.refreshed} {
		err = errors.Join(err, stmt.BindText(i+1, text))
	}
	if err := errors.Join(err, stmt.Exec(), stmt.Close()); err != nil {
		return o.store.fault(err)
	}
	return nil
}
