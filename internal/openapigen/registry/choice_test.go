package registry

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stackql/any-sdk/public/formulation"

	"github.com/lakeql/lakeql/provider"
	"github.com/lakeql/lakeql/provider/driver"
)

// TestSelectChoice supplies every set of parameters to every resource that SELECT reaches, and compares the
// method that StackQL's rule chooses with the method in lakeql's EXPLAIN. StackQL's rule ignores optional
// parameters: testdata/choices.csv lists the differences that result.
func TestSelectChoice(t *testing.T) {
	t.Setenv("DATABRICKS_HOST", "https://dbc-1.cloud.databricks.com")
	t.Setenv("DATABRICKS_TOKEN", "token")
	t.Setenv("DATABRICKS_ACCOUNT_ID", "")
	connector, err := driver.NewConnector(driver.Config{})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { closed(t, db) })
	var differences []string
	resources, choices := 0, 0
	loaded(t).each(t, func(r *provider.Resource, judged formulation.Resource) {
		methods := r.MethodsFor(provider.Select)
		if len(methods) == 0 {
			return
		}
		resources++
		for _, given := range parameterSets(methods) {
			ours := explained(t, db, r, given.all())
			if ours == "" {
				continue // lakeql refuses the set, and says what is missing
			}
			params := map[string]any{"deployment_name": "dbc-1"}
			for _, name := range given.all() {
				params[name] = "1"
			}
			theirs := "nothing"
			if store, _, ok := judged.GetFirstNamespaceMethodMatchFromSQLVerb("select", params); ok {
				theirs = nameOf(r, store)
			}
			choices++
			if theirs == ours {
				continue
			}
			difference := fmt.Sprintf("%s,%s,%s,%s", r.FullName(), strings.Join(given.all(), " "), theirs, ours)
			m := r.Methods[slices.IndexFunc(r.Methods, func(m *provider.Method) bool { return m.Name == theirs })]
			if _, known := m.Param(given.optional); given.optional == "" || known {
				t.Errorf("%s: the order of the methods would mend it", difference)
			}
			differences = append(differences, difference)
		}
	})
	t.Logf("%d choices of %d resources, %d of them another than lakeql's", choices, resources, len(differences))
	golden(t, "choices.csv", "resource,parameters,StackQL calls,lakeql calls\n"+strings.Join(differences, "\n")+"\n")
}

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a text with the file that has it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := writeFile(file, []byte(got)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from what is there now; run the test with -update and look at the difference:\n%s", file, got)
	}
}

// closed closes a resource of a test.
func closed(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// nameOf finds the method that any-sdk names by its operation.
func nameOf(r *provider.Resource, store formulation.StandardOperationStore) string {
	for _, m := range r.Methods {
		if m.OperationID == store.GetName() {
			return m.Name
		}
	}
	return store.GetName()
}

// explained asks lakeql for the method that it calls; empty where it refuses the parameters.
func explained(t *testing.T, db *sql.DB, r *provider.Resource, given []string) string {
	t.Helper()
	where := ""
	for i, name := range given {
		word := " AND "
		if i == 0 {
			word = " WHERE "
		}
		where += word + `"` + name + `" = '1'`
	}
	rows, err := db.QueryContext(context.Background(), "EXPLAIN SELECT * FROM "+r.FullName()+where)
	if err != nil {
		return ""
	}
	defer func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}()
	other := false
	for rows.Next() {
		var step string
		var rest [4]sql.NullString
		if err := rows.Scan(&step, &rest[0], &rest[1], &rest[2], &rest[3]); err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutPrefix(step, r.Name+"."); ok {
			return name
		}
		other = other || strings.Contains(step, ".")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if other { // a method of another resource, which the name reached in earlier documents
		return ""
	}
	t.Fatalf("EXPLAIN of %s%s names no method", r.FullName(), where)
	return ""
}

// parameterSet is a set of parameters of a statement, without the workspace.
type parameterSet struct {
	required []string // of some method
	optional string   // one that no method requires, or empty
}

func (p parameterSet) all() []string {
	if p.optional == "" {
		return p.required
	}
	return append(slices.Clone(p.required), p.optional)
}

// parameterSets lists the possible sets of parameters: every set that some method requires, alone and with
// each optional parameter.
func parameterSets(methods []*provider.Method) []parameterSet {
	required, optional := map[string]bool{}, map[string]bool{"": true}
	for _, m := range methods {
		for _, p := range m.Params {
			if p.Required {
				required[p.Name] = true
			} else {
				optional[p.Name] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(required))
	var sets []parameterSet
	for bits := range 1 << len(names) {
		var set []string
		for i, name := range names {
			if bits&(1<<i) != 0 {
				set = append(set, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(optional)) {
			if !required[name] {
				sets = append(sets, parameterSet{set, name})
			}
		}
	}
	return sets
}
