package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/provider"
)

// madeUp is a provider of one service with one resource, for features that the documents do not use yet.
type madeUp []*provider.Method

func (m madeUp) Providers() ([]*provider.Provider, error) {
	return []*provider.Provider{{Name: "p", Services: []*provider.ServiceInfo{{Name: "s"}}}}, nil
}

func (m madeUp) Service(string, string) (*provider.Service, error) {
	return &provider.Service{Provider: "p", Name: "s", Resources: []*provider.ResourceInfo{{Name: "r"}}}, nil
}

func (m madeUp) Resource(string, string, string) (*provider.Resource, error) {
	return &provider.Resource{Provider: "p", Service: "s", Name: "r", Methods: m}, nil
}

func (madeUp) FormerNames(string) ([]provider.FormerName, error) { return nil, nil }

func (m madeUp) Schema(string, string, string) (*provider.Schema, error) {
	return &provider.Schema{Type: "object", Properties: []provider.Property{{Name: "next", Schema: &provider.Schema{Ref: "Node"}}}}, nil
}

func in(where provider.Location, name string, schema *provider.Schema) provider.Parameter {
	return provider.Parameter{Name: name, In: where, Required: where == provider.InPath, Schema: schema}
}

func startMadeUp(t *testing.T, methods ...*provider.Method) *emulator.Server {
	t.Helper()
	return start(t, func(o *emulator.Options) { o.Catalogue = provider.NewCatalogue(madeUp(methods)) })
}

func TestPathsOfTheDocuments(t *testing.T) {
	text := &provider.Schema{Type: "string"}
	file := in(provider.InPath, "file_path", text)
	file.MultiSegment = true
	s := startMadeUp(t,
		&provider.Method{Name: "get", Verb: "GET", Path: "/a/{id}", Params: []provider.Parameter{in(provider.InPath, "id", text)}},
		&provider.Method{Name: "me", Verb: "GET", Path: "/a/me"},
		&provider.Method{Name: "edit", Verb: "PUT", Path: "/a/{name}", Params: []provider.Parameter{in(provider.InPath, "name", text)}},
		&provider.Method{Name: "part", Verb: "GET", Path: "/a/me/{part}", Params: []provider.Parameter{in(provider.InPath, "part", text)}},
		&provider.Method{Name: "other", Verb: "GET", Path: "/a/{id}/x", Params: []provider.Parameter{in(provider.InPath, "id", text)}},
		&provider.Method{Name: "download", Verb: "GET", Path: "/fs/files{file_path}", Params: []provider.Parameter{file}},
		&provider.Method{Name: "again", Verb: "GET", Path: "/a/me"},
	)
	for path, want := range map[string]string{
		"GET /a/1":              "p.s.r.get",
		"GET /a/me":             "p.s.r.me", // a literal goes before a parameter, the first before its double
		"PUT /a/me":             "p.s.r.edit",
		"GET /a/me/x":           "p.s.r.part",
		"GET /a/1/x":            "p.s.r.other",
		"GET /fs/files/b/c.txt": "p.s.r.download",
		"GET /fs/files":         "",
		"GET /fs/filesx":        "",
		"GET /a":                "",
		"DELETE /a/me":          "",
	} {
		verb, path, _ := strings.Cut(path, " ")
		got := send(t, s, request{method: verb, path: path})
		if want == "" {
			wantError(t, got, 404, "ENDPOINT_NOT_FOUND", verb+" "+path)
			continue
		}
		requests := s.Requests()
		if served := requests[len(requests)-1].Operation; served != want || got.header.Get("X-Request-Id") == "" {
			t.Errorf("%s %s is taken for %q, want %q: %s", verb, path, served, want, got.body)
		}
	}
	_, err := emulator.New(emulator.Options{Catalogue: provider.NewCatalogue(madeUp{{Name: "m", Verb: "GET", Path: "/a/{id}.cancel"}})})
	if err == nil || !strings.Contains(err.Error(), "cannot be served") {
		t.Errorf("a path of a kind that is not known: %v", err)
	}
}

