package emulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/list"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// computeHandlers are the operations that start and stop what computes.
func computeHandlers() map[string]handler {
	const clusters, warehouses = "POST /api/2.1/clusters/", "POST /api/2.0/sql/warehouses/{}/"
	return map[string]handler{
		clusters + "start":            changeCluster(startedCluster),
		clusters + "restart":          changeCluster(restartedCluster),
		clusters + "delete":           changeCluster(terminatedCluster),
		clusters + "edit":             changeCluster(editedCluster),
		clusters + "update":           changeCluster(updatedCluster),
		clusters + "resize":           changeCluster(resizedCluster),
		clusters + "change-owner":     changeCluster(ownedCluster),
		clusters + "pin":              changeCluster(pinned(true)),
		clusters + "unpin":            changeCluster(pinned(false)),
		clusters + "permanent-delete": deleteRecord,
		clusters + "events":           clusterEvents,
		warehouses + "start":          changeWarehouse(startedWarehouse),
		warehouses + "stop":           changeWarehouse(stoppedWarehouse),
		warehouses + "edit":           changeWarehouse(editedWarehouse),
	}
}

// changeOne carries out a change of the item that a call is about, and answers with nothing.
func changeOne(change func(c *call, r resource.Record) (resource.Record, error)) handler {
	return func(c *call) (any, error) {
		c.home.changing.Lock()
		defer c.home.changing.Unlock()
		name, old, err := c.stored(c.route.target)
		if err != nil {
			return nil, err
		}
		r, err := change(c, resource.Settled(old, c.emulator.opts.Clock()))
		if err != nil {
			return nil, err
		}
		c.home.collections.Put(name, r)
		return c.answer(r), nil
	}
}

func changeCluster(change func(*call, resource.Record) (resource.Record, error)) handler {
	return changeOne(change)
}

func changeWarehouse(change func(*call, resource.Record) (resource.Record, error)) handler {
	return changeOne(change)
}

func startedCluster(c *call, r resource.Record) (resource.Record, error) {
	if state := resource.Text(r["state"]); state != "TERMINATED" {
		return nil, apierror.New(400, "INVALID_STATE", "Cluster %s is in unexpected state %s.", apierror.Printable(resource.Text(r["cluster_id"])), state)
	}
	r = maps.Clone(r)
	startCluster(c, r)
	c.goes("/clusters", r)
	return r, nil
}

func restartedCluster(c *call, r resource.Record) (resource.Record, error) {
	if state := resource.Text(r["state"]); state != "RUNNING" && state != "PENDING" {
		return nil, apierror.New(400, "INVALID_STATE", "Cluster %s is in unexpected state %s.", apierror.Printable(resource.Text(r["cluster_id"])), state)
	}
	r = maps.Clone(r)
	r["last_restarted_time"] = c.emulator.opts.Clock().UnixMilli()
	c.become(r, resource.Record{"state": "RESTARTING", "state_message": "Restarting"}, resource.Record{"state": "RUNNING", "state_message": ""})
	return r, nil
}

func terminatedCluster(c *call, r resource.Record) (resource.Record, error) {
	if resource.Text(r["state"]) == "TERMINATED" {
		return r, nil
	}
	r = maps.Clone(r)
	now := c.emulator.opts.Clock().UnixMilli()
	c.become(r, resource.Record{"state": "TERMINATING", "state_message": "Terminating"}, resource.Record{
		"state": "TERMINATED", "state_message": "Terminated by user", "terminated_time": now,
		"termination_reason": resource.Record{"code": "USER_REQUEST", "type": "SUCCESS", "parameters": resource.Record{"username": c.subject}},
	})
	return r, nil
}

// editedCluster takes over a new configuration. A running cluster restarts for it.
func editedCluster(c *call, r resource.Record) (resource.Record, error) {
	r = maps.Clone(r)
	for _, size := range []string{"num_workers", "autoscale"} {
		delete(r, size) // one of them is in the body
	}
	maps.Copy(r, c.object())
	return restartFor(c, r), nil
}

