//go:build unix

package cli_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestChecksOfStores shows that the same checks come out the same on both kinds of store: over current rows,
// the history and the status, with values of all types.
func TestChecksOfStores(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{CreateOnUse: true})
	dir := lakebase(t, "workspaces: [dbc-1, dbc-2]\n")
	for name, text := range map[string]string{
		"booleans.sql":  "-- key: deployment_name, name\n-- message: {{ deployment_name }} {{ name }} {{ protected }} {{ current_state }}\nSELECT deployment_name, name, protected, current_state FROM branches WHERE NOT protected AND name LIKE '%/production' ORDER BY 1, 2",
		"history.sql":   "-- expect: between 20 and 40\nSELECT count(*) AS added FROM branches_history WHERE change = 'added' AND changed_at > now() - INTERVAL '1 day'",
		"status.sql":    "-- expect: = 4\nSELECT count(*) AS slices FROM pipeline_status WHERE observed_at IS NOT NULL AND NOT stale",
		"objects.sql":   "-- message: {{ owner }}\nSELECT DISTINCT status ->> 'owner' AS owner, status ->> 'pg_version' AS pg FROM projects WHERE deployment_name = 'dbc-1' ORDER BY 1, 2",
		"postgres.sql":  "SELECT name FROM branches WHERE name ILIKE 'PROJECTS/%' AND logical_bytes::text ~ 'x'",
		"not_there.sql": "SELECT * FROM rivers",
	} {
		addFile(t, dir, "checks/"+name, text)
	}
	var first string
	for kind, open := range stores() {
		s := open(t)
		mustRun(t, env, dir, s)
		got := pipelineCommand(t, nil, "test", dir, "--store", s.name, "-o", "csv", "--rows")
		if got.status != 1 || got.stderr != "error: 2 checks failed: booleans, objects; 1 check could not be evaluated: not_there\n" {
			t.Errorf("%s: status %d\n%s%s", kind, got.status, got.stdout, got.stderr)
		}
		if first == "" {
			first = got.stdout
		}
		if got.stdout != first {
			t.Errorf("one store has\n%s\nand the other\n%s", first, got.stdout)
		}
	}
}

// addFile writes a file into a folder, and makes the folders on the way.
func addFile(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}
