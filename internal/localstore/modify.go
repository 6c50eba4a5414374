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
	if c.insert != nil && !c.table.Backend.Native() {
		return c.foreign()
	}
	var ahead func(p *vtab.Program) (string, error)
	if source != nil {
		ahead = func(p *vtab.Program) (string, error) { return p.Rewrite(source) }
	}
	p, err := vtab.CompileWrite(c.runner.Env, c.position, ahead, func(p *vtab.Program) (string, error) { return p.Rewrite(whole) })
	if err != nil {
		return nil, c.withoutReturning(err)
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
		case c.runner.writable(c.table.Backend) != c.table.Backend || c.runner.DryRun && p.Calls():
			return c.rehearse(ctx, p)
		case width > 0:
			return c.collected(ctx, p, width)
		}
		return c.direct(ctx, p)
	}
	return &Work{Run: run, Program: p, Close: func() { _ = p.Close() }}, nil
}

// withoutReturning words SQLite's error about RETURNING of a table that is not its own.
func (c *modification) withoutReturning(err error) error {
	if c.table.Backend.Native() || !strings.Contains(err.Error(), "RETURNING is not available") {
		return err
	}
	return provider.Change(err, func(e *provider.Error) {
		e.Message, e.Hint = "RETURNING of an UPDATE or DELETE needs a table in SQLite", "leave RETURNING out, and SELECT the rows"
	})
}

// table finds the table that a statement changes: t, or with its store session.t and store.t.
func (s *Stores) table(name statement.Name) (*Object, error) {
	last := name[len(name)-1]
	o, err := s.object(last.Text)
	if len(name) > 1 && err == nil {
		o = nil
		for _, st := range s.all {
			if strings.EqualFold(st.Schema(), name[0].Text) {
				var all []Object
				all, err = s.objects(st)
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
		return nil, errors.Join(provider.Internalf("begin a transaction").Because(err), p.Close())
	}
	return p.Requests(ctx)
}

// direct runs the statement as it stands.
func (c *modification) direct(ctx context.Context, p *vtab.Program) (provider.Rows, error) {
	p.DB.SetInterrupt(ctx)
	tx, err := c.table.Backend.Begin(ctx, p)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	rows, err := p.Start(ctx)
	if err != nil {
		return nil, err
	}
	returned, err := c.runner.collect(ctx, rows, c.position)
	changes := p.DB.Changes()
	if err == nil {
		c.runner.noteMasked(p)
		err = tx.Commit()
	}
	if err != nil {
		return nil, errors.Join(err, tx.Rollback(), rows.Close())
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
	var inserted Inserted
	if _, err = c.runner.collect(ctx, rows, c.position); err == nil {
		c.runner.noteMasked(p)
		inserted, err = c.insertFresh(ctx, p, columns)
	}
	if err := errors.Join(err, rows.Close()); err != nil {
		return nil, err
	}
	return &vtab.Done{Rows: provider.NewRows(inserted.Columns, inserted.Rows), Used: rows.Costs()}, nil
}

// foreign is the work of an INSERT into a table that is not SQLite's. SQLite collects the rows.
func (c *modification) foreign() (*Work, error) {
	if c.insert.Replace || c.insert.Or == "REPLACE" {
		return nil, provider.Usagef("INSERT OR REPLACE needs a table in SQLite").At(c.position).
			Hintf("write INSERT … ON CONFLICT (key) DO UPDATE SET column = excluded.column")
	}
	names := texts(c.insert.Columns)
	if len(names) == 0 {
		var err error
		if names, err = c.table.Backend.Columns(c.table); err != nil {
			return nil, err
		}
	}
	if c.insert.Source == nil {
		return c.runner.change(func(ctx context.Context) error {
			if c.runner.DryRun {
				return nil
			}
			_, err := c.insertFresh(ctx, nil, nil)
			return err
		}, nil), nil
	}
	checked, err := vtab.Compile(c.runner.Env, c.position, func(p *vtab.Program) (string, error) { return p.Rewrite(c.insert.Source) })
	if err != nil {
		return nil, err
	}
	if err = checked.CheckKept(); err == nil && len(checked.Columns) != len(names) {
		err = provider.Usagef("%d columns are to be filled, and the query has %d", len(names), len(checked.Columns)).At(c.position)
	}
	if err != nil {
		_ = checked.Close() // the error at hand counts
		return nil, err
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		if c.runner.DryRun {
			return c.rehearse(ctx, checked)
		}
		return c.collected(ctx, checked, len(names))
	}
	return &Work{Run: run, Program: checked, Close: func() { _ = checked.Close() }}, nil
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

// insertFresh inserts the rows of the fresh table, or one row of defaults.
func (c *modification) insertFresh(ctx context.Context, p *vtab.Program, columns []provider.Column) (Inserted, error) {
	if p != nil {
		if _, err := c.runner.Stores.provideStore(p, c.table.Backend, ""); err != nil {
			return Inserted{}, err
		}
	}
	inserted, err := c.table.Backend.Insert(ctx, p, &Insertion{c.insert, c.table, columns})
	if err == nil {
		c.changed(inserted.Changed)
	}
	return inserted, err
}

// Insertion is an INSERT whose rows are in [FreshTable].
type Insertion struct {
	*statement.Insert
	Table   *Object
	Returns []provider.Column // describes the rows of RETURNING, if SQLite runs it
}

// Insert implements [Backend].
func (st *store) Insert(_ context.Context, p *vtab.Program, in *Insertion) (Inserted, error) {
	inserted := Inserted{Columns: in.Returns}
	text, err := in.text(p, st.named(in.Table.Name))
	if err != nil {
		return inserted, err
	}
	err = st.transact(p.DB, func(db *sqlite3.Conn) error {
		stmt, err := sandbox.Prepare(db, text)
		if err != nil {
			return p.SQLError(err)
		}
		if err := p.BindArgs(stmt); err != nil {
			return errors.Join(err, stmt.Close())
		}
		for stmt.Step() {
			inserted.Rows = append(inserted.Rows, vtab.RowOf(stmt, in.Returns))
		}
		if err := stmt.Close(); err != nil {
			return p.SQLError(err)
		}
		inserted.Changed = db.Changes()
		return nil
	})
	return inserted, err
}

// text is the INSERT with the fresh table in place of its query.
func (in *Insertion) text(p *vtab.Program, table string) (string, error) {
	var b strings.Builder
	b.WriteString("INSERT ")
	switch {
	case in.Replace:
		b.WriteString("OR REPLACE ")
	case in.Or != "":
		b.WriteString("OR " + in.Or + " ")
	}
	b.WriteString("INTO " + table)
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
