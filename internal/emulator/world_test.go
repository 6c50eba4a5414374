package emulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/apierr"
	"github.com/databricks/databricks-sdk-go/listing"
	"github.com/databricks/databricks-sdk-go/service/compute"
	"github.com/databricks/databricks-sdk-go/service/iam"
	"github.com/databricks/databricks-sdk-go/service/jobs"
	"github.com/databricks/databricks-sdk-go/service/sql"

	"github.com/lakeql/lakeql/internal/emulator"
)

// rows returns the items of a list that has one page.
func rows(t *testing.T, s *emulator.Server, r request, key string) []map[string]any {
	t.Helper()
	got := send(t, s, r)
	if got.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", r.path, got.status, got.body)
	}
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.UseNumber() // ids may have more digits than a float64 holds
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	if object, ok := value.(map[string]any); ok {
		value = object[key]
	}
	items, _ := value.([]any)
	all := make([]map[string]any, len(items))
	for i, item := range items {
		all[i] = item.(map[string]any)
	}
	return all
}

// column returns an attribute of all items.
func column(items []map[string]any, name string) []string {
	values := make([]string, len(items))
	for i, item := range items {
		values[i] = fmt.Sprint(item[name])
	}
	return values
}

func TestReferencesJoin(t *testing.T) {
	s := start(t, nil)
	within := func(what string, some, all []string) {
		t.Helper()
		if len(some) == 0 || len(all) == 0 {
			t.Errorf("%s: %d refer to %d", what, len(some), len(all))
		}
		for _, one := range some {
			if !slices.Contains(all, one) {
				t.Errorf("%s: %s is none of %v", what, one, all)
			}
		}
	}
	list := func(path, key string) []map[string]any {
		t.Helper()
		return rows(t, s, request{path: path}, key)
	}
	jobIDs := column(list("/api/2.2/jobs/list", "jobs"), "job_id")
	within("runs' jobs", column(list("/api/2.2/jobs/runs/list?limit=1000", "runs"), "job_id"), jobIDs)
	if runs := list("/api/2.2/jobs/runs/list?job_id="+jobIDs[2], "runs"); len(runs) != 12 || slices.ContainsFunc(column(runs, "job_id"), func(id string) bool { return id != jobIDs[2] }) {
		t.Errorf("runs of one job: %v", column(runs, "job_id"))
	}
	catalogs := column(list("/api/2.1/unity-catalog/catalogs", "catalogs"), "name")
	for _, catalog := range catalogs {
		schemas := list("/api/2.1/unity-catalog/schemas?catalog_name="+catalog, "schemas")
		within("schemas' catalogs", column(schemas, "catalog_name"), []string{catalog})
		for _, schema := range column(schemas, "name") {
			for _, table := range list("/api/2.1/unity-catalog/tables?catalog_name="+catalog+"&schema_name="+schema, "tables") {
				if got := send(t, s, request{path: "/api/2.1/unity-catalog/tables/" + table["full_name"].(string)}); got.status != http.StatusOK || table["full_name"] != catalog+"."+schema+"."+table["name"].(string) {
					t.Errorf("%v: %d %s", table["full_name"], got.status, got.body)
				}
			}
		}
	}
	users := column(list("/api/2.0/preview/scim/v2/Users", "Resources"), "id")
	for _, group := range list("/api/2.0/preview/scim/v2/Groups", "Resources") {
		for _, member := range group["members"].([]any) {
			within("members", []string{member.(map[string]any)["value"].(string)}, users)
		}
	}
	within("data sources' warehouses", column(list("/api/2.0/preview/sql/data_sources", ""), "warehouse_id"), column(list("/api/2.0/sql/warehouses", "warehouses"), "id"))
	within("alerts' warehouses", column(list("/api/2.0/alerts", "alerts"), "warehouse_id"), column(list("/api/2.0/sql/warehouses", "warehouses"), "id"))
}

