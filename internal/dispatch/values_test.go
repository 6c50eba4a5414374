package dispatch_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestValues shows the values of a row for the values of an answer.
func TestValues(t *testing.T) {
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	tests := map[string]struct {
		column, value string
		want          any
	}{
		"string":                       {"string", `"é\n\u0041"`, "é\nA"},
		"empty string":                 {"string", `""`, ""},
		"null":                         {"string", `null`, nil},
		"integer":                      {"integer", `-7`, int64(-7)},
		"integer beyond 2^53":          {"integer", `9007199254740993`, int64(9007199254740993)},
		"largest integer":              {"integer", `9223372036854775807`, int64(9223372036854775807)},
		"smallest integer":             {"integer", `-9223372036854775808`, int64(-9223372036854775808)},
		"integer beyond 64 bits":       {"integer", `9223372036854775808`, raw(`9223372036854775808`)},
		"integer as text":              {"integer", `"9007199254740993"`, int64(9007199254740993)},
		"no integer as text":           {"integer", `"12 GB"`, "12 GB"},
		"integer as text, with zeros":  {"integer", `"007"`, "007"},
		"integer as text, with a sign": {"integer", `"+7"`, "+7"},
		"integer text beyond 64 bits":  {"integer", `"9223372036854775808"`, "9223372036854775808"},
		"fraction for an integer":      {"integer", `1.5`, 1.5},
		"exponent for an integer":      {"integer", `1e3`, 1000.0},
		"number":                       {"number", `0.1`, 0.1},
		"number with an exponent":      {"number", `-2.5E-3`, -0.0025},
		"number of a long fraction":    {"number", `0.30000000000000004`, 0.30000000000000004},
		"number with needless zeros":   {"number", `1.500000000000000000000`, 1.5},
		"whole number":                 {"number", `5`, 5.0},
		"whole number beyond 2^53":     {"number", `9007199254740993`, int64(9007199254740993)},
		"number of too many digits":    {"number", `3.14159265358979323846`, raw(`3.14159265358979323846`)},
		"number too large":             {"number", `1e400`, raw(`1e400`)},
		"number too near to zero":      {"number", `1e-400`, raw(`1e-400`)},
		"number of a mad exponent":     {"number", `1e-99999999999999999999`, raw(`1e-99999999999999999999`)},
		"zero of a mad exponent":       {"number", `0e99999999999999999999`, 0.0},
		"boolean":                      {"boolean", `true`, true},
		"false":                        {"boolean", `false`, false},
		"object":                       {"object", `{"a": [1, 2.50]}`, raw(`{"a": [1, 2.50]}`)},
		"array":                        {"array", `["a", "b"]`, raw(`["a", "b"]`)},
		"empty object":                 {"object", `{}`, raw(`{}`)},
		"secret":                       {"secret", `"s3cret"`, provider.Secret("s3cret")},
		"null for a secret":            {"secret", `null`, nil},
		"number for a secret":          {"secret", `123456`, provider.Secret("123456")},
		"object for a secret":          {"secret", `{"a": "s3cret"}`, provider.Secret(`{"a": "s3cret"}`)},
		"anything":                     {"any", `"text"`, "text"},
		"a number for anything":        {"any", `3`, int64(3)},
		"number for a string":          {"string", `3`, int64(3)},
		"boolean for a string":         {"string", `true`, raw(`true`)},
		"boolean for an integer":       {"integer", `false`, raw(`false`)},
		"boolean for anything":         {"any", `true`, true},
		"object for a string":          {"string", `{"a": 1}`, raw(`{"a": 1}`)},
		"string for a boolean":         {"boolean", `"true"`, "true"},
		"string for a number":          {"number", `"1.5"`, "1.5"},
		"string for an object":         {"object", `"{}"`, "{}"},
		"object for an array":          {"array", `{"a": 1}`, raw(`{"a": 1}`)},
	}
	columns := []string{"string", "integer", "number", "boolean", "object", "array", "secret", "any"}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				answer(w, fmt.Sprintf(`{"unknown": 1, %q : %s }`, test.column, test.value))
			})
			rows, err := request{method: "values"}.call(t.Context(), t, c)
			if err != nil || len(rows) != 1 || len(rows[0]) != len(columns) {
				t.Fatalf("rows %v: %v", rows, err)
			}
			for i, column := range columns {
				want := test.want
				if column != test.column {
					want = nil // the answer left it out
				}
				if !reflect.DeepEqual(rows[0][i], want) {
					t.Errorf("%s is %T %v, want %T %v", column, rows[0][i], rows[0][i], want, want)
				}
			}
		})
	}
}

