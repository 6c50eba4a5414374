package openapi_test

import (
	"bytes"
	"strings"
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

// Whatever the bytes of a compiled catalogue are, reading each part of it ends, with the part or an error.
func FuzzOpenCompiled(f *testing.F) {
	docs := load(f, folder("paths: {/x: {get: {operationId: x, responses: {200: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}}}}}\n"+
		"components: {schemas: {S: {type: object, properties: {a: {type: string}}}}, x-stackQL-resources: {r: {id: p.s.r, name: r, methods: {m: {operation: {$ref: '#/paths/~1x/get'}, response: {mediaType: application/json, openAPIDocKey: '200'}}}, sqlVerbs: {select: [{$ref: '#/components/x-stackQL-resources/r/methods/m'}]}}}}"))
	var compiled bytes.Buffer
	if err := openapi.Compile(docs, &compiled); err != nil {
		f.Fatal(err)
	}
	f.Add(compiled.Bytes())
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := openapi.OpenCompiled(data)
		if err != nil {
			return
		}
		catalogue := provider.NewCatalogue(c)
		providers, err := c.Providers()
		if err != nil {
			return
		}
		for _, p := range providers {
			for _, listed := range p.Services {
				service, err := catalogue.Service(p.Name, listed.Name)
				if err != nil {
					continue
				}
				for _, r := range service.Resources {
					_, _ = catalogue.Resource(p.Name, listed.Name, r.Name)
				}
				_, _ = c.Schema(p.Name, listed.Name, "S")
			}
		}
	})
}
