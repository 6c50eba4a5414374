package vtab

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// nowhere directs calls to a host that no call is sent to.
type nowhere struct{}

func (nowhere) Direct(r *http.Request, _ string) error {
	r.URL.Scheme, r.URL.Host = "https", "nowhere.invalid"
	return nil
}

func (nowhere) Authorize(*http.Request) error { return nil }

// environment is the Env of a statement that sends nothing.
func environment(t *testing.T) *Env {
	t.Helper()
	c := testworld.Catalogue(t)
	return &Env{Catalogue: c, Client: &dispatch.Client{Catalogue: c, Authorizer: nowhere{}}, Account: func() string { return "" }}
}

// compile compiles a query, which is closed when the test ends.
func compile(t *testing.T, env *Env, text string) (*Program, error) {
	t.Helper()
	parsed, err := statement.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	q := parsed[0].(*statement.Query)
	p, err := Compile(env, provider.Position{Line: 1, Column: 1}, func(p *Program) (string, error) { return p.Rewrite(q) })
	if err == nil {
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return p, err
}

const join = "SELECT b.name FROM databricks_workspace.postgres.postgres_projects p JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name"

// TestSteps shows the steps of a join before it runs, and that they have the same keys in each program of
// a statement.
func TestSteps(t *testing.T) {
	env := environment(t)
	var keys [][]int
	for range 2 {
		p, err := compile(t, env, join)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := p.Steps()
		if err != nil {
			t.Fatal(err)
		}
		var own []int
		var texts []string
		for _, s := range steps {
			own = append(own, s.Key)
			texts = append(texts, strings.Join([]string{s.Text, s.Calls, strings.Join(s.Parameters, ", ")}, " | "))
		}
		want := []string{"postgres_projects.list p | 1 + pages | ", "postgres_branches.list b | 1 per row of p + pages | parent = p.name"}
		if !slices.Equal(texts, want) {
			t.Errorf("the steps are %q, want %q", texts, want)
		}
		keys = append(keys, own)
	}
	if !slices.Equal(keys[0], keys[1]) || keys[0][0] == keys[0][1] {
		t.Errorf("the keys are %v", keys)
	}
}

// TestChoices shows that equal choices have the same number, and others another one.
func TestChoices(t *testing.T) {
	var c choices
	first := c.number(choice{table: 1, method: 2, fields: []int{3, 4}, used: 5})
	for name, other := range map[string]choice{
		"table":     {table: 0, method: 2, fields: []int{3, 4}, used: 5},
		"method":    {table: 1, method: 0, fields: []int{3, 4}, used: 5},
		"fields":    {table: 1, method: 2, fields: []int{4, 3}, used: 5},
		"columns":   {table: 1, method: 2, fields: []int{3, 4}, used: 4},
		"workspace": {table: 1, method: 2, fields: []int{3, 4}, used: 5, workspace: workspaceTerms{by: 1}},
	} {
		if n := c.number(other); n == first || c.number(other) != n || c.at(n).table != other.table {
			t.Errorf("another %s has the number %d", name, n)
		}
	}
	if c.number(choice{table: 1, method: 2, fields: []int{3, 4}, used: 5}) != first {
		t.Error("an equal choice has another number")
	}
}

// TestRefused shows which plans are refused, and that the reason does not change from run to run.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT name FROM databricks_workspace.postgres.postgres_branches": "missing parameters: databricks_workspace.postgres.postgres_branches needs project_id",
		"SELECT b.name FROM databricks_workspace.postgres.postgres_branches b, databricks_workspace.postgres.postgres_endpoints e": "missing parameters: " +
			"databricks_workspace.postgres.postgres_branches needs project_id; databricks_workspace.postgres.postgres_endpoints needs project_id, branch_id",
		"SELECT name FROM missing": "no such table: missing",
	} {
		for range 3 {
			if _, err := compile(t, environment(t), text); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", text, err, want)
			}
		}
	}
}

// TestProvide shows that a table which is no resource comes from the Env, and that the program
// knows it.
func TestProvide(t *testing.T) {
	env := environment(t)
	env.Provide = func(p *Program, table string) (bool, error) {
		if table != "mine" || !p.FirstTime(table) {
			return false, nil
		}
		return true, p.DB.Exec("CREATE TABLE mine (a); INSERT INTO mine VALUES (1), (2), (3)")
	}
	p, err := compile(t, env, "SELECT a, a = 2 FROM mine")
	if err != nil {
		t.Fatal(err)
	}
	if p.Calls() || p.IsConstant() || !p.Has("mine") {
		t.Error("the program is taken for one over resources, or over nothing")
	}
	for _, limit := range []int{2, -1, 0} {
		n := 0
		if err := p.Each(limit, func([]any) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		if want := map[int]int{2: 2, -1: 3, 0: 0}[limit]; n != want {
			t.Errorf("limit %d: %d rows, want %d", limit, n, want)
		}
	}
}

// TestPlaceholders shows that placeholders take the statement's values, and none is left without.
func TestPlaceholders(t *testing.T) {
	env := environment(t)
	env.Args = bind.NewArgs([]bind.Arg{{Ordinal: 1, Value: "x"}, {Name: "b", Value: int64(2)}})
	p, err := compile(t, env, "SELECT ?, :b")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Each(-1, func(row []any) error {
		if !slices.Equal(row, []any{"x", int64(2)}) {
			t.Errorf("the row is %v", row)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := compile(t, env, "SELECT ?, ?"); err == nil || !strings.Contains(err.Error(), "no value for the placeholder ?2") {
		t.Errorf("%v", err)
	}
}
