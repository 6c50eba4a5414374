package emulator_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// body makes a request's body from its schema: required attributes, usual ones, and every other plain
// attribute of the first level, so that the tests create and change many attributes.
func (c *caller) body(m *provider.Method) map[string]any {
	c.t.Helper()
	if m.Body == nil || !provider.IsJSON(m.Body.MediaType) {
		return nil
	}
	schema, err := c.catalogue.Resolve(m, m.Body.Schema)
	if err != nil {
		c.t.Fatal(err)
	}
	value, _ := c.value(m, schema, "", 0).(map[string]any)
	for name, special := range bodies()[m.FullName()] {
		switch v := special.(type) {
		case nil:
			delete(value, name)
		case func(*caller) any:
			value[name] = v(c)
		default:
			value[name] = special
		}
	}
	return value
}

// bodies are attributes of requests that have rules beyond the documents.
func bodies() map[string]map[string]any {
	return map[string]map[string]any{
		"databricks_workspace.ml.experiments.search":                       {"filter": "name LIKE '%churn%'"},
		"databricks_workspace.ml.experiment_runs.search":                   {"filter": "params.depth > 1"},
		"databricks_workspace.ml.logged_models.search":                     {"filter": nil},
		"databricks_workspace.workspace.secret_scopes.create":              {"scope": "made-scope"},
		"databricks_workspace.workspace.secret_scopes.delete":              {"scope": "made-scope"},
		"databricks_workspace.postgres.postgres_branches.create":           {"spec": map[string]any{"no_expiry": true}},
		"databricks_workspace.postgres.postgres_snapshots.create":          {"spec": map[string]any{"source_branch": "projects/fleet/branches/production"}},
		"databricks_workspace.postgres.postgres_branches.update":           {"spec": map[string]any{"is_protected": false}},
		"databricks_workspace.postgres.postgres_credentials.generate":      {"expire_time": nil},
		"databricks_workspace.postgres.postgres_databases.create":          {"spec": map[string]any{"role": "projects/fleet/branches/development/roles/ada-okafor"}},
		"databricks_workspace.postgres.postgres_databases.update":          {"spec": map[string]any{"role": "projects/fleet/branches/development/roles/ada-okafor"}},
		"databricks_workspace.postgres.postgres_endpoints.update":          {"spec": map[string]any{"disabled": false, "endpoint_type": "ENDPOINT_TYPE_READ_ONLY"}},
		"databricks_workspace.postgres.postgres_projects.update":           {"spec": map[string]any{"display_name": "made"}},
		"databricks_workspace.postgres.postgres_roles.update":              {"spec": map[string]any{}},
		"databricks_workspace.postgres.postgres_data_apis.create":          {"spec": map[string]any{"db_max_rows": 10}},
		"databricks_workspace.postgres.postgres_data_apis.update":          {"spec": map[string]any{"db_max_rows": 20}},
		"databricks_workspace.postgres.postgres_snapshot_schedules.update": {"name": nil, "schedule": []any{}},
		"databricks_workspace.postgres.postgres_endpoints.create":          {"spec": map[string]any{"endpoint_type": "ENDPOINT_TYPE_READ_ONLY"}},
		"databricks_workspace.serving.serving_endpoints_pt.create":         {"name": "made-throughput"},
		"databricks_workspace.compute.clusters.events":                     {"end_time": nil, "start_time": nil},
		"databricks_workspace.compute.clusters.start":                      {"cluster_id": stoppedCluster},
		"databricks_workspace.compute.clusters.resize":                     {"cluster_id": runningCluster},
		"databricks_workspace.compute.clusters.restart":                    {"cluster_id": runningCluster},
		"databricks_workspace.compute.command_execution.cancel":            {"commandId": begunCommand},
		"databricks_workspace.files.dbfs.move":                             {"source_path": "/FileStore/logo.svg", "destination_path": "/tmp/logo.svg"},
		"databricks_workspace.files.dbfs.delete":                           {"path": "/tmp/logo.svg"},
		"databricks_workspace.workspace.workspace.delete":                  {"path": "/Shared/README.md"},
	}
}

// begunCommand begins a command to cancel.
func begunCommand(c *caller) any {
	execute := c.byPath["POST /api/1.2/commands/execute"]
	body, err := json.Marshal(c.body(execute))
	if err != nil {
		c.t.Fatal(err)
	}
	c.call(execute, "/api/1.2/commands/execute", string(body))
	return c.pool["/api/1.2/commands"]["id"]
}

