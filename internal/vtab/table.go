package vtab

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// table is a resource as a virtual table. The attributes that its SELECT methods return are
// columns. Their parameters are hidden columns; a parameter with the name of an attribute shares
// that column.
type table struct {
	program  *Program
	number   int // among the tables of the program
	resource *provider.Resource
	methods  []*access // those with the most required parameters first
	fields   []field
	index    map[string]int // of a field by its name
	lacking  []lack         // what no plan had, one for each way to read the table
	together []string       // parameters that were given, and which no method takes together
	tenant   string         // the server variable that names the tenant; empty if there is none
}

// field is a column of the table.
type field struct {
	name, typ string
	format    string // OpenAPI's, as far as declaredType tells it
	hidden    bool   // a parameter that no answer holds
	unlisted  bool   // the name of a column in earlier documents, which * leaves out
}

// isTime reports whether the column holds times.
func (f field) isTime() bool { return f.typ == "string" && f.format == dateTime }

// access is a method that returns rows.
type access struct {
	method   *provider.Method
	required []string                    // parameters without which there is no call
	params   []string                    // all, the required ones and the whole resource name included
	body     []string                    // those that are attributes of the request's body
	columns  []int                       // of the field in the method's rows, -1 where it has none
	masks    map[int]dispatch.ColumnMask // by field, as far as they were asked for
	single   bool                        // it gives one resource by its name or ids, whose absence is no error
}

// newTable works out the columns and methods of a resource's table.
func newTable(p *Program, r *provider.Resource, pos provider.Position) (*table, error) {
	t := &table{program: p, resource: r, index: map[string]int{}}
	methods, err := p.env.SelectMethods(r)
	if err != nil {
		return nil, err
	}
	for _, m := range methods {
		single, err := p.env.isSingle(m)
		if err != nil {
			return nil, err
		}
		if t.tenant == "" {
			t.tenant = p.env.Catalogue.TenantVariable(m)
		}
		a := parameters(m)
		a.single = single
		if err := p.env.addBody(a); err != nil {
			return nil, err
		}
		t.methods = append(t.methods, a)
	}
	if len(t.methods) == 0 {
		return nil, p.noSelect(r, pos)
	}
	slices.SortStableFunc(t.methods, func(a, b *access) int { return len(b.required) - len(a.required) })
	return t, t.declare()
}

// parameters lists the parameters of a method.
func parameters(m *provider.Method) *access {
	a := &access{method: m, params: slices.Clone(m.Ignored)}
	variables := func() {
		for _, v := range m.ServerVariables() {
			a.params = append(a.params, v.Name)
		}
	}
	if m.Connects != "" { // as a function it takes its own parameters first
		defer variables()
	} else {
		variables()
	}
	if m.NameParam != nil {
		a.params = append(a.params, m.NameParam.Name)
	}
	for _, param := range m.Params {
		a.params = append(a.params, param.Name)
		a.params = append(a.params, param.Spellings()...)
		if object, _, ok := strings.Cut(param.Name, "."); ok && !slices.Contains(a.params, object) {
			a.params = append(a.params, object)
		}
		if param.Required {
			a.required = append(a.required, param.Name)
		}
	}
	return a
}

// supplied reports whether the configuration supplies a parameter that the query does not give.
func (t *table) supplied(name string) bool {
	return slices.ContainsFunc(t.methods, func(a *access) bool { return t.program.env.Scope().Supplied(a.method, name) })
}

// typeOf returns the type of a parameter, or of an attribute of the body.
func (e *Env) typeOf(m *provider.Method, name string) (string, error) {
	signature, err := bind.NewSignature(e.Catalogue, m)
	if err != nil {
		return "string", err
	}
	schema, err := signature.Schema(name)
	if err != nil || schema == nil {
		return "string", err
	}
	return schema.Type, nil
}

// declare finds the columns: the attributes of every method's rows, then the remaining parameters.
func (t *table) declare() error {
	add := func(f field) {
		if _, ok := t.index[f.name]; !ok {
			t.index[f.name] = len(t.fields)
			t.fields = append(t.fields, f)
		}
	}
	rows := make([][]provider.Column, len(t.methods))
	for i, a := range t.methods {
		var err error
		if rows[i], err = t.program.env.Client.Columns(a.method); err != nil {
			return err
		}
		for _, c := range rows[i] {
			add(field{name: c.Name, typ: c.Type, format: c.Format})
		}
	}
	for _, columns := range rows {
		for _, c := range columns {
			for _, former := range strings.Fields(c.Former) {
				add(field{name: former, typ: c.Type, format: c.Format, unlisted: true})
			}
		}
	}
	for _, a := range t.methods {
		for _, name := range a.params {
			typ, err := t.program.env.typeOf(a.method, name)
			if err != nil {
				return err
			}
			add(field{name: name, typ: typ, hidden: true})
		}
	}
	for i, a := range t.methods {
		a.columns = make([]int, len(t.fields))
		for n, f := range t.fields {
			a.columns[n] = slices.IndexFunc(rows[i], func(c provider.Column) bool {
				return c.Name == f.name || slices.Contains(strings.Fields(c.Former), f.name)
			})
		}
	}
	return nil
}

// declaration is the CREATE TABLE that SQLite reads the columns from.
func (t *table) declaration() string {
	var b strings.Builder
	b.WriteString("CREATE TABLE x(")
	for i, f := range t.fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(sqlite3.QuoteIdentifier(f.name) + " " + DeclaredType(f.typ, f.format))
		switch {
		case f.hidden, f.unlisted:
			b.WriteString(" HIDDEN")
		case f.isTime():
			b.WriteString(" COLLATE " + timeCollation)
		}
	}
	b.WriteByte(')')
	return b.String()
}

// isSingle reports whether a method returns one resource. If that does not exist, there is no row;
// if the parent of a list does not exist, that is an error.
func (e *Env) isSingle(m *provider.Method) (bool, error) {
	if m.Verb != http.MethodGet || m.Response == nil || m.Response.Schema == nil || m.Response.ObjectKey != "" {
		return false, nil
	}
	if m.Paging != nil && m.Paging.Kind != provider.ByMerging {
		return false, nil
	}
	if !slices.ContainsFunc(m.Params, func(param provider.Parameter) bool { return param.Required }) {
		return false, nil
	}
	schema, err := e.Catalogue.Resolve(m, m.Response.Schema)
	return err == nil && schema.Type == "object", err
}

// Open makes a cursor.
func (t *table) Open() (sqlite3.VTabCursor, error) { return &cursor{table: t}, nil }

// fail keeps the first error of the query, because SQLite would lose its type.
func (t *table) fail(err error) error {
	return t.program.fail(err)
}
