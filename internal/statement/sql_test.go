package statement

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// oneOf parses a text that holds one statement, of type T.
func oneOf[T Statement](t *testing.T, text string) T {
	t.Helper()
	all, err := Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	if len(all) != 1 {
		t.Fatalf("Parse(%q) gave %d statements, want 1", text, len(all))
	}
	s, ok := all[0].(T)
	if !ok {
		t.Fatalf("Parse(%q) gave %T", text, all[0])
	}
	return s
}

// fields lists the parts of a statement, with the line and column of each part that has a position. It
// leaves out empty parts.
func fields(s Statement) map[string]string {
	all := map[string]string{}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if text := written(v.Field(i).Interface()); text != "" {
			all[v.Type().Field(i).Name] = text
		}
	}
	delete(all, "Whole") // the same for all: see TestWhole
	return all
}

func written(field any) string {
	at := func(p provider.Position, text string) string { return fmt.Sprintf("%d:%d %s", p.Line, p.Column, text) }
	switch f := field.(type) {
	case provider.Position:
		return at(f, "")
	case *Query:
		if f != nil {
			return at(f.Position, f.Text)
		}
	case Ident:
		return at(f.Pos, f.Text)
	case Name:
		if f != nil {
			return at(f[0].Pos, f.String())
		}
	case []Ident:
		var all []string
		for _, ident := range f {
			all = append(all, written(ident))
		}
		return strings.Join(all, ", ")
	case []Assignment:
		var all []string
		for _, a := range f {
			all = append(all, written(a.Column)+" = "+written(a.Value))
		}
		return strings.Join(all, ", ")
	case Value:
		return at(f.Pos(), fmt.Sprintf("%d %s", f.Kind, f.Text))
	case []string:
		return strings.Join(f, " ")
	case Statement:
		return fmt.Sprintf("%T %v", f, fields(f))
	case bool:
		if f {
			return "yes"
		}
	default:
		if text := fmt.Sprint(f); text != "0s" {
			return text
		}
	}
	return ""
}

type saysTest struct {
	text string
	want map[string]string // Position 1:1 is understood
}

// says checks the fields of statements.
func says[T Statement](t *testing.T, tests map[string]saysTest) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := oneOf[T](t, test.text)
			got := fields(s)
			want := map[string]string{"Position": "1:1 "}
			maps.Copy(want, test.want)
			all := maps.Clone(want)
			maps.Copy(all, got)
			for field := range all {
				if got[field] != want[field] {
					t.Errorf("%s is %q, want %q", field, got[field], want[field])
				}
			}
			checkQueries(t, test.text, s)
		})
	}
}

