package dispatch_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// body is a request body of a document, as our catalogue and as kin-openapi has it.
type body struct {
	method *provider.Method
	schema *openapi3.Schema
}

// TestCheckAgreesWithKinOpenAPI generates valid and invalid values for every request body of the
// documents, and shows that we send exactly the values that another implementation accepts for the same
// schemas. It leaves out the intended differences: strings are read as JSON, null counts as absent,
// unknown attributes are refused, integers have a size.
func TestCheckAgreesWithKinOpenAPI(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	for _, root := range []string{"testdata/documents", "../../openapi"} {
		c := serve(t, func(http.ResponseWriter, *http.Request) {})
		docs, err := openapi.LoadAll(os.DirFS(root))
		if err != nil {
			t.Fatal(err)
		}
		c.Catalogue = provider.NewCatalogue(docs)
		random := rand.New(rand.NewPCG(1, 2))
		accepted, refused := 0, 0
		for _, b := range bodies(t, c.Catalogue, root) {
			for range rounds {
				value := object(random, b.schema, 0)
				if random.IntN(3) == 0 {
					spoil(random, value)
				}
				_, ours := c.Plan(dispatch.Call{Method: b.method, Args: arguments(t, c.Catalogue, b.method), Body: withNumbers(t, value)})
				theirs := b.schema.VisitJSON(value, openapi3.VisitAsRequest())
				if (ours == nil) != (theirs == nil) {
					text, _ := json.Marshal(value)
					t.Fatalf("%s: %s\nwe say: %v\nkin-openapi says: %v", b.method.FullName(), text, ours, theirs)
				}
				if ours == nil {
					accepted++
				} else {
					refused++
				}
			}
		}
		if accepted < 20 || refused < 20 {
			t.Errorf("%s: accepted %d, refused %d: too few to show anything", root, accepted, refused)
		}
		t.Logf("%s: accepted %d, refused %d", root, accepted, refused)
	}
}

// bodies pairs every request body that is an object with kin-openapi's reading of it.
func bodies(t *testing.T, c *provider.Catalogue, root string) []body {
	t.Helper()
	var all []body
	providers, err := c.Providers()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range providers {
		for _, info := range p.Services {
			doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(root, p.Name, p.Version, "services", info.Name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			normalised := map[*openapi3.Schema]bool{}
			service, err := c.Service(p.Name, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, resource := range service.Resources {
				r, err := c.Resource(p.Name, info.Name, resource.Name)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range r.Methods {
					schema := requestSchema(doc, m)
					if schema == nil || m.Paging != nil && m.Paging.Kind != provider.ByToken {
						continue
					}
					normalise(schema, normalised, true)
					all = append(all, body{m, schema})
				}
			}
		}
	}
	return all
}

// requestSchema finds the request body of a method in a document.
func requestSchema(doc *openapi3.T, m *provider.Method) *openapi3.Schema {
	if m.Body == nil {
		return nil
	}
	for template, item := range doc.Paths {
		if plain, _, _ := strings.Cut(template, "#"); plain != m.Path {
			continue
		}
		op := item.GetOperation(m.Verb)
		if op == nil || op.RequestBody == nil || op.OperationID != m.OperationID {
			continue
		}
		if media := op.RequestBody.Value.Content.Get("application/json"); media != nil && media.Schema != nil && media.Schema.Value.Type == "object" {
			return media.Schema.Value
		}
	}
	return nil
}

// normalise removes the parts of a schema that kin-openapi and we intentionally treat differently. An
// object with documented attributes has no others; formats other than date-time are hints.
func normalise(s *openapi3.Schema, done map[*openapi3.Schema]bool, root bool) {
	if s == nil || done[s] {
		return
	}
	done[s] = true
	if s.Format != "date-time" {
		s.Format = ""
	}
	open := s.AdditionalProperties != nil || s.AdditionalPropertiesAllowed != nil && *s.AdditionalPropertiesAllowed
	if s.Type == "object" && !open && (len(s.Properties) > 0 || root) {
		closed := false
		s.AdditionalPropertiesAllowed = &closed
	}
	for _, ref := range slices.Concat([]*openapi3.SchemaRef{s.Items, s.AdditionalProperties}, slices.Collect(maps.Values(s.Properties)), s.AllOf) {
		if ref != nil {
			normalise(ref.Value, done, false)
		}
	}
}

// arguments returns every required parameter a value that suits it.
func arguments(t *testing.T, c *provider.Catalogue, m *provider.Method) map[string]any {
	t.Helper()
	args := map[string]any{}
	for _, p := range m.Params {
		schema, err := c.Resolve(m, p.Schema)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case !p.Required:
		case len(schema.Enum) > 0:
			args[p.Name] = schema.Enum[0]
		case schema.Type == "string":
			args[p.Name] = "abcd" // fits the patterns of names
			if p.MultiSegment {
				args[p.Name] = "/abcd"
			}
		case schema.Type == "object":
			args[p.Name] = map[string]any{}
		default:
			args[p.Name] = map[string]any{"integer": json.Number("1"), "boolean": true}[schema.Type]
		}
	}
	return args
}

// object makes up a value for an object's schema.
func object(r *rand.Rand, s *openapi3.Schema, depth int) map[string]any {
	value := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		required := slices.Contains(s.Required, name)
		if required && r.IntN(20) > 0 || !required && r.IntN(3+2*depth) == 0 {
			value[name] = made(r, s.Properties[name].Value, depth+1)
		}
	}
	if s.AdditionalProperties != nil && depth < 6 {
		for i := range r.IntN(3) {
			value[fmt.Sprint("key", i)] = made(r, s.AdditionalProperties.Value, depth+1)
		}
	}
	return value
}

