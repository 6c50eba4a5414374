package localstore

import (
	"context"
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
	all, err := r.Stores.objects(target)
	if err != nil {
		return nil, err
	}
	if exists, err := admits(all, c); err != nil {
		return nil, err
	} else if exists {
		return nothing(), nil
	}
	if c.As == nil {
		return r.define(c, target)
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
		if err = p.CheckKept(); err == nil {
			err = provider.At(target.Check(c.Name.Text, columns), c.Name.Pos)
		}
	}
	if err != nil {
		_ = p.Close() // the error at hand counts
		return nil, err
	}
	o := &Object{Backend: r.writable(target), Name: c.Name.Text, Kind: c.Kind, Definition: c.As.Written(), Columns: texts(c.Columns)}
	admit := func(all []Object) (bool, error) { return admits(all, c) }
	if c.Kind == statement.View {
		return r.change(func(ctx context.Context) error { return o.Backend.PutView(ctx, o, admit) }, p), nil
	}
	return r.materialize(&Filling{Object: o, Columns: columns, Admit: admit, position: c.As.Position, as: c.As}, p), nil
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
func (r *Runner) define(c *statement.Create, target Backend) (*Work, error) {
	scratch, err := sandbox.Open(r.Env.SQLMemory)
	if err != nil {
		return nil, provider.Internalf("open SQLite").Because(err)
	}
	defer func() { _ = sandbox.Close(scratch) }() // there is nothing in it
	if err := sandbox.Catch(r.Env.SQLMemory, func() error { return sandbox.Exec(scratch, definition(c, "")) }); err != nil {
		return nil, provider.Usagef("%s", vtab.Message(err)).At(c.Position).Because(err)
	}
	if err := target.CheckDefinition(c); err != nil {
		return nil, provider.At(err, c.Position)
	}
	admit := func(all []Object) (bool, error) { return admits(all, c) }
	return r.change(func(ctx context.Context) error { return r.writable(target).Define(ctx, c, admit) }, nil), nil
}

// definition is the text of a CREATE TABLE in a schema, with its dot.
func definition(c *statement.Create, schema string) string {
	return "CREATE TABLE " + schema + sqlite3.QuoteIdentifier(c.Name.Text) + " (" + c.Definition + "\n)"
}

// Define implements [Backend].
func (st *store) Define(ctx context.Context, c *statement.Create, admit Admit) error {
	return st.changeObject(ctx, admit, func(db *sqlite3.Conn) error {
		if err := st.dropTable(db, c.Name.Text); err != nil {
			return err
		}
		if err := sandbox.Exec(db, definition(c, st.schema+".")); err != nil {
			return st.fault(err)
		}
		return nil
	})
}

// changeObject is change for a function that makes an object, if it may be made.
func (st *store) changeObject(ctx context.Context, admit Admit, f func(db *sqlite3.Conn) error) error {
	return st.change(ctx, func(db *sqlite3.Conn) error {
		all, err := st.list(db)
		if err != nil {
			return err
		}
		if exists, err := admit(all); err != nil || exists {
			return err
		}
		return f(db)
	})
}

// texts are the names that identifiers stand for.
func texts(identifiers []statement.Ident) []string {
	names := make([]string, len(identifiers))
	for i, c := range identifiers {
		names[i] = c.Text
	}
	return names
}

// PutView implements [Backend].
func (st *store) PutView(ctx context.Context, o *Object, admit Admit) error {
	return st.changeObject(ctx, admit, func(db *sqlite3.Conn) error {
		if err := sandbox.Exec(db, "DROP VIEW IF EXISTS "+st.named(o.Name)); err != nil { // one that SQLite has itself
			return st.fault(err)
		}
		return st.keep(db, o)
	})
}
