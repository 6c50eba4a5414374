//go:build unix

package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/emulator"
)

// store is where a pipeline of a test keeps its rows.
type store struct {
	name string // for --store
	// ask runs a query as a user with access to the database only, and returns its rows as JSON.
	ask func(t *testing.T, query string) []map[string]any
	// change runs a statement.
	change func(t *testing.T, statement string)
}

// stores are the kinds of store: each test runs with all of them.
func stores() map[string]func(t *testing.T) store {
	return map[string]func(t *testing.T) store{
		"SQLite": sqliteStore,
		"PostgreSQL": func(t *testing.T) store {
			t.Helper()
			return postgresStore(t, startCluster(t))
		},
	}
}

func sqliteStore(t *testing.T) store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	ask := func(t *testing.T, query string) []map[string]any {
		t.Helper()
		got := run{args: []string{"exec", "-o", "json", "--store", path, query}}.do(t)
		if got.status != 0 && !strings.Contains(got.stderr, "are old or missing") {
			t.Fatalf("%s: status %d, stderr:\n%s", query, got.status, got.stderr)
		}
		return jsonRows(t, got.stdout)
	}
	return store{path, ask, func(t *testing.T, statement string) {
		t.Helper()
		ask(t, statement)
	}}
}

func postgresStore(t *testing.T, c *cluster) store {
	t.Helper()
	return databaseStore(t, c, "postgres")
}

// databaseStore is a database of a cluster, which may have several.
func databaseStore(t *testing.T, c *cluster, name string) store {
	t.Helper()
	dsn := c.URL(name)
	connect := func(t *testing.T, use func(context.Context, *pgx.Conn)) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(ctx) }() // there is nothing left to lose
		use(ctx, conn)
	}
	ask := func(t *testing.T, query string) (rows []map[string]any) {
		t.Helper()
		connect(t, func(ctx context.Context, conn *pgx.Conn) {
			var text string
			if err := conn.QueryRow(ctx, "SELECT coalesce(json_agg(r), '[]')::text FROM ("+query+") r").Scan(&text); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			rows = jsonRows(t, text)
		})
		return rows
	}
	return store{dsn, ask, func(t *testing.T, statement string) {
		t.Helper()
		connect(t, func(ctx context.Context, conn *pgx.Conn) {
			if _, err := conn.Exec(ctx, statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		})
	}}
}

func jsonRows(t *testing.T, text string) (rows []map[string]any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&rows); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return rows
}

// one returns the only value of a query's only row, as text.
func (s store) one(t *testing.T, query string) string {
	t.Helper()
	rows := s.ask(t, query)
	if len(rows) != 1 || len(rows[0]) != 1 {
		t.Fatalf("%s gives %v", query, rows)
	}
	for _, value := range rows[0] {
		return fmt.Sprint(value)
	}
	return ""
}

// folder makes the folder of a pipeline.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lakebase is a pipeline about Lakebase.
func lakebase(t *testing.T, config string) string {
	t.Helper()
	return folder(t, map[string]string{
		"pipeline.yaml": "name: lakebase\n" + config,
		"projects.sql": "-- table: projects\n-- key: name\n-- types: owner text\n" +
			"SELECT name, uid, create_time, status ->> 'owner' AS owner, status FROM databricks_workspace.postgres.postgres_projects",
		"branches.sql": "-- table: branches\n-- description: The branches of every project.\n-- key: name\n-- types: protected boolean, logical_bytes integer, current_state text\n" +
			`SELECT b.name, b.create_time, b.status ->> 'is_protected' AS protected, b.status ->> 'logical_size_bytes' AS logical_bytes, b.status ->> 'current_state' AS current_state
			FROM databricks_workspace.postgres.postgres_projects p JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name`,
	})
}

// pipeline runs a command about pipelines against a workspace.
func pipelineCommand(t *testing.T, env []string, args ...string) result {
	t.Helper()
	return run{args: append([]string{"pipeline"}, args...), env: env}.do(t)
}

// mustRun runs a pipeline that has to succeed, and returns the summary.
func mustRun(t *testing.T, env []string, dir string, s store) []map[string]any {
	t.Helper()
	got := pipelineCommand(t, env, "run", "--all", "--store", s.name, "-o", "json", dir)
	if got.status != 0 {
		t.Fatalf("status %d, stderr:\n%s", got.status, got.stderr)
	}
	return jsonRows(t, got.stdout)
}

