package vtab

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Target is the table that the WHERE of an UPDATE or DELETE is about. It has a row for each
// combination of parameters that the condition supplies, and each must identify one resource.
// SQLite evaluates the condition, so values may come from lists and subqueries.
type Target struct {
	program *Program
	access  *access
	fields  []field
	at      *targetCursor    // the cursor that was moved last
	ids     map[string]int64 // of the rows, by their values
	lacking []string         // parameters that no plan had
}

// TargetTable is the name of the target in SQLite.
const TargetTable = "lakeql.target"

// AddTarget makes the target of a method. sets are the assignments of the statement; a DELETE has none.
// Of the body's attributes, an UPDATE may compare the required ones, and a DELETE all. Either may compare
// the body as a whole, by its own name. Their values go into the body.
func (p *Program) AddTarget(m *provider.Method, sets []statement.Assignment) error {
	t, err := newTarget(p, m, sets)
	if err != nil {
		return err
	}
	p.Target = t
	return t.create()
}

// Given lists the values of the row that the program is at, by name, in the order of the method's
// parameters.
func (t *Target) Given() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, f := range t.fields {
			if value, ok := t.at.given[f.name]; ok && !yield(f.name, value) {
				return
			}
		}
	}
}

func newTarget(p *Program, m *provider.Method, sets []statement.Assignment) (*Target, error) {
	b, err := bind.NewSignature(p.env.Catalogue, m)
	if err != nil {
		return nil, err
	}
	isSet := func(name string) bool {
		return slices.ContainsFunc(sets, func(s statement.Assignment) bool { return b.Sets(s.Column.Text, name) })
	}
	t := &Target{program: p, access: parameters(m), ids: map[string]int64{}}
	t.access.required = slices.DeleteFunc(t.access.required, func(name string) bool {
		param, ok := m.Param(name)
		return ok && param.In != provider.InPath && isSet(name) || bind.IsMaskName(name)
	})
	for _, name := range t.access.params {
		typ, err := p.env.typeOf(m, name)
		if err != nil {
			return nil, err
		}
		t.add(name, typ)
	}
	if b.Body == nil {
		return t, nil
	}
	if b.IsWhole(m.BodyName) {
		t.addAttribute(m.BodyName, "object")
	}
	masked := b.MaskName() != "" && b.IsParam(b.MaskName())
	for _, property := range b.Body.Properties {
		required := slices.Contains(m.Body.RequiredAttributes, property.Name)
		if len(sets) > 0 && !required {
			continue
		}
		schema, err := p.env.Catalogue.Resolve(m, property.Schema)
		if err != nil {
			return nil, err
		}
		if b.IsParam(property.Name) {
			t.add(bind.AttributePrefix+property.Name, schema.Type)
			continue
		}
		t.addAttribute(property.Name, schema.Type)
		if required && !masked && !isSet(property.Name) && !bind.IsMaskName(property.Name) && !slices.Contains(m.BodyFromPath, property.Name) {
			t.access.required = append(t.access.required, property.Name)
		}
	}
	return t, nil
}

// add adds a column unless the table has one with its name.
func (t *Target) add(name, typ string) {
	if !slices.ContainsFunc(t.fields, func(f field) bool { return strings.EqualFold(f.name, name) }) {
		t.fields = append(t.fields, field{name: name, typ: typ})
	}
}

// addAttribute adds a column for an attribute of the body, or for the body as a whole, and one for its
// name with StackQL's prefix.
func (t *Target) addAttribute(name, typ string) {
	t.add(name, typ)
	t.add(bind.AttributePrefix+name, typ)
	t.access.params = append(t.access.params, name)
}

// names lists what the condition may compare, without the names that have StackQL's prefix.
func (t *Target) names() []string {
	return slices.DeleteFunc(fieldNames(t.fields), func(name string) bool { return strings.HasPrefix(name, bind.AttributePrefix) })
}

