package pgcatalog

import (
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestTranslate: comments of PostgreSQL's, which nest, are no part of a question, and errors have places in it.
func TestTranslate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT c.oid::regclass /* a /* b */ '*/ AS n -- it's\n FROM pg_class c": "SELECT pg_regclass(c.oid)                  AS n          FROM pg_class c",
		"SELECT '{a}'::text[] AS a, $1 AS b, $$x$$ AS c":                         "SELECT json_array('a') AS a, ?1 AS b, 'x' AS c",
	} {
		if got, err := translate(text); err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{"SELECT 'a": "a quote is not closed", "SELECT a &&\nb": "line 1, column 10: the operator && is not supported"} {
		if _, err := translate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// FuzzTranslate: no question makes it panic, and the text stays of the size of the question.
func FuzzTranslate(f *testing.F) {
	for _, seed := range []string{"a::regclass[1] = ANY(ARRAY(SELECT x FROM unnest(y) z(w)))", "(VALUES (1)) t(a)", "::", "x[", "OPERATOR(~", "$x$", "E'", ")(", "ARRAY(SELECT", "/*", "(a).b", "FROM f()"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return
		}
		if out, err := translate(text); err == nil && len(out) > 256*len(text)+1024 {
			t.Errorf("%d bytes of %d", len(out), len(text))
		}
	})
}

func TestTypeOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]provider.Column{
		"text": {Type: "string"}, "int8": {Type: "integer"}, "bool": {Type: "boolean"}, "jsonb": {Type: "array"},
		"timestamptz": {Type: "string", Format: "date-time"}, "float8": {Type: "number"},
	} {
		if got := typeOf(c).name; got != name {
			t.Errorf("%+v is %s, want %s", c, got, name)
		}
	}
}