func updatedCluster(c *call, r resource.Record) (resource.Record, error) {
	inner, _ := c.object()["cluster"].(map[string]any)
	return restartFor(c, merged(r, inner, c.mask())), nil
}

func restartFor(c *call, r resource.Record) resource.Record {
	if resource.Text(r["state"]) == "RUNNING" {
		c.become(r, resource.Record{"state": "RESTARTING"}, resource.Record{"state": "RUNNING"})
	}
	return r
}

func resizedCluster(c *call, r resource.Record) (resource.Record, error) {
	if state := resource.Text(r["state"]); state != "RUNNING" {
		return nil, apierror.New(400, "INVALID_STATE", "Cluster %s is in unexpected state %s.", apierror.Printable(resource.Text(r["cluster_id"])), state)
	}
	r = maps.Clone(r)
	for _, size := range []string{"num_workers", "autoscale"} {
		delete(r, size)
		if value, ok := c.object()[size]; ok {
			r[size] = value
		}
	}
	c.become(r, resource.Record{"state": "RESIZING"}, resource.Record{"state": "RUNNING"})
	return r, nil
}

func ownedCluster(c *call, r resource.Record) (resource.Record, error) {
	r = maps.Clone(r)
	r["creator_user_name"] = c.object()["owner_username"]
	return r, nil
}

func pinned(is bool) func(*call, resource.Record) (resource.Record, error) {
	return func(_ *call, r resource.Record) (resource.Record, error) {
		return merged(r, resource.Record{list.PinnedField: is}, nil), nil
	}
}

func startedWarehouse(c *call, r resource.Record) (resource.Record, error) {
	if resource.Text(r["state"]) == "RUNNING" {
		return r, nil
	}
	r = maps.Clone(r)
	c.goes("/sql/warehouses", r)
	return r, nil
}

func stoppedWarehouse(c *call, r resource.Record) (resource.Record, error) {
	r = maps.Clone(r)
	c.become(r, resource.Record{"state": "STOPPING"}, resource.Record{"state": "STOPPED", "num_clusters": int64(0), "num_active_sessions": int64(0)})
	return r, nil
}

func editedWarehouse(c *call, r resource.Record) (resource.Record, error) {
	r = maps.Clone(r)
	maps.Copy(r, c.object())
	if resource.Text(r["state"]) == "RUNNING" {
		c.become(r, resource.Record{"state": "STARTING"}, resource.Record{"state": "RUNNING"})
	}
	return r, nil
}

// eventsOfCluster is how many events every cluster has.
const eventsOfCluster = 130

// clusterEvents lists what happened to a cluster. The answer holds the request for the next page,
// which counts from the first event.
func clusterEvents(c *call) (any, error) {
	const defaultLimit, maxLimit = 50, 500
	_, cluster, err := c.stored(c.route.target)
	if err != nil {
		return nil, err
	}
	var wanted struct {
		ClusterID  string   `json:"cluster_id"`
		Offset     int      `json:"offset"`
		Limit      int      `json:"limit"`
		PageSize   int      `json:"page_size"`
		Order      string   `json:"order"`
		StartTime  int64    `json:"start_time"`
		EndTime    int64    `json:"end_time"`
		EventTypes []string `json:"event_types"`
		PageToken  string   `json:"page_token"`
	}
	if err := json.Unmarshal(c.body, &wanted); err != nil {
		return nil, apierror.Invalid("The request cannot be read: %s", apierror.Printable(err.Error()))
	}
	if wanted.PageToken != "" {
		if wanted.Offset, err = strconv.Atoi(wanted.PageToken); err != nil {
			return nil, apierror.Invalid("page_token is not one that this list gave.")
		}
	}
	limit := defaultLimit
	if n := max(wanted.Limit, wanted.PageSize); n > 0 {
		limit = min(n, maxLimit)
	}
	if wanted.Offset < 0 || wanted.Limit < 0 {
		return nil, apierror.Invalid("offset and limit must not be negative.")
	}
	var all []any
	for i := range eventsOfCluster {
		event := c.event(cluster, i)
		at, _ := event["timestamp"].(int64)
		if (len(wanted.EventTypes) == 0 || slices.Contains(wanted.EventTypes, resource.Text(event["type"]))) && at >= wanted.StartTime && (wanted.EndTime == 0 || at <= wanted.EndTime) {
			all = append(all, event)
		}
	}
	if wanted.Order != "ASC" {
		slices.Reverse(all) // the newest first is how the API has it
	}
	from := min(wanted.Offset, len(all))
	to := min(from+limit, len(all))
	answer := resource.Record{"events": all[from:to], "total_count": int64(len(all))}
	if to < len(all) {
		next := maps.Clone(c.object())
		delete(next, "page_token")
		next["offset"], next["limit"] = int64(to), int64(limit)
		answer["next_page"] = next
	}
	m := c.route.method
	return json.RawMessage(c.emulator.shapes.Response(m).AppendTo(nil, answer)), nil
}

