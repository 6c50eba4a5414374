package dialect

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// tokensOf cuts a text without comments.
func tokensOf(text string) ([]Token, bool) {
	var tokens []Token
	for at := 0; at < len(text); {
		if strings.IndexByte(" \t\r\n\f", text[at]) >= 0 {
			at++
			continue
		}
		typ, length := Scan(text[at:])
		if length < 0 {
			return nil, false
		}
		tokens = append(tokens, Token{Type: typ, Raw: text[at : at+length], Start: at})
		at += length
	}
	return tokens, true
}

// translated returns a text as SQLite takes it.
func translated(text string) (string, error) { return translatedBy(Options{}, text) }

func translatedBy(o Options, text string) (string, error) {
	tokens, ok := tokensOf(text)
	if !ok {
		return text, nil
	}
	edits, err := o.Translate(text, tokens)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(text[at:e.Start] + e.Text)
		at = e.End
	}
	return b.String() + text[at:], nil
}

// TestTranslate shows what becomes of PostgreSQL's spelling. Only the parts that SQLite does not read
// change.
func TestTranslate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT a::text AS b":                                                "SELECT lakeql_text(a) AS b",
		"SELECT a::text FROM t":                                              `SELECT lakeql_text(a) AS "a" FROM t`,
		"SELECT t.a::int::text, 1 + 2::int FROM t":                           `SELECT lakeql_text(lakeql_int4(t.a)) AS "a", 1 + lakeql_int4(2) AS "1 + 2::int" FROM t`,
		"SELECT -1::int AS a":                                                "SELECT -lakeql_int4(1) AS a",
		"SELECT f(x)::bool a, (b || c)::varchar(3) d":                        "SELECT lakeql_bool(f(x)) a, lakeql_text((b || c)) d",
		"SELECT a FROM t WHERE b::double precision > 1 AND c":                "SELECT a FROM t WHERE lakeql_float8(b ) > 1 AND c",
		"SELECT CASE WHEN a THEN b END::text AS c":                           "SELECT lakeql_text(CASE WHEN a THEN b END) AS c",
		"WHERE a || b ~ 'x' AND c":                                           "WHERE lakeql_match(a || b , 'x') AND c",
		"WHERE NOT a NOT ILIKE b ESCAPE '!' OR c":                            "WHERE NOT (NOT lakeql_ilike(a  , b , '!')) OR c",
		"WHERE a -> 'b' #>> '{c}' = 'd'":                                     "WHERE lakeql_path_text(a -> 'b' , '{c}') = 'd'",
		"WHERE a = ANY(ARRAY[1, 2])":                                         "WHERE a IN (1, 2)",
		"WHERE a = ANY ('{x,\"y z\"}'::text[])":                              "WHERE a IN  ('x', 'y z')",
		"WHERE a = ANY (b)":                                                  "WHERE a IN  (SELECT value FROM json_each(lakeql_array(b)))",
		"WHERE a <> ALL (ARRAY['x'])":                                        "WHERE a NOT IN  ('x')",
		"WHERE a > now() - interval '1 day'":                                 "WHERE a > lakeql_time_minus(now() , lakeql_interval( '1 day'))",
		"WHERE a BETWEEN b::date AND c::date":                                "WHERE a BETWEEN lakeql_date(b) AND lakeql_date(c)",
		"SELECT 1 AS default, b.order":                                       `SELECT 1 AS "default", b."order"`,
		"SELECT rollup, cube FROM t GROUP BY rollup, cube":                   "SELECT rollup, cube FROM t GROUP BY rollup, cube",
		"SELECT order, \"group\", values FROM t GROUP BY order":              `SELECT "order", "group", "values" FROM t GROUP BY "order"`,
		"SELECT a FROM t ORDER BY order LIMIT 1":                             `SELECT a FROM t ORDER BY "order" LIMIT 1`,
		"SELECT from, to FROM t WHERE index = 1":                             `SELECT "from", "to" FROM t WHERE "index" = 1`,
		"SELECT E'it\\'s\\n' a":                                              "SELECT 'it''s\n' a",
		"SELECT $$a'b$$ a, $1 b":                                             "SELECT 'a''b' a, ?1 b",
		"SELECT extract(year FROM a) b":                                      "SELECT date_part('year' , a) b",
		"SELECT substring(a FROM 2 FOR 3) b":                                 "SELECT lakeql_substring(a , 2 , 3) b",
		"SELECT a AT TIME ZONE 'UTC' b":                                      "SELECT lakeql_timezone(a ,   'UTC') b",
		"SELECT a FROM (VALUES (1)) AS t (a)":                                `SELECT a FROM (WITH lakeql_t("a") AS (VALUES (1)) SELECT * FROM lakeql_t) AS t `,
		"SELECT a FROM t OFFSET 5":                                           "SELECT a FROM t LIMIT 5, -1",
		"SELECT a FROM t OFFSET 5 LIMIT 2":                                   "SELECT a FROM t LIMIT 5 , 2",
		"SELECT a FROM t OFFSET 5 ROWS FETCH NEXT 2 ROWS ONLY":               "SELECT a FROM t LIMIT 5  ,  2  ",
		"SELECT a FROM t LEFT JOIN LATERAL unnest(t.b) AS u ON true":         `SELECT a FROM t LEFT JOIN  "lakeql_rows {""Function"":""unnest"",""Alias"":""u""}"(t.b) AS u ON true`,
		"SELECT ARRAY(SELECT a FROM t) b":                                    "SELECT (WITH lakeql_a(v) AS (SELECT a FROM t) SELECT json_group_array(v) FROM lakeql_a) b",
		"SELECT CAST(a AS date) b, CAST(a AS int) c":                         "SELECT lakeql_date(a  ) b, CAST(a AS int) c",
		"INSERT INTO t (order, to) VALUES (1, '2'::int)":                     `INSERT INTO t ("order", "to") VALUES (1, lakeql_int4('2'))`,
		"UPDATE t SET values = 1, a = b::text WHERE group ILIKE 'x'":         `UPDATE t SET "values" = 1, a = lakeql_text(b) WHERE lakeql_ilike("group" , 'x')`,
		"CREATE VIEW v AS SELECT a::text FROM t":                             `CREATE VIEW v AS SELECT lakeql_text(a) AS "a" FROM t`,
		"SELECT sum(a) FILTER (WHERE b ~ 'c') OVER (PARTITION BY d::text) e": "SELECT sum(a) FILTER (WHERE lakeql_match(b , 'c')) OVER (PARTITION BY lakeql_text(d)) e",
		"SELECT a IN (SELECT unnest(b) AS c) d":                              `SELECT a IN (SELECT * FROM "lakeql_rows {""Function"":""unnest"",""Alias"":""c""}"(b) AS c) d`,
		"SELECT string_agg(DISTINCT a, ',') b":                               "SELECT lakeql_string_agg_distinct( a, ',') b",
		"SELECT a ~~ 'x' || b AND c !~~ 'd' e":                               "SELECT (a LIKE 'x' || b) AND (c NOT LIKE 'd') e",
		"WHERE a OPERATOR(pg_catalog.~) 'b' COLLATE pg_catalog.default":      "WHERE lakeql_match(a , 'b'  )",
		"WHERE a OPERATOR(=) b ORDER BY c COLLATE \"C\"":                     "WHERE a = b ORDER BY c  ",
		"SELECT (a.b).c, (d).e f FROM t":                                     `SELECT json_extract((a.b), '$.c') AS "(a.b).c", json_extract((d), '$.e') f FROM t`,
		"SELECT a FROM t WHERE b = ANY ($1::text[])":                         "SELECT a FROM t WHERE b IN  (SELECT value FROM json_each(lakeql_array(lakeql_array(?1))))",
		"WHERE a >= timestamp with time zone '2020-01-01 00:00Z' AND b":      "WHERE a >= lakeql_timestamptz(    '2020-01-01 00:00Z') AND b",
		"SELECT interval '1' DAY a":                                          "SELECT lakeql_interval( '1' || ' day') a",
		"SELECT a ? 'b' c":                                                   "SELECT lakeql_has_key(a , 'b') c",
		"SELECT regexp_replace(a, 'b', 'c', 'g') d":                          "SELECT lakeql_regexp_replace(a, 'b', 'c', 'g') d",
	} {
		got, err := translated(text)
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", text, got, err, want)
		}
	}
}

