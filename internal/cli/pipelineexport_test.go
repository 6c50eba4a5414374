//go:build unix

package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestPipelineExport shows that exported files, read by another implementation of the format, have the rows
// of the store, that an export of the same rows writes nothing, and that one of other rows adds files.
func TestPipelineExport(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
	s := sqliteStore(t)
	dir, lake := lakebase(t, "workspaces: [dbc-1, dbc-2]\n"), filepath.Join(t.TempDir(), "lake")
	mustRun(t, env, dir, s)

	export := func(args ...string) []map[string]any {
		t.Helper()
		got := pipelineCommand(t, nil, append([]string{"export", lake, "--store", s.name, "-o", "json"}, args...)...)
		if got.status != 0 {
			t.Fatalf("%+v", got)
		}
		return jsonRows(t, got.stdout)
	}
	same := func(told []map[string]any) {
		t.Helper()
		for _, columns := range []string{"projects: name, uid, create_time, owner, status", "branches: name, create_time, protected, logical_bytes, current_state"} {
			table, columns, _ := strings.Cut(columns, ": ")
			for _, name := range []string{"dbc-1", "dbc-2"} {
				var path, run string
				for _, row := range told {
					if row["table"] == table && row["deployment_name"] == name {
						path, run = fmt.Sprint(row["file"]), fmt.Sprint(row["run"])
					}
				}
				if want := filepath.Join(lake, table, "deployment_name="+name, "run-"+run+".parquet"); path != want {
					t.Fatalf("the file of %s in %s is %q, want %q", table, name, path, want)
				}
				var stored []string
				for _, row := range s.ask(t, fmt.Sprintf("SELECT %s AS run_id, observed_at, stale, %s FROM %s WHERE deployment_name = '%s'", run, columns, table, name)) {
					stored = append(stored, line(t, row))
				}
				slices.Sort(stored)
				got := parquetRows(t, path)
				if len(got) == 0 || len(got) != len(stored) {
					t.Fatalf("%s has %d rows, and the store %d", path, len(got), len(stored))
				}
				for i := range got {
					if got[i] != stored[i] {
						t.Fatalf("%s has\n%s\nand the store\n%s", path, got[i], stored[i])
					}
				}
			}
		}
	}
	first := export()
	if len(first) != 4 || sum(t, first, "rows") != mustCount(t, s, "projects")+mustCount(t, s, "branches") {
		t.Errorf("the first export tells %v", first)
	}
	same(first)

	before := filesBelow(t, lake)
	for _, row := range export() {
		if row["written"] != false || row["rows"] != nil {
			t.Errorf("a second export tells %v", row)
		}
	}
	if after := filesBelow(t, lake); fmt.Sprint(after) != fmt.Sprint(before) || len(after) != 4 {
		t.Errorf("a second export made of %v\n%v", before, after)
	}

	mustExec(t, env, "DELETE FROM databricks_workspace.postgres.postgres_branches WHERE deployment_name = 'dbc-2' AND name = 'projects/p/branches/b'")
	mustRun(t, env, dir, s)
	third := export("--table", "branches")
	if len(third) != 2 || third[0]["written"] != true {
		t.Errorf("an export of one table tells %v", third)
	}
	same(append(third, export()...))
	after := filesBelow(t, lake)
	for path, was := range before {
		if after[path] != was {
			t.Errorf("%s of the first run was %s, and is %s", path, was, after[path])
		}
	}
	if len(after) != 8 {
		t.Errorf("after two runs there are %v", after)
	}
	if got := pipelineCommand(t, nil, "export", lake, "--store", s.name, "--table", "nothing"); got.status != 2 || !strings.HasSuffix(got.stderr, "has no table \"nothing\"\nhint: it has branches, projects\n") {
		t.Errorf("a table that is not there: %+v", got)
	}
}

// filesBelow lists each file below a folder, also hidden ones, with its size and modification time.
func filesBelow(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			all[path] = fmt.Sprint(info.Size(), " ", info.ModTime().UnixNano())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// line is a row as JSON with sorted keys, and with its times and JSON values in a canonical form.
func line(t *testing.T, row map[string]any) string {
	t.Helper()
	for name, value := range row {
		switch v := value.(type) {
		case time.Time:
			row[name] = v.UTC().Format("2006-01-02T15:04:05.000000Z") // as the engine shows what SQLite keeps
		case string:
			var inner any
			if strings.HasPrefix(v, "{") && json.Unmarshal([]byte(v), &inner) == nil {
				row[name] = inner
			}
		}
	}
	text, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parquetRows has Arrow read a file.
func parquetRows(t *testing.T, path string) (lines []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }() // it was only read
	arrows, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := arrows.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	rows := make([]map[string]any, table.NumRows())
	for c := range int(table.NumCols()) {
		at := 0
		for _, chunk := range table.Column(c).Data().Chunks() {
			for i := range chunk.Len() {
				if rows[at] == nil {
					rows[at] = map[string]any{}
				}
				rows[at][table.Column(c).Name()] = arrowValue(t, chunk, i)
				at++
			}
		}
	}
	for _, row := range rows {
		lines = append(lines, line(t, row))
	}
	slices.Sort(lines)
	return lines
}

func arrowValue(t *testing.T, values arrow.Array, i int) any {
	t.Helper()
	if values.IsNull(i) {
		return nil
	}
	switch values := values.(type) {
	case *array.String:
		return strings.Clone(values.Value(i))
	case *array.Binary:
		return string(values.Value(i))
	case *array.Int64:
		return values.Value(i)
	case *array.Boolean:
		return values.Value(i)
	case *array.Timestamp:
		return time.UnixMicro(int64(values.Value(i)))
	}
	t.Fatalf("Arrow reads a %T", values)
	return nil
}
