package emulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/listing"
	"github.com/databricks/databricks-sdk-go/service/jobs"

	"github.com/lakeql/lakeql/internal/emulator"
)

// paged returns the items of a list, page by page.
func paged(t *testing.T, s *emulator.Server, method, path, key string) []map[string]any {
	t.Helper()
	var all []map[string]any
	r := request{method: method, path: path}
	if method == http.MethodPost {
		r.body = "{}"
	}
	for {
		got := send(t, s, r)
		var page map[string]json.RawMessage
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
		}
		var items []map[string]any
		decoder := json.NewDecoder(bytes.NewReader(page[key]))
		decoder.UseNumber() // whose digits tell which is greater
		if err := decoder.Decode(&items); err != nil {
			t.Fatalf("%s %s has no %s: %s", method, path, key, got.body)
		}
		all = append(all, items...)
		var next string
		switch err := json.Unmarshal(page["next_page_token"], &next); {
		case err != nil || next == "":
			return all
		case method == http.MethodPost:
			r.body = `{"page_token":"` + next + `"}`
		default:
			r.path = path + "?page_token=" + next
		}
	}
}

// ticking is a clock that goes on by a second whenever it is asked.
func ticking() func() time.Time {
	var asked atomic.Int64
	return func() time.Time { return noon().Add(time.Duration(asked.Add(1)) * time.Second) }
}

func TestRunsAreListedNewestFirst(t *testing.T) {
	for _, scale := range []int{0, 1, 57, 200} {
		t.Run(fmt.Sprint(scale), func(t *testing.T) {
			s := start(t, func(o *emulator.Options) { o.Scale, o.PageSize, o.Clock = scale, 10, ticking() })
			w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
			first, err := w.Jobs.ListAll(t.Context(), jobs.ListJobsRequest{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			job := first[0].JobId
			var begun []int64
			for range 3 {
				run, err := w.Jobs.RunNow(t.Context(), jobs.RunNow{JobId: job})
				if err != nil {
					t.Fatal(err)
				}
				begun = append([]int64{run.RunId}, begun...)
			}
			submitted, err := w.Jobs.Submit(t.Context(), jobs.SubmitRun{RunName: "once"})
			if err != nil {
				t.Fatal(err)
			}
			for name, list := range map[string]struct {
				jobs.ListRunsRequest
				count  int
				newest []int64
			}{
				"all":        {jobs.ListRunsRequest{}, 8*12 + scale + 4, append([]int64{submitted.RunId}, begun...)},
				"of a job":   {jobs.ListRunsRequest{JobId: job, Limit: 3}, 0, begun},
				"of a while": {jobs.ListRunsRequest{StartTimeTo: noon().UnixMilli()}, 8*12 + scale, nil},
			} {
				runs, err := listing.ToSlice(t.Context(), w.Jobs.ListRuns(t.Context(), list.ListRunsRequest))
				if err != nil || list.count > 0 && len(runs) != list.count || len(runs) < 12 {
					t.Errorf("%s: %d runs, want %d, %v", name, len(runs), list.count, err)
					continue
				}
				for i, id := range list.newest {
					if runs[i].RunId != id {
						t.Errorf("%s: run %d is %d, want %d", name, i, runs[i].RunId, id)
					}
				}
				for i := range runs[1:] {
					if runs[i].StartTime <= runs[i+1].StartTime {
						t.Errorf("%s: %d started at %d and is listed before %d, which started at %d", name, runs[i].RunId, runs[i].StartTime, runs[i+1].RunId, runs[i+1].StartTime)
					}
				}
			}
		})
	}
}

// TestAMillionRunsAreNotSorted reads the newest of them, and those after the last run of the story.
func TestAMillionRunsAreNotSorted(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Scale = 1_000_000 })
	last := int64(0)
	var token string
	for range 3 {
		path := "/api/2.2/jobs/runs/list?limit=90"
		if token != "" {
			path += "&page_token=" + token
		}
		var page jobs.ListRunsResponse
		if err := json.Unmarshal([]byte(send(t, s, request{path: path}).body), &page); err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Runs {
			if last != 0 && r.StartTime >= last {
				t.Errorf("%d started at %d, after %d", r.RunId, r.StartTime, last)
			}
			last = r.StartTime
		}
		if len(page.Runs) != 90 || page.NextPageToken == "" {
			t.Fatalf("%d runs, and %q", len(page.Runs), page.NextPageToken)
		}
		token = page.NextPageToken
	}
}

