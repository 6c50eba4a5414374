package openapi_test

import (
	"testing"

	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// FuzzLoad checks that reading a document always ends, and that each fault is a usage error with file
// and line.
func FuzzLoad(f *testing.F) {
	// Our own documents are too long to be mutated fast.
	f.Add(header, "servers: [{url: 'https://{a}', variables: {a: {default: b, enum: [b]}}}]\nx-stackQL-config: {pagination: {requestToken: {key: a, location: query}, responseToken: {key: $.b}}}\n"+
		"paths: {/x/{y}: {post: {x-lakeql-name: {parameter: a, template: b}, requestBody: {content: {application/json: {schema: {required: [a], properties: {a: {type: [string, 'null'], enum: [1, 2.5], default: {b: c}}}}}}}}}}\n"+
		"components: {x-stackQL-resources: {r: {methods: {m: {operation: {$ref: '#/paths/~1x~1%7By%7D/POST'}}}}}}")
	f.Add(header, "components: {schemas: {S: &s {allOf: [*s, {$ref: '#/components/schemas/S'}]}}}")
	f.Add(header, "paths: {/x: {parameters: [{name: a, in: path}], get: {responses: {200: {content: {a/b: {schema: {items: {$ref: '#/paths'}}}}}}}}}\n"+
		"components: {x-stackQL-resources: {r: {methods: {m: {operation: {$ref: '#/paths/~1x/get'}}}, sqlVerbs: {select: [{$ref: '#/methods/m'}]}}}}")
	f.Add(header, "a: &a {<<: [*a, {b: *a}]}\ncomponents: *a")
	f.Add(header, "components: {x-stackQL-resources: {r: {config: {views: {select: {ddl: a, fallback: {ddl: b}}}, docs: {fields: [{name: a}]}}}}}")
	f.Add("name: p\nproviderServices: &s {s: *s}", "")
	f.Fuzz(func(t *testing.T, header, document string) {
		fsys := folder(document)
		fsys["provider.yaml"].Data = []byte(header)
		docs, err := openapi.Load(fsys)
		if err != nil {
			if provider.CodeOf(err) != provider.Usage {
				t.Errorf("%v has code %d", err, provider.CodeOf(err))
			}
			return
		}
		_ = docs.Check() // must only come to an end: a broken document is no fault of ours
	})
}
