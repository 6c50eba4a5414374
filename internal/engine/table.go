package engine

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// table is a resource as a virtual table. What its SELECT methods answer are columns; their
// parameters are hidden columns, or the same column where a parameter has an attribute's name.
type table struct {
	program  *program
	number   int // among the tables of the program
	resource *provider.Resource
	methods  []*access // those with the most required parameters first
	fields   []field
	index    map[string]int // of a field by its name
	lacking  []string       // parameters that no plan had, of the least demanding method
	together []string       // parameters that were given, and which no method takes together
}

// field is a column of the table.
type field struct {
	name, typ string
	format    string // OpenAPI's, as far as declaredType tells it
	hidden    bool   // a parameter that no answer holds
}

// access is a method that gives rows.
type access struct {
	method   *provider.Method
	required []string                    // parameters without which there is no call
	params   []string                    // all, the required ones and the whole resource name included
	columns  []int                       // of the field in the method's rows, -1 where it has none
	masks    map[int]dispatch.ColumnMask // by field, as far as they were asked for
	single   bool                        // it gives one resource by its name or ids, whose absence is no error
}

// newTable reads what a resource's table looks like.
func (p *program) newTable(r *provider.Resource, pos provider.Position) (*table, error) {
	t := &table{program: p, resource: r, index: map[string]int{}}
	for _, m := range r.MethodsFor(provider.Select) {
		single, err := p.isSingle(m)
		if err != nil {
			return nil, err
		}
		a := p.parameters(m)
		a.single = single
		t.methods = append(t.methods, a)
	}
	if len(t.methods) == 0 {
		return nil, &provider.Error{
			Code:     provider.Usage,
			Message:  "no SELECT reaches " + r.FullName(),
			Hint:     "see SHOW METHODS IN " + r.FullName(),
			Position: pos,
		}
	}
	slices.SortStableFunc(t.methods, func(a, b *access) int { return len(b.required) - len(a.required) })
	return t, t.declare()
}

// parameters lists what a method takes.
func (p *program) parameters(m *provider.Method) *access {
	a := &access{method: m}
	for _, v := range m.ServerVariables() {
		a.params = append(a.params, v.Name)
	}
	if m.NameParam != nil {
		a.params = append(a.params, m.NameParam.Name)
	}
	for _, param := range m.Params {
		a.params = append(a.params, param.Name)
		if param.Required {
			a.required = append(a.required, param.Name)
		}
	}
	return a
}

// typeOf gives the type of a parameter.
func (p *program) typeOf(m *provider.Method, name string) (string, error) {
	param, ok := m.Param(name)
	if !ok {
		return "string", nil
	}
	schema, err := p.env.Catalogue.Resolve(m, param.Schema)
	if err != nil || schema == nil {
		return "string", err
	}
	return schema.Type, nil
}

// declare finds the columns: those of every method's rows, then the parameters that are left.
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
	for _, a := range t.methods {
		for _, name := range a.params {
			typ, err := t.program.typeOf(a.method, name)
			if err != nil {
				return err
			}
			add(field{name: name, typ: typ, hidden: true})
		}
	}
	for i, a := range t.methods {
		a.columns = make([]int, len(t.fields))
		for n, f := range t.fields {
			a.columns[n] = slices.IndexFunc(rows[i], func(c provider.Column) bool { return c.Name == f.name })
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
		b.WriteString(sqlite3.QuoteIdentifier(f.name) + " " + declaredType(f.typ, f.format))
		if f.hidden {
			b.WriteString(" HIDDEN")
		}
	}
	b.WriteByte(')')
	return b.String()
}

// declaredTime is declaredType's for a time as ISO 8601 text: with TEXT in its name SQLite compares it as
// the text that it is.
const declaredTime = "TIMESTAMP TEXT"

// declaredType is the type that a column is declared with, for SQLite's affinities and for
// typeOfDeclared to find it again.
func declaredType(typ, format string) string {
	switch typ {
	case "integer":
		return "INTEGER"
	case "number":
		return "REAL"
	case "boolean":
		return "BOOLEAN"
	case "string":
		if format == dateTime {
			return declaredTime
		}
		return "TEXT"
	default:
		return "JSON"
	}
}

// dateTime is OpenAPI's format of a time.
const dateTime = "date-time"

// typeOfDeclared gives the document's type and format for a declared one; empty for an expression's result.
func typeOfDeclared(declared string) (typ, format string) {
	switch declared {
	case "INTEGER":
		return "integer", ""
	case "REAL":
		return "number", ""
	case "BOOLEAN":
		return "boolean", ""
	case "TEXT":
		return "string", ""
	case declaredTime:
		return "string", dateTime
	case "JSON", storedJSON:
		return "object", ""
	}
	return "", ""
}

// missing names the parameters that no plan had.
func (t *table) missing() ([]string, bool) { return t.lacking, len(t.lacking) > 0 }

