package docgen_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lakeql/lakeql/internal/docgen"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

// pages generates all pages of the provider in a folder as StackQL's own generator does.
func pages(tb testing.TB, folder fs.FS) map[string]string {
	tb.Helper()
	return pagesWith(tb, folder, docgen.Options{})
}

func pagesWith(tb testing.TB, folder fs.FS, opts docgen.Options) map[string]string {
	tb.Helper()
	docs, err := openapi.Load(folder)
	if err != nil {
		tb.Fatal(err)
	}
	all, err := docs.Providers()
	if err != nil {
		tb.Fatal(err)
	}
	written := map[string]string{}
	err = docgen.Generate(provider.NewCatalogue(docs), all[0].Name, opts, func(path string, page []byte) error {
		if _, twice := written[path]; twice {
			tb.Errorf("%s is written twice", path)
		}
		written[path] = string(page)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return written
}

// service makes a provider folder of one service document.
func service(document string) fstest.MapFS {
	return fstest.MapFS{
		"provider.yaml": {Data: []byte("name: p\nversion: v1\nproviderServices:\n  s:\n    service: {$ref: p/v1/services/s.yaml}\n")},

		"services/s.yaml": {Data: []byte(document)},
	}
}

// differ reports the first difference of two texts.
func differ(tb testing.TB, name, got, want string) {
	tb.Helper()
	if got == want {
		return
	}
	gotLines, wantLines := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		var g, w string
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if g != w {
			tb.Errorf("%s: line %d is\n%q\nwant\n%q", name, i+1, g, w)
			return
		}
	}
}

// The page that was published for postgres_credentials has to come out of our documents byte for
// byte.
func TestPostgresCredentialsPage(t *testing.T) {
	want, err := os.ReadFile("testdata/golden/postgres_credentials.index.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, extended := range []bool{false, true} {
		got := pagesWith(t, os.DirFS("../../openapi/databricks_workspace/v00.00.00000"), docgen.Options{Extended: extended})
		differ(t, "postgres_credentials", got["services/postgres/postgres_credentials/index.md"], string(want))
	}
}

// The shop's documents have something of everything. Its golden pages were read line by line
// against the rules; -update writes them anew.
func TestShopPages(t *testing.T) {
	golden(t, "testdata/golden/shop", pages(t, os.DirFS("testdata/shop")))
}

func TestExtendedShopPages(t *testing.T) {
	golden(t, "testdata/golden/extended", pagesWith(t, os.DirFS("testdata/shop"), docgen.Options{Extended: true}))
}

// golden compares pages with those in a folder.
func golden(t *testing.T, folder string, got map[string]string) {
	t.Helper()
	if *update {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		for path, page := range got {
			file := filepath.Join(folder, path)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := 0
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		want++
		page, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		path, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		differ(t, path, got[path], string(page))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != want {
		t.Errorf("%d pages, want %d", len(got), want)
	}
}

func TestSamePagesEveryTime(t *testing.T) {
	first := pages(t, os.DirFS("testdata/shop"))
	for range 3 {
		for path, page := range pages(t, os.DirFS("testdata/shop")) {
			differ(t, path, page, first[path])
		}
	}
}

// statement returns the SQL of a page's method.
func statement(t *testing.T, page, heading, method string) string {
	t.Helper()
	_, section, ok := strings.Cut(page, "## "+heading+"\n")
	if !ok {
		t.Fatalf("the page has no section %s:\n%s", heading, page)
	}
	_, tab, ok := strings.Cut(section, "<TabItem value=\""+method+"\">")
	if !ok {
		t.Fatalf("section %s has no tab %s", heading, method)
	}
	_, sql, _ := strings.Cut(tab, "```sql\n")
	sql, _, _ = strings.Cut(sql, "\n```")
	return sql
}

func TestStatements(t *testing.T) {
	for _, test := range []struct {
		name, verb, heading string
		operation           string // YAML, below the path item's verb
		want                string
	}{
		{
			name: "select without parameters or fields", verb: "select", heading: "`SELECT` examples",
			operation: "{}",
			want:      "SELECT\n*\nFROM p.s.r\n;",
		},
		{
			name: "select of what the response itself holds", verb: "select", heading: "`SELECT` examples",
			operation: "{responses: {'200': {content: {application/json: {schema: {properties: {b: {}, id: {}, a_id: {}}}}}}}}",
			want:      "SELECT\nid,\na_id,\nb\nFROM p.s.r\n;",
		},
		{
			name: "select quotes every value", verb: "select", heading: "`SELECT` examples",
			operation: "{parameters: [{name: o, in: query, schema: {type: boolean}}, {name: q, in: query, required: true, schema: {type: integer}}]}",
			want:      "SELECT\n*\nFROM p.s.r\nWHERE q = '{{ q }}' -- required\nAND o = '{{ o }}'\n;",
		},
		{
			name: "delete with optional parameters only", verb: "delete", heading: "`DELETE` examples",
			operation: "{parameters: [{name: o, in: query}]}",
			want:      "DELETE FROM p.s.r\nWHERE o = '{{ o }}'\n;",
		},
		{
			name: "insert without a response", verb: "insert", heading: "`INSERT` examples",
			operation: "{parameters: [{name: q, in: query, required: true}], requestBody: {content: {application/json: {schema: {required: [a], properties: {a: {type: integer}, b: {type: object}, c: {type: boolean, readOnly: true}}}}}}}",
			want:      "INSERT INTO p.s.r (\na,\nb,\nq\n)\nSELECT \n{{ a }} /* required */,\n'{{ b }}',\n'{{ q }}'\n;",
		},
		{
			name: "update without a body", verb: "update", heading: "`UPDATE` examples",
			operation: "{parameters: [{name: q, in: query, required: true, schema: {type: boolean}}]}",
			want:      "UPDATE p.s.r\nSET \n-- No updatable properties\nWHERE \nq = {{ q }} --required;",
		},
		{
			name: "update asks for required attributes", verb: "update", heading: "`UPDATE` examples",
			operation: "{parameters: [{name: o, in: query}, {name: q, in: query, required: true}], requestBody: {content: {application/json: {schema: {required: [b], properties: {a: {type: number}, b: {type: string}}}}}}, responses: {'200': {content: {application/json: {schema: {properties: {x: {}, name: {}}}}}}}}",
			want:      "UPDATE p.s.r\nSET \na = {{ a }},\nb = '{{ b }}'\nWHERE \nq = '{{ q }}' --required\nAND b = '{{ b }}' --required\nAND o = '{{ o }}'\nRETURNING\nname,\nx;",
		},
		{
			name: "replace", verb: "replace", heading: "`REPLACE` examples",
			operation: "{parameters: [{name: q, in: query, required: true}], requestBody: {content: {application/json: {schema: {properties: {a: {type: string}}}}}}}",
			want:      "REPLACE p.s.r\nSET \na = '{{ a }}'\nWHERE \nq = '{{ q }}' --required;",
		},
		{
			name: "exec without parameters or body", heading: "Lifecycle Methods",
			operation: "{}",
			want:      "EXEC p.s.r.m \n\n;",
		},
		{
			name: "exec with parameters only", heading: "Lifecycle Methods",
			operation: "{parameters: [{name: o, in: query, schema: {type: boolean}}, {name: q, in: query, required: true, schema: {type: integer}}]}",
			want:      "EXEC p.s.r.m \n@q='{{ q }}' --required, \n@o={{ o }}\n;",
		},
		{
			name: "exec with a body only", heading: "Lifecycle Methods",
			operation: "{requestBody: {content: {application/json: {schema: {properties: {s: {type: string}, n: {type: number}, i: {type: integer}, b: {type: boolean}, l: {type: array}, o: {type: object}, any: {}, r: {readOnly: true}}}}}}}",
			want:      "EXEC p.s.r.m \n@@json=\n'{\n\"s\": \"{{ s }}\", \n\"n\": {{ n }}, \n\"i\": {{ i }}, \n\"b\": {{ b }}, \n\"l\": \"{{ l }}\", \n\"o\": \"{{ o }}\", \n\"any\": \"{{ any }}\"\n}'\n;",
		},
		{
			name: "exec with both", heading: "Lifecycle Methods",
			operation: "{parameters: [{name: q, in: query, required: true}], requestBody: {content: {application/json: {schema: {properties: {a: {type: string}}}}}}}",
			want:      "EXEC p.s.r.m \n@q='{{ q }}' --required \n@@json=\n'{\n\"a\": \"{{ a }}\"\n}'\n;",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			verbs := ""
			if test.verb != "" {
				verbs = fmt.Sprintf("      sqlVerbs: {%s: [{$ref: '#/components/x-stackQL-resources/r/methods/m'}]}\n", test.verb)
			}
			got := pages(t, service(fmt.Sprintf("paths:\n  /x:\n    post: %s\n"+
				"components:\n  x-stackQL-resources:\n    r:\n      id: p.s.r\n"+
				"      methods: {m: {operation: {$ref: '#/paths/~1x/post'}}}\n%s", test.operation, verbs)))
			differ(t, "statement", statement(t, got["services/s/r/index.md"], test.heading, "m"), test.want)
		})
	}
}

// Rows may lie at several places of a response.
func TestFieldsUnderObjectKey(t *testing.T) {
	const item = "{type: object, properties: {z: {}, id: {}}}"
	for _, test := range []struct {
		name, key, schema string
		want              string
	}{
		{"the response itself", "", item, "id,\nz"},
		{"an array", "", "{type: array, items: " + item + "}", "id,\nz"},
		{"an array under a key", "$.rows", "{properties: {rows: {type: array, items: " + item + "}}}", "id,\nz"},
		{"an object under a key", "$.row", "{properties: {row: " + item + "}}", "id,\nz"},
		{"a longer path", "$.a.b", "{properties: {a: {properties: {b: " + item + "}}}}", "id,\nz"},
		{"a path through an array", "$.a[*].b", "{properties: {a: {items: {properties: {b: " + item + "}}}}}", "id,\nz"},
		{"the whole response by name", "$", item, "id,\nz"},
		{"a key that the response does not have", "$.other", item, "*"},
		{"an array of texts", "$.rows", "{properties: {rows: {type: array, items: {type: string}}}}", "*"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := pages(t, service(fmt.Sprintf("paths:\n  /x:\n    get:\n      responses: {'200': {content: {application/json: {schema: %s}}}}\n"+
				"components:\n  x-stackQL-resources:\n    r:\n      id: p.s.r\n"+
				"      methods: {m: {operation: {$ref: '#/paths/~1x/get'}, response: {objectKey: '%s'}}}\n"+
				"      sqlVerbs: {select: [{$ref: '#/components/x-stackQL-resources/r/methods/m'}]}\n", test.schema, test.key)))
			differ(t, "statement", statement(t, got["services/s/r/index.md"], "`SELECT` examples", "m"), "SELECT\n"+test.want+"\nFROM p.s.r\n;")
		})
	}
}

func TestResponseDescription(t *testing.T) {
	for description, shown := range map[string]string{
		"":                    "",
		"ok":                  "",
		"OK":                  "",
		"Success":             "",
		"successful Response": "",
		"Success!":            "Success!\n\n",
		"All {of} it.":        "All &#123;of&#125; it.\n\n",
		"First.\nSecond.":     "First.<br />Second.\n\n",
	} {
		got := pages(t, service(fmt.Sprintf("paths:\n  /x:\n    get:\n      responses: {'200': {description: %q}}\n"+
			"components:\n  x-stackQL-resources:\n    r:\n      id: p.s.r\n"+
			"      methods: {m: {operation: {$ref: '#/paths/~1x/get'}}}\n"+
			"      sqlVerbs: {select: [{$ref: '#/components/x-stackQL-resources/r/methods/m'}]}\n", description)))
		if want := "<TabItem value=\"m\">\n\n" + shown + "<SchemaTable fields={[]} />\n</TabItem>\n"; !strings.Contains(got["services/s/r/index.md"], want) {
			t.Errorf("description %s: the page does not have\n%s", description, want)
		}
	}
}

// Names become folders; they come from documents.
func TestNamesStayInTheFolder(t *testing.T) {
	for _, name := range []string{"../up", "a/b", "..", "."} {
		docs, err := openapi.Load(service(fmt.Sprintf("components:\n  x-stackQL-resources:\n    %q:\n      id: p.s.r\n", name)))
		if err != nil {
			t.Fatal(err)
		}
		err = docgen.Generate(provider.NewCatalogue(docs), "p", docgen.Options{}, func(path string, _ []byte) error {
			if strings.Contains(path, "..") || strings.Contains(path, "a/b") {
				t.Errorf("%s is written", path)
			}
			return nil
		})
		if provider.CodeOf(err) != provider.Usage {
			t.Errorf("resource %q: %v, want an error of the person's", name, err)
		}
	}
}

func TestWriteErrorsStop(t *testing.T) {
	docs, err := openapi.Load(os.DirFS("testdata/shop"))
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	calls := 0
	err = docgen.Generate(provider.NewCatalogue(docs), "shop", docgen.Options{}, func(string, []byte) error {
		calls++
		return full
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
}

func TestUnknownProvider(t *testing.T) {
	docs, err := openapi.Load(os.DirFS("testdata/shop"))
	if err != nil {
		t.Fatal(err)
	}
	err = docgen.Generate(provider.NewCatalogue(docs), "shpo", docgen.Options{}, func(string, []byte) error { return nil })
	if provider.CodeOf(err) != provider.Unknown {
		t.Errorf("error %v, want one about an unknown name", err)
	}
}

// A type that contains itself is shown as deep as any other.
func TestRecursiveType(t *testing.T) {
	got := pages(t, service("paths:\n  /x:\n    get:\n      responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/N'}}}}}\n"+
		"components:\n  schemas:\n    N: {properties: {next: {$ref: '#/components/schemas/N'}}}\n"+
		"  x-stackQL-resources:\n    r:\n      id: p.s.r\n"+
		"      methods: {m: {operation: {$ref: '#/paths/~1x/get'}}}\n"+
		"      sqlVerbs: {select: [{$ref: '#/components/x-stackQL-resources/r/methods/m'}]}\n"))
	if n := strings.Count(got["services/s/r/index.md"], `"name": "next"`); n != 4 {
		t.Errorf("%d levels, want 4", n)
	}
}

// All pages of both providers, from the catalogue that is part of the program, as "lakeql docs"
// writes them but for the files.
func BenchmarkGenerate(b *testing.B) {
	written := 0
	for b.Loop() {
		compiled, err := openapi.Embedded()
		if err != nil {
			b.Fatal(err)
		}
		cat := provider.NewCatalogue(compiled)
		providers, err := cat.Providers()
		if err != nil {
			b.Fatal(err)
		}
		written = 0
		for _, p := range providers {
			err := docgen.Generate(cat, p.Name, docgen.Options{Extended: true}, func(string, []byte) error {
				written++
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(written), "pages")
}
