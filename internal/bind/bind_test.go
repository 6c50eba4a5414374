package bind

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// method finds a method of the embedded documents.
func method(t *testing.T, c *provider.Catalogue, name string) *provider.Method {
	t.Helper()
	found, _, err := c.Lookup(strings.Split(name, ".")...)
	if err != nil {
		t.Fatal(err)
	}
	return found.Method
}

// TestParameterInTheBodyToo: a parameter of an EXEC is in the body too if that requires an attribute of its name.
func TestParameterInTheBodyToo(t *testing.T) {
	t.Parallel()
	c := embedded(t)
	for text, want := range map[string]map[string]any{
		"apps.apps.update @name = 'a', @description = 'x'":                      {"name": "a", "description": "x"},
		"apps.apps.update @name = 'a', @@json = '{\"description\": \"x\"}'":     {"name": "a", "description": "x"},
		"apps.apps.update @name = 'a', @@json = '{\"name\": \"b\"}'":            {"name": "b"},
		"apps.apps.update @name = 'a', @data__name = 'b'":                       {"name": "b"},
		"postgres.postgres_branches.create @project_id = 'p', @branch_id = 'b'": nil, // it is optional there
	} {
		parsed, err := statement.Parse("EXEC databricks_workspace." + text)
		if err != nil {
			t.Fatal(err)
		}
		exec := parsed[0].(*statement.Exec)
		b, err := Scope{Catalogue: c, Account: func() string { return "" }, Args: NewArgs(nil)}.Exec(method(t, c, exec.Method.String()), exec)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if body, _ := b.Call().Body.(map[string]any); !reflect.DeepEqual(body, want) {
			t.Errorf("%s: the body is %v, want %v", text, body, want)
		}
	}
}

// TestResourceNames shows how a resource name and its parts are completed, for values of SQLite and of an
// EXEC.
func TestResourceNames(t *testing.T) {
	tests := map[string]struct {
		given map[string]any
		args  map[string]any // nil: the values contradict each other
		fault string
	}{
		"the whole name":            {map[string]any{"name": "projects/p/branches/b"}, map[string]any{"project_id": "p", "branch_id": "b"}, ""},
		"its parts":                 {map[string]any{"project_id": "p", "branch_id": "b"}, map[string]any{"project_id": "p", "branch_id": "b"}, ""},
		"the name and one part":     {map[string]any{"name": "projects/p/branches/b", "project_id": "p"}, map[string]any{"project_id": "p", "branch_id": "b"}, ""},
		"the name and another part": {map[string]any{"name": "projects/p/branches/b", "project_id": "q"}, nil, ""},
		"a name of another form":    {map[string]any{"name": "projects/p"}, nil, "does not have the form projects/{project_id}/branches/{branch_id}"},
	}
	c := embedded(t)
	m := method(t, c, "databricks_workspace.postgres.postgres_branches.get")
	scope := Scope{Catalogue: c, Account: func() string { return "" }}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			exec := &statement.Exec{Method: statement.Name{{Text: "x", Pos: provider.Position{Line: 1, Column: 6}}}}
			b, err := scope.New(m, exec.Method[0].Pos, ExecStyle)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range test.given {
				if err := b.SetColumn(statement.Ident{Text: name, Pos: provider.Position{Line: 1, Column: 60}}, value, nil); err != nil {
					t.Fatal(err)
				}
			}
			err = b.Complete()
			call, ok, fault := scope.Call(m, test.given)
			switch {
			case test.fault != "":
				for _, err := range []error{err, fault} {
					if err == nil || !strings.Contains(err.Error(), test.fault) {
						t.Errorf("the error is %v, want %s", err, test.fault)
					}
				}
			case test.args == nil:
				if ok || fault != nil {
					t.Errorf("SQLite's values: %t, %v; want no row", ok, fault)
				}
				if err == nil || !strings.Contains(err.Error(), "given twice") {
					t.Errorf("the statement's values: %v; want that one is given twice", err)
				}
			default:
				if err != nil || fault != nil || !ok {
					t.Fatal(err, fault, ok)
				}
				if !reflect.DeepEqual(call.Args, test.args) || !reflect.DeepEqual(b.Call().Args, test.args) {
					t.Errorf("arguments are %v and %v, want %v", call.Args, b.Call().Args, test.args)
				}
			}
		})
	}
}

// TestAccount shows that account-level operations take the configured account, unless another is
// given.
func TestAccount(t *testing.T) {
	c := embedded(t)
	m := method(t, c, "databricks_account.provisioning.workspaces.workspaces_list")
	for configured, want := range map[string]map[string]any{"a-1": {"account_id": "a-1"}, "": {}} {
		scope := Scope{Catalogue: c, Account: func() string { return configured }}
		call, ok, err := scope.Call(m, map[string]any{})
		if err != nil || !ok || !reflect.DeepEqual(call.Args, want) {
			t.Errorf("%q: %v, %t, %v", configured, call.Args, ok, err)
		}
		call, _, _ = scope.Call(m, map[string]any{"account_id": "a-2"})
		if call.Args["account_id"] != "a-2" {
			t.Errorf("%q: %v", configured, call.Args)
		}
	}
}

// TestCanonical shows which spellings of a column are the same.
func TestCanonical(t *testing.T) {
	c := embedded(t)
	s, err := NewSignature(c, method(t, c, "databricks_workspace.postgres.postgres_branches.create"))
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]string{
		"Project_ID": "project_id", "SPEC": "spec", "Spec.Ttl": "spec.Ttl", "DATA__Spec": "data__spec", "no_such": "no_such", "No.Such": "No.Such",
	} {
		if got := s.Canonical(column); got != want {
			t.Errorf("%s: %s, want %s", column, got, want)
		}
	}
	if !s.Sets("Spec.ttl", "spec") || s.Sets("spec", "project_id") {
		t.Error("Sets")
	}
}

// TestPaths shows which columns are parts of the body, or all of it.
func TestPaths(t *testing.T) {
	c := embedded(t)
	s, err := NewSignature(c, method(t, c, "databricks_workspace.postgres.postgres_branches.create"))
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]string{
		"data__spec__ttl": "data__spec.ttl", "spec__ttl": "spec.ttl", "data__branch__spec__ttl": "data__spec.ttl", "branch__spec": "spec",
		"data__spec": "data__spec", "data__nothing__ttl": "data__nothing__ttl", "spec____ttl": "spec____ttl", "branch__": "branch__", "project_id": "project_id",
	} {
		if got := s.Canonical(column); got != want {
			t.Errorf("%s: %s, want %s", column, got, want)
		}
	}
	for column, want := range map[string]bool{"branch": true, "data__branch": true, "BRANCH": true, "spec": false, "branch_id": false, "": false} {
		if s.IsWhole(column) != want {
			t.Errorf("IsWhole(%s) is %t", column, !want)
		}
	}
}
