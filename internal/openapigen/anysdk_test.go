package main

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stackql/any-sdk/pkg/internaldto"
	"github.com/stackql/any-sdk/public/formulation"
	"github.com/stackql/stackql-provider-registry/signing/Ed25519/app/edcrypto"

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

// TestBundleInAnySDK pulls the bundle from its registry and builds the documented statement's
// request, with endpoint in @@json alone, as StackQL would.
func TestBundleInAnySDK(t *testing.T) {
	root := t.TempDir()
	if err := registry(documents, root, io.Discard); err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(http.FileServer(http.Dir(root)))
	defer served.Close()
	local := t.TempDir()
	reg, err := formulation.NewRegistry(formulation.RegistryConfig{
		RegistryURL:  served.URL,
		LocalDocRoot: local,
		VerifyConfig: &edcrypto.VerifierConfig{NopVerify: true},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if latest, err := reg.GetLatestPublishedVersion("databricks_workspace"); err != nil || latest != version {
		t.Errorf("published version %q, %v", latest, err)
	}
	if err := reg.PullAndPersistProviderArchive("databricks_workspace", version); err != nil {
		t.Fatal(err)
	}
	prov, err := reg.LoadProviderByName("databricks_workspace", version)
	if err != nil {
		t.Fatal(err)
	}
	pulled := filepath.Join(local, "src", "databricks_workspace", version)
	svc := serviceOf(t, pulled, "postgres")
	m := methodOf(t, svc, "postgres_credentials", "generate")
	if got := slices.Sorted(maps.Keys(m.GetRequiredParameters())); !reflect.DeepEqual(got, []string{"deployment_name"}) {
		t.Errorf("required parameters %v, want deployment_name alone", got)
	}
	schema, err := m.GetRequestBodySchema()
	if err != nil || schema == nil {
		t.Fatalf("request body schema: %v", err)
	}
	for _, body := range []string{
		`{"endpoint": "projects/p/branches/b/endpoints/e"}`,
		`{"endpoint": "projects/p/branches/b/endpoints/e", "claims": []}`,
		`{"endpoint": "projects/p/branches/b/endpoints/e", "claims": [{"permission_set": "READ_ONLY"}]}`,
	} {
		r := requestOf(t, prov, svc, m, body)
		if r.Method != http.MethodPost || r.URL.Host != "dbc-1.cloud.databricks.com" || r.URL.Path != "/api/2.0/postgres/credentials" || r.URL.RawQuery != "" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := json.Unmarshal(sent, &got); err != nil {
			t.Fatalf("%v in %s", err, sent)
		}
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("sent %s, want %s", sent, body)
		}
	}
}

// requestOf builds the request of EXEC … @deployment_name = 'dbc-1' @@json = body.
func requestOf(t *testing.T, prov formulation.Provider, svc formulation.Service, m formulation.StandardOperationStore, body string) *http.Request {
	t.Helper()
	var attributes map[string]any
	if err := json.Unmarshal([]byte(body), &attributes); err != nil {
		t.Fatal(err)
	}
	resource, err := svc.GetResource("postgres_credentials")
	if err != nil {
		t.Fatal(err)
	}
	payload := internaldto.NewExecPayload([]byte(body), map[string][]string{"Content-Type": {"application/json"}}, attributes)
	preparator := formulation.NewHTTPPreparator(prov, svc, m,
		map[int]map[string]any{0: {"deployment_name": "dbc-1"}}, nil,
		formulation.NewExecContext(payload, resource), nil)
	armoury, err := preparator.BuildHTTPRequestCtx(formulation.NewHTTPPreparatorConfig(false))
	if err != nil {
		t.Fatal(err)
	}
	params := armoury.GetRequestParams()
	if len(params) != 1 {
		t.Fatalf("%d requests, want 1", len(params))
	}
	return params[0].GetRequest()
}
