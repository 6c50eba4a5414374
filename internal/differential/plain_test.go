package differential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// plain holds the world in ordinary tables of SQLite. Each resource has two: branches has the rows of the
// configured host, branches_everywhere those of the workspaces that queries name.
type plain struct {
	db *sqlite3.Conn
}

// openPlain makes and fills the tables.
func openPlain(t *testing.T, w *world) *plain {
	t.Helper()
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	p := &plain{db}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, r := range w.resources {
		for _, everywhere := range []bool{false, true} {
			p.fill(t, w, r, everywhere)
		}
	}
	for _, v := range w.views {
		definition := w.definition(t, v).Definitions[0].SQL
		for _, suffix := range []string{"", everywhere} {
			sql := definition
			for _, r := range w.resources {
				sql = strings.ReplaceAll(sql, r.full, r.name+suffix)
			}
			p.exec(t, "CREATE VIEW "+v.name+suffix+" AS "+sql)
		}
	}
	return p
}

// everywhere is the suffix of a resource's table with the rows of several workspaces.
const everywhere = "_everywhere"

// host is the deployment_name of the configured host.
const host = "127.0.0.1"

// declared returns the type that a column of a kind is declared with.
var declared = map[kind]string{
	text: "TEXT", number: "NUMERIC", instant: "TEXT", path: "TEXT", id: "TEXT", object: "JSON",
}

func (p *plain) fill(t *testing.T, w *world, r *resource, all bool) {
	t.Helper()
	name := r.name
	if all {
		name += everywhere
	}
	var columns, places []string
	for _, c := range r.columns {
		columns, places = append(columns, c.name+" "+declared[c.kind]), append(places, "?")
	}
	parents := r.parameters()
	for _, parameter := range append([]string{"deployment_name"}, parents...) {
		columns, places = append(columns, parameter+" TEXT"), append(places, "?")
	}
	p.exec(t, "CREATE TABLE "+name+" ("+strings.Join(columns, ", ")+")")
	insert, _, err := p.db.Prepare("INSERT INTO " + name + " VALUES (" + strings.Join(places, ", ") + ")")
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close() //nolint:errcheck // Exec told
	for _, row := range w.rows[r.name] {
		if (row.workspace != "") != all {
			continue
		}
		for i, c := range r.columns {
			err = errors.Join(err, bind(insert, i+1, row.attributes[c.name]))
		}
		workspace := row.workspace
		if !all {
			workspace = host
		}
		err = errors.Join(err, insert.BindText(len(r.columns)+1, workspace))
		ids := strings.Split(strings.Trim(string(row.attributes["name"]), `"`), "/")
		for i := range parents {
			err = errors.Join(err, insert.BindText(len(r.columns)+2+i, ids[2*i+1]))
		}
		if err := errors.Join(err, insert.Exec()); err != nil {
			t.Fatal(err)
		}
	}
}

// bind returns a placeholder a value as SQL has it.
func bind(stmt *sqlite3.Stmt, n int, raw json.RawMessage) error {
	var value any
	if raw != nil {
		if err := json.Unmarshal(raw, &value); err != nil {
			return err
		}
	}
	switch value := value.(type) {
	case nil:
		return stmt.BindNull(n)
	case string:
		return stmt.BindText(n, value)
	case bool:
		return stmt.BindBool(n, value)
	case float64:
		if value == float64(int64(value)) {
			return stmt.BindInt64(n, int64(value))
		}
		return stmt.BindFloat(n, value)
	}
	return stmt.BindText(n, string(raw))
}

func (p *plain) exec(t *testing.T, sql string) {
	t.Helper()
	if err := p.db.Exec(sql); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// run returns the rows of a query, each as one text.
func (p *plain) run(ctx context.Context, sql string) ([]string, error) {
	p.db.SetInterrupt(ctx)
	stmt, _, err := p.db.Prepare(sql)
	if err != nil {
		return nil, err
	}
	var rows []string
	for stmt.Step() {
		var values []any
		for i := range stmt.ColumnCount() {
			values = append(values, valueOf(stmt, i))
		}
		rows = append(rows, lineOf(values))
	}
	return rows, errors.Join(stmt.Err(), stmt.Close())
}

// texts returns the first column of a query.
func (p *plain) texts(sql string) ([]string, error) {
	stmt, _, err := p.db.Prepare(sql)
	if err != nil {
		return nil, err
	}
	var all []string
	for stmt.Step() {
		all = append(all, stmt.ColumnText(0))
	}
	return all, errors.Join(stmt.Err(), stmt.Close())
}

func valueOf(stmt *sqlite3.Stmt, i int) any {
	switch stmt.ColumnType(i) {
	case sqlite3.NULL:
		return nil
	case sqlite3.INTEGER:
		return stmt.ColumnInt64(i)
	case sqlite3.FLOAT:
		return stmt.ColumnFloat(i)
	case sqlite3.TEXT, sqlite3.BLOB:
	}
	return stmt.ColumnText(i)
}

// lineOf writes a row as text: two rows are equal if and only if their texts are. A boolean or JSON of lakeql
// is a number or a text in SQLite.
func lineOf(values []any) string {
	var b strings.Builder
	for i, value := range values {
		if i > 0 {
			b.WriteString(" | ")
		}
		switch value := value.(type) {
		case nil:
			b.WriteString("NULL")
		case bool:
			if value {
				b.WriteString("1")
			} else {
				b.WriteString("0")
			}
		case json.RawMessage:
			fmt.Fprintf(&b, "%q", string(value))
		case string:
			fmt.Fprintf(&b, "%q", value)
		case float64:
			fmt.Fprintf(&b, "%.12gf", value) // sums differ in the last digits with the order of rows
		default:
			fmt.Fprint(&b, value)
		}
	}
	return b.String()
}

// Queries of the generator have marks for words that differ on the two sides:
//
//	{branches}             the resource, or its plain table
//	{branches_everywhere}  the same, if deployment_name distinguishes its workspaces
//	{b.* branches}         all columns that are not parameters
//	{b.page_size 2}        a condition on a parameter that changes how a list is read, but not its rows
const marks = `\{(\w+)(?:\.(\*|page_size) (\w+))?\}`

// onAPI words a query for lakeql.
func (w *world) onAPI(query string) string {
	return w.mark.ReplaceAllStringFunc(query, func(found string) string {
		switch m := w.mark.FindStringSubmatch(found); m[2] {
		case "*":
			return m[1] + ".*"
		case "page_size":
			return m[1] + ".page_size = " + m[3]
		default:
			return w.resource(strings.TrimSuffix(m[1], everywhere)).full
		}
	})
}

// reservedColumn matches a column that SQLite reserves. lakeql takes it without quotes.
var reservedColumn = regexp.MustCompile(`\.(default)\b`)

// onPlain words a query for the plain tables.
func (w *world) onPlain(query string) string {
	plain := w.mark.ReplaceAllStringFunc(query, func(found string) string {
		switch m := w.mark.FindStringSubmatch(found); m[2] {
		case "*":
			var columns []string
			for _, c := range w.resource(m[3]).columns {
				columns = append(columns, m[1]+"."+c.name)
			}
			return strings.Join(columns, ", ")
		case "page_size":
			return "TRUE"
		default:
			return m[1]
		}
	})
	return reservedColumn.ReplaceAllString(plain, `."$1"`)
}
