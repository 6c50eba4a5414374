//go:build unix

package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/emulator"
)

// rewrite puts other files into the folder of a pipeline.
func rewrite(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// told runs a query as a reader of a store, and returns the messages beside the rows.
func (s store) told(t *testing.T, query string) (rows, beside string) {
	t.Helper()
	if !strings.HasPrefix(s.name, "postgres://") {
		got := run{args: []string{"exec", "--notes", "-o", "csv", "-H", "--store", s.name, query}}.do(t)
		beside, _, _ = strings.Cut(got.stderr, "error: the result is not complete")
		return got.stdout, beside
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	config, err := pgx.ParseConfig(s.name)
	if err != nil {
		t.Fatal(err)
	}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { beside += "note: " + n.Message + "\n" }
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // there is nothing left to lose
	var text string
	if err := conn.QueryRow(ctx, "SELECT coalesce(string_agg(translate(r::text, '()', ''), E'\\n'), '') || E'\\n' FROM ("+query+") r").Scan(&text); err != nil {
		return "", beside + err.Error()
	}
	return text, beside
}

// notes lists the gaps that a store reports for its tables.
func (s store) notes(t *testing.T) string {
	t.Helper()
	if !strings.HasPrefix(s.name, "postgres://") {
		_, beside := s.told(t, "SELECT * FROM projects")
		return beside
	}
	all := ""
	for _, row := range s.ask(t, "SELECT table_name, note FROM lakeql_note ORDER BY table_name, kind, about") {
		all += fmt.Sprintf("note: %s: %s\n", row["table_name"], row["note"])
	}
	return all
}

// eachStore runs a test over each kind of store.
func eachStore(t *testing.T, test func(t *testing.T, s store)) {
	t.Helper()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// TestRunsWithoutWorkspaces shows that a run that cannot find its workspaces makes all rows of its pipeline
// stale, but not those of other pipelines, and that the next run makes them fresh again.
func TestRunsWithoutWorkspaces(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
		env = append(env, "DATABRICKS_ACCOUNT_ID="+server.AccountID())
		dir := projectsOf(t, "workspaces: all\n")
		other := folder(t, map[string]string{
			"pipeline.yaml": "name: other\nworkspaces: [dbc-1]\n",
			"others.sql":    "-- table: others\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects",
		})
		mustRun(t, env, other, s)
		mustRun(t, env, dir, s)
		if note := s.notes(t); note != "" {
			t.Errorf("all is well, and readers are told %q", note)
		}
		server.SetFaults(faults(t, "GET /api/2.0/accounts/*: 403")...)
		if got := pipelineCommand(t, env, "run", "-q", "--store", s.name, dir); got.status != 4 || !strings.Contains(got.stderr, "run 3 failed: find the workspaces: ") {
			t.Fatalf("%+v", got)
		}
		count := mustCount(t, s, "projects")
		if n := mustCount(t, s, "projects WHERE stale"); n != count || n == 0 {
			t.Errorf("%d of %d rows are stale", n, count)
		}
		if n := mustCount(t, s, "pipeline_status WHERE stale AND table_name = 'projects' AND error LIKE 'find the workspaces: %403%'"); n != 2 {
			t.Errorf("pipeline_status tells %d stale workspaces\n%v", n, s.ask(t, "SELECT * FROM pipeline_status"))
		}
		if n := mustCount(t, s, "pipeline_status WHERE stale AND table_name = 'others'"); n != 0 {
			t.Errorf("%d workspaces of another pipeline are stale", n)
		}
		const note = "note: projects: the rows of 2 of 2 workspaces are old or missing, because their last query failed or was not answered: dbc-1, dbc-2; pipeline_status tells why\n"
		if got := s.notes(t); got != note {
			t.Errorf("readers are told %q", got)
		}
		worker := startWorker(t, env, s, "--metrics", "127.0.0.1:0")
		eventually(t, "the worker serves metrics", func() bool { return strings.Contains(strings.Join(worker.logged(), "\n"), "metrics are at ") })
		scrape(t, worker).holds(t, map[string]float64{
			`lakeql_pipeline_stale_tables{pipeline="gated",workspace="dbc-1"}`: 1,
			`lakeql_pipeline_stale_tables{pipeline="gated",workspace="dbc-2"}`: 1,
			`lakeql_pipeline_stale_tables{pipeline="other",workspace="dbc-1"}`: 0,
		})
		worker.stop(t)
		server.SetFaults()
		mustRun(t, env, dir, s)
		if n := mustCount(t, s, "projects WHERE stale"); n != 0 {
			t.Errorf("%d rows are stale after a run that succeeded", n)
		}
	})
}

// TestGapsAreTold shows that export, diff and <table>_at report the workspaces whose rows are old or
// missing, also by the exit status, and the gaps of a table at an earlier time.
func TestGapsAreTold(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2", "dbc-3"}})
		dir, lake := projectsOf(t, "workspaces: [dbc-1, dbc-2, dbc-3]\n"), filepath.Join(t.TempDir(), "lake")
		fails := func(rules ...string) {
			t.Helper()
			server.SetFaults(faults(t, rules...)...)
			if got := pipelineCommand(t, env, "run", "-q", "--store", s.name, dir); got.status != 1 {
				t.Fatalf("%+v", got)
			}
		}
		now := func() string {
			t.Helper()
			if strings.HasPrefix(s.name, "postgres://") {
				return s.one(t, "SELECT clock_timestamp()")
			}
			return time.Now().UTC().Format(time.RFC3339Nano)
		}
		fails("GET dbc-3/*: 403") // it never answered
		first := now()
		fails("GET dbc-3/*: 403", "GET dbc-2/*: 403") // nor does another one any more
		second := now()

		const note = "note: projects: the rows of 2 of 3 workspaces are old or missing, because their last query failed or was not answered: dbc-2, dbc-3; pipeline_status tells why\n"
		for _, args := range [][]string{{"export", lake}, {"diff", "projects"}} {
			args = append(args, "--store", s.name)
			if got := pipelineCommand(t, nil, args...); got.status != 1 || got.stdout != "" || !strings.HasPrefix(got.stderr, note+"error: the store does not have all rows of projects") {
				t.Errorf("%v: %+v", args, got)
			}
			if _, err := os.Stat(lake); err == nil {
				t.Error("something was exported")
			}
			got := pipelineCommand(t, nil, append(args, "--on-error", "partial", "-o", "csv", "-H")...)
			if got.status != 3 || !strings.Contains(got.stdout, "dbc-2,") || strings.Contains(got.stdout, "dbc-3,") || !strings.HasPrefix(got.stderr, note) {
				t.Errorf("%v with a part: %+v", args, got)
			}
			_ = os.RemoveAll(lake)
			if got := pipelineCommand(t, nil, append(args, "--on-error", "never")...); got.status != 2 {
				t.Errorf("%v: %+v", args, got)
			}
		}

		for at, want := range map[string]string{
			first:  "1 of 3 workspaces were old or missing at",
			second: "2 of 3 workspaces were old or missing at",
		} {
			rows, beside := s.told(t, "SELECT DISTINCT deployment_name, stale FROM projects_at('"+at+"') ORDER BY 1")
			rows = strings.NewReplacer(",f\n", ",false\n", ",t\n", ",true\n", ",0\n", ",false\n", ",1\n", ",true\n").Replace(rows)
			wantRows := fmt.Sprintf("dbc-1,false\ndbc-2,%v\n", at == second)
			if rows != wantRows || !strings.Contains(beside, want) || !strings.HasSuffix(beside, "dbc-3\n") || strings.Count(beside, "note:") != 1 {
				t.Errorf("at %s there were %q, want %q; beside: %s", at, rows, wantRows, beside)
			}
		}
		server.SetFaults()
		mustRun(t, env, dir, s)
		if rows, beside := s.told(t, "SELECT count(*) FROM projects_at('"+now()+"') WHERE stale"); rows != "0\n" || beside != "" {
			t.Errorf("after a run that succeeded %s rows are stale; beside: %s", rows, beside)
		}
		if got := pipelineCommand(t, nil, "export", lake, "--store", s.name); got.status != 0 || got.stderr != "" {
			t.Errorf("%+v", got)
		}

		// Times outside of the history.
		for at, want := range map[string]string{
			"'2999-01-01'": "is in the future", "'2001-01-01'": "its history begins at", "NULL": "projects_at needs a time",
		} {
			if rows, beside := s.told(t, "SELECT * FROM projects_at("+at+")"); rows != "" || !strings.Contains(beside, want) {
				t.Errorf("at %s: %q, %s", at, rows, beside)
			}
		}
		if got := pipelineCommand(t, nil, "diff", "projects", "--store", s.name, "--since", "2999-01-01"); got.status != 2 || !strings.Contains(got.stderr, "is in the future") || got.stdout != "" {
			t.Errorf("%+v", got)
		}
		if got := pipelineCommand(t, nil, "diff", "projects", "--store", s.name, "--since", "2001-01-01"); got.status != 0 || !strings.HasPrefix(got.stderr, "note: projects: its history begins at 20") {
			t.Errorf("%+v", got)
		}
	})
}