// BestIndex chooses the method for what a plan knows of a row: the one with the most required
// parameters of those whose are all given. A plan that gives none what it needs is refused, so
// that SQLite orders joins in such a way that one resource feeds the next.
func (t *table) BestIndex(idx *sqlite3.IndexInfo) error {
	given := map[string]int{} // constraints that may be used, by field name
	named, compared := map[string]bool{}, map[string]bool{}
	for i, c := range idx.Constraint {
		if c.Column < 0 {
			continue
		}
		name := t.fields[c.Column].name
		switch {
		case c.Op == sqlite3.INDEX_CONSTRAINT_EQ && idx.Collation(i) == "BINARY": // a parameter is sent as it is
		case c.Op == sqlite3.INDEX_CONSTRAINT_LIMIT || c.Op == sqlite3.INDEX_CONSTRAINT_OFFSET:
			continue
		default:
			compared[name] = true
			continue
		}
		named[name] = true
		if _, ok := given[name]; !ok && c.Usable {
			given[name] = i
		}
	}
	for _, f := range t.fields { // no row has a value for it, and so none would be left
		if f.hidden && compared[f.name] && !named[f.name] {
			return t.fail(&provider.Error{
				Code:    provider.Usage,
				Message: fmt.Sprintf("%s: %s is a parameter, which has no value but the one given", t.resource.FullName(), f.name),
				Hint:    "give it by = or IN, or by a join",
			})
		}
	}
	has := func(name string) bool {
		_, ok := given[name]
		return ok || name == bind.AccountID && t.program.env.Account() != ""
	}
	best, known := -1, 0
	for n, a := range t.methods {
		if len(a.lacking(has)) > 0 || !a.takes(t, named) {
			continue
		}
		// Those with more required parameters come first; of their equals the one that more of what
		// is given goes to, and a list rather than one that wants an optional parameter.
		knows := a.known(given)
		better := best >= 0 && len(a.required) == len(t.methods[best].required) &&
			(knows > known || knows == known && a.isList() && !t.methods[best].isList())
		if best < 0 || better {
			best, known = n, knows
		}
	}
	if best >= 0 {
		early := t.early(named, given)
		t.use(idx, best, given)
		if early {
			idx.EstimatedCost = dear
		}
		return nil
	}
	least := t.methods[len(t.methods)-1]
	if lacking := least.lacking(func(name string) bool { return named[name] || has(name) }); len(lacking) > 0 {
		t.lacking = lacking
	}
	t.together = nil
	for name := range named {
		if t.fields[t.index[name]].hidden {
			t.together = append(t.together, name)
		}
	}
	slices.Sort(t.together)
	return sqlite3.CONSTRAINT
}

// takes reports whether the method has every parameter that the query compares: one that it does not
// know would not be sent, and no row would seem to meet the comparison.
func (a *access) takes(t *table, named map[string]bool) bool {
	for name := range named {
		if t.fields[t.index[name]].hidden && !slices.Contains(a.params, name) {
			return false
		}
	}
	return true
}

// known counts the given parameters that the method takes.
func (a *access) known(given map[string]int) int {
	n := 0
	for name := range given {
		if slices.Contains(a.params, name) {
			n++
		}
	}
	return n
}

func (a *access) isList() bool {
	return a.method.Paging != nil || a.method.Response != nil && a.method.Response.ObjectKey != ""
}

// lacking names the required parameters that are not given, not even as parts of a whole name.
func (a *access) lacking(given func(name string) bool) []string {
	whole := a.method.NameParam
	byName := whole != nil && given(whole.Name)
	var lacking []string
	for _, name := range a.required {
		if !given(name) && (!byName || !slices.Contains(whole.Params(), name)) {
			lacking = append(lacking, name)
		}
	}
	return lacking
}

// use tells SQLite which constraints become arguments of Filter.
func (t *table) use(idx *sqlite3.IndexInfo, method int, given map[string]int) {
	a := t.methods[method]
	chosen := choice{table: t.number, method: method, used: uint64(idx.ColumnsUsed), workspace: t.workspaces(idx)}
	for _, name := range a.params {
		i, ok := given[name]
		if !ok {
			continue
		}
		chosen.fields = append(chosen.fields, t.index[name])
		// What a call needs has been looked at with the call; the answer's attribute of that name may
		// say something else (etag = '' asks for any). What only filters is compared again.
		omit := t.fields[t.index[name]].hidden || slices.Contains(a.required, name)
		idx.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: len(chosen.fields), Omit: omit}
		delete(given, name)
	}
	idx.IdxNum, idx.IdxStr = t.program.env.choices.number(chosen), choiceText
	idx.EstimatedRows, idx.EstimatedCost = 1000, 1000
	if a.single {
		idx.EstimatedRows, idx.EstimatedCost = 1, 10
	}
}

// isSingle reports whether a method gives one resource. A list whose parent does not exist is an
// error; a resource that does not exist is no row.
func (p *program) isSingle(m *provider.Method) (bool, error) {
	if m.Verb != http.MethodGet || m.Response == nil || m.Response.Schema == nil || m.Response.ObjectKey != "" {
		return false, nil
	}
	if m.Paging != nil && m.Paging.Kind != provider.ByMerging {
		return false, nil
	}
	if !slices.ContainsFunc(m.Params, func(param provider.Parameter) bool { return param.Required }) {
		return false, nil
	}
	schema, err := p.env.Catalogue.Resolve(m, m.Response.Schema)
	return err == nil && schema.Type == "object", err
}

// Open makes a cursor.
func (t *table) Open() (sqlite3.VTabCursor, error) { return &cursor{table: t}, nil }

// fail keeps the first error of the query, whose type SQLite would lose.
func (t *table) fail(err error) error {
	return t.program.fail(err)
}
