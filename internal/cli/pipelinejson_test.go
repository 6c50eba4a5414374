//go:build unix

package cli_test

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
)

// TestJSONFromStores shows that an attribute of any JSON kind reads from a store as it does from the workspace: a
// string without its quotes, also where a query compares it.
func TestJSONFromStores(t *testing.T) {
	env := listing(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"projects": [
			{"name": "a", "status": {"n": 12345678901234567890, "f": 1.0, "s": "é"}}, {"name": "b", "status": [1, 2]},
			{"name": "c", "status": "text"}, {"name": "d", "status": 5}, {"name": "e", "status": 1.5}, {"name": "f", "status": true},
			{"name": "g", "status": "5"}, {"name": "h", "status": "\"quoted\""}, {"name": "i", "status": "{{ no JSON"}, {"name": "j", "status": ""},
			{"name": "k", "status": 12345678901234567890}, {"name": "l", "status": null}, {"name": "m", "status": {}}, {"name": "n", "status": "null"}]}`)
	})
	const live = "SELECT name, status FROM databricks_workspace.postgres.postgres_projects"
	dir := folder(t, map[string]string{
		"pipeline.yaml": "name: p\nworkspaces: [dbc-1]\n",
		"projects.sql":  "-- table: projects\n-- key: name, status_key\n-- types: status_key json\n" + live[:len("SELECT name, status")] + ", coalesce(status, '-') AS status_key" + live[len("SELECT name, status"):],
	})
	want := mustExec(t, env, live+" ORDER BY name")
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			s := open(t)
			mustRun(t, env, dir, s)
			if second := mustRun(t, env, dir, s); sum(t, second, "changed") != 0 {
				t.Errorf("a second run tells %v", second)
			}
			diff := pipelineCommand(t, env, "diff", "projects", "--store", s.name, "-o", "json")
			told := jsonRows(t, diff.stdout)
			if len(told) != len(want) {
				t.Fatalf("diff tells %+v", diff)
			}
			for _, row := range told {
				for _, w := range want {
					if w["name"] == row["name"] && w["status"] != nil && !reflect.DeepEqual(w["status"], row["status_key"]) {
						t.Errorf("diff tells %v, want %v", row["status_key"], w["status"])
					}
				}
			}
			if kind == "PostgreSQL" { // whose JSON tells strings from numbers itself
				if n := s.one(t, `SELECT count(*) FROM projects WHERE status #>> '{}' IN ('text', '5', '1.5', '"quoted"')`); n != "5" {
					t.Errorf("%s rows are found by their text", n)
				}
				return
			}
			if got := s.ask(t, "SELECT name, status FROM projects ORDER BY name"); !reflect.DeepEqual(got, want) {
				t.Errorf("the store has\n%v\nand the workspace\n%v", got, want)
			}
			if got := s.ask(t, "SELECT name, status FROM projects_at((SELECT max(observed_at) FROM projects)) ORDER BY name"); !reflect.DeepEqual(got, want) {
				t.Errorf("the history has\n%v\nand the workspace\n%v", got, want)
			}
			if n := s.one(t, "SELECT count(*) FROM projects WHERE status = 'text' OR status = 5 OR status = '5'"); n != "3" {
				t.Errorf("%s rows are found by their text or number", n)
			}
		})
	}
}
