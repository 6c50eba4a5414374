package openapi_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lakeql/lakeql/openapi"
)

// TestLint finds one instance of each rule, at its place.
func TestLint(t *testing.T) {
	t.Parallel()
	const header = "name: p\nversion: v1\nproviderServices:\n  s:\n    service: {$ref: p/v1/services/s.yaml}\n" +
		"  gone:\n    service: {$ref: p/v1/services/gone.yaml}\n  bad:\n    service: {$ref: p/v1/services/bad.yaml}\n"
	const document = `paths:
  /x/{id}/{other}:
    get:
      description: |
        Gets it.

        :param id: str
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: bare, in: query}
        - {name: far, in: path, required: true, schema: {$ref: '#/components/schemas/Gone'}}
      responses: {200: {description: ''}}
components:
  schemas:
    description:
      type: object
      required: [a, b]
      properties:
        a: {type: string}
        required: {type: array, items: {type: string}}
    Part:
      allOf:
        - {required: [a], properties: {c: {type: string}}}
        - {$ref: '#/components/schemas/description'}
  x-stackQL-resources:
    r:
      methods:
        get: {operation: {$ref: '#/paths/~1x~1{id}~1{other}/get'}}
        get: {operation: {$ref: '#/paths/~1x~1{id}~1{other}/get'}}
        none: {response: {}}
        put: {operation: {$ref: '#/paths/~1x~1{id}~1{other}/put'}}
      sqlVerbs:
        select: [{$ref: '#/components/x-stackQL-resources/r/methods/list'}]
`
	got, err := openapi.Lint(fstest.MapFS{
		"provider.yaml":     {Data: []byte(header)},
		"services/s.yaml":   {Data: []byte(document)},
		"services/bad.yaml": {Data: []byte("a: b\nc: [\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, f := range got {
		places = append(places, strings.Join(strings.SplitN(f.String(), ": ", 3)[:2], " "))
	}
	want := []string{
		"provider.yaml:7:21 missing-file",
		"services/bad.yaml:2:1 syntax",
		"services/s.yaml:3:5 path-parameter",
		"services/s.yaml:4:20 docstring",
		"services/s.yaml:10:11 parameter-without-schema",
		"services/s.yaml:11:18 path-parameter",
		"services/s.yaml:11:64 unresolved-reference",
		"services/s.yaml:12:38 empty-description",
		"services/s.yaml:17:21 required-not-property",
		"services/s.yaml:26:5 resource-without-id",
		"services/s.yaml:29:9 duplicate-name",
		"services/s.yaml:30:9 method-without-operation",
		"services/s.yaml:31:9 method-without-operation",
		"services/s.yaml:31:33 unresolved-reference",
		"services/s.yaml:33:25 unknown-method",
	}
	if !slices.Equal(places, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(places, "\n"), strings.Join(want, "\n"))
	}
}

// Our own documents have nothing suspicious.
func TestLintOfOurDocuments(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"databricks_account", "databricks_workspace"} {
		found, err := openapi.Lint(os.DirFS(name + "/v00.00.00000"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			t.Errorf("%s/%s", name, f)
		}
	}
}
