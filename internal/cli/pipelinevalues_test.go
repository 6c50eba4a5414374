//go:build unix

package cli_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

// TestStoresTakeEveryValue shows that both kinds of store keep the values of a workspace unchanged, in
// texts, keys and JSON, and that the error for a value that a store cannot keep names its row and column.
func TestStoresTakeEveryValue(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s store) {
		t.Helper()
		const projects = `{"name": "a", "uid": "x\u0000y", "status": {"\u0000": ["A\u0000B", "␛", "\\u0000"]}},
			{"name": "a\u0000", "uid": "1"}, {"name": "b", "uid": "␛␀", "status": "\u0000"}, {"name": "\ud83d!", "uid": "\u0001\u007f\uffff"}`
		var more atomic.Value
		more.Store("")
		env := listing(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"projects": [%s%s]}`, projects, more.Load())
		})
		dir := folder(t, map[string]string{
			"pipeline.yaml": "name: p\nworkspaces: [dbc-1]\n",
			"projects.sql":  "-- table: projects\n-- key: name, uid, text\n-- types: text text\nSELECT name, uid, status, coalesce(status, '') AS text FROM databricks_workspace.postgres.postgres_projects",
		})
		want := map[string]string{}
		for _, row := range mustExec(t, env, "SELECT name, uid FROM databricks_workspace.postgres.postgres_projects") {
			want[fmt.Sprint(row["name"])] = fmt.Sprint(row["uid"])
		}
		if want["a"] != "x\x00y" || len(want) != 4 {
			t.Fatalf("the workspace gives %q", want)
		}
		mustRun(t, env, dir, s)
		if second := mustRun(t, env, dir, s); sum(t, second, "added")+sum(t, second, "changed")+sum(t, second, "removed") != 0 {
			t.Errorf("a second run tells %v", second)
		}
		got := map[string]string{}
		for _, row := range jsonRows(t, pipelineCommand(t, nil, "diff", "projects", "--store", s.name, "-o", "json").stdout) {
			got[fmt.Sprint(row["name"])] = fmt.Sprint(row["uid"])
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("diff tells %q, want %q", got, want)
		}
		lake := t.TempDir()
		if got := pipelineCommand(t, nil, "export", lake, "--store", s.name); got.status != 0 {
			t.Errorf("%+v", got)
		}
		rows := strings.Join(parquetRows(t, filepath.Join(lake, "projects/deployment_name=dbc-1/run-2.parquet")), "\n")
		for _, text := range []string{`"uid":"x\u0000y"`, `"status":{"\u0000":["A\u0000B","␛","\\u0000"]}`, `"name":"a\u0000"`, `"uid":"␛␀"`} {
			if !strings.Contains(rows, text) {
				t.Errorf("the file has\n%s\nwithout %s", rows, text)
			}
		}
		if !strings.HasPrefix(s.name, "postgres://") {
			for _, row := range s.ask(t, "SELECT name, uid FROM projects") {
				if fmt.Sprint(row["uid"]) != want[fmt.Sprint(row["name"])] {
					t.Errorf("the store has %q", row)
				}
			}
			return
		}
		if n := s.one(t, "SELECT count(*) FROM projects WHERE uid IN ('x␛␀y', '␛␛␀') OR name = 'a␛␀'"); n != "3" {
			t.Errorf("psql finds %s rows by their escapes", n)
		}

		more.Store(`, {"name": "huge", "uid": "1", "status": {"n": 1e200000}}`)
		refused := pipelineCommand(t, env, "run", "-q", "--store", s.name, dir)
		if refused.status != 1 || !strings.Contains(refused.stderr, `the row with name = "huge", uid = "1", text = `) || !strings.Contains(refused.stderr, `, column "status" of the table projects cannot be stored: `) {
			t.Errorf("%+v", refused)
		}

		// The store keeps the server's message about a failure.
		broken := listing(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, "{\"error_code\": \"BAD\", \"message\": \"no\\u0000\xff\"}")
		})
		if got := pipelineCommand(t, broken, "run", "-q", "--store", s.name, dir); got.status != 1 || !strings.Contains(got.stderr, "1 of 1 queries failed") {
			t.Errorf("%+v", got)
		}
	})
}
