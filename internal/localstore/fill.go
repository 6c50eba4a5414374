package localstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Filling replaces the rows of an object's table by the rows of a query. The table changes only after
// the last row has arrived.
type Filling struct {
	Object  *Object
	Columns []provider.Column
	Admit   Admit

	position provider.Position
	as       *statement.Query
}

// materialize returns the work of a filling. checked is its query, compiled for the check.
func (r *Runner) materialize(f *Filling, checked *vtab.Program) *Work {
	run := func(ctx context.Context) (provider.Rows, error) {
		if r.DryRun {
			r.noteDryRun()
			return r.rehearse(ctx, f, checked)
		}
		if err := checked.Close(); err != nil {
			return nil, err
		}
		return r.fill(ctx, f)
	}
	return &Work{Run: run, Program: checked, Close: func() { _ = checked.Close() }}
}

// rehearse returns the requests of a filling's query. It makes the table, without rows, for the
// rest of the session, so that a dry run can go on with statements that need it.
func (r *Runner) rehearse(ctx context.Context, f *Filling, checked *vtab.Program) (provider.Rows, error) {
	rows, err := checked.Requests(ctx)
	if err != nil {
		return nil, err
	}
	return rows, f.Object.Backend.Fill(ctx, nil, f)
}

// FreshTable is the table of a program that holds the rows of a query until all of them are there.
const FreshTable = "temp.lakeql_fresh"

// copyFresh reads it.
const copyFresh = "SELECT * FROM " + FreshTable

// freshRows compiles a program that puts the rows of a query into the fresh table. Its columns have
// no types, so that SQLite leaves every value as it is.
func freshRows(env *vtab.Env, pos provider.Position, as *statement.Query, columns int) (*vtab.Program, error) {
	query := func(p *vtab.Program) (string, error) { return p.Rewrite(as) }
	return vtab.CompileWrite(env, pos, query, func(p *vtab.Program) (string, error) {
		names := make([]string, columns)
		for i := range names {
			names[i] = fmt.Sprintf("c%d", i)
		}
		if err := sandbox.Exec(p.DB, "CREATE TABLE "+FreshTable+" ("+strings.Join(names, ", ")+")"); err != nil {
			return "", provider.Internalf("make a table for the rows").Because(err)
		}
		text, err := p.Rewrite(as)
		return "INSERT INTO " + FreshTable + " " + text, err
	})
}

// collect runs a program to its end, and fails if a part of an answer is missing. Its calls and
// passes have ended then.
func (r *Runner) collect(ctx context.Context, rows *vtab.Rows, pos provider.Position) ([][]any, error) {
	var all [][]any
	for {
		row, err := rows.Next(ctx)
		if err == nil {
			all = append(all, row)
			continue
		}
		if errors.Is(err, io.EOF) {
			err = r.Whole(pos)
		}
		return all, errors.Join(err, rows.Settle())
	}
}

// fill runs the query of a filling and makes the table.
func (r *Runner) fill(ctx context.Context, f *Filling) (provider.Rows, error) {
	p, err := freshRows(r.Env, f.position, f.as, len(f.Columns))
	if err != nil {
		return nil, err
	}
	rows, err := p.Start(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = r.collect(ctx, rows, f.position); err == nil {
		r.noteMasked(p)
		err = f.Object.Backend.Fill(ctx, p, f)
	}
	if err := errors.Join(err, rows.Close()); err != nil {
		return nil, err
	}
	return &vtab.Done{Rows: provider.NewRows(nil, nil), Used: rows.Costs()}, nil
}

// Fill implements [Backend].
func (st *store) Fill(ctx context.Context, p *vtab.Program, f *Filling) error {
	if p == nil {
		return st.change(ctx, func(db *sqlite3.Conn) error { return st.fill(db, f, "") })
	}
	if err := st.create(); err != nil {
		return err
	}
	if !p.Has(st.schema) {
		if _, err := st.Provide(p, ""); err != nil {
			return err
		}
	}
	return st.transact(p.DB, func(db *sqlite3.Conn) error { return st.fill(db, f, copyFresh) })
}

// fill makes the table, with the rows of a query; empty: without rows.
func (st *store) fill(db *sqlite3.Conn, f *Filling, rows string) error {
	o := f.Object
	all, err := st.list(db)
	if err != nil {
		return err
	}
	if exists, err := f.Admit(all); err != nil || exists {
		return err
	}
	if err := st.dropTable(db, o.Name); err != nil {
		return err
	}
	definitions := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		definitions[i] = sqlite3.QuoteIdentifier(c.Name)
		if c.Type != "" {
			definitions[i] += " " + vtab.StoredType(c)
		}
	}
	if err := sandbox.Exec(db, "CREATE TABLE "+st.named(o.Name)+" ("+strings.Join(definitions, ", ")+")"); err != nil {
		return st.fault(err)
	}
	if rows != "" {
		if err := sandbox.Exec(db, "INSERT INTO "+st.named(o.Name)+" "+rows); err != nil {
			return st.fault(err)
		}
	}
	if o.Kind != statement.MaterializedView {
		return nil
	}
	o.Refreshed = time.Now().UTC().Format(time.RFC3339)
	return st.keep(db, o)
}