// TestTranslateLeaves holds statements of SQLite's: they stay byte for byte what they are.
func TestTranslateLeaves(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"SELECT a, ?, ?2, :b, @c, $d, ?||'x', ? | 1 FROM t WHERE a = ? LIMIT ? OFFSET ?",
		"SELECT ~a, ~~a, a & ~b, a|b, a<<2, -a, +a, a <> b, a != b, a == b, a -> 'b' ->> '$.c' FROM t",
		"SELECT [a b], `c`, \"d\", x'00', 1e-5, 0x1F, count(*), count(DISTINCT a) FROM t",
		"SELECT CAST(a AS INTEGER), CAST(a AS TEXT), CAST(a AS numeric), CAST(a AS double precision) FROM t",
		"SELECT a IS NOT DISTINCT FROM b, a IS NULL, a ISNULL, a NOT NULL, a IS DISTINCT FROM NULL FROM t",
		"SELECT * FROM t, json_each(t.a) AS e WHERE e.value LIKE 'x%' ESCAPE '!' AND b NOT IN (SELECT c FROM d)",
		"WITH RECURSIVE a(b) AS (VALUES (1) UNION ALL SELECT b + 1 FROM a LIMIT 5) SELECT * FROM a",
		"WITH a AS NOT MATERIALIZED (SELECT 1) SELECT a.* FROM a ORDER BY 1 DESC NULLS LAST LIMIT -1 OFFSET 1",
		"SELECT substr(a, 1, 2), substring(a, 1), trim(a), trim(a, 'x'), replace(a, 'b', 'c') FROM t",
		"SELECT datetime('now', '-1 day'), strftime('%s', a), current_timestamp, date('now') FROM t",
		"INSERT INTO t (a, b) SELECT 1, 2 WHERE true ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING *",
		"INSERT OR REPLACE INTO t DEFAULT VALUES",
		"CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT '' CHECK (b <> 'x'), c REFERENCES d (e) ON DELETE SET NULL ON UPDATE SET DEFAULT, UNIQUE (a, b))",
		"SELECT row_number() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t WINDOW w AS (ORDER BY a)",
		"SELECT CASE a WHEN 1 THEN NULL ELSE 'x' END FROM t NATURAL LEFT JOIN u USING (a) CROSS JOIN v",
		"SELECT a FROM t GROUP BY 1 HAVING count(*) > 1 UNION SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4",
		"SELECT a.interval, timestamp, date, array, left, right FROM a",
		"SELECT a 'b', e.E, offset, fetch, lateral FROM t offset",
		"SELECT min(a, b), json_set(a, '$.b', 1), json_extract(a, '$[0]'), regexp_replace(a, 'b', '$1') FROM t",
		"UPDATE t SET a = 1, b = 'order' WHERE a BETWEEN 1 AND 2 AND NOT EXISTS (SELECT 1)",
		"DELETE FROM t WHERE (a, b) = (1, 2) OR a IN (1, 2) OR a GLOB 'x*' OR a MATCH 'y' OR a REGEXP 'z'",
		"SELECT CASE WHEN NOT (a) THEN b END, count(*) FILTER (WHERE NOT (c)), DISTINCT NOT d FROM t JOIN u ON NOT e WHERE NOT f AND NOT g HAVING NOT h",
		"SELECT (", "SELECT ) ((", "SELECT CASE", "END", "", "::", "SELECT 'a' 'b'",
	} {
		if got, err := translated(text); err != nil && text != "::" || err == nil && got != text {
			t.Errorf("%s\nbecomes %s, %v", text, got, err)
		}
	}
}

