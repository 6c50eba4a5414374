package observe_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/openapigen/observe"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
	"github.com/lakeql/lakeql/internal/testworld"
)

var update = flag.Bool("update", false, "write testdata/sizes.txt")

var readOnce = sync.OnceValues(func() (*sdk.API, error) { return observe.Read(context.Background()) })

func read(t *testing.T) *sdk.API {
	t.Helper()
	api, err := readOnce()
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// TestSizes compares the counts of all parts of the API with those in testdata/sizes.txt. A new version of
// the SDK changes them: review the additions and removals, then run the test with -update.
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
				if q.Type.Kind == sdk.FieldMask {
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
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(got)) {
		fmt.Fprintf(&b, "%s: %d\n", what, got[what])
	}
	testworld.Golden(t, filepath.Join("testdata", "sizes.txt"), b.String(), *update)
}

// TestListsWhatNoClientOffers: the service bundle is in no client, because bundledeployments replaced it.
func TestListsWhatNoClientOffers(t *testing.T) {
	unreached := read(t).Unreached
	if len(unreached) != 14 {
		t.Errorf("%q", unreached)
	}
	for _, id := range unreached {
		if !strings.HasPrefix(id, "bundle.") {
			t.Errorf("%s is in no client", id)
		}
	}
}

// operation finds an operation by service.Group.Name.
func operation(t *testing.T, api *sdk.API, id string) *sdk.Operation {
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
	want := sdk.Paging{
		Kind: sdk.OffsetPaging, Items: "Resources", Request: "startIndex", Response: "startIndex",
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
