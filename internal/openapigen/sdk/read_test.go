package sdk

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// source is where the module of go.mod's version lies.
func source(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/databricks/databricks-sdk-go").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func read(t *testing.T) *API {
	t.Helper()
	api, err := Read(source(t))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// TestSizes pins what v0.132.0 has. A new version of the SDK changes these numbers; look at what
// came and went before changing them here.
func TestSizes(t *testing.T) {
	got := map[string]int{}
	api := read(t)
	for _, s := range api.Services {
		got["groups"] += len(s.Groups())
		got["messages"] += len(s.Messages)
		got["enums"] += len(s.Enums)
		for _, m := range s.Messages {
			got["fields"] += len(m.Fields)
		}
	}
	for _, o := range api.Operations() {
		got["operations"]++
		got["body "+string(o.Body.Kind)]++
		got["response "+string(o.Response.Kind)]++
		if len(o.Response.Headers) > 0 {
			got["response with headers"]++
		}
		if o.Account {
			got["account"]++
		}
		if o.Deprecated {
			got["deprecated"]++
		}
		if o.Paging != nil {
			got["paging "+string(o.Paging.Kind)]++
		}
		if o.Unpaged != nil {
			got["unpaged"]++
		}
		if o.Async != nil {
			got["async"]++
		}
		if o.Waiter != nil {
			got["waiters"]++
		}
		requestID := o.Body.RequestID != ""
		for _, q := range o.Query {
			requestID = requestID || q.RequestID
			if q.GoText {
				got["go text"]++
			}
			if q.Name == "update_mask" {
				got["update masks"]++
				if q.Required {
					got["update masks required"]++
				}
				if q.Type.Kind == FieldMask {
					got["update masks typed"]++
				}
			}
		}
		if requestID {
			got["request ids"]++
		}
		for _, p := range o.PathParams {
			if p.Template != "" {
				got["resource names in paths"]++
			}
			if p.MultiSegment {
				got["multi-segment paths"]++
			}
		}
	}
	want := map[string]int{
		"operations": 1142, "account": 192, "groups": 189, "messages": 2596, "enums": 447, "fields": 9252, "deprecated": 15,
		"body none": 640, "body whole": 382, "body empty": 8, "body bare": 111, "body stream": 1,
		"response none": 245, "response object": 882, "response array": 9, "response stream": 5, "response headers": 1, "response with headers": 3,
		"paging token": 127, "paging offset": 12, "paging page": 2, "paging next-request": 1, "paging single": 23, "unpaged": 18,
		"async": 26, "waiters": 37, "request ids": 3, "go text": 2,
		"update masks": 39, "update masks required": 34, "update masks typed": 18,
		"resource names in paths": 77, "multi-segment paths": 8,
	}
	for _, what := range slices.Sorted(maps.Keys(want)) {
		if got[what] != want[what] {
			t.Errorf("%s: %d, want %d", what, got[what], want[what])
		}
	}
	for _, what := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[what]; !ok {
			t.Errorf("%s: %d, which is expected nowhere", what, got[what])
		}
	}
}

// operation finds an operation by service.Group.Name.
func operation(t *testing.T, api *API, id string) *Operation {
	t.Helper()
	for _, o := range api.Operations() {
		if o.ID() == id {
			return o
		}
	}
	t.Fatalf("no operation %s", id)
	return nil
}

func TestReadsAWaiter(t *testing.T) {
	w := operation(t, read(t), "jobs.Jobs.RunNow").Waiter
	if w.Poll != "GetRun" || strings.Join(w.State, ".") != "state.life_cycle_state" || !slices.Equal(w.Success, []string{"TERMINATED", "SKIPPED"}) ||
		!slices.Equal(w.Failure, []string{"INTERNAL_ERROR"}) || w.TimeoutMinutes != 20 {
		t.Errorf("%+v", w)
	}
	if len(w.Bind) != 1 || w.Bind[0].Param != "run_id" || !w.Bind[0].Response || w.Bind[0].Path[0] != "run_id" {
		t.Errorf("%+v", w.Bind)
	}
}

func TestReadsOffsetPaging(t *testing.T) {
	p := operation(t, read(t), "iam.Users.List").Paging
	want := Paging{
		Kind: OffsetPaging, Items: "Resources", Request: "startIndex", Response: "startIndex",
		First: 1, Limit: "count", LimitValue: 10000, UntilEmpty: true, Dedupe: "id",
	}
	if *p != want {
		t.Errorf("%+v, want %+v", *p, want)
	}
}

func TestReadsNestedQueries(t *testing.T) {
	var names []string
	for _, q := range operation(t, read(t), "compute.Clusters.List").Query {
		names = append(names, q.Name)
	}
	want := "filter_by.cluster_sources filter_by.cluster_states filter_by.is_pinned filter_by.policy_id page_size page_token sort_by.direction sort_by.field"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestNamesWhatItCannotRead returns the reader code of a form that it does not know.
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
	%s
	err := a.client.Do(ctx, http.MethodGet, path, headers, queryParams, request, &thing)
	return &thing, err
}
`
	for name, tt := range map[string]struct{ model, statement, want string }{
		"a statement": {model, "path = strings.ToUpper(path)", "service/things/impl.go:14: things.Things.Get: statement of an unknown form"},
		"a header":    {model, `headers["X-New"] = "1"`, "service/things/impl.go:14: things.Things.Get: statement of an unknown form"},
		"a type":      {strings.Replace(model, "string", "complex128", 1), "", "service/things/model.go:4: unknown type complex128"},
		"a tag":       {strings.Replace(model, "omitempty", "omitzero", 1), "", `service/things/model.go:4: tag "name,omitzero" of an unknown form`},
		"no url tag":  {model, "", "service/things/model.go:4: field Thing.Name travels in a query and has no url tag"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			folder := filepath.Join(dir, "service", "things")
			if err := os.MkdirAll(folder, 0o750); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{"model.go": tt.model, "impl.go": strings.Replace(call, "%s", tt.statement, 1)} {
				if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Read(dir)
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
