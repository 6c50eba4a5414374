//go:build unix

package cli_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipelineInterrupted shows that Ctrl-C in the middle of a run ends it with word of how far it came, and
// that the next one goes on there.
func TestPipelineInterrupted(t *testing.T) {
	t.Parallel()
	g, env := openGate(t, "dbc-2")
	dir := projectsOf(t, "workspaces: [dbc-1, dbc-2]\n")
	first := inBackground(t, env, "run", dir, "--log", "json")
	first.until(t, `"workspace":"dbc-1","state":"done"`)
	<-g.came
	if err := first.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	status, told := first.end()
	if status != 1 || !strings.HasSuffix(told, "error: interrupted: 1 of 2 queries of run 1 are done, and stay so\nhint: run it again to go on where it was") {
		t.Errorf("status %d\n%s", status, told)
	}
	g.open("dbc-2")
	got := pipelineCommand(t, env, "run", dir)
	if got.status != 0 || !strings.Contains(got.stderr, "note: run 1, begun ") || !strings.Contains(got.stderr, ", was not over: it goes on\n") {
		t.Errorf("the next run: %+v", got)
	}
	if calls := g.called(); calls != "map[dbc-1:1 dbc-2:2]" {
		t.Errorf("calls were %s", calls)
	}
	if got := pipelineCommand(t, env, "run", "--all", dir, "-o", "json"); got.status != 0 || strings.Contains(got.stderr, "goes on") || len(jsonRows(t, got.stdout)) != 2 {
		t.Errorf("the one after: %+v", got)
	}
}

// TestPipelineRunsAlone shows that a store in a file is worked on by one process at a time: the second is
// told so at once, and harms nothing.
func TestPipelineRunsAlone(t *testing.T) {
	t.Parallel()
	g, env := openGate(t, "dbc-1")
	dir := projectsOf(t, "workspaces: [dbc-1]\n")
	first := inBackground(t, env, "run", dir)
	<-g.came
	got := pipelineCommand(t, env, "run", dir)
	want := "error: another process works on the store " + filepath.Join(dir, "s.db") + "\nhint: wait for it, or keep the rows in PostgreSQL, on which many may work: --store postgres://…\n"
	if got.status != 2 || got.stderr != want || got.stdout != "" {
		t.Errorf("%+v\nwant\n%s", got, want)
	}
	if got := pipelineCommand(t, env, "status", "-C", dir, "-o", "json"); got.status != 0 || len(jsonRows(t, got.stdout)) != 1 {
		t.Errorf("whoever reads may do so: %+v", got)
	}
	g.open("dbc-1")
	if status, told := first.end(); status != 0 || g.called() != "map[dbc-1:1]" {
		t.Errorf("status %d, calls %s\n%s", status, g.called(), told)
	}
}

// TestPipelineStop shows that a run can be stopped from another process: running queries then change nothing.
func TestPipelineStop(t *testing.T) {
	t.Parallel()
	g, env := openGate(t, "dbc-2")
	dir := projectsOf(t, "workspaces: [dbc-1, dbc-2]\n")
	first := inBackground(t, env, "run", dir, "--log", "json")
	first.until(t, `"workspace":"dbc-1","state":"done"`)
	<-g.came
	if got := pipelineCommand(t, env, "stop", "other", "-C", dir); got.status != 2 || got.stderr != "error: no run of \"other\" is under way\nhint: see lakeql pipeline status\n" {
		t.Errorf("a pipeline that does not run: %+v", got)
	}
	if got := pipelineCommand(t, env, "stop", "gated", "-C", dir); got.status != 0 || got.stderr != "" {
		t.Errorf("stop: %+v", got)
	}
	status, told := first.end()
	if status != 1 || !strings.HasSuffix(told, "error: run 1 was stopped: 1 of 2 queries are done, and stay so") {
		t.Errorf("status %d\n%s", status, told)
	}
	if got := pipelineCommand(t, env, "stop", "gated", "-C", dir); got.status != 2 {
		t.Errorf("a run that is over: %+v", got)
	}
	g.open("dbc-2")
	s := store{name: filepath.Join(dir, "s.db")}
	mustRun(t, env, dir, s)
	got := run{args: []string{"exec", "-o", "csv", "-H", "--store", s.name, "SELECT run_id, deployment_name FROM projects_history ORDER BY 1, 2"}}.do(t)
	if got.stdout != "1,dbc-1\n2,dbc-2\n" {
		t.Errorf("the history: %+v", got)
	}
}

// TestPipelineStopsOnError shows that on_error: stop ends a run with the first query that fails.
func TestPipelineStopsOnError(t *testing.T) {
	t.Parallel()
	g, env := openGate(t)
	g.answers("", http.StatusBadRequest)
	for onError, want := range map[string]string{
		"stop":     "error: 1 of 3 queries failed: their workspaces keep the rows of the last time, if there are any, marked stale; pipeline_status lists them; 2 were not asked, because on_error is stop\n",
		"continue": "error: 3 of 3 queries failed: their workspaces keep the rows of the last time, if there are any, marked stale; pipeline_status lists them\n",
	} {
		dir := projectsOf(t, "workspaces: [dbc-1, dbc-2, dbc-3]\nconcurrency: 1\non_error: "+onError+"\n")
		got := pipelineCommand(t, env, "run", "--all", dir, "-o", "json")
		if got.status != 1 || !strings.HasSuffix(got.stderr, want) || len(jsonRows(t, got.stdout)) != 3 {
			t.Errorf("%s: %+v\nwant\n%s", onError, got, want)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := g.calls["dbc-1"] + g.calls["dbc-2"] + g.calls["dbc-3"]; n != 1+3 {
		t.Errorf("%d calls were made", n)
	}
}
