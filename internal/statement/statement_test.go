package statement

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// execOf parses a text that holds one EXEC.
func execOf(t *testing.T, text string) *Exec {
	t.Helper()
	all, err := Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	if len(all) != 1 {
		t.Fatalf("Parse(%q) gave %d statements, want 1", text, len(all))
	}
	e, ok := all[0].(*Exec)
	if !ok {
		t.Fatalf("Parse(%q) gave %T, want *Exec", text, all[0])
	}
	return e
}

func TestExecForms(t *testing.T) {
	type param struct {
		name string
		body bool
		kind Kind
		text string
	}
	tests := map[string]struct {
		text   string
		params []param
		hints  string
	}{
		"no parameters":                      {"EXEC p.s.r.m", nil, ""},
		"semicolon":                          {"EXEC p.s.r.m;", nil, ""},
		"commas":                             {"EXEC p.s.r.m @a='1', @b='2' , @@json='{}'", []param{{"a", false, String, "1"}, {"b", false, String, "2"}, {"json", true, String, "{}"}}, ""},
		"no commas":                          {"EXEC p.s.r.m @a='1' @b='2'\n@@json='{}'", []param{{"a", false, String, "1"}, {"b", false, String, "2"}, {"json", true, String, "{}"}}, ""},
		"blanks around =":                    {"EXEC p.s.r.m @a = '1'", []param{{"a", false, String, "1"}}, ""},
		"body by any name":                   {"EXEC p.s.r.m @@body='{}'", []param{{"body", true, String, "{}"}}, ""},
		"marker with its line end":           {"EXEC p.s.r.m @a='1' --required \n@b='2'", []param{{"a", false, String, "1"}, {"b", false, String, "2"}}, ""},
		"marker on one line":                 {"EXEC p.s.r.m @a='1' --required @@json= '{}'", []param{{"a", false, String, "1"}, {"json", true, String, "{}"}}, ""},
		"spaced marker on one line":          {"EXEC p.s.r.m @a='1' -- required, @b='2'", []param{{"a", false, String, "1"}, {"b", false, String, "2"}}, ""},
		"marker as a block comment":          {"EXEC p.s.r.m @a='1' /* required */ @b='2'", []param{{"a", false, String, "1"}, {"b", false, String, "2"}}, ""},
		"marker in upper case":               {"EXEC p.s.r.m @a='1' --REQUIRED @b='2'", []param{{"a", false, String, "1"}, {"b", false, String, "2"}}, ""},
		"a comment that begins like it":      {"EXEC p.s.r.m @a='1' -- required by the auditors\n@b='2'", []param{{"a", false, String, "1"}, {"b", false, String, "2"}}, ""},
		"a word that begins like it":         {"EXEC p.s.r.m @a='1' --requiredness @c='3'\n@b='2'", []param{{"a", false, String, "1"}, {"b", false, String, "2"}}, ""},
		"comments in every place":            {"-- first\nEXEC /* a */ p /* b */ . s.r -- c\n.m /* d */ @a /* e */ = /* f */ '1' /* g */, -- h\n@b='2' # i\n; // j", []param{{"a", false, String, "1"}, {"b", false, String, "2"}}, ""},
		"a MySQL comment is a comment":       {"EXEC p.s.r.m /*! @a='1' */ @b='2'", []param{{"b", false, String, "2"}}, ""},
		"hints":                              {"EXEC /*+ SHOWRESULTS, await */ p.s.r.m", nil, "SHOWRESULTS AWAIT"},
		"lower case":                         {"exec p.s.r.m @a=TRUE", []param{{"a", false, Bool, "true"}}, ""},
		"EXECUTE":                            {"Execute p.s.r.m", nil, ""},
		"numbers":                            {"EXEC p.s.r.m @a=1 @b=-2.50 @c=1e3 @d=+7", []param{{"a", false, Number, "1"}, {"b", false, Number, "-2.50"}, {"c", false, Number, "1e3"}, {"d", false, Number, "7"}}, ""},
		"a dotted name":                      {"EXEC p.s.r.m @a.b = 1", []param{{"a.b", false, Number, "1"}}, ""},
		"null":                               {"EXEC p.s.r.m @a=null", []param{{"a", false, Null, ""}}, ""},
		"doubled quote":                      {"EXEC p.s.r.m @a='it''s'", []param{{"a", false, String, "it's"}}, ""},
		"escaped quote":                      {`EXEC p.s.r.m @a='it\'s'`, []param{{"a", false, String, "it's"}}, ""},
		"backslashes stay":                   {`EXEC p.s.r.m @a='C:\new\\x "q" \"'`, []param{{"a", false, String, `C:\new\\x "q" \"`}}, ""},
		"semicolon and comment in a string":  {"EXEC p.s.r.m @a='x; -- y /* z'", []param{{"a", false, String, "x; -- y /* z"}}, ""},
		"the marker in a string":             {"EXEC p.s.r.m @a='x --required' @b='2'", []param{{"a", false, String, "x --required"}, {"b", false, String, "2"}}, ""},
		"empty string":                       {"EXEC p.s.r.m @a=''", []param{{"a", false, String, ""}}, ""},
		"line ends and wide letters":         {"EXEC p.s.r.m\r\n@a='äöü\n漢字'", []param{{"a", false, String, "äöü\n漢字"}}, ""},
		"repeated parameters are kept apart": {"EXEC p.s.r.m @a='1' @a='2'", []param{{"a", false, String, "1"}, {"a", false, String, "2"}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := execOf(t, test.text)
			if e.Method.String() != "p.s.r.m" {
				t.Errorf("method %s", e.Method)
			}
			if got := strings.Join(e.Hints, " "); got != test.hints {
				t.Errorf("hints %q, want %q", got, test.hints)
			}
			if len(e.Params) != len(test.params) {
				t.Fatalf("%d parameters, want %d", len(e.Params), len(test.params))
			}
			for i, want := range test.params {
				got := e.Params[i]
				if got.Name != want.name || got.Body != want.body || got.Value.Kind != want.kind || got.Value.Text != want.text {
					t.Errorf("parameter %d: %+v, want %+v", i, got, want)
				}
			}
		})
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"EXEC a.b.c.list":            "a.b.c.list",
		"EXEC a.b.c.get":             "a.b.c.get",
		"EXEC a.b.c.delete":          "a.b.c.delete",
		"EXEC a.b.c.Select":          "a.b.c.Select",
		"EXEC `a`.`b`.`c d`.`m`":     "a.b.c d.m",
		`EXEC "a"."b"."c""d"."m"`:    `a.b.c"d.m`,
		"EXEC a . b\n.\tc /**/ .  d": "a.b.c.d",
	} {
		if got := execOf(t, text).Method.String(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestSeveralStatements(t *testing.T) {
	all, err := Parse(";; EXEC a.b.c.d @x=';' ; -- nothing\n SHOW METHODS IN a.b.c;\nDESCRIBE METHOD EXTENDED a.b.c.d;;")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 {
		t.Fatalf("%d statements, want 3", len(all))
	}
	if s := all[1].(*Show); s.What != "METHODS" || s.In.String() != "a.b.c" || s.Pos().Line != 2 || s.Pos().Column != 2 {
		t.Errorf("second: %+v", s)
	}
	if d := all[2].(*Describe); !d.Method || !d.Extended || d.Name.String() != "a.b.c.d" {
		t.Errorf("third: %+v", d)
	}
	for _, text := range []string{"", " \n", "-- only a comment", "/* so is this */;"} {
		if all, err := Parse(text); err != nil || len(all) != 0 {
			t.Errorf("Parse(%q) = %d statements, %v", text, len(all), err)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	tests := map[string]struct {
		text         string
		line, column int
		message      string
	}{
		"no statement":           {"\n  GRANT x", 2, 3, `found "GRANT"`},
		"short name":             {"EXEC a.b.c", 1, 6, "a.b.c has 3 parts where provider.service.resource.method has 4"},
		"long name":              {"EXEC a.b.c.d.e", 1, 6, "5 parts"},
		"no name":                {"EXEC ;", 1, 6, `found ";", expected provider.service.resource.method`},
		"open string":            {"EXEC a.b.c.d\n@x='abc", 2, 4, "the quote that opens here is not closed"},
		"open comment":           {"EXEC a.b.c.d /* abc", 1, 14, "the comment that begins here has no end"},
		"unquoted text":          {"EXEC a.b.c.d @x=abc", 1, 17, `found "abc", expected a value for @x`},
		"double-quoted value":    {`EXEC a.b.c.d @x="abc"`, 1, 17, "expected a value for @x: a string between single quotes"},
		"no value":               {"EXEC a.b.c.d @x=", 1, 17, "found the end of the text"},
		"no equals sign":         {"EXEC a.b.c.d @x 'a'", 1, 17, "expected = after @x"},
		"comma at the end":       {"EXEC a.b.c.d @x='a',", 1, 21, "expected a parameter after the comma"},
		"two commas":             {"EXEC a.b.c.d @x='a',,@y='b'", 1, 21, "expected a parameter after the comma"},
		"comma first":            {"EXEC a.b.c.d , @x='a'", 1, 14, `found ","`},
		"no parameter name":      {"EXEC a.b.c.d @='a'", 1, 14, "the parameter's name after @"},
		"placeholder":            {"EXEC a.b.c.d @x={{ x }}", 1, 17, "the placeholder {{ x }} was not filled in"},
		"hexadecimal":            {"EXEC a.b.c.d @x=0x1F", 1, 17, "is not a number as JSON writes it"},
		"leading zero":           {"EXEC a.b.c.d @x=007", 1, 17, "is not a number as JSON writes it"},
		"number with a tail":     {"EXEC a.b.c.d @x=12abc", 1, 17, "is not a number"},
		"minus and no number":    {"EXEC a.b.c.d @x=-'1'", 1, 18, "expected a number after -"},
		"stray character":        {"EXEC a.b.c.d @x='é' €", 1, 21, `unexpected character "€"`},
		"NUL":                    {"EXEC a.b.c.d \x00 @x='1'", 1, 14, "unexpected character"},
		"quote within a string":  {"EXEC a.b.c.d @x='it's'", 1, 21, `found "s"`},
		"two statements in one":  {"SHOW PROVIDERS SHOW PROVIDERS", 1, 16, "expected the end of the statement (;)"},
		"SHOW of the unknown":    {"SHOW GRANTS", 1, 6, "expected PROVIDERS, SERVICES, RESOURCES, METHODS, INSERT, AUTH, TABLES, VIEWS, MATERIALIZED VIEWS, SETTINGS, ERRORS or VERSION"},
		"SHOW without IN":        {"SHOW METHODS a.b.c", 1, 14, "expected IN provider.service.resource"},
		"after a multi-line one": {"EXEC a.b.c.d @x='1\n2\n3' 'y'", 3, 4, `found "'y'"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(test.text)
			e, ok := errors.AsType[*provider.Error](err)
			if !ok {
				t.Fatalf("Parse(%q) = %v, want a provider.Error", test.text, err)
			}
			if e.Code != provider.Usage {
				t.Errorf("code %v", e.Code)
			}
			if e.Position.Line != test.line || e.Position.Column != test.column {
				t.Errorf("at %d:%d, want %d:%d (%v)", e.Position.Line, e.Position.Column, test.line, test.column, err)
			}
			if !strings.Contains(e.Message, test.message) {
				t.Errorf("message %q, want %q in it", e.Message, test.message)
			}
		})
	}
}

func TestWaits(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"EXEC a.b.c.d":          ";",
		"EXEC a.b.c.d;":         "",
		"EXEC a.b.c.d; -- done": "",
		"EXEC a.b.c.d @x='":     "'",
		"EXEC a.b.c.d @x=';":    "'",
		"EXEC a.b.c.d @x=';';":  "",
		"/* open ;":             "/*",
		"EXEC a.b.c.d @x={;":    "", // wrong, and more text would not help
		"SHOW PROVIDERS; SHOW":  ";",
		".tables":               "", // no statement begins with this
		"hello":                 "",
		"SELECT 1; hello":       "",

		`SELECT 'C:\';`:                   "",
		`SELECT 'it\'';`:                  "'",
		`SELECT 'a;`:                      "'",
		"SELECT \"a;":                     `"`,
		"SELECT `a;":                      "`",
		"SELECT $$a;":                     "$",
		"SELECT E'a;":                     "'",
		"SELECT 1; -- done":               "",
		"SELECT 1 -- done;":               ";",
		"SELECT (1;":                      "", // wrong, and more text would not help
		"SELECT (1, (2)":                  "(",
		"SELECT ')' || (1":                "(",
		"SELECT {{ a }":                   "",
		"INSERT INTO t VALUES ('\\')":     ";",
		"INSERT INTO t VALUES ('\\');":    "",
		`EXEC a.b.c.d @x='it\'s;`:         "'",
		`EXEC a.b.c.d @x='it\'s';`:        "",
		`SELECT '\'; EXEC a.b.c.d @x='\'`: "'",
		`EXEC a.b.c.d; SELECT '\';`:       "",
		`EXPLAIN SELECT '\';`:             "",
		`EXPLAIN ANALYZE EXEC m @x='\';`:  "'",
		`explain query plan select '\';`:  "",
		"EXPLAIN":                         ";",
		"EXPLAIN;":                        "",
		"EXPLAIN 'a":                      "'",
		"CREATE TABLE t (a /* ; ":         "/*",
		"/* so */ ;; -- and so":           "",
	} {
		if got := Waits(text); got != want {
			t.Errorf("Waits(%q) = %q, want %q", text, got, want)
		}
	}
}
