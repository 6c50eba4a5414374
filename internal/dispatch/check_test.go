package dispatch_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// TestCheck shows which bodies are sent, and in which form: a string as the JSON that it holds if the
// schema wants another type, null as absent, a number as it is written.
func TestCheck(t *testing.T) {
	tests := map[string]struct {
		body string
		sent string // or
		err  string
	}{
		"string":                       {`{"string": "5"}`, `{"string":"5"}`, ""},
		"string that holds JSON":       {`{"string": "[1]"}`, `{"string":"[1]"}`, ""},
		"number for a string":          {`{"string": 5}`, "", "string: 5 is not a string"},
		"object for a string":          {`{"string": {}}`, "", "string: {} is not a string"},
		"long value of a wrong type":   {`{"string": ["` + strings.Repeat("é", 200) + `"]}`, "", `string: ["` + strings.Repeat("é", 78) + `… is not a string`},
		"escape of a wrong type":       {`{"string": ["\u202e"]}`, "", `string: ["\u202e"] is not a string`},
		"integer":                      {`{"integer": 9007199254740993}`, `{"integer":9007199254740993}`, ""},
		"integer as text":              {`{"integer": " -5 "}`, `{"integer":-5}`, ""},
		"integer with a fraction of 0": {`{"integer": 2.0}`, `{"integer":2}`, ""},
		"integer with an exponent":     {`{"integer": 1E3}`, `{"integer":1000}`, ""},
		"fraction for an integer":      {`{"integer": 1.5}`, "", "integer: 1.5 is not an integer of 64 bits"},
		"integer beyond 64 bits":       {`{"integer": 9223372036854775808}`, "", "integer: 9223372036854775808 is not an integer of 64 bits"},
		"integer of a mad exponent":    {`{"integer": 1e99999999}`, "", "integer: 1e99999999 is not an integer of 64 bits"},
		"largest of 32 bits":           {`{"small": -2147483648}`, `{"small":-2147483648}`, ""},
		"beyond 32 bits":               {`{"small": 2147483648}`, "", "small: 2147483648 is not an integer of 32 bits"},
		"beyond 32 bits, in disguise":  {`{"small": 3e9}`, "", "small: 3e9 is not an integer of 32 bits"},
		"boolean for an integer":       {`{"integer": true}`, "", "integer: true is not an integer"},
		"number":                       {`{"number": 3.14159265358979323846e-400}`, `{"number":3.14159265358979323846e-400}`, ""},
		"number as text":               {`{"number": "0.10"}`, `{"number":0.10}`, ""},
		"text for a number":            {`{"number": "NaN"}`, "", `number: "NaN" is not a number`},
		"boolean":                      {`{"boolean": false}`, `{"boolean":false}`, ""},
		"boolean as text":              {`{"boolean": "true"}`, `{"boolean":true}`, ""},
		"text for a boolean":           {`{"boolean": "yes"}`, "", `boolean: "yes" is not a boolean`},
		"number for a boolean":         {`{"boolean": "1"}`, "", "boolean: 1 is not a boolean"},
		"enum":                         {`{"kind": "RED"}`, `{"kind":"RED"}`, ""},
		"not of the enum":              {`{"kind": "red"}`, "", `kind: "red" is not one of RED, GREEN`},
		"enum of integers":             {`{"level": "2"}`, `{"level":2}`, ""},
		"enum of integers, as 2.0":     {`{"level": 2.0}`, `{"level":2}`, ""},
		"not of the integers":          {`{"level": 3}`, "", "level: 3 is not one of 1, 2"},
		"pattern":                      {`{"id": "abc"}`, `{"id":"abc"}`, ""},
		"not of the pattern":           {`{"id": "abc\n"}`, "", `id: "abc\n" does not match the pattern ^[a-z]+$`},
		"name of the form":             {`{"place": "shelves/1"}`, `{"place":"shelves/1"}`, ""},
		"name of another form":         {`{"place": "shelves"}`, "", `place: "shelves" does not have the form shelves/{shelf}`},
		"time":                         {`{"time": "2026-01-31T12:00:00.5+01:00"}`, `{"time":"2026-01-31T12:00:00.5+01:00"}`, ""},
		"time of no zone":              {`{"time": "2026-01-31T12:00:00"}`, "", `time: "2026-01-31T12:00:00" is not a time`},
		"time of a short hour":         {`{"time": "2026-01-31T1:00:00Z"}`, "", `time: "2026-01-31T1:00:00Z" is not a time`},
		"time with a comma":            {`{"time": "2026-01-31T12:00:00,5Z"}`, "", `time: "2026-01-31T12:00:00,5Z" is not a time`},
		"no such day":                  {`{"time": "2026-02-30T12:00:00Z"}`, "", `time: "2026-02-30T12:00:00Z" is not a time`},
		"array":                        {`{"list": [1, "2"]}`, `{"list":[1,2]}`, ""},
		"empty array":                  {`{"list": []}`, `{"list":[]}`, ""},
		"array as text":                {`{"list": "[1, 2]"}`, `{"list":[1,2]}`, ""},
		"array as text, cut short":     {`{"list": "[1,"}`, "", `list: "[1," is not an array: the text ends too early`},
		"array as text, and more":      {`{"list": "[1] 2"}`, "", `list: "[1] 2" is not an array: more text after the end of the value`},
		"text for an array":            {`{"list": "x"}`, "", `list: "x" is not an array`},
		"null as text for an array":    {`{"list": "null"}`, "", "list: null is not an array"},
		"object for an array":          {`{"list": {"a": 1}}`, "", `list: {"a":1} is not an array`},
		"null in an array":             {`{"list": [1, null]}`, "", "list[1]: null is not an integer"},
		"wrong in an array":            {`{"list": [1, "x"]}`, "", `list[1]: "x" is not an integer`},
		"map":                          {`{"map": {"b": 2, "a": "1"}}`, `{"map":{"a":1,"b":2}}`, ""},
		"null in a map":                {`{"map": {"a": null}}`, `{"map":{}}`, ""},
		"wrong in a map":               {`{"map": {"a": "x"}}`, "", `map.a: "x" is not an integer`},
		"map of anything":              {`{"open": {"a": [null, {"b": "1"}]}}`, `{"open":{"a":[null,{"b":"1"}]}}`, ""},
		"free-form object":             {`{"free": {"a": null, "b": {"c": [1.50]}}}`, `{"free":{"a":null,"b":{"c":[1.50]}}}`, ""},
		"free-form object as text":     {`{"free": "{\"a\": 1}"}`, `{"free":{"a":1}}`, ""},
		"array for a free-form object": {`{"free": [1]}`, "", "free: [1] is not an object"},
		"required in a free-form one":  {`{"marked": {"mark": 1, "x": 2}}`, `{"marked":{"mark":1,"x":2}}`, ""},
		"missing in a free-form one":   {`{"marked": {}}`, "", "marked.mark: missing: it is required"},
		"anything":                     {`{"any": "[1]"}`, `{"any":"[1]"}`, ""},
		"null":                         {`{"string": null, "list": null, "any": null}`, `{}`, ""},
		"missing":                      {`{"name": null}`, "", "name: missing: it is required"},
		"missing inside":               {`{"parts": [{"number": 1}, {"note": "x"}]}`, "", "parts[1].number: missing: it is required"},
		"the server's to give":         {`{"parts": [{"number": 1}]}`, `{"parts":[{"number":1}]}`, ""},
		"unknown":                      {`{"strin": "x"}`, "", "strin: unknown attribute"},
		"unknown inside":               {`{"parts": [{"number": 1, "notes": "x"}]}`, "", "parts[0].notes: unknown attribute"},
		"unknown of a strange name":    {`{"a\u001b.b": "x"}`, "", `a\x1b.b: unknown attribute`},
		"a tree":                       {`{"tree": {"children": [{"children": "[{\"value\": \"x\"}]"}]}}`, `{"tree":{"children":[{"children":[{"value":"x"}]}]}}`, ""},
		"wrong deep in a tree":         {`{"tree": {"children": [{}, {"children": [{"value": 1}]}]}}`, "", "tree.children[1].children[0].value: 1 is not a string"},
		"a secret":                     {`{"login": {"password": "secret"}}`, `{"login":{"password":"secret"}}`, ""},
		"a secret of a wrong form":     {`{"login": {"password": "S3CRET"}}`, "", "login.password: **** does not match the pattern ^[a-z]+$"},
		"a secret of a wrong type":     {`{"login": {"password": 53274}}`, "", "login.password: **** is not a string"},
		"a secret in a wrong place":    {`{"login": "S3CRET"}`, "", "login: **** is not an object"},
		"a secret in cut JSON":         {`{"login": "{\"password\": \"S3CRET\""}`, "", "login: **** is not an object: the text ends too early"},
		"a secret in a list":           {`{"login": {"others": {"password": "S3CRET"}}}`, "", "login.others: **** is not an array"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var sent string
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				sent = string(body)
				answer(w, thing)
			})
			body := test.body
			if !strings.Contains(body, `"name"`) {
				body = `{"name": "n", ` + body[1:]
			}
			_, err := request{method: "create", body: body}.call(t.Context(), t, c)
			if test.err != "" {
				e := asError(t, err)
				if e.Message != test.err || e.Code != provider.Usage || sent != "" {
					t.Errorf("got %q (code %v, sent %q), want %q", e.Message, e.Code, sent, test.err)
				}
				if path, _, _ := strings.Cut(test.err, ": "); e.Path.String() != path {
					t.Errorf("path %s, want %s", e.Path, path)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := `"name":"n"`; !strings.Contains(sent, want) || !equalJSON(t, strings.Replace(strings.Replace(sent, want+",", "", 1), want, "", 1), test.sent) {
				t.Errorf("sent %s, want %s", sent, test.sent)
			}
		})
	}
}