func TestCancelAllReachesTheNewestOfManyRuns(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Scale, o.OperationTime = 100_000, time.Hour })
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	if _, err := w.Jobs.Submit(t.Context(), jobs.SubmitRun{RunName: "once"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Jobs.CancelAllRuns(t.Context(), jobs.CancelAllRuns{}); err != nil {
		t.Fatal(err)
	}
	if runs := rows(t, s, request{path: "/api/2.2/jobs/runs/list?limit=100"}, "runs"); slices.ContainsFunc(runs, func(r map[string]any) bool {
		return r["state"].(map[string]any)["life_cycle_state"] == "RUNNING"
	}) {
		t.Errorf("a run goes on: %v", runs)
	}
}

// TestDocumentedOrders lists collections with a documented order, after an addition, in pages of two.
func TestDocumentedOrders(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Clock, o.PageSize = ticking(), 2 })
	must := func(method, path, body string) {
		t.Helper()
		if got := send(t, s, request{method: method, path: path, body: body}); got.status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
		}
	}
	pipeline := column(rows(t, s, request{path: "/api/2.0/pipelines"}, "statuses"), "pipeline_id")[0]
	warehouse := column(rows(t, s, request{path: "/api/2.0/sql/warehouses"}, "warehouses"), "id")[0]
	policies := "/api/2.1/accounts/" + s.AccountID() + "/budget-policies"
	for _, name := range []string{"b", "d", "a", "c"} {
		must("POST", "/api/2.2/jobs/create", `{"name":"`+name+`"}`)
		must("POST", "/api/2.0/pipelines/"+pipeline+"/updates", `{}`)
		must("POST", "/api/2.0/mlflow/runs/create", `{"experiment_id":"2410000000000001","run_name":"`+name+`"}`)
		must("POST", "/api/2.0/sql/queries", `{"query":{"display_name":"`+name+`","query_text":"SELECT 1","warehouse_id":"`+warehouse+`"}}`)
		must("POST", policies, `{"policy":{"policy_name":"`+name+`"}}`)
	}
	for _, tt := range []struct {
		method, path, key, attribute string
		newest                       bool
	}{
		{"GET", "/api/2.2/jobs/list", "jobs", "created_time", true},
		{"GET", "/api/2.0/pipelines/" + pipeline + "/updates", "updates", "creation_time", true},
		{"GET", "/api/2.0/pipelines/" + pipeline + "/events", "events", "timestamp", true},
		{"GET", "/api/2.0/sql/history/queries", "res", "query_start_time_ms", true},
		{"POST", "/api/2.0/mlflow/runs/search", "runs", "info.start_time", true},
		{"GET", "/api/2.0/sql/queries", "results", "create_time", false},
		{"GET", "/api/2.0/sql/alerts", "results", "create_time", false},
		{"GET", "/api/2.0/alerts", "alerts", "create_time", false},
		{"GET", policies, "policies", "policy_name", false},
	} {
		found := paged(t, s, tt.method, tt.path, tt.key)
		values := make([]string, len(found))
		for i, item := range found {
			value := any(item)
			for name := range strings.SplitSeq(tt.attribute, ".") {
				value = value.(map[string]any)[name]
			}
			values[i] = fmt.Sprint(value)
		}
		if tt.newest {
			slices.Reverse(values)
		}
		if len(values) < 3 || !slices.IsSorted(values) {
			t.Errorf("%s has (reversed: %t) %d items: %v", tt.path, tt.newest, len(values), values)
		}
	}
}

func TestClustersAreListedByStateAndPin(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.PageSize = 2 })
	names := func() string {
		return strings.Join(column(paged(t, s, "GET", "/api/2.1/clusters/list", "clusters"), "cluster_name"), " ")
	}
	if got := names(); got != "data-science shared-autoscaling ingest nightly" {
		t.Error(got)
	}
	for _, c := range paged(t, s, "GET", "/api/2.1/clusters/list", "clusters") {
		if c["cluster_name"] == "nightly" || c["cluster_name"] == "shared-autoscaling" {
			send(t, s, request{method: "POST", path: "/api/2.1/clusters/pin", body: fmt.Sprintf(`{"cluster_id":%q}`, c["cluster_id"])})
		}
	}
	if got := names(); got != "shared-autoscaling data-science nightly ingest" {
		t.Error("with two of them pinned:", got)
	}
}
