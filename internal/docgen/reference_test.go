package docgen_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/docgen"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// TestReferencePages writes the pages of a provider that has one instance of each kind in which StackQL's
// generator does something that ours does better. The golden pages, but for the provider's own, are the bytes that
// generator writes.
func TestReferencePages(t *testing.T) {
	t.Parallel()
	folder := os.DirFS("testdata/depot")
	all := pagesWith(t, folder, docgen.Options{Reference: true, Folder: folder})
	golden(t, "testdata/golden/depot", all)
	crates, loops := all["services/crate_yard/crates/index.md"], all["services/loops/loops/index.md"]
	for _, want := range []string{
		"data__weight,\n", "'{{ mark }}'",
		"AND why = '{{ why}}'",
		"$.since = '{{ $.since }}'",
		"\nimport one crate.<br />Braces &#123;a&#125;&#95;&#123;b&#125;, <code>code</code>, close, <br />, <br />, <p>open, &lt;b&gt;bold&lt;/b&gt;, `<in> &#123;ticks&#125;`",
		"Crates with {braces} and <tags>, as they are.",
		"default: 16\n", "default: [object Object]\n", "default: a,b\n", "default: 1e+21\n", "valid_values: ['box', '1', '']",
		"(default: 1000)", `x-more: &#123;"a":1,"b":[true,null]&#125;`,
		"SELECT\n9,\n10,\nname,\na_id,\nb_id,\ncrate_name,\nZone,\nbase,\nfrom,", // array indexes first, then by code units
		`"description": "Words beside a reference win at first."`,
	} {
		if !strings.Contains(crates, want) {
			t.Errorf("the page of crates has no %q", want)
		}
	}
	for _, lost := range []string{"Lost", "lost later on", `"lost"`, "hidden", "$.trace", "no_schema"} {
		if strings.Contains(crates, lost) {
			t.Errorf("the page of crates has %q, which StackQL's generator loses", lost)
		}
	}
	if !strings.Contains(loops, "\"name\": \"merged\",\n    \"type\": \"object\",\n    \"description\": \"\"\n") || strings.Contains(loops, "lost") {
		t.Error("allOf is flattened in a document whose schemas go in a circle")
	}
}

// The page that was published for postgres_credentials comes out the same in the reference's form, from the
// documents and from the catalogue.
func TestReferencePostgresCredentialsPage(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/golden/postgres_credentials.index.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, folder := range map[string]fs.FS{"catalogue": nil, "documents": os.DirFS("../../openapi/databricks_workspace/v00.00.00000")} {
		var got string
		err := docgen.Generate(testworld.Catalogue(t), "databricks_workspace", docgen.Options{Reference: true, Folder: folder}, func(path string, page []byte) error {
			if path == "services/postgres/postgres_credentials/index.md" {
				got = string(page)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		differ(t, name, got, string(want))
	}
}

// Without documents, pages in the reference's form are made from the catalogue. They are those made from the
// documents, where StackQL's generator loses nothing of them.
func TestReferencePagesOfCatalogue(t *testing.T) {
	t.Parallel()
	folder := service(`
servers: [{url: 'https://{host}', variables: {host: {description: The host., default: a}}}]
paths:
  /things:
    get:
      description: Lists {all} things.
      parameters: [{name: most, in: query, description: "How many\nthings.", schema: {type: integer, format: int64}}]
      responses: {'200': {description: Things., content: {application/json: {schema: {type: object, properties: {things: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}}}}}
    post:
      description: Makes a thing.
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewThing'}}}}
      responses: {'200': {description: OK, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}}
  /things/{id}:
    patch:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}, {name: dry, in: query, schema: {type: boolean}}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewThing'}}}}
    delete:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
  /things/{id}/turn:
    post:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewThing'}}}}
      responses: {'200': {description: Turned.}}
components:
  schemas:
    NewThing: {type: object, required: [size], properties: {size: {type: number, description: Its size.}, kind: {type: string, enum: [a, b], default: a}}}
    Thing:
      type: object
      description: A thing.
      properties:
        size: {type: number, format: double}
        id: {type: string, description: Its <id>.}
        parts: {type: array, items: {type: object, properties: {part_id: {type: string}}}}
  x-stackQL-resources:
    things:
      id: p.s.things
      methods:
        list: {operation: {$ref: '#/paths/~1things/get'}, response: {mediaType: application/json, openAPIDocKey: '200', objectKey: $.things}}
        make: {operation: {$ref: '#/paths/~1things/post'}, response: {mediaType: application/json, openAPIDocKey: '200'}}
        change: {operation: {$ref: '#/paths/~1things~1{id}/patch'}, response: {}}
        remove: {operation: {$ref: '#/paths/~1things~1{id}/delete'}, response: {}}
        turn: {operation: {$ref: '#/paths/~1things~1{id}~1turn/post'}, response: {}}
      sqlVerbs:
        select: [{$ref: '#/components/x-stackQL-resources/things/methods/list'}]
        insert: [{$ref: '#/components/x-stackQL-resources/things/methods/make'}]
        update: [{$ref: '#/components/x-stackQL-resources/things/methods/change'}]
        delete: [{$ref: '#/components/x-stackQL-resources/things/methods/remove'}]
    vw_things: {id: p.s.vw_things, config: {views: {select: {predicate: sqlDialect == "sqlite3", ddl: "SELECT 1\n"}}}}
`)
	read := pagesWith(t, folder, docgen.Options{Reference: true, Folder: folder})
	made := pagesWith(t, folder, docgen.Options{Reference: true})
	if len(made) != len(read) || !strings.Contains(read["services/s/things/index.md"], "data__size = {{ size }}") {
		t.Errorf("%d pages, want %d with a statement of UPDATE", len(made), len(read))
	}
	for path, page := range read {
		differ(t, path, made[path], page)
	}
}

// A short document can describe more fields than there is room for.
func TestReferenceFieldsHaveALimit(t *testing.T) {
	t.Parallel()
	var properties strings.Builder
	for i := range 200 {
		properties.WriteString("        a" + strings.Repeat("x", i) + ": {$ref: '#/components/schemas/N'}\n")
	}
	folder := service("paths:\n  /x:\n    get:\n      responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/N'}}}}}\n" +
		"components:\n  schemas:\n    N:\n      type: object\n      properties:\n" + properties.String() +
		"  x-stackQL-resources:\n    r:\n      id: p.s.r\n" +
		"      methods: {m: {operation: {$ref: '#/paths/~1x/get'}, response: {mediaType: application/json, openAPIDocKey: '200'}}}\n" +
		"      sqlVerbs: {select: [{$ref: '#/components/x-stackQL-resources/r/methods/m'}]}\n")
	err := docgen.Generate(testworld.Catalogue(t), "databricks_workspace", docgen.Options{Reference: true, Folder: folder}, func(string, []byte) error { return nil })
	if provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), "1000000 fields") {
		t.Errorf("error %v, want one about the number of fields", err)
	}
}