// equalJSON compares texts without regard to a comma that is left where an attribute was.
func equalJSON(t *testing.T, a, b string) bool {
	t.Helper()
	trim := func(s string) string { return strings.NewReplacer(",}", "}", "{,", "{").Replace(s) }
	if !json.Valid([]byte(trim(a))) {
		t.Errorf("%s is no JSON", a)
	}
	return trim(a) == trim(b)
}

// TestInvalidUTF8 shows that invalid bytes are an error, and are not replaced by a character.
func TestInvalidUTF8(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	_, err := c.Plan(dispatch.Call{Method: method(t, c, "create"), Body: map[string]any{"name": "a\xff"}})
	if e := asError(t, err); e.Code != provider.Usage || e.Message != `name: "a\xff" is not valid UTF-8` {
		t.Errorf("got %v", err)
	}
}

// TestHints shows the suggestions for an unknown attribute.
func TestHints(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	for body, hint := range map[string]string{
		`{"name": "n", "strng": 1}`:                               "known are string and others",
		`{"name": "n", "parts": [{"nte": 1}]}`:                    "known are number, given, note",
		`{"name": "n", "time": "noon"}`:                           "write it as 2026-01-31T12:00:00Z",
		`{"name": "n", "tree": {"children": [{"children_": 1}]}}`: "known are value, children",
	} {
		_, err := request{method: "create", body: body}.plan(t, c)
		if e := asError(t, err); !strings.HasPrefix(e.Hint, strings.TrimSuffix(hint, " and others")) {
			t.Errorf("%s: hint %q, want %q", body, e.Hint, hint)
		}
	}
}

// TestDeepBodies shows that a body of many levels is checked to the end.
func TestDeepBodies(t *testing.T) {
	const levels = 2000
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	body := `{"name": "n", "tree": ` + strings.Repeat(`{"children": [`, levels) + `{"value": 1}` + strings.Repeat(`]}`, levels) + `}`
	_, err := request{method: "create", body: body}.plan(t, c)
	if e := asError(t, err); len(e.Path) != 2*levels+2 || !strings.HasSuffix(e.Message, "value: 1 is not a string") {
		t.Errorf("a path of %d steps", len(e.Path))
	}
}
