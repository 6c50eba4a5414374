package cli_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestOneWorkspaceUnderSeveralNames asks a workspace once, by whatever names a statement lists it.
func TestOneWorkspaceUnderSeveralNames(t *testing.T) {
	rec, env := record(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.Contains(r.URL.Path, "/accounts/") {
			_, _ = io.WriteString(w, `[{"workspace_id": 1, "workspace_name": "a", "deployment_name": "wa"}, {"workspace_id": 2, "workspace_name": "A", "deployment_name": "WA"}, {"workspace_id": 3, "workspace_name": "b", "deployment_name": "wb"}]`)
			return
		}
		_, _ = io.WriteString(w, `{"projects": [{"name": "projects/`+strings.Split(r.Host, ".")[0]+`"}]}`)
	})
	env = append(env, "DATABRICKS_ACCOUNT_ID=1-2")
	const list = "GET /api/2.0/postgres/projects"
	for condition, want := range map[string]struct {
		rows     string
		requests []string
	}{
		"deployment_name IN ('wa', 'WA', 'wb', 'Wa')":            {"projects/wa projects/wb", []string{list, list}},
		"deployment_name = 'wa' OR deployment_name = 'WA'":       {"projects/wa", []string{list}},
		"deployment_name IN (SELECT 'wa' UNION ALL SELECT 'WA')": {"projects/wa", []string{list}},
		"name LIKE '%a' AND deployment_name IN ('wa', 'WA')":     {"projects/wa", []string{list}},
		"deployment_name = '*'":                                  {"projects/wa projects/wb", []string{"GET /api/2.0/accounts/1-2/workspaces", list, list}},
	} {
		before := len(rec.sent())
		got := run{args: []string{"exec", "-H", "-o", "csv", "SELECT name FROM " + projects + " WHERE " + condition}, env: env}.do(t)
		rows := strings.Fields(got.stdout)
		slices.Sort(rows)
		if got.status != 0 || strings.Join(rows, " ") != want.rows {
			t.Errorf("%s: status %d, rows %q, want %s\n%s", condition, got.status, rows, want.rows, got.stderr)
		}
		if sent := rec.sent()[before:]; want.requests != nil && !slices.Equal(sent, want.requests) {
			t.Errorf("%s: sent %q, want %q", condition, sent, want.requests)
		}
	}
	// Each row of a join has its own list of names.
	joined := "SELECT p.name FROM (SELECT 1 AS n UNION ALL SELECT 2) AS x CROSS JOIN " + projects + " p ON p.deployment_name IN ('wa', 'WA')"
	if got := (run{args: []string{"exec", "-H", "-o", "csv", joined}, env: env}).do(t); got.status != 0 || got.stdout != "projects/wa\nprojects/wa\n" {
		t.Errorf("a join: status %d, %q\n%s", got.status, got.stdout, got.stderr)
	}
	const label = "SELECT count(*) FROM " + projects + " WHERE deployment_name IN "
	one := run{args: []string{"exec", "--emulator", "--store", ":memory:", "-H", "-o", "csv", label + "('dbc-1')"}}.do(t)
	all := run{args: []string{"exec", "--emulator", "--store", ":memory:", "-H", "-o", "csv", label + "('dbc-1', 'DBC-1', 'dbc-1.cloud.databricks.com')"}}.do(t)
	if one.status != 0 || all.status != 0 || one.stdout != all.stdout || one.stdout == "0\n" {
		t.Errorf("one name: %q, three names: %q\n%s%s", one.stdout, all.stdout, one.stderr, all.stderr)
	}
}