// mustExec runs statements against the workspace.
func mustExec(t *testing.T, env []string, text string) []map[string]any {
	t.Helper()
	got := run{args: []string{"exec", "-o", "json", text}, env: env}.do(t)
	if got.status != 0 {
		t.Fatalf("%s: status %d, stderr:\n%s", text, got.status, got.stderr)
	}
	if got.stdout == "" {
		return nil
	}
	return jsonRows(t, got.stdout)
}

// sum adds up a column of a summary.
func sum(t *testing.T, rows []map[string]any, column string) (n int64) {
	t.Helper()
	for _, row := range rows {
		if value, ok := row[column].(json.Number); ok {
			i, err := value.Int64()
			if err != nil {
				t.Fatal(err)
			}
			n += i
		}
	}
	return n
}

// TestPipelineKeepsHistory follows a pipeline over several runs: the rows, their changes, the earlier rows,
// and the rows of a workspace that does not answer.
func TestPipelineKeepsHistory(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) { keepsHistory(t, open(t)) })
	}
}

func keepsHistory(t *testing.T, s store) {
	t.Helper()
	server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2", "dbc-3"}})
	env = append(env, "DATABRICKS_ACCOUNT_ID="+server.AccountID())
	dir := lakebase(t, "workspaces: all\n")

	first := mustRun(t, env, dir, s)
	if len(first) != 6 || sum(t, first, "rows") == 0 || sum(t, first, "added") != sum(t, first, "rows") {
		t.Fatalf("the first run: %v", first)
	}
	same := func() {
		t.Helper()
		for _, table := range []string{"projects", "branches"} {
			query := `SELECT deployment_name, name FROM databricks_workspace.postgres.postgres_projects WHERE deployment_name = '*' ORDER BY 1, 2`
			if table == "branches" {
				query = `SELECT b.deployment_name, b.name FROM databricks_workspace.postgres.postgres_projects p
						JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name AND b.deployment_name = p.deployment_name WHERE p.deployment_name = '*' ORDER BY 1, 2`
			}
			live, kept := mustExec(t, env, query), s.ask(t, "SELECT deployment_name, name FROM "+table+" ORDER BY 1, 2")
			if fmt.Sprint(live) != fmt.Sprint(kept) {
				t.Errorf("%s are\n%v\nand the store has\n%v", table, live, kept)
			}
		}
	}
	same()

	second := mustRun(t, env, dir, s)
	if sum(t, second, "added")+sum(t, second, "changed")+sum(t, second, "removed") != 0 {
		t.Errorf("nothing has changed, and the second run says %v", second)
	}
	if n := s.one(t, "SELECT count(*) AS n FROM branches_history"); n != fmt.Sprint(mustCount(t, s, "branches")) {
		t.Errorf("the history has %s rows after a second run with nothing changed", n)
	}

	before := s.one(t, "SELECT max(observed_at) AS at FROM branches")
	mustExec(t, env, `INSERT INTO databricks_workspace.postgres.postgres_projects (deployment_name, project_id) VALUES ('dbc-2', 'added');
			UPDATE databricks_workspace.postgres.postgres_branches SET "spec.is_protected" = true WHERE deployment_name = 'dbc-1' AND name = 'projects/p/branches/development';
			DELETE FROM databricks_workspace.postgres.postgres_branches WHERE deployment_name = 'dbc-3' AND name = 'projects/p/branches/b'`)
	third := mustRun(t, env, dir, s)
	if sum(t, third, "added") != 2 || sum(t, third, "removed") != 1 || sum(t, third, "changed") != 1 {
		t.Errorf("the third run says %v", third)
	}
	same()

	diff := pipelineCommand(t, env, "diff", "branches", "--store", s.name, "--since", before, "-o", "json")
	if diff.status != 0 {
		t.Fatalf("diff: status %d, stderr:\n%s", diff.status, diff.stderr)
	}
	var told []string
	for _, row := range jsonRows(t, diff.stdout) {
		changed, _ := json.Marshal(row["changed_columns"])
		told = append(told, fmt.Sprintf("%v %v %v %s", row["change"], row["deployment_name"], row["name"], changed))
	}
	slices.Sort(told)
	want := []string{
		"added dbc-2 projects/added/branches/production null",
		`changed dbc-1 projects/p/branches/development {"protected":{"from":false,"to":true}}`,
		"removed dbc-3 projects/p/branches/b null",
	}
	if !slices.Equal(told, want) {
		t.Errorf("diff tells\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	if n := s.one(t, "SELECT count(*) AS n FROM branches_history WHERE change = 'removed' AND name = 'projects/p/branches/b' AND deployment_name = 'dbc-3'"); n != "1" {
		t.Errorf("the history has %s removals of the branch", n)
	}
	then := s.ask(t, fmt.Sprintf("SELECT deployment_name, name, protected FROM branches_at('%s') WHERE name IN ('projects/p/branches/b', 'projects/p/branches/development', 'projects/added/branches/production') ORDER BY 1, 2", before))
	if len(then) != 6 || then[1]["protected"] != false {
		t.Errorf("before the changes there were %v", then)
	}

	// A workspace that refuses keeps its rows, marked stale, and none of them is gone.
	server.SetFaults(faults(t, "GET dbc-2/*: 403")...)
	mustExec(t, env, `UPDATE databricks_workspace.postgres.postgres_branches SET "spec.is_protected" = false WHERE deployment_name = 'dbc-1' AND name = 'projects/p/branches/development';
			DELETE FROM databricks_workspace.postgres.postgres_projects WHERE deployment_name = 'dbc-1' AND name = 'projects/p'`)
	count := mustCount(t, s, "branches WHERE deployment_name = 'dbc-2'")
	got := pipelineCommand(t, env, "run", "--store", s.name, "-o", "json", dir)
	if got.status != 1 || !strings.Contains(got.stderr, "failed: branches, projects in dbc-2: databricks_workspace.postgres.postgres_projects.list: ") || !strings.Contains(got.stderr, "2 of 6 queries failed") {
		t.Errorf("status %d, stderr:\n%s", got.status, got.stderr)
	}
	if n := mustCount(t, s, "branches WHERE deployment_name = 'dbc-2' AND stale"); n != count || count == 0 {
		t.Errorf("%d rows of the workspace that failed are marked stale, of %d", n, count)
	}
	if n := mustCount(t, s, "branches WHERE stale AND deployment_name <> 'dbc-2'"); n != 0 {
		t.Errorf("%d rows of other workspaces are marked stale", n)
	}
	if n := mustCount(t, s, "branches WHERE deployment_name = 'dbc-1' AND name LIKE 'projects/p/%'"); n != 0 {
		t.Errorf("%d branches of the project that was deleted are there", n)
	}
	status := pipelineCommand(t, env, "status", "--workspaces", "--store", s.name, "-o", "json")
	if rows := jsonRows(t, status.stdout); rows[0]["stale"] != true || rows[0]["deployment_name"] != "dbc-2" || !strings.Contains(fmt.Sprint(rows[0]["error"]), "403") {
		t.Errorf("status tells first %v", rows[0])
	}

	server.SetFaults()
	mustRun(t, env, dir, s)
	if n := mustCount(t, s, "branches WHERE stale"); n != 0 {
		t.Errorf("%d rows are stale after a run that succeeded", n)
	}
	same()
}

func mustCount(t *testing.T, s store, from string) (n int64) {
	t.Helper()
	if _, err := fmt.Sscan(s.one(t, "SELECT count(*) AS n FROM "+from), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// company makes a pipeline for the contents of every workspace: a list, a list with pages, and a query whose
// rows are parameters of another one.
func company(t *testing.T, config string) string {
	t.Helper()
	return folder(t, map[string]string{
		"pipeline.yaml": "name: company\n" + config,
		"projects.sql":  "-- table: projects\n-- key: name\nSELECT name, uid, create_time FROM databricks_workspace.postgres.postgres_projects",
		"clusters.sql":  "-- table: clusters\n-- key: cluster_id\nSELECT cluster_id, cluster_name, state FROM databricks_workspace.compute.clusters WHERE deployment_name = '{{ deployment_name }}'",
	})
}

// TestPipelineSurvives shows that a run over a thousand workspaces, some of which turn queries away, fail
// now and then or refuse, comes to the rows that are there, however often the process is killed.
func TestPipelineSurvives(t *testing.T) {
	t.Parallel()
	const many, kills = 1000, 10
	names := emulator.WorkspaceNames(many)
	forbidden := []string{names[17], names[500], names[998]}
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			s := open(t)
			server, env := workspace(t, emulator.Options{Workspaces: names})
			env = append(env, "DATABRICKS_ACCOUNT_ID="+server.AccountID())
			dir := company(t, "workspaces: all\nconcurrency: 50\n")
			rules := []string{"GET *: 429 retry-after=1 5%", "GET *: 500 1%"}
			for _, name := range forbidden {
				rules = append([]string{"* " + name + "/*: 403"}, rules...)
			}
			server.SetFaults(faults(t, rules...)...)

			moments := rand.New(rand.NewPCG(6, uint64(len(kind))))
			for i := range kills {
				cmd := run{args: []string{"pipeline", "run", "-q", "--store", s.name, dir}, env: env}.command(t.Context(), t)
				server.Reset()
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }()
				for after := 1 + moments.IntN(180); server.Counts().Total < after; {
					select {
					case err := <-ended:
						t.Fatalf("run %d ended before it was killed: %v", i, err)
					case <-time.After(time.Millisecond):
					}
				}
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				if err := <-ended; err == nil {
					t.Fatalf("run %d was not killed", i)
				}
			}
			status := pipelineCommand(t, env, "status", "--store", s.name, "-o", "json")
			if runs := jsonRows(t, status.stdout); len(runs) != 1 {
				t.Errorf("there are several runs, so they did not go on with the first: %v", runs)
			}

			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			cmd := run{args: []string{"pipeline", "run", "-q", "--store", s.name, dir}, env: env}.command(ctx, t)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			var exit *exec.ExitError
			if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Fatalf("%v, stderr:\n%s", err, stderr.String())
			}
			if !strings.Contains(stderr.String(), "it goes on") || !strings.Contains(stderr.String(), fmt.Sprintf("%d of %d queries failed", 2*len(forbidden), 2*many)) {
				t.Errorf("stderr:\n%s", stderr.String())
			}
			_, failed, _ := strings.Cut(stderr.String(), "failed: clusters, projects in 3 workspaces (")
			failed, _, _ = strings.Cut(failed, ")")
			for _, name := range forbidden {
				if !strings.Contains(failed, name) {
					t.Errorf("%s is not told among those that failed:\n%s", name, stderr.String())
				}
			}
			counts := server.Counts()
			compareWithWorkspaces(t, server, s, names, forbidden)
			t.Logf("the last of %d runs made %d calls, of which %d were answered 429, %d 500 and %d 403", kills+1, counts.Total, counts.ByStatus[429], counts.ByStatus[500], counts.ByStatus[403])
		})
	}
}