func TestWorkspacesDifferAndTheirAccountIsOne(t *testing.T) {
	names := []string{"finch-a", "finch-b"}
	s := start(t, func(o *emulator.Options) { o.Workspaces = names })
	account := "/api/2.0/accounts/" + s.AccountID()
	listed := rows(t, s, request{path: account + "/workspaces"}, "")
	if got := column(listed, "deployment_name"); len(got) != 2 || !slices.Contains(got, "finch-a") || !slices.Contains(got, "finch-b") {
		t.Fatalf("the account has %v", got)
	}
	for _, w := range listed {
		about := send(t, s, request{path: "/.well-known/databricks-config", workspace: w["deployment_name"].(string)})
		if id := fmt.Sprint(w["workspace_id"]); !strings.Contains(about.body, `"workspace_id":"`+id+`"`) || !strings.Contains(about.body, s.AccountID()) {
			t.Errorf("workspace %s says of itself %s", id, about.body)
		}
	}
	clusters := func(workspace string) []string {
		return column(rows(t, s, request{path: "/api/2.1/clusters/list", workspace: workspace}, "clusters"), "cluster_id")
	}
	if slices.Equal(clusters("finch-a"), clusters("finch-b")) {
		t.Error("two workspaces have the same clusters")
	}
	send(t, s, request{method: "POST", path: "/api/2.1/unity-catalog/catalogs", body: `{"name":"mine"}`, workspace: "finch-a"})
	for workspace, want := range map[string]int{"finch-a": 200, "finch-b": 404} {
		if got := send(t, s, request{path: "/api/2.1/unity-catalog/catalogs/mine", workspace: workspace}); got.status != want {
			t.Errorf("in %s: %d", workspace, got.status)
		}
	}
	// The account answers at every host, and for no other account.
	for _, workspace := range []string{"", "finch-a", "accounts"} {
		if got := rows(t, s, request{path: account + "/workspaces", workspace: workspace}, ""); len(got) != 2 {
			t.Errorf("at %q: %v", workspace, got)
		}
	}
	wantError(t, send(t, s, request{path: "/api/2.0/accounts/1-2-3/workspaces"}), 404, "NOT_FOUND", s.AccountID())
	again := start(t, func(o *emulator.Options) { o.Workspaces = names })
	if one, two := send(t, s, request{path: account + "/scim/v2/Users"}), send(t, again, request{path: account + "/scim/v2/Users"}); one.body != two.body {
		t.Errorf("the same seed gives\n%s\nand\n%s", one.body, two.body)
	}
}

