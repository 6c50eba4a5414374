package statement

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

func bodyOf(t *testing.T, sqlString string) Value {
	t.Helper()
	return execOf(t, "EXEC a.b.c.d @@json="+sqlString).Params[0].Value
}

func TestJSONInAString(t *testing.T) {
	tests := map[string]struct {
		sql  string
		want any
	}{
		"object":                         {`'{"a": [1, 2.50, true, null, "x"]}'`, map[string]any{"a": []any{json.Number("1"), json.Number("2.50"), true, nil, "x"}}},
		"doubled quote":                  {`'{"a": "it''s"}'`, map[string]any{"a": "it's"}},
		"JSON's escapes":                 {`'{"a": "say \"hi\" \\ \n \u00e4"}'`, map[string]any{"a": "say \"hi\" \\ \n ä"}},
		"StackQL's escapes":              {`'{"a": "say \\"hi\\""}'`, map[string]any{"a": `say "hi"`}},
		"a backslash before the quote":   {`'{"a": "it\'s"}'`, map[string]any{"a": "it's"}},
		"a backslash at the end of text": {`'{"a": "C:\\"}'`, map[string]any{"a": `C:\`}},
		"a large number":                 {`'{"a": 9223372036854775807}'`, map[string]any{"a": json.Number("9223372036854775807")}},
		"a scalar":                       {`'"x"'`, "x"},
		"no string at all":               {`12`, json.Number("12")},
		"blanks around":                  {"'\n {} \n'", map[string]any{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := bodyOf(t, test.sql).JSON()
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
		})
	}
}

func TestMalformedJSONSaysWhere(t *testing.T) {
	const before = len("EXEC a.b.c.d @@json=") // the column of the string's quote, less one
	tests := map[string]struct {
		sql     string
		column  int // of the string
		message string
	}{
		"not JSON":            {`'abc'`, 2, `malformed JSON: invalid character 'a' looking for beginning of value`},
		"ends early":          {`'{"a": [1'`, 10, "malformed JSON: the text ends too early"},
		"empty":               {`''`, 2, "malformed JSON: the text ends too early"},
		"missing colon":       {`'{"a" 1}'`, 7, "malformed JSON: invalid character '1' after object key"},
		"behind doubled ''":   {`'{"a": "''''", x}'`, 16, "malformed JSON: invalid character 'x'"},
		"more text":           {`'{} {}'`, 5, "malformed JSON: invalid character '{' after top-level value"},
		"attribute twice":     {`'{"a": 1, "a": 2}'`, 11, `malformed JSON: attribute "a" is given twice`},
		"unquoted {{ name }}": {`'{"a": {{ a }}}'`, 8, "the placeholder {{ a }} was not filled in"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := bodyOf(t, test.sql).JSON()
			e, ok := errors.AsType[*provider.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if got := e.Position.Column - before; got != test.column {
				t.Errorf("column %d of the string, want %d: %v", got, test.column, err)
			}
			if len(e.Message) < len(test.message) || e.Message[:len(test.message)] != test.message {
				t.Errorf("message %q, want %q", e.Message, test.message)
			}
		})
	}
}

func TestLocate(t *testing.T) {
	v := bodyOf(t, "'{\n  \"a\": \"it''s\",\n  \"claims\": [{\"x\": 1}, {\"set\": \"W\"}]}'")
	tests := map[string]struct {
		path         provider.Path
		line, column int
	}{
		"an attribute":                 {provider.Path{"a"}, 2, 8},
		"in a list":                    {provider.Path{"claims", 1, "set"}, 3, 32},
		"the nearest to what is not":   {provider.Path{"claims", 1, "gone"}, 3, 24},
		"the whole":                    {nil, 1, 22},
		"the whole for an absent name": {provider.Path{"gone"}, 1, 22},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := v.Locate(test.path)
			if got.Line != test.line || got.Column != test.column {
				t.Errorf("%d:%d, want %d:%d", got.Line, got.Column, test.line, test.column)
			}
		})
	}
}
