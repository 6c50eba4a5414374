package differential

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// resource is a resource of the API as queries here know it.
type resource struct {
	name   string // in the queries of the generator: branches
	full   string // in the catalogue
	path   string // of its list; {} stands for the name of the parent
	key    string // of the list's answer, behind which its items are
	parent string // name here of the resource that it is listed by; empty: of none
	// ids are the parameters that tell one from others, in the order of its name.
	ids []string
	// inside are values that lie in its columns of JSON.
	inside []column

	columns []column // of its rows
}

// column is a value that an expression may name.
type column struct {
	name string // as SQL has it behind the table's name
	kind kind
}

// kind decides in which expressions a value may occur.
type kind int

const (
	text kind = iota
	number
	instant // a timestamp, as text
	path    // the name of a resource, by which a call may be made
	object  // JSON
	id      // of the resource, which is a parameter too: compared with other text it would be refused
)

const lakebase = "databricks_workspace.postgres."

// resources are the resources that the queries use.
func resources() []*resource {
	return []*resource{
		{
			name: "projects", full: lakebase + "postgres_projects", path: "/api/2.0/postgres/projects", key: "projects",
			ids: []string{"project_id"},
			inside: []column{
				{"status ->> '$.project_id'", text},
				{"status ->> '$.owner'", text},
				{"status ->> 'pg_version'", number},
				{"status -> '$.custom_tags[0]' ->> 'value'", text},
				{"status ->> '$.synthetic_storage_size_bytes'", number},
				{"status -> '$.default_endpoint_settings'", object},
				{"status ->> '$.default_branch'", text},
			},
		},
		{
			name: "branches", full: lakebase + "postgres_branches", path: "/api/2.0/postgres/{}/branches", key: "branches",
			parent: "projects", ids: []string{"project_id", "branch_id"},
			inside: []column{
				{"status ->> '$.branch_id'", text},
				{"status ->> 'default'", number},
				{"status ->> '$.logical_size_bytes'", number},
				{"status ->> '$.source_branch'", text},
				{"status ->> '$.state_change_time'", instant},
			},
		},
		{
			name: "endpoints", full: lakebase + "postgres_endpoints", path: "/api/2.0/postgres/{}/endpoints", key: "endpoints",
			parent: "branches", ids: []string{"project_id", "branch_id", "endpoint_id"},
			inside: []column{
				{"status ->> '$.endpoint_type'", text},
				{"status ->> '$.autoscaling_limit_max_cu'", number},
				{"status -> '$.hosts'", object},
				{"status ->> '$.disabled'", number},
				{"status ->> '$.current_state'", text},
			},
		},
		{
			name: "databases", full: lakebase + "postgres_databases", path: "/api/2.0/postgres/{}/databases", key: "databases",
			parent: "branches", ids: []string{"project_id", "branch_id", "database_id"},
			inside: []column{{"status ->> '$.postgres_database'", text}, {"status ->> '$.role'", text}},
		},
		{
			name: "roles", full: lakebase + "postgres_roles", path: "/api/2.0/postgres/{}/roles", key: "roles",
			parent: "branches", ids: []string{"project_id", "branch_id", "role_id"},
			inside: []column{
				{"status ->> '$.identity_type'", text},
				{"status ->> '$.attributes.createdb'", number},
				{"status -> '$.membership_roles'", object},
				{"status ->> '$.postgres_role'", text},
			},
		},
	}
}

// world holds the workspaces and their contents.
type world struct {
	catalogue *provider.Catalogue
	server    *emulator.Server
	resources []*resource
	views     []*resource // of the catalogue, over the resources
	rows      map[string][]row
	mark      *regexp.Regexp // see marks
}

// row is an item of a list, and the workspace that it is in.
type row struct {
	workspace  string // its deployment name; empty: the configured host
	attributes map[string]json.RawMessage
}

// workspaces are the deployment names that queries may be about.
var workspaces = []string{
	"dbc-1", "dbc-2",
}

// newWorld starts an emulator whose lists have several pages, and reads all lists.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{catalogue: testworld.Catalogue(t), resources: resources(), rows: map[string][]row{}, mark: regexp.MustCompile(marks)}
	w.server = testworld.StartEmulator(t, emulator.Options{Scale: 2, PageSize: 2})
	for _, r := range w.resources {
		w.describe(t, r)
		for _, workspace := range append([]string{""}, workspaces...) {
			w.read(t, r, workspace)
		}
	}
	for _, r := range w.resources {
		w.views = append(w.views, w.view(t, r))
	}
	return w
}