// onlyPostgres is how questions about PostgreSQL's catalogue are translated.
func onlyPostgres() Options {
	return Options{Only: true, Casts: map[string]string{"regclass": "pg_regclass"}, Views: []string{"pg_get_keywords"}}
}

// TestTranslateOnly shows what text means that is PostgreSQL's only.
func TestTranslateOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT c.oid::pg_catalog.regclass::text":                   `SELECT lakeql_text(pg_regclass(c.oid)) AS "oid"`,
		"SELECT x::regproc, y::\"char\", '1'::oid, CAST(z AS name)": `SELECT x AS "x", lakeql_text(y) AS "y", lakeql_int8('1') AS "int8", lakeql_text(z  ) AS "z"`,
		"SELECT pg_catalog.version(), count(*), 1, NULL, true":      `SELECT version() AS "version", count(*) AS "count", 1 AS "?column?", NULL AS "?column?", true AS "bool"`,
		"SELECT a, b.c, d e FROM ONLY t":                            "SELECT a, b.c, d e FROM  t",
		"SELECT current_schemas(false)[1], conkey[s.r] k":           `SELECT lakeql_element(current_schemas(false), 1) AS "current_schemas", lakeql_element(conkey, s.r) k`,
		"SELECT current_user, user":                                 `SELECT current_user() AS "current_user", user() AS "user"`,
		"WHERE k = ANY (conkey) AND l = ANY ('{r,v}')":              "WHERE k IN  (SELECT value FROM json_each(lakeql_array(conkey))) AND l IN  ('r', 'v')",
		"WHERE a = ANY (b::int2[])":                                 "WHERE a IN  (SELECT value FROM json_each(lakeql_array(lakeql_array(b))))",
		"SELECT (information_schema._pg_expandarray(i.k)).n m":      "SELECT json_extract((_pg_expandarray(i.k)), '$.n') m",
		"SELECT unnest(a) u, b FROM t":                              "SELECT lakeql_alone(a) u, b FROM t",
		"SELECT * FROM current_schema()":                            `SELECT * FROM (SELECT current_schema() AS "current_schema") AS "current_schema"`,
		"SELECT * FROM pg_catalog.current_schema() s":               `SELECT * FROM (SELECT current_schema() AS "s") s`,
		"SELECT word FROM pg_catalog.pg_get_keywords() k":           "SELECT word FROM pg_catalog.pg_get_keywords k",
		"SELECT s FROM generate_subscripts(a.b, 1) AS s":            `SELECT s FROM "lakeql_rows {""Function"":""generate_subscripts"",""Alias"":""s""}"(a.b, 1) AS s`,
		"SELECT CASE WHEN a THEN b END, EXISTS (SELECT 1) FROM t":   `SELECT CASE WHEN a THEN b END AS "case", EXISTS (SELECT 1 AS "?column?") AS "exists" FROM t`,
		"SELECT sum(a) OVER (PARTITION BY b), left(c, 1), -d":       `SELECT sum(a) OVER (PARTITION BY b) AS "sum", lakeql_left(c, 1) AS "left", -d AS "?column?"`,
	} {
		got, err := translatedBy(onlyPostgres(), text)
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", text, got, err, want)
		}
	}
}