// TestWorkspacesThatAreNotAsked shows that rows of a workspace that the pipeline does not query any more are
// reported, and do not prevent an export.
func TestWorkspacesThatAreNotAsked(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
		dir := projectsOf(t, "workspaces: [dbc-1, dbc-2]\n")
		mustRun(t, env, dir, s)
		rewrite(t, dir, map[string]string{"pipeline.yaml": "name: gated\nworkspaces: [dbc-1]\n"})
		mustRun(t, env, dir, s)
		const note = "note: projects: 1 of 2 workspaces left: their rows are old, and stay until lakeql pipeline forget: dbc-2\n"
		if got := s.notes(t); got != note {
			t.Errorf("readers are told %q", got)
		}
		if got := pipelineCommand(t, nil, "export", t.TempDir(), "--store", s.name); got.status != 0 || got.stderr != note {
			t.Errorf("%+v", got)
		}
		rewrite(t, dir, map[string]string{"pipeline.yaml": "name: gated\nworkspaces: [dbc-1, dbc-2]\n"})
		mustRun(t, env, dir, s)
		if got := s.notes(t); got != "" {
			t.Errorf("readers are told %q", got)
		}
	})
}

// TestColumnsThatGoAreTold shows that a column that the query no longer returns is reported by the run and
// to the readers of the table, and that a schedule of another version is reported too.
func TestColumnsThatGoAreTold(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
		const without = "-- table: projects\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects"
		with := strings.Replace(without, "SELECT name", "SELECT name, uid", 1)
		dir := projectsOf(t, "workspaces: [dbc-1]\nschedule: \"0 6 1 1 *\"\n")
		rewrite(t, dir, map[string]string{"projects.sql": with})
		runs := func(command string, want ...string) {
			t.Helper()
			args := strings.Fields(command)
			got := pipelineCommand(t, env, append(args, "--store", s.name, dir)...)
			var notes []string
			for line := range strings.Lines(got.stderr) {
				if note, ok := strings.CutPrefix(line, "note: "); ok {
					notes = append(notes, note)
				}
			}
			if got.status != 0 || len(notes) != len(want) {
				t.Errorf("%s: %+v, want notes of %q", command, got, want)
				return
			}
			for i := range want {
				if !strings.Contains(notes[i], want[i]) {
					t.Errorf("%s notes %q, want %q", command, notes[i], want[i])
				}
			}
		}
		const (
			dropped    = "the query of the table projects does not give the column uid any more"
			another    = "the installed schedule runs another version of this pipeline, with other queries for the tables projects"
			isNull     = "note: projects: the query that filled the rows of 1 of 1 workspaces does not give the column uid, which is NULL there; projects_at(time) has its earlier values\n"
			toAndFro   = "note: projects: the installed schedule of gated and its last run are different versions of the pipeline, and fill this table by different queries: its columns and rows change with each run, until lakeql pipeline schedule install\n"
			isComplete = ""
		)
		reads := func(want string) {
			t.Helper()
			if got := s.notes(t); got != want {
				t.Errorf("readers are told %q, want %q", got, want)
			}
			if got := pipelineCommand(t, nil, "export", t.TempDir(), "--store", s.name); got.status != 0 || got.stderr != want {
				t.Errorf("export tells %+v, want %q", got, want)
			}
		}
		runs("run -q")
		runs("schedule install", "a worker starts the runs, and none is running")
		reads(isComplete)
		rewrite(t, dir, map[string]string{"projects.sql": without})
		runs("run -q", dropped, another)
		reads(isNull + toAndFro)
		runs("run -q", another)
		runs("schedule install", "a worker starts the runs, and none is running")
		reads(isNull)
		if strings.HasPrefix(s.name, "postgres://") {
			return
		}
		for query, want := range map[string]string{
			"SELECT name FROM projects": "", "SELECT max(uid) FROM projects": isNull,
		} {
			if _, beside := s.told(t, query); beside != want {
				t.Errorf("%s: %q, want %q", query, beside, want)
			}
		}
	})
}

