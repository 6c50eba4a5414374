package documents_test

import (
	"slices"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// methodsOf reads the methods of one service.
func methodsOf(t *testing.T, catalogue *provider.Catalogue, providerName, serviceName string) []*provider.Method {
	t.Helper()
	service, err := catalogue.Service(providerName, serviceName)
	if err != nil {
		t.Fatal(err)
	}
	var methods []*provider.Method
	for _, info := range service.Resources {
		r, err := catalogue.Resource(providerName, serviceName, info.Name)
		if err != nil {
			t.Fatal(err)
		}
		methods = append(methods, r.Methods...)
	}
	return methods
}

// TestOperationsAreUnderstood shows the targets that verbs, paths and shapes of the documents lead to.
func TestOperationsAreUnderstood(t *testing.T) {
	catalogue := testworld.Catalogue(t)
	methods := slices.Concat(methodsOf(t, catalogue, "databricks_workspace", "compute"), methodsOf(t, catalogue, "databricks_workspace", "apps"))
	kinds, targets := documents.Classify(methods, documents.NewShapes(catalogue))
	for path, want := range map[string]struct {
		action     documents.Action
		kind       string
		above, ids []string
	}{
		"GET /api/2.1/clusters/list":                               {documents.ActionList, "/clusters", nil, nil},
		"GET /api/2.1/clusters/get":                                {documents.ActionGet, "/clusters", nil, []string{"cluster_id"}},
		"POST /api/2.1/clusters/create":                            {documents.ActionCreate, "/clusters", nil, []string{"cluster_id"}},
		"POST /api/2.1/clusters/edit":                              {documents.ActionUpdate, "/clusters", nil, []string{"cluster_id"}},
		"POST /api/2.1/clusters/delete":                            {documents.ActionDelete, "/clusters", nil, []string{"cluster_id"}},
		"POST /api/2.1/clusters/start":                             {documents.ActionOther, "/clusters", nil, []string{"cluster_id"}},
		"GET /api/2.0/apps":                                        {documents.ActionList, "/apps", nil, nil},
		"GET /api/2.0/apps/{name}":                                 {documents.ActionGet, "/apps", nil, []string{"name"}},
		"DELETE /api/2.0/apps/{name}":                              {documents.ActionDelete, "/apps", nil, []string{"name"}},
		"POST /api/2.0/apps/{name}/start":                          {documents.ActionOther, "/apps", nil, []string{"name"}},
		"GET /api/2.0/apps/{app_name}/deployments":                 {documents.ActionList, "/apps/{}/deployments", []string{"app_name"}, nil},
		"POST /api/2.0/apps/{app_name}/deployments":                {documents.ActionCreate, "/apps/{}/deployments", []string{"app_name"}, []string{"deployment_id"}},
		"GET /api/2.0/apps/{app_name}/deployments/{deployment_id}": {documents.ActionGet, "/apps/{}/deployments", []string{"app_name"}, []string{"deployment_id"}},
	} {
		at := slices.IndexFunc(methods, func(m *provider.Method) bool { return m.Verb+" "+m.Path == path })
		if at < 0 {
			t.Errorf("no method is %s", path)
			continue
		}
		got := targets[methods[at]]
		if got.Kind == nil || got.Action != want.action || got.Kind.Name != want.kind || !slices.Equal(got.Above, want.above) || !slices.Equal(got.IDs, want.ids) {
			t.Errorf("%s is %+v, want %+v", path, got, want)
		}
	}
	if k := kinds["/clusters"]; k == nil || !k.Has("cluster_name") || k.Numbered() || k.Always() || documents.Noun(k.Name) != "cluster" {
		t.Errorf("the kind of clusters is %+v", k)
	}
}
