package catalogtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/catalogtest"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// open makes a database for the catalogue that is part of the program.
func open(tb testing.TB) (*catalogtest.DB, *provider.Catalogue) {
	tb.Helper()
	cat := testworld.Catalogue(tb)
	db, err := catalogtest.Open(cat)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db, cat
}

func TestPrepare(t *testing.T) {
	db, _ := open(t)
	for _, test := range []struct{ name, statement string }{
		{"select", "SELECT name, uid FROM databricks_workspace.postgres.postgres_projects WHERE deployment_name = 'dbc' -- required\n;"},
		{"star", "select * from databricks_workspace.postgres.postgres_projects"},
		{"a column by its full name", "SELECT databricks_workspace.postgres.postgres_projects.name FROM databricks_workspace.postgres.postgres_projects"},
		{"a column by the resource's name", "SELECT postgres_projects.name FROM databricks_workspace.postgres.postgres_projects -- all\nORDER BY postgres_projects.name"},
		{"both", "SELECT a.name FROM databricks_workspace.postgres.postgres_projects a LEFT JOIN databricks_workspace.postgres.postgres_branches ON postgres_branches.parent = a.name"},
		{"in brackets", "SELECT (SELECT count(*) FROM databricks_workspace.postgres.postgres_projects), 'x'"},
		{"quoted parts", "SELECT name FROM \"databricks_workspace\".`postgres`.postgres_projects"},
		{"another case", "SELECT NAME FROM databricks_workspace.Postgres.POSTGRES_PROJECTS"},
		{"join", "SELECT p.name, b.name FROM databricks_workspace.postgres.postgres_projects p JOIN databricks_workspace.postgres.postgres_branches AS b ON b.parent = p.name"},
		{"with", "WITH p AS (SELECT name n FROM databricks_workspace.postgres.postgres_projects) SELECT n, row_number() OVER (ORDER BY n) FROM p UNION SELECT 'x', 1"},
		{"functions", "SELECT split_part(name, '/', -1), json_extract(status, '$.x'), regexp_like(name, 'a'), json_equal(spec, status) FROM databricks_workspace.postgres.postgres_projects"},
		{"insert", "INSERT INTO databricks_workspace.postgres.postgres_projects (project_id, spec) SELECT 'a', '{}' RETURNING name"},
		{"values", "INSERT INTO databricks_workspace.postgres.postgres_projects (project_id) VALUES ('databricks_workspace.no.table')"},
		{"update", "UPDATE databricks_workspace.postgres.postgres_projects SET spec = '{}' WHERE project_id = 'a' --required\nRETURNING name;"},
		{"delete", "DELETE FROM databricks_workspace.postgres.postgres_projects WHERE project_id = 'a' RETURNING name"},
		{"replace into", "REPLACE INTO databricks_workspace.postgres.postgres_projects (project_id) VALUES ('a')"},
		{"replace and set", "/* all of it */ REPLACE databricks_workspace.postgres.postgres_projects SET spec = '{}' WHERE project_id = 'a'"},
		{"the function replace", "SELECT replace(name, 'a', 'b') FROM databricks_workspace.postgres.postgres_projects; SELECT replace('a', 'b', 'c')"},
		{"view", "-- a view\nCREATE OR REPLACE MATERIALIZED VIEW v AS SELECT name AS n FROM databricks_workspace.postgres.postgres_projects; SELECT n FROM v; REFRESH MATERIALIZED VIEW v; DROP MATERIALIZED VIEW v"},
		{"table", "CREATE TABLE t AS SELECT name FROM databricks_workspace.postgres.postgres_projects; INSERT INTO t SELECT 'x'"},
		{"nothing", " ; -- nothing\n"},
	} {
		for range 2 { // what a text creates is gone afterwards
			if err := db.Prepare(test.statement); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	}
}

func TestPrepareFindsFaults(t *testing.T) {
	db, _ := open(t)
	const projects = "databricks_workspace.postgres.postgres_projects"
	for _, test := range []struct{ name, statement, want string }{
		{"syntax", "SELECT name,, uid FROM " + projects, "syntax error"},
		{"column", "SELECT title FROM " + projects, "no such column: title"},
		{"quoted column", `SELECT "title" FROM ` + projects, "no such column"},
		{"parameter", "SELECT name FROM " + projects + " WHERE deplyment_name = 'x'", "no such column: deplyment_name"},
		{"resource", "SELECT name FROM databricks_workspace.postgres.postgres_project", "did you mean postgres_projects"},
		{"service", "SELECT name FROM databricks_workspace.postgre.postgres_projects", "unknown service"},
		{"provider", "SELECT name FROM databricks.postgres.postgres_projects", "databricks"},
		{"attribute", "INSERT INTO " + projects + " (spce) VALUES (1)", "no column named spce"},
		{"set", "UPDATE " + projects + " SET spce = 1", "no such column: spce"},
		{"returning", "DELETE FROM " + projects + " RETURNING title", "no such column: title"},
		{"number of values", "INSERT INTO " + projects + " (spec) VALUES (1, 2)", "2 values for 1 columns"},
		{"view", "CREATE VIEW v AS SELECT title FROM " + projects, "no such column: title"},
		{"second statement", "SELECT name FROM " + projects + "; SELECT title FROM " + projects, "title"},
		{"function", "SELECT no_such(name) FROM " + projects, "no such function"},
		{"placeholder", "SELECT name FROM " + projects + " WHERE page_size = {{ page_size }}", "unrecognized token"},
	} {
		err := db.Prepare(test.statement)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q", test.name, err, test.want)
		}
	}
}

