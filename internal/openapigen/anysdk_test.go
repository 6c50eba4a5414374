package main

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stackql/any-sdk/public/formulation"

	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

const (
	documents = "../../openapi"
	version   = "v00.00.00000"
)

// serviceOf loads a service the way StackQL does.
func serviceOf(t *testing.T, folder, service string) formulation.Service {
	t.Helper()
	s, err := formulation.LoadProviderAndServiceFromPaths(filepath.Join(folder, "provider.yaml"), filepath.Join(folder, "services", service+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func methodOf(t *testing.T, s formulation.Service, resource, method string) formulation.StandardOperationStore {
	t.Helper()
	r, err := s.GetResource(resource)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.FindMethod(method)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGenerateInAnySDK is the contract of the statement that everything began with.
func TestGenerateInAnySDK(t *testing.T) {
	m := methodOf(t, serviceOf(t, filepath.Join(documents, "databricks_workspace", version), "postgres"), "postgres_credentials", "generate")
	if got := slices.Sorted(maps.Keys(m.GetRequiredParameters())); !reflect.DeepEqual(got, []string{"deployment_name", "endpoint"}) {
		t.Errorf("required parameters %v, want deployment_name and endpoint", got)
	}
}

// TestAnySDKAgrees loads every method through any-sdk and compares what it takes with our own
// catalogue.
func TestAnySDKAgrees(t *testing.T) {
	docs, err := openapi.LoadAll(os.DirFS(documents))
	if err != nil {
		t.Fatal(err)
	}
	cat := provider.NewCatalogue(docs)
	providers, err := cat.Providers()
	if err != nil {
		t.Fatal(err)
	}
	methods := 0
	for _, p := range providers {
		for _, info := range p.Services {
			judged := serviceOf(t, filepath.Join(documents, p.Name, version), info.Name)
			service, err := cat.Service(p.Name, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range service.Resources {
				resource, err := cat.Resource(p.Name, info.Name, r.Name)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range resource.Methods {
					compare(t, cat, m, methodOf(t, judged, r.Name, m.Name))
					methods++
				}
			}
		}
	}
	if methods == 0 {
		t.Error("no method was compared")
	}
	t.Logf("%d methods compared", methods)
}

func compare(t *testing.T, cat *provider.Catalogue, ours *provider.Method, theirs formulation.StandardOperationStore) {
	t.Helper()
	required := ours.RequiredParams()
	if ours.Body == nil {
		// any-sdk forgets the server's variables of methods without a body, and StackQL then calls
		// the default workspace.
		for _, v := range ours.ServerVariables() {
			required = slices.DeleteFunc(required, func(name string) bool { return name == v.Name })
		}
	}
	if ours.Body != nil && (ours.SQLVerb == provider.Select || ours.SQLVerb == provider.Delete) {
		required = append(required, ours.Body.RequiredAttributes...)
	}
	slices.Sort(required)
	if got := slices.Sorted(maps.Keys(theirs.GetRequiredParameters())); !slices.Equal(got, slices.Compact(required)) {
		t.Errorf("%s: any-sdk requires %v, we %v", ours.FullName(), got, required)
	}
	var optional []string
	for _, p := range ours.Params {
		if !p.Required {
			optional = append(optional, p.Name)
		}
	}
	slices.Sort(optional)
	// It counts the attributes of a body among the optional parameters where none is required.
	var theirOptional []string
	others := theirs.GetNonBodyParameters()
	for name := range theirs.GetOptionalParameters() {
		if _, ok := others[name]; ok && !slices.Contains(required, name) {
			theirOptional = append(theirOptional, name)
		}
	}
	slices.Sort(theirOptional)
	if !slices.Equal(theirOptional, optional) {
		t.Errorf("%s: any-sdk takes the optional %v, we %v", ours.FullName(), theirOptional, optional)
	}
	if ours.Body == nil {
		return
	}
	body, err := cat.Resolve(ours, ours.Body.Schema)
	if err != nil {
		t.Fatal(err)
	}
	var attributes []string
	for _, p := range body.Properties {
		attributes = append(attributes, p.Name)
	}
	slices.Sort(attributes)
	schema, err := theirs.GetRequestBodySchema()
	if err != nil {
		t.Fatal(err)
	}
	found, err := schema.GetProperties()
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, attributes) {
		t.Errorf("%s: any-sdk sees the body attributes %v, we %v", ours.FullName(), got, attributes)
	}
}
