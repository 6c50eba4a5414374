//go:build unix

package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestTablesAtATime shows which times <table>_at accepts in an SQLite store, and which it refuses because
// it would return fewer rows than the table had.
func TestTablesAtATime(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	env = append(env, "DATABRICKS_ACCOUNT_ID="+server.AccountID())
	s := sqliteStore(t)
	mustRun(t, env, company(t, "workspaces: [dbc-1]\n"), s)
	count := mustCount(t, s, "projects")
	const now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
	for _, at := range []string{
		now, "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')", "(SELECT max(observed_at) FROM projects)",
	} {
		if n := mustCount(t, s, "projects_at("+at+")"); n != count || n == 0 {
			t.Errorf("at %s there were %d projects, and there are %d", at, n, count)
		}
	}
	if n := mustCount(t, s, "projects n JOIN PROJECTS_AT("+now+") t ON t.name = n.name JOIN clusters_at("+now+") c ON c.deployment_name = n.deployment_name WHERE n.create_time = t.create_time"); n == 0 {
		t.Error("the join of then and now has no rows")
	}
	for text, message := range map[string]string{
		"projects_at('2001-01-01')": "what projects held at 2001-01-01T00:00:00.000000Z is not known: its history begins at 20",
		"projects_at('yesterday')":  "projects_at needs a time",

		"projects_at(datetime('now', '+1 day'))":       "is not known: the time is in the future",
		"projects_at('2999-01-01')":                    "what projects will hold at 2999-01-01T00:00:00.000000Z is not known: the time is in the future",
		"projects_at('2999-01-01T06:00:00.123+02:00')": "what projects will hold at 2999-01-01T04:00:00.123000Z is not known",
		"projects_at(NULL)":                            "projects_at needs a time",
		"projects_at()":                                "projects_at needs a time",
		"projects_at":                                  "projects_at needs a time",
		"rivers_at('2999-01-01')":                      "no such table: rivers_at",
		"projects_at(1, 2)":                            "too many arguments",
	} {
		got := run{args: []string{"exec", "--store", s.name, "SELECT * FROM " + text}}.do(t)
		if got.status != 2 || !strings.Contains(got.stderr, message) || got.stdout != "" {
			t.Errorf("%s: status %d, stdout %q, stderr:\n%s", text, got.status, got.stdout, got.stderr)
		}
	}
	shown := run{args: []string{"exec", "-o", "csv", "-H", "--store", s.name, "SHOW TABLES; SHOW VIEWS"}}.do(t)
	for _, name := range []string{"river_", "lakeql_"} {
		if strings.Contains(shown.stdout, name) {
			t.Errorf("the store's own tables are shown among those of people:\n%s", shown.stdout)
		}
	}
	if !strings.Contains(shown.stdout, "projects_history") {
		t.Errorf("the history is not shown:\n%s", shown.stdout)
	}
}

// TestTemplatesOfNothing shows that a template that produces no query for a workspace is a failure of that
// workspace, and not an answer without rows.
func TestTemplatesOfNothing(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
	s := sqliteStore(t)
	dir := folder(t, map[string]string{"pipeline.yaml": "name: p\nworkspaces: [dbc-1, dbc-2]\n"})
	asks := func(query string) string {
		rewrite(t, dir, map[string]string{"t.sql": "-- table: projects\n-- key: name\n" + query})
		return dir
	}
	const query = "SELECT name FROM databricks_workspace.postgres.postgres_projects"
	mustRun(t, env, asks(query), s)
	count := mustCount(t, s, "projects WHERE deployment_name = 'dbc-2'")
	for template, message := range map[string]string{
		`{{ if ne deployment_name "dbc-2" }}` + query + `{{ end }}`:                                                                                                "there are 0 statements where one query has to be",
		query + `{{ if eq deployment_name "dbc-2" }}; ` + query + `{{ end }}`:                                                                                      "there are 2 statements where one query has to be",
		`{{ if eq deployment_name "dbc-2" }}DELETE FROM databricks_workspace.postgres.postgres_projects WHERE name = 'projects/p'{{ else }}` + query + `{{ end }}`: "this is no query",
	} {
		server.Reset()
		got := pipelineCommand(t, env, "run", "--store", s.name, "-q", asks(template))
		if got.status != 1 || !strings.Contains(got.stderr, message) || !strings.Contains(got.stderr, "1 of 2 queries failed") {
			t.Errorf("%s: status %d, stderr:\n%s", template, got.status, got.stderr)
		}
		if n := mustCount(t, s, "projects WHERE deployment_name = 'dbc-2' AND stale"); n != count || n == 0 {
			t.Errorf("%s: %d of %d rows are left", template, n, count)
		}
		if counts := server.Counts(); counts.Total != 1 {
			t.Errorf("%s: %d calls were made, want the other workspace's alone", template, counts.Total)
		}
	}
}

