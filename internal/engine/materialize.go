package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// filling puts the rows of a query into the table of an object, in place of those it has. Until the
// last row is there nothing changes.
type filling struct {
	env      *vtab.Env
	object   *object
	position provider.Position
	as       *statement.Query
	columns  []provider.Column
	// admit looks once more whether the table may be made, at the time when it is: exists says that
	// it is there and stays as it is.
	admit func(all []object) (exists bool, err error)
}

// planMaterialize makes the plan of a filling, whose query was compiled for its check.
func (s *Session) planMaterialize(f *filling, checked *vtab.Program) *plan {
	run := func(ctx context.Context) (provider.Rows, error) {
		if s.DryRun {
			s.note("a dry run changes nothing")
			return s.rehearse(ctx, f, checked)
		}
		if err := checked.Close(); err != nil {
			return nil, err
		}
		return s.fill(ctx, f)
	}
	return &plan{run: run, program: checked, explain: checked.Steps, close: func() { _ = checked.Close() }}
}

// rehearse gives the calls of a filling's query. The table is there for the rest of the session, so
// that what comes after the statement can be rehearsed too; it has no rows.
func (s *Session) rehearse(ctx context.Context, f *filling, checked *vtab.Program) (provider.Rows, error) {
	rows, err := checked.Requests(ctx)
	if err != nil {
		return nil, err
	}
	return rows, f.object.store.change(ctx, func(db *sqlite3.Conn) error { return f.make(db, "") })
}

const (
	// freshTable holds the rows of a query until all of them are there.
	freshTable = "lakeql_fresh"
	// copyFresh reads it.
	copyFresh = "SELECT * FROM temp." + freshTable
)

// freshRows compiles a program that puts the rows of a query into the fresh table. Its columns have no
// types, so that SQLite leaves every value as it is.
func freshRows(env *vtab.Env, pos provider.Position, as *statement.Query, columns int) (*vtab.Program, error) {
	query := func(p *vtab.Program) (string, error) { return p.Rewrite(as) }
	return vtab.CompileWrite(env, pos, query, func(p *vtab.Program) (string, error) {
		names := make([]string, columns)
		for i := range names {
			names[i] = fmt.Sprintf("c%d", i)
		}
		if err := p.DB.Exec("CREATE TEMP TABLE " + freshTable + " (" + strings.Join(names, ", ") + ")"); err != nil {
			return "", &provider.Error{Code: provider.Internal, Message: "make a table for the rows", Err: err}
		}
		text, err := p.Rewrite(as)
		return "INSERT INTO temp." + freshTable + " " + text, err
	})
}

// collect runs a program to its end, and makes sure that nothing is missing from what it did. Its calls
// are over then, and whatever ran ahead.
func (s *Session) collect(ctx context.Context, rows *vtab.Rows, pos provider.Position) ([][]any, error) {
	var all [][]any
	for {
		row, err := rows.Next(ctx)
		if err == nil {
			all = append(all, row)
			continue
		}
		if errors.Is(err, io.EOF) {
			err = s.whole(pos)
		}
		return all, errors.Join(err, rows.Settle())
	}
}

