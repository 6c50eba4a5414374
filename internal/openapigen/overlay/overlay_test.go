package overlay

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

func things() *sdk.API {
	text := &sdk.Type{Kind: sdk.String}
	return &sdk.API{Services: []*sdk.Service{{
		Name: "things",
		Operations: []*sdk.Operation{{
			Service: "things", Group: "Things", Name: "Get",
			PathParams: []*sdk.PathParam{{Name: "name", Type: text, Template: "things/{thing_id}"}},
			Response:   sdk.Response{Type: &sdk.Type{Kind: sdk.Named, Service: "things", Name: "Thing"}},
		}},
		Messages: map[string]*sdk.Message{"Thing": {Name: "Thing", Fields: []*sdk.Field{{Go: "Name", JSON: "name", Type: text}}}},
		Enums:    map[string]*sdk.Enum{"Kind": {Name: "Kind"}},
	}}}
}

// TestCheck checks overlays that fit the API and overlays that do not.
func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct{ file, text, want string }{
		"all of it":            {"descriptions/things.yaml", "methods: {Things.Get: Gets it.}\nschemas: {Thing: {'': A thing., name: Its name.}, Kind: {'': A kind.}}\nfields: {name: Whose.}\nparameters: {thing_id: Which., Things.Get.name: Which.}", ""},
		"an unknown service":   {"facts/other.yaml", "secrets: []", "facts/other.yaml: the SDK has no service other"},
		"an unknown type":      {"facts/things.yaml", "secrets: [Other.name]", "facts/things.yaml: the SDK has no type Other"},
		"an unknown list":      {"facts/things.yaml", "lists: {Things.Get: [name]}", "facts/things.yaml: the response of Things.Get has no list name"},
		"an unknown field":     {"facts/things.yaml", "order: {Thing: [other]}", "facts/things.yaml: type Thing has no field other"},
		"a field of no type":   {"descriptions/things.yaml", "fields: {other: Which.}", "descriptions/things.yaml: no type of the SDK has a field other"},
		"an unknown method":    {"descriptions/things.yaml", "methods: {Things.List: Lists.}", "descriptions/things.yaml: the SDK has no operation Things.List"},
		"an unknown argument":  {"descriptions/things.yaml", "parameters: {other: Which.}", "descriptions/things.yaml: the SDK has no parameter other"},
		"a former field":       {"former-fields.csv", "service,of,name,former\nthings,Thing,name,label\nthings,Things.Get,thing_id,id\n", ""},
		"a former of no field": {"former-fields.csv", "service,of,name,former\nthings,Thing,other,label\n", "former-fields.csv: type Thing has no field other"},
		"a former of nothing":  {"former-fields.csv", "service,of,name,former\nthings,Things.Get,other,label\n", "former-fields.csv: the SDK has no parameter Things.Get.other"},
		"a former circle":      {"former-fields.csv", "service,of,name,former\nthings,Thing,name,label\nthings,Thing,label,name\n", "are each other's former name"},
		"a view":               {"views/databricks_workspace.things.yaml", "vw: {description: A., from: t AS t, columns: [{name: a, sql: t.a, description: A.}]}", ""},
		"a view of no one":     {"views/databricks_account.things.yaml", "vw: {description: A., from: t AS t, columns: [{name: a, sql: t.a, description: A.}]}", "databricks_account has no service things to hold views"},
		"no description":       {"views/databricks_workspace.things.yaml", "vw: {from: t AS t, columns: [{name: a, sql: t.a, description: A.}]}", "view vw needs a description and columns"},
		"a column twice":       {"views/databricks_workspace.things.yaml", "vw: {description: A., from: t AS t, columns: [{name: a, sql: t.a, description: A.}, {name: a, sql: t.b, description: B.}]}", "view vw has the column a twice"},
		"an unknown sort":      {"views/databricks_workspace.things.yaml", "vw: {description: A., from: t AS t, columns: [{name: a, type: text, sql: t.a, description: A.}]}", "view vw: column a has the type text"},
		"an unknown column":    {"views/databricks_workspace.things.yaml", "vw: {description: A., columns: [{name: a, sql: t.a, description: A.}], union: [{from: t AS t, columns: {b: t.b}}]}", "view vw: query 1 has the column b, which the view lacks"},
		"a column of nothing":  {"views/databricks_workspace.things.yaml", "vw: {description: A., columns: [{name: a, description: A.}], union: [{from: t AS t, columns: {a: t.a}}, {from: u AS t}]}", "view vw: query 2 has no sql for a"},
		"no resource":          {"views/databricks_workspace.things.yaml", "vw: {description: A., columns: [{name: a, sql: t.a, description: A.}]}", "view vw: query 1 has no from"},
		"from and union":       {"views/databricks_workspace.things.yaml", "vw: {description: A., from: t AS t, columns: [{name: a, sql: t.a, description: A.}], union: [{from: t AS t}]}", "view vw has from or where beside union"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := Read(fstest.MapFS{"providers.yaml": {}, tt.file: {Data: []byte(tt.text)}})
			if err != nil {
				t.Fatal(err)
			}
			stale, err := o.Check(things())
			got := fmt.Sprint(stale, err)
			if tt.want == "" && got != "[] <nil>" || !strings.Contains(got, tt.want) {
				t.Errorf("%s, want %q", got, tt.want)
			}
		})
	}
}