// TestPsqlShowsTheHistory reads a pipeline's tables with psql, as whoever has no more than the database does.
func TestPsqlShowsTheHistory(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	s := postgresStore(t, c)
	server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	dir := company(t, "workspaces: [dbc-1]\n")
	mustRun(t, env, dir, s)
	count := mustCount(t, s, "projects")
	mustExec(t, env, `DELETE FROM databricks_workspace.postgres.postgres_projects WHERE deployment_name = 'dbc-1' AND name = 'projects/p'`)
	mustRun(t, env, dir, s)
	psql := c.Program(t.Context(), "psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", s.name,
		"-c", "SELECT change, count(*), max(name) FILTER (WHERE change = 'removed') FROM projects_history GROUP BY 1 ORDER BY 1",
		"-c", "SELECT (SELECT count(*) FROM projects), count(*) FROM projects_at((SELECT max(changed_at) - interval '1 microsecond' FROM projects_history))",
		"-c", `\d projects_history`)
	out, err := psql.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		fmt.Sprintf("added|%d|\nremoved|1|projects/p\n", count), fmt.Sprintf("%d|%d\n", count-1, count),
		"changed_at|timestamp with time zone|", "changed_columns|jsonb|", "create_time|timestamp with time zone|", "run_id|bigint|",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("psql prints\n%s\nwithout %q", out, want)
		}
	}
	if server.Counts().Total == 0 {
		t.Error("nothing was asked")
	}
}

// TestFailuresAreNoEmptyTables shows that a query of a table fails if a workspace did not answer, unless
// it leaves such rows out, and that a query calls only its own workspace.
func TestFailuresAreNoEmptyTables(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
	s := sqliteStore(t)
	server.SetFaults(faults(t, "GET dbc-2/*: 403")...)
	dir := company(t, "workspaces: [dbc-1, dbc-2]\n")
	if got := pipelineCommand(t, env, "run", "--store", s.name, "-q", dir); got.status != 1 {
		t.Fatalf("status %d, stderr:\n%s", got.status, got.stderr)
	}
	exec := func(text string) result {
		return run{args: []string{"exec", "--notes", "-o", "csv", "-H", "--store", s.name, text}}.do(t)
	}
	const note = "note: projects: the rows of 1 of 2 workspaces are old or missing, because their last query failed or was not answered: dbc-2; pipeline_status tells why\n"
	for text, want := range map[string]string{
		"SELECT count(*) > 0 FROM projects":                                       note,
		"SELECT count(*) > 0 FROM projects WHERE NOT stale":                       "",
		"SELECT count(*) > 0 FROM pipeline_status":                                "",
		"WITH p AS (SELECT * FROM projects) SELECT count(*) > 0 FROM p":           note,
		"SELECT count(*) > 0 FROM projects_history":                               "",
		"SELECT count(*) > 0 FROM projects JOIN clusters USING (deployment_name)": "note: clusters" + strings.TrimPrefix(note, "note: projects") + note,
	} {
		status := 0
		if want != "" {
			want, status = want+"error: the result is not complete: what is missing is told above\n", 3
		}
		if got := exec(text); got.status != status || got.stderr != want || got.stdout != "1\n" {
			t.Errorf("%s: status %d, stdout %q, stderr %q, want %q", text, got.status, got.stdout, got.stderr, want)
		}
	}
	if got := exec("SELECT table_name, stale, error LIKE '%403%' FROM pipeline_status WHERE deployment_name = 'dbc-2' ORDER BY 1"); got.stdout != "clusters,true,1\nprojects,true,1\n" {
		t.Errorf("the failures are told as %q\n%s", got.stdout, got.stderr)
	}
	for _, name := range []string{"projects", "projects_history", "pipeline_status"} {
		if got := exec("DROP VIEW " + name); got.status != 2 || !strings.Contains(got.stderr, name+" belongs to a pipeline") {
			t.Errorf("DROP VIEW %s: status %d, %s", name, got.status, got.stderr)
		}
	}
	if got := exec("CREATE VIEW mine AS SELECT 1; DROP VIEW mine"); got.status != 0 {
		t.Errorf("a view of one's own cannot be dropped: %s", got.stderr)
	}

	server.SetFaults()
	elsewhere := folder(t, map[string]string{
		"pipeline.yaml": "name: elsewhere\nworkspaces: [dbc-1, dbc-2]\n",
		"t.sql":         "-- table: others\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects WHERE deployment_name = 'dbc-1'",
	})
	got := pipelineCommand(t, env, "run", "--store", s.name, "-q", elsewhere)
	if got.status != 1 || !strings.Contains(got.stderr, `others in dbc-2: line 1, column 1: deployment_name: "dbc-1" is asked, and this query is for the workspace dbc-2 alone`) {
		t.Errorf("status %d, stderr:\n%s", got.status, got.stderr)
	}
	for _, n := range []string{"-1", "1001"} {
		if got := pipelineCommand(t, env, "run", "--store", s.name, "--concurrency", n, dir); got.status != 2 || !strings.Contains(got.stderr, "--concurrency "+n+" is not between 1 and 1000") {
			t.Errorf("--concurrency %s: status %d, stderr:\n%s", n, got.status, got.stderr)
		}
	}
}