// made makes up a value for a schema, now and then one of another type.
func made(r *rand.Rand, s *openapi3.Schema, depth int) any {
	if r.IntN(60) == 0 {
		return stray(r)
	}
	if len(s.AllOf) == 1 {
		return made(r, s.AllOf[0].Value, depth)
	}
	switch s.Type {
	case "object":
		if depth > 8 {
			return map[string]any{}
		}
		return object(r, s, depth)
	case "array":
		items := []any{}
		if depth < 8 && s.Items != nil {
			for range r.IntN(3) {
				items = append(items, made(r, s.Items.Value, depth+1))
			}
		}
		return items
	case "integer", "number":
		if len(s.Enum) > 0 && r.IntN(10) > 0 {
			return s.Enum[r.IntN(len(s.Enum))]
		}
		if s.Type == "number" && r.IntN(2) == 0 || r.IntN(20) == 0 {
			return float64(r.IntN(2000)) / 8
		}
		return float64(r.IntN(1<<20) - 1<<19)
	case "boolean":
		return r.IntN(2) == 0
	case "string":
		return text(r, s)
	}
	return stray(r)
}

// text makes up a string for a schema: no JSON, so that it is not read as such where it strays.
func text(r *rand.Rand, s *openapi3.Schema) string {
	if len(s.Enum) > 0 && r.IntN(10) > 0 {
		return s.Enum[r.IntN(len(s.Enum))].(string)
	}
	words := []string{"", "é", "a b", "abcd", "shelves/1", "projects/p/branches/b/endpoints/e", "projects/p/branches/b", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.25-05:30", "2026-01-31", "RED"}
	if s.Format == "date-time" && r.IntN(10) > 0 {
		words = words[7:9]
	}
	return words[r.IntN(len(words))]
}

// stray makes up a value of any type.
func stray(r *rand.Rand) any {
	return []any{
		"x y", "", true, 1.0, 1.5, []any{}, []any{"x y"}, map[string]any{}, map[string]any{"z z": "x y"}, []any{[]any{1.0}},
	}[r.IntN(10)]
}

// spoil changes one thing somewhere in a value: an attribute too many, one less, one of another
// type.
func spoil(r *rand.Rand, value map[string]any) {
	names := slices.Sorted(maps.Keys(value))
	if len(names) == 0 {
		value["stray"] = stray(r)
		return
	}
	name := names[r.IntN(len(names))]
	inner := value[name]
	if list, ok := inner.([]any); ok && len(list) > 0 {
		inner = list[0]
	}
	if inside, ok := inner.(map[string]any); ok && r.IntN(4) > 0 {
		spoil(r, inside)
		return
	}
	switch r.IntN(3) {
	case 0:
		delete(value, name)
	case 1:
		value[name] = stray(r)
	default:
		value["stray"] = stray(r)
	}
}

// withNumbers returns a value as statements give it.
func withNumbers(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return fromJSON(t, string(text))
}