// describe reads the columns of a list's rows.
func (w *world) describe(t *testing.T, r *resource) {
	t.Helper()
	parts := strings.Split(r.full, ".")
	m, err := w.catalogue.Method(parts[0], parts[1], parts[2], "list")
	if err != nil {
		t.Fatal(err)
	}
	schema := w.resolve(t, m, m.Response.Schema)
	list, ok := schema.Property(r.key)
	if !ok {
		t.Fatalf("%s answers without %s", m.FullName(), r.key)
	}
	for _, p := range w.resolve(t, m, w.resolve(t, m, list).Items).Properties {
		property := w.resolve(t, m, p.Schema)
		c := column{p.Name, text}
		switch {
		case slices.Contains(r.ids, p.Name):
			c.kind = id
		case p.Name == "name" || p.Name == "parent":
			c.kind = path
		case property.Type == "object" || property.Type == "array":
			c.kind = object
		case property.Format == "date-time":
			c.kind = instant
		case property.Type != "string":
			c.kind = number
		}
		r.columns = append(r.columns, c)
	}
}

func (w *world) resolve(t *testing.T, m *provider.Method, s *provider.Schema) *provider.Schema {
	t.Helper()
	resolved, err := w.catalogue.Resolve(m, s)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// view describes the catalogue's view of a resource. Columns and parameters that come from the resource keep
// their names.
func (w *world) view(t *testing.T, r *resource) *resource {
	t.Helper()
	v := &resource{name: "vw_" + r.name, full: lakebase + "vw_" + r.name, parent: r.parent, ids: r.ids}
	for _, field := range w.definition(t, v).Fields {
		c := column{field.Name, text}
		switch {
		case slices.Contains(append([]string{"deployment_name"}, r.ids...), field.Name):
			continue // a parameter
		case field.Name == "name" || field.Name == "parent":
			c.kind = path
		case field.Type == "object" || field.Type == "array":
			c.kind = object
		case strings.HasSuffix(field.Name, "_time"):
			c.kind = instant
		case field.Type != "" && field.Type != "string":
			c.kind = number
		}
		v.columns = append(v.columns, c)
	}
	return v
}

// parameters returns the ids that are not columns of the rows: those of the parent resources.
func (r *resource) parameters() []string {
	return slices.DeleteFunc(slices.Clone(r.ids), func(id string) bool {
		return slices.ContainsFunc(r.columns, func(c column) bool { return c.name == id })
	})
}

func (w *world) definition(t *testing.T, v *resource) *provider.View {
	t.Helper()
	parts := strings.Split(v.full, ".")
	r, err := w.catalogue.Resource(parts[0], parts[1], parts[2])
	if err != nil {
		t.Fatal(err)
	}
	return r.View
}

// read lists a resource in a workspace, below every parent there is.
func (w *world) read(t *testing.T, r *resource, workspace string) {
	t.Helper()
	paths := []string{r.path}
	if r.parent != "" {
		paths = nil
		for _, parent := range w.names(r.parent, workspace) {
			paths = append(paths, strings.Replace(r.path, "{}", parent, 1))
		}
	}
	for _, path := range paths {
		for _, attributes := range w.list(t, workspace, path, r.key) {
			w.rows[r.name] = append(w.rows[r.name], row{workspace, attributes})
		}
	}
}

// names are the names of a resource in a workspace.
func (w *world) names(resource, workspace string) []string {
	var names []string
	for _, r := range w.rows[resource] {
		if r.workspace == workspace {
			names = append(names, strings.Trim(string(r.attributes["name"]), `"`))
		}
	}
	return names
}

// list reads all pages of a list.
func (w *world) list(t *testing.T, workspace, path, key string) []map[string]json.RawMessage {
	t.Helper()
	var all []map[string]json.RawMessage
	for token := ""; ; {
		var answer map[string]json.RawMessage
		w.get(t, workspace, path+"?page_size=100&page_token="+url.QueryEscape(token), &answer)
		var items []map[string]json.RawMessage
		if raw, ok := answer[key]; ok {
			if err := json.Unmarshal(raw, &items); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
		all = append(all, items...)
		if token = strings.Trim(string(answer["next_page_token"]), `"`); token == "" {
			return all
		}
	}
}

func (w *world) get(t *testing.T, workspace, path string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.server.URL()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if workspace != "" {
		r.Host = workspace + ".localhost"
	}
	r.Header.Set("Authorization", "Bearer "+w.server.Token())
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", path, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatal(fmt.Errorf("GET %s: %w", path, err))
	}
}

// resource finds a resource or view by its name here.
func (w *world) resource(name string) *resource {
	for _, r := range append(w.resources, w.views...) {
		if r.name == name {
			return r
		}
	}
	return nil
}
