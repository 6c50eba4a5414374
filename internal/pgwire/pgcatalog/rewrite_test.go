package pgcatalog

import (
	"testing"

	"github.com/lakeql/lakeql/provider"
)

func TestRewrite(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT c.oid::pg_catalog.regclass::text":                           "SELECT pg_text( pg_regclass( c . oid ) )",
		"SELECT 'postgres.x'::regclass":                                     "SELECT pg_regclass( 'postgres.x' )",
		"WHERE n OPERATOR(pg_catalog.~) '^(a)$' COLLATE pg_catalog.default": "WHERE n REGEXP '^(a)$'",
		"a !~* 'x' AND b ~~ 'y' AND c ILIKE 'z'":                            "a NOT MATCH 'x' AND b LIKE 'y' AND c LIKE 'z'",
		"k = ANY ('{r,v}')":                                                 "k IN ( SELECT value FROM json_each( pg_json_array( '{r,v}' )))",
		"k <> ALL (ARRAY['r', 'v'])":                                        "k NOT IN ( SELECT value FROM json_each( pg_json_array( pg_make_array ( 'r' , 'v' ) )))",
		"n = ANY (SELECT oid FROM t)":                                       "n IN ( SELECT oid FROM t )",
		"ARRAY(SELECT a FROM b WHERE b.c = d.e)":                            "( SELECT pg_array_agg ( a ) FROM b WHERE b . c = d . e )",
		"FROM pg_catalog.unnest(t.k) x WHERE x = 1":                         "FROM json_each ( pg_json_array( t . k )) AS x WHERE x . value = 1",
		"FROM generate_series(1, 3) AS g(n) WHERE g.n > n":                  "FROM json_each ( pg_series( 1 , 3 )) AS g WHERE g . value > g . value",
		"SELECT current_schemas(false)[1], conkey[2]":                       "SELECT pg_subscript( current_schemas ( false ) , 1 ) , pg_subscript( conkey , 2 )",
		"SELECT current_user, E'a\\'b', $$it's$$, $1":                       "SELECT current_user() , 'a''b' , 'it''s' , ?1",
		"FROM (VALUES (1, 2)) t(a, b)":                                      "FROM ( WITH t ( a , b ) AS ( VALUES ( 1 , 2 ) ) SELECT * FROM t ) AS t",
		"SELECT CAST(x AS text), a <> b, c || d":                            "SELECT CAST ( x AS text ) , a <> b , c || d",
		"SELECT '16384'::oid, x::varchar(3), y::timestamp with time zone":   "SELECT pg_int( '16384' ) , pg_text( x ) , y",
	} {
		if got, err := rewrite(text); err != nil || got != want {
			t.Errorf("%s\n%s, %v, want\n%s", text, got, err, want)
		}
	}
	for _, text := range []string{"::int", "[1]", "OPERATOR(", "OPERATOR"} {
		_, _ = rewrite(text) // an error or not: it ends
	}
}

// FuzzRewrite: no question makes it panic or go on without end.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{"a::regclass[1] = ANY(ARRAY(SELECT x FROM unnest(y) z(w)))", "(VALUES (1)) t(a)", "::", "x[", "OPERATOR(~", "$x$", "E'", ")(", "ARRAY(SELECT"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return
		}
		if out, err := rewrite(text); err == nil && len(out) > 64*len(text)+1024 {
			t.Errorf("%d bytes of %d", len(out), len(text))
		}
	})
}

func TestTypeOf(t *testing.T) {
	for name, c := range map[string]provider.Column{
		"text": {Type: "string"}, "int8": {Type: "integer"}, "bool": {Type: "boolean"}, "jsonb": {Type: "array"},
		"timestamptz": {Type: "string", Format: "date-time"}, "float8": {Type: "number"},
	} {
		if got := typeOf(c).name; got != name {
			t.Errorf("%+v is %s, want %s", c, got, name)
		}
	}
}
