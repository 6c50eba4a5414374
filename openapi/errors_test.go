package openapi_test

import (
	"testing"
	"testing/fstest"

	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

func TestProviderErrors(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "provider.yaml:1: the document is empty"},
		{"a comment only", "# nothing\n", "provider.yaml:1: the document is empty"},
		{"not YAML", "a: b\n c: d\n", "provider.yaml:2: mapping values are not allowed in this context"},
		{"not YAML on line one", "a: [", "provider.yaml:1: did not find expected node content"},
		{"a tab", "a:\n\t- b\n", "provider.yaml:2: found character that cannot start any token"},
		{"control characters", "a: \"\x07\"\n", "provider.yaml:1: control characters are not allowed"},
		{"a list", "- a\n", "provider.yaml:1: expected a mapping, found a list"},
		{"no name", "\nid: x\n", "provider.yaml:2: the provider has no name"},
		{"a name that is a mapping", "name: {a: b}\n", "provider.yaml:1: expected text, found a mapping"},
		{"services in a list", "name: p\nproviderServices:\n  - a\n", "provider.yaml:3: expected a mapping, found a list"},
		{"a service that is text", "name: p\nproviderServices:\n  s: x\n", "provider.yaml:3: expected a mapping, found a single value"},
		{"a service without a file", "name: p\nproviderServices:\n  s:\n    id: x\n", `provider.yaml:3: service "s" has no service.$ref to a file below services/`},
		{"a file elsewhere", "name: p\nproviderServices:\n  s:\n    service:\n      $ref: other/s.yaml\n", `provider.yaml:5: service "s" has no service.$ref to a file below services/`},
		{"a folder for a file", "name: p\nproviderServices:\n  s:\n    service:\n      $ref: services/\n", `provider.yaml:5: service "s" has no service.$ref to a file below services/`},
		{"a preferred that is text", "name: p\nproviderServices:\n  s: {preferred: always, service: {$ref: services/s.yaml}}\n", "provider.yaml:3: expected true or false"},
		{"a key given twice", "name: p\nid: a\nname: q\n", `provider.yaml:3: key "name" is given twice`},
		{"a key that is a list", "name: p\n? [a]\n: b\n", "provider.yaml:2: a key is a list, not text"},
		{"a mapping that contains itself", "name: p\nproviderServices: &all\n  s: *all\n", `provider.yaml:3: service "s" has no service.$ref to a file below services/`},
	} {
		_, err := openapi.Load(fstest.MapFS{"provider.yaml": {Data: []byte(test.text)}})
		if err == nil || err.Error() != test.want || provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := openapi.Load(fstest.MapFS{}); provider.CodeOf(err) != provider.Usage {
		t.Errorf("no provider.yaml: %v", err)
	}
}

