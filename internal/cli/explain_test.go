package cli_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// explained runs a text and returns the rows of its last statement, without the header.
func explained(t *testing.T, env []string, args ...string) [][]string {
	t.Helper()
	got := run{args: append([]string{"exec", "-H", "-o", "csv", "-d", "|"}, args...), env: env}.do(t)
	if got.status != 0 {
		t.Fatalf("%v: status %d\n%s", args, got.status, got.stderr)
	}
	r := csv.NewReader(strings.NewReader(got.stdout))
	r.Comma = '|'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestExplain shows EXPLAIN's description of each call: the method, the number of calls, the sources of the
// parameters, the columns that are read. It makes no call.
func TestExplain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		statement string
		want      string // step: calls: parameters: columns, a line each; what SQLite does is left out
	}{
		"a constant":                {"SELECT name FROM " + branches + " WHERE project_id = 'it''s'", "postgres_branches.list: 1 + pages: project_id = 'it''s': name"},
		"two constants":             {"SELECT name FROM " + branches + " WHERE project_id = 'p' AND branch_id = 'b'", "postgres_branches.get: 1: project_id = 'p', branch_id = 'b': branch_id, name"},
		"an IN list":                {"SELECT * FROM " + branches + " WHERE project_id IN ('a', 'b', 'c')", "postgres_branches.list: 3 + pages: project_id IN ('a', 'b', 'c'): *"},
		"two IN lists":              {"SELECT name FROM " + branches + " WHERE project_id IN ('a', 'b') AND branch_id IN ('c', 'd')", "postgres_branches.get: 4: project_id IN ('a', 'b'), branch_id IN ('c', 'd'): branch_id, name"},
		"workspaces":                {"SELECT name FROM " + projects + " WHERE deployment_name IN ('a', 'b')", "postgres_projects.list: 2 + pages: deployment_name IN ('a', 'b'): name"},
		"a join":                    {"SELECT b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name", "postgres_projects.list p: 1 + pages: : name\n  postgres_branches.list b: 1 per row of p + pages: parent = p.name: name, parent"},
		"a LEFT JOIN":               {"SELECT e.name FROM " + branches + " b LEFT JOIN " + endpoints + " e ON e.parent = b.name WHERE b.project_id = 'p'", "postgres_branches.list b: 1 + pages: project_id = 'p': name\n  postgres_endpoints.list e: 1 per row of b + pages: parent = b.name: name, parent"},
		"three levels":              {"SELECT 1 FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name JOIN " + endpoints + " e ON e.parent = b.name", "postgres_projects.list p: 1 + pages: : name\n  postgres_branches.list b: 1 per row of p + pages: parent = p.name: name, parent\n    postgres_endpoints.list e: 1 per row of b + pages: parent = b.name: parent"},
		"an expression":             {"SELECT b.name FROM " + projects + " p JOIN " + branches + " b ON b.project_id = substr(p.name, 10)", "postgres_projects.list p: 1 + pages: : name\n  postgres_branches.list b: 1 per row of p + pages: project_id = an expression over p: name"},
		"a concatenation":           {"SELECT b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name || ''", "postgres_projects.list p: 1 + pages: : name\n  postgres_branches.list b: 1 per row of p + pages: parent = an expression over p: name, parent"},
		"a subquery":                {"SELECT name FROM " + branches + " WHERE parent IN (SELECT name FROM " + projects + " p)", "postgres_branches.list: 1 per row of p + pages: parent = p.name: name, parent\n  postgres_projects.list p: 1 + pages: : name"},
		"a scalar subquery":         {"SELECT b.name, (SELECT count(*) FROM " + endpoints + " e WHERE e.parent = b.name) FROM " + branches + " b WHERE project_id = 'p'", "postgres_branches.list b: 1 + pages: project_id = 'p': name\n  postgres_endpoints.list e: 1 per row of b + pages: parent = b.name: parent"},
		"EXISTS":                    {"SELECT 1 FROM " + branches + " b WHERE project_id = 'p' AND EXISTS (SELECT 1 FROM " + endpoints + " e WHERE e.parent = b.name)", "postgres_branches.list b: 1 + pages: project_id = 'p': name\n  postgres_endpoints.list e: 1 per row of b + pages: parent = b.name: parent"},
		"a CTE":                     {"WITH mine AS (SELECT name AS n FROM " + projects + " p WHERE name LIKE '%o%') SELECT b.name FROM mine JOIN " + branches + " b ON b.parent = mine.n", "postgres_projects.list p: 1 + pages: : name\n  postgres_branches.list b: 1 per row of p + pages: parent = p.name: name, parent"},
		"a materialized CTE":        {"WITH mine AS MATERIALIZED (SELECT name AS n FROM " + projects + " p) SELECT b.name FROM mine JOIN " + branches + " b ON b.parent = mine.n", "  postgres_projects.list p: 1 + pages: : name\n  postgres_branches.list b: 1 per row of p + pages: parent = p.name: name, parent"},
		"a UNION that feeds":        {"WITH y AS (SELECT name AS n FROM " + projects + " p UNION SELECT 'projects/z') SELECT b.name FROM y JOIN " + branches + " b ON b.parent = y.n", "      postgres_projects.list p: 1 + pages: : name\n  postgres_branches.list b: 1 per row of p + pages: parent = a subquery over p.name, 'projects/z': name, parent"},
		"VALUES that feed":          {"WITH y (n) AS (VALUES ('a'), ('b')) SELECT b.name FROM y JOIN " + branches + " b ON b.project_id = y.n", "  postgres_branches.list b: 2 + pages: project_id IN ('a', 'b'): name"},
		"a compound":                {"SELECT name FROM " + branches + " WHERE project_id = 'a' UNION ALL SELECT name FROM " + branches + " WHERE project_id = 'b'", "    postgres_branches.list: 1 + pages: project_id = 'a': name\n    postgres_branches.list: 1 + pages: project_id = 'b': name"},
		"a view":                    {"SELECT name FROM databricks_workspace.postgres.vw_branches WHERE project_id = 'p'", "postgres_branches.list b: 1 + pages: project_id = 'p': name"},
		"JSON":                      {"SELECT b.name, j.value FROM " + branches + " b, json_each(b.status) j WHERE b.project_id = 'p'", "postgres_branches.list b: 1 + pages: project_id = 'p': name, status"},
		"JSON that feeds":           {`SELECT b.name FROM json_each('["a"]') j, ` + branches + ` b WHERE b.project_id = j.value`, "  postgres_branches.list b: 1 per row of j + pages: project_id = j: name"},
		"EXEC":                      {"EXEC " + branches + ".get @project_id = 'p', @branch_id = 'b'", "postgres_branches.get: 1: project_id = 'p', branch_id = 'b': "},
		"EXEC of a list":            {"EXEC " + projects + ".list @page_size = 5", "postgres_projects.list: 1 + pages: page_size = 5: "},
		"DELETE":                    {"DELETE FROM " + branches + " WHERE name = 'projects/p/branches/b'", "postgres_branches.delete: 1: name = 'projects/p/branches/b': "},
		"DELETE of several":         {"DELETE FROM " + branches + " WHERE project_id = 'p' AND branch_id IN ('b', 'c')", "postgres_branches.delete: 2: project_id = 'p', branch_id IN ('b', 'c'): "},
		"DELETE of what is found":   {"DELETE FROM " + branches + " WHERE name IN (SELECT name FROM " + branches + " b WHERE project_id = 'p')", "postgres_branches.delete: 1 per row of b: name = b.name: \n    postgres_branches.list b: 1 + pages: project_id = 'p': name"},
		"UPDATE":                    {"UPDATE " + branches + " SET spec = '{\"no_expiry\": true}' WHERE name = 'projects/p/branches/b'", "postgres_branches.update: 1: name = 'projects/p/branches/b', spec = '{\"no_expiry\": true}': "},
		"INSERT of a row":           {"INSERT INTO " + branches + " (project_id, branch_id, spec) VALUES ('p', 'b', '{}')", "postgres_branches.create: 1: project_id = 'p', branch_id = 'b', spec = '{}': "},
		"INSERT of rows":            {"INSERT INTO " + branches + " (project_id, branch_id, spec) VALUES ('p', 'b', '{}'), ('p', 'c', '{}')", "postgres_branches.create: 2: project_id = 'p', branch_id IN ('b', 'c'), spec = '{}': "},
		"INSERT of what is found":   {"INSERT INTO " + branches + " (parent, branch_id, spec) SELECT name, 'b', '{}' FROM " + projects + " p", "postgres_branches.create: 1 per row: parent = p.name, branch_id = 'b', spec = '{}': \n  postgres_projects.list p: 1 + pages: : name"},
		"a table of what is found":  {"CREATE TABLE t AS SELECT name FROM " + projects, "postgres_projects.list: 1 + pages: : name"},
		"a materialized view of it": {"CREATE MATERIALIZED VIEW m AS SELECT name FROM " + projects, "postgres_projects.list: 1 + pages: : name"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, env := workspace(t, emulator.Options{})
			var lines []string
			for _, row := range explained(t, env, "EXPLAIN "+test.statement) {
				if row[4] != "" {
					lines = append(lines, strings.Join(row[:4], ": "))
				}
			}
			if got := strings.Join(lines, "\n"); got != test.want {
				t.Errorf("%s\n%s\nwant\n%s", test.statement, got, test.want)
			}
			if sent := server.Requests(); len(sent) != 0 {
				t.Errorf("%s: sent %+v", test.statement, sent)
			}
		})
	}
}

