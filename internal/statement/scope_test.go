package statement

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// scope is a session in databricks_workspace.postgres, whose user has the table mine.
func scope(tb testing.TB) Scope {
	tb.Helper()
	return Scope{
		Provider: "databricks_workspace", Service: "postgres", Catalogue: testworld.Catalogue(tb),
		Stored: func(name string) (bool, error) {
			if name == "broken" {
				return false, provider.Usagef("the store cannot be read")
			}
			return strings.EqualFold(name, "mine"), nil
		},
	}
}

// TestScope completes the names of resources, and nothing else. In what is wanted, P. stands for the provider in
// use and S. for provider and service.
func TestScope(t *testing.T) {
	t.Parallel()
	sc := scope(t)
	for text, want := range map[string]string{
		"SELECT * FROM a": "SELECT * FROM S.a",
		"SELECT * FROM jobs.a, b JOIN \"c\" ON b.x = c.x":                                     "SELECT * FROM P.jobs.a, S.b JOIN S.\"c\" ON b.x = c.x",
		"SELECT * FROM databricks_account.iam.a":                                              "",
		"SELECT * FROM Mine, store.a, temp.b, sqlite_schema":                                  "",
		"SELECT a FROM json_each('[]'), unnest(b), pragma_x":                                  "",
		"WITH a AS (SELECT 1), b(x) AS (SELECT 2) SELECT * FROM a, b, jobs.a":                 "WITH a AS (SELECT 1), b(x) AS (SELECT 2) SELECT * FROM a, b, P.jobs.a",
		"SELECT (SELECT max(y) FROM a WHERE z IN (SELECT z FROM b)) FROM mine":                "SELECT (SELECT max(y) FROM S.a WHERE z IN (SELECT z FROM S.b)) FROM mine",
		"SELECT trim(x) FROM a WHERE x IS DISTINCT FROM b":                                    "SELECT trim(x) FROM S.a WHERE x IS DISTINCT FROM b",
		"SELECT extract(year FROM x) FROM a":                                                  "SELECT extract(year FROM x) FROM S.a",
		"SELECT x::text, y FROM a WHERE f(u, v) ORDER BY u, v":                                "SELECT x::text, y FROM S.a WHERE f(u, v) ORDER BY u, v",
		"SELECT sum(x) OVER w FROM a WINDOW w AS (ORDER BY x), v AS (ORDER BY y)":             "SELECT sum(x) OVER w FROM S.a WINDOW w AS (ORDER BY x), v AS (ORDER BY y)",
		"SELECT postgres.postgres_roles.name, nobody.knows.name FROM mine":                    "SELECT P.postgres.postgres_roles.name, nobody.knows.name FROM mine",
		"SELECT postgres.postgres_roles.*, a.* FROM a":                                        "SELECT P.postgres.postgres_roles.*, a.* FROM S.a",
		"CREATE VIEW v AS SELECT * FROM a, V":                                                 "CREATE VIEW v AS SELECT * FROM S.a, S.V",
		"DROP TABLE a":                                                                        "",
		"REFRESH MATERIALIZED VIEW a":                                                         "",
		"INSERT INTO a (x) VALUES (1)":                                                        "INSERT INTO S.a (x) VALUES (1)",
		"INSERT INTO mine (x) SELECT x FROM a WHERE true ON CONFLICT (x) DO UPDATE SET x = 1": "INSERT INTO mine (x) SELECT x FROM S.a WHERE true ON CONFLICT (x) DO UPDATE SET x = 1",
		"REPLACE INTO a (x) VALUES (1)":                                                       "REPLACE INTO S.a (x) VALUES (1)",
		"UPDATE a SET x = 1 WHERE y = 2":                                                      "UPDATE S.a SET x = 1 WHERE y = 2",
		"UPDATE OR IGNORE a SET x = 1":                                                        "UPDATE OR IGNORE S.a SET x = 1",
		"DELETE FROM jobs.a WHERE x = 'FROM b'":                                               "DELETE FROM P.jobs.a WHERE x = 'FROM b'",
	} {
		want = strings.NewReplacer("P.", "databricks_workspace.", "S.", "databricks_workspace.postgres.").Replace(want)
		if want == "" {
			want = text
		}
		parsed, err := sc.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		wanted, err := Parse(want)
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if got, want := textOf(parsed[0]), textOf(wanted[0]); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

// textOf is a statement as SQLite gets it, and as a store keeps it.
func textOf(st Statement) string {
	switch st := st.(type) {
	case *Query:
		return st.Text + "\n" + st.Written()
	case *Create:
		return textOf(st.As)
	case *Insert:
		return st.Into.String() + " " + textOf(st.Whole)
	case *Update:
		return st.Table.String() + " " + textOf(st.Whole)
	case *Delete:
		return st.From.String() + " " + textOf(st.Whole)
	case *Drop:
		return st.Name.Text
	case *Refresh:
		return st.Name.Text
	}
	return ""
}

// TestScopeOfStackQL completes names of StackQL's statements.
func TestScopeOfStackQL(t *testing.T) {
	t.Parallel()
	const s = "databricks_workspace.postgres."
	sc := scope(t)
	for text, want := range map[string]string{
		"EXEC a.list":                             s + "a.list",
		"EXEC jobs.a.list @x = 1":                 "databricks_workspace.jobs.a.list",
		"EXEC databricks_account.iam.a.list":      "databricks_account.iam.a.list",
		"DESCRIBE a":                              s + "a",
		"DESCRIBE EXTENDED jobs.a":                "databricks_workspace.jobs.a",
		"DESCRIBE mine":                           "mine",
		"DESCRIBE store.a":                        "store.a",
		"DESCRIBE METHOD a.list":                  s + "a.list",
		"SHOW METHODS IN a":                       s + "a",
		"SHOW INSERT INTO jobs.a":                 "databricks_workspace.jobs.a",
		"SHOW RESOURCES":                          "databricks_workspace.postgres",
		"SHOW RESOURCES LIKE '%a'":                "databricks_workspace.postgres",
		"SHOW RESOURCES IN jobs":                  "databricks_workspace.jobs",
		"SHOW RESOURCES IN databricks_account":    "databricks_account",
		"SHOW SERVICES WHERE name = 'a'":          "databricks_workspace",
		"SHOW AUTH":                               "databricks_workspace",
		"SHOW TABLES":                             "",
		"EXPLAIN EXEC a.list":                     s + "a.list",
		"USE jobs":                                "databricks_workspace.jobs",
		"USE databricks_account":                  "databricks_account",
		"USE databricks_account; EXEC iam.a.list": "databricks_account.iam.a.list",
		"CREATE TABLE a (x); DESCRIBE a":          "a",
	} {
		parsed, err := sc.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		st := parsed[len(parsed)-1]
		if explain, ok := st.(*Explain); ok {
			st = explain.Statement
		}
		var got Name
		switch st := st.(type) {
		case *Exec:
			got = st.Method
		case *Describe:
			got = st.Name
		case *Show:
			got = st.In
		case *Use:
			got = st.Name
		}
		if got.String() != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestScopePositions points at the names as they are written, behind completed names too.
func TestScopePositions(t *testing.T) {
	t.Parallel()
	parsed, err := scope(t).Parse("USE postgres;\n SELECT x::text AS y\n FROM a, b")
	if err != nil {
		t.Fatal(err)
	}
	q := parsed[1].(*Query)
	for i, want := range []provider.Position{{Line: 3, Column: 7}, {Line: 3, Column: 10}} {
		name := q.Tables[i].Name
		for _, part := range name {
			if got := part.Pos; got.Line != want.Line || got.Column != want.Column {
				t.Errorf("%s of %s is at %d:%d, want %d:%d", part.Text, name, got.Line, got.Column, want.Line, want.Column)
			}
		}
	}
	for text, column := range map[string]int{"SELECT 1 FROM a, broken": 18, "DESCRIBE broken": 10, "DELETE FROM broken": 13} {
		_, err := scope(t).Parse(text)
		e, ok := errors.AsType[*provider.Error](err)
		if !ok || !strings.Contains(e.Message, "cannot be read") || e.Position.Column != column {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestScopeMayChange sees a change under a short name: doors that only read must refuse it.
func TestScopeMayChange(t *testing.T) {
	t.Parallel()
	sc := scope(t)
	for text, want := range map[string]bool{"EXEC postgres_projects.list": true, "DELETE FROM postgres_roles": true, "SELECT * FROM postgres_roles": false} {
		if got := sc.MayChange(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if text := "USE databricks_workspace.postgres; EXEC postgres_projects.list"; !(Scope{Catalogue: sc.Catalogue}).MayChange(text) {
		t.Errorf("%s changes nothing", text)
	}
}
