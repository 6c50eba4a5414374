package document

import (
	"bytes"
	"context"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/internal/openapigen/observe"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
	"github.com/lakeql/lakeql/openapi"
)

var read = sync.OnceValues(func() (*sdk.API, error) { return observe.Read(context.Background()) })

func generate(t *testing.T) *Result {
	t.Helper()
	api, err := read()
	if err != nil {
		t.Fatal(err)
	}
	made, err := Generate(api, os.DirFS("../../../openapi/overlays"))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// doc is the part of a document that the tests read.
type doc struct {
	Paths      map[string]map[string]operationDoc `yaml:"paths"`
	Components struct {
		Parameters map[string]any       `yaml:"parameters"`
		Schemas    map[string]yaml.Node `yaml:"schemas"`
		Resources  map[string]struct {
			Methods map[string]struct {
				Operation struct {
					Ref string `yaml:"$ref"`
				} `yaml:"operation"`
			} `yaml:"methods"`
			SQLVerbs map[string][]map[string]string `yaml:"sqlVerbs"`
		} `yaml:"x-stackQL-resources"`
	} `yaml:"components"`
}

type operationDoc struct {
	ID          string    `yaml:"operationId"`
	Description string    `yaml:"description"`
	Parameters  []any     `yaml:"parameters"`
	RequestBody yaml.Node `yaml:"requestBody"`
	Responses   map[string]any
}

func services(t *testing.T, files map[string][]byte) map[string]doc {
	t.Helper()
	docs := map[string]doc{}
	for path, data := range files {
		if !strings.Contains(path, "/services/") {
			continue
		}
		var d doc
		if err := yaml.Unmarshal(data, &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		docs[path] = d
	}
	return docs
}

func TestDocuments(t *testing.T) {
	made := generate(t)
	files := made.Files
	t.Run("nothing is pending", func(t *testing.T) {
		for _, p := range made.Pending {
			t.Errorf("pending.csv: %+v", p)
		}
	})
	t.Run("the same bytes twice", func(t *testing.T) {
		if !maps.EqualFunc(files, generate(t).Files, bytes.Equal) {
			t.Error("two runs differ")
		}
	})
	t.Run("no more than 3.6 MB", func(t *testing.T) {
		total := 0
		for _, data := range files {
			total += len(data)
		}
		if total > 3_600_000 {
			t.Errorf("the documents hold %d bytes", total)
		}
		t.Logf("%d files, %d bytes", len(files), total)
	})
	for name, check := range map[string]func(*testing.T, map[string][]byte){
		"every operation has a path and a method": checkEveryOperationHasAPathAndAMethod,
		"valid for kin-openapi":                   checkDocumentsAreValid,
		"everything is described":                 checkEverythingIsDescribed,
		"what changes something gets nothing":     checkGets,
		"no sentence is the SDK's":                checkNoSentenceIsTheSDKs,
		"the page of postgres_credentials":        checkCredentials,
		"views are described and give rows":       checkViews,
	} {
		t.Run(name, func(t *testing.T) { check(t, files) })
	}
}

func checkEveryOperationHasAPathAndAMethod(t *testing.T, files map[string][]byte) {
	t.Helper()
	operations, methods := map[string]int{}, map[string]int{}
	for path, d := range services(t, files) {
		provider, _, _ := strings.Cut(path, "/")
		placed := map[string]int{}
		for p, item := range d.Paths {
			for verb := range item {
				operations[provider]++
				placed["#/paths/"+openapi.EscapePointer(p)+"/"+verb] = 0
			}
		}
		for name, r := range d.Components.Resources {
			for method, m := range r.Methods {
				methods[provider]++
				if _, ok := placed[m.Operation.Ref]; !ok {
					t.Errorf("%s: %s.%s refers to %s, which is not there", path, name, method, m.Operation.Ref)
				}
				placed[m.Operation.Ref]++
			}
			for verb, refs := range r.SQLVerbs {
				for _, ref := range refs {
					_, method, _ := strings.Cut(ref["$ref"], "/methods/")
					if _, ok := r.Methods[method]; !ok {
						t.Errorf("%s: %s's %s refers to %s, which is not there", path, name, verb, ref["$ref"])
					}
				}
			}
		}
		for ref, n := range placed {
			if n != 1 {
				t.Errorf("%s: %s is a method of %d resources", path, ref, n)
			}
		}
	}
	want := map[string]int{"databricks_workspace": 1083, "databricks_account": 225}
	if !maps.Equal(operations, want) || !maps.Equal(methods, want) {
		t.Errorf("%v operations and %v methods, want %v", operations, methods, want)
	}
}

func checkDocumentsAreValid(t *testing.T, files map[string][]byte) {
	t.Helper()
	// OpenAPI allows any format; kin-openapi accepts only registered ones.
	openapi3.DefineStringFormat("duration", `^-?[0-9]+(\.[0-9]{1,9})?s$`)
	openapi3.DefineStringFormat("field-mask", `^[^\s,]+(,[^\s,]+)*$`)
	for path, data := range files {
		if !strings.Contains(path, "/services/") {
			continue
		}
		document, err := openapi3.NewLoader().LoadFromData(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if err := document.Validate(t.Context()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// checkEverythingIsDescribed looks for schemas, parameters and operations without a description,
// and for sentences that are put together badly.
// checkGets: "Gets" is said of what reads: GET, HEAD, and operations that the SDK calls Get….
func checkGets(t *testing.T, files map[string][]byte) {
	t.Helper()
	for path, d := range services(t, files) {
		for url, verbs := range d.Paths {
			for verb, o := range verbs {
				reads := verb == "get" || verb == "head" || strings.Contains(o.ID, "_get_")
				if !reads && strings.HasPrefix(o.Description, "Gets ") {
					t.Errorf("%s: %s %s: %s", path, verb, url, o.Description)
				}
			}
		}
	}
}

func checkEverythingIsDescribed(t *testing.T, files map[string][]byte) {
	t.Helper()
	for path, data := range files {
		var root yaml.Node
		if err := yaml.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		descriptions(&root, func(text string) {
			if text != "success" && (strings.TrimSpace(text) == "" || strings.Contains(text, "  ") && !strings.Contains(text, "\n")) {
				t.Errorf("%s: description %q", path, text)
			}
		})
	}
	for path, d := range services(t, files) {
		for name, schema := range d.Components.Schemas {
			if !slices.ContainsFunc(schema.Content, func(n *yaml.Node) bool { return n.Value == "description" }) {
				t.Errorf("%s: schema %s has no description", path, name)
			}
		}
		for p, item := range d.Paths {
			for verb, o := range item {
				if o.Description == "" {
					t.Errorf("%s: %s %s has no description", path, verb, p)
				}
			}
		}
	}
}

// descriptions returns every description in a document to use.
func descriptions(n *yaml.Node, use func(string)) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "description" && n.Content[i+1].Kind == yaml.ScalarNode {
				use(n.Content[i+1].Value)
			}
		}
	}
	for _, c := range n.Content {
		descriptions(c, use)
	}
}

// word takes AI/BI and project's for one word each.
var word = regexp.MustCompile(`[\w/'’-]+`)

// runs returns every run of six words in a text.
func runs(text string) []string {
	words := word.FindAllString(strings.ToLower(text), -1)
	var all []string
	for i := 0; i+6 <= len(words); i++ {
		all = append(all, strings.Join(words[i:i+6], " "))
	}
	return all
}

// checkNoSentenceIsTheSDKs looks for six words in a row that stand in a comment of the SDK. The
// one description that is taken over on purpose is that of a published page.
func checkNoSentenceIsTheSDKs(t *testing.T, files map[string][]byte) {
	t.Helper()
	theirs := map[string]bool{}
	source, err := observe.Source(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(source, "service")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, c := range f.Comments {
			for _, run := range runs(c.Text()) {
				theirs[run] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range files {
		var document yaml.Node
		if err := yaml.Unmarshal(data, &document); err != nil {
			t.Fatal(err)
		}
		descriptions(&document, func(text string) {
			if strings.HasPrefix(text, "Generate OAuth credentials for a Postgres database.\n") {
				return
			}
			for _, run := range runs(text) {
				if theirs[run] {
					t.Errorf("%s: %q has %q, as the SDK does", path, text, run)
				}
			}
		})
	}
}

// checkCredentials pins the parts of the document behind the published page of postgres_credentials.
func checkCredentials(t *testing.T, files map[string][]byte) {
	t.Helper()
	const name = "databricks_workspace/v00.00.00000/services/postgres.yaml"
	d := services(t, files)[name]
	o := d.Paths["/api/2.0/postgres/credentials"]["post"]
	if !strings.HasPrefix(o.Description, "Generate OAuth credentials for a Postgres database.\n\n:param endpoint: str\n  This field is not yet supported.") ||
		!strings.HasSuffix(o.Description, "\n\n:returns: :class:`DatabaseCredential`") || len(o.Parameters) != 0 {
		t.Errorf("%+v", o)
	}
	for schema, want := range map[string][]string{
		"GenerateDatabaseCredentialRequest": {"endpoint", "claims", "expire_time", "ttl", "group_name"},
		"DatabaseCredential":                {"token", "expire_time"},
	} {
		node := d.Components.Schemas[schema]
		var got []string
		for i := 0; i < len(node.Content); i += 2 {
			switch node.Content[i].Value {
			case "properties":
				for j := 0; j < len(node.Content[i+1].Content); j += 2 {
					got = append(got, node.Content[i+1].Content[j].Value)
				}
			case "required":
				if v := node.Content[i+1].Content; len(v) != 1 || v[0].Value != "endpoint" {
					t.Errorf("%s requires %v", schema, v)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", schema, got, want)
		}
	}
	if methods := d.Components.Resources["postgres_credentials"].Methods; len(methods) != 1 || methods["generate"].Operation.Ref == "" {
		t.Errorf("%+v", methods)
	}
}

// TestQuoting writes words that readers of YAML mistake for something else and reads them back.
func TestQuoting(t *testing.T) {
	words := []string{
		"", "on", "OFF", "yes", "No", "y", "null", "~", "true", "1", "1.5", "1e3", "0x1F", "0o7", "12:30:45", "2024-01-31", ".inf", "=", "<<",
		"- a", "a: b", "a #b", "'", `"`, "{a}", "[a]", "@a", "`a`", "%a", "&a", "*a", "!a", "|", ">", "a\nb", " a", "3.0.3", "200", "NO", "AES_256",
	}
	data, err := encode(newObject().set("words", words).set("on", "x"))
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Words []any `yaml:"words"`
	}
	if err := yaml.Unmarshal(data, &back); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	for i, w := range words {
		if back.Words[i] != w {
			t.Errorf("%q came back as %#v", w, back.Words[i])
		}
	}
	for _, w := range []string{"'on'", "'OFF'", "'yes'", "'12:30:45'", "'0o7'", "'NO'", "3.0.3", "AES_256"} {
		if !bytes.Contains(data, []byte(w)) {
			t.Errorf("%s is not in\n%s", w, data)
		}
	}
}