// TestSignature shows which types a statement tells, of its columns and of its parameters.
func TestSignature(t *testing.T) {
	t.Parallel()
	columns := map[string]string{"size": "int8", "name": "text", "made": "timestamptz", "spec": "jsonb", "on": "bool", "@id": "int8"}
	for text, want := range map[string]string{
		"SELECT 1, 3000000000, 1.5, 'a', NULL, true, x":                                                      "int4 int8 float8 text - bool -",
		"SELECT a::int8, CAST(b AS boolean), c::numeric(3), d::date, e::json":                                "int8 bool numeric date jsonb",
		"SELECT CAST(a AS int), CAST(b AS double precision), '5'::int4":                                      "int8 float8 int4",
		"SELECT count(*), sum(size), avg(size), max(made), min(name), f(x)":                                  "int8 int8 float8 timestamptz text -",
		"SELECT a = b, NOT a, a IS NULL, a LIKE 'b', a IN (1), a ~ 'b'":                                      "bool bool bool bool bool bool",
		"SELECT EXISTS (SELECT 1), a BETWEEN 1 AND 2, a AND b, a ISNULL":                                     "bool bool bool bool",
		"SELECT size + 1, size / 2, size * 1.5, -size, x + 1, size % 2":                                      "int8 int8 float8 int8 - int8",
		"SELECT name || 'x', spec -> 'a', spec ->> 'a', spec #>> '{a}'":                                      "text jsonb text text",
		"SELECT now(), now() - made, made + interval '1 day', current_date":                                  "timestamptz interval timestamptz date",
		"SELECT CASE WHEN a THEN 1 ELSE 2 END, CASE a WHEN 1 THEN 'x' ELSE 2 END, CASE WHEN a THEN size END": "int4 - int8",
		"SELECT coalesce(size, 0), nullif(name, ''), upper(name), length(name), (size), (SELECT count(*) c)": "int8 text text int4 int8 int8",
		"SELECT ARRAY['a'], ARRAY[1, 2], ARRAY(SELECT name), '{1}'::int[], array_agg(name)":                  "text[] int8[] text[] int8[] text[]",
		"SELECT spec::text[]":                             "",
		"SELECT a.*, 1 AS n, b, count(*) AS m FROM t":     "* n:int4 - m:int8",
		"SELECT timestamp without time zone '2020-01-01'": "timestamp",
		"SELECT *": "*",
		"WITH t AS (SELECT count(*) AS n FROM u) SELECT n, n + 1 FROM t":          "n:int8 int8",
		"SELECT s.n FROM (SELECT max(size) AS n, name FROM t) AS s":               "n:int8",
		"SELECT 1 UNION SELECT 'a'":                                               "int4",
		"SELECT a WHERE size > $1 AND $2 = name AND $3::date > made":              "- $1 int8 $2 text $3 date",
		"SELECT 1 WHERE size IN ($1, $2) AND made BETWEEN $3 AND $4":              "int4 $1 int8 $2 int8 $3 timestamptz $4 timestamptz",
		"SELECT 1 WHERE name LIKE $1 AND name = ANY($2) AND size = ANY($3)":       "int4 $1 text $2 text[] $3 int8[]",
		"SELECT 1 WHERE x = ANY($1::text[]) AND y = $2::oid[] LIMIT $3 OFFSET $4": "int4 $1 text[] $2 oid[] $3 int8 $4 int8",
		"SELECT $1::int8 + 1, $2, $3 || 'x', 2 * $4, x = $5":                      "int8 - text int8 bool $1 int8 $3 text $4 int8",
		"INSERT INTO a.b (name, size, x) VALUES ($1, $2, $3), ($4, 5, lower($5))": "$1 text $2 int8 $4 text",
		"UPDATE a.b SET size = $1, name = $2 WHERE made < $3":                     "$1 int8 $2 text $3 timestamptz",
		"EXEC a.b.c.d @id = $1, @x = $2":                                          "$1 int8",
		"SELECT (":                                                                "",
		"SELECT a::nonsense":                                                      "",
	} {
		tokens, _ := tokensOf(text)
		sig := Options{Column: func(name string) string { return columns[strings.ToLower(name)] }}.Signature(text, tokens)
		var got []string
		for _, item := range sig.Items {
			of := item.Type
			if of == "" {
				of = "-"
			}
			switch {
			case item.Star:
				of = "*"
			case item.Name == "n" || item.Name == "m":
				of = item.Name + ":" + of
			}
			got = append(got, of)
		}
		for n := 1; n < 9; n++ {
			if of := sig.Parameters[n]; of != "" {
				got = append(got, fmt.Sprintf("$%d %s", n, of))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s\n got %s\nwant %s", text, strings.Join(got, " "), want)
		}
	}
}

// TestFaults shows where errors point and what they say.
func TestFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT a::^txet":                               `the type "txet" is not known`,
		"SELECT a^::text[]":                             "cannot be cast to an array",
		"SELECT ^unnest(a) FROM t":                      "returns rows, and stands behind FROM",
		"SELECT DISTINCT ^ON (a) a":                     "DISTINCT ON is not supported",
		"SELECT a FROM t JOIN ^LATERAL (SELECT 1) ON 1": "a subquery behind LATERAL is not supported",
		"SELECT a ^> ANY (b)":                           "> ANY (…) is not supported",
		"SELECT a LIKE ^ANY (b)":                        "a list of patterns is not supported",
		"SELECT a ^&& b":                                "the operator && is not supported",
		"SELECT a FROM t GROUP BY ^ROLLUP (a, b)":       "ROLLUP is not supported",
		"SELECT a FROM t GROUP BY a, ^CUBE(b)":          "CUBE is not supported",
		"SELECT a FROM t GROUP BY ^GROUPING SETS ((a))": "GROUPING is not supported",
		"SELECT f(a) ^WITHIN GROUP (ORDER BY b)":        "WITHIN GROUP is not supported",
		"SELECT a BETWEEN ^SYMMETRIC 1 AND 2":           "BETWEEN SYMMETRIC is not supported",
		`SELECT ^E'\u12'`:                               "an escape in this text is not known",
		"SELECT * FROM ^json_to_recordset(a) AS r":      "needs the names and types of its columns",
		"SELECT * FROM unnest(a) AS t (b ^order)":       `the type "order" is not known`,
	} {
		at := strings.IndexByte(text, '^')
		_, err := translated(text[:at] + text[at+1:])
		fault, ok := errors.AsType[*Fault](err)
		if !ok || fault.Offset != at || !strings.Contains(fault.Message, want) {
			t.Errorf("%s: %+v, want %s", text, err, want)
		}
	}
}

