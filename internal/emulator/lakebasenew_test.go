package emulator_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestWhatGoesWithItsParentOnly tries to delete the endpoint and the branch that cannot be deleted
// alone. Clients that declare resources look for the metadata of the error.
func TestWhatGoesWithItsParentOnly(t *testing.T) {
	s := start(t, nil)
	for _, name := range []string{"projects/orders/branches/production", "projects/orders/branches/development/endpoints/primary"} {
		e := wantError(t, send(t, s, request{method: "DELETE", path: root + name}), 400, "BAD_REQUEST", name)
		metadata, _ := e.Details[0]["metadata"].(map[string]any)
		if e.Details[0]["reason"] != "RESOURCE_CONFLICT" || metadata["declarative_context"] != "MANAGED_BY_PARENT" {
			t.Errorf("%s: %v", name, e.Details)
		}
	}
	begun(t, s, "DELETE", "projects/orders/branches/production/endpoints/reports", "") // it is read-only
	begun(t, s, "DELETE", "projects/orders/branches/development", "")                  // with its endpoint
}

// made creates a resource and returns the result of the operation.
func made(t *testing.T, s *emulator.Server, path, schema, body string) map[string]any {
	t.Helper()
	op := get(t, s, root+begun(t, s, "POST", path, body), "Operation")
	raw, _ := json.Marshal(op["response"])
	return judge(t, schema, string(raw))
}

// TestNewResourcesHaveTheServicesDefaults creates resources with as little as possible. Nothing of
// the answers is drawn but ids, hosts and positions in a log.
func TestNewResourcesHaveTheServicesDefaults(t *testing.T) {
	s := start(t, nil)
	const p = "projects/till"
	status := func(r map[string]any) string {
		of, _ := r["status"].(map[string]any)
		of = maps.Clone(of)
		for _, drawn := range []string{"hosts", "source_branch_lsn"} {
			delete(of, drawn)
		}
		raw, _ := json.Marshal(of)
		return string(raw)
	}
	for _, tt := range []struct{ path, schema, body, want string }{
		{"projects?project_id=till", "Project", `{}`, `{"branch_logical_size_limit_bytes":8796093022208,"default_branch":"projects/till/branches/production",` +
			`"default_endpoint_settings":{"autoscaling_limit_max_cu":1,"autoscaling_limit_min_cu":1,"suspend_timeout_duration":"86400s"},"display_name":"till",` +
			`"enable_pg_native_login":false,"history_retention_duration":"604800s","owner":"ada.okafor@harbor-finch.example","pg_version":17,"project_id":"till","synthetic_storage_size_bytes":0}`},
		{p + "/branches?branch_id=trial", "Branch", `{"spec":{"no_expiry":true}}`, `{"branch_id":"trial","current_state":"READY","default":false,"is_protected":false,"logical_size_bytes":0,` +
			`"source_branch":"projects/till/branches/production","source_branch_time":"2026-03-04T12:00:00Z","state_change_time":"2026-03-04T12:00:00Z"}`},
		{p + "/branches/trial/endpoints?endpoint_id=reads", "Endpoint", `{"spec":{"endpoint_type":"ENDPOINT_TYPE_READ_ONLY"}}`, `{"autoscaling_limit_max_cu":1,"autoscaling_limit_min_cu":1,` +
			`"current_state":"ACTIVE","disabled":false,"endpoint_id":"reads","endpoint_type":"ENDPOINT_TYPE_READ_ONLY","group":{"enable_readable_secondaries":false,"max":1,"min":1},` +
			`"settings":{},"suspend_timeout_duration":"86400s"}`},
		{p + "/branches/trial/roles?role_id=bruno-keller", "Role", `{}`, `{"attributes":{"bypassrls":false,"createdb":false,"createrole":false},"auth_method":"PG_PASSWORD_SCRAM_SHA_256",` +
			`"identity_type":"IDENTITY_TYPE_UNSPECIFIED","postgres_role":"bruno-keller","role_id":"bruno-keller"}`},
		{
			p + "/branches/trial/roles?role_id=group", "Role", `{"spec":{"identity_type":"GROUP","postgres_role":"baristas","attributes":{"createdb":true}}}`,
			`{"attributes":{"bypassrls":false,"createdb":true,"createrole":false},"auth_method":"LAKEBASE_OAUTH_V1","identity_type":"GROUP","postgres_role":"baristas","role_id":"group"}`,
		},
		{
			p + "/branches/trial/databases?database_id=shots", "Database", `{"spec":{"role":"projects/till/branches/trial/roles/group"}}`,
			`{"database_id":"shots","postgres_database":"shots","role":"projects/till/branches/trial/roles/group"}`,
		},
	} {
		if got := status(made(t, s, tt.path, tt.schema, tt.body)); got != tt.want {
			t.Errorf("%s has the status\n%s\nwant\n%s", tt.path, got, tt.want)
		}
	}
	primary := get(t, s, root+p+"/branches/trial/endpoints/primary", "Endpoint")
	if primary["status"].(map[string]any)["endpoint_type"] != "ENDPOINT_TYPE_READ_WRITE" {
		t.Errorf("a new branch comes with %v", primary)
	}
	if got := names(all(t, s, p+"/branches/trial/databases", "databases", url.Values{})); !slices.Equal(got, []string{p + "/branches/trial/databases/databricks-postgres", p + "/branches/trial/databases/shots"}) {
		t.Errorf("a new branch has the databases %v", got)
	}
}