// event works out one event of a cluster, by its place.
func (c *call) event(cluster resource.Record, i int) resource.Record {
	id := resource.Text(cluster["cluster_id"])
	d := c.home.company().Draw("events of " + id + strconv.Itoa(i))
	start, _ := cluster["start_time"].(int64)
	types := []string{"CREATING", "RUNNING", "DRIVER_HEALTHY", "UPSIZE_COMPLETED", "AUTOSCALING_STATS_REPORT", "RESIZING", "DRIVER_HEALTHY"}
	kind := types[min(i, 2+i%5)]
	details := resource.Record{"user": resource.Text(cluster["creator_user_name"])}
	if kind == "UPSIZE_COMPLETED" || kind == "RESIZING" {
		details = resource.Record{"current_num_workers": int64(1 + d.Below(4)), "target_num_workers": int64(2 + d.Below(4))}
	}
	return resource.Record{"cluster_id": id, "timestamp": start + int64(i)*1_800_000 + int64(d.Below(60_000)), "type": kind, "details": details}
}

// statementHandlers run SQL: the answer is one row that the emulator makes up.
func statementHandlers() map[string]handler {
	return map[string]handler{
		"POST /api/2.0/sql/statements": executeStatement,
		"POST /api/2.0/sql/statements/{}/cancel": changeOne(func(_ *call, r resource.Record) (resource.Record, error) {
			return merged(r, resource.Record{"status": resource.Record{"state": "CANCELED"}}, nil), nil
		}),
	}
}

// executeStatement takes any text for a query that gives one row, as there is no SQL here.
func executeStatement(c *call) (any, error) {
	warehouse := resource.Text(c.object()["warehouse_id"])
	if k := c.emulator.kinds()["/sql/warehouses"]; k != nil {
		if _, ok := c.home.collections.Get(k.Collection(nil) + "/" + resource.Key(warehouse)); !ok {
			return nil, apierror.New(404, "RESOURCE_DOES_NOT_EXIST", "Warehouse %q does not exist.", apierror.Printable(warehouse))
		}
	}
	id := resource.NewID()
	r := resource.Record{
		"statement_id": id, "status": resource.Record{"state": "SUCCEEDED"},
		"manifest": resource.Record{
			"format": "JSON_ARRAY", "total_row_count": int64(1), "total_chunk_count": int64(1), "truncated": false,
			"schema": resource.Record{"column_count": int64(1), "columns": []any{resource.Record{"name": "1", "position": int64(0), "type_name": "INT", "type_text": "INT"}}},
			"chunks": []any{resource.Record{"chunk_index": int64(0), "row_offset": int64(0), "row_count": int64(1)}},
		},
		"result": resource.Record{"chunk_index": int64(0), "row_offset": int64(0), "row_count": int64(1), "data_array": []any{[]any{"1"}}},
	}
	c.home.collections.Put("/sql/statements/"+id, r)
	return c.answer(r), nil
}
