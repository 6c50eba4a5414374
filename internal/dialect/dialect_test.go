package dialect

import (
	"errors"
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
		tokens = append(tokens, Token{typ, text[at : at+length], at})
		at += length
	}
	return tokens, true
}

// translated returns a text as SQLite takes it.
func translated(text string) (string, error) {
	tokens, ok := tokensOf(text)
	if !ok {
		return text, nil
	}
	edits, err := Translate(text, tokens)
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
		"SELECT a ^~~ b":                                "the operator ~~ is not supported",
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
