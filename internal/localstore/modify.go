package localstore

import (
	"context"
	"errors"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// modification is an INSERT, UPDATE or DELETE of a table in a store. SQLite runs it in one
// transaction.
type modification struct {
	runner   *Runner
	position provider.Position
	table    *Object
	done     string // inserted
	// insert is the statement if it is an INSERT. Its rows may need calls.
	insert *statement.Insert
}

// Insert checks an INSERT into a table of a store.
func (r *Runner) Insert(in *statement.Insert) (*Work, error) {
	c := &modification{runner: r, position: in.Position, done: "inserted", insert: in}
	return c.work(in.Into, in.Whole, in.Source)
}

// Modify checks an UPDATE or DELETE of a table in a store. done is the verb for the changed rows, such
// as updated.
func (r *Runner) Modify(pos provider.Position, name statement.Name, whole *statement.Query, done string) (*Work, error) {
	c := &modification{runner: r, position: pos, done: done}
	return c.work(name, whole, nil)
}

func (c *modification) work(name statement.Name, whole, source *statement.Query) (*Work, error) {
	var err error
	if c.table, err = c.runner.Stores.table(name); err != nil {
		return nil, err
	}
	var ahead func(p *vtab.Program) (string, error)
	if source != nil {
		ahead = func(p *vtab.Program) (string, error) { return p.Rewrite(source) }
	}
	p, err := vtab.CompileWrite(c.runner.Env, c.position, ahead, func(p *vtab.Program) (string, error) { return p.Rewrite(whole) })
	if err != nil {
		return nil, err
	}
	width := 0
	if source != nil && p.Calls() {
		if width, err = c.width(p.Placeholders()); err != nil {
			_ = p.Close() // the error at hand counts
			return nil, err
		}
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		switch {
		case c.runner.writable(c.table.store) != c.table.store || c.runner.DryRun && p.Calls():
			return c.rehearse(ctx, p)
		case width > 0:
			return c.collected(ctx, p, width)
		}
		return c.direct(ctx, p)
	}
	return &Work{Run: run, Program: p, Close: func() { _ = p.Close() }}, nil
}

// table finds the table that a statement changes: t, or with its store session.t and store.t.
func (s *Stores) table(name statement.Name) (*Object, error) {
	last := name[len(name)-1]
	o, err := s.object(last.Text)
	if len(name) > 1 && err == nil {
		o = nil
		for _, st := range s.all {
			if strings.EqualFold(st.schema, name[0].Text) {
				var all []Object
				all, err = st.objects()
				o = find(all, last.Text)
			}
		}
	}
	switch {
	case err != nil:
		return nil, err
	case o == nil:
		return nil, noObject(statement.TableObject, last)
	case o.Kind == statement.TableObject:
		return o, nil
	}
	hint := "change what its query reads"
	if o.Kind == statement.MaterializedView {
		hint = "REFRESH MATERIALIZED VIEW " + written(o.Name) + " reads its rows anew"
	}
	return nil, provider.Usagef("%s is a %s, whose rows come from its query", provider.Printable(o.Name), strings.ToLower(string(o.Kind))).
		At(last.Pos).
		Hintf("%s", hint)
}

// rehearse returns the first requests of the statement, and undoes its changes.
func (c *modification) rehearse(ctx context.Context, p *vtab.Program) (provider.Rows, error) {
	c.runner.noteDryRun()
	if !p.Calls() {
		return provider.NewRows(nil, nil), p.Close()
	}
	if _, err := p.DB.BeginImmediate(); err != nil { // it ends with the database, which takes all back
		return nil, errors.Join(c.table.store.fault(err), p.Close())
	}
	return p.Requests(ctx)
}

// direct runs the statement as it stands.
func (c *modification) direct(ctx context.Context, p *vtab.Program) (provider.Rows, error) {
	p.DB.SetInterrupt(ctx)
	tx, err := p.DB.BeginImmediate()
	if err != nil {
		return nil, errors.Join(c.table.store.fault(err), p.Close())
	}
	rows, err := p.Start(ctx)
	if err != nil {
		return nil, err
	}
	returned, err := c.runner.collect(ctx, rows, c.position)
	changes := p.DB.Changes()
	if err == nil {
		c.runner.noteMasked(p)
		if err = sandbox.Catch(c.runner.Env.SQLMemory, tx.Commit); err != nil {
			err = c.table.store.fault(err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, sandbox.Catch(c.runner.Env.SQLMemory, tx.Rollback), rows.Close())
	}
	c.changed(changes)
	return &vtab.Done{Rows: provider.NewRows(rows.Columns(), returned), Used: rows.Costs()}, rows.Close()
}

// changed reports how many rows changed. In a dry run the change ends with the session.
func (c *modification) changed(rows int64) {
	if c.runner.DryRun {
		c.runner.noteDryRun()
		return
	}
	c.runner.Changed(rows, c.done)
}

// collected reads the rows of an INSERT before it locks the store, so that others can write during
// the calls.
func (c *modification) collected(ctx context.Context, checked *vtab.Program, width int) (provider.Rows, error) {
	columns := checked.Columns
	if err := checked.Close(); err != nil {
		return nil, err
	}
	p, err := freshRows(c.runner.Env, c.position, c.insert.Source, width)
	if err != nil {
		return nil, err
	}
	rows, err := p.Start(ctx)
	if err != nil {
		return nil, err
	}
	var returned [][]any
	if _, err = c.runner.collect(ctx, rows, c.position); err == nil {
		c.runner.noteMasked(p)
		returned, err = c.insertFresh(p, columns)
	}
	if err := errors.Join(err, rows.Close()); err != nil {
		return nil, err
	}
	return &vtab.Done{Rows: provider.NewRows(columns, returned), Used: rows.Costs()}, nil
}

// width counts the columns of the rows to insert. It is 0 if the rows cannot be read alone, because
// placeholders after the query are numbered from those in it.
func (c *modification) width(placeholders int) (int, error) {
	p, err := vtab.Compile(c.runner.Env, c.position, func(p *vtab.Program) (string, error) { return p.Rewrite(c.insert.Source) })
	if err != nil {
		return 0, err
	}
	width := len(p.Columns)
	if p.Placeholders() != placeholders {
		width = 0
	}
	return width, p.Close()
}

// insertFresh inserts the rows of the fresh table, and returns the rows of RETURNING.
func (c *modification) insertFresh(p *vtab.Program, columns []provider.Column) ([][]any, error) {
	if _, err := c.runner.Stores.provideStore(p, c.table.store); err != nil {
		return nil, err
	}
	text, err := c.text(p)
	if err != nil {
		return nil, err
	}
	var returned [][]any
	var changes int64
	err = c.table.store.transact(p.DB, func(db *sqlite3.Conn) error {
		stmt, err := sandbox.Prepare(db, text)
		if err != nil {
			return p.SQLError(err)
		}
		if err := p.BindArgs(stmt); err != nil {
			return errors.Join(err, stmt.Close())
		}
		for stmt.Step() {
			returned = append(returned, vtab.RowOf(stmt, columns))
		}
		if err := stmt.Close(); err != nil {
			return p.SQLError(err)
		}
		changes = db.Changes()
		return nil
	})
	if err == nil {
		c.changed(changes)
	}
	return returned, err
}

// text is the INSERT with the fresh table in place of its query.
func (c *modification) text(p *vtab.Program) (string, error) {
	in := c.insert
	var b strings.Builder
	b.WriteString("INSERT ")
	switch {
	case in.Replace:
		b.WriteString("OR REPLACE ")
	case in.Or != "":
		b.WriteString("OR " + in.Or + " ")
	}
	b.WriteString("INTO " + c.table.inStore())
	if in.Alias != "" {
		b.WriteString(" AS " + sqlite3.QuoteIdentifier(in.Alias))
	}
	if len(in.Columns) > 0 {
		b.WriteString(" (" + quoteList(texts(in.Columns)) + ")")
	}
	b.WriteString(" " + copyFresh + " WHERE true")
	for _, clause := range []struct {
		words string
		text  *statement.Query
	}{{"ON CONFLICT", in.Conflict}, {"RETURNING", in.Returning}} {
		if clause.text == nil {
			continue
		}
		text, err := p.Rewrite(clause.text)
		if err != nil {
			return "", err
		}
		b.WriteString(" " + clause.words + " " + text)
	}
	return b.String(), nil
}
