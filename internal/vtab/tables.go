package vtab

import (
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// tables are the virtual tables and views of a program's database.
type tables struct {
	making  []string // views that are being made, the outermost first
	program *Program
	named   map[string]*table // by the resource's full name; nil for a view
	list    []*table          // by number
	// ordered is set if some order of the tables would lose rows, compares if a text compares the
	// variable of a tenant: see workspaces.go.
	ordered, compares bool
	// subject is the resource that a write is about, alias the table that stands for its rows.
	subject, alias string
	// asked holds the resources that queries name. former holds the resources of earlier documents behind
	// some names, which this program uses.
	asked  []*provider.Resource
	former map[string]*provider.Resource
}

// rewrite is [Program.Rewrite].
func (ts *tables) rewrite(q *statement.Query) (string, error) {
	register := func(t statement.Table) (string, error) { return ts.register(q, t) }
	tenants, err := ts.program.env.Catalogue.Tenants()
	if err != nil {
		return "", err
	}
	lists := map[string]string{}
	for _, tenant := range tenants {
		ts.compares = ts.compares || comparesTenant(q.Text, tenant.Variable)
		if !q.Everywhere(tenant.Variable) {
			continue
		}
		if lists[tenant.Variable], err = ts.everyTenant(tenant); err != nil {
			return "", err
		}
	}
	edits, err := q.Renames(register)
	if err != nil {
		return "", err
	}
	edits = append(edits, q.Tenants(lists)...)
	columns, err := ts.columns(q)
	if err != nil {
		return "", err
	}
	compared, err := q.Comparisons(columns, statement.Spellings{Time: timeCollation, Dates: datesCollation, Truth: truthFunction, Spelled: spelledFunction})
	if err != nil {
		return "", err
	}
	edits = slices.DeleteFunc(edits, func(e statement.Edit) bool { return e.Text == q.Text[e.Start:e.End] }) // no resource
	edits = append(edits, q.DottedColumns(ts.hasDotted)...)
	edited := q.Edit(append(edits, compared...))
	ts.program.edited = append(ts.program.edited, edited)
	return edited.Text, ts.program.functions.AddCalled(edited.Text)
}

// hasDotted reports whether a table has a column with a dotted name.
func (ts *tables) hasDotted(name string) bool {
	has := func(fields []field) bool {
		return slices.ContainsFunc(fields, func(f field) bool { return strings.EqualFold(f.name, name) })
	}
	return ts.program.Target != nil && has(ts.program.Target.fields) || slices.ContainsFunc(ts.list, func(t *table) bool { return has(t.fields) })
}

// everyTenant returns the query for deployment_name = '*', the values of the tenants' list, and makes the table
// that it reads.
func (ts *tables) everyTenant(tenant *provider.Tenant) (string, error) {
	r, err := ts.program.env.Catalogue.ResourceOf(tenant.List)
	if err != nil {
		return "", err
	}
	if ts.named[r.FullName()] == nil {
		if err := ts.addTable(r, r.FullName(), ts.program.position); err != nil {
			return "", err
		}
	}
	column, label := sqlite3.QuoteIdentifier(tenant.Column), sqlite3.QuoteIdentifier(tenant.Label)
	return "SELECT " + workspaceFunction + "(" + column + ", " + sqlite3.Quote(tenant.Variable) + ", " + label + ") FROM " + sqlite3.QuoteIdentifier(r.FullName()) + " AS " + sqlite3.QuoteIdentifier(r.Name), nil
}

// register makes the table for a resource that a query names, and returns its name in SQLite.
func (ts *tables) register(text *statement.Query, t statement.Table) (string, error) {
	found, unknown, err := ts.program.env.Catalogue.Lookup(t.Name[0].Text, t.Name[1].Text, t.Name[2].Text)
	if err != nil && unknown == 0 && !t.From && (!t.Qualifier || statement.IsSchema(t.Name[0].Text)) {
		return text.Text[t.Start:t.End], nil // a schema, a table and a column of SQLite's
	}
	if err != nil {
		if near := ts.program.nearestTable(t.Name[2].Text); near != "" && t.Name[0].Pos == t.Name[2].Pos { // USE completed the name
			err = provider.Change(err, func(e *provider.Error) { e.Hint = near })
		}
		return "", provider.At(err, t.Name[unknown].Pos)
	}
	r := found.Resource
	name := r.FullName()
	if t.Qualifier && name == ts.subject {
		return sqlite3.QuoteIdentifier(ts.alias), nil
	}
	ts.asked = append(ts.asked, r)
	if former := ts.former[name]; former != nil {
		r = former
	}
	ts.program.noteRenamed(r.Renamed(provider.Select))
	switch _, made := ts.named[name]; {
	case made:
	case r.View != nil:
		if err := ts.addView(r); err != nil {
			return "", err
		}
	default:
		if err := ts.addTable(r, name, t.Name[2].Pos); err != nil {
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

// addFunction makes the table of a resource that a query reads as a function, and reports whether one has the
// name. SQLite passes the arguments to the hidden columns, in their order.
func (ts *tables) addFunction(name string) (bool, error) {
	full, ok := ts.program.env.Functions[strings.ToLower(name)]
	if !ok {
		return false, nil
	}
	r, err := ts.program.env.Catalogue.ResourceOf(full)
	if err != nil {
		return false, err
	}
	return true, ts.addTable(r, name, ts.program.position)
}

// addTable makes the virtual table of a resource, under a name.
func (ts *tables) addTable(r *provider.Resource, name string, pos provider.Position) error {
	made, err := newTable(ts.program, r, pos)
	if err != nil {
		return err
	}
	ts.named[name], made.number = made, len(ts.list)
	ts.list = append(ts.list, made)
	connect := func(db *sqlite3.Conn, _, schema, _ string, _ ...string) (*table, error) {
		if schema != "main" { // a table that a store's file declares with this module
			return nil, provider.Usagef("a virtual table of a store is not read")
		}
		return made, db.DeclareVTab(made.declaration())
	}
	if err := sqlite3.CreateModule(ts.program.DB, name, nil, connect); err != nil { //nolint:staticcheck // the generic method needs Go 1.27
		return provider.Internalf("make the table of %s", name).Because(err)
	}
	return nil
}

// addView makes a resource that is a query over others.
func (ts *tables) addView(r *provider.Resource) error {
	name := r.FullName()
	ts.named[name] = nil // SQLite refuses a view that names itself
	i := slices.IndexFunc(r.View.Definitions, func(d provider.ViewDefinition) bool { return d.Dialect == "" || d.Dialect == "sqlite3" })
	if i < 0 {
		return provider.Usagef("%s has no definition for SQLite", name)
	}
	return ts.createView(name, nil, r.View.Definitions[i].SQL)
}

// createView is [Program.CreateView].
func (ts *tables) createView(name string, columns []string, definition string) error {
	// The rewriting of a query makes the views that it reads, to know the kinds of their columns.
	if slices.ContainsFunc(ts.making, func(other string) bool { return strings.EqualFold(other, name) }) {
		return provider.Usagef("the view %s is circularly defined", name).Hintf("no view may read itself, not even through another one")
	}
	ts.making = append(ts.making, name)
	defer func() { ts.making = ts.making[:len(ts.making)-1] }()
	q, err := ParseView(name, definition)
	if err != nil {
		return err
	}
	text, err := ts.program.Rewrite(q)
	if err != nil {
		return err
	}
	list := ""
	if len(columns) > 0 {
		quoted := make([]string, len(columns))
		for i, column := range columns {
			quoted[i] = sqlite3.QuoteIdentifier(column)
		}
		list = " (" + strings.Join(quoted, ", ") + ")"
	}
	if err := sandbox.Exec(ts.program.DB, "CREATE TEMP VIEW "+sqlite3.QuoteIdentifier(name)+list+" AS "+text); err != nil {
		return provider.Internalf("make the view %s: %s", name, Message(err)).Because(err)
	}
	return nil
}

// ParseView reads the query of a view.
func ParseView(name, text string) (*statement.Query, error) {
	parsed, err := statement.Parse(text)
	if err != nil {
		return nil, provider.Usagef("the view %s is not one query: %v", provider.Printable(name), err).Because(err)
	}
	if len(parsed) == 1 {
		if q, ok := parsed[0].(*statement.Query); ok {
			return q, nil
		}
	}
	return nil, provider.Usagef("the view %s is not one query", provider.Printable(name))
}
