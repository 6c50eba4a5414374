package cli_test

import (
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

const (
	projects  = "databricks_workspace.postgres.postgres_projects"
	branches  = "databricks_workspace.postgres.postgres_branches"
	endpoints = "databricks_workspace.postgres.postgres_endpoints"
)

// TestSelect runs queries over the API, and looks at the rows and at how many calls they took.
func TestSelect(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query string
		rows  string // as csv without the header
		calls int
	}{
		"parameter by name":        {"SELECT name FROM " + branches + " WHERE project_id = 'p' ORDER BY name", "projects/p/branches/b\nprojects/p/branches/development\nprojects/p/branches/production\n", 1},
		"whole resource name":      {"SELECT name FROM " + branches + " WHERE parent = 'projects/p' AND name LIKE '%/b'", "projects/p/branches/b\n", 1},
		"one by its name":          {"SELECT name FROM " + branches + " WHERE name = 'projects/p/branches/b'", "projects/p/branches/b\n", 1},
		"one by its parts":         {"SELECT name FROM " + branches + " WHERE project_id = 'p' AND branch_id = 'b'", "projects/p/branches/b\n", 1},
		"one that is not there":    {"SELECT name FROM " + branches + " WHERE name = 'projects/p/branches/gone'", "", 1},
		"a deployment name":        {"SELECT name, deployment_name FROM " + projects + " WHERE deployment_name = 'dbc-1' AND name = 'projects/p'", "projects/p,dbc-1\n", 1},
		"values of a list":         {"SELECT name FROM " + branches + " WHERE project_id IN ('p', 'orders') AND name LIKE '%production' ORDER BY 1", "projects/orders/branches/production\nprojects/p/branches/production\n", 2},
		"a join":                   {"SELECT b.name FROM " + projects + " p JOIN " + branches + " AS b ON b.parent = p.name WHERE p.name IN ('projects/p') ORDER BY 1", "projects/p/branches/b\nprojects/p/branches/development\nprojects/p/branches/production\n", 2},
		"a join written backwards": {"SELECT count(*) FROM " + branches + " b, " + projects + " p WHERE p.name = b.parent AND p.name = 'projects/p'", "3\n", 2},
		"a join of three":          {"SELECT e.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name JOIN " + endpoints + " e ON e.parent = b.name WHERE p.name = 'projects/p' AND b.name LIKE '%/b'", endpoint + "\n", 3},
		"a subquery":               {"SELECT count(*) FROM " + branches + " WHERE parent IN (SELECT name FROM " + projects + " WHERE name = 'projects/p')", "3\n", 2},
		"a table expression":       {"WITH mine AS (SELECT name FROM " + projects + " WHERE name = 'projects/p') SELECT b.name FROM mine JOIN " + branches + " b ON b.parent = mine.name ORDER BY b.name LIMIT 1", "projects/p/branches/b\n", 2},
		"an aggregate":             {"SELECT json_extract(status, '$.current_state') s, count(*) FROM " + branches + " WHERE project_id = 'p' GROUP BY s", "READY,3\n", 1},
		"a window":                 {"SELECT row_number() OVER (ORDER BY name DESC) FROM " + branches + " WHERE project_id = 'p' LIMIT 1", "1\n", 1},
		"JSON operators":           {"SELECT status ->> '$.branch_id' FROM " + branches + " WHERE name = 'projects/p/branches/b'", "b\n", 1},
		"the resource's own name":  {"SELECT postgres_projects.name FROM " + projects + " WHERE postgres_projects.name = 'projects/p'", "projects/p\n", 1},
		"names of four parts":      {"SELECT " + projects + ".name FROM " + projects + " WHERE name = 'projects/p'", "projects/p\n", 1},
		"a view":                   {"SELECT name FROM databricks_workspace.postgres.vw_branches WHERE project_id = 'p' AND branch_id = 'b'", "projects/p/branches/b\n", 1},
		"a marker on one line":     {"SELECT count(*) FROM " + branches + " WHERE project_id = 'p' -- required AND name LIKE '%/b'", "1\n", 1},
		"backslashes and quotes":   {`SELECT '\', 'it''s', '--', '/*' FROM ` + projects + ` WHERE name = 'projects/p'`, "\\,it's,--,/*\n", 1},
		"no table at all":          {"SELECT 1 + 1, 'x'", "2,x\n", 0},
		"values":                   {"VALUES (1), (2)", "1\n2\n", 0},
		"a NULL parameter":         {"SELECT name FROM " + branches + " WHERE project_id = NULL", "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, env := workspace(t, emulator.Options{})
			got := run{args: []string{"exec", "-H", "-o", "csv", test.query}, env: env}.do(t)
			if got.status != 0 || got.stdout != test.rows {
				t.Errorf("status %d, rows:\n%swant:\n%s%s", got.status, got.stdout, test.rows, got.stderr)
			}
			if calls := len(server.Requests()); calls != test.calls {
				t.Errorf("%d calls, want %d", calls, test.calls)
			}
		})
	}
}

