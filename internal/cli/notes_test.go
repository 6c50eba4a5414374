//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestShellOutfile shows that a script for the shell writes its rows to a file, and that a script that fails
// leaves the file as it was.
func TestShellOutfile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "rows.csv")
	for _, test := range []struct {
		stdin  string
		status int
	}{
		{"SELECT 7 AS a; SELECT 8 AS b;", 0},
		{"SELECT 9 AS a; SELECT nosuch;", 2},
	} {
		got := run{args: []string{"shell", "-o", "csv", "-f", file}, stdin: test.stdin}.do(t)
		rows, err := os.ReadFile(file)
		if got.status != test.status || got.stdout != "" || err != nil || string(rows) != "a\n7\nb\n8\n" {
			t.Errorf("%s: %+v; the file has %q, %v", test.stdin, got, rows, err)
		}
	}
}

// TestNotes shows that nothing but errors goes to standard error where standard output is no terminal, that
// notes can be asked for, and that they come before an error.
func TestNotes(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	const former = "SELECT count(*) > 0 AS ok FROM databricks_workspace.dbsql.warehouses"
	const note = "note: databricks_workspace.dbsql.warehouses is databricks_workspace.sql.warehouses today\n"
	const inserted = "note: 1 row inserted\n"
	for name, test := range map[string]struct {
		args   []string
		stdin  string
		stderr string
		status int
	}{
		"a former name":      {[]string{"exec", former}, "", "", 0},
		"asked for":          {[]string{"exec", "--notes", former}, "", note, 0},
		"not asked for":      {[]string{"exec", "--notes=false", former}, "", "", 0},
		"a table":            {[]string{"exec", "--store", ":memory:", "CREATE TABLE t (a); INSERT INTO t VALUES (1)"}, "", "", 0},
		"before an error":    {[]string{"exec", "--store", ":memory:", "CREATE TABLE t (a); INSERT INTO t VALUES (1); SELECT b FROM t"}, "", inserted, 2},
		"a script of shell":  {[]string{"shell", "--store", ":memory:"}, "CREATE TABLE t (a); INSERT INTO t VALUES (1);", "", 0},
		"asked for in shell": {[]string{"shell", "--store", ":memory:", "--notes"}, "CREATE TABLE t (a); INSERT INTO t VALUES (1);", inserted, 0},
		"in part":            {[]string{"exec", "--http.response.pageLimit", "1", "SELECT count(*) FROM " + branches + " WHERE project_id = 'p' AND page_size = 1"}, "", "note: incomplete: rows of databricks_workspace.postgres.postgres_branches ", 3},
	} {
		got := run{args: test.args, stdin: test.stdin, env: env}.do(t)
		if got.status != test.status || !strings.HasPrefix(got.stderr, test.stderr) || test.status == 0 && got.stderr != test.stderr || test.status != 0 && !strings.Contains(got.stderr, "\nerror: ") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := (run{args: []string{"exec", former}, env: append(env, "PAGER=cat")}).atTerminal(t, 120, 24).ends(0); !strings.Contains(got, note) {
		t.Errorf("at a terminal: %q", got)
	}
	got := run{args: []string{"exec", "-v", former}, env: env}.do(t)
	if got.status != 0 || !strings.Contains(got.stderr, note) || !strings.Contains(got.stderr, "path=/api/2.0/sql/warehouses") {
		t.Errorf("verbose: %+v", got)
	}
}
