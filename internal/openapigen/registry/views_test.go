package registry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stackql/any-sdk/public/formulation"

	"github.com/lakeql/lakeql/internal/catalogtest"
	"github.com/lakeql/lakeql/provider"
)

// TestDescribeInAnySDK shows that any-sdk has columns for DESCRIBE of each resource that SELECT reaches.
func TestDescribeInAnySDK(t *testing.T) {
	described := 0
	b := loaded(t)
	b.each(t, func(r *provider.Resource, judged formulation.Resource) {
		if len(r.MethodsFor(provider.Select)) == 0 {
			return
		}
		store, _, ok := judged.GetFirstMethodFromSQLVerb("select")
		if !ok {
			t.Errorf("%s: no method of SELECT", r.FullName())
			return
		}
		schema, _, err := store.GetSelectSchemaAndObjectPath()
		if err != nil {
			t.Errorf("%s: %v", r.FullName(), err)
			return
		}
		if len(schema.ToDescriptionMap(true)) == 0 {
			t.Errorf("%s has no columns", r.FullName())
			return
		}
		described++
	})
	t.Logf("%d resources described", described)
}

// TestViews looks whether every query of every view has a place for each parameter, and whether SQLite still
// takes it.
func TestViews(t *testing.T) {
	b := loaded(t)
	db, err := catalogtest.Open(b.catalogue)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, db)
	views := 0
	b.each(t, func(r *provider.Resource, judged formulation.Resource) {
		if r.View == nil {
			return
		}
		views++
		for _, d := range r.View.Definitions {
			found, ok := judged.GetViewsForSqlDialect(d.Dialect)
			if !ok || len(found) != 1 || found[0].GetNameNaive() != r.ID {
				t.Errorf("%s: any-sdk sees %d views in %s", r.FullName(), len(found), d.Dialect)
				continue
			}
			ddl := found[0].GetDDL()
			queries := strings.Count(ddl, "\nFROM ")
			for _, p := range r.View.RequiredParams {
				if n := strings.Count(ddl, "= '{{ "+p.Name+" }}'"); n != queries {
					t.Errorf("%s: %s has a place in %d of %d queries:\n%s", r.FullName(), p.Name, n, queries, ddl)
				}
			}
			if strings.Contains(ddl, "LEFT JOIN json_") {
				t.Errorf("%s joins left with a function:\n%s", r.FullName(), ddl)
			}
			if d.Dialect == "sqlite3" {
				if err := db.Prepare(ddl); err != nil {
					t.Errorf("%s: %v", r.FullName(), err)
				}
			}
		}
	})
	t.Logf("%d views", views)
}

// TestJoinLeft runs both forms of a left join over arrays with elements, without any, and missing ones.
func TestJoinLeft(t *testing.T) {
	conn, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, conn)
	if err := conn.Exec(`CREATE TABLE a(id, value, list);
		INSERT INTO a VALUES (1, '{"list": [{"x": 1}, {"x": 2}]}', '[{"x": 3}]'), (2, '{"list": []}', '[]'), (3, '{}', NULL), (4, NULL, '[null]'),
			(5, '{"list": null}', '[{"x": 4}, {}]')`); err != nil {
		t.Fatal(err)
	}
	rows := func(sql string) string {
		stmt, _, err := conn.Prepare(sql)
		if err != nil {
			t.Fatal(err)
		}
		defer closed(t, stmt)
		var b strings.Builder
		for stmt.Step() {
			fmt.Fprintf(&b, "%d:%s ", stmt.ColumnInt(0), stmt.ColumnText(1))
		}
		if err := stmt.Err(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, tt := range []struct{ join, want string }{
		{"\n  LEFT JOIN json_each(a.value, '$.list') AS c ON true", `1:1 1:2 2: 3: 4: 5: `},
		{"\n  LEFT JOIN json_each(a.list) AS c ON true", `1:3 2: 3: 4: 5: 5:4 `},
	} {
		sql := "SELECT a.id, json_extract(CASE WHEN json_valid(c.value) THEN c.value END, '$.x') FROM a"
		rewritten := rewriteLeftJoins(sql + tt.join)
		if strings.Contains(rewritten, "LEFT") {
			t.Fatalf("not rewritten: %s", rewritten)
		}
		if got := rows(rewritten + " ORDER BY 1, 2"); got != tt.want {
			t.Errorf("%s: rows %s, want %s", rewritten, got, tt.want)
		}
	}
	const postgres = "SELECT 1 FROM t AS b\n  LEFT JOIN json_array_elements_text(json_extract_path(CAST(a.value AS json), 'x', 'y')) AS v ON true"
	want := "SELECT 1 FROM t AS b,\n  json_array_elements_text(CAST(coalesce(nullif(CAST(json_extract_path(CAST(a.value AS json), 'x', 'y') AS text), '[]'), '[null]') AS json)) AS v"
	if got := rewriteLeftJoins(postgres); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestBind(t *testing.T) {
	for _, tt := range []struct{ name, ddl, want string }{
		{"no condition", "SELECT\n  b.deployment_name,\n  b.x\nFROM t AS b", "SELECT\n  b.deployment_name,\n  b.x\nFROM t AS b\nWHERE b.deployment_name = '{{ deployment_name }}'"},
		{"under another name", "SELECT\n  b.host AS deployment_name\nFROM t AS b\nWHERE b.x = 1", "SELECT\n  b.host AS deployment_name\nFROM t AS b\nWHERE b.x = 1\n  AND b.host = '{{ deployment_name }}'"},
		{
			"two queries", "SELECT\n  a.deployment_name\nFROM t AS a\nUNION ALL\nSELECT\n  b.deployment_name\nFROM u AS b",
			"SELECT\n  a.deployment_name\nFROM t AS a\nWHERE a.deployment_name = '{{ deployment_name }}'\nUNION ALL\nSELECT\n  b.deployment_name\nFROM u AS b\nWHERE b.deployment_name = '{{ deployment_name }}'",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := bind(tt.ddl, []string{"deployment_name"}); err != nil || got != tt.want {
				t.Errorf("got %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
	if _, err := bind("SELECT\n  upper(b.x) AS deployment_name\nFROM t AS b", []string{"deployment_name"}); err == nil {
		t.Error("an expression was taken for a column")
	}
}
