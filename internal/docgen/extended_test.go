package docgen_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/docgen"
)

// extendedPage returns the extended page of a resource with one method, m.
func extendedPage(t *testing.T, verb, operation string) string {
	t.Helper()
	verbs := ""
	if verb != "" {
		verbs = fmt.Sprintf("      sqlVerbs: {%s: [{$ref: '#/components/x-stackQL-resources/r/methods/m'}]}\n", verb)
	}
	folder := service(fmt.Sprintf("paths:\n  /x:\n    post: %s\n"+
		"components:\n  x-stackQL-resources:\n    r:\n      id: p.s.r\n"+
		"      methods: {m: {operation: {$ref: '#/paths/~1x/post'}}}\n%s", operation, verbs))
	return pagesWith(t, folder, docgen.Options{Extended: true})["services/s/r/index.md"]
}

// body is an operation that takes a request body of a schema and has the parameter q.
func body(schema string) string {
	return "{parameters: [{name: q, in: query, required: true}], requestBody: {content: {application/json: {schema: " + schema + "}}}}"
}

func TestExtendedStatements(t *testing.T) {
	for _, test := range []struct{ name, verb, heading, operation, want string }{
		{
			"select with typed values and names that need quotes", "select", "`SELECT` examples",
			"{parameters: [{name: limit, in: query, required: true, schema: {type: integer}}, {name: a.b, in: query, schema: {type: boolean}}], responses: {'200': {content: {application/json: {schema: {properties: {order: {}, Group: {}, x-y: {}}}}}}}}",
			"SELECT\n\"Group\",\n\"order\",\n\"x-y\"\nFROM p.s.r\nWHERE \"limit\" = {{ limit }} -- required\nAND \"a.b\" = {{ a.b }}\n;",
		},
		{
			"select without parameters or fields", "select", "`SELECT` examples", "{}",
			"SELECT\n*\nFROM p.s.r\n;",
		},
		{
			"what is deprecated is left out, unless it is required", "select", "`SELECT` examples",
			"{parameters: [{name: a, in: query, required: true, deprecated: true}, {name: b, in: query, deprecated: true}, {name: c, in: query}]}",
			"SELECT\n*\nFROM p.s.r\nWHERE a = '{{ a }}' -- required\nAND c = '{{ c }}'\n;",
		},
		{
			"delete with a body", "delete", "`DELETE` examples",
			body("{required: [id], properties: {all: {type: boolean}, id: {type: integer}}}"),
			"DELETE FROM p.s.r\nWHERE q = '{{ q }}' -- required\nAND id = {{ id }} -- required\nAND \"all\" = {{ all }}\n;",
		},
		{
			"insert of an attribute with a parameter's name", "insert", "`INSERT` examples",
			body("{required: [q], properties: {q: {type: string}, a: {type: array}}}"),
			"INSERT INTO p.s.r (\nq,\na\n)\nSELECT\n'{{ q }}' /* required */,\n'{{ a }}'\n;",
		},
		{
			"insert of nothing", "insert", "`INSERT` examples", "{}",
			"EXEC p.s.r.m\n;",
		},
		{
			"update", "update", "`UPDATE` examples",
			body("{required: [a], properties: {a: {type: number}, b: {type: object}, q: {type: string}, old: {type: string, deprecated: true}}}"),
			"UPDATE p.s.r\nSET\na = {{ a }} /* required */,\nb = '{{ b }}'\nWHERE q = '{{ q }}' -- required\n;",
		},
		{
			"replace without a body", "replace", "`REPLACE` examples",
			"{parameters: [{name: q, in: query, required: true, schema: {type: boolean}}]}",
			"EXEC p.s.r.m\n@q={{ q }} --required\n;",
		},
		{
			"exec", "", "Lifecycle Methods",
			body("{properties: {s: {type: string}, n: {type: number}, l: {type: array}, o: {type: object}, any: {}}}"),
			"EXEC p.s.r.m\n@q='{{ q }}' --required,\n@@json=\n'{\n\"s\": \"{{ s }}\",\n\"n\": {{ n }},\n\"l\": {{ l }},\n\"o\": {{ o }},\n\"any\": {{ any }}\n}'\n;",
		},
		{
			"exec of a map", "", "Lifecycle Methods", body("{type: object, additionalProperties: {type: string}}"),
			"EXEC p.s.r.m\n@q='{{ q }}' --required,\n@@json='{{ body }}'\n;",
		},
		{
			"exec of a stream", "", "Lifecycle Methods", body("{type: string}"),
			"EXEC p.s.r.m\n@q='{{ q }}' --required,\n@@json='\"{{ body }}\"'\n;",
		},
		{
			"exec of an empty object", "", "Lifecycle Methods", body("{type: object}"),
			"EXEC p.s.r.m\n@q='{{ q }}' --required\n;",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			page := extendedPage(t, test.verb, test.operation)
			differ(t, "statement", statement(t, page, test.heading, "m"), test.want)
		})
	}
}