// FuzzTranslate shows that translating any text ends, in edits in order or in an error with a place,
// and that translated text holds nothing more to translate.
func FuzzTranslate(f *testing.F) {
	for _, seed := range []string{
		"SELECT a::text[], -b::int ~ E'\\n' FROM unnest(x) WITH ORDINALITY AS t(a, b int) OFFSET 5 ROWS FETCH NEXT ROW ONLY",
		"SELECT extract(a FROM b), trim(FROM x), position(a IN b), substring(a FOR 2), ARRAY[[1],ARRAY[2]], CASE END::int",
		"a = ANY(ARRAY[1]::int[]) AND b NOT ILIKE 'c' ESCAPE '!' IS UNKNOWN ? 'x' AT TIME ZONE $$y$$", "$$", "::", "((((", "SELECT , FROM", "order.by AS AS",
		"LIMIT ALL OFFSET", "FETCH FIRST", "LATERAL f(", "a[1][2]", "interval '1 day' * - interval '1'", "CAST(a AS timestamp(6) with time zone)",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens, ok := tokensOf(text)
		if !ok {
			return
		}
		_, _ = translatedBy(onlyPostgres(), text)
		_ = onlyPostgres().Signature(text, tokens)
		edits, err := Translate(text, tokens)
		if err != nil {
			if fault, ok := errors.AsType[*Fault](err); !ok || fault.Offset < 0 || fault.Offset > len(text) {
				t.Fatalf("%v", err)
			}
			return
		}
		at := 0
		for _, e := range edits {
			if e.Start < at || e.End < e.Start || e.End > len(text) {
				t.Fatalf("an edit at %d to %d, behind %d", e.Start, e.End, at)
			}
			at = e.End
		}
		once, err := translated(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := tokensOf(once); !ok {
			t.Fatalf("%q becomes %q, in which a quote is open", text, once)
		}
	})
}
