package statement

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// FuzzParse checks that no text makes the parser panic or hang, that positions are inside the text, that
// each string equals its part of the text, and that the queries of a statement are parts of its text.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"EXEC a.b.c.d @x='it''s' --required @@json='{\"a\": \"\\\"\"}';",
		"/*+ REQUIRED */ SHOW EXTENDED METHODS IN a.b.c; DESC METHOD a.b.c.d",
		"EXEC a.b.c.d @x='\\", "/*! x", "@@a.'", "`", "-- required", "x'1", "\x00'", "EXEC a.b.c.d @x=1e+",
		"SELECT a.b.c.*, x'00', 1e-5, :p FROM a.b.c, d.e.f x WHERE '*' = a.b.c.deployment_name AND deployment_name IN ('*') -- required",
		"WITH x AS (SELECT 1) INSERT /*+ AWAIT */ INTO a.b.c AS z (d, \"e.f\", g.h) WITH RECURSIVE y AS (VALUES (1)) SELECT * FROM y ON CONFLICT (d) DO UPDATE SET d = 1 RETURNING *",
		"INSERT OR IGNORE INTO t DEFAULT VALUES; REPLACE INTO t VALUES (1)",
		"WITH x AS (SELECT 1) UPDATE OR FAIL t AS u SET a = b IS DISTINCT FROM c, (d, e) = (1, 2) --required FROM v WHERE deployment_name == '*' RETURNING f",
		"REPLACE a.b.c SET d.e = '\\' WHERE 1", "DELETE FROM a.b.c WHERE d = 1 -- required AND e RETURNING f",
		"CREATE OR REPLACE TEMP MATERIALIZED VIEW IF NOT EXISTS v (a) AS SELECT 1; CREATE TABLE t (a DEFAULT (1)); DROP VIEW IF EXISTS v",
		"EXPLAIN ANALYZE SELECT 1; EXPLAIN QUERY PLAN EXEC a.b.c.d", "SET $.a.b = -1.5; SET c TO \"d\"; SET e = '{}'", "USE p; PURGE a b; NATIVEQUERY 'x'; SLEEP 1",
		"REFRESH MATERIALIZED VIEW ä", "WITH", "INSERT INTO t WITH RECURSIVE", "SELECT {{ a }}", "WITH x AS () INSERT INTO t WITH", "\xc3'\xa4", "SELECT \xc3.\xa4.\xc3",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		Waits(text)
		all, err := Parse(text)
		if err != nil {
			e, ok := errors.AsType[*provider.Error](err)
			if !ok || e.Position.Line < 1 || e.Position != provider.PositionAt(text, e.Position.Offset) {
				t.Fatalf("error without a place: %#v", err)
			}
			return
		}
		for _, s := range all {
			if want := provider.PositionAt(text, s.Pos().Offset); want != s.Pos() {
				t.Fatalf("position %+v, want %+v", s.Pos(), want)
			}
			checkQueries(t, text, s)
			checkValues(t, text, s)
		}
	})
}

// checkValues checks the places of the literals in a statement.
func checkValues(t *testing.T, text string, s Statement) {
	t.Helper()
	var values []Value
	switch s := s.(type) {
	case *Set:
		values = append(values, s.Value)
	case *Exec:
		for _, p := range s.Params {
			if want := provider.PositionAt(text, p.Pos.Offset); want != p.Pos {
				t.Fatalf("position %+v, want %+v", p.Pos, want)
			}
			if !strings.HasPrefix(text[p.Pos.Offset:], "@") {
				t.Fatalf("no parameter at %+v", p.Pos)
			}
			values = append(values, p.Value)
		}
	}
	for _, v := range values {
		v.Locate(provider.Path{"a", 0})
		if _, err := v.JSON(); err != nil && !strings.Contains(err.Error(), "line") {
			t.Fatalf("error without a place: %v", err)
		}
	}
}
