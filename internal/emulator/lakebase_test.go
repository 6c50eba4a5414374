package emulator_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/apierr"
	"github.com/databricks/databricks-sdk-go/common/types/duration"
	"github.com/databricks/databricks-sdk-go/common/types/fieldmask"
	"github.com/databricks/databricks-sdk-go/service/postgres"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestTheOfficialSDKFromProjectToCredential makes everything that Lakebase has, waits for it with
// the SDK's own waiters, changes it, and takes it away again.
func TestTheOfficialSDKFromProjectToCredential(t *testing.T) {
	s := start(t, nil)
	w := sdk(t, &databricks.Config{Host: s.WorkspaceURL("dbc-1"), Token: s.Token(), AuthType: "pat"})
	ctx := t.Context()
	const project = "projects/espresso"

	creation, err := w.Postgres.CreateProject(ctx, postgres.CreateProjectRequest{
		ProjectId: "espresso", Project: postgres.Project{Spec: &postgres.ProjectSpec{DisplayName: "Espresso", PgVersion: 16}},
	})
	if err != nil {
		t.Fatal(err)
	}
	made, err := creation.Wait(ctx)
	if err != nil || made.Name != project || made.Status.DisplayName != "Espresso" || made.Status.PgVersion != 16 || made.Spec != nil {
		t.Fatalf("%+v, %v", made, err)
	}
	branches, err := w.Postgres.ListBranchesAll(ctx, postgres.ListBranchesRequest{Parent: project})
	if err != nil || len(branches) != 1 || branches[0].Name != project+"/branches/production" || !branches[0].Status.Default {
		t.Fatalf("%+v, %v", branches, err)
	}
	endpoints, err := w.Postgres.ListEndpointsAll(ctx, postgres.ListEndpointsRequest{Parent: branches[0].Name})
	if err != nil || len(endpoints) != 1 || endpoints[0].Name != branches[0].Name+"/endpoints/primary" {
		t.Fatalf("%+v, %v", endpoints, err)
	}
	credential, err := w.Postgres.GenerateDatabaseCredential(ctx, postgres.GenerateDatabaseCredentialRequest{Endpoint: endpoints[0].Name})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := s.Verify(credential.Token); err != nil || c.Audience != endpoints[0].Status.Hosts.Host {
		t.Errorf("%+v, %v", c, err)
	}

	branching, err := w.Postgres.CreateBranch(ctx, postgres.CreateBranchRequest{
		Parent: project, BranchId: "trial", Branch: postgres.Branch{Spec: &postgres.BranchSpec{SourceBranch: branches[0].Name, Ttl: duration.New(time.Hour)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	trial, err := branching.Wait(ctx)
	if err != nil || trial.Status.ExpireTime == nil || !trial.Status.ExpireTime.AsTime().Equal(noon().Add(time.Hour)) {
		t.Fatalf("%+v, %v", trial, err)
	}
	ending, err := w.Postgres.CreateEndpoint(ctx, postgres.CreateEndpointRequest{
		Parent: trial.Name, EndpointId: "primary", ReplaceExisting: true, Endpoint: postgres.Endpoint{Spec: &postgres.EndpointSpec{
			EndpointType: postgres.EndpointTypeEndpointTypeReadWrite, AutoscalingLimitMinCu: 1, AutoscalingLimitMaxCu: 4,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := ending.Wait(ctx)
	if err != nil || endpoint.Status.AutoscalingLimitMaxCu != 4 || endpoint.Status.Hosts.Host == "" {
		t.Fatalf("%+v, %v", endpoint, err)
	}
	growing, err := w.Postgres.UpdateEndpoint(ctx, postgres.UpdateEndpointRequest{
		Name: endpoint.Name, UpdateMask: *fieldmask.New([]string{"spec.autoscaling_limit_max_cu"}),
		Endpoint: postgres.Endpoint{Name: endpoint.Name, Spec: &postgres.EndpointSpec{EndpointType: postgres.EndpointTypeEndpointTypeReadWrite, AutoscalingLimitMaxCu: 8, Disabled: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if grown, err := growing.Wait(ctx); err != nil || grown.Status.AutoscalingLimitMaxCu != 8 || grown.Status.Disabled {
		t.Errorf("with a mask for one attribute: %+v, %v", grown, err)
	}
	roling, err := w.Postgres.CreateRole(ctx, postgres.CreateRoleRequest{
		Parent: trial.Name, RoleId: "barista", Role: postgres.Role{Spec: &postgres.RoleRoleSpec{PostgresRole: "barista@harbor-finch.example", IdentityType: postgres.RoleIdentityTypeUser}},
	})
	if err != nil {
		t.Fatal(err)
	}
	role, err := roling.Wait(ctx)
	if err != nil || role.Status.PostgresRole != "barista@harbor-finch.example" {
		t.Fatalf("%+v, %v", role, err)
	}
	basing, err := w.Postgres.CreateDatabase(ctx, postgres.CreateDatabaseRequest{
		Parent: trial.Name, DatabaseId: "shots", Database: postgres.Database{Spec: &postgres.DatabaseDatabaseSpec{PostgresDatabase: "shots", Role: role.Name}},
	})
	if err != nil {
		t.Fatal(err)
	}
	database, err := basing.Wait(ctx)
	if err != nil || database.Status.Role != role.Name {
		t.Fatalf("%+v, %v", database, err)
	}
	if _, err := w.Postgres.DeleteRole(ctx, postgres.DeleteRoleRequest{Name: role.Name}); err == nil {
		t.Error("a role that owns a database can be deleted")
	}
	owner := trial.Name + "/roles/ada-okafor"
	reassigning, err := w.Postgres.DeleteRole(ctx, postgres.DeleteRoleRequest{Name: role.Name, ReassignOwnedTo: owner})
	if err != nil {
		t.Fatal(err)
	}
	if err := reassigning.Wait(ctx); err != nil {
		t.Error(err)
	}
	if d, err := w.Postgres.GetDatabase(ctx, postgres.GetDatabaseRequest{Name: database.Name}); err != nil || d.Status.Role != owner {
		t.Errorf("%+v, %v", d, err)
	}

	pruning, err := w.Postgres.DeleteBranch(ctx, postgres.DeleteBranchRequest{Name: trial.Name})
	if err != nil {
		t.Fatal(err)
	}
	if err := pruning.Wait(ctx); err != nil {
		t.Error(err)
	}
	if _, err := w.Postgres.GetEndpoint(ctx, postgres.GetEndpointRequest{Name: endpoint.Name}); !errors.Is(err, apierr.ErrNotFound) {
		t.Errorf("the endpoint of a deleted branch: %v", err)
	}
	deleting, err := w.Postgres.DeleteProject(ctx, postgres.DeleteProjectRequest{Name: project})
	if err != nil {
		t.Fatal(err)
	}
	if err := deleting.Wait(ctx); err != nil {
		t.Error(err)
	}
	if _, err := w.Postgres.GenerateDatabaseCredential(ctx, postgres.GenerateDatabaseCredentialRequest{Endpoint: endpoints[0].Name}); !errors.Is(err, apierr.ErrNotFound) {
		t.Errorf("a credential for an endpoint of a deleted project: %v", err)
	}
	restoring, err := w.Postgres.UndeleteProject(ctx, postgres.UndeleteProjectRequest{Name: project})
	if err != nil {
		t.Fatal(err)
	}
	if err := restoring.Wait(ctx); err != nil {
		t.Errorf("%v", err)
	}
	if p, err := w.Postgres.GetProject(ctx, postgres.GetProjectRequest{Name: project}); err != nil || p.DeleteTime != nil {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestLakebaseKeepsItsRules(t *testing.T) {
	s := start(t, nil)
	const p, production = "projects/orders", "projects/orders/branches/production"
	for _, tt := range []struct {
		name, method, path, body, code, message string
		status                                  int
	}{
		{"branch without an end", "POST", p + "/branches?branch_id=x", `{}`, "INVALID_PARAMETER_VALUE", "exactly one of ttl", 400},
		{"branch with two ends", "POST", p + "/branches?branch_id=x", `{"spec":{"no_expiry":true,"ttl":"60s"}}`, "INVALID_PARAMETER_VALUE", "it has 2", 400},
		{"branch that is over", "POST", p + "/branches?branch_id=x", `{"spec":{"expire_time":"2020-01-01T00:00:00Z"}}`, "INVALID_PARAMETER_VALUE", "in the future", 400},
		{"branch of nothing", "POST", p + "/branches?branch_id=x", `{"spec":{"no_expiry":true,"source_branch":"` + p + `/branches/none"}}`, "INVALID_PARAMETER_VALUE", "is no branch of", 400},
		{"branch in nothing", "POST", "projects/none/branches?branch_id=x", `{"spec":{"no_expiry":true}}`, "NOT_FOUND", `project "projects/none" does not exist`, 404},
		{"branch that is there", "POST", p + "/branches?branch_id=production", `{"spec":{"no_expiry":true}}`, "ALREADY_EXISTS", "already exists", 409},
		{"id in capitals", "POST", p + "/branches?branch_id=X", `{"spec":{"no_expiry":true}}`, "INVALID_PARAMETER_VALUE", "is not an id", 400},
		{"short database id", "POST", production + "/databases?database_id=abc", `{"spec":{"role":"` + production + `/roles/ada-okafor"}}`, "INVALID_PARAMETER_VALUE", "4 to 63", 400},
		{"root branch", "DELETE", production, ``, "BAD_REQUEST", "Cannot delete root branch", 400},
		{"endpoint that writes", "DELETE", production + "/endpoints/primary", ``, "BAD_REQUEST", "Read-write endpoints cannot be deleted", 400},
		{"role that is there", "POST", production + "/roles?role_id=ada-okafor", `{}`, "BAD_REQUEST", "role with that name already exists", 400},
		{"role whose name is taken", "POST", production + "/roles?role_id=somebody", `{"spec":{"postgres_role":"ada.okafor@harbor-finch.example"}}`, "BAD_REQUEST", "role with that name already exists", 400},
		{"short role id", "POST", production + "/roles?role_id=abc", `{}`, "INVALID_PARAMETER_VALUE", "4 to 63", 400},
		{"database that is there", "POST", production + "/databases?database_id=app-data", `{"spec":{"role":"` + production + `/roles/ada-okafor"}}`, "BAD_REQUEST", "database with that name already exists", 400},
		{"database whose name is taken", "POST", production + "/databases?database_id=app-data-2", `{"spec":{"role":"` + production + `/roles/ada-okafor","postgres_database":"app_data"}}`, "BAD_REQUEST", "database with that name already exists", 400},
		{"database without an owner", "POST", production + "/databases?database_id=shots", `{"spec":{"role":""}}`, "INVALID_PARAMETER_VALUE", "Field 'database.spec.role' is required, expected non-default value (not \"\")!", 400},
		{"database of nobody", "POST", production + "/databases?database_id=shots", `{"spec":{"role":"` + production + `/roles/ghost"}}`, "NOT_FOUND", "role not found; role_id:\"ghost\"", 404},
		{"database of a role elsewhere", "POST", production + "/databases?database_id=shots", `{"spec":{"role":"` + p + `/branches/development/roles/ada-okafor"}}`, "INVALID_PARAMETER_VALUE", "is no role of the branch", 400},
		{"database that loses its owner", "PATCH", production + "/databases/app-data?update_mask=spec.role", `{"spec":{"role":""}}`, "INVALID_PARAMETER_VALUE", "database.spec.role", 400},
		{"version", "POST", "projects?project_id=x", `{"spec":{"pg_version":15}}`, "INVALID_PARAMETER_VALUE", "16 or 17", 400},
		{"short history", "POST", "projects?project_id=x", `{"spec":{"history_retention_duration":"60s"}}`, "INVALID_PARAMETER_VALUE", "from 172800s to 3024000s", 400},
		{"too large", "POST", production + "/endpoints?endpoint_id=x", `{"spec":{"endpoint_type":"ENDPOINT_TYPE_READ_ONLY","autoscaling_limit_max_cu":65}}`, "INVALID_PARAMETER_VALUE", "from 0.5 to 64", 400},
		{"too far apart", "POST", production + "/endpoints?endpoint_id=x", `{"spec":{"endpoint_type":"ENDPOINT_TYPE_READ_ONLY","autoscaling_limit_min_cu":1,"autoscaling_limit_max_cu":18}}`, "INVALID_PARAMETER_VALUE", "at most 16 above", 400},
		{"second writer", "POST", production + "/endpoints?endpoint_id=x", `{"spec":{"endpoint_type":"ENDPOINT_TYPE_READ_WRITE"}}`, "FAILED_PRECONDITION", "writes already", 400},
		{"quick suspension", "POST", production + "/endpoints?endpoint_id=x", `{"spec":{"endpoint_type":"ENDPOINT_TYPE_READ_ONLY","suspend_timeout_duration":"59s"}}`, "INVALID_PARAMETER_VALUE", "from 60s", 400},
		{"unknown path", "PATCH", p + "?update_mask=spec.nothing", `{"spec":{}}`, "INVALID_PARAMETER_VALUE", "spec.display_name", 400},
		{"project that is not deleted", "POST", p + "/undelete", `{}`, "FAILED_PRECONDITION", "is not deleted", 400},
		{"table with a short name", "POST", "synced_tables?synced_table_id=a.b", `{}`, "INVALID_PARAMETER_VALUE", "catalog.schema.table", 400},
		{"operation that nobody began", "GET", p + "/operations/x", ``, "NOT_FOUND", "does not exist", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, send(t, s, request{method: tt.method, path: root + tt.path, body: tt.body}), tt.status, tt.code, tt.message)
		})
	}
}

// begun sends a change and returns the name of the operation that it starts.
func begun(t *testing.T, s *emulator.Server, method, path, body string) string {
	t.Helper()
	got := send(t, s, request{method: method, path: root + path, body: body})
	if got.status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
	op := judge(t, "Operation", got.body)
	if op["done"] != false {
		t.Errorf("%s %s: %s", method, path, got.body)
	}
	return op["name"].(string)
}

func TestOperationsTakeTheirTimeAndCanFail(t *testing.T) {
	var passed atomic.Int64
	s := start(t, func(o *emulator.Options) {
		o.OperationTime = time.Minute
		o.Clock = func() time.Time { return noon().Add(time.Duration(passed.Load())) }
	})
	name := begun(t, s, "POST", "projects?project_id=slow", `{}`)
	if op := get(t, s, root+name, "Operation"); op["done"] != false || op["response"] != nil {
		t.Errorf("at once: %v", op)
	}
	passed.Add(int64(time.Minute))
	op := get(t, s, root+name, "Operation")
	body, _ := json.Marshal(op["response"])
	if made := judge(t, "Project", string(body)); op["done"] != true || made["name"] != "projects/slow" {
		t.Errorf("after a minute: %v", op)
	}

	s.SetFaults(rule(t, "POST /api/2.0/postgres/projects: fail x1"))
	name = begun(t, s, "POST", "projects?project_id=doomed", `{}`)
	passed.Add(int64(time.Minute))
	op = get(t, s, root+name, "Operation")
	if e, _ := op["error"].(map[string]any); op["done"] != true || e["error_code"] != "INTERNAL_ERROR" || op["response"] != nil {
		t.Errorf("an operation that was to fail: %v", op)
	}
	wantError(t, send(t, s, request{path: root + "projects/doomed"}), 404, "NOT_FOUND", "doomed")
}

func TestMasksChangeWhatTheyName(t *testing.T) {
	s := start(t, nil)
	change := func(path, mask, body string) map[string]any {
		t.Helper()
		name := begun(t, s, "PATCH", path+"?update_mask="+mask, body)
		return get(t, s, root+name, "Operation")["response"].(map[string]any)["status"].(map[string]any)
	}
	before := get(t, s, root+"projects/orders", "Project")["status"].(map[string]any)
	after := change("projects/orders", "spec.display_name,spec.default_endpoint_settings.autoscaling_limit_max_cu",
		`{"spec":{"display_name":"All orders","pg_version":17,"default_endpoint_settings":{"autoscaling_limit_max_cu":4,"autoscaling_limit_min_cu":2}}}`)
	settings := after["default_endpoint_settings"].(map[string]any)
	if after["display_name"] != "All orders" || after["pg_version"] != before["pg_version"] || settings["autoscaling_limit_max_cu"] != 4.0 || settings["autoscaling_limit_min_cu"] != 1.0 {
		t.Errorf("from\n%v\nto\n%v", before, after)
	}
	// A body must have the required attributes that the mask names.
	const endpoint = "projects/orders/branches/production/endpoints/primary"
	if grown := change(endpoint, "spec.autoscaling_limit_max_cu", `{"spec":{"autoscaling_limit_max_cu":6}}`); grown["autoscaling_limit_max_cu"] != 6.0 || grown["endpoint_type"] != "ENDPOINT_TYPE_READ_WRITE" {
		t.Errorf("%v", grown)
	}
	for _, mask := range []string{"spec", "*", "spec.endpoint_type", "spec.disabled,spec"} {
		r := request{method: "PATCH", path: root + endpoint + "?update_mask=" + mask, body: `{"spec":{"autoscaling_limit_max_cu":6}}`}
		wantError(t, send(t, s, r), 400, "INVALID_PARAMETER_VALUE", "spec.endpoint_type is required")
	}
	const branch = "projects/orders/branches/development"
	if ends := change(branch, "spec.expiration", `{"spec":{"ttl":"3600s"}}`); ends["expire_time"] != "2026-03-04T13:00:00Z" {
		t.Errorf("%v", ends)
	}
	if stays := change(branch, "spec.expiration", `{"spec":{"no_expiry":true}}`); stays["expire_time"] != nil {
		t.Errorf("%v", stays)
	}
	if kept := change(branch, "spec.is_protected", `{"spec":{"is_protected":true}}`); kept["is_protected"] != true {
		t.Errorf("%v", kept)
	}
	wantError(t, send(t, s, request{method: "DELETE", path: root + branch}), 400, "BAD_REQUEST", "Cannot delete protected branch")
	wantError(t, send(t, s, request{method: "DELETE", path: root + "projects/orders"}), 400, "BAD_REQUEST", branch+"\" is protected")
	change(branch, "spec.is_protected", `{"spec":{"is_protected":false}}`)
	begun(t, s, "DELETE", branch, "")
	wantError(t, send(t, s, request{path: root + branch + "/endpoints"}), 404, "NOT_FOUND", "development")
}

func TestDeletedProjectsAreKeptUntilTheyArePurged(t *testing.T) {
	s := start(t, nil)
	begun(t, s, "DELETE", "projects/web-shop", "")
	listed := names(all(t, s, "projects", "projects", map[string][]string{"show_deleted": {"true"}}))
	if !strings.Contains(strings.Join(listed, " "), "projects/web-shop") {
		t.Errorf("deleted projects: %v", listed)
	}
	wantError(t, send(t, s, request{method: "POST", path: root + "projects?project_id=web-shop", body: `{}`}), 409, "ALREADY_EXISTS", "undelete it")
	begun(t, s, "DELETE", "projects/web-shop?purge=true", "")
	begun(t, s, "POST", "projects?project_id=web-shop", `{}`)
	if branches := names(all(t, s, "projects/web-shop/branches", "branches", map[string][]string{})); len(branches) != 1 {
		t.Errorf("a project that is made anew has the branches %v", branches)
	}
}
