package sdk

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// get is an observer to which every operation is GET /api/2.0/things, without parameters.
type get struct{}

func (get) Observe(_ *API, o *Operation) error {
	o.Verb, o.Path, o.Body.Kind = "GET", "/api/2.0/things", NoBody
	return nil
}

// TestNamesWhatItCannotRead reads source of forms that the package does not know.
func TestNamesWhatItCannotRead(t *testing.T) {
	const model = "package things\n\ntype Thing struct {\n\tName string `json:\"name,omitempty\"`\n}\n"
	const call = `package things

type ThingsAPI struct {
	thingsImpl
}

type thingsImpl struct {
	client *client.DatabricksClient
}

func (a *thingsImpl) Get(ctx context.Context, request Thing) (*Thing, error) {
	var thing Thing
	path := "/api/2.0/things"
	err := a.client.Do(ctx, http.MethodGet, path, headers, queryParams, request, &thing)
	return &thing, err
}
%f
`
	for name, tt := range map[string]struct{ model, function, want string }{
		"a function": {model, "func (a *thingsImpl) Other(ctx context.Context) error {\n\treturn nil\n}", "service/things/impl.go:17: Things.Other neither calls nor iterates"},
		"parameters": {model, "func (a *thingsImpl) Put(ctx context.Context, thing Thing, force bool) error {\n\treturn a.client.Do(ctx)\n}", "service/things/impl.go:17: things.Things.Put: parameters or results of an unknown form"},
		"a type":     {strings.Replace(model, "string", "complex128", 1), "", "service/things/model.go:4: unknown type complex128"},
		"a tag":      {strings.Replace(model, "omitempty", "omitzero", 1), "", `service/things/model.go:4: tag "name,omitzero" of an unknown form`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			folder := filepath.Join(dir, "service", "things")
			if err := os.MkdirAll(folder, 0o750); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{"model.go": tt.model, "impl.go": strings.Replace(call, "%f", tt.function, 1)} {
				if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Read(dir, get{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestFindsResourceNames(t *testing.T) {
	for doc, want := range map[string]string{
		"Output only. The path. Format:\nprojects/{project_id}/branches/{branch_id}":   "projects/{project_id}/branches/{branch_id}",
		"The path.\n\nFormat: \"catalogs/{catalog_id}\".":                              "catalogs/{catalog_id}",
		"Full resource name:\nsupervisor-agents/{supervisor_agent_id}/tools/{tool_id}": "supervisor-agents/{supervisor_agent_id}/tools/{tool_id}",
		"Format: workspace-base-environments/{workspace-base-environment}":             "workspace-base-environments/{workspace_base_environment}",
		"Format: projects/{project}/subscriptions/<name>":                              "",
		"UC table name in format `catalog.schema.table_name`.":                         "",
		"Format: default-workspace-base-environment":                                   "",
	} {
		if got := nameTemplate(doc); got != want {
			t.Errorf("%q: %q, want %q", doc, got, want)
		}
	}
}

func TestSnakeCase(t *testing.T) {
	for name, want := range map[string]string{
		"ClusterId": "cluster_id", "ListIpAccessLists": "list_ip_access_lists", "GetCDFConfigs": "get_cdf_configs", "UsersV2": "users_v2", "Me": "me",
	} {
		if got := SnakeCase(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
