//go:build unix

package cli_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestForget shows that what an unfinished run queries is not forgotten, that a workspace that left is told from
// one that failed at earlier times too, and that a forgotten one that comes back starts a new history.
func TestForget(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		g, env := openGate(t, "dbc-2")
		dir := projectsOf(t, "workspaces: [dbc-1, dbc-2]\n")
		forget := func(args ...string) result {
			t.Helper()
			return pipelineCommand(t, env, append([]string{"forget", "gated", "--store", s.name, "-o", "csv", "-H"}, args...)...)
		}
		running := inBackground(t, env, "run", "-q", "--store", s.name, dir)
		if name := <-g.came; name != "dbc-2" {
			t.Fatal(name)
		}
		for _, what := range [][]string{{"--workspace", "dbc-2"}, {"--table", "projects"}, {"--workspace", "dbc-2", "--dry-run"}} {
			got := forget(append(what, "--yes")...)
			if got.status != 2 || !strings.HasPrefix(got.stderr, "error: run 1 of gated is not over, and queries the table projects") || got.stdout != "" {
				t.Errorf("%v: %+v", what, got)
			}
		}
		g.open("dbc-2")
		if status, told := running.end(); status != 0 {
			t.Fatal(told)
		}
		rewrite(t, dir, map[string]string{"pipeline.yaml": "name: gated\nworkspaces: [dbc-1]\n"})
		mustRun(t, env, dir, s)
		at := "SELECT deployment_name, CASE WHEN stale THEN 'old' ELSE 'new' END AS state FROM projects_at('" + s.one(t, "SELECT max(observed_at) AS at FROM projects") + "') ORDER BY 1"
		if rows, beside := s.told(t, at); rows != "dbc-1,new\ndbc-2,old\n" || strings.Count(beside, "note:") != 1 || !strings.Contains(beside, "1 workspaces had left at") || !strings.HasSuffix(beside, "dbc-2\n") {
			t.Errorf("the table held %q; beside: %s", rows, beside)
		}

		if got := forget("--workspace", "dbc-2", "--table", "projects", "--yes"); got.status != 0 || got.stdout != "projects,dbc-2,,left,1,1\n" || got.stderr != "note: deleted 1 rows and 1 history rows\n" {
			t.Errorf("%+v", got)
		}
		if n := mustCount(t, s, "projects_history WHERE deployment_name = 'dbc-2'") + mustCount(t, s, "pipeline_status WHERE deployment_name = 'dbc-2'"); n != 0 || mustCount(t, s, "projects") != 1 {
			t.Errorf("%d rows of the history are left", n)
		}
		if got := s.notes(t); got != "" {
			t.Errorf("readers are told %q", got)
		}
		rewrite(t, dir, map[string]string{"pipeline.yaml": "name: gated\nworkspaces: [dbc-1, dbc-2]\n"})
		mustRun(t, env, dir, s)
		if n := mustCount(t, s, "projects_history WHERE deployment_name = 'dbc-2' AND change = 'added' AND run_id = 3"); n != 1 {
			t.Errorf("it came back with %v", s.ask(t, "SELECT * FROM projects_history"))
		}
		if got := forget("--workspace", "dbc-2", "--dry-run"); got.status != 0 || got.stdout != "projects,dbc-2,,queried,1,1\n" || !strings.HasPrefix(got.stderr, "note: the pipeline still queries some of these") {
			t.Errorf("%+v", got)
		}
	})
}

// TestForgetAsks shows that a terminal is asked before rows are deleted, and that only yes deletes them.
func TestForgetAsks(t *testing.T) {
	t.Parallel()
	_, env := openGate(t)
	dir := projectsOf(t, "workspaces: [dbc-1]\n")
	s := store{name: filepath.Join(dir, "s.db")}
	mustRun(t, env, dir, s)
	for _, test := range []struct {
		answer, says string
		status       int
	}{{"\n", "error: nothing was deleted", 1}, {"no\n", "error: nothing was deleted", 1}, {"y\n", "note: deleted 1 rows and 1 history rows", 0}} {
		c := run{args: []string{"pipeline", "forget", dir, "--table", "projects"}, env: env}.atTerminal(t, 100, 30)
		c.expect("delete 1 rows and 1 history rows? [y/N] ")
		c.send(test.answer)
		if got := c.ends(test.status); !strings.Contains(got, test.says) {
			t.Errorf("%q: %s", test.answer, got)
		}
	}
}