func TestValuesAreJudgedBySchemas(t *testing.T) {
	object := func(properties ...provider.Property) *provider.Schema {
		return &provider.Schema{Type: "object", Properties: properties}
	}
	property := func(name string, s provider.Schema) provider.Property {
		return provider.Property{Name: name, Schema: &s}
	}
	s := startMadeUp(t, &provider.Method{
		Name: "m", Verb: http.MethodPost, Path: "/m",
		Params: []provider.Parameter{
			{Name: "q", In: provider.InQuery, Required: true, Schema: &provider.Schema{Type: "array", Items: &provider.Schema{Type: "integer"}}},
			{Name: "f", In: provider.InQuery, Schema: &provider.Schema{Type: "number"}},
		},
		Body: &provider.Body{Schema: object(
			property("small", provider.Schema{Type: "integer", Format: "int32"}),
			property("big", provider.Schema{Type: "integer", Format: "int64"}),
			property("ratio", provider.Schema{Type: "number"}),
			property("flag", provider.Schema{Type: "boolean"}),
			property("when", provider.Schema{Type: "string", Format: "date-time"}),
			property("long", provider.Schema{Type: "string", Format: "duration"}),
			property("maybe", provider.Schema{Type: "string", Nullable: true}),
			property("map", provider.Schema{Type: "object", Additional: &provider.Schema{Type: "string"}}),
			property("free", provider.Schema{Type: "object"}),
			property("any", provider.Schema{}),
			property("node", provider.Schema{Ref: "Node"}),
			property("odd", provider.Schema{Type: "string", Pattern: "("}),
		)},
	})
	for _, tt := range []struct{ query, body, want string }{
		{"q=1&q=2&f=1e3", `{}`, ""},
		{"q=1", ``, ""}, // not required
		{"", `{}`, "q is required"},
		{"q=1&q=x", `{}`, "q[1] must be of type integer"},
		{"q=1&f=NaN", `{}`, "f must be of type number"},
		{"q=1", `{"small": 2147483647, "big": 9223372036854775807, "ratio": 0.5, "flag": true, "when": "2026-01-02T03:04:05Z", "long": "3.5s", "maybe": null, "map": {"a": "b"}, "free": {"a": [1]}, "any": [null], "node": {"next": {"next": {}}}}`, ""},
		{"q=1", `{"small": 2147483648}`, "small must be of type integer int32"},
		{"q=1", `{"big": 9223372036854775808}`, "big must be of type integer int64"},
		{"q=1", `{"big": 1.5}`, "big must be"},
		{"q=1", `{"big": "1"}`, "big must be"},
		{"q=1", `{"ratio": 1e999}`, "ratio must be of type number"},
		{"q=1", `{"flag": "true"}`, "flag must be of type boolean"},
		{"q=1", `{"when": "yesterday"}`, "when must be a date-time"},
		{"q=1", `{"long": "1h"}`, "long must be a duration"},
		{"q=1", `{"long": "Infs"}`, "long must be a duration"},
		{"q=1", `{"map": {"a": 1}}`, "map.a must be of type string"},
		{"q=1", `{"node": {"next": {"nxt": {}}}}`, "node.next.nxt is not a known field"},
	} {
		got := send(t, s, request{method: http.MethodPost, path: "/m?" + tt.query, body: tt.body})
		if tt.want == "" {
			if got.status != http.StatusOK {
				t.Errorf("%s %s: %d %s", tt.query, tt.body, got.status, got.body)
			}
			continue
		}
		wantError(t, got, 400, "INVALID_PARAMETER_VALUE", tt.want)
	}
	wantError(t, send(t, s, request{method: http.MethodPost, path: "/m?q=1", body: `{"odd": "x"}`}), 500, "INTERNAL_ERROR", "pattern")
}
