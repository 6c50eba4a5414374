package localstore

import (
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Create checks that a table or view can be made.
func (r *Runner) Create(c *statement.Create) (*Work, error) {
	if err := freeName(c.Name); err != nil {
		return nil, err
	}
	target := r.Stores.forNew(c.Temp)
	all, err := target.objects()
	if err != nil {
		return nil, err
	}
	if exists, err := admits(all, c); err != nil {
		return nil, err
	} else if exists {
		return nothing(), nil
	}
	if c.As == nil {
		return r.define(c, r.writable(target))
	}
	p, err := vtab.Compile(r.Env, c.As.Position, func(p *vtab.Program) (string, error) { return p.Rewrite(c.As) })
	if err != nil {
		return nil, err
	}
	columns, err := namedColumns(c, p.Columns)
	switch {
	case err != nil:
	case c.Kind == statement.View:
		err = r.checkView(c)
	default:
		err = p.CheckKept()
	}
	if err != nil {
		_ = p.Close() // the error at hand counts
		return nil, err
	}
	o := &Object{store: r.writable(target), Name: c.Name.Text, Kind: c.Kind, Definition: c.As.Written(), columns: texts(c.Columns)}
	if c.Kind == statement.View {
		return r.change(o.store, func(db *sqlite3.Conn) error { return o.replaceView(db, c) }, p), nil
	}
	return r.materialize(&filling{object: o, position: c.As.Position, as: c.As, columns: columns, admit: func(all []Object) (bool, error) { return admits(all, c) }}, p), nil
}

// freeName checks that a table or view may have the name.
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
	return provider.Usagef("%s: %s", provider.Quote(name.Text), fault).At(name.Pos)
}

// admits checks a CREATE against the objects of its store. exists reports that the object is there
// and stays as it is.
func admits(all []Object, c *statement.Create) (exists bool, err error) {
	there := find(all, c.Name.Text)
	switch {
	case there == nil:
		return false, nil
	case c.IfNotExists && there.Kind == c.Kind:
		return true, nil
	case c.OrReplace && there.Kind == c.Kind:
		return false, nil
	}
	return false, provider.Usagef("there is a %s %s", strings.ToLower(string(there.Kind)), provider.Printable(there.Name)).
		At(c.Name.Pos).
		Hintf("DROP %s %s before", there.Kind, written(there.Name))
}

// namedColumns renames the columns of a query as a CREATE names them. The columns of a table must
// differ.
func namedColumns(c *statement.Create, columns []provider.Column) ([]provider.Column, error) {
	if len(c.Columns) > 0 && len(c.Columns) != len(columns) {
		return nil, provider.Usagef("%d columns are named, and the query has %d", len(c.Columns), len(columns)).
			At(c.Columns[0].Pos)
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
			return provider.Usagef("two columns have the name %s", provider.Quote(column.Name)).
				At(pos).
				Hintf("name them apart with AS")
		}
		seen[name] = true
	}
	return nil
}

// checkView makes a view in another database and reads it, so that SQLite finds faults such as a
// view that names itself.
func (r *Runner) checkView(c *statement.Create) error {
	p, err := vtab.Compile(r.Env, c.As.Position, func(p *vtab.Program) (string, error) {
		err := p.CreateView(c.Name.Text, texts(c.Columns), c.As.Written())
		return "SELECT * FROM temp." + sqlite3.QuoteIdentifier(c.Name.Text), err
	})
	if err != nil {
		return provider.At(inView(c.Name.Text, err), c.As.Position)
	}
	return p.Close()
}

// define checks a CREATE TABLE with column definitions, by making the table in another database.
func (r *Runner) define(c *statement.Create, target *store) (*Work, error) {
	definition := func(schema string) string {
		return "CREATE TABLE " + schema + sqlite3.QuoteIdentifier(c.Name.Text) + " (" + c.Definition + "\n)"
	}
	scratch, err := sandbox.Open(r.Env.SQLMemory)
	if err != nil {
		return nil, provider.Internalf("open SQLite").Because(err)
	}
	defer func() { _ = sandbox.Close(scratch) }() // there is nothing in it
	if err := sandbox.Catch(r.Env.SQLMemory, func() error { return sandbox.Exec(scratch, definition("")) }); err != nil {
		return nil, provider.Usagef("%s", vtab.Message(err)).At(c.Position).Because(err)
	}
	return r.change(target, func(db *sqlite3.Conn) error {
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
		if err := sandbox.Exec(db, definition(target.schema+".")); err != nil {
			return target.fault(err)
		}
		return nil
	}, nil), nil
}

// texts are the names that identifiers stand for.
func texts(identifiers []statement.Ident) []string {
	names := make([]string, len(identifiers))
	for i, c := range identifiers {
		names[i] = c.Text
	}
	return names
}

// replaceView makes a view, and removes one of its name.
func (o *Object) replaceView(db *sqlite3.Conn, c *statement.Create) error {
	all, err := o.store.list(db)
	if err != nil {
		return err
	}
	if exists, err := admits(all, c); err != nil || exists {
		return err
	}
	if err := sandbox.Exec(db, "DROP VIEW IF EXISTS "+o.inStore()); err != nil { // one that SQLite has itself
		return o.store.fault(err)
	}
	return o.keep(db)
}
