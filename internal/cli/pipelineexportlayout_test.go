//go:build unix

package cli_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// exportedRows reads a file of an export, whatever its format, as lines of JSON.
func exportedRows(t *testing.T, path string) (lines []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	switch filepath.Ext(path) {
	case ".parquet":
		return parquetRows(t, path)
	case ".csv":
		records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records[1:] {
			row := map[string]any{}
			for i, name := range records[0] {
				row[name] = record[i]
			}
			lines = append(lines, line(t, row))
		}
	default:
		for text := range strings.Lines(string(data)) {
			var row map[string]any
			if err := json.Unmarshal([]byte(text), &row); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			lines = append(lines, line(t, row))
		}
	}
	slices.Sort(lines)
	return lines
}

// TestPipelineExportLayouts writes the rows and the history of a store in each layout and format, and reads them
// with other implementations: the values are the same in all of them, and those of the store.
func TestPipelineExportLayouts(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
			s := open(t)
			dir, lake := lakebase(t, "workspaces: [dbc-1, dbc-2]\n"), filepath.Join(t.TempDir(), "lake")
			mustRun(t, env, dir, s)
			mustExec(t, env, "DELETE FROM databricks_workspace.postgres.postgres_branches WHERE deployment_name = 'dbc-2' AND name = 'projects/p/branches/b'")
			mustRun(t, env, dir, s)
			export := func(args ...string) []map[string]any {
				t.Helper()
				got := pipelineCommand(t, nil, append([]string{"export", lake, "--store", s.name, "-o", "json"}, args...)...)
				if got.status != 0 {
					t.Fatalf("%+v", got)
				}
				return jsonRows(t, got.stdout)
			}
			count := func(query string) int { return int(mustCount(t, s, query)) }

			wholes := map[string][]string{}
			for _, format := range []string{"parquet", "csv", "json"} {
				told := export("--by", "table", "--history", "--format", format)
				ext := map[string]string{"parquet": "parquet", "csv": "csv", "json": "jsonl"}[format]
				if len(told) != 4 {
					t.Fatalf("--by table writes %v", told)
				}
				for _, table := range []string{"projects", "projects_history", "branches", "branches_history"} {
					rows := exportedRows(t, filepath.Join(lake, table+"."+ext))
					if want := count(table); len(rows) != want || want == 0 {
						t.Errorf("%s.%s has %d rows, and the store %d", table, ext, len(rows), want)
					}
					if format == "csv" { // it has no types
						all := strings.Join(rows, "")
						for _, part := range []string{`"deployment_name":"dbc-1"`, `"deployment_name":"dbc-2"`, `"projects/p`, `"run_id":"`, `T`} {
							if !strings.Contains(all, part) {
								t.Errorf("%s.csv lacks %s", table, part)
							}
						}
						continue
					}
					if wholes[table] != nil && !slices.Equal(wholes[table], rows) {
						t.Errorf("%s differs between the formats:\n%s\n%s", table, wholes[table][0], rows[0])
					}
					wholes[table] = rows
				}
			}
			if row := wholes["branches"][0]; !strings.Contains(row, `"stale":false`) || !strings.Contains(row, `"observed_at":"20`) || !strings.Contains(row, `"run_id":2`) {
				t.Errorf("a row of --by table is %s", row)
			}

			// The history of a run is written once; the rows of one workspace are as before.
			told := export("--history", "--format", "json", "--table", "branches")
			removed := filepath.Join(lake, "branches_history", "run_id=2", "changes.jsonl")
			if rows := exportedRows(t, removed); len(rows) != 1 || !strings.Contains(rows[0], `"change":"removed"`) || strings.Contains(rows[0], "run_id") {
				t.Errorf("%s has %v", removed, rows)
			}
			if rows := exportedRows(t, filepath.Join(lake, "branches_history", "run_id=1", "changes.jsonl")); len(rows) != count("branches_history WHERE run_id = 1") {
				t.Errorf("run 1 has %d changes", len(rows))
			}
			if len(told) != 4 || sum(t, told, "rows") != mustCount(t, s, "branches")+mustCount(t, s, "branches_history") {
				t.Errorf("--history tells %v", told)
			}
			for _, row := range export("--history", "--format", "json", "--table", "branches") {
				if row["written"] != false {
					t.Errorf("again: %v", row)
				}
			}
			later := export("--history", "--table", "branches", "--since-run", "1")
			if len(later) != 3 || fmt.Sprint(later[2]["run"]) != "2" {
				t.Errorf("--since-run 1 tells %v", later)
			}
			if later := export("--history", "--since-run", "2"); len(later) != 0 {
				t.Errorf("--since-run 2 tells %v", later)
			}
		})
	}
}

// TestPipelineExportStaleFormats shows that files of each format are written again when their rows become stale.
func TestPipelineExportStaleFormats(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	s := sqliteStore(t)
	dir, lake := lakebase(t, "workspaces: [dbc-1]\n"), filepath.Join(t.TempDir(), "lake")
	mustRun(t, env, dir, s)
	export := func(format string) (written int) {
		t.Helper()
		got := pipelineCommand(t, nil, "export", lake, "--store", s.name, "-o", "json", "--format", format, "--on-error", "partial")
		for _, row := range jsonRows(t, got.stdout) {
			if row["written"] == true {
				written++
			}
		}
		return written
	}
	for _, format := range []string{"csv", "json"} {
		if first, again := export(format), export(format); first != 2 || again != 0 {
			t.Errorf("%s: %d files, then %d", format, first, again)
		}
	}
	server.SetFaults(faults(t, "* dbc-1/*: 403")...)
	_ = pipelineCommand(t, env, "run", "-q", "--store", s.name, dir)
	for _, format := range []string{"csv", "json"} {
		if stale, again := export(format), export(format); stale != 2 || again != 0 {
			t.Errorf("%s: %d stale files, then %d", format, stale, again)
		}
	}
}

// TestPipelineExportRefuses lists what an export does not take.
func TestPipelineExportRefuses(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--format xml":             `--format "xml" is neither parquet, csv, nor json`,
		"--by day":                 `--by "day" is neither workspace nor table`,
		"--by table --since-run 3": "--by table replaces a whole file",
		"--since-run -1":           "--since-run -1 is not the number of a run",
	} {
		_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
		s := sqliteStore(t)
		mustRun(t, env, lakebase(t, "workspaces: [dbc-1]\n"), s)
		got := pipelineCommand(t, nil, append([]string{"export", filepath.Join(t.TempDir(), "lake"), "--store", s.name}, strings.Fields(args)...)...)
		if got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}
