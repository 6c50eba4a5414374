package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// planQuery has SQLite prepare a SELECT over virtual tables for the resources that it names. Each
// query has a database of its own in memory, which holds nothing but their definitions.
func (s *Session) planQuery(q *statement.Query) (plan, error) {
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		return nil, &provider.Error{Code: provider.Internal, Message: "open SQLite", Err: err}
	}
	run := &query{session: s, statement: q, db: db}
	if err := run.prepare(); err != nil {
		_ = db.Close() // the error at hand counts
		return nil, err
	}
	return func(ctx context.Context) (provider.Rows, error) {
		run.ctx = ctx
		db.SetInterrupt(ctx)
		if s.DryRun {
			return run.calls()
		}
		return run, nil
	}, nil
}

// calls runs the query over tables that show the calls they would make and have no rows, and gives
// those calls. What depends on an answer is not among them.
func (q *query) calls() (provider.Rows, error) {
	for q.stmt.Step() { // its rows say nothing: nothing was asked
		continue
	}
	if err := q.stmt.Err(); err != nil {
		return nil, errors.Join(q.sqlError(err), q.Close())
	}
	if err := q.Close(); err != nil {
		return nil, err
	}
	return q.session.Client.Describe(q.planned...)
}

// query is a SELECT that runs: its rows are those of the SQLite statement.
type query struct {
	session   *Session
	statement *statement.Query
	db        *sqlite3.Conn
	stmt      *sqlite3.Stmt
	columns   []provider.Column
	ctx       context.Context //nolint:containedctx // SQLite's callbacks carry none: it is the statement's
	tables    map[string]*table
	// err is the first error of a virtual table. SQLite passes on its text only.
	err error
	// planned are the requests of a dry run.
	planned []*dispatch.Request
}

// prepare rewrites the statement for SQLite and compiles it.
func (q *query) prepare() error {
	q.tables = map[string]*table{}
	text, err := q.statement.Rewrite(q.register)
	if err != nil {
		return err
	}
	stmt, tail, err := q.db.Prepare(text)
	if err != nil {
		return q.sqlError(err)
	}
	if strings.TrimSpace(tail) != "" || stmt == nil {
		return &provider.Error{Code: provider.Usage, Message: "the query has text behind its end", Position: q.statement.Position}
	}
	if !stmt.ReadOnly() {
		_ = stmt.Close() // it never ran
		return &provider.Error{Code: provider.Usage, Message: "the statement would change something, which a query cannot", Position: q.statement.Position}
	}
	q.stmt = stmt
	for i := range stmt.ColumnCount() {
		q.columns = append(q.columns, provider.Column{Name: stmt.ColumnName(i), Type: typeOfDeclared(stmt.ColumnDeclType(i))})
	}
	return nil
}

// register makes the table for a resource, and gives the name that SQLite has for it.
func (q *query) register(t statement.Table) (string, error) { return q.registerIn(q.statement, t) }

// registerIn is register for a name in the query itself, or in that of a view.
func (q *query) registerIn(text *statement.Query, t statement.Table) (string, error) {
	if !q.isProvider(t.Name[0].Text) {
		return text.Text[t.Start:t.End], nil // a schema, a table and a column of SQLite's
	}
	r, err := q.session.resource(t.Name)
	if err != nil {
		return "", err
	}
	name := r.FullName()
	switch _, made := q.tables[name]; {
	case made:
	case r.View != nil:
		if err := q.addView(r); err != nil {
			return "", err
		}
	default:
		if err := q.addTable(r, t.Name[2].Pos); err != nil {
			return "", err
		}
	}
	quoted := sqlite3.QuoteIdentifier(name)
	if t.Qualifier { // a table without an alias of its own goes by the resource's name
		return sqlite3.QuoteIdentifier(r.Name), nil
	}
	if t.Alias {
		quoted += " AS " + sqlite3.QuoteIdentifier(r.Name)
	}
	return quoted, nil
}

// addTable makes the virtual table of a resource.
func (q *query) addTable(r *provider.Resource, pos provider.Position) error {
	name := r.FullName()
	made, err := q.newTable(r, pos)
	if err != nil {
		return err
	}
	q.tables[name] = made
	connect := func(db *sqlite3.Conn, _, _, _ string, _ ...string) (*table, error) {
		return made, db.DeclareVTab(made.declaration())
	}
	if err := sqlite3.CreateModule(q.db, name, nil, connect); err != nil { //nolint:staticcheck // the generic method needs Go 1.27
		return &provider.Error{Code: provider.Internal, Message: "make the table of " + name, Err: err}
	}
	return nil
}