// TestABranchHasTheRolesAndDatabasesOfItsSource branches off a branch with a role and a database of
// its own.
func TestABranchHasTheRolesAndDatabasesOfItsSource(t *testing.T) {
	s := start(t, nil)
	const from, to = "projects/p/branches/b", "projects/p/branches/copy"
	begun(t, s, "POST", from+"/roles?role_id=barista", `{}`)
	begun(t, s, "POST", from+"/databases?database_id=shots", `{"spec":{"role":"`+from+`/roles/barista"}}`)
	begun(t, s, "POST", "projects/p/branches?branch_id=copy", `{"spec":{"no_expiry":true,"source_branch":"`+from+`"}}`)
	database := get(t, s, root+to+"/databases/shots", "Database")
	if owner := database["status"].(map[string]any)["role"]; owner != to+"/roles/barista" || database["parent"] != to {
		t.Errorf("%v", database)
	}
	get(t, s, root+to+"/roles/barista", "Role")
	if got := get(t, s, root+to, "Branch")["status"].(map[string]any)["source_branch"]; got != from {
		t.Errorf("the source is %v", got)
	}
}

// TestReplacingKeepsWhatIsBelow creates resources that exist, with replace_existing.
func TestReplacingKeepsWhatIsBelow(t *testing.T) {
	s := start(t, nil)
	const branch = "projects/p/branches/b"
	before := get(t, s, root+branch, "Branch")
	after := made(t, s, "projects/p/branches?branch_id=b&replace_existing=true", "Branch", `{"spec":{"no_expiry":true,"is_protected":true}}`)
	if after["uid"] != before["uid"] || after["create_time"] != before["create_time"] || after["update_time"] == before["update_time"] || after["status"].(map[string]any)["is_protected"] != true {
		t.Errorf("from\n%v\nto\n%v", before, after)
	}
	endpoint := made(t, s, branch+"/endpoints?endpoint_id=e&replace_existing=true", "Endpoint", `{"spec":{"endpoint_type":"ENDPOINT_TYPE_READ_WRITE","autoscaling_limit_max_cu":4}}`)
	if status := endpoint["status"].(map[string]any); status["autoscaling_limit_max_cu"] != 4.0 || status["autoscaling_limit_min_cu"] != 1.0 {
		t.Errorf("%v", status)
	}
	// A role is replaced whole.
	role := made(t, s, branch+"/roles?role_id=ada-okafor&replace_existing=true", "Role", `{"spec":{"attributes":{"createdb":true}}}`)["status"].(map[string]any)
	attributes := role["attributes"].(map[string]any)
	if role["membership_roles"] != nil || role["identity_type"] != "IDENTITY_TYPE_UNSPECIFIED" || attributes["createrole"] != false || attributes["createdb"] != true {
		t.Errorf("%v", role)
	}
	get(t, s, root+branch+"/databases/app-data", "Database")
}

// TestOperationsSayWhatTheyAreAbout reads the types of operations' metadata and responses.
func TestOperationsSayWhatTheyAreAbout(t *testing.T) {
	s := start(t, nil)
	const branch = "projects/p/branches/b"
	role := `{"spec":{"role":"` + branch + `/roles/ada-okafor"}}`
	for _, tt := range []struct{ method, path, body, metadata string }{
		{"POST", "projects?project_id=x", `{}`, "Project"},
		{"POST", "projects/p/branches?branch_id=x", `{"spec":{"no_expiry":true}}`, "Branch"},
		{"POST", branch + "/endpoints?endpoint_id=x", `{"spec":{"endpoint_type":"ENDPOINT_TYPE_READ_ONLY"}}`, "Endpoint"},
		{"DELETE", branch + "/endpoints/x", ``, "Endpoint"},
		{"POST", branch + "/databases?database_id=shots", role, "Database"},
		{"POST", branch + "/databases/shots/data-api", `{}`, "DataApi"},
		{"DELETE", branch + "/databases/shots/data-api", ``, "DataApi"},
		{"POST", branch + "/databases/shots/cdf-configs", `{"catalog":"main","schema":"shop","postgres_schema":"public"}`, "CdfConfig"},
		{"DELETE", branch + "/databases/shots/cdf-configs/public", ``, "CdfConfig"},
		{"DELETE", branch + "/databases/shots", ``, "Database"},
		{"POST", branch + "/roles?role_id=somebody", `{}`, "Role"},
		{"DELETE", branch + "/roles/somebody", ``, "Role"},
		{"POST", "projects/p/snapshots?snapshot_id=s", `{"spec":{"source_branch":"` + branch + `"}}`, "Snapshot"},
		{"DELETE", "projects/p/snapshots/s", ``, "Snapshot"},
		{"PATCH", branch + "/snapshot-schedule?update_mask=schedule", `{"schedule":[]}`, "SnapshotSchedule"},
		{"POST", "catalogs?catalog_id=c", `{}`, "Catalog"},
		{"DELETE", "catalogs/c", ``, "Catalog"},
		{"POST", "synced_tables?synced_table_id=a.b.c", `{}`, "SyncedTable"},
		{"DELETE", "synced_tables/a.b.c", ``, "SyncedTable"},
		{"DELETE", "projects/p", ``, "Project"},
	} {
		op := get(t, s, root+begun(t, s, tt.method, tt.path, tt.body), "Operation")
		if about := op["metadata"].(map[string]any)["@type"]; about != "type.googleapis.com/databricks.postgres.v1."+tt.metadata+"OperationMetadata" {
			t.Errorf("%s %s: metadata of %v", tt.method, tt.path, about)
		}
		response, _ := op["response"].(map[string]any)
		if empty := response["@type"] == "type.googleapis.com/google.protobuf.Empty"; empty != (tt.method == "DELETE") {
			t.Errorf("%s %s: response %v", tt.method, tt.path, response)
		}
	}
	begun := send(t, s, request{method: "POST", path: root + "projects?project_id=y", body: `{}`})
	if !strings.Contains(begun.body, `"metadata":{"@type":`) {
		t.Errorf("before its end an operation has no metadata: %s", begun.body)
	}
}