// TestFoldersOfOneName shows that a folder does not take the place of another one of its name in silence.
func TestFoldersOfOneName(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
		first := projectsOf(t, "workspaces: [dbc-1]\n")
		mustRun(t, env, first, s)
		second := folder(t, map[string]string{
			"pipeline.yaml": "name: gated\nworkspaces: [dbc-1]\nschedule: \"0 6 1 1 *\"\n",
			"others.sql":    "-- table: others\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects",
		})
		for _, command := range []string{"run", "check", "schedule install"} {
			got := pipelineCommand(t, env, append(strings.Fields(command), "--store", s.name, second)...)
			if got.status != 2 || !strings.Contains(got.stderr, "the pipeline gated in the store ") || !strings.Contains(got.stderr, "is that of the folder "+first+" on ") ||
				!strings.Contains(got.stderr, "with the tables projects: a run of this folder would make their rows stale\nhint: give one of the two another name") {
				t.Errorf("%s: %+v", command, got)
			}
		}
		if n := mustCount(t, s, "projects WHERE stale"); n != 0 {
			t.Errorf("%d rows are stale", n)
		}
		same := projectsOf(t, "workspaces: [dbc-1]\n") // as another checkout is
		mustRun(t, env, same, s)
		if got := pipelineCommand(t, env, "run", "-q", "--adopt", "--store", s.name, second); got.status != 0 {
			t.Errorf("%+v", got)
		}
		if got := pipelineCommand(t, env, "run", "-q", "--store", s.name, second); got.status != 0 {
			t.Errorf("%+v", got)
		}
		if got := pipelineCommand(t, env, "run", "-q", "--store", s.name, first); got.status != 2 || !strings.Contains(got.stderr, "is that of the folder "+second) {
			t.Errorf("%+v", got)
		}
	})
}
