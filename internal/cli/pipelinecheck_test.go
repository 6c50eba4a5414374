//go:build unix

package cli_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// silent is a workspace that nothing may be asked of.
func silent(t *testing.T) []string {
	t.Helper()
	return listing(t, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent", r.Method, r.URL)
		w.WriteHeader(http.StatusTeapot)
	})
}

// TestPipelineCheckFinds shows that the check of a wrong folder reports file, line and column of each fault,
// makes no call, and exits with status 2.
func TestPipelineCheckFinds(t *testing.T) {
	t.Parallel()
	const head, fine = "-- table: t\n-- key: name\n", "-- table: fine\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects"
	const config = "name: p\nworkspaces: [dbc-1]\n"
	sql := func(query string) map[string]string {
		return map[string]string{"pipeline.yaml": config, "t.sql": head + query}
	}
	yaml := func(text string) map[string]string { return map[string]string{"pipeline.yaml": text, "t.sql": fine} }
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string // {} is the folder
	}{
		{"no pipeline.yaml", map[string]string{"t.sql": fine}, "error: {} is no pipeline: it has no pipeline.yaml\nhint: give the folder of a pipeline, or make one with lakeql pipeline init {}\n"},
		{"no SQL files", map[string]string{"pipeline.yaml": config}, "error: the pipeline {} has no SQL files: each makes one table\n"},
		{"an unknown key", yaml(config + "retries: 3\n"), "error: {}/pipeline.yaml:3:1: \"retries\" is not known here\nhint: it may say attempts, check_timeout, concurrency, description, name, notify, on_error, query_rows, query_size, query_timeout, rate, retention, schedule, store, timezone, variables, workspaces\n"},
		{"a schedule that is none", yaml(config + "schedule: '61 * * * *'\n"), "error: {}/pipeline.yaml:3:11: schedule: \"61 * * * *\" is not cron syntax (minute hour day month weekday): end of range (61) above maximum (59): 61\n"},
		{"a hostile workspace", yaml("name: p\nworkspaces: [\"evil.example/\"]\n"), "error: {}/pipeline.yaml: find the workspaces: deployment_name: \"evil.example/\" is neither one DNS label nor a host under a domain of Databricks\nhint: give the first part of the workspace's host, such as dbc-abcd0123-a1bc, or the whole host, such as adb-1234567890123456.7.azuredatabricks.net\n"},
		{"a query for workspaces that is wrong", yaml("name: p\nworkspaces: {query: SELECT deployment_name FROM databricks_account.provisioning.workspace}\n"), "error: {}/pipeline.yaml: find the workspaces: unknown resource \"workspace\" in databricks_account.provisioning\nhint: did you mean workspaces, vw_workspaces?\n"},
		{"a comment that is wrong", map[string]string{"pipeline.yaml": config, "t.sql": "-- table: t\n-- kee: name\nSELECT 1"}, "error: {}/t.sql:2:1: \"kee\" is not known here: table, description, key and types are\n"},
		{"a table twice", map[string]string{"pipeline.yaml": config, "a.sql": fine, "b.sql": fine}, "error: {}/b.sql: the table fine is that of a.sql too\n"},
		{"a variable that is not there", sql("\nSELECT name\nFROM {{ .from }}"), "error: {}/t.sql:5:9: fill in the variables: <.from>: map has no entry for key \"from\"\nhint: variables are named in pipeline.yaml; deployment_name is the workspace\n"},
		{"an unknown resource, set in", sql("\n  SELECT name\n  FROM databricks_workspace.postgres.project"), "error: {}/t.sql:5:38: unknown resource \"project\" in databricks_workspace.postgres\nhint: did you mean postgres_projects (formerly projects), vw_projects?\n"},
		{"an unknown column", sql("SELECT nam AS name FROM databricks_workspace.postgres.postgres_projects"), "error: {}/t.sql:3:8: no such column: nam\nhint: did you mean name, deployment_name?\n"},
		{"an error of syntax", sql("SELECT name\nFRM x"), "error: {}/t.sql:4:5: near \"x\": syntax error\n"},
		{"a parameter that is not given", sql("\n\nSELECT name FROM databricks_workspace.postgres.postgres_branches"), "error: {}/t.sql:5:1: missing parameters: databricks_workspace.postgres.postgres_branches needs project_id\nhint: add WHERE project_id = '…', or join with a table that supplies them\n"},
		{"a statement that changes things", sql("DELETE FROM databricks_workspace.postgres.postgres_projects WHERE name = 'projects/p'"), "error: {}/t.sql:3:1: this is no query: only SELECT, WITH and VALUES are\n"},
		{"a call", sql("EXEC databricks_workspace.postgres.postgres_projects.list"), "error: {}/t.sql:3:1: this is no query: only SELECT, WITH and VALUES are\n"},
		{"a second statement", sql("SELECT 'a' AS name; DELETE FROM databricks_workspace.postgres.postgres_projects"), "error: {}/t.sql: there has to be one query, and no more\n"},
		{"remarks alone", sql("\n-- nothing"), "error: {}/t.sql: there has to be one query, and no more\n"},
		{"a key that is not given", sql("SELECT uid FROM databricks_workspace.postgres.postgres_projects"), "error: {}/t.sql: the key names the column \"name\", which the query does not give\n"},
		{"a column without a type", sql("SELECT name, upper(uid) AS up FROM databricks_workspace.postgres.postgres_projects"), "error: {}/t.sql: the query computes up, whose type is not known\nhint: say it in the comment at the top: -- types: up integer (or text, integer, number, boolean, timestamp, json)\n"},
		{
			"several faults",
			map[string]string{"pipeline.yaml": "name: p\nworkspaces: [a..b]\n", "fine.sql": fine, "t.sql": head + "SELECT", "u.sql": "-- table: u\n-- key: name\nSELECT uid FROM databricks_workspace.postgres.postgres_projects"},
			"error: {}/pipeline.yaml: find the workspaces: deployment_name: \"a..b\" is neither one DNS label nor a host under a domain of Databricks\nhint: give the first part of the workspace's host, such as dbc-abcd0123-a1bc, or the whole host, such as adb-1234567890123456.7.azuredatabricks.net\n" +
				"error: {}/t.sql:3:1: incomplete input\nerror: {}/u.sql: the key names the column \"name\", which the query does not give\nerror: the pipeline has 3 faults, which are told above\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env, dir := silent(t), folder(t, test.files)
			for _, command := range []string{"check", "run"} {
				got := pipelineCommand(t, env, command, dir, "--store", filepath.Join(t.TempDir(), "none.db"))
				if want := strings.ReplaceAll(test.want, "{}", dir); got.status != 2 || got.stderr != want || got.stdout != "" {
					t.Errorf("%s: status %d\n%s%s\nwant\n%s", command, got.status, got.stdout, got.stderr, want)
				}
			}
		})
	}
}