// addView makes a resource that is a query over others, those first.
func (q *query) addView(r *provider.Resource) error {
	name := r.FullName()
	q.tables[name] = nil // a view that names itself is SQLite's to refuse
	i := slices.IndexFunc(r.View.Definitions, func(d provider.ViewDefinition) bool { return d.Dialect == "" || d.Dialect == "sqlite3" })
	if i < 0 {
		return &provider.Error{Code: provider.Usage, Message: name + " has no definition for SQLite"}
	}
	parsed, err := statement.Parse(r.View.Definitions[i].SQL)
	if err != nil {
		return &provider.Error{Code: provider.Internal, Message: "read the view " + name, Err: err}
	}
	if len(parsed) != 1 {
		return &provider.Error{Code: provider.Internal, Message: fmt.Sprintf("the view %s has %d statements", name, len(parsed))}
	}
	definition, ok := parsed[0].(*statement.Query)
	if !ok {
		return &provider.Error{Code: provider.Internal, Message: "the view " + name + " is no query"}
	}
	text, err := definition.Rewrite(func(t statement.Table) (string, error) { return q.registerIn(definition, t) })
	if err != nil {
		return err
	}
	if err := q.db.Exec("CREATE TEMP VIEW " + sqlite3.QuoteIdentifier(name) + " AS " + text); err != nil {
		return &provider.Error{Code: provider.Internal, Message: "make the view " + name, Err: err}
	}
	return nil
}

func (q *query) isProvider(name string) bool {
	_, err := q.session.Catalogue.Provider(name)
	return err == nil
}

func (q *query) Columns() []provider.Column { return q.columns }

func (q *query) Next(ctx context.Context) ([]any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if q.stmt == nil {
		return nil, io.EOF
	}
	if !q.stmt.Step() {
		if err := q.stmt.Err(); err != nil {
			return nil, q.sqlError(err)
		}
		return nil, io.EOF
	}
	row := make([]any, len(q.columns))
	for i, c := range q.columns {
		row[i] = valueOf(q.stmt, i, c.Type)
	}
	return row, nil
}

func (q *query) Close() error {
	if q.stmt == nil {
		return nil
	}
	_ = q.stmt.Close() // it gives the error of the last step again
	q.stmt = nil
	return q.db.Close()
}

// valueOf gives a value of SQLite's as what its column was declared as.
func valueOf(stmt *sqlite3.Stmt, i int, typ string) any {
	switch stmt.ColumnType(i) {
	case sqlite3.NULL:
		return nil
	case sqlite3.INTEGER:
		if typ == "boolean" {
			return stmt.ColumnInt64(i) != 0
		}
		return stmt.ColumnInt64(i)
	case sqlite3.FLOAT:
		return stmt.ColumnFloat(i)
	case sqlite3.TEXT, sqlite3.BLOB:
	}
	text := stmt.ColumnText(i)
	if (typ == "object" || typ == "array" || typ == "") && json.Valid([]byte(text)) && strings.ContainsAny(text[:1], "[{") {
		return json.RawMessage(text)
	}
	return text
}

// sqlError words an error of SQLite. One that a virtual table gave is that table's own.
func (q *query) sqlError(err error) error {
	if q.err != nil {
		return q.err
	}
	if q.ctx != nil && q.ctx.Err() != nil {
		return &provider.Error{Code: provider.Canceled, Message: "canceled", Err: context.Cause(q.ctx)}
	}
	message := err.Error()
	message = strings.TrimPrefix(message, "sqlite3: ")
	message = strings.TrimPrefix(message, "SQL logic error: ")
	e := &provider.Error{Code: provider.Usage, Message: provider.Printable(message), Position: q.statement.Position, Err: err}
	if strings.Contains(message, "no query solution") {
		e.Message, e.Hint = q.unsolved()
	}
	return e
}

// unsolved words that no order of the joins gives every table the parameters that it needs.
func (q *query) unsolved() (message, hint string) {
	var parts, hints []string
	for _, t := range q.tables {
		if t == nil { // a view
			continue
		}
		if missing, ok := t.missing(); ok {
			parts = append(parts, fmt.Sprintf("%s needs %s", t.resource.FullName(), strings.Join(missing, ", ")))
			for _, name := range missing {
				hints = append(hints, name+" = '…'")
			}
		}
	}
	if len(parts) == 0 {
		for _, t := range q.tables {
			if t != nil && len(t.together) > 1 {
				return fmt.Sprintf("no method of %s takes %s together", t.resource.FullName(), strings.Join(t.together, ", ")),
					"see SHOW METHODS IN " + t.resource.FullName()
			}
		}
		return "the tables cannot be joined so that each gets the parameters it needs", ""
	}
	return "missing parameters: " + strings.Join(parts, "; "), "add WHERE " + strings.Join(hints, " AND ") + ", or join with what gives them"
}