func TestInsert(t *testing.T) {
	t.Parallel()
	says[*Insert](t, map[string]saysTest{
		"columns and SELECT": {
			"INSERT INTO p.s.r (a, b) SELECT 1, 'x';",
			map[string]string{"Into": "1:13 p.s.r", "Columns": "1:20 a, 1:23 b", "Source": "1:26 SELECT 1, 'x'"},
		},
		"as the pages have it": {
			"INSERT INTO p.s.r (\na,\nb\n)\nSELECT\n'{{ a }}' /* required */,\n'{{ b }}' -- required\nRETURNING\na,\nb\n;",
			map[string]string{
				"Into": "1:13 p.s.r", "Columns": "2:1 a, 3:1 b",
				"Source": "5:1 SELECT\n'{{ a }}' /* required */,\n'{{ b }}'", "Returning": "9:1 a,\nb",
			},
		},
		"markers on one line": {
			"INSERT INTO p.s.r (a --required, b -- required) SELECT 1 --required, 2 -- required RETURNING a",
			map[string]string{
				"Into": "1:13 p.s.r", "Columns": "1:20 a, 1:34 b",
				"Source": "1:49 SELECT 1           , 2", "Returning": "1:94 a",
			},
		},
		"VALUES": {
			"insert into t values (1, 2), (3, 4)",
			map[string]string{"Into": "1:13 t", "Source": "1:15 values (1, 2), (3, 4)"},
		},
		"DEFAULT VALUES": {
			"INSERT INTO main.t DEFAULT VALUES RETURNING *",
			map[string]string{"Into": "1:13 main.t", "Returning": "1:45 *"},
		},
		"WITH and SELECT": {
			"INSERT INTO t WITH x AS (SELECT 1 AS a) SELECT a FROM x",
			map[string]string{"Into": "1:13 t", "Source": "1:15 WITH x AS (SELECT 1 AS a) SELECT a FROM x"},
		},
		"WITH before INSERT": {
			"WITH x AS (SELECT 1 AS a)\nINSERT INTO t (b)\nSELECT a FROM x RETURNING b",
			map[string]string{
				"Into": "2:13 t", "Columns": "2:16 b", "Returning": "3:27 b",
				"Source": "1:1 WITH x AS (SELECT 1 AS a)\n                  SELECT a FROM x",
			},
		},
		"WITH before INSERT and SELECT": {
			"WITH x AS (SELECT 1) INSERT INTO t WITH RECURSIVE y AS (SELECT 2) SELECT * FROM x, y",
			map[string]string{
				"Into":   "1:34 t",
				"Source": "1:1 WITH x AS (SELECT 1)               ,              y AS (SELECT 2) SELECT * FROM x, y",
			},
		},
		"a CTE called insert": {
			"WITH insert (a) AS (SELECT 1) INSERT INTO t VALUES (1)",
			map[string]string{"Into": "1:43 t", "Source": "1:1 WITH insert (a) AS (SELECT 1)               VALUES (1)"},
		},
		"REPLACE INTO": {
			"REPLACE INTO p.s.r (a) VALUES (1)",
			map[string]string{"Replace": "yes", "Into": "1:14 p.s.r", "Columns": "1:21 a", "Source": "1:24 VALUES (1)"},
		},
		"OR": {
			"INSERT or ignore INTO t VALUES (1)",
			map[string]string{"Or": "IGNORE", "Into": "1:23 t", "Source": "1:25 VALUES (1)"},
		},
		"OR REPLACE": {
			"INSERT OR REPLACE INTO t VALUES (1)",
			map[string]string{"Or": "REPLACE", "Into": "1:24 t", "Source": "1:26 VALUES (1)"},
		},
		"an alias": {
			"INSERT INTO t AS x (a) VALUES (1)",
			map[string]string{"Into": "1:13 t", "Alias": "x", "Columns": "1:21 a", "Source": "1:24 VALUES (1)"},
		},
		"ON CONFLICT": {
			"INSERT INTO t SELECT * FROM a JOIN b ON conflict = 1 WHERE 1 ON CONFLICT (id) DO UPDATE SET a = 1 WHERE 1 RETURNING id",
			map[string]string{
				"Into": "1:13 t", "Source": "1:15 SELECT * FROM a JOIN b ON conflict = 1 WHERE 1",
				"Conflict": "1:74 (id) DO UPDATE SET a = 1 WHERE 1", "Returning": "1:117 id",
			},
		},
		"ON CONFLICT DO NOTHING": {
			"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
			map[string]string{"Into": "1:13 t", "Source": "1:15 VALUES (1)", "Conflict": "1:38 DO NOTHING"},
		},
		"hints": {
			"INSERT /*+ await, showResults */ INTO p.s.r (a) SELECT 1",
			map[string]string{"Hints": "AWAIT SHOWRESULTS", "Into": "1:39 p.s.r", "Columns": "1:46 a", "Source": "1:49 SELECT 1"},
		},
		"a hint before the word": {
			"/*+ AWAIT */ INSERT INTO t SELECT 1",
			map[string]string{"Position": "1:14 ", "Hints": "AWAIT", "Into": "1:26 t", "Source": "1:28 SELECT 1"},
		},
		"quoted and dotted names": {
			"INSERT INTO `p`.\"s\".r (\"spec.ttl\", spec.no_expiry, \"a\"\"b\", `c d`, \"order\") SELECT 1,2,3,4,5",
			map[string]string{
				"Into": "1:13 p.s.r", "Columns": "1:24 spec.ttl, 1:36 spec.no_expiry, 1:52 a\"b, 1:60 c d, 1:67 order",
				"Source": "1:76 SELECT 1,2,3,4,5",
			},
		},
		"comments in every place": {
			"-- a\nINSERT -- b\nINTO /* c */ t -- d\n(a /* ) */, b) -- e\nSELECT 1, -- f\n2 -- g\n;",
			map[string]string{"Position": "2:1 ", "Into": "3:14 t", "Columns": "4:2 a, 4:13 b", "Source": "5:1 SELECT 1, -- f\n2"},
		},
		"a backslash escapes nothing": {
			`INSERT INTO t SELECT 'C:\', 'RETURNING; x' RETURNING a`,
			map[string]string{"Into": "1:13 t", "Source": `1:15 SELECT 'C:\', 'RETURNING; x'`, "Returning": "1:54 a"},
		},
		"RETURNING in brackets, quotes and names": {
			"INSERT INTO t SELECT (SELECT x.\"returning\" FROM \"returning\"), \"returning\", a.\"returning\" FROM a",
			map[string]string{"Into": "1:13 t", "Source": "1:15 SELECT (SELECT x.\"returning\" FROM \"returning\"), \"returning\", a.\"returning\" FROM a"},
		},
		"wide letters": {
			"INSERT INTO größe (ä) SELECT '漢字' RETURNING ä",
			map[string]string{"Into": "1:13 größe", "Columns": "1:20 ä", "Source": "1:23 SELECT '漢字'", "Returning": "1:45 ä"},
		},
	})
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	says[*Update](t, map[string]saysTest{
		"all clauses": {
			"UPDATE p.s.r AS x SET a = 1, b = x.c || ',' WHERE id = 'i' AND z IN (SELECT 1 FROM u WHERE 2) RETURNING a, b",
			map[string]string{
				"Table": "1:8 p.s.r", "Alias": "x", "Set": "1:23 a = 1:27 1, 1:30 b = 1:34 x.c || ','",
				"Where": "1:51 id = 'i' AND z IN (SELECT 1 FROM u WHERE 2)", "Returning": "1:105 a, b",
			},
		},
		"as the pages have it": {
			"UPDATE p.s.r\nSET\na = '{{ a }}' /* required */,\nspec = '{{ spec }}'\nWHERE x = '{{ x }}' --required\nAND y = '{{ y }}' -- required\nRETURNING\na\n;",
			map[string]string{
				"Table": "1:8 p.s.r", "Set": "3:1 a = 3:5 '{{ a }}', 4:1 spec = 4:8 '{{ spec }}'",
				"Where": "5:7 x = '{{ x }}'           \nAND y = '{{ y }}'", "Returning": "8:1 a",
			},
		},
		"markers on one line": {
			"UPDATE t SET a = 1 -- required, b = 2 --required WHERE c = 3 -- required AND d = 4 --required RETURNING e",
			map[string]string{
				"Table": "1:8 t", "Set": "1:14 a = 1:18 1, 1:33 b = 1:37 2",
				"Where": "1:56 c = 3             AND d = 4", "Returning": "1:105 e",
			},
		},
		"quoted and dotted columns": {
			`UPDATE p.s.r SET "spec.ttl" = '1s', spec.no_expiry = 1, "a"."b" = 2`,
			map[string]string{"Table": "1:8 p.s.r", "Set": `1:18 spec.ttl = 1:31 '1s', 1:37 spec.no_expiry = 1:54 1, 1:57 a.b = 1:67 2`},
		},
		"commas and words of clauses within values": {
			"UPDATE t SET a = f(1, (SELECT b FROM c WHERE d)), b = 'x, WHERE', \"set\" = CASE WHEN 1 THEN 2 END WHERE 1",
			map[string]string{
				"Table": "1:8 t", "Where": "1:104 1",
				"Set": "1:14 a = 1:18 f(1, (SELECT b FROM c WHERE d)), 1:51 b = 1:55 'x, WHERE', 1:67 set = 1:75 CASE WHEN 1 THEN 2 END",
			},
		},
		"FROM, and the operator that has one": {
			"UPDATE t SET a = t.b IS NOT DISTINCT FROM u.b FROM u JOIN v USING (id) WHERE t.c IS DISTINCT FROM u.c",
			map[string]string{
				"Table": "1:8 t", "Set": "1:14 a = 1:18 t.b IS NOT DISTINCT FROM u.b",
				"From": "1:52 u JOIN v USING (id)", "Where": "1:78 t.c IS DISTINCT FROM u.c",
			},
		},
		"several columns at once": {
			"UPDATE t SET (a, b) = (SELECT 1, 2), c = 3",
			map[string]string{"Table": "1:8 t", "Set": "1:14 (a, b) = 1:23 (SELECT 1, 2), 1:38 c = 1:42 3"},
		},
		"OR": {
			"UPDATE OR ROLLBACK t SET a = 1",
			map[string]string{"Or": "ROLLBACK", "Table": "1:20 t", "Set": "1:26 a = 1:30 1"},
		},
		"hints": {
			"update /*+ AWAIT */ p.s.r set a = 1 where b = 2",
			map[string]string{"Hints": "AWAIT", "Table": "1:21 p.s.r", "Set": "1:31 a = 1:35 1", "Where": "1:43 b = 2"},
		},
		"REPLACE": {
			"REPLACE /*+ AWAIT */ p.s.r\nSET a = 1 WHERE b = 2 -- required\n",
			map[string]string{"Replace": "yes", "Hints": "AWAIT", "Table": "1:22 p.s.r", "Set": "2:5 a = 2:9 1", "Where": "2:17 b = 2"},
		},
		"WITH": {
			"WITH x AS (SELECT 1) UPDATE t SET a = (SELECT * FROM x)",
			map[string]string{"With": "1:1 WITH x AS (SELECT 1)", "Table": "1:29 t", "Set": "1:35 a = 1:39 (SELECT * FROM x)"},
		},
		"WITH and REPLACE": {
			"WITH x AS (SELECT 1) REPLACE p.s.r SET a = 1",
			map[string]string{"With": "1:1 WITH x AS (SELECT 1)", "Replace": "yes", "Table": "1:30 p.s.r", "Set": "1:40 a = 1:44 1"},
		},
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	says[*Delete](t, map[string]saysTest{
		"all of a table": {"DELETE FROM t", map[string]string{"From": "1:13 t"}},
		"as the pages have it": {
			"DELETE FROM p.s.r\nWHERE a = '{{ a }}' -- required\nAND b = '{{ b }}' -- required\nRETURNING\nc,\nd\n;",
			map[string]string{"From": "1:13 p.s.r", "Where": "2:7 a = '{{ a }}'            \nAND b = '{{ b }}'", "Returning": "5:1 c,\nd"},
		},
		"alias and hints": {
			"DELETE /*+ await */ FROM p.s.r AS x WHERE x.a IN (SELECT a FROM t) RETURNING x.a",
			map[string]string{"Hints": "AWAIT", "From": "1:26 p.s.r", "Alias": "x", "Where": "1:43 x.a IN (SELECT a FROM t)", "Returning": "1:78 x.a"},
		},
		"WITH": {
			"WITH x AS (SELECT 1) DELETE FROM t WHERE a IN x",
			map[string]string{"With": "1:1 WITH x AS (SELECT 1)", "From": "1:34 t", "Where": "1:42 a IN x"},
		},
	})
}

func TestCreate(t *testing.T) {
	t.Parallel()
	says[*Create](t, map[string]saysTest{
		"a view": {
			"CREATE VIEW v AS SELECT a FROM p.s.r;",
			map[string]string{"Kind": "VIEW", "Name": "1:13 v", "As": "1:18 SELECT a FROM p.s.r"},
		},
		"a view with columns": {
			"create or replace temp view if not exists \"a v\" (a, \"b.c\") as values (1, 2)",
			map[string]string{
				"Kind": "VIEW", "OrReplace": "yes", "Temp": "yes", "IfNotExists": "yes", "Name": "1:43 a v",
				"Columns": "1:50 a, 1:53 b.c", "As": "1:63 values (1, 2)",
			},
		},
		"a materialized view": {
			"CREATE OR REPLACE MATERIALIZED VIEW m AS\nWITH x AS (SELECT 1) SELECT * FROM x -- done",
			map[string]string{"Kind": "MATERIALIZED VIEW", "OrReplace": "yes", "Name": "1:37 m", "As": "2:1 WITH x AS (SELECT 1) SELECT * FROM x"},
		},
		"a table from a query": {
			"CREATE TEMPORARY TABLE t AS SELECT 1 AS a WHERE b = 'x' -- required\nAND 1",
			map[string]string{"Kind": "TABLE", "Temp": "yes", "Name": "1:24 t", "As": "1:29 SELECT 1 AS a WHERE b = 'x'            \nAND 1"},
		},
		"a table with a definition": {
			"CREATE TABLE IF NOT EXISTS t (\n  a INTEGER PRIMARY KEY, -- the key\n  b TEXT DEFAULT (')'), CHECK (a > (1)) -- last\n)",
			map[string]string{
				"Kind": "TABLE", "IfNotExists": "yes", "Name": "1:28 t",
				"Definition": "a INTEGER PRIMARY KEY, -- the key\n  b TEXT DEFAULT (')'), CHECK (a > (1))",
			},
		},
		"a marker in a definition": {
			"CREATE TABLE t (a TEXT --required, b TEXT)",
			map[string]string{"Kind": "TABLE", "Name": "1:14 t", "Definition": "a TEXT           , b TEXT"},
		},
	})
}

func TestOtherStatements(t *testing.T) {
	t.Parallel()
	t.Run("REFRESH", func(t *testing.T) {
		t.Parallel()
		says[*Refresh](t, map[string]saysTest{"one": {"refresh materialized view m;", map[string]string{"Name": "1:27 m"}}})
	})
	t.Run("DROP", func(t *testing.T) {
		t.Parallel()
		says[*Drop](t, map[string]saysTest{
			"a view":              {"DROP VIEW v", map[string]string{"Kind": "VIEW", "Name": "1:11 v"}},
			"a materialized view": {"drop materialized view if exists m", map[string]string{"Kind": "MATERIALIZED VIEW", "IfExists": "yes", "Name": "1:34 m"}},
			"a table":             {"DROP TABLE \"t x\"", map[string]string{"Kind": "TABLE", "Name": "1:12 t x"}},
		})
	})
	t.Run("USE", func(t *testing.T) {
		t.Parallel()
		says[*Use](t, map[string]saysTest{
			"provider": {"USE databricks_workspace", map[string]string{"Name": "1:5 databricks_workspace"}},
			"service":  {"USE databricks_workspace.jobs", map[string]string{"Name": "1:5 databricks_workspace.jobs"}},
		})
	})
	t.Run("PURGE", func(t *testing.T) {
		t.Parallel()
		says[*Purge](t, map[string]saysTest{
			"alone":      {"PURGE;", map[string]string{}},
			"with words": {"purge conservative  cache", map[string]string{"What": "CONSERVATIVE CACHE"}},
		})
	})
	t.Run("NATIVEQUERY", func(t *testing.T) {
		t.Parallel()
		says[*NativeQuery](t, map[string]saysTest{"one": {`NATIVEQUERY 'SELECT ''a'', "b\"'`, map[string]string{"Text": `SELECT 'a', "b\"`}}})
	})
	t.Run("SLEEP", func(t *testing.T) {
		t.Parallel()
		says[*Sleep](t, map[string]saysTest{"one": {"SLEEP 1500", map[string]string{"Duration": "1.5s"}}})
		if s := oneOf[*Sleep](t, "SLEEP 9223372036854"); s.Duration < 290*365*24*time.Hour {
			t.Errorf("the longest sleep takes %v", s.Duration)
		}
	})
	t.Run("EXPLAIN", func(t *testing.T) {
		t.Parallel()
		says[*Explain](t, map[string]saysTest{
			"a query":      {"EXPLAIN SELECT 1", map[string]string{"Statement": "1:9 SELECT 1"}},
			"ANALYZE":      {"explain analyze\nselect 1", map[string]string{"Analyze": "yes", "Statement": "2:1 select 1"}},
			"QUERY PLAN":   {"EXPLAIN QUERY PLAN SELECT 1", map[string]string{"Statement": "1:20 SELECT 1"}},
			"an EXEC":      {"EXPLAIN /*+ AWAIT */ EXEC p.s.r.m", map[string]string{"Statement": "*statement.Exec map[Hints:AWAIT Method:1:27 p.s.r.m Params:[] Position:1:22 ]"}},
			"an INSERT":    {"EXPLAIN ANALYZE INSERT /*+ AWAIT */ INTO t SELECT 1", map[string]string{"Analyze": "yes", "Statement": "*statement.Insert map[Hints:AWAIT Into:1:42 t Position:1:17  Source:1:44 SELECT 1]"}},
			"an UPDATE":    {"EXPLAIN UPDATE t SET a = 1", map[string]string{"Statement": "*statement.Update map[Position:1:9  Set:1:22 a = 1:26 1 Table:1:16 t]"}},
			"a CREATE":     {"EXPLAIN CREATE VIEW v AS SELECT 1", map[string]string{"Statement": "*statement.Create map[As:1:26 SELECT 1 Kind:VIEW Name:1:21 v Position:1:9 ]"}},
			"hints before": {"/*+ AWAIT */ EXPLAIN /*+ exists */ ANALYZE /*+ UPDATE */ DELETE /*+ DELETE */ FROM t", map[string]string{"Position": "1:14 ", "Analyze": "yes", "Statement": "*statement.Delete map[From:1:84 t Hints:AWAIT EXISTS UPDATE DELETE Position:1:58 ]"}},
		})
	})
}

func TestSet(t *testing.T) {
	t.Parallel()
	text := func(kind Kind, position, value string) string { return fmt.Sprintf("%s %d %s", position, kind, value) }
	says[*Set](t, map[string]saysTest{
		"a string":          {"SET On_Error = 'it''s C:\\'", map[string]string{"Name": "on_error", "Value": text(String, "1:16", `it's C:\`)}},
		"TO and a word":     {"set on_error to Partial;", map[string]string{"Name": "on_error", "Value": text(String, "1:17", "Partial")}},
		"a quoted word":     {`SET a = "b c"`, map[string]string{"Name": "a", "Value": text(String, "1:9", "b c")}},
		"a number":          {"SET a.b = -2.50", map[string]string{"Name": "a.b", "Value": text(Number, "1:11", "-2.50")}},
		"a positive number": {"SET a = +7e3", map[string]string{"Name": "a", "Value": text(Number, "1:9", "7e3")}},
		"true":              {"SET a = TRUE", map[string]string{"Name": "a", "Value": text(Bool, "1:9", "true")}},
		"null":              {"SET a = NULL", map[string]string{"Name": "a", "Value": text(Null, "1:9", "")}},
		"StackQL's name":    {"SET $.Http.Timeout = 5", map[string]string{"Name": "$.http.timeout", "Value": text(Number, "1:22", "5")}},
	})
	v := oneOf[*Set](t, `SET a = '{"b": ["''\", 1]}'`).Value
	if _, err := v.JSON(); err == nil {
		t.Error("a value whose string does not end is taken for JSON")
	}
	v = oneOf[*Set](t, `SET a = '{"b": ["''\"", 1]}'`).Value
	if got, err := v.JSON(); err != nil || fmt.Sprint(got) != `map[b:['" 1]]` {
		t.Errorf("the value is %v, %v", got, err)
	}
	if at := v.Locate(provider.Path{"b", 1}); at.Column != 25 {
		t.Errorf("the place of b[1] is %+v, want column 25", at)
	}
	if _, err := oneOf[*Set](t, "SET a = word").Value.JSON(); err == nil || !strings.Contains(err.Error(), "column 9") {
		t.Errorf("a word that is no JSON: %v", err)
	}
}

func TestShowWithoutAName(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"ERRORS", "TABLES", "VIEWS", "MATERIALIZED VIEWS", "SETTINGS", "PROVIDERS", "VERSION"} {
		s := oneOf[*Show](t, "show extended "+strings.ToLower(what)+" LIKE 'a%' WHERE name = 'b'")
		if s.What != what || !s.Extended || s.In != nil || s.Like != "a%" || s.Where == nil {
			t.Errorf("SHOW %s is read as %+v", what, s)
		}
	}
}