// TestExplainOfAStore shows that EXPLAIN names stored tables as sources of parameters.
func TestExplainOfAStore(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	store := filepath.Join(t.TempDir(), "store.db")
	if got := kept(t, env, store, `CREATE TABLE mine (note, project); CREATE VIEW v AS SELECT project AS p FROM mine; CREATE MATERIALIZED VIEW m AS SELECT name FROM `+projects); got.status != 0 {
		t.Fatal(got.stderr)
	}
	for statement, want := range map[string][][]string{
		"SELECT b.name FROM mine JOIN " + branches + " b ON b.parent = mine.project": {
			{"sqlite: scan mine", "", "", "", ""},
			{"  postgres_branches.list b", "1 per row of mine + pages", "parent = mine.project", "name, parent", "GET /api/2.0/postgres/projects/{project_id}/branches"},
		},
		"SELECT b.name FROM v JOIN " + branches + " b ON b.parent = v.p ORDER BY 1": {
			{"sqlite: scan mine", "", "", "", ""},
			{"  postgres_branches.list b", "1 per row of mine + pages", "parent = mine.project", "name, parent", "GET /api/2.0/postgres/projects/{project_id}/branches"},
			{"sqlite: use temp b-tree for order by", "", "", "", ""},
		},
		"INSERT INTO mine (project) SELECT name FROM " + projects + " LIMIT 1": {
			{"postgres_projects.list", "1 + pages", "", "name", "GET /api/2.0/postgres/projects"},
			{"sqlite: limit, which ends the calls", "", "", "", ""},
		},
		"REFRESH MATERIALIZED VIEW m":   {{"postgres_projects.list", "1 + pages", "", "name", "GET /api/2.0/postgres/projects"}},
		"NATIVEQUERY 'SELECT * FROM m'": {{"sqlite: scan m", "", "", "", ""}},
	} {
		got := explained(t, env, "--store", store, "EXPLAIN "+statement)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s\n%q\nwant\n%q", statement, got, want)
		}
	}
	if got := kept(t, env, store, "EXPLAIN SHOW TABLES"); got.status != 2 || !strings.Contains(got.stderr, "makes no call") {
		t.Errorf("of what makes no call: %+v", got)
	}
}

