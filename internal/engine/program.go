package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/bytecode"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// program is a query as SQLite compiled it, over virtual tables for the resources that it names. It
// has a database of its own in memory, which holds nothing but their definitions.
type program struct {
	env      *Env
	position provider.Position // of the statement
	// text gives the query as SQLite reads it, and makes the tables that it names.
	text func(*program) (string, error)
	// ahead is what passes run ahead of the program; nil: nothing may.
	ahead func(*program) (string, error)
	// writes is set where the program changes a store. Credentials do not go there.
	writes   bool
	masked   bool            // one was replaced by its mask
	provided map[string]bool // stores and views of theirs that are part of the database

	db       *sqlite3.Conn
	stmt     *sqlite3.Stmt
	bytecode *bytecode.Program // of stmt, once it was read
	queries  []*statement.Query
	columns  []provider.Column
	tables   map[string]*table
	list     []*table // the same by number
	rowIDs   map[rowKey]int64
	// ordered is set where some order of the tables would lose rows: see order.go.
	ordered  bool
	compares bool            // the text compares deployment_name
	ctx      context.Context //nolint:containedctx // SQLite's callbacks carry none: it is the statement's
	// ask makes the call that a table needs, for the choice with the number step. No reading means no
	// rows.
	ask     func(a *access, req *dispatch.Request, step int) (*fetch.Reading, error)
	subject string // the resource that a write is about, and what it goes by there
	alias   string
	target  *target  // of an UPDATE or DELETE
	lacking []string // parameters that no plan had for it
	// err is the first error of a virtual table. SQLite passes on its text only.
	err error
}

// compile has SQLite prepare a query. text puts it together over the tables of the program, which it
// makes.
func compile(env *Env, position provider.Position, text func(*program) (string, error)) (*program, error) {
	return (&program{env: env, position: position, text: text, ahead: text}).prepared()
}

// compileWrite is compile for a text that changes a store. Passes run ahead of it with the text ahead,
// which must change nothing; nil: none do.
func compileWrite(env *Env, position provider.Position, ahead, text func(*program) (string, error)) (*program, error) {
	return (&program{env: env, position: position, text: text, ahead: ahead, writes: true}).prepared()
}

// prepared opens the program's database and has its text prepared there.
func (p *program) prepared() (*program, error) {
	var err error
	if p.db, err = sqlite3.Open(":memory:"); err != nil {
		return nil, &provider.Error{Code: provider.Internal, Message: "open SQLite", Err: err}
	}
	p.tables = map[string]*table{}
	if err := p.prepare(); err != nil {
		_ = p.close() // the error at hand counts
		return nil, err
	}
	return p, nil
}