// TestForgottenColumns shows that a column that a workspace which left still has comes back with its values.
func TestForgottenColumns(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		g, env := openGate(t)
		dir := projectsOf(t, "workspaces: [dbc-1, dbc-2]\n")
		const query = "-- table: projects\n-- key: name\nSELECT name, uid FROM databricks_workspace.postgres.postgres_projects"
		all, one := map[string]string{"pipeline.yaml": "name: gated\nworkspaces: [dbc-1, dbc-2]\n", "projects.sql": query},
			map[string]string{"pipeline.yaml": "name: gated\nworkspaces: [dbc-1]\n", "projects.sql": strings.Replace(query, ", uid", "", 1)}
		mustRun(t, env, dir, s)
		g.answers("2", 0)
		mustRun(t, env, dir, s) // both have a change of uid
		rewrite(t, dir, one)
		mustRun(t, env, dir, s)
		got := pipelineCommand(t, env, "forget", "gated", "--column", "projects.uid", "--store", s.name, "--yes", "-o", "csv", "-H")
		if got.status != 0 || got.stdout != "projects,,uid,left,1,4\n" {
			t.Errorf("%+v", got)
		}
		if n := mustCount(t, s, "projects_history WHERE change = 'changed'"); n != 0 {
			t.Errorf("%d changes of the column are left", n)
		}
		rewrite(t, dir, all)
		mustRun(t, env, dir, s)
		if n := mustCount(t, s, "projects WHERE uid = '2' AND NOT stale"); n != 2 {
			t.Errorf("the column came back as %v", s.ask(t, "SELECT * FROM projects"))
		}
		if n := mustCount(t, s, "projects_history WHERE change IN ('added', 'removed', 'changed')"); n != 2 {
			t.Errorf("to come back was a change: %v", s.ask(t, "SELECT * FROM projects_history"))
		}
	})
}

// TestWrongKey shows that a key that told no rows apart can be corrected while the table has no rows.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
		const query = "-- table: clusters\n-- key: kind\n-- types: kind text\nSELECT cluster_id, 'all' AS kind FROM databricks_workspace.compute.clusters"
		dir := folder(t, map[string]string{"pipeline.yaml": "name: keys\nworkspaces: [dbc-1]\n", "clusters.sql": query})
		if got := pipelineCommand(t, env, "run", "-q", "--store", s.name, dir); got.status != 1 || !strings.Contains(got.stderr, `two rows of clusters have the key kind = "all"`) {
			t.Fatalf("%+v", got)
		}
		rewrite(t, dir, map[string]string{"clusters.sql": strings.Replace(query, "key: kind", "key: cluster_id", 1)})
		if got := pipelineCommand(t, env, "check", "--store", s.name, dir); got.status != 0 {
			t.Errorf("%+v", got)
		}
		mustRun(t, env, dir, s)
		n := mustCount(t, s, "clusters WHERE NOT stale")
		if n < 2 {
			t.Errorf("the table has %d rows", n)
		}

		// Now it has rows, and another key would not fit their history.
		rewrite(t, dir, map[string]string{"clusters.sql": strings.Replace(query, "key: kind", "key: cluster_id, kind", 1)})
		if got := pipelineCommand(t, env, "run", "-q", "--store", s.name, dir); got.status != 2 || !strings.Contains(got.stderr, "the table clusters has the key cluster_id in the store, and now it would be cluster_id, kind\n") ||
			!strings.Contains(got.stderr, "lakeql pipeline forget keys --table clusters") {
			t.Fatalf("%+v", got)
		}
		if got := pipelineCommand(t, env, "forget", dir, "--store", s.name, "--table", "clusters", "--yes"); got.status != 0 {
			t.Fatalf("%+v", got)
		}
		mustRun(t, env, dir, s)
		if got := mustCount(t, s, "clusters WHERE NOT stale"); got != n {
			t.Errorf("the table has %d rows, want %d", got, n)
		}
	})
}

// TestForgetKeepsViews shows that views which others have made of a table in PostgreSQL are not dropped with it.
func TestForgetKeepsViews(t *testing.T) {
	t.Parallel()
	s := postgresStore(t, startCluster(t))
	_, env := openGate(t)
	dir := projectsOf(t, "workspaces: [dbc-1]\n")
	mustRun(t, env, dir, s)
	s.change(t, "CREATE VIEW mine AS SELECT name FROM projects")
	got := pipelineCommand(t, env, "forget", dir, "--store", s.name, "--table", "projects", "--yes")
	if got.status != 2 || !strings.Contains(got.stderr, "error: views that others have made in the store depend on the table projects") || mustCount(t, s, "mine") != 1 {
		t.Errorf("%+v", got)
	}
	if filepath.IsAbs(s.name) || mustCount(t, s, "projects_history") != 1 {
		t.Error("something was deleted")
	}
}