// compareWithWorkspaces compares the stored rows with those of the emulator.
func compareWithWorkspaces(t *testing.T, server *emulator.Server, s store, names, forbidden []string) {
	t.Helper()
	server.SetFaults()
	kept := map[string][]string{}
	for _, table := range []struct{ query, kind string }{{"SELECT deployment_name, name AS id, uid AS more FROM projects", "project "}, {"SELECT deployment_name, cluster_id AS id, cluster_name AS more FROM clusters", "cluster "}} {
		for _, row := range s.ask(t, table.query) {
			name := fmt.Sprint(row["deployment_name"])
			kept[name] = append(kept[name], fmt.Sprint(table.kind, row["id"], " ", row["more"]))
		}
	}
	for _, name := range names {
		if slices.Contains(forbidden, name) {
			if len(kept[name]) != 0 {
				t.Errorf("%s refused every call, and the store has %v", name, kept[name])
			}
			continue
		}
		var there []string
		for _, item := range items(t, server, name, "/api/2.0/postgres/projects", "projects") {
			there = append(there, fmt.Sprint("project ", item["name"], " ", item["uid"]))
		}
		for _, item := range items(t, server, name, "/api/2.1/clusters/list", "clusters") {
			there = append(there, fmt.Sprint("cluster ", item["cluster_id"], " ", item["cluster_name"]))
		}
		slices.Sort(there)
		slices.Sort(kept[name])
		if !slices.Equal(there, kept[name]) {
			t.Errorf("%s has\n%s\nand the store has\n%s", name, strings.Join(there, "\n"), strings.Join(kept[name], "\n"))
		}
	}
	if got := s.one(t, "SELECT count(*) AS n FROM projects_history"); got != fmt.Sprint(mustCount(t, s, "projects")) {
		t.Errorf("the history has %s rows of projects, and the table %d: something came twice", got, mustCount(t, s, "projects"))
	}
}

// items reads a list of a workspace, by no code of the command's.
func items(t *testing.T, server *emulator.Server, deployment, path, key string) (all []map[string]any) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	req.Host = deployment + ".localhost"
	req.Header.Set("Authorization", "Bearer "+server.Token())
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, req)
	var page map[string]json.RawMessage
	if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil || answer.Code != 200 {
		t.Fatalf("%s of %s: %d, %v", path, deployment, answer.Code, err)
	}
	if len(page["next_page_token"]) > 2 {
		t.Fatalf("%s of %s has several pages", path, deployment)
	}
	if err := json.Unmarshal(page[key], &all); err != nil && page[key] != nil {
		t.Fatal(err)
	}
	return all
}
