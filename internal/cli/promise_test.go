package cli_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// stored copies the stores that a version wrote to a folder of their own. It did so with a pipeline of two
// queries in two workspaces, which ran twice and was then scheduled; a project went between the runs. The
// other store has a table, a view, and a materialized view.
func stored(t *testing.T, version string) string {
	t.Helper()
	to := t.TempDir()
	entries, err := os.ReadDir(filepath.Join("testdata/stores", version))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		in, err := os.Open(filepath.Join("testdata/stores", version, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = in
		if filepath.Ext(entry.Name()) == ".gz" {
			if r, err = gzip.NewReader(in); err != nil {
				t.Fatal(err)
			}
		}
		content, err := io.ReadAll(r)
		_ = in.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, strings.TrimSuffix(entry.Name(), ".gz")), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// TestStoresOfEarlierVersions opens the stores of every version that was released: their rows and history are
// what they were, and a pipeline goes on in its store.
func TestStoresOfEarlierVersions(t *testing.T) {
	t.Parallel()
	versions, err := os.ReadDir("testdata/stores")
	if err != nil || len(versions) == 0 {
		t.Fatalf("%v %v", versions, err)
	}
	for _, version := range versions {
		t.Run(version.Name(), func(t *testing.T) {
			t.Parallel()
			_, env := workspace(t, emulator.Options{})
			dir := stored(t, version.Name())
			do := func(args ...string) string {
				t.Helper()
				got := run{args: args, env: env, dir: dir}.do(t)
				if got.status != 0 {
					t.Fatalf("%v: %+v", args, got)
				}
				return got.stdout
			}
			sql := func(store, text, want string) {
				t.Helper()
				if got := do("exec", "--store", store, "-H", "-o", "csv", text); got != want {
					t.Errorf("%s: %q and not %q", text, got, want)
				}
			}
			sql("store.db", "SELECT name, n FROM noted", "projects/orders,7\n")
			sql("store.db", "SELECT seen, flag FROM notes WHERE seen >= '2026-11-30T05:00:00Z' AND flag", "2026-11-30T06:00:00Z,true\n")
			sql("store.db", "INSERT INTO notes SELECT name, 8, NULL, false FROM projects WHERE name = 'projects/p'; SELECT name, n FROM noted ORDER BY n", "projects/orders,7\nprojects/p,8\n")
			sql("store.db", "SELECT a, hex(b), c IS NULL FROM t2", "1,00FF,1\n")

			sql("inventory.db", "SELECT deployment_name, count(*), sum(stale) FROM projects GROUP BY 1 ORDER BY 1", "finch-dev,6,0\nfinch-prod,5,0\n")
			sql("inventory.db", "SELECT run_id, change, name FROM projects_history WHERE change <> 'added'", "2,removed,projects/loyalty\n")
			wrong := run{args: []string{"exec", "--store", "inventory.db", "SELECT run_id FROM projects"}, env: env, dir: dir}.do(t)
			if wrong.status != 2 || !strings.Contains(wrong.stderr, "did you mean") || strings.Contains(wrong.stderr, "did you mean run_id") {
				t.Errorf("a column of another table: %+v", wrong)
			}
			if got := do("pipeline", "status"); !strings.Contains(got, "| 2 ") {
				t.Errorf("the runs are\n%s", got)
			}
			if got := do("pipeline", "schedule", "list"); !strings.Contains(got, "0 6 * * *") {
				t.Errorf("the schedules are\n%s", got)
			}
			if got := do("pipeline", "run", "--adopt", "-o", "csv"); !strings.Contains(got, "projects,2,2,0,") {
				t.Errorf("the next run is\n%s", got)
			}
			sql("inventory.db", "SELECT count(*) FROM projects_history WHERE run_id <= 2", "13\n")
		})
	}
}
