//go:build unix

package cli_test

import (
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestTablesAtATime shows what <table>_at takes in an SQLite store, and what it refuses rather than answer
// with fewer rows than there were.
func TestTablesAtATime(t *testing.T) {
	server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	env = append(env, "DATABRICKS_ACCOUNT_ID="+server.AccountID())
	s := sqliteStore(t)
	mustRun(t, env, company(t, "workspaces: [dbc-1]\n"), s)
	count := mustCount(t, s, "projects")
	for _, at := range []string{
		"datetime('now', '+1 day')", "date('now', '+1 day')", "'2999-01-01'", "'2999-01-01 06:00'", "'2999-01-01T06:00:00.123+02:00'",
		"(SELECT max(observed_at) FROM projects)",
	} {
		if n := mustCount(t, s, "projects_at("+at+")"); n != count || n == 0 {
			t.Errorf("at %s there were %d projects, and there are %d", at, n, count)
		}
	}
	if n := mustCount(t, s, "projects n JOIN PROJECTS_AT('2999-01-01') t ON t.name = n.name JOIN clusters_at('2999-01-01') c ON c.deployment_name = n.deployment_name WHERE n.create_time = t.create_time"); n == 0 {
		t.Error("the join of then and now has no rows")
	}
	for text, message := range map[string]string{
		"projects_at('2001-01-01')": "what projects held at 2001-01-01T00:00:00.000000Z is not known: its history begins at 20",
		"projects_at('yesterday')":  "projects_at needs a time",
		"projects_at(NULL)":         "projects_at needs a time",
		"projects_at()":             "projects_at needs a time",
		"projects_at":               "projects_at needs a time",
		"rivers_at('2999-01-01')":   "no such table: rivers_at",
		"projects_at(1, 2)":         "too many arguments",
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