func (p *program) prepare() error {
	if err := addFunctions(p.db); err != nil {
		return err
	}
	text, err := p.text(p)
	if err != nil {
		return err
	}
	stmt, tail, err := p.db.Prepare(text)
	for err != nil {
		found, fault := p.supply(err)
		if fault != nil {
			return provider.At(fault, p.position)
		} else if !found {
			return p.sqlError(err)
		}
		stmt, tail, err = p.db.Prepare(text)
	}
	if strings.TrimSpace(tail) != "" || stmt == nil {
		return &provider.Error{Code: provider.Usage, Message: "the query has text behind its end", Position: p.position}
	}
	p.stmt = stmt
	if err := p.checkOrder(); err != nil {
		return err
	}
	if !stmt.ReadOnly() && !p.writes {
		return &provider.Error{Code: provider.Usage, Message: "the statement would change something, which a query cannot", Position: p.position}
	}
	if err := p.bindArgs(stmt); err != nil {
		return err
	}
	for i := range stmt.ColumnCount() {
		typ, format := typeOfDeclared(stmt.ColumnDeclType(i))
		p.columns = append(p.columns, provider.Column{Name: stmt.ColumnName(i), Type: typ, Format: format})
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

// rewrite gives a query as SQLite reads it: with its tables' names in place of those of resources,
// whose tables it makes.
func (p *program) rewrite(q *statement.Query) (string, error) {
	p.compares = p.compares || comparesWorkspace(q.Text)
	p.queries = append(p.queries, q)
	register := func(t statement.Table) (string, error) { return p.register(q, t) }
	if !q.Everywhere {
		return q.Rewrite(register)
	}
	if err := p.tableOf("databricks_account", "provisioning", "workspaces"); err != nil {
		return "", err
	}
	return q.RewriteEverywhere(register, everyWorkspace)
}

// everyWorkspace is the query for deployment_name = '*': what the account lists.
const everyWorkspace = "SELECT " + workspaceFunction + "(deployment_name, workspace_name) FROM \"databricks_account.provisioning.workspaces\" AS workspaces"

// tableOf makes the table of a resource, unless the program has it.
func (p *program) tableOf(providerName, service, name string) error {
	r, err := p.env.Catalogue.Resource(providerName, service, name)
	if err != nil || p.tables[r.FullName()] != nil {
		return err
	}
	return p.addTable(r, p.position)
}

// register makes the table for a resource that a query names, and gives the name that SQLite has for
// it.
func (p *program) register(text *statement.Query, t statement.Table) (string, error) {
	found, unknown, err := p.env.Catalogue.Lookup(t.Name[0].Text, t.Name[1].Text, t.Name[2].Text)
	if err != nil && unknown == 0 {
		return text.Text[t.Start:t.End], nil // a schema, a table and a column of SQLite's
	}
	if err != nil {
		return "", provider.At(err, t.Name[unknown].Pos)
	}
	r := found.Resource
	name := r.FullName()
	if t.Qualifier && name == p.subject {
		return sqlite3.QuoteIdentifier(p.alias), nil
	}
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
	p.tables[name], made.number = made, len(p.list)
	p.list = append(p.list, made)
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
	return p.createView(name, "", r.View.Definitions[i].SQL)
}

// createView makes a view of a query, whose tables are made first.
func (p *program) createView(name, columns, definition string) error {
	q, err := definitionOf(name, definition)
	if err != nil {
		return err
	}
	text, err := p.rewrite(q)
	if err != nil {
		return err
	}
	if columns != "" {
		columns = " (" + columns + ")"
	}
	if err := p.db.Exec("CREATE TEMP VIEW " + sqlite3.QuoteIdentifier(name) + columns + " AS " + text); err != nil {
		return &provider.Error{Code: provider.Internal, Message: "make the view " + name + ": " + sqliteMessage(err), Err: err}
	}
	return nil
}

// fail keeps the first error of the program, whose type SQLite would lose.
func (p *program) fail(err error) error {
	if p.err == nil {
		p.err = provider.At(err, p.position)
	}
	return err
}

// sqlError words an error of SQLite. One that a virtual table gave is that table's own.
func (p *program) sqlError(err error) error {
	if p.err != nil {
		return p.err
	}
	if p.ctx != nil && p.ctx.Err() != nil {
		return &provider.Error{Code: provider.Canceled, Message: "canceled", Err: context.Cause(p.ctx)}
	}
	e := &provider.Error{Code: provider.Usage, Message: sqliteMessage(err), Position: p.position, Err: err}
	if p.target != nil && strings.HasPrefix(e.Message, "no such column") {
		var names []string
		for _, field := range p.target.fields {
			names = append(names, field.name)
		}
		e.Hint = "the WHERE tells which resource is meant, by " + strings.Join(names, ", ")
	}
	if strings.Contains(e.Message, "no query solution") {
		e.Message, e.Hint = p.unsolved()
	}
	return e
}

// unsolved words that no order of the joins gives every table the parameters that it needs.
func (p *program) unsolved() (message, hint string) {
	if len(p.lacking) > 0 {
		return fmt.Sprintf("%s needs %s, to tell one resource from others", p.target.access.method.FullName(), strings.Join(p.lacking, ", ")),
			"compare each by = or IN in the WHERE; nothing was sent"
	}
	var parts, hints []string
	for _, t := range p.tables {
		if t == nil { // a view
			continue
		}
		if missing, ok := t.missing(); ok {
			parts = append(parts, fmt.Sprintf("%s needs %s", t.resource.FullName(), strings.Join(missing, ", ")))
			for _, name := range missing {
				if name == bind.AccountID {
					return t.resource.FullName() + " needs account_id, and no account is configured",
						"set DATABRICKS_ACCOUNT_ID, or account_id in the profile, or compare account_id with one"
				}
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

// operations reads the program's bytecode, once.
func (p *program) operations() (*bytecode.Program, error) {
	if p.bytecode != nil {
		return p.bytecode, nil
	}
	read, err := bytecode.Read(p.db, p.stmt.SQL())
	if err != nil {
		return nil, &provider.Error{Code: provider.Internal, Message: "explain the query", Err: err}
	}
	p.bytecode = read
	return read, nil
}

// flow reports how the program asks. A program that compares a workspace which it was not given is
// an error.
func (p *program) flow() (bytecode.Flow, error) {
	if len(p.tables) == 0 {
		return bytecode.Flow{}, nil
	}
	code, err := p.operations()
	if err != nil {
		return bytecode.Flow{}, err
	}
	if err := p.unaddressed(code); err != nil {
		return bytecode.Flow{}, err
	}
	return code.Flow(), nil
}

// supply makes the table that SQLite said it does not know part of the program's database, and reports
// whether it could.
func (p *program) supply(unknown error) (bool, error) {
	name, ok := missingTable(unknown)
	if !ok || p.env.Provide == nil {
		return false, nil
	}
	return p.env.Provide(p, name)
}

// missingTable reads from an error of SQLite's which table it does not know.
func missingTable(err error) (name string, ok bool) {
	_, name, ok = strings.Cut(err.Error(), "no such table: ")
	return name, ok
}

// isNew reports whether something of the stores was not part of the database until now.
func (p *program) isNew(key string) bool {
	if p.provided[key] {
		return false
	}
	if p.provided == nil {
		p.provided = map[string]bool{}
	}
	p.provided[key] = true
	return true
}
