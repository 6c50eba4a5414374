package openapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// resource reads resource r of the document.
func resource(tb testing.TB, document string) *provider.Resource {
	tb.Helper()
	r, err := load(tb, folder(document)).Resource("p", "s", "r")
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// method reads the only method of resource r, m, whose operation is given.
func method(tb testing.TB, operation string, more ...string) *provider.Method {
	tb.Helper()
	r := resource(tb, fmt.Sprintf("paths:\n  /x:\n    post: %s\ncomponents:\n  x-stackQL-resources:\n    r:\n      methods:\n        m: {operation: {$ref: '#/paths/~1x/post'}%s}\n",
		operation, strings.Join(more, "")))
	return r.Methods[0]
}

func TestMethodsInTheOrderOfTheirVerbs(t *testing.T) {
	r := resource(t, `
paths: {/x: {get: {operationId: o}}}
components:
  x-stackQL-resources:
    r:
      methods:
        run: {operation: {$ref: '#/paths/~1x/get'}}
        list: {operation: {$ref: '#/paths/~1x/get'}}
        get: {operation: {$ref: '#/paths/~1x/get'}}
        both: {operation: {$ref: '#/paths/~1x/get'}}
        halt: {operation: {$ref: '#/paths/~1x/get'}}
      sqlVerbs:
        replace:
          - $ref: '#/components/x-stackQL-resources/r/methods/both'
        select:
          - $ref: '#/components/x-stackQL-resources/r/methods/get'
          - $ref: '#/components/x-stackQL-resources/r/methods/list'
          - $ref: '#/components/x-stackQL-resources/r/methods/get'
        update:
          - $ref: '#/components/x-stackQL-resources/r/methods/both'
        insert: []
        delete:
`)
	var got []string
	for _, m := range r.Methods {
		got = append(got, fmt.Sprintf("%s %s", m.SQLVerb, m.FullName()))
	}
	equal(t, "methods", got, []string{
		"select p.s.r.get", "select p.s.r.list", "update p.s.r.both", "replace p.s.r.both", "exec p.s.r.run", "exec p.s.r.halt",
	})
}

func TestReferencesToMethods(t *testing.T) {
	for _, ref := range []string{
		"#/components/x-stackQL-resources/r/methods/a~1b",
		"p/v1/services/s.yaml#/components/x-stackQL-resources/r/methods/a~1b",
		"#/methods/a~1b",
		"/components/x-stackQL-resources/r/methods/a~1b",
	} {
		r := resource(t, fmt.Sprintf("paths: {/x: {get: {}}}\ncomponents:\n  x-stackQL-resources:\n    r:\n      methods: {a/b: {operation: {$ref: '#/paths/~1x/get'}}}\n      sqlVerbs: {select: [{$ref: '%s'}]}\n", ref))
		if r.Methods[0].SQLVerb != provider.Select {
			t.Errorf("%s: reached by %s", ref, r.Methods[0].SQLVerb)
		}
	}
}

func TestReferencesToOperations(t *testing.T) {
	for _, ref := range []string{
		"#/paths/~1a~0b~1{id}~1c/post",
		"#/paths/~1a~0b~1{id}~1c/POST",
		"#/paths/~1a~0b~1{id}~1c/Post",
		"#/paths/~1a~0b~1%7Bid%7D~1c/post",
	} {
		r := resource(t, fmt.Sprintf("paths:\n  /a~b/{id}/c:\n    summary: no verb\n    pOst: {operationId: found}\ncomponents:\n  x-stackQL-resources:\n    r: {methods: {m: {operation: {$ref: '%s'}}}}\n", ref))
		m := r.Methods[0]
		if m.OperationID != "found" || m.Verb != "POST" || m.Path != "/a~b/{id}/c" {
			t.Errorf("%s: %s %s %s", ref, m.Verb, m.Path, m.OperationID)
		}
	}
}

// Parts of an operation may be shared, under components or anywhere in the document.
func TestReferencesToParts(t *testing.T) {
	m := resource(t, `
paths:
  /x:
    $ref: '#/components/pathItems/X'
components:
  pathItems:
    X:
      parameters:
        - $ref: '#/components/parameters/A'
        - {name: b, in: query, description: of the path}
      post:
        $ref: '#/x-operations/1'
  parameters:
    A: {$ref: '#/components/parameters/B'}
    B: {name: a, in: query, required: true, schema: {$ref: '#/components/schemas/S'}}
  requestBodies:
    Body: {content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}
  responses:
    OK: {description: fine, content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}
  schemas:
    S: {type: object, required: [z, a]}
  x-stackQL-resources:
    r: {methods: {m: {operation: {$ref: '#/paths/~1x/post'}}}}
x-operations:
  - {}
  - operationId: o
    parameters: [{name: b, in: query, description: of the operation}, {name: c, in: header}]
    requestBody: {$ref: '#/components/requestBodies/Body'}
    responses: {200: {$ref: '#/components/responses/OK'}}
`).Methods[0]
	equal(t, "parameters", m.Params, []provider.Parameter{
		{Name: "a", In: provider.InQuery, Required: true, Shared: true, Schema: &provider.Schema{Ref: "S"}},
		{Name: "b", In: provider.InQuery, Description: "of the operation"},
		{Name: "c", In: provider.InHeader},
	})
	equal(t, "body", m.Body, &provider.Body{MediaType: "application/json", Schema: &provider.Schema{Ref: "S"}, RequiredAttributes: []string{"z", "a"}})
	equal(t, "response", m.Response, &provider.Response{Description: "fine", MediaType: "application/json", Schema: &provider.Schema{Ref: "S"}})
}

func TestParameter(t *testing.T) {
	m := method(t, `
      parameters:
        - {name: path, in: path, description: d, deprecated: true, x-lakeql-multi-segment: true, schema: {type: string}}
        - {name: n, in: query, example: 50}
        - {name: list, in: query, example: [a, 1, {b: true}]}
        - {name: object, in: query, example: {z: "<", a: [1.5, null]}}
        - {name: json, in: query, content: {application/json: {schema: {type: object}}}}
        - {name: c, in: cookie}
`)
	equal(t, "parameters", m.Params, []provider.Parameter{
		{Name: "path", In: provider.InPath, Required: true, Deprecated: true, Description: "d", MultiSegment: true, Schema: &provider.Schema{Type: "string"}},
		{Name: "n", In: provider.InQuery, Example: "50"},
		{Name: "list", In: provider.InQuery, Example: `[a, 1, {"b":true}]`},
		{Name: "object", In: provider.InQuery, Example: `{"z":"<","a":[1.5,null]}`},
		{Name: "json", In: provider.InQuery, Schema: &provider.Schema{Type: "object"}},
		{Name: "c", In: "cookie"},
	})
}

func TestOperation(t *testing.T) {
	m := method(t, `
      operationId: o
      description: |
        Does it.
      deprecated: true
      x-lakeql-name: {parameter: name, template: 'projects/{project_id}'}
`)
	equal(t, "method", m, &provider.Method{
		Resource: "p.s.r", Name: "m", SQLVerb: provider.Exec, OperationID: "o", Description: "Does it.\n", Deprecated: true,
		Verb: "POST", Path: "/x", NameParam: &provider.NameParam{Name: "name", Template: "projects/{project_id}"},
	})
}

func TestServersOfTheNearestPlace(t *testing.T) {
	const variable = "{url: 'https://{v}', variables: {v: {description: d, enum: [a, b], default: a, x-more: {k: '1'}}, w: {default: 443}}}"
	want := []provider.Server{{URL: "https://{v}", Variables: []provider.Variable{
		{Name: "v", Description: "d", Default: "a", Notes: []provider.Note{{Key: "enum", Value: "[a, b]"}, {Key: "default", Value: "a"}, {Key: "x-more", Value: `{"k":"1"}`}}},
		{Name: "w", Default: "443", Notes: []provider.Note{{Key: "default", Value: "443"}}},
	}}}
	for name, places := range map[string][3]string{
		"operation": {variable, "{url: path}", "{url: document}"},
		"path":      {"", variable, "{url: document}"},
		"document":  {"", "", variable},
	} {
		r := resource(t, fmt.Sprintf("servers: [%s]\npaths:\n  /x:\n    servers: [%s]\n    get:\n      servers: [%s]\n"+
			"components: {x-stackQL-resources: {r: {methods: {m: {operation: {$ref: '#/paths/~1x/get'}}}}}}", places[2], places[1], places[0]))
		equal(t, name, r.Methods[0].Servers, want)
	}
}

func TestResponseThatTheMethodNames(t *testing.T) {
	const operation = `
      responses:
        default: {description: error}
        '404': {description: not found}
        '202': {description: accepted, content: {text/plain: {schema: {type: string}}, application/json; charset=utf-8: {schema: {type: object}}}}
        '200': {description: done, content: {text/csv: {schema: {type: integer}}}}
`
	for config, want := range map[string]*provider.Response{
		"": {Description: "accepted", MediaType: "application/json; charset=utf-8", Schema: &provider.Schema{Type: "object"}},
		", response: {openAPIDocKey: 202, mediaType: application/json}": {Description: "accepted", MediaType: "application/json; charset=utf-8", Schema: &provider.Schema{Type: "object"}},
		", response: {mediaType: text/plain, objectKey: $.rows}":        {Description: "accepted", MediaType: "text/plain", Schema: &provider.Schema{Type: "string"}, ObjectKey: "$.rows"},
		", response: {mediaType: text/xml}":                             {Description: "accepted", MediaType: "text/xml"},
		", response: {openAPIDocKey: '200'}":                            {Description: "done", MediaType: "text/csv", Schema: &provider.Schema{Type: "integer"}},
		", response: {openAPIDocKey: default}":                          {Description: "error"},
		", response: {openAPIDocKey: '201'}":                            nil,
	} {
		equal(t, config, method(t, operation, config).Response, want)
	}
	equal(t, "no responses", method(t, "{}").Response, (*provider.Response)(nil))
}

func TestBodyInTheMediaTypeThatTheMethodNames(t *testing.T) {
	const operation = `
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded: {schema: {type: string}}
          application/json: {schema: {type: object, required: [b, a]}}
`
	for config, want := range map[string]*provider.Body{
		"": {MediaType: "application/json", Required: true, Schema: &provider.Schema{Type: "object", Required: []string{"b", "a"}}, RequiredAttributes: []string{"b", "a"}},
		", request: {mediaType: application/x-www-form-urlencoded}": {MediaType: "application/x-www-form-urlencoded", Required: true, Schema: &provider.Schema{Type: "string"}},
	} {
		equal(t, config, method(t, operation, config).Body, want)
	}
	equal(t, "no body", method(t, "{}").Body, (*provider.Body)(nil))
}

func TestPagingOfTheNearestPlace(t *testing.T) {
	const one = "{requestToken: {key: a, location: query}, responseToken: {key: $.next.token, location: body}}"
	const two = "{requestToken: {key: $.page.token, location: body}, responseToken: {key: t}}"
	first := &provider.Paging{RequestToken: "a", RequestIn: provider.InQuery, ResponseToken: "next.token"}
	second := &provider.Paging{RequestToken: "page.token", ResponseToken: "t"}
	for name, test := range map[string]struct {
		method, resource, service string
		want                      *provider.Paging
	}{
		"method":            {one, two, two, first},
		"resource":          {"", two, one, second},
		"service":           {"", "", one, first},
		"nowhere":           {"", "", "", nil},
		"none for a method": {"{}", two, two, nil},
		"in a header":       {"{requestToken: {key: p, location: header}, responseToken: {key: t}}", "", "", &provider.Paging{RequestToken: "p", RequestIn: provider.InHeader, ResponseToken: "t"}},
		"a Link header":     {"{requestToken: {key: p, location: query}, responseToken: {key: Link, location: header}}", two, "", nil},
	} {
		r := resource(t, fmt.Sprintf("paths: {/x: {get: {}}}\nx-stackQL-config: {pagination: %s}\n"+
			"components: {x-stackQL-resources: {r: {config: {pagination: %s}, methods: {m: {operation: {$ref: '#/paths/~1x/get'}, config: {pagination: %s}}}}}}",
			test.service, test.resource, test.method))
		equal(t, name, r.Methods[0].Paging, test.want)
	}
}

func TestView(t *testing.T) {
	r := resource(t, `
components:
  x-stackQL-resources:
    r:
      id: p.s.r
      title: T
      description: D
      config:
        docs:
          fields: [{name: b, type: string, description: B}, {name: a}]
          requiredParams: [{name: q, type: integer, description: Q}]
        views:
          select:
            predicate: sqlDialect == "sqlite3"
            ddl: SELECT 1
            fallback:
              predicate: sqlDialect == 'postgres' && requiredParams == [ id ]
              ddl: SELECT 2
              fallback: {ddl: SELECT 3, predicate: 'requiredParams == [ id ]'}
`)
	equal(t, "resource", r, &provider.Resource{
		Provider: "p", Service: "s", Name: "r", ID: "p.s.r", Title: "T", Description: "D",
		View: &provider.View{
			Definitions:    []provider.ViewDefinition{{Dialect: "sqlite3", SQL: "SELECT 1"}, {Dialect: "postgres", SQL: "SELECT 2"}, {SQL: "SELECT 3"}},
			Fields:         []provider.ViewField{{Name: "b", Type: "string", Description: "B"}, {Name: "a"}},
			RequiredParams: []provider.ViewField{{Name: "q", Type: "integer", Description: "Q"}},
		},
	})
}

// TestMergedEntriesAreReplaced checks that a mapping's entries win over merged ones, wherever the merge
// key stands.
func TestMergedEntriesAreReplaced(t *testing.T) {
	r := resource(t, `
x-base: &base {id: base, title: base, description: base}
components:
  x-stackQL-resources:
    r: {title: before, <<: *base, id: after}
`)
	equal(t, "resource", r, &provider.Resource{Provider: "p", Service: "s", Name: "r", ID: "after", Title: "before", Description: "base"})
}

func TestMergeKeysAndAliases(t *testing.T) {
	s, err := load(t, folder(`
x-base: &base {type: object, description: base, readOnly: true}
x-more: &more {description: more, format: f}
components:
  schemas:
    S:
      <<: [*base, *more]
      readOnly: false
      items: &text {type: string}
      additionalProperties: *text
`)).Schema("p", "s", "S")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "schema", s, &provider.Schema{
		Type: "object", Description: "base", Format: "f",
		Items: &provider.Schema{Type: "string"}, Additional: &provider.Schema{Type: "string"},
	})
}