// TestShapes shows that the shape of each JSON value appears below the statement.
func TestShapes(t *testing.T) {
	for _, test := range []struct{ name, schema, want string }{
		{"a choice", "{properties: {a: {type: string, enum: [X, Y]}, b: {type: string}}}", `{"a": "X | Y"}`},
		{"a list of objects", "{properties: {a: {type: array, items: {properties: {n: {type: integer, format: int64}, on: {type: boolean}}, type: object}}}}", `{"a": [{"n": "integer (int64)", "on": "boolean"}]}`},
		{"a map", "{properties: {a: {type: object, additionalProperties: {type: array, items: {type: string}}}}}", `{"a": {"…": ["string"]}}`},
		{"any object, any list", "{properties: {a: {type: object}, b: {type: array}}}", `{"a": {"…": "any"}, "b": ["any"]}`},
		{"what the server sets", "{properties: {a: {type: object, properties: {b: {readOnly: true}, c: {type: string}}}}}", `{"a": {"c": "string"}}`},
		{"a map as the body", "{type: object, additionalProperties: {type: string}}", `{"…": "string"}`},
		{
			"what is wider than a line", "{properties: {a: {type: object, properties: {a_name_of_some_length: {type: string, enum: [AND_VALUES_THAT_ARE_LONG, AS_VALUES_OF_APIS_ARE]}, b: {type: array, items: {type: string}}}}}}",
			"{\n  \"a\": {\n    \"a_name_of_some_length\": \"AND_VALUES_THAT_ARE_LONG | AS_VALUES_OF_APIS_ARE\",\n    \"b\": [\"string\"]\n  }\n}",
		},
		{
			"what lies deep", "{properties: {a: {type: object, properties: {b: {type: object, properties: {c: {type: object, properties: {d: {type: object, properties: {e: {type: object}}}}}}}}}}}",
			`{"a": {"b": {"c": {"d": {"e": "object"}}}}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, shapes, _ := strings.Cut(extendedPage(t, "", body(test.schema)), "```json\n")
			shapes, _, _ = strings.Cut(shapes, "\n```")
			differ(t, "shapes", shapes, test.want)
		})
	}
}

func TestWhatComesBack(t *testing.T) {
	response := func(rest string) string { return "{responses: {'200': {" + rest + "}}}" }
	for _, test := range []struct{ name, operation, want string }{
		{"nothing", "{}", "\nNothing comes back but that it is done.\n"},
		{"an empty object", response("content: {application/json: {schema: {type: object}}}"), "\nNothing comes back but that it is done.\n"},
		{"fields", response("description: The new one., content: {application/json: {schema: {type: object, properties: {a: {type: string, enum: [X]}}}}}"), "\nWhat comes back: The new one.\n\n<SchemaTable fields={[\n  {\n    \"name\": \"a\",\n    \"type\": \"string\",\n    \"description\": \"One of X.\"\n  }\n]} />\n"},
		{"a list of texts", response("content: {application/json: {schema: {type: array, items: {type: string}}}}"), "\"name\": \"m\",\n    \"type\": \"string\""},
		{"a stream", response("content: {text/csv: {schema: {type: string}}}"), "\"name\": \"contents_encoding\""},
	} {
		if page := extendedPage(t, "", test.operation); !strings.Contains(page, test.want) {
			t.Errorf("%s: the page does not have\n%s\n%s", test.name, test.want, page)
		}
	}
}
