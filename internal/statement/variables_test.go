package statement

import "testing"

// TestInterpolate puts values in the place of references that are no part of a text, as psql does.
func TestInterpolate(t *testing.T) {
	t.Parallel()
	values := map[string]string{"a": "1", "name": "it's \\ \"x\"", "type": "WRONG", "n": "2", "_1": "one", "é": "e", "1": "first"}
	value := func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	for text, want := range map[string]string{
		"":                                              "",
		"SELECT :a, :A;":                                "SELECT 1, :A;",
		"SELECT :a;:a":                                  "SELECT 1;1",
		"SELECT :'name', :\"name\"":                     `SELECT 'it''s \ "x"', "it's \ ""x"""`,
		"SELECT :'nobody', :\"nobody\", :":              "SELECT :'nobody', :\"nobody\", :",
		"SELECT ':a', \":a\", `:a`":                     "SELECT ':a', \":a\", `:a`",
		"SELECT 'it''s :a', E'\\' :a'":                  "SELECT 'it''s :a', E'\\' :a'",
		"SELECT $$ :a $$, $x$ :a $x$, :a":               "SELECT $$ :a $$, $x$ :a $x$, 1",
		"SELECT x::type, x :: type, :a::type":           "SELECT x::type, x :: type, 1::type",
		"SELECT x[1:n], x[:n], x[:a:n]":                 "SELECT x[12], x[2], x[12]",
		"SELECT x[1:m], '$.a:a', y:z":                   "SELECT x[1:m], '$.a:a', y:z",
		"SELECT :_1, :é, :1, '12:1'":                    "SELECT one, e, first, '12:1'",
		"-- :a\nSELECT :a /* :a */, :a":                 "-- :a\nSELECT 1 /* :a */, 1",
		"SELECT {{ :a }}, f(x := :a)":                   "SELECT {{ :a }}, f(x := 1)",
		"SELECT 'open :a":                               "SELECT 'open :a",
		"EXEC m @x = :'name', @y = 'a\\'b :a', @z = :a": `EXEC m @x = E'it''s \\ "x"', @y = 'a\'b :a', @z = 1`,
		"EXEC m --required @@json = :'name'":            `EXEC m --required @@json = E'it''s \\ "x"'`,
		"explain exec m @x = :'name'; SELECT :'name'":   `explain exec m @x = E'it''s \\ "x"'; SELECT 'it''s \ "x"'`,
		"SELECT 'a\\', :a":                              "SELECT 'a\\', 1", // a backslash is a character of SQL
	} {
		if got := Interpolate(text, value); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

// FuzzInterpolate: a text without known variables stays as it is, and a value as a string is read back as itself.
func FuzzInterpolate(f *testing.F) {
	for _, text := range []string{"SELECT :a", "EXEC x @a = :'b'", "SELECT ':a' :\"b\" $$", "/*", "--", ":", "::x", "{{"} {
		f.Add(text, `it's \`)
	}
	f.Fuzz(func(t *testing.T, text, v string) {
		if got := Interpolate(text, func(string) (string, bool) { return "", false }); got != text {
			t.Errorf("%q became %q", text, got)
		}
		for _, statement := range []string{"SELECT :'a'", "EXEC p.s.r.m @a = :'a'"} {
			parsed, err := Parse(Interpolate(statement, func(string) (string, bool) { return v, true }))
			if err != nil {
				continue // characters that no statement may have
			}
			if len(parsed) != 1 {
				t.Fatalf("%q: %d statements", v, len(parsed))
			}
			if exec, ok := parsed[0].(*Exec); ok && exec.Params[0].Value.Text != v {
				t.Errorf("%q is %q", v, exec.Params[0].Value.Text)
			}
		}
	})
}
