package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// returnedTable is the table of the rows that the calls of a write returned.
const returnedTable = "lakeql.returned"

// checked completes the plan. It checks RETURNING and rows that are constants, so that a fault in
// them is reported before anything is sent.
func (w *write) checked() (*plan, error) {
	if err := w.checkRows(); err != nil {
		return nil, errors.Join(err, w.program.Close())
	}
	if w.returning == nil {
		return w.plan(), nil
	}
	p, err := w.compileReturning()
	if err != nil {
		return nil, errors.Join(err, w.program.Close())
	}
	columns := p.Columns
	if err := p.Close(); err != nil {
		return nil, errors.Join(err, w.program.Close())
	}
	made := w.plan()
	made.columns = func() ([]provider.Column, error) { return columns, nil }
	return made, nil
}

// compileReturning makes RETURNING a query over the table of returned rows.
func (w *write) compileReturning() (*vtab.Program, error) {
	columns, err := w.answerColumns()
	if err != nil {
		return nil, err
	}
	return vtab.Compile(w.env, w.returning.Position, func(p *vtab.Program) (string, error) {
		var definitions []string
		for _, c := range columns {
			definitions = append(definitions, sqlite3.QuoteIdentifier(c.Name)+" "+vtab.DeclaredType(c.Type, c.Format))
			for _, former := range strings.Fields(c.Former) {
				if w.returning.Mentions(former) {
					definitions = append(definitions, sqlite3.QuoteIdentifier(former)+" AS ("+sqlite3.QuoteIdentifier(c.Name)+")")
				}
			}
		}
		later, err := w.laterColumns(columns)
		if err != nil {
			return "", err
		}
		for _, name := range later {
			definitions = append(definitions, sqlite3.QuoteIdentifier(name)+" AS (NULL)")
		}
		if err := sandbox.Exec(p.DB, "CREATE TABLE "+sqlite3.QuoteIdentifier(returnedTable)+" ("+strings.Join(definitions, ", ")+")"); err != nil {
			return "", provider.Internalf("make the table of what was given back").Because(err)
		}
		p.SetSubject(w.subject, w.alias)
		text, err := p.Rewrite(w.returning)
		return "SELECT " + text + " FROM " + sqlite3.QuoteIdentifier(returnedTable) + " AS " + sqlite3.QuoteIdentifier(w.alias), err
	})
}

// laterColumns are the columns of RETURNING that only the finished resource has: null without AWAIT.
func (w *write) laterColumns(columns []provider.Column) ([]string, error) {
	if w.await || w.method.Wait == nil {
		return nil, nil
	}
	finished, err := w.session.answerColumns(w.method, true)
	var later []string
	for _, c := range finished {
		if w.returning.Mentions(c.Name) && !slices.ContainsFunc(columns, func(known provider.Column) bool { return strings.EqualFold(known.Name, c.Name) }) {
			later = append(later, c.Name)
		}
	}
	return later, err
}

// answerColumns describes the rows that a call returns.
func (w *write) answerColumns() ([]provider.Column, error) {
	columns, err := w.session.answerColumns(w.method, w.await)
	if w.echoes = err == nil && len(columns) == 0 && w.method.SQLVerb == provider.Delete; w.echoes {
		columns = w.echoColumns()
	}
	if err == nil && len(columns) == 0 {
		return nil, w.refuse("RETURNING: "+w.method.FullName()+" answers nothing", "leave RETURNING out")
	}
	return columns, err
}

// echoColumns are the columns of RETURNING for a DELETE without an answer: the parameters and required
// attributes, because the row has their values.
func (w *write) echoColumns() []provider.Column {
	var columns []provider.Column
	for _, p := range w.method.Params {
		columns = append(columns, provider.Column{Name: p.Name})
	}
	if w.method.Body != nil {
		for _, name := range w.method.Body.RequiredAttributes {
			if !slices.ContainsFunc(columns, func(c provider.Column) bool { return strings.EqualFold(c.Name, name) }) {
				columns = append(columns, provider.Column{Name: name})
			}
		}
	}
	return columns
}

// echo is the row of RETURNING for a call that answers nothing.
func (w *write) echo(call dispatch.Call) []any {
	body, _ := call.Body.(map[string]any)
	var row []any
	for _, c := range w.echoColumns() {
		value, ok := call.Args[c.Name]
		if !ok {
			value = body[c.Name]
		}
		switch value := value.(type) {
		case json.Number:
			row = append(row, value.String())
			if whole, err := value.Int64(); err == nil {
				row[len(row)-1] = whole
			}
		case string, bool, nil:
			row = append(row, value)
		default:
			row = append(row, fmt.Sprint(value))
		}
	}
	return row
}

// returned returns the rows of RETURNING, and no rows for a statement without it.
func (w *write) returned(ctx context.Context, answers [][][]any) (provider.Rows, error) {
	if w.returning == nil {
		return provider.NewRows(nil, nil), nil
	}
	p, err := w.compileReturning()
	if err != nil {
		return nil, err
	}
	if err := sandbox.Catch(w.env.SQLMemory, func() error { return fillReturned(p, answers) }); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if columns, err := w.answerColumns(); err == nil {
		if later, _ := w.laterColumns(columns); len(later) > 0 { // compileReturning has had its error
			w.session.note("%s is null until the operation ends: the hint /*+ AWAIT */ waits for it", strings.Join(later, ", "))
		}
	}
	return p.Start(ctx)
}

// fillReturned puts the returned rows into their table.
func fillReturned(p *vtab.Program, answers [][][]any) error {
	var insert *sqlite3.Stmt
	for _, answer := range answers {
		for _, row := range answer {
			if insert == nil {
				var err error
				text := "INSERT INTO " + sqlite3.QuoteIdentifier(returnedTable) + " VALUES (" + strings.Repeat("?, ", len(row)-1) + "?)"
				if insert, err = sandbox.Prepare(p.DB, text); err != nil {
					return provider.Internalf("keep what was given back").Because(err)
				}
				defer func() { _ = insert.Close() }() // it gives the error of the last step again
			}
			for i, value := range row {
				if err := vtab.BindValue(insert, i+1, value); err != nil {
					return provider.Internalf("keep what was given back").Because(err)
				}
			}
			if err := insert.Exec(); err != nil {
				return provider.Internalf("keep what was given back").Because(err)
			}
		}
	}
	return nil
}