// TestExplainAnalyze compares the numbers of EXPLAIN ANALYZE with those of the server.
func TestExplainAnalyze(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a list of pages":      "SELECT count(*) FROM " + projects,
		"a join":               "SELECT count(*) FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name WHERE p.name NOT LIKE '%/project-%'",
		"the same list twice":  "SELECT (SELECT count(*) FROM " + projects + "), count(*) FROM " + projects,
		"a call made again":    "SELECT count(*) FROM " + branches + " WHERE project_id = 'orders'",
		"a LIMIT":              "SELECT name FROM " + projects + " LIMIT 1",
		"a LIMIT over a join":  "SELECT b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name WHERE b.name LIKE '%/development' LIMIT 4",
		"EXEC":                 "EXEC " + projects + ".list",
		"a table":              "CREATE TABLE t AS SELECT name FROM " + projects,
		"rows for a table":     "INSERT INTO t SELECT name FROM " + projects,
		"a row of the API":     "INSERT INTO " + branches + " (project_id, branch_id, spec) VALUES ('p', 'new', '{\"no_expiry\": true}')",
		"a change of a table":  "UPDATE t SET a = (SELECT count(*) FROM " + projects + ")",
		"an aggregate of none": "SELECT count(*) FROM " + branches + " WHERE project_id IN ('p', 'orders')",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, env := workspace(t, emulator.Options{Scale: 250, Faults: faults(t, "GET /api/2.0/postgres/projects/orders/branches: 503 x1")})
			store := filepath.Join(t.TempDir(), "store.db")
			if strings.Contains(text, " t S") && !strings.HasPrefix(text, "CREATE") {
				if got := kept(t, env, store, "CREATE TABLE t (a); INSERT INTO t VALUES (1)"); got.status != 0 {
					t.Fatal(got.stderr)
				}
			}
			var calls, pages, rows, retries, bytes int
			for _, row := range explained(t, env, "--store", store, "EXPLAIN ANALYZE "+text) {
				if len(row) != 11 {
					t.Fatalf("%d columns: %q", len(row), row)
				}
				if row[1] == "" {
					continue
				}
				for i, sum := range []*int{&calls, &pages, &rows, &retries, &bytes} {
					n, err := strconv.Atoi(row[i+1])
					if err != nil {
						t.Fatalf("%q: %v", row, err)
					}
					*sum += n
				}
			}
			ok, failed := 0, 0
			for _, r := range server.Requests() {
				if r.Status < 300 {
					ok++
				} else {
					failed++
				}
			}
			if pages != ok || retries != failed || calls == 0 || calls > pages || bytes < 2*pages {
				t.Errorf("%d calls, %d pages, %d rows, %d retries, %d bytes; the server answered %d times and failed %d times", calls, pages, rows, retries, bytes, ok, failed)
			}
		})
	}
}

// TestExplainAnalyzeFails shows that EXPLAIN ANALYZE of a failing statement returns its error.
func TestExplainAnalyzeFails(t *testing.T) {
	t.Parallel()
	env := listing(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	got := run{args: []string{"exec", "EXPLAIN ANALYZE SELECT name FROM " + projects}, env: env}.do(t)
	if got.status != 4 || got.stdout != "" {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
}
