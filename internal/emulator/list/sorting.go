package list

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// order is a documented order of a list. Lists without one are in the order of ids.
type order struct {
	// key orders items, and ids order items of the same key. If it is nil, ids order all items, and
	// a page is found without looking at all of them.
	key func(resource.Record) string
	// descending is true if the greatest comes first.
	descending bool
}

// listOrders are the documented orders by the kind's name.
var listOrders = map[string]order{
	"/alerts":               {key: byTime("create_time")},
	"/clusters":             {key: clusterOrder},
	"/jobs":                 {key: byTime("created_time"), descending: true}, // offset counts from the newest
	"/jobs/runs":            {descending: true},                              // ids grow with time
	"/mlflow/runs":          {key: byTime("info.start_time"), descending: true},
	"/pipelines/{}/events":  {key: byTime("timestamp"), descending: true},
	"/pipelines/{}/updates": {key: byTime("creation_time"), descending: true}, // until_update_id goes back to an older one
	"/sql/alerts":           {key: byTime("create_time")},
	"/sql/history/queries":  {key: byTime("query_start_time_ms"), descending: true},
	"/sql/queries":          {key: byTime("create_time")},
	"@/budget-policies":     {key: func(r resource.Record) string { return resource.Text(r["policy_name"]) }},
}

// PinnedField is an attribute of clusters that is true if the cluster is pinned. No answer shows
// it.
const PinnedField = "\x00pinned"

// byTime orders by a time, in text or in milliseconds.
func byTime(path string) func(resource.Record) string {
	names := strings.Split(path, ".")
	return func(r resource.Record) string {
		text := strings.Join(resource.ValuesAt(r, names), "")
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return fmt.Sprintf("%020d", n)
		}
		return text
	}
}

// clusterOrder orders by state, pin and name. The API does not document the order of states; here
// RUNNING is the first.
func clusterOrder(r resource.Record) string {
	states := []string{"RUNNING", "RESIZING", "RESTARTING", "PENDING", "TERMINATING", "TERMINATED", "ERROR"}
	place := slices.Index(states, resource.Text(r["state"]))
	if place < 0 {
		place = len(states)
	}
	unpinned := "1"
	if r[PinnedField] == true {
		unpinned = "0"
	}
	return strconv.Itoa(place) + unpinned + resource.Text(r["cluster_name"])
}

// inOrder returns at most limit items of the list that come after a position, and a function that
// returns an item's position.
func (r *Request) inOrder(after string, limit int, fits func(resource.Item) bool) ([]resource.Item, func(resource.Item) string) {
	o := listOrders[r.Kind.Name]
	if o.key == nil {
		return r.Collections.Select(r.In, r.IDs, after, limit, o.descending, fits), func(it resource.Item) string { return it.ID }
	}
	position := func(it resource.Item) string { return o.key(resource.Settled(it.Record, r.Now)) + "\x00" + it.ID }
	compare := strings.Compare
	if o.descending {
		compare = func(a, b string) int { return strings.Compare(b, a) }
	}
	items := r.Collections.Select(r.In, r.IDs, "", math.MaxInt32, false, fits)
	items = slices.DeleteFunc(items, func(it resource.Item) bool { return after != "" && compare(position(it), after) <= 0 })
	slices.SortFunc(items, func(a, b resource.Item) int { return compare(position(a), position(b)) })
	return items[:min(limit, len(items))], position
}
