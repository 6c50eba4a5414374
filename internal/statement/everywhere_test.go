package statement

import (
	"strings"
	"testing"
)

// tenant is the variable of the tenants in these tests.
const tenant = "deployment_name"

func TestEverywhere(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"bare":                         {"SELECT 1 FROM x WHERE deployment_name = '*'", "SELECT 1 FROM x WHERE deployment_name IN (SUB)"},
		"with an alias":                {"SELECT 1 FROM x WHERE a = 1 AND x.deployment_name = '*' AND b", "SELECT 1 FROM x WHERE a = 1 AND x.deployment_name IN (SUB) AND b"},
		"the other way round":          {"SELECT 1 WHERE '*' = x.deployment_name OR b", "SELECT 1 WHERE x.deployment_name IN (SUB) OR b"},
		"IN":                           {"SELECT 1 WHERE x.deployment_name in ( '*' )", "SELECT 1 WHERE x.deployment_name in ( SUB )"},
		"==":                           {"SELECT 1 WHERE deployment_name == '*'", "SELECT 1 WHERE deployment_name IN (SUB)"},
		"== the other way round":       {"SELECT 1 WHERE '*'==deployment_name", "SELECT 1 WHERE deployment_name IN (SUB)"},
		"quoted, in any case":          {"SELECT 1 WHERE x.\"Deployment_Name\" = '*' AND `DEPLOYMENT_NAME`='*'AND 1", "SELECT 1 WHERE x.\"Deployment_Name\" IN (SUB) AND `DEPLOYMENT_NAME` IN (SUB)AND 1"},
		"blanks and lines between":     {"SELECT 1 WHERE deployment_name\n\t=\r\n '*'\nAND 1", "SELECT 1 WHERE deployment_name IN (SUB)\nAND 1"},
		"comments between":             {"SELECT 1 WHERE deployment_name /* a */ = -- b\n '*' -- c\nAND '*' /* d */ = -- e\n x.deployment_name", "SELECT 1 WHERE deployment_name IN (SUB) -- c\nAND x.deployment_name IN (SUB)"},
		"in brackets":                  {"SELECT 1 WHERE (deployment_name = '*') AND ('*' = deployment_name)", "SELECT 1 WHERE (deployment_name IN (SUB)) AND (deployment_name IN (SUB))"},
		"negated":                      {"SELECT 1 WHERE NOT deployment_name = '*'", "SELECT 1 WHERE NOT deployment_name IN (SUB)"},
		"in the condition of a join":   {"SELECT 1 FROM a JOIN b ON b.deployment_name = '*' WHERE 1", "SELECT 1 FROM a JOIN b ON b.deployment_name IN (SUB) WHERE 1"},
		"in a list of columns":         {"SELECT 1, deployment_name = '*', 2", "SELECT 1, deployment_name IN (SUB), 2"},
		"in a subquery":                {"SELECT 1 WHERE a IN (SELECT b FROM c WHERE deployment_name='*')", "SELECT 1 WHERE a IN (SELECT b FROM c WHERE deployment_name IN (SUB))"},
		"close to a word":              {"SELECT 1 WHERE'*'=deployment_name", "SELECT 1 WHERE deployment_name IN (SUB)"},
		"before the end of a part":     {"SELECT 1 WHERE deployment_name = '*' ORDER BY 1", "SELECT 1 WHERE deployment_name IN (SUB) ORDER BY 1"},
		"with a resource's whole name": {"SELECT 1 FROM p.s.r WHERE p.s.r.deployment_name = '*' AND '*' = p.s.r.deployment_name", "SELECT 1 FROM <r> WHERE <r>.deployment_name IN (SUB) AND <r>.deployment_name IN (SUB)"},

		"another column":            {"SELECT 1 WHERE name = '*'", ""},
		"a longer name":             {"SELECT 1 WHERE deployment_names = '*'", ""},
		"a column of that name":     {"SELECT 1 WHERE deployment_name.x = '*'", ""},
		"another text":              {"SELECT 1 WHERE deployment_name = '**' OR deployment_name = 'a*' OR deployment_name = ' *'", ""},
		"no string":                 {"SELECT deployment_name = \"*\", deployment_name * 2", ""},
		"other operators":           {"SELECT 1 WHERE deployment_name != '*' OR deployment_name <> '*' OR deployment_name >= '*' OR '*' <= deployment_name OR deployment_name LIKE '*'", ""},
		"NOT IN":                    {"SELECT 1 WHERE deployment_name NOT IN ('*')", ""},
		"a list of more":            {"SELECT 1 WHERE deployment_name IN ('*', 'a')", ""},
		"in a string":               {"SELECT 'deployment_name = ''*''', \"deployment_name = '*'\"", ""},
		"in a comment":              {"SELECT 1 /* deployment_name = '*' */ -- deployment_name = '*'\nWHERE 2", ""},
		"part of an expression":     {"SELECT 1 WHERE deployment_name = '*' || 'x' OR 'x' || deployment_name = '*' OR '*' = deployment_name || 'x' OR 'x' || '*' = deployment_name", ""},
		"part of another condition": {"SELECT 1 WHERE a = deployment_name = '*' OR lower(deployment_name) = '*' OR deployment_name = '*' COLLATE NOCASE", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := oneOf[*Query](t, test.text)
			checkQueries(t, test.text, q)
			if q.Everywhere(tenant) != (test.want != "") {
				t.Fatalf("Everywhere is %v", q.Everywhere(tenant))
			}
			short := func(table Table) (string, error) { return "<" + table.Name[2].Text + ">", nil }
			got, err := rewriteTenants(q, short, map[string]string{tenant: "SUB"})
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			if want == "" {
				want = q.Text
			}
			if got != want {
				t.Errorf("rewritten to %q, want %q", got, want)
			}
			if plain, err := rewriteTenants(q, short, nil); err != nil || strings.Contains(plain, "SUB") {
				t.Errorf("Rewrite gives %q, %v", plain, err)
			}
		})
	}
}