// clusterIn finds a cluster in a state.
func clusterIn(c *caller, state string) any {
	_, text := c.call(c.byPath["GET /api/2.1/clusters/list"], "/api/2.1/clusters/list?filter_by.cluster_states="+state, "")
	var list struct {
		Clusters []struct {
			ID string `json:"cluster_id"`
		} `json:"clusters"`
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Clusters) == 0 {
		c.t.Fatalf("no cluster is %s: %s", state, text)
	}
	return list.Clusters[0].ID
}

func stoppedCluster(c *caller) any { return clusterIn(c, "TERMINATED") }
func runningCluster(c *caller) any { return clusterIn(c, "RUNNING") }

func (c *caller) value(m *provider.Method, schema *provider.Schema, name string, depth int) any {
	c.t.Helper()
	schema, err := c.catalogue.Resolve(m, schema)
	if err != nil {
		c.t.Fatal(err)
	}
	switch {
	case schema == nil:
		return "x"
	case schema.Type == "object" && len(schema.Properties) > 0:
		object := map[string]any{}
		for _, p := range schema.Properties {
			required := slices.Contains(schema.Required, p.Name)
			inner, err := c.catalogue.Resolve(m, p.Schema)
			if err != nil {
				c.t.Fatal(err)
			}
			if p.Name == "name_arg" || p.Name == "new_name" || p.Name == "update_mask" || p.Name == "field_mask" || p.Name == "page_token" {
				if required {
					object[p.Name] = "*"
				}
				continue
			}
			scalar := inner != nil && inner.Type != "object" && inner.Type != "array" && inner.Type != ""
			if required || depth == 0 && scalar && !inner.ReadOnly && !inner.Deprecated {
				object[p.Name] = c.value(m, p.Schema, p.Name, depth+1)
			}
		}
		return object
	case schema.Type == "object":
		return map[string]any{}
	case schema.Type == "array":
		return []any{c.value(m, schema.Items, strings.TrimSuffix(name, "s"), depth+1)}
	case schema.Type == "boolean":
		return false
	case schema.Type == "integer", schema.Type == "number":
		if text := c.reference(m, name); text != "" {
			return json.Number(text)
		}
		return 1
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Format == "date-time":
		return "2027-01-02T03:04:05Z"
	case schema.Format == "duration":
		return "3600s"
	case schema.Format == "byte":
		return "aGVsbG8="
	case schema.Pattern == "^projects/[^/]+/branches/[^/]+/endpoints/[^/]+$":
		return theEndpoint
	}
	if text := c.reference(m, name); text != "" {
		return text
	}
	c.made++
	return "made-" + strconv.Itoa(c.made)
}

// reference returns the id of something that is there, for attributes that refer to it.
func (c *caller) reference(m *provider.Method, name string) string {
	c.t.Helper()
	lists := map[string]string{
		"cluster_id": "GET /api/2.1/clusters/list", "clusterId": "GET /api/2.1/clusters/list", "warehouse_id": "GET /api/2.0/sql/warehouses",
		"job_id": "GET /api/2.2/jobs/list", "run_id": "GET /api/2.2/jobs/runs/list", "pipeline_id": "GET /api/2.0/pipelines",
		"policy_id": "GET /api/2.0/policies/clusters/list", "instance_pool_id": "GET /api/2.0/instance-pools/list",
		"token_id": "GET /api/2.0/token-management/tokens", "instance_profile_arn": "GET /api/2.0/instance-profiles/list",
	}
	if strings.HasSuffix(m.Path, "/create") || strings.HasSuffix(m.Path, "/add") || strings.Contains(m.Path, "mlflow") {
		delete(lists, name)
		if name == "clusterId" {
			lists[name] = "GET /api/2.1/clusters/list"
		}
	}
	if key, ok := lists[name]; ok {
		field := name
		if name == "clusterId" {
			field = "cluster_id"
		}
		return c.firstOf(c.byPath[key], field, map[string]string{"account_id": c.emulator.AccountID()})
	}
	if !strings.HasSuffix(m.Path, "/create") {
		if value := c.pool[m.Path[:strings.LastIndexByte(m.Path, '/')]][name]; value != "" && (name == "id" || name == "name" || strings.HasSuffix(name, "_id") || name == "version" || name == "handle") {
			return value
		}
		if strings.HasPrefix(m.Path, "/api/1.2/") && strings.HasSuffix(name, "Id") && name != "clusterId" {
			return c.pool["/api/1.2/"+strings.TrimSuffix(name, "Id")+"s"]["id"]
		}
	}
	switch name {
	case "catalog_name", "schema_name", "scope", "principal", "account_id":
		if name == "account_id" {
			return c.emulator.AccountID()
		}
		return usual[name]
	case "key":
		if strings.Contains(m.Path, "/secrets/") {
			return usual[name]
		}
	case "path":
		c.made++
		return "/Shared/made-" + strconv.Itoa(c.made)
	}
	return ""
}