// TestRowColumns shows that a table has the columns of the engine's rows.
func TestRowColumns(t *testing.T) {
	_, cat := open(t)
	client := &dispatch.Client{Catalogue: cat}
	methods := 0
	eachResource(t, cat, func(r *provider.Resource) {
		for _, m := range r.Methods {
			got, err := catalogtest.RowColumns(cat, m)
			if err != nil {
				t.Fatal(err)
			}
			columns, err := client.Columns(m)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, c := range columns {
				want = append(want, c.Name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s gives %q, want %q", m.FullName(), got, want)
			}
			methods++
		}
	})
	t.Logf("%d methods", methods)
}

// A view is checked by its definition, and may be made of other views.
func TestViews(t *testing.T) {
	db, err := catalogtest.Open(provider.NewCatalogue(views{
		"t":       "",
		"v":       "SELECT a AS b FROM p.s.t",
		"nested":  "SELECT b AS c FROM p.s.v WHERE v.b > 1",
		"broken":  "SELECT z FROM p.s.t",
		"endless": "SELECT 1 FROM p.s.endless",
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for statement, want := range map[string]string{
		"SELECT b FROM p.s.v":       "",
		"SELECT c FROM p.s.nested":  "",
		"SELECT a FROM p.s.v":       "no such column: a",
		"SELECT * FROM p.s.broken":  "no such column: z",
		"SELECT * FROM p.s.endless": "made of itself",
	} {
		err := db.Prepare(statement)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", statement, err, want)
		}
	}
}

// views are resources of a service p.s by their names: views with a query, or else a table with
// the one column a.
type views map[string]string

func (views) Providers() ([]*provider.Provider, error) {
	return []*provider.Provider{{Name: "p", Services: []*provider.ServiceInfo{{Name: "s"}}}}, nil
}

func (v views) Service(string, string) (*provider.Service, error) {
	s := &provider.Service{Provider: "p", Name: "s"}
	for name := range v {
		s.Resources = append(s.Resources, &provider.ResourceInfo{Name: name})
	}
	return s, nil
}

func (v views) Resource(_, _, name string) (*provider.Resource, error) {
	r := &provider.Resource{Provider: "p", Service: "s", Name: name}
	if v[name] != "" {
		r.View = &provider.View{Definitions: []provider.ViewDefinition{{Dialect: "postgres", SQL: "?"}, {Dialect: "sqlite3", SQL: v[name]}}}
		return r, nil
	}
	item := &provider.Schema{Type: "object", Properties: []provider.Property{{Name: "a", Schema: &provider.Schema{Type: "string"}}}}
	r.Methods = []*provider.Method{{Name: "get", SQLVerb: provider.Select, Response: &provider.Response{Schema: item}}}
	return r, nil
}

func (views) FormerNames(string) ([]provider.FormerName, error) { return nil, nil }

func (views) Schema(_, _, name string) (*provider.Schema, error) {
	return nil, fmt.Errorf("no schema %s", name)
}

// Every resource of both providers has a table that SQLite takes.
func TestEveryResource(t *testing.T) {
	db, cat := open(t)
	tables := 0
	eachResource(t, cat, func(r *provider.Resource) {
		if err := db.Prepare("SELECT * FROM " + r.FullName()); err != nil {
			t.Error(err)
		}
		tables++
	})
	t.Logf("%d tables", tables)
}

func eachResource(tb testing.TB, cat *provider.Catalogue, visit func(*provider.Resource)) {
	tb.Helper()
	providers, err := cat.Providers()
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range providers {
		for _, service := range p.Services {
			s, err := cat.Service(p.Name, service.Name)
			if err != nil {
				tb.Fatal(err)
			}
			for _, info := range s.Resources {
				r, err := cat.Resource(p.Name, s.Name, info.Name)
				if err != nil {
					tb.Fatal(err)
				}
				visit(r)
			}
		}
	}
}