// fill runs the query of a filling and makes the table.
func (s *Session) fill(ctx context.Context, f *filling) (provider.Rows, error) {
	p, err := freshRows(f.env, f.position, f.as, len(f.columns))
	if err != nil {
		return nil, err
	}
	rows, err := p.Start(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = s.collect(ctx, rows, f.position); err == nil {
		s.noteMasked(p)
		err = s.swap(p, f)
	}
	if err := errors.Join(err, rows.Close()); err != nil {
		return nil, err
	}
	return &vtab.Done{Rows: provider.NewRows(nil, nil), Used: rows.Costs()}, nil
}

// noteMasked tells that credentials were not kept.
func (s *Session) noteMasked(p *vtab.Program) {
	if p.Masked {
		s.note("credentials are not kept: a mask is in their place")
	}
}

// whole is an error where the session went on without something: what is kept must not have gaps that
// nobody can see any more.
func (s *Session) whole(pos provider.Position) error {
	missing := s.Missing()
	if len(missing) == 0 {
		return nil
	}
	return &provider.Error{
		Code:     provider.CodeOf(missing[0].Err),
		Message:  "nothing was kept, because the rows are not complete: " + missing[0].String(),
		Position: pos,
		Err:      missing[0].Err,
	}
}

// swap makes what is in the fresh table the object's table.
func (s *Session) swap(p *vtab.Program, f *filling) error {
	st := f.object.store
	if err := st.create(); err != nil {
		return err
	}
	if _, err := s.provideStore(p, st); err != nil {
		return err
	}
	return st.transact(p.DB, func(db *sqlite3.Conn) error { return f.make(db, copyFresh) })
}

// make makes the table, with the rows of a query if there is one.
func (f *filling) make(db *sqlite3.Conn, rows string) error {
	o := f.object
	all, err := o.store.list(db)
	if err != nil {
		return err
	}
	if exists, err := f.admit(all); err != nil || exists {
		return err
	}
	if err := dropTable(db, o.store, o.name); err != nil {
		return err
	}
	definitions := make([]string, len(f.columns))
	for i, c := range f.columns {
		definitions[i] = sqlite3.QuoteIdentifier(c.Name)
		if c.Type != "" {
			definitions[i] += " " + vtab.StoredType(c)
		}
	}
	if err := db.Exec("CREATE TABLE " + o.inStore() + " (" + strings.Join(definitions, ", ") + ")"); err != nil {
		return o.store.fault(err)
	}
	if rows != "" {
		if err := db.Exec("INSERT INTO " + o.inStore() + " " + rows); err != nil {
			return o.store.fault(err)
		}
	}
	if o.kind != statement.MaterializedView {
		return nil
	}
	o.refreshed = time.Now().UTC().Format(time.RFC3339)
	return o.keep(db)
}

// planRefresh checks that a materialized view can be made anew.
func (s *Session) planRefresh(r *statement.Refresh) (*plan, error) {
	o, err := s.object(r.Name.Text)
	switch {
	case err != nil:
		return nil, err
	case o == nil:
		return nil, noObject(statement.MaterializedView, r.Name)
	case o.kind != statement.MaterializedView:
		return nil, &provider.Error{
			Code:     provider.Usage,
			Message:  fmt.Sprintf("%s is a %s, and only materialized views are refreshed", provider.Printable(o.name), strings.ToLower(string(o.kind))),
			Position: r.Name.Pos,
		}
	}
	as, err := vtab.ParseView(o.name, o.definition)
	if err != nil {
		return nil, provider.At(err, r.Position)
	}
	env := s.env()
	p, err := vtab.Compile(env, provider.Position{}, func(p *vtab.Program) (string, error) { return p.Rewrite(as) })
	if err != nil {
		return nil, provider.At(inView(o.name, err), r.Position)
	}
	names, err := s.columnsOf(o)
	if err == nil && len(names) == len(p.Columns) {
		for i, name := range names {
			p.Columns[i].Name = name
		}
	}
	if err == nil {
		err = distinct(p.Columns, r.Position)
	}
	if err != nil {
		_ = p.Close() // the error at hand counts
		return nil, err
	}
	old := *o
	o.store = s.writable(o.store)
	f := &filling{env: env, object: o, position: r.Position, as: as, columns: p.Columns, admit: func(all []object) (bool, error) {
		if there := find(all, old.name); !s.DryRun && (there == nil || there.kind != old.kind || there.definition != old.definition) {
			return false, &provider.Error{Code: provider.Usage, Message: provider.Printable(old.name) + " was changed or dropped meanwhile", Position: r.Name.Pos}
		}
		return false, nil
	}}
	return s.planMaterialize(f, p), nil
}

// columnsOf names the columns of an object's table.
func (s *Session) columnsOf(o *object) ([]string, error) {
	var names []string
	err := o.store.use(func(db *sqlite3.Conn) error {
		stmt, _, err := db.Prepare("SELECT * FROM " + o.inStore())
		if err != nil {
			return o.store.fault(err)
		}
		for i := range stmt.ColumnCount() {
			names = append(names, stmt.ColumnName(i))
		}
		return stmt.Close()
	})
	return names, err
}
