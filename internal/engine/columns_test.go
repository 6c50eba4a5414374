package engine_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestColumns shows that the columns of a query are known before it runs, without a call.
func TestColumns(t *testing.T) {
	s := serving(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was called", r.Method, r.URL) })
	columns, err := s.Columns(`SELECT name, create_time AS made, status, count(*) OVER () AS n, deployment_name
		FROM databricks_workspace.postgres.postgres_projects`)
	if err != nil {
		t.Fatal(err)
	}
	want := []provider.Column{
		{Name: "name", Type: "string"},
		{Name: "made", Type: "string", Format: "date-time"},
		{Name: "status", Type: "object"},
		{Name: "n"},
		{Name: "deployment_name", Type: "string"},
	}
	if len(columns) != len(want) {
		t.Fatalf("%+v", columns)
	}
	for i := range want {
		if columns[i] != want[i] {
			t.Errorf("column %d is %+v, want %+v", i+1, columns[i], want[i])
		}
	}
	for text, message := range map[string]string{
		"EXEC databricks_workspace.postgres.postgres_projects.list": "this is no query",
		"SELECT 1; SELECT 2": "one query",
		"SELECT nme FROM databricks_workspace.postgres.postgres_projects":                       "no such column: nme",
		"SELECT name FROM databricks_workspace.postgres.postgres_branches":                      "missing parameters",
		"DELETE FROM databricks_workspace.postgres.postgres_projects WHERE name = 'projects/p'": "this is no query",
	} {
		if _, err := s.Columns(text); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v, want %q", text, err, message)
		}
	}
}