// FuzzNumbers shows that no number changes on its way into a row.
func FuzzNumbers(f *testing.F) {
	for _, seed := range []string{"0", "-0.0", "123456789012345678", "0.1", "1e22", "1.7976931348623157e308", "5e-324", "2.4703282292062328e-324", "123456789012345.67", "1.00000000000000000001"} {
		f.Add(seed)
	}
	var body string
	c := serve(f, func(w http.ResponseWriter, _ *http.Request) { answer(w, body) })
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || !strings.ContainsAny(text[:1], "-0123456789") || len(text) > 400 {
			t.Skip()
		}
		body = `{"number": ` + text + `}`
		rows, err := request{method: "values"}.call(t.Context(), t, c)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		switch value := rows[0][2].(type) {
		case int64:
			got = strconv.FormatInt(value, 10)
		case float64:
			got = strconv.FormatFloat(value, 'g', -1, 64)
		case json.RawMessage:
			if strings.TrimSpace(text) != string(value) {
				t.Errorf("%s became %s", text, value)
			}
			return
		}
		if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 5 {
			return // not worth expanding
		}
		want, _ := new(big.Rat).SetString(strings.TrimSpace(text))
		if have, ok := new(big.Rat).SetString(got); !ok || have.Cmp(want) != 0 {
			t.Errorf("%s became %s", text, got)
		}
	})
}

// TestShapes shows the columns and rows for the documented forms of an answer.
func TestShapes(t *testing.T) {
	tests := map[string]struct {
		r       request
		answer  string
		columns string
		rows    string
	}{
		"an object":                     {get(), thing, "name:string size:integer:int64", "[[n 1]]"},
		"a list of texts":               {request{method: "names"}, `{"names": ["a", "b"]}`, "names:string", "[[a] [b]]"},
		"an array that says no more":    {request{method: "unsaid"}, `[1, "a"]`, "unsaid:", "[[1] [a]]"},
		"an object of nothing":          {request{method: "delete", args: map[string]any{"name": "n"}}, `{}`, "", "[]"},
		"nothing where nothing is said": {request{method: "delete", args: map[string]any{"name": "n"}}, ``, "", "[]"},
		"no answer in the document":     {request{method: "head", args: map[string]any{"name": "n"}}, ``, "", "[]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, test.answer) })
			req, err := test.r.plan(t, c)
			if err != nil {
				t.Fatal(err)
			}
			var columns []string
			for _, column := range req.Columns() {
				columns = append(columns, strings.TrimSuffix(column.Name+":"+column.Type+":"+column.Format, ":"))
			}
			if got := strings.Join(columns, " "); got != test.columns {
				t.Errorf("columns %q, want %q", got, test.columns)
			}
			if same, err := c.Columns(method(t, c, test.r.method)); err != nil || !reflect.DeepEqual(same, req.Columns()) {
				t.Errorf("columns of the method %v: %v", same, err)
			}
			rows, err := test.r.call(t.Context(), t, c)
			if err != nil || fmt.Sprint(rows) != test.rows {
				t.Errorf("rows %v, want %s: %v", rows, test.rows, err)
			}
		})
	}
}

// TestAnswersThatAreNone shows that a page of a stranger does not pass for an answer, least of all
// where none is expected.
func TestAnswersThatAreNone(t *testing.T) {
	for name, body := range map[string]string{
		"HTML": "\n<!DOCTYPE html><title>Log in</title>", "text": "ok", "nothing": "", "half": `{"name": "n"`, "two": `{}{}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, body) })
			_, err := get().call(t.Context(), t, c)
			if e := asError(t, err); e.Code != provider.API {
				t.Errorf("got %v", err)
			}
		})
	}
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, "<html>Log in") })
	if _, err := (request{method: "delete", args: map[string]any{"name": "n"}}).call(t.Context(), t, c); asError(t, err).Hint == "" {
		t.Errorf("delete: %v", err)
	}
}
