package openapi_test

import (
	"fmt"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// schema reads schema S of a document that has the given components.schemas.
func schema(tb testing.TB, schemas string) *provider.Schema {
	tb.Helper()
	s, err := load(tb, folder("components:\n  schemas:\n"+schemas)).Schema("p", "s", "S")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestEverySchemaKeyword(t *testing.T) {
	equal(t, "schema", schema(t, `
    S:
      type: object
      format: f
      title: not kept
      description: d
      readOnly: true
      deprecated: true
      nullable: true
      pattern: ^a$
      x-lakeql-name-template: projects/{project_id}
      required: [z, a]
      enum: [a, 1, 1.5, true, null, 2020-01-31]
      default: {k: [1]}
      example: 7
      additionalProperties: {type: string}
      properties:
        z: {type: array, items: {type: integer, format: int64}}
        a:
        m: true
`), &provider.Schema{
		Type: "object", Format: "f", Description: "d", ReadOnly: true, Deprecated: true, Nullable: true, Pattern: "^a$",
		NameTemplate: "projects/{project_id}", Required: []string{"z", "a"},
		Enum: []any{"a", int64(1), 1.5, true, nil, "2020-01-31"}, Default: map[string]any{"k": []any{int64(1)}}, Example: int64(7),
		Additional: &provider.Schema{Type: "string"},
		Properties: []provider.Property{
			{Name: "z", Schema: &provider.Schema{Type: "array", Items: &provider.Schema{Type: "integer", Format: "int64"}}},
			{Name: "a", Schema: &provider.Schema{}},
			{Name: "m", Schema: &provider.Schema{}},
		},
	})
}

func TestSchemaForms(t *testing.T) {
	for _, test := range []struct {
		name, schemas string
		want          *provider.Schema
	}{
		{"nothing said", "    S:", &provider.Schema{}},
		{"types as a list", "    S: {type: ['null', string, integer]}", &provider.Schema{Type: "string", Nullable: true}},
		{"any further attribute", "    S: {additionalProperties: true}", &provider.Schema{Additional: &provider.Schema{}}},
		{"no further attribute", "    S: {additionalProperties: false}", &provider.Schema{}},
		{"a number that int64 cannot hold", "    S: {default: 18446744073709551616}", &provider.Schema{Default: 18446744073709551616.0}},
		{"not a number", "    S: {default: .nan}", &provider.Schema{Default: ".nan"}},

		{"a reference", "    S: {$ref: '#/components/schemas/T'}\n    T: {}", &provider.Schema{Ref: "T"}},
		{"a reference with words of its own", "    S: {$ref: '#/components/schemas/T', description: mine, readOnly: true}\n    T: {}", &provider.Schema{Ref: "T", Description: "mine", ReadOnly: true}},
		{"a reference to an escaped name", "    S: {$ref: '#/components/schemas/a~1b~0c'}\n    a/b~c: {}", &provider.Schema{Ref: "a/b~c"}},
		{"a reference to an encoded name", "    S: {$ref: '#/components/schemas/a%20b'}\n    a b: {}", &provider.Schema{Ref: "a b"}},
		{
			"a reference to a part of a schema", "    S: {$ref: '#/components/schemas/T/properties/a'}\n    T: {properties: {a: {type: string}}}",
			&provider.Schema{Type: "string"},
		},

		{
			"allOf of one reference",
			"    S: {allOf: [{$ref: '#/components/schemas/T'}], description: mine, readOnly: true, deprecated: true, x-lakeql-name-template: 'a/{b}'}\n    T: {type: string}",
			&provider.Schema{Ref: "T", Description: "mine", ReadOnly: true, Deprecated: true, NameTemplate: "a/{b}"},
		},
		{
			"allOf of one reference with more to say",
			"    S: {allOf: [{$ref: '#/components/schemas/T'}], description: mine, nullable: true}\n    T: {type: string, description: theirs}",
			&provider.Schema{Type: "string", Description: "mine", Nullable: true},
		},
		{
			"allOf of one schema", "    S: {allOf: [{type: string, description: theirs}], readOnly: true}",
			&provider.Schema{Type: "string", Description: "theirs", ReadOnly: true},
		},
		{
			"allOf of several",
			`
    S:
      properties: {own: {type: string}}
      required: [own, b]
      allOf:
        - $ref: '#/components/schemas/T'
        - type: object
          description: second
          properties: {c: {}, a: {description: again, readOnly: true}}
          required: [c, b]
    T: {allOf: [{$ref: '#/components/schemas/U'}], description: first}
    U: {type: object, description: deepest, properties: {b: {}, a: {type: integer, description: at first}}, required: [b]}
`,
			&provider.Schema{
				Type: "object", Description: "first", Required: []string{"b", "c", "own"},
				Properties: []provider.Property{
					{Name: "b", Schema: &provider.Schema{}},
					{Name: "a", Schema: &provider.Schema{Type: "integer", Description: "again", ReadOnly: true}},
					{Name: "c", Schema: &provider.Schema{}},
					{Name: "own", Schema: &provider.Schema{Type: "string"}},
				},
			},
		},
		{
			"allOf with every keyword",
			`
    S:
      allOf:
        - $ref: '#/components/schemas/T'
        - format: f
          pattern: p
          x-lakeql-name-template: a/{b}
          deprecated: true
          nullable: true
          enum: [a]
          default: d
          example: e
          items: {type: string}
          additionalProperties: {type: integer}
          properties: {a: {format: uri}}
        - {type: object}
    T: {allOf: [{$ref: '#/components/schemas/U'}], readOnly: true, deprecated: true, x-lakeql-name-template: c}
    U: {properties: {a: {type: string, description: kept}}}
`,
			&provider.Schema{
				Type: "object", Format: "f", Pattern: "p", NameTemplate: "a/{b}", ReadOnly: true, Deprecated: true, Nullable: true,
				Enum: []any{"a"}, Default: "d", Example: "e", Items: &provider.Schema{Type: "string"}, Additional: &provider.Schema{Type: "integer"},
				Properties: []provider.Property{{Name: "a", Schema: &provider.Schema{Type: "string", Format: "uri", Description: "kept"}}},
			},
		},
		{
			"allOf of a schema that stands for another",
			"    S: {allOf: [{$ref: '#/components/schemas/T'}, {}]}\n    T: {allOf: [{$ref: '#/components/schemas/U'}], deprecated: true, x-lakeql-name-template: 'a/{b}'}\n    U: {type: string}",
			&provider.Schema{Type: "string", Deprecated: true, NameTemplate: "a/{b}"},
		},
		{
			"the same schema twice in allOf", "    S: {allOf: [{$ref: '#/components/schemas/T'}, {$ref: '#/components/schemas/T'}]}\n    T: {required: [a], properties: {a: {}}}",
			&provider.Schema{Required: []string{"a"}, Properties: []provider.Property{{Name: "a", Schema: &provider.Schema{}}}},
		},
		{
			"a type that contains itself", "    S: {properties: {next: {$ref: '#/components/schemas/S'}, all: {items: {$ref: '#/components/schemas/S'}}}}",
			&provider.Schema{Properties: []provider.Property{
				{Name: "next", Schema: &provider.Schema{Ref: "S"}},
				{Name: "all", Schema: &provider.Schema{Items: &provider.Schema{Ref: "S"}}},
			}},
		},
		{
			"a type that contains itself through allOf",
			"    S: {properties: {next: {allOf: [{$ref: '#/components/schemas/S'}], nullable: true, description: the next}}}",
			&provider.Schema{Properties: []provider.Property{{Name: "next", Schema: &provider.Schema{Ref: "S", Description: "the next"}}}},
		},
	} {
		equal(t, test.name, schema(t, test.schemas), test.want)
	}
}

// TestCatalogueFollowsReferences checks that the fields beside a reference win over those of its target.
func TestCatalogueFollowsReferences(t *testing.T) {
	cat := provider.NewCatalogue(load(t, folder(`
paths: {/x: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}}}
components:
  schemas:
    A: {allOf: [{$ref: '#/components/schemas/B'}], description: a}
    B: {$ref: '#/components/schemas/C'}
    C: {type: string, description: c, required: [x]}
  x-stackQL-resources: {r: {methods: {m: {operation: {$ref: '#/paths/~1x/post'}}}}}
`)))
	m, err := cat.Method("p", "s", "r", "m")
	if err != nil {
		t.Fatal(err)
	}
	got, err := cat.Resolve(m, m.Body.Schema)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "body", got, &provider.Schema{Type: "string", Description: "a", Required: []string{"x"}})
	equal(t, "required attributes", m.Body.RequiredAttributes, []string{"x"})
}

// Aliases and allOf make short documents of enormous ones; reading them ends all the same.
func TestEnormousDocuments(t *testing.T) {
	aliases := "x0: &x0 {type: string}\n"
	merges := "m0: &m0 {k0: v}\n"
	doubles := "    D0: {type: string}\n"
	for i := 1; i < 40; i++ {
		aliases += fmt.Sprintf("x%d: &x%d {properties: {a: *x%d, b: *x%d}}\n", i, i, i-1, i-1)
		merges += fmt.Sprintf("m%d: &m%d {<<: [*m%d, *m%d], k%d: v}\n", i, i, i-1, i-1, i)
		doubles += fmt.Sprintf("    D%d: {allOf: [{$ref: '#/components/schemas/D%d'}, {$ref: '#/components/schemas/D%d'}]}\n", i, i-1, i-1)
	}
	for name, document := range map[string]string{
		"aliases":  aliases + "components: {schemas: {S: *x39}}",
		"merges":   merges + "components: {schemas: {S: *m39}}",
		"allOf":    "components:\n  schemas:\n" + doubles + "    S: {allOf: [{$ref: '#/components/schemas/D39'}, {}]}",
		"examples": aliases + "components: {schemas: {S: {default: *x39}}}",
	} {
		if _, err := load(t, folder(document)).Schema("p", "s", "S"); provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v, want that the document is too large", name, err)
		}
	}
}
