package engine

import (
	"errors"
	"testing"

	"github.com/lakeql/lakeql/internal/statement"
)

// TestDependsOn shows which of two rows of a write has to wait for the other.
func TestDependsOn(t *testing.T) {
	const (
		branches = "INSERT INTO databricks_workspace.postgres.postgres_branches "
		catalogs = "INSERT INTO databricks_workspace.catalog.catalogs "
		schemas  = "INSERT INTO databricks_workspace.catalog.schemas "
		jobs     = "INSERT INTO databricks_workspace.jobs.jobs "
	)
	tests := map[string]struct {
		statement string // with two rows
		waits     bool
	}{
		"nothing in common":               {catalogs + "(name, comment) VALUES ('a', 'x'), ('b', 'y')", false},
		"a value that both have":          {schemas + "(catalog_name, name) VALUES ('main', 'a'), ('main', 'b')", false},
		"a name in another column":        {catalogs + "(name, comment) VALUES ('a', 'x'), ('b', 'like a, but not')", true},
		"a part of a name":                {catalogs + "(name, comment) VALUES ('a', 'x'), ('b', 'like a1, but not')", false},
		"a name with dashes":              {catalogs + "(name, comment) VALUES ('a-1', 'x'), ('b', 'of /a-1/')", true},
		"half of a name with dashes":      {catalogs + "(name, comment) VALUES ('a', 'x'), ('b', 'of /a-1/')", false},
		"a name with dots":                {catalogs + "(name, comment) VALUES ('a.b', 'x'), ('c', 'a.b')", true},
		"a name of the same column":       {catalogs + "(name, comment) VALUES ('a', 'x'), ('a/b', 'y')", false},
		"the other way round":             {catalogs + "(name, comment) VALUES ('a', 'like b'), ('b', 'x')", false},
		"numbers":                         {jobs + "(timeout_seconds, max_concurrent_runs) VALUES (1, 2), (3, 1)", false},
		"booleans":                        {"INSERT INTO databricks_workspace.postgres.postgres_branches (project_id, branch_id, replace_existing, spec.is_protected) VALUES ('p', 'a', true, false), ('p', 'b', false, true)", false},
		"a text inside of JSON":           {branches + `(project_id, branch_id, spec) VALUES ('p', 'a', '{"no_expiry":true}'), ('p', 'b', '{"source_branch":"projects/p/branches/a"}')`, true},
		"a text inside of a list":         {jobs + `(name, tasks) VALUES ('a', '[]'), ('b', '[{"task_key":"a"}]')`, true},
		"a text of the other's JSON":      {jobs + `(name, tags) VALUES ('a', '{"k":"c"}'), ('c', '{}')`, true},
		"the same text in the same place": {branches + `(project_id, branch_id, spec) VALUES ('p', 'a', '{"source_branch":"projects/p/branches/main"}'), ('p', 'b', '{"source_branch":"projects/p/branches/main"}')`, false},
		"an empty text":                   {catalogs + "(name, comment) VALUES ('a', ''), ('b', ' ')", false},
		"the same thing":                  {"REPLACE INTO databricks_workspace.iam.permissions (request_object_type, request_object_id) VALUES ('clusters', 'c'), ('clusters', 'c')", true},
		"another thing":                   {"REPLACE INTO databricks_workspace.iam.permissions (request_object_type, request_object_id) VALUES ('clusters', 'c'), ('clusters', 'd')", false},
		"the same in another workspace":   {"REPLACE INTO databricks_workspace.iam.permissions (deployment_name, request_object_type, request_object_id) VALUES ('dbc-1', 'clusters', 'c'), ('dbc-2', 'clusters', 'c')", false},
		"ids that run together":           {"REPLACE INTO databricks_workspace.iam.permissions (request_object_type, request_object_id) VALUES ('a', 'b\" \"c'), ('a\" \"b', 'c')", false},
		"two new things of one parent":    {branches + "(project_id, branch_id) VALUES ('p', 'a'), ('p', 'b')", false},
		"a new thing twice":               {branches + "(project_id, branch_id) VALUES ('p', 'a'), ('p', 'a')", false}, // the API decides which is first
	}
	s := planning(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rows := changesOf(t, s, test.statement)
			if len(rows) != 2 {
				t.Fatalf("%d rows", len(rows))
			}
			if waits := rows[1].dependsOn(rows[0]); waits != test.waits {
				t.Errorf("it waits: %t, want %t", waits, test.waits)
			}
		})
	}
}

// changesOf returns the rows of an INSERT or REPLACE.
func changesOf(t *testing.T, s *Session, text string) []change {
	t.Helper()
	parsed, err := statement.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	in := parsed[0].(*statement.Insert)
	w, err := s.planner().newInsert(in)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := w.program.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	changes, err := w.readChanges(t.Context(), rows)
	if err := errors.Join(err, rows.Close()); err != nil {
		t.Fatal(err)
	}
	return changes
}
