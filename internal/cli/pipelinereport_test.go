//go:build unix

package cli_test

import (
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestPipelineReport follows a store over some runs, and looks at the page about it.
func TestPipelineReport(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			reportsOn(t, open(t))
		})
	}
}

func reportsOn(t *testing.T, s store) {
	t.Helper()
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2", "dbc-3"}})
	dir := lakebase(t, "workspaces: [dbc-1, dbc-2, dbc-3]\n")
	if err := os.WriteFile(filepath.Join(dir, "warehouses.sql"), []byte("-- table: warehouses\n-- key: id\nSELECT id, name, cluster_size, auto_stop_mins, max_num_clusters, state FROM databricks_workspace.sql.warehouses"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, env, dir, s)
	page := reportOf(t, env, dir, s)
	pageSays(t, page, "Every table of every workspace is up to date.", "first answers: ", "in 3 workspaces", "SQL warehouses", "Not collected: the pipeline has no table clusters.", "stopped, ")
	if !strings.Contains(page, "0 rows added, 0 changed, and 0 removed in the last 30 days") {
		t.Error("the first rows count as changes")
	}

	mustExec(t, env, `UPDATE databricks_workspace.postgres.postgres_branches SET "spec.is_protected" = true WHERE deployment_name = 'dbc-1' AND name = 'projects/p/branches/development';
		INSERT INTO databricks_workspace.postgres.postgres_projects (deployment_name, project_id) VALUES ('dbc-2', 'added');
		DELETE FROM databricks_workspace.postgres.postgres_branches WHERE deployment_name = 'dbc-3' AND name = 'projects/p/branches/b'`)
	mustRun(t, env, dir, s)
	page = reportOf(t, env, dir, s)
	pageSays(t, page, "2 rows added, 1 changed, and 1 removed in the last 30 days", "branches in dbc-1 ~1 changed", "~changed projects/p/branches/development protected from false to true",
		"branches in dbc-3 −1 removed", "−removed projects/p/branches/b", "projects in dbc-2 +1 added", "+added projects/added")

	// A workspace that is not there any more fails, and one that the list lacks has left.
	if err := os.WriteFile(filepath.Join(dir, "pipeline.yaml"), []byte("name: lakebase\nworkspaces: [dbc-1, dbc-2, dbc-gone]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := pipelineCommand(t, env, "run", "-q", "--store", s.name, dir); got.status != 1 {
		t.Fatalf("%+v", got)
	}
	page = reportOf(t, env, dir, s)
	pageSays(t, page, "3 queries of 9 failed, in 1 workspace", "Left 1 workspaces not queried any more", "Failed 3 in the last run of 9 queries", "What failed", "3 queries branches, projects, warehouses dbc-gone")
	if again := reportOf(t, env, dir, s); again != page {
		t.Errorf("a second page differs:\n%s\n%s", page, again)
	}

	if got := pipelineCommand(t, env, "report", "lakebas", "--store", s.name); got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, `has no pipeline "lakebas"`) {
		t.Errorf("a name that the store does not have: %+v", got)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if got := pipelineCommand(t, env, "report", "--store", s.name, "-o", file); got.status != 0 || got.stdout+got.stderr != "" {
		t.Errorf("about the whole store: %+v", got)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.HasSuffix(string(text), "</html>\n") || strings.Contains(string(text), "postgres:postgres@") {
		t.Errorf("the file has\n%s\n%v", text, err)
	}
}

// reportOf returns the words of a report.
func reportOf(t *testing.T, env []string, dir string, s store) string {
	t.Helper()
	got := pipelineCommand(t, env, "report", "--store", s.name, dir)
	if got.status != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "<!DOCTYPE html>") {
		t.Fatalf("%+v", got)
	}
	return wordsOn(got.stdout)
}

// wordsOn is a page without its elements, with a blank between two words, without times and the chart.
func wordsOn(page string) string {
	_, page, _ = strings.Cut(page, "</style>")
	before, after, _ := strings.Cut(page, `<div class="chart">`)
	_, after, _ = strings.Cut(after, "</section>")
	page = before + after
	var b strings.Builder
	for part := range strings.SplitSeq(page, "<") {
		tag, text, _ := strings.Cut(part, ">")
		if strings.HasPrefix(tag, "td") || strings.HasPrefix(tag, "th") || strings.HasPrefix(tag, "br") || strings.HasPrefix(tag, "time") {
			b.WriteByte(' ')
		}
		if strings.HasPrefix(tag, "time") {
			continue
		}
		b.WriteString(text)
	}
	return strings.Join(strings.Fields(html.UnescapeString(b.String())), " ")
}

func pageSays(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("the page does not say %q:\n%s", part, text)
		}
	}
}

// TestPipelineReportRefuses shows what the command says when it cannot draw.
func TestPipelineReportRefuses(t *testing.T) {
	t.Parallel()
	dir := lakebase(t, "workspaces: [dbc-1]\nstore: s.db\n")
	for says, args := range map[string][]string{
		"error: there is no store ":                           {"report", dir, "-o", filepath.Join(dir, "report.html")},
		"is no folder of a pipeline: it has no pipeline.yaml": {"report", filepath.Join(dir, "nowhere")},
		"error: accepts at most 1 arg(s), received 2":         {"report", dir, dir},
	} {
		if got := pipelineCommand(t, nil, args...); got.status != 2 || !strings.Contains(got.stderr, says) || got.stdout != "" {
			t.Errorf("%v: %+v, want %q", args, got, says)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "report.html")); !os.IsNotExist(err) {
		t.Errorf("a file was left: %v", err)
	}
}
