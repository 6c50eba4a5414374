//go:build unix

package cli_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// doctor changes a store as a person with access to its file can.
func doctor(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // what it did is there, or an error was
	for _, statement := range statements {
		if err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// modes returns the files of a folder that others than their owner may open, with their modes.
func modes(t *testing.T, folder string) (all int, open []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if all++; info.Mode().Perm() != 0o600 {
			open = append(open, fmt.Sprintf("%s %v", e.Name(), info.Mode()))
		}
	}
	return all, open
}

// TestFilesBesideAStore shows that SQLite's files beside a store, and the lock, have the mode of the store, also
// where a lock is there that everybody may open.
func TestFilesBesideAStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "s.db")
	if err := os.WriteFile(path+"-lock", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	g, env := openGate(t, "dbc-1")
	b := inBackground(t, env, "run", "-q", "--store", path, projectsOf(t, "workspaces: [dbc-1]\n"))
	<-g.came
	all, open := modes(t, dir)
	if all < 4 || len(open) > 0 {
		t.Errorf("of %d files (the store, its log, the log's index, the lock) others may open %v", all, open)
	}
	g.open("dbc-1")
	if status, told := b.end(); status != 0 {
		t.Errorf("status %d\n%s", status, told)
	}
	got := run{args: []string{"exec", "-o", "csv", "-H", "--store", path, "SELECT count(*) FROM projects"}}.do(t)
	if got.status != 0 || got.stdout != "1\n" {
		t.Errorf("%+v", got)
	}

	// A link could lead to somebody else's file.
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + "-lock"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, path+"-lock"); err != nil {
		t.Fatal(err)
	}
	refused := pipelineCommand(t, env, "run", "-q", "--store", path, projectsOf(t, "workspaces: [dbc-1]\n"))
	if refused.status != 2 || !strings.Contains(refused.stderr, "s.db-lock is not a regular file") {
		t.Errorf("%+v", refused)
	}
	if info, err := os.Stat(other); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the other file became %v, %v", info.Mode(), err)
	}
}

// TestExportStaysBelowItsFolder shows that names of tables and workspaces in a store, and links in the
// folder, cannot make an export write elsewhere.
func TestExportStaysBelowItsFolder(t *testing.T) {
	t.Parallel()
	_, env := openGate(t)
	for name, test := range map[string]struct {
		doctored []string
		link     string // made in the folder, to another one
		told     string
	}{
		"a workspace above it": {
			[]string{"UPDATE lakeql_slice SET deployment_name = 'a/../../../elsewhere'"},
			"",
			`the table projects has rows of a workspace "a/../../../elsewhere", which is no deployment name`,
		},
		"a workspace with a NUL": {
			[]string{"UPDATE lakeql_slice SET deployment_name = 'a' || char(0) || 'b'"},
			"",
			`rows of a workspace "a\x00b", which is no deployment name`,
		},
		"a workspace of dots": {
			[]string{"UPDATE lakeql_slice SET deployment_name = '..'"},
			"",
			`rows of a workspace "..", which is no deployment name`,
		},
		"a table above it": {
			[]string{"UPDATE lakeql_slice SET table_name = '../elsewhere'", "UPDATE lakeql_table SET name = '../elsewhere'"},
			"",
			`the store names a table "../elsewhere", which no pipeline makes`,
		},
		"an absolute table": {
			[]string{"UPDATE lakeql_slice SET table_name = '/tmp/elsewhere'", "UPDATE lakeql_table SET name = '/tmp/elsewhere'"},
			"",
			`the store names a table "/tmp/elsewhere", which no pipeline makes`,
		},
		"a link for the table":     {nil, "projects", "lake/projects is a link or something else that lakeql has not made"},
		"a link for the workspace": {nil, "projects/deployment_name=dbc-1", "lake/projects/deployment_name=dbc-1 is a link or something else"},
		"a link for the file":      {nil, "projects/deployment_name=dbc-1/run-1.parquet", "run-1.parquet is a link or something else"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			s, lake, elsewhere := filepath.Join(base, "s.db"), filepath.Join(base, "lake"), filepath.Join(base, "elsewhere")
			mustRun(t, env, projectsOf(t, "workspaces: [dbc-1]\n"), store{name: s})
			doctor(t, s, test.doctored...)
			if err := os.MkdirAll(elsewhere, 0o700); err != nil {
				t.Fatal(err)
			}
			if test.link != "" {
				link := filepath.Join(lake, test.link)
				if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(elsewhere, link); err != nil {
					t.Fatal(err)
				}
			}
			got := pipelineCommand(t, nil, "export", lake, "--store", s)
			if got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, test.told) {
				t.Errorf("%+v, want %s", got, test.told)
			}
			var files []string
			if err := filepath.WalkDir(base, func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() && filepath.Dir(path) != base && e.Type() != fs.ModeSymlink {
					files = append(files, path)
				}
				return err
			}); err != nil || len(files) > 0 {
				t.Errorf("%v: there are %v", err, files)
			}
		})
	}
}

// TestExportTellsOldRows shows that exported rows have the column stale, which an export of the same rows after
// a failure changes, and that a file of another kind in its place is written anew.
func TestExportTellsOldRows(t *testing.T) {
	t.Parallel()
	g, env := openGate(t)
	s, lake := sqliteStore(t), filepath.Join(t.TempDir(), "lake")
	dir := projectsOf(t, "workspaces: [dbc-1]\n")
	file := filepath.Join(lake, "projects/deployment_name=dbc-1/run-1.parquet")
	export := func(written string, flags ...string) {
		t.Helper()
		got := pipelineCommand(t, nil, append([]string{"export", lake, "--store", s.name, "-o", "csv", "-H"}, flags...)...)
		if want := fmt.Sprintf("projects,dbc-1,1,%s,%s\n", written, file); got.stdout != want {
			t.Errorf("export tells %q, want %q\n%s", got.stdout, want, got.stderr)
		}
	}
	holds := func(stale bool) {
		t.Helper()
		rows := parquetRows(t, file)
		if want := fmt.Sprintf(`"stale":%v`, stale); len(rows) != 1 || !strings.Contains(rows[0], want) {
			t.Errorf("the file has %v, want %s", rows, want)
		}
	}
	mustRun(t, env, dir, s)
	export("1,true")
	holds(false)
	export(",false")
	g.answers("1", 403)
	if got := pipelineCommand(t, env, "run", "-q", "--store", s.name, dir); got.status != 4 {
		t.Errorf("%+v", got)
	}
	export("1,true", "--on-error", "partial")
	holds(true)
	export(",false", "--on-error", "partial")
	if err := os.WriteFile(file, []byte("no Parquet"), 0o600); err != nil {
		t.Fatal(err)
	}
	export("1,true", "--on-error", "partial")
	holds(true)
}
