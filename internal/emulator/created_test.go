package emulator_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestWhatIsCreatedComesBackAsItWasGiven creates resources with few attributes. The answer has the
// attributes of the request and those that the service sets, and no other attribute of requests.
func TestWhatIsCreatedComesBackAsItWasGiven(t *testing.T) {
	s := start(t, nil)
	created := func(path, body string) map[string]any {
		t.Helper()
		var answer map[string]any
		got := send(t, s, request{method: "POST", path: path, body: body})
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != 200 {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		return answer
	}
	object := func(path string) map[string]any {
		t.Helper()
		var answer map[string]any
		if err := json.Unmarshal([]byte(send(t, s, request{path: path}).body), &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	cluster := created("/api/2.1/clusters/create", `{"spark_version":"16.4.x-scala2.12","cluster_name":"mine","node_type_id":"m6i.large","num_workers":1}`)
	got := object("/api/2.1/clusters/get?cluster_id=" + cluster["cluster_id"].(string))
	for _, invented := range []string{"instance_pool_id", "driver_instance_pool_id", "policy_id", "kind", "runtime_engine", "data_security_mode", "terminated_time", "single_user_name"} {
		if got[invented] != nil {
			t.Errorf("a new cluster has %s = %v", invented, got[invented])
		}
	}
	if got["num_workers"] != 1.0 || got["node_type_id"] != "m6i.large" || got["state"] != "RUNNING" {
		t.Errorf("%v", got)
	}

	const uc = "/api/2.1/unity-catalog/"
	for _, tt := range []struct{ path, body, full string }{
		{"catalogs", `{"name":"till"}`, "till"},
		{"schemas", `{"name":"day","catalog_name":"till"}`, "till.day"},
		{"volumes", `{"name":"files","catalog_name":"till","schema_name":"day","volume_type":"MANAGED"}`, "till.day.files"},
		{"models", `{"name":"churn","catalog_name":"till","schema_name":"day"}`, "till.day.churn"},
	} {
		made := created(uc+tt.path, tt.body)
		if found := object(uc + tt.path + "/" + tt.full); made["full_name"] != tt.full || found["full_name"] != tt.full || found["name"] != made["name"] {
			t.Errorf("%s is\n%v\nand found as\n%v", tt.full, made, found)
		}
		wantError(t, send(t, s, request{method: "POST", path: uc + tt.path, body: tt.body}), 409, "RESOURCE_ALREADY_EXISTS", "already exists")
	}
	if got := object(uc + "catalogs/till"); got["isolation_mode"] != nil || got["securable_type"] != nil {
		t.Errorf("a new catalog has %v", got)
	}

	job := created("/api/2.2/jobs/create", `{"name":"night"}`)
	id, _ := json.Marshal(job["job_id"])
	for range 2 {
		raw, _ := json.Marshal(object("/api/2.2/jobs/get?job_id=" + string(id))["settings"])
		if want := `{"email_notifications":{},"format":"MULTI_TASK","max_concurrent_runs":1,"name":"night","timeout_seconds":0,"webhook_notifications":{}}`; string(raw) != want {
			t.Errorf("settings %s, want %s", raw, want)
		}
		created("/api/2.2/jobs/reset", `{"job_id":`+string(id)+`,"new_settings":{"name":"night"}}`)
	}
}

// TestGrantsOfObjects reads and changes privileges.
func TestGrantsOfObjects(t *testing.T) {
	s := start(t, nil)
	const permissions = "/api/2.1/unity-catalog/permissions/"
	for _, tt := range []struct{ method, path, body, want string }{
		{"GET", permissions + "catalog/main", ``, `{"privilege_assignments":[{"principal":"account users","privileges":["USE_CATALOG"]},{"principal":"ada.okafor@harbor-finch.example","privileges":["ALL_PRIVILEGES"]}]}`},
		{"GET", permissions + "catalog/main?principal=account%20users", ``, `{"privilege_assignments":[{"principal":"account users","privileges":["USE_CATALOG"]}]}`},
		{"PATCH", permissions + "catalog/main", `{"changes":[{"principal":"account users","add":["USE_SCHEMA"],"remove":["USE_CATALOG"]},{"principal":"ada.okafor@harbor-finch.example","remove":["ALL_PRIVILEGES"]}]}`, `{"privilege_assignments":[{"principal":"account users","privileges":["USE_SCHEMA"]}]}`},
		{"GET", permissions + "catalog/main", ``, `{"privilege_assignments":[{"principal":"account users","privileges":["USE_SCHEMA"]}]}`},
		{"PATCH", permissions + "catalog/main", `{"changes":[{"principal":"account users","add":["BROWSE"],"remove":["ALL_PRIVILEGES"]}]}`, `{"privilege_assignments":[{"principal":"account users","privileges":["BROWSE"]}]}`},
		{"GET", strings.Replace(permissions, "permissions", "effective-permissions", 1) + "catalog/main", ``, `{"privilege_assignments":[{"principal":"account users","privileges":[{"privilege":"BROWSE"}]}]}`},
	} {
		if got := send(t, s, request{method: tt.method, path: tt.path, body: tt.body}); strings.TrimSpace(got.body) != tt.want {
			t.Errorf("%s %s: %d\n%s\nwant\n%s", tt.method, tt.path, got.status, got.body, tt.want)
		}
	}
	send(t, s, request{method: "POST", path: "/api/2.1/unity-catalog/catalogs", body: `{"name":"till"}`})
	if got := send(t, s, request{path: permissions + "catalog/till"}); strings.Contains(got.body, "principal\"") {
		t.Errorf("a new catalog has grants: %s", got.body)
	}
	wantError(t, send(t, s, request{path: permissions + "catalog/none"}), 404, "CATALOG_DOES_NOT_EXIST", "Catalog 'none' does not exist.")
}