// TestSelectErrors shows that a query that cannot run, or fails on the way, says why and has the
// exit status for it.
func TestSelectErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query  string
		faults []string
		status int
		stderr string
	}{
		"missing parameter":             {"SELECT * FROM " + branches, nil, 2, "missing parameters: " + branches + " needs project_id"},
		"parameter by LIKE":             {"SELECT * FROM " + branches + " WHERE project_id LIKE 'p%'", nil, 2, "project_id is a parameter"},
		"parameters apart":              {"SELECT * FROM databricks_workspace.jobs.job_runs WHERE run_id = 7 AND include_history = true AND active_only = true", nil, 2, "no method of databricks_workspace.jobs.job_runs takes active_only, include_history together"},
		"no rows to select":             {"SELECT * FROM databricks_workspace.catalog.table_constraints", nil, 2, "no SELECT reaches databricks_workspace.catalog.table_constraints\n"},
		"parameters to choose from":     {"SELECT * FROM databricks_workspace.catalog.tables", nil, 2, "databricks_workspace.catalog.tables needs full_name to get, or catalog_name and schema_name to list\n"},
		"some of a choice":              {"SELECT * FROM databricks_workspace.catalog.tables WHERE catalog_name = 'a'", nil, 2, "needs full_name to get, or schema_name to list\n"},
		"the hint of a choice":          {"SELECT * FROM databricks_workspace.catalog.tables", nil, 2, "hint: add WHERE full_name = '…', or catalog_name = '…' AND schema_name = '…', or join with a table that supplies them\n"},
		"unknown column":                {"SELECT nam FROM " + projects, nil, 2, "line 1, column 8: no such column: nam\n"},
		"the nearest column":            {"SELECT nam FROM " + projects, nil, 2, "hint: did you mean name, deployment_name?\n"},
		"a column behind a resource":    {"SELECT *\nFROM " + projects + " p\nWHERE p.namme = 'x'", nil, 2, "line 3, column 7: no such column: p.namme\n"},
		"a column behind '*'":           {"SELECT * FROM " + projects + " p WHERE deployment_name = '*' AND\n  namme = 'x'", nil, 2, "line 2, column 3: no such column: namme\n"},
		"a column of a later statement": {"CREATE TEMP TABLE t (a);\nSELECT namme FROM " + projects, nil, 2, "line 2, column 8: no such column: namme\n"},
		"a column of a stored table":    {"CREATE TEMP TABLE t (colour); SELECT\ncolor FROM t", nil, 2, "line 2, column 1: no such column: color\n"},
		"unknown function":              {"SELECT name,\n uppr(name) FROM " + projects, nil, 2, "line 2, column 2: no such function: uppr\n"},
		"the nearest function":          {"SELECT uppr(name) FROM " + projects, nil, 2, "hint: did you mean upper?\n"},
		"too many arguments":            {"SELECT\nlower(1, 2)", nil, 2, "line 2, column 1: wrong number of arguments to function lower()\n"},
		"ambiguous column":              {"SELECT 1 FROM " + projects + " a, " + projects + " b\nWHERE name = 'x'", nil, 2, "line 2, column 7: ambiguous column name: name\n"},
		"unknown table":                 {"SELECT 1\nFROM nosuch", nil, 2, "line 2, column 6: no such table: nosuch\n"},
		"the nearest table":             {"CREATE TEMP TABLE orders (a); CREATE TEMP TABLE other (a); SELECT 1 FROM order_s", nil, 2, "no such table: order_s\n"},
		"double quotes":                 {"SELECT 1 FROM " + projects + "\nWHERE name = \"hush\"", nil, 2, "line 2, column 14: no such column\n"},
		"a string that cannot be":       {"SELECT 1 'a'\n'hush'", nil, 2, "line 2, column 1: near this text: syntax error\n"},
		"unknown provider":              {"SELECT *\nFROM databricks.postgres.branches", nil, 2, "line 2, column 6: unknown provider \"databricks\"\n"},
		"unknown provider of a column":  {"SELECT databrick_workspace.postgres.postgres_projects.name FROM " + projects, nil, 2, "line 1, column 8: unknown provider \"databrick_workspace\"\n"},
		"a column of an insert":         {"CREATE TEMP TABLE t (colour); INSERT INTO t\n(color) SELECT 1", nil, 2, "line 2, column 2: table t has no column named color\n"},
		"unknown resource":              {"SELECT *\nFROM databricks_workspace.postgres.project", nil, 2, "line 2, column 36: unknown resource"},
		"syntax":                        {"SELECT FROM " + projects, nil, 2, "line 1, column 8: near \"FROM\": syntax error\n"},
		"two statements in one":         {"SELECT 1 SELECT 2", nil, 2, "syntax error"},
		"open string":                   {"SELECT 'x", nil, 2, "the quote that opens here is not closed"},
		"bad deployment name":           {"SELECT * FROM " + projects + " WHERE deployment_name = 'evil.com/'", nil, 2, "neither one DNS label"},
		"name of another form":          {"SELECT * FROM " + branches + " WHERE parent = 'p'", nil, 2, `parent: "p" does not have the form projects/{project_id}`},
		"a list that is gone":           {"SELECT * FROM " + branches + " WHERE project_id = 'gone'", nil, 1, "NOT_FOUND"},
		"not allowed":                   {"SELECT * FROM " + projects, []string{"GET *: 403"}, 4, "HTTP 403"},
		"not authenticated":             {"SELECT * FROM " + projects, []string{"GET *: 401"}, 4, "HTTP 401"},
		"a failing inner call":          {"SELECT b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name", []string{"GET /api/2.0/postgres/projects/orders/branches: 500"}, 1, "projects/orders/branches"},
		"a page that repeats":           {"SELECT count(*) FROM " + projects, []string{"GET *: repeat-token"}, 1, "came twice"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, env := workspace(t, emulator.Options{Scale: 300, Faults: faults(t, test.faults...)})
			got := run{args: []string{"exec", "--retry-timeout", "0", "-o", "json", test.query}, env: env}.do(t)
			if got.status != test.status || !strings.Contains(got.stderr, test.stderr) || strings.Contains(got.stderr, "sqlite3") {
				t.Errorf("status %d, want %d\n%s", got.status, test.status, got.stderr)
			}
		})
	}
}
