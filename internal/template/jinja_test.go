package template_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/template"
)

// TestJinja shows what the filters of Jinja make of values, and which placeholders stay as they are.
func TestJinja(t *testing.T) {
	t.Parallel()
	values := map[string]any{
		"name": "Fleet two", "n": json.Number("7"), "list": []any{"b", "a", "b"}, "text": `["x","y'z"]`, "object": `{"a": [1, 2]}`, "flag": true, "empty": "", "braces": "{{ x }}",
	}
	for text, want := range map[string]string{
		"'{{ name | upper }}'":                                                         "'FLEET TWO'",
		"{{name|lower}}":                                                               "fleet two",
		"{{ .name | replace(' ', '-') | lower }}":                                      "fleet-two",
		`{{ name | replace("Fleet", "") | trim | capitalize }}`:                        "Two",
		"{{ name | title }} {{ name | length }}":                                       "Fleet Two 9",
		"{{ missing | default('x') }} {{ n | default(1) }}":                            "x 7",
		"{{ empty | default('x') }}{{ empty | default('x', true) }}":                   "x",
		"{{ list | join(', ') }} {{ list | first }} {{ list | unique | sort | last }}": "b, a, b b b",
		"{{ text | from_json | sql_list }}":                                            "('x','y''z')",
		"{{ object | from_json | to_json }}":                                           `{"a":[1,2]}`,
		"{{ n | int }} {{ '1' }} {{ name | b64encode }}":                               "7 1 RmxlZXQgdHdv",
		"{{ name | split(' ') | last }}":                                               "two",
		"{{ braces | upper }}":                                                         "{{ X }}",
		"{{ flag | string }}":                                                          "true",
		"{{ text | sql_escape }}":                                                      `["x","y''z"]`,
	} {
		functions := template.Functions{}
		got, err := template.Jinja(text, values, functions, template.Limits{Size: 1000, Steps: 100})
		if err == nil {
			got = strings.ReplaceAll(got, "{{ '1' }}", `{{ "1" }}`)
			got, err = template.Fill(t.Context(), "statement", got, functions, values, template.Limits{Size: 1000, Steps: 100})
		}
		if err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"{{ name | nope }}", "{{ missing | upper }}", "{{ name | replace(a(b)) }}", "{{ name }}", "{{ .name | quote }}", "{% if a %}"} {
		if got, err := template.Jinja(text, values, template.Functions{"quote": nil}, template.Limits{Size: 1000}); err != nil || got != text {
			t.Errorf("%s becomes %s, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"SELECT {{ name | from_json }}": "column 8: fill in the statement: the filter from_json: the value is no JSON",
		"{{ name | replace('a') }}":     "it takes two texts",
		"{{ name | int }}":              "the value is no number",
		"{{ name | replace('', '0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789') }}": "the text becomes too long",
	} {
		if _, err := template.Jinja(text, values, template.Functions{}, template.Limits{Size: 500}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
