package vtab

import (
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// columns describes the columns that a query can name. It makes the stored tables that the query names
// part of the program's database.
func (ts *tables) columns(q *statement.Query) (statement.Columns, error) {
	known := classes{}
	for _, name := range q.Tables {
		found, _, err := ts.program.env.Catalogue.Lookup(name.Name[0].Text, name.Name[1].Text, name.Name[2].Text)
		if err != nil {
			continue // a schema, a table and a column of SQLite's
		}
		if t := ts.named[found.Resource.FullName()]; t != nil {
			t.classify(known.of(name.Name.String()))
		} else { // a view over resources
			ts.program.classifyStored(known.of(name.Name.String()), found.Resource.FullName(), true)
		}
	}
	for _, name := range q.Stored {
		if ts.program.env.Provide == nil {
			break
		}
		if _, err := ts.program.env.Provide(ts.program, name); err != nil {
			return nil, provider.At(err, ts.program.position)
		}
		ts.program.classifyStored(known.of(name), name, false)
	}
	if target := ts.program.Target; target != nil {
		all := known.of("")
		for _, f := range target.fields {
			add(all, f.name, statement.Column{Class: statement.Parameter, Shared: true, Native: true})
		}
	}
	all := known.of("")
	for table, columns := range known {
		for name, column := range columns {
			if table != "" {
				add(all, name, column)
			}
		}
	}
	return func(table, name string) statement.Column { return known[table][name] }, nil
}

// classes describe columns, by table and name. The empty table stands for all tables.
type classes map[string]map[string]statement.Column

// of returns the columns of a table, to add to.
func (c classes) of(table string) map[string]statement.Column {
	table = strings.ToLower(table)
	if c[table] == nil {
		c[table] = map[string]statement.Column{}
	}
	return c[table]
}

// add adds a column of one table. Columns with one name and different classes have no class. A possible
// parameter stays one unless a boolean or a time has the same name.
func add(known map[string]statement.Column, name string, c statement.Column) {
	name = strings.ToLower(name)
	earlier, ok := known[name]
	switch plain := []statement.Class{statement.Textual, statement.Numeric, statement.Parameter}; {
	case !ok, earlier.Class == c.Class:
	case slices.Contains(plain, earlier.Class) && slices.Contains(plain, c.Class):
		c.Class = statement.Textual
		if earlier.Class == statement.Parameter || earlier.Shared || c.Shared {
			c.Class = statement.Parameter
		}
	default:
		c.Class = statement.Unclear
	}
	if ok {
		c.Shared, c.Native = c.Shared || earlier.Shared, c.Native && earlier.Native
	}
	known[name] = c
}

// classify adds the columns of the table.
func (t *table) classify(known map[string]statement.Column) {
	for _, f := range t.fields {
		shared := slices.ContainsFunc(t.methods, func(a *access) bool { return slices.Contains(a.params, f.name) })
		if f.hidden {
			add(known, f.name, statement.Column{Class: statement.Parameter, Shared: true, Native: true})
			continue
		}
		add(known, f.name, statement.Column{Class: classOf(f.typ, f.format), Shared: shared, Native: true})
	}
}

func classOf(typ, format string) statement.Class {
	switch {
	case typ == "boolean":
		return statement.Boolean
	case typ == "string" && format == dateTime:
		return statement.Time
	case typ == "integer" || typ == "number":
		return statement.Numeric
	}
	return statement.Textual
}

// classifyStored adds the columns of a table or view in the program's database. Without a declared
// type, a column may hold anything. native is set for a view over resources alone.
func (p *Program) classifyStored(known map[string]statement.Column, name string, native bool) {
	arguments := sqlite3.Quote(name)
	if schema, table, ok := strings.Cut(name, "."); ok && p.Has(strings.ToLower(schema)) {
		arguments = sqlite3.Quote(table) + ", " + sqlite3.Quote(schema)
	}
	stmt, _, err := p.DB.Prepare("SELECT name, type FROM pragma_table_xinfo(" + arguments + ")")
	if err != nil {
		return // SQLite says what is wrong when it reads the table
	}
	for stmt.Step() {
		class := statement.Unclear
		if typ, format := typeOfDeclared(stmt.ColumnText(1)); typ != "" {
			class = classOf(typ, format)
		}
		add(known, stmt.ColumnText(0), statement.Column{Class: class, Native: native})
	}
	_ = stmt.Close() // the same
}
