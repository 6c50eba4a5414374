package emulator

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// order is that of a list whose items the API documents an order of. Other lists go by ids.
type order struct {
	// key is what items are ordered by, then by their ids; nil: by ids alone, so that nobody has to
	// look at all items for one page.
	key func(resource.Record) string
	// descending has the greatest first.
	descending bool
}

// listOrders are the orders that lists of a kind have when nobody asks for another.
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

// byTime is the order of a time, in text or in milliseconds.
func byTime(path string) func(resource.Record) string {
	names := strings.Split(path, ".")
	return func(r resource.Record) string {
		text := strings.Join(valuesAt(r, names), "")
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return fmt.Sprintf("%020d", n)
		}
		return text
	}
}

// clusterOrder is by state, pinned or not, and name. The API does not say which state goes first;
// here it is the one in which a cluster is of most use.
func clusterOrder(r resource.Record) string {
	states := []string{"RUNNING", "RESIZING", "RESTARTING", "PENDING", "TERMINATING", "TERMINATED", "ERROR"}
	place := slices.Index(states, resource.Text(r["state"]))
	if place < 0 {
		place = len(states)
	}
	unpinned := "1"
	if r[pinnedField] == true {
		unpinned = "0"
	}
	return strconv.Itoa(place) + unpinned + resource.Text(r["cluster_name"])
}

// inOrder gives the items of a list that come after a position, at most limit of them, and what
// tells an item's position.
func (c *call) inOrder(in string, ids resource.Sequence, after string, limit int, fits func(resource.Item) bool) ([]resource.Item, func(resource.Item) string) {
	o := listOrders[c.route.target.Kind.Name]
	if o.key == nil {
		return c.home.collections.Select(in, ids, after, limit, o.descending, fits), func(it resource.Item) string { return it.ID }
	}
	now := c.emulator.opts.Clock()
	position := func(it resource.Item) string { return o.key(resource.Settled(it.Record, now)) + "\x00" + it.ID }
	compare := strings.Compare
	if o.descending {
		compare = func(a, b string) int { return strings.Compare(b, a) }
	}
	items := c.home.collections.Select(in, ids, "", math.MaxInt32, false, fits)
	items = slices.DeleteFunc(items, func(it resource.Item) bool { return after != "" && compare(position(it), after) <= 0 })
	slices.SortFunc(items, func(a, b resource.Item) int { return compare(position(a), position(b)) })
	return items[:min(limit, len(items))], position
}
