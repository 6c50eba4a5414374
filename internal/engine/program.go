package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// program is a query as SQLite compiled it, over virtual tables for the resources that it names. It
// has a database of its own in memory, which holds nothing but their definitions.
type program struct {
	session   *Session
	statement *statement.Query
	db        *sqlite3.Conn
	stmt      *sqlite3.Stmt
	columns   []provider.Column
	tables    map[string]*table
	ctx       context.Context //nolint:containedctx // SQLite's callbacks carry none: it is the statement's
	// ask makes the call that a table needs. No reading means no rows.
	ask func(*access, *dispatch.Request) (*reading, error)
	// err is the first error of a virtual table. SQLite passes on its text only.
	err error
}

// compile rewrites a query for SQLite and has it prepared.
func (s *Session) compile(q *statement.Query) (*program, error) {
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		return nil, &provider.Error{Code: provider.Internal, Message: "open SQLite", Err: err}
	}
	p := &program{session: s, statement: q, db: db, tables: map[string]*table{}}
	if err := p.prepare(); err != nil {
		_ = p.close() // the error at hand counts
		return nil, err
	}
	return p, nil
}

func (p *program) prepare() error {
	text, err := p.statement.Rewrite(p.register)
	if err != nil {
		return err
	}
	stmt, tail, err := p.db.Prepare(text)
	if err != nil {
		return p.sqlError(err)
	}
	if strings.TrimSpace(tail) != "" || stmt == nil {
		return &provider.Error{Code: provider.Usage, Message: "the query has text behind its end", Position: p.statement.Position}
	}
	p.stmt = stmt
	if !stmt.ReadOnly() {
		return &provider.Error{Code: provider.Usage, Message: "the statement would change something, which a query cannot", Position: p.statement.Position}
	}
	for i := range stmt.ColumnCount() {
		p.columns = append(p.columns, provider.Column{Name: stmt.ColumnName(i), Type: typeOfDeclared(stmt.ColumnDeclType(i))})
	}
	return nil
}

// run sets the context of all that follows.
func (p *program) run(ctx context.Context) {
	p.ctx = ctx
	p.db.SetInterrupt(ctx)
}

func (p *program) close() error {
	if p.db == nil {
		return nil
	}
	if p.stmt != nil {
		_ = p.stmt.Close() // it gives the error of the last step again
	}
	db := p.db
	p.db, p.stmt = nil, nil
	return db.Close()
}

// register makes the table for a resource, and gives the name that SQLite has for it.
func (p *program) register(t statement.Table) (string, error) { return p.registerIn(p.statement, t) }

// registerIn is register for a name in the query itself, or in that of a view.
func (p *program) registerIn(text *statement.Query, t statement.Table) (string, error) {
	if !p.isProvider(t.Name[0].Text) {
		return text.Text[t.Start:t.End], nil // a schema, a table and a column of SQLite's
	}
	r, err := p.session.resource(t.Name)
	if err != nil {
		return "", err
	}
	name := r.FullName()
	switch _, made := p.tables[name]; {
	case made:
	case r.View != nil:
		if err := p.addView(r); err != nil {
			return "", err
		}
	default:
		if err := p.addTable(r, t.Name[2].Pos); err != nil {
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
func (p *program) addTable(r *provider.Resource, pos provider.Position) error {
	name := r.FullName()
	made, err := p.newTable(r, pos)
	if err != nil {
		return err
	}
	p.tables[name] = made
	connect := func(db *sqlite3.Conn, _, _, _ string, _ ...string) (*table, error) {
		return made, db.DeclareVTab(made.declaration())
	}
	if err := sqlite3.CreateModule(p.db, name, nil, connect); err != nil { //nolint:staticcheck // the generic method needs Go 1.27
		return &provider.Error{Code: provider.Internal, Message: "make the table of " + name, Err: err}
	}
	return nil
}

// addView makes a resource that is a query over others, those first.
func (p *program) addView(r *provider.Resource) error {
	name := r.FullName()
	p.tables[name] = nil // a view that names itself is SQLite's to refuse
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
	text, err := definition.Rewrite(func(t statement.Table) (string, error) { return p.registerIn(definition, t) })
	if err != nil {
		return err
	}
	if err := p.db.Exec("CREATE TEMP VIEW " + sqlite3.QuoteIdentifier(name) + " AS " + text); err != nil {
		return &provider.Error{Code: provider.Internal, Message: "make the view " + name, Err: err}
	}
	return nil
}

func (p *program) isProvider(name string) bool {
	_, err := p.session.Catalogue.Provider(name)
	return err == nil
}

// sqlError words an error of SQLite. One that a virtual table gave is that table's own.
func (p *program) sqlError(err error) error {
	if p.err != nil {
		return p.err
	}
	if p.ctx != nil && p.ctx.Err() != nil {
		return &provider.Error{Code: provider.Canceled, Message: "canceled", Err: context.Cause(p.ctx)}
	}
	message := err.Error()
	message = strings.TrimPrefix(message, "sqlite3: ")
	message = strings.TrimPrefix(message, "SQL logic error: ")
	e := &provider.Error{Code: provider.Usage, Message: provider.Printable(message), Position: p.statement.Position, Err: err}
	if strings.Contains(message, "no query solution") {
		e.Message, e.Hint = p.unsolved()
	}
	return e
}

// unsolved words that no order of the joins gives every table the parameters that it needs.
func (p *program) unsolved() (message, hint string) {
	var parts, hints []string
	for _, t := range p.tables {
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
		for _, t := range p.tables {
			if t != nil && len(t.together) > 1 {
				return fmt.Sprintf("no method of %s takes %s together", t.resource.FullName(), strings.Join(t.together, ", ")),
					"see SHOW METHODS IN " + t.resource.FullName()
			}
		}
		return "the tables cannot be joined so that each gets the parameters it needs", ""
	}
	return "missing parameters: " + strings.Join(parts, "; "), "add WHERE " + strings.Join(hints, " AND ") + ", or join with what gives them"
}