// The parts of a statement are about all workspaces each for itself, and SET compares nothing.
func TestEverywhereInParts(t *testing.T) {
	t.Parallel()
	up := oneOf[*Update](t, "UPDATE t SET a = 1, deployment_name = '*', b = 2 WHERE c = 3")
	if up.Whole.Everywhere(tenant) || up.Where.Everywhere(tenant) || up.Set[1].Value.Everywhere(tenant) {
		t.Error("a value of SET is taken for all workspaces")
	}
	up = oneOf[*Update](t, "UPDATE p.s.r SET a = (SELECT b FROM c WHERE '*' = deployment_name) WHERE deployment_name = '*' RETURNING a")
	if !up.Set[0].Value.Everywhere(tenant) || !up.Where.Everywhere(tenant) || up.Returning.Everywhere(tenant) || !up.Whole.Everywhere(tenant) {
		t.Error("a part of an UPDATE that is about all workspaces is not known as such, or another is")
	}
	in := oneOf[*Insert](t, "INSERT INTO t (deployment_name) SELECT '*' FROM u RETURNING deployment_name")
	if in.Source.Everywhere(tenant) || in.Whole.Everywhere(tenant) {
		t.Error("a value of INSERT is taken for all workspaces")
	}
	in = oneOf[*Insert](t, "WITH x AS (SELECT 1 FROM p.s.r WHERE deployment_name = '*') INSERT INTO t SELECT * FROM x WHERE deployment_name = '*'")
	got, err := rewriteTenants(in.Source, func(Table) (string, error) { return "r", nil }, map[string]string{tenant: "SELECT w"})
	if want := "WITH x AS (SELECT 1 FROM r WHERE deployment_name IN (SELECT w))               SELECT * FROM x WHERE deployment_name IN (SELECT w)"; err != nil || got != want {
		t.Errorf("rewritten to %q, %v, want %q", got, err, want)
	}
	if c := oneOf[*Create](t, "CREATE VIEW v AS SELECT 1 FROM p.s.r WHERE deployment_name = '*'"); !c.As.Everywhere(tenant) {
		t.Error("a view over all workspaces is not known as such")
	}
	if d := oneOf[*Delete](t, "DELETE FROM p.s.r WHERE deployment_name = '*'"); !d.Where.Everywhere(tenant) {
		t.Error("a DELETE in all workspaces is not known as such")
	}
}

// rewriteTenants applies the edits for tables and tenants.
func rewriteTenants(q *Query, replacement func(Table) (string, error), lists map[string]string) (string, error) {
	edits, err := q.Renames(replacement)
	return q.Edit(append(edits, q.Tenants(lists)...)).Text, err
}