// create makes the table in the program's database.
func (t *Target) create() error {
	columns := make([]string, len(t.fields))
	for i, f := range t.fields {
		columns[i] = sqlite3.QuoteIdentifier(f.name) + " " + DeclaredType(f.typ, f.format)
	}
	connect := func(db *sqlite3.Conn, _, _, _ string, _ ...string) (*Target, error) {
		return t, db.DeclareVTab("CREATE TABLE x(" + strings.Join(columns, ", ") + ")")
	}
	if err := sqlite3.CreateModule(t.program.DB, TargetTable, nil, connect); err != nil { //nolint:staticcheck // the generic method needs Go 1.27
		return provider.Internalf("make the table of %s", t.access.method.FullName()).Because(err)
	}
	return nil
}

// BestIndex takes every comparison by =, and refuses a plan that does not identify one resource.
func (t *Target) BestIndex(idx *sqlite3.IndexInfo) error {
	given := map[string]bool{}
	compared := map[string]bool{}
	chosen := choice{table: ofTarget}
	for i, c := range idx.Constraint {
		if c.Column < 0 || c.Op != sqlite3.INDEX_CONSTRAINT_EQ {
			continue
		}
		name := t.fields[c.Column].name
		compared[name], compared[strings.TrimPrefix(name, bind.AttributePrefix)] = true, true
		if !c.Usable || given[name] {
			continue
		}
		given[name] = true
		given[strings.TrimPrefix(name, bind.AttributePrefix)] = true
		chosen.fields = append(chosen.fields, c.Column)
		idx.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: len(chosen.fields), Omit: true}
	}
	has := func(known map[string]bool) func(string) bool {
		return func(name string) bool {
			return known[name] || t.program.env.Scope().Supplied(t.access.method, name)
		}
	}
	if len(t.access.lacking(has(given))) > 0 {
		if lacking := t.access.lacking(has(compared)); len(lacking) > 0 {
			t.lacking = lacking
		}
		return sqlite3.CONSTRAINT
	}
	idx.IdxNum, idx.IdxStr = t.program.env.choices.number(chosen), choiceText
	idx.EstimatedRows, idx.EstimatedCost = 1, 1
	return nil
}

// Open makes a cursor.
func (t *Target) Open() (sqlite3.VTabCursor, error) { return &targetCursor{target: t}, nil }

// targetCursor has one row, which is its arguments.
type targetCursor struct {
	target *Target
	given  map[string]any // as a row of SQLite's has them; nil behind the row
	id     int64
}

// Filter keeps the arguments.
func (c *targetCursor) Filter(idxNum int, _ string, args ...sqlite3.Value) error {
	c.given = nil
	given := map[string]any{}
	for i, n := range c.target.program.env.choices.at(idxNum).fields {
		switch args[i].Type() {
		case sqlite3.NULL:
			return nil // nothing equals NULL
		case sqlite3.INTEGER:
			given[c.target.fields[n].name] = args[i].Int64()
		case sqlite3.FLOAT:
			given[c.target.fields[n].name] = args[i].Float()
		case sqlite3.TEXT, sqlite3.BLOB:
			given[c.target.fields[n].name] = args[i].Text()
		}
	}
	c.given, c.id = given, c.target.number(given)
	c.target.at = c
	return nil
}

// Next goes behind the row.
func (c *targetCursor) Next() error {
	c.given = nil
	return nil
}

// EOF reports whether the row was passed.
func (c *targetCursor) EOF() bool { return c.given == nil }

// Column returns an argument. A column without one has no value: the API was not asked for it.
func (c *targetCursor) Column(ctx sqlite3.Context, n int) error {
	name := c.target.fields[n].name
	value, ok := c.given[name]
	if !ok {
		return c.target.program.fail(provider.Usagef("%s: %s has no value here", c.target.access.method.FullName(), name).
			Hintf("compare it by = or IN, in every alternative of an OR, or take the value from a SELECT"))
	}
	return c.target.program.result(ctx, value)
}

// RowID numbers the row. By the number SQLite recognises a row that two alternatives of an OR find.
func (c *targetCursor) RowID() (int64, error) { return c.id, nil }

// number returns the row's number. Rows with the same values have the same number.
func (t *Target) number(given map[string]any) int64 {
	key := fmt.Sprintf("%#v", given) // sorted by name
	if _, known := t.ids[key]; !known {
		t.ids[key] = int64(len(t.ids)) + 1
	}
	return t.ids[key]
}