func TestServiceErrors(t *testing.T) {
	// Around a method's own lines, which begin on line 8.
	const before = "paths:\n  /x:\n    post: {}\ncomponents:\n  x-stackQL-resources:\n    r:\n      methods:\n"
	// Around an operation's own lines, which begin on line 5.
	const operation = "components: {x-stackQL-resources: {r: {methods: {m: {operation: {$ref: '#/paths/~1x/post'}}}}}}\npaths:\n  /x:\n    post:\n"
	// Around shared schemas, which begin on line 5, and are read through a body.
	const body = "components:\n  x-stackQL-resources: {r: {methods: {m: {operation: {$ref: '#/paths/~1x/post'}}}}}\n  paths-come-last:\n  schemas:\n"
	const after = "paths: {/x: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}}}}\n"
	for _, test := range []struct{ name, text, want string }{
		{"not YAML", "a: [", "services/s.yaml:1: did not find expected node content"},
		{"a list", "- a", "services/s.yaml:1: expected a mapping, found a list"},
		{"components in a list", "a: b\ncomponents:\n- c", "services/s.yaml:3: expected a mapping, found a list"},
		{"a resource that is text", "components:\n  x-stackQL-resources:\n    r: x\n", "services/s.yaml:3: expected a mapping, found a single value"},

		{"no operation", before + "        m: {}\n", `services/s.yaml:8: method "m" has no operation.$ref`},
		{"an operation in another file", before + "        m:\n          operation:\n            $ref: other.yaml#/paths/~1x/post\n", `services/s.yaml:10: reference "other.yaml#/paths/~1x/post" leads out of the document`},
		{"no pointer", before + "        m: {operation: {$ref: x}}\n", `services/s.yaml:8: reference "x" is not of the form #/…`},
		{"not an operation", before + "        m: {operation: {$ref: '#/paths/~1x'}}\n", `services/s.yaml:8: operation "#/paths/~1x" is not of the form #/paths/…/verb`},
		{"an unknown path", before + "        m: {operation: {$ref: '#/paths/~1y/post'}}\n", `services/s.yaml:8: operation "#/paths/~1y/post" is not in the document`},
		{"an unknown verb", before + "        m: {operation: {$ref: '#/paths/~1x/get'}}\n", `services/s.yaml:8: operation "#/paths/~1x/get" is not in the document`},
		{"parameters for a verb", "paths: {/x: {parameters: []}}\ncomponents: {x-stackQL-resources: {r: {methods: {m: {operation: {$ref: '#/paths/~1x/parameters'}}}}}}", `services/s.yaml:2: operation "#/paths/~1x/parameters" is not in the document`},
		{
			"an unknown method of a verb", before + "        m: {operation: {$ref: '#/paths/~1x/post'}}\n      sqlVerbs:\n        select:\n        - $ref: '#/components/x-stackQL-resources/r/methods/get'\n",
			`services/s.yaml:11: sqlVerbs.select refers to "#/components/x-stackQL-resources/r/methods/get", which is no method of the resource`,
		},
		{
			"a verb's entry without a reference", before + "        m: {operation: {$ref: '#/paths/~1x/post'}}\n      sqlVerbs:\n        select: [{}]\n",
			`services/s.yaml:10: sqlVerbs.select refers to "", which is no method of the resource`,
		},
		{"a verb's methods in a mapping", before + "        m: {operation: {$ref: '#/paths/~1x/post'}}\n      sqlVerbs: {select: {a: b}}\n", "services/s.yaml:9: expected a list, found a mapping"},
		{
			"a token in an unknown place", before + "        m:\n          operation: {$ref: '#/paths/~1x/post'}\n          config:\n            pagination:\n              requestToken: {key: a, location: cookie}\n",
			`services/s.yaml:12: requestToken.location is "cookie", not query, header, body or request`,
		},

		{"a parameter without a name", operation + "      parameters: [{in: query}]\n", "services/s.yaml:5: a parameter has no name"},
		{"a parameter in the body", operation + "      parameters:\n      - {name: a, in: body}\n", `services/s.yaml:6: parameter "a" is in "body", not in path, query, header or cookie`},
		{"required that is text", operation + "      parameters:\n      - name: a\n        in: query\n        required: 'true'\n", "services/s.yaml:8: expected true or false"},
		{"an unknown parameter", operation + "      parameters:\n      - $ref: '#/components/parameters/A'\n", `services/s.yaml:6: reference "#/components/parameters/A" leads nowhere`},
		{"a reference to itself", operation + "      parameters:\n      - &a {$ref: '#/paths/~1x/post/parameters/0'}\n", "services/s.yaml:6: a reference leads back to itself"},
		{"an unknown response", operation + "      responses: {'200': {$ref: '#/components/responses/A'}}\n", `services/s.yaml:5: reference "#/components/responses/A" leads nowhere`},
		{"a name without a template", operation + "      x-lakeql-name:\n        parameter: name\n", "services/s.yaml:6: x-lakeql-name needs parameter and template"},
		{"an operation that is a list", operation + "      - a\n", "services/s.yaml:5: expected a mapping, found a list"},

		{"an unknown schema", operation + "      parameters:\n      - {name: a, in: query, schema: {$ref: '#/components/schemas/A'}}\n", `services/s.yaml:6: reference "#/components/schemas/A" leads nowhere`},
		{"a schema in another file", operation + "      parameters:\n      - {name: a, in: query, schema: {$ref: 'a.yaml#/A'}}\n", `services/s.yaml:6: reference "a.yaml#/A" leads out of the document`},
		{"a schema that is a list", body + "    S: [a]\n" + after, "services/s.yaml:5: expected a mapping, found a list"},
		{"properties in a list", body + "    S:\n      properties:\n      - a\n" + after, "services/s.yaml:7: expected a mapping, found a list"},
		{"required that is no list", body + "    S:\n      required: true\n" + after, "services/s.yaml:6: expected a list, found a single value"},
		{"allOf that is no list", body + "    S:\n      allOf: {a: b}\n" + after, "services/s.yaml:6: expected a list, found a mapping"},
		{"allOf of itself", body + "    S:\n      allOf:\n      - $ref: '#/components/schemas/S'\n      - {}\n" + after, `services/s.yaml:7: schema "S" contains itself through allOf`},
		{
			"allOf in a circle", body + "    S: {allOf: [{$ref: '#/components/schemas/T'}, {}]}\n    T: {allOf: [{}, {$ref: '#/components/schemas/S'}]}\n" + after,
			`services/s.yaml:6: schema "S" contains itself through allOf`,
		},
		{"a place that is its own schema", operation + "      parameters:\n      - {name: a, in: query, schema: {$ref: '#/paths/~1x/post/parameters/0/schema'}}\n", "services/s.yaml:6: nested more than 500 deep, or without end"},
		{"a schema that contains itself by an alias", body + "    S: &s\n      items: *s\n" + after, "services/s.yaml:5: nested more than 500 deep, or without end"},

		{"a view without a query", "components:\n  x-stackQL-resources:\n    r:\n      config:\n        views:\n          select:\n            predicate: a\n", "services/s.yaml:7: the view has no ddl"},
		{"a view without end", "components:\n  x-stackQL-resources:\n    r:\n      config:\n        views:\n          select: &v\n            ddl: a\n            fallback: *v\n", "services/s.yaml:6: the view has more than 32 definitions, or no end of them"},
	} {
		_, err := load(t, folder(test.text)).Resource("p", "s", "r")
		if err == nil || err.Error() != test.want || provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v\nwant %s", test.name, err, test.want)
		}
	}
}

// A shared schema that stands for itself is found where it is read, not only where it is used.
func TestCircularSchemas(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"itself", "components:\n  schemas:\n    S: {$ref: '#/components/schemas/S'}\n", `services/s.yaml:3: schema "S" refers to itself`},
		{"itself through allOf", "components:\n  schemas:\n    S: {allOf: [{$ref: '#/components/schemas/S'}], description: d}\n", `services/s.yaml:3: schema "S" refers to itself`},
		{"another that stands for it", "components:\n  schemas:\n    S: {$ref: '#/components/schemas/T'}\n    T: {$ref: '#/components/schemas/S'}\n", `services/s.yaml:3: schema "S" refers to itself`},
		{"a circle that it is not in", "components:\n  schemas:\n    S: {$ref: '#/components/schemas/T'}\n    T: {$ref: '#/components/schemas/T'}\n", `services/s.yaml:3: schema "S" refers to itself`},
	} {
		_, err := load(t, folder(test.text)).Schema("p", "s", "S")
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}