func TestTheAccountHasALoginOfItsOwn(t *testing.T) {
	s := start(t, nil)
	a, err := databricks.NewAccountClient(&databricks.Config{
		Host: s.WorkspaceURL("accounts"), AccountID: s.AccountID(), ClientID: s.ClientID(), ClientSecret: s.ClientSecret(), AuthType: "oauth-m2m", HTTPTransport: client(t).Transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	if listed, err := a.Workspaces.List(t.Context()); err != nil || len(listed) != 3 {
		t.Errorf("%d workspaces, %v", len(listed), err)
	}
	w := sdk(t, &databricks.Config{Host: s.WorkspaceURL("finch-dev"), ClientID: s.ClientID(), ClientSecret: s.ClientSecret(), AuthType: "oauth-m2m"})
	if _, err := w.CurrentUser.Me(t.Context(), iam.MeRequest{}); err != nil {
		t.Error(err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"all-apis"}, "client_id": {s.ClientID()}, "client_secret": {s.ClientSecret()}}.Encode()
	issued := func(path string) string {
		t.Helper()
		got := send(t, s, request{method: "POST", path: path, body: form, token: "-", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
		var answer struct {
			Token string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil || answer.Token == "" {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		return answer.Token
	}
	ofAccount, ofWorkspace := issued("/oidc/accounts/"+s.AccountID()+"/v1/token"), issued("/oidc/v1/token")
	account, workspace := "/api/2.0/accounts/"+s.AccountID()+"/workspaces", "/api/2.1/clusters/list"
	for _, tt := range []struct {
		path, token string
		status      int
	}{{account, ofAccount, 200}, {account, ofWorkspace, 401}, {workspace, ofAccount, 401}, {workspace, ofWorkspace, 200}} {
		if got := send(t, s, request{path: tt.path, token: tt.token}); got.status != tt.status {
			t.Errorf("%s: %d, want %d: %s", tt.path, got.status, tt.status, got.body)
		}
	}
}

// TestTheOfficialSDKReadsEveryKindOfPaging lists more than fits on a page.
func TestTheOfficialSDKReadsEveryKindOfPaging(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Scale, o.PageSize = 57, 10 })
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	ctx := t.Context()

	// by position
	made, err := w.UsersV2.Create(ctx, iam.CreateUserRequest{UserName: "zoe@harbor-finch.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, count := range []int64{7, 100} {
		users, err := listing.ToSlice(ctx, w.UsersV2.List(ctx, iam.ListUsersRequest{Count: count}))
		ids := map[string]bool{}
		for _, u := range users {
			ids[u.Id] = true
		}
		if err != nil || len(users) != 12+57+1 || len(ids) != len(users) || !ids[made.Id] {
			t.Errorf("by %d: %d users, %d of them different, %v", count, len(users), len(ids), err)
		}
	}
	if err := w.UsersV2.Delete(ctx, iam.DeleteUserRequest{Id: "8000000000000030"}); err != nil {
		t.Fatal(err)
	}
	if users, err := listing.ToSlice(ctx, w.UsersV2.List(ctx, iam.ListUsersRequest{Count: 9})); err != nil || len(users) != 69 {
		t.Errorf("without one in the middle: %d users, %v", len(users), err)
	}
	if found, err := w.UsersV2.ListAll(ctx, iam.ListUsersRequest{Filter: `userName eq "ZOE@harbor-finch.example"`}); err != nil || len(found) != 1 || found[0].Id != made.Id {
		t.Errorf("%+v, %v", found, err)
	}
	if found, err := w.UsersV2.ListAll(ctx, iam.ListUsersRequest{Filter: `userName sw "user-"`, Attributes: "id,userName"}); err != nil || len(found) != 56 || found[0].DisplayName != "" {
		t.Errorf("%d users, %v", len(found), err)
	}

	// by token
	runs, err := w.Jobs.ListRunsAll(ctx, jobs.ListRunsRequest{})
	if err != nil || len(runs) != 8*12+57 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
	each := map[int64]int{}
	for _, r := range runs {
		each[r.JobId]++
	}
	for job, n := range each {
		if some, err := listing.ToSlice(ctx, w.Jobs.ListRuns(ctx, jobs.ListRunsRequest{JobId: job, Limit: 3})); err != nil || len(some) != n {
			t.Errorf("%d runs of %d, and not %d, %v", len(some), job, n, err)
		}
	}
	if active, err := w.Jobs.ListRunsAll(ctx, jobs.ListRunsRequest{ActiveOnly: true}); err != nil || len(active) != 1 {
		t.Errorf("%d runs are active, %v", len(active), err)
	}

	// by page number
	if boards, err := listing.ToSlice(ctx, w.Dashboards.List(ctx, sql.ListDashboardsRequest{PageSize: 2})); err != nil || len(boards) != 3 {
		t.Errorf("%d dashboards, %v", len(boards), err)
	}

	// by the request for the next page
	clusters, err := w.Clusters.ListAll(ctx, compute.ListClustersRequest{})
	if err != nil || len(clusters) != 4 {
		t.Fatalf("%d clusters, %v", len(clusters), err)
	}
	events, err := listing.ToSlice(ctx, w.Clusters.Events(ctx, compute.GetEvents{ClusterId: clusters[0].ClusterId, PageSize: 50}))
	if err != nil || len(events) != 130 || !slices.IsSortedFunc(events, func(a, b compute.ClusterEvent) int { return int(b.Timestamp - a.Timestamp) }) {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// TestTheOfficialSDKWaits starts long-running operations, waits with the SDK's waiters, and lets some fail.
func TestTheOfficialSDKWaits(t *testing.T) {
	var passed atomic.Int64
	s := start(t, func(o *emulator.Options) {
		o.OperationTime = time.Minute
		o.Clock = func() time.Time { return noon().Add(time.Duration(passed.Load())) }
	})
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	ctx := t.Context()
	created, err := w.Clusters.Create(ctx, compute.CreateCluster{SparkVersion: "16.4.x-scala2.12", ClusterName: "mine", NodeTypeId: "m6i.large", NumWorkers: 1})
	if err != nil {
		t.Fatal(err)
	}
	id := compute.GetClusterRequest{ClusterId: created.ClusterId}
	if c, err := w.Clusters.Get(ctx, id); err != nil || c.State != compute.StatePending || c.ClusterName != "mine" {
		t.Errorf("at once: %+v, %v", c, err)
	}
	passed.Add(int64(time.Minute))
	if c, err := created.Get(); err != nil || c.State != compute.StateRunning || c.NumWorkers != 1 {
		t.Errorf("after a minute: %+v, %v", c, err)
	}
	stopping, err := w.Clusters.Delete(ctx, compute.DeleteCluster{ClusterId: created.ClusterId})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := w.Clusters.Get(ctx, id); err != nil || c.State != compute.StateTerminating {
		t.Errorf("%+v, %v", c, err)
	}
	passed.Add(int64(time.Minute))
	if c, err := stopping.Get(); err != nil || c.State != compute.StateTerminated {
		t.Errorf("%+v, %v", c, err)
	}

	job, err := w.Jobs.Create(ctx, jobs.CreateJob{Name: "try", Tasks: []jobs.Task{{TaskKey: "main", NotebookTask: &jobs.NotebookTask{NotebookPath: "/Shared/x"}}}})
	if err != nil {
		t.Fatal(err)
	}
	run := func() *jobs.WaitGetRunJobTerminatedOrSkipped[jobs.RunNowResponse] {
		t.Helper()
		begun, err := w.Jobs.RunNow(ctx, jobs.RunNow{JobId: job.JobId})
		if err != nil {
			t.Fatal(err)
		}
		return begun
	}
	first := run()
	if _, err := w.Jobs.CancelRun(ctx, jobs.CancelRun{RunId: first.RunId}); err != nil {
		t.Fatal(err)
	}
	if r, err := first.Get(); err != nil || r.State.ResultState != jobs.RunResultStateCanceled {
		t.Errorf("cancelled: %+v, %v", r, err)
	}
	second := run()
	s.SetFaults(rule(t, "POST /api/2.2/jobs/run-now: fail x1"), rule(t, "POST /api/2.1/clusters/start: fail"))
	third := run()
	passed.Add(int64(time.Minute))
	for want, begun := range map[jobs.RunResultState]*jobs.WaitGetRunJobTerminatedOrSkipped[jobs.RunNowResponse]{
		jobs.RunResultStateSuccess: second, jobs.RunResultStateFailed: third,
	} {
		if r, err := begun.Get(); err != nil || r.State.ResultState != want || r.JobId != job.JobId {
			t.Errorf("%+v, %v, want %s", r, err, want)
		}
	}
	starting, err := w.Clusters.Start(ctx, compute.StartCluster{ClusterId: created.ClusterId})
	if err != nil {
		t.Fatal(err)
	}
	passed.Add(int64(time.Minute))
	if _, err := starting.Get(); err == nil {
		t.Error("a cluster that was to fail runs")
	}
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	s := start(t, nil)
	for _, tt := range []struct {
		method, path, body, code, message string
		status                            int
	}{
		{"GET", "/api/2.2/jobs/get?job_id=1", "", "RESOURCE_DOES_NOT_EXIST", `Job "1"`, 404},
		{"GET", "/api/2.1/unity-catalog/tables?catalog_name=main&schema_name=none", "", "SCHEMA_DOES_NOT_EXIST", "main.none", 404},
		{"POST", "/api/2.1/unity-catalog/schemas", `{"name":"x","catalog_name":"none"}`, "CATALOG_DOES_NOT_EXIST", "none", 404},
		{"POST", "/api/2.1/unity-catalog/catalogs", `{"name":"main"}`, "RESOURCE_ALREADY_EXISTS", "main", 409},
		{"GET", "/api/2.0/apps/none/deployments", "", "RESOURCE_DOES_NOT_EXIST", `App "none"`, 404},
		{"GET", "/api/2.0/secrets/list?scope=none", "", "RESOURCE_DOES_NOT_EXIST", "none", 404},
		{"POST", "/api/2.2/jobs/run-now", `{"job_id":1}`, "INVALID_PARAMETER_VALUE", "Job 1", 400},
		{"GET", "/api/2.0/workspace/list?path=/none", "", "RESOURCE_DOES_NOT_EXIST", "/none", 404},
		{"GET", "/api/2.2/jobs/list?limit=-1", "", "INVALID_PARAMETER_VALUE", "limit", 400},
		{"GET", "/api/2.2/jobs/list?page_token=x", "", "INVALID_PARAMETER_VALUE", "page_token", 400},
		{"GET", "/api/2.0/preview/scim/v2/Users?filter=or", "", "INVALID_PARAMETER_VALUE", "filter", 400},
	} {
		wantError(t, send(t, s, request{method: tt.method, path: tt.path, body: tt.body}), tt.status, tt.code, tt.message)
	}
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	if _, err := w.Jobs.Get(t.Context(), jobs.GetJobRequest{JobId: 1}); !errors.Is(err, apierr.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// TestGroupsNameTheirMembers: the workspace knows the names of the users and groups that a request adds by their
// ids, and adds each once.
func TestGroupsNameTheirMembers(t *testing.T) {
	s := start(t, nil)
	const groups = "/api/2.0/preview/scim/v2/Groups"
	added := `{"value":"7104220950318005"},{"value":"7104220950400002"},{"value":"7104220950318005"}`
	for name, r := range map[string]request{
		"patch":   {method: "PATCH", path: groups + "/7104220950400001", body: `{"Operations":[{"op":"replace","path":"members","value":[` + added + `]}]}`},
		"create":  {method: "POST", path: groups, body: `{"displayName":"new","members":[` + added + `]}`},
		"replace": {method: "PUT", path: groups + "/7104220950400003", body: `{"displayName":"data-engineers","members":[` + added + `]}`},
	} {
		if got := send(t, s, r); got.status/100 != 2 {
			t.Fatalf("%s: %d %s", name, got.status, got.body)
		}
	}
	for _, name := range []string{"admins", "new", "data-engineers"} {
		group := rows(t, s, request{path: groups + "?filter=" + url.QueryEscape(`displayName eq "`+name+`"`)}, "Resources")[0]
		var members []string
		for _, m := range group["members"].([]any) {
			member := m.(map[string]any)
			members = append(members, fmt.Sprint(member["display"], " ", member["$ref"]))
		}
		if want := []string{"Tomas Lindqvist Users/7104220950318005", "analysts Groups/7104220950400002"}; !slices.Equal(members, want) {
			t.Errorf("%s has %q, want %q", name, members, want)
		}
	}
}
