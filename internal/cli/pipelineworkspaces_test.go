//go:build unix

package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestPipelineTimes shows that diff and <table>_at take the times that rows and changes tell.
func TestPipelineTimes(t *testing.T) {
	t.Parallel()
	g, env := openGate(t)
	dir := projectsOf(t, "workspaces: [dbc-1]\n")
	s := store{name: filepath.Join(dir, "s.db")}
	ask := func(query string) string {
		t.Helper()
		got := run{args: []string{"exec", "-o", "csv", "-H", "--store", s.name, query}}.do(t)
		if got.status != 0 {
			t.Fatalf("%s: %s", query, got.stderr)
		}
		return strings.TrimSuffix(got.stdout, "\n")
	}
	var times []string
	for _, uid := range []string{"1", "2", "3"} {
		g.answers(uid, 0)
		mustRun(t, env, dir, s)
		times = append(times, ask("SELECT observed_at FROM projects"))
	}
	for i, at := range times {
		if got := ask("SELECT uid FROM projects_at('" + at + "')"); got != fmt.Sprint(i+1) {
			t.Errorf("at %s, when the rows were asked for, the table held %q, want %d", at, got, i+1)
		}
		if got := ask("SELECT uid FROM projects_at('" + strings.Replace(strings.TrimSuffix(at, "Z"), "T", " ", 1) + "')"); got != fmt.Sprint(i+1) {
			t.Errorf("at %s, written with a blank, the table held %q, want %d", at, got, i+1)
		}
	}
	diff := func(since string) result {
		return pipelineCommand(t, env, "diff", "projects", "-C", dir, "-o", "json", "--since", since)
	}
	for since, want := range map[string]int{
		"": 3, "1h": 3, "1h30m": 3, "7d": 3, "0.5d": 3, "36499d": 3, "2020-01-01": 3, "2020-01-01T06:00": 3, "2020-01-01 06:00:00": 3, "2020-01-01T06:00:00+02:00": 3,
		times[0]: 2, times[1]: 1, times[2]: 0, "0s": 0, "0d": 0,
	} {
		if got := diff(since); got.status != 0 || got.stdout == "" || len(jsonRows(t, got.stdout)) != want {
			t.Errorf("--since %s: %+v, want %d changes", since, got, want)
		}
	}
	for _, since := range []string{"yesterday", "-1h", "-1d", "NaNd", "Infd", "36500d", "1w", "d", "2026-13-01", "0000-01-01", "01.11.2026", "1\x1b[2J"} {
		want := "is neither a time nor how long ago it was\nhint: write 2026-11-01, 2026-11-01T06:00:00Z, 24h or 7d\n"
		if got := diff(since); got.status != 2 || !strings.HasSuffix(got.stderr, want) || strings.Contains(got.stderr, "\x1b") {
			t.Errorf("--since %q: %+v", since, got)
		}
	}
	if got := pipelineCommand(t, env, "diff", "users", "-C", dir); got.status != 2 || !strings.HasSuffix(got.stderr, "has no table \"users\"\nhint: it has projects\n") {
		t.Errorf("a table that is not there: %+v", got)
	}
	if got := pipelineCommand(t, env, "diff", "projects", "--store", filepath.Join(dir, "none.db")); got.status != 2 || !strings.HasPrefix(got.stderr, "error: there is no store ") {
		t.Errorf("a store that is not there: %+v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); !os.IsNotExist(err) {
		t.Errorf("it was made: %v", err)
	}
}

// TestPipelineWorkspaces shows which workspaces are queried: those of a list, of a query, or of the account.
func TestPipelineWorkspaces(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2", "other-3"}})
	env = append(env, "DATABRICKS_ACCOUNT_ID="+server.AccountID())
	const from = "SELECT deployment_name FROM databricks_account.provisioning.workspaces"
	for config, want := range map[string][]string{
		"workspaces: all\n":                       {"dbc-1", "dbc-2", "other-3"},
		"workspaces: [other-3, dbc-1]\n":          {"dbc-1", "other-3"},
		"workspaces: {query: \"" + from + "\"}\n": {"dbc-1", "dbc-2", "other-3"},
		"workspaces: {query: \"" + from + " WHERE deployment_name LIKE {{ quote .like }} UNION ALL SELECT 'dbc-2'\"}\nvariables: {like: dbc-%}\n": {"dbc-1", "dbc-2"},
	} {
		dir := folder(t, map[string]string{"pipeline.yaml": "name: p\nstore: s.db\n" + config, "c.sql": "-- table: c\n-- key: cluster_id\nSELECT cluster_id FROM databricks_workspace.compute.clusters"})
		got := pipelineCommand(t, env, "run", "--all", dir, "-o", "json")
		if got.status != 0 {
			t.Errorf("%s%+v", config, got)
			continue
		}
		var asked []string
		for _, row := range jsonRows(t, got.stdout) {
			asked = append(asked, fmt.Sprint(row["deployment_name"]))
		}
		if !slices.Equal(asked, want) {
			t.Errorf("%s: asked were %v, want %v", config, asked, want)
		}
	}
}

// TestPipelineRefusesWorkspaces shows that names which lead elsewhere, and workspaces without one, end a run
// before anything is sent to a workspace.
func TestPipelineRefusesWorkspaces(t *testing.T) {
	t.Parallel()
	const notAHost = " is neither one DNS label nor a host under a domain of Databricks; give "
	for _, test := range []struct{ name, answer, want string }{
		{
			"without a deployment name", `[{"workspace_id": 1, "workspace_name": "ws", "deployment_name": "dbc-1"}, {"workspace_id": 2, "workspace_name": "odd"}]`,
			"error: run 1 failed: find the workspaces: a workspace of the account has no deployment name ([<nil> odd]): list by name the workspaces that the pipeline is about\n",
		},
		{
			"with a stranger's host", `[{"workspace_id": 1, "workspace_name": "ws", "deployment_name": "dbc-1"}, {"workspace_id": 2, "deployment_name": "evil.example"}]`,
			`error: run 1 failed: find the workspaces: deployment_name: "evil.example"` + notAHost,
		},
		{"with a path", `[{"workspace_id": 2, "deployment_name": "../../x"}]`, `error: run 1 failed: find the workspaces: deployment_name: "../../x"` + notAHost},
		{"with the sign for all", `[{"workspace_id": 2, "deployment_name": "*"}]`, `error: run 1 failed: find the workspaces: deployment_name: "*"` + notAHost},
		{"with control characters", `[{"workspace_id": 2, "deployment_name": "a\u001b[2J"}]`, `error: run 1 failed: find the workspaces: deployment_name: "a\x1b[2J"` + notAHost},
		{"none at all", `[]`, "error: run 1 failed: there are no workspaces to run for\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := listing(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/workspaces") {
					t.Errorf("%s %s%s was sent", r.Method, r.Host, r.URL)
				}
				_, _ = fmt.Fprint(w, test.answer)
			})
			env = append(env, "DATABRICKS_ACCOUNT_ID=11111111-2222-3333-4444-555555555555")
			got := pipelineCommand(t, env, "run", projectsOf(t, "workspaces: all\n"))
			if got.status != 2 || !strings.Contains(got.stderr, test.want) {
				t.Errorf("%+v\nwant\n%s", got, test.want)
			}
		})
	}
}