func TestUnknownKeysAreErrors(t *testing.T) {
	_, err := Read(fstest.MapFS{"providers.yaml": {}, "facts/things.yaml": {Data: []byte("secretz: [Thing.name]")}})
	if err == nil || !strings.Contains(err.Error(), "facts/things.yaml") || !strings.Contains(err.Error(), "secretz") {
		t.Errorf("error %v, want one that names the file and the key", err)
	}
}

func TestWordsOnAFieldOfOneTypeGoFirst(t *testing.T) {
	d := &Descriptions{
		Schemas: map[string]map[string]string{"Thing": {"name": "A thing's."}},
		Fields:  map[string]string{"name": "Anything's."},
	}
	for typ, want := range map[string]string{"Thing": "A thing's.", "Other": "Anything's."} {
		if got := d.Field(typ, "name"); got != want {
			t.Errorf("%s.name: %s, want %s", typ, got, want)
		}
	}
}

// TestExtend adds attributes and parameters that the SDK lacks, once, and reports what it has by now.
func TestExtend(t *testing.T) {
	for name, tt := range map[string]struct{ line, want string }{
		"an attribute":                  {"things,Thing,size,integer,Number of parts.", ""},
		"a parameter":                   {"things,Things.Get,depth,string,How deep.", ""},
		"an attribute that the SDK has": {"things,Thing,name,string,Its name.", "the SDK has the attribute Thing.name"},
		"an unknown type":               {"things,Other,size,integer,Number of parts.", "the SDK has no type Other"},
		"an unknown operation":          {"things,Things.List,depth,string,How deep.", "the SDK has no operation Things.List"},
		"an unknown service":            {"other,Thing,size,integer,Number of parts.", "the SDK has no service other"},
		"no description":                {"things,Thing,size,integer,", "each line has 5 values"},
		"a type of no schema":           {"things,Thing,size,number,Number of parts.", "Thing.size has the unknown type number"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := Read(fstest.MapFS{"providers.yaml": {}, "beyond-sdk.csv": {Data: []byte("service,of,name,type,description\n" + tt.line + "\n")}})
			if err != nil {
				if tt.want == "" || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			api := things()
			first, second := o.Extend(api), o.Extend(api)
			if got := fmt.Sprint(first); tt.want == "" && len(first) > 0 || !strings.Contains(got, tt.want) {
				t.Errorf("%s, want %q", got, tt.want)
			}
			added := len(api.Services[0].Messages["Thing"].Fields) + len(api.Services[0].Operations[0].Query)
			if fmt.Sprint(first) != fmt.Sprint(second) || tt.want == "" && added != 2 || tt.want != "" && added != 1 {
				t.Errorf("%d fields and parameters, then %v", added, second)
			}
		})
	}
}
