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

// clusterHandlers are the operations that change the state of clusters, and their events.
func clusterHandlers() map[string]handler {
	const clusters = "POST /api/2.1/clusters/"
	return map[string]handler{
		clusters + "start":            changeOne(startedCluster),
		clusters + "restart":          changeOne(restartedCluster),
		clusters + "delete":           changeOne(terminatedCluster),
		clusters + "edit":             changeOne(editedCluster),
		clusters + "update":           changeOne(updatedCluster),
		clusters + "resize":           changeOne(resizedCluster),
		clusters + "change-owner":     changeOne(ownedCluster),
		clusters + "pin":              changeOne(pinned(true)),
		clusters + "unpin":            changeOne(pinned(false)),
		clusters + "permanent-delete": deleteRecord,
		clusters + "events":           clusterEvents,
	}
}

func startedCluster(req *apiRequest, r resource.Record) (resource.Record, error) {
	if state := resource.Text(r["state"]); state != "TERMINATED" {
		return nil, apierror.New(400, "INVALID_STATE", "Cluster %s is in unexpected state %s.", apierror.Printable(resource.Text(r["cluster_id"])), state)
	}
	r = maps.Clone(r)
	startCluster(req, r)
	req.goes("/clusters", r)
	return r, nil
}

func restartedCluster(req *apiRequest, r resource.Record) (resource.Record, error) {
	if state := resource.Text(r["state"]); state != "RUNNING" && state != "PENDING" {
		return nil, apierror.New(400, "INVALID_STATE", "Cluster %s is in unexpected state %s.", apierror.Printable(resource.Text(r["cluster_id"])), state)
	}
	r = maps.Clone(r)
	r["last_restarted_time"] = req.now().UnixMilli()
	req.become(r, resource.Record{"state": "RESTARTING", "state_message": "Restarting"}, resource.Record{"state": "RUNNING", "state_message": ""})
	return r, nil
}

func terminatedCluster(req *apiRequest, r resource.Record) (resource.Record, error) {
	if resource.Text(r["state"]) == "TERMINATED" {
		return r, nil
	}
	r = maps.Clone(r)
	now := req.now().UnixMilli()
	req.become(r, resource.Record{"state": "TERMINATING", "state_message": "Terminating"}, resource.Record{
		"state": "TERMINATED", "state_message": "Terminated by user", "terminated_time": now,
		"termination_reason": resource.Record{"code": "USER_REQUEST", "type": "SUCCESS", "parameters": resource.Record{"username": req.subject}},
	})
	return r, nil
}

// editedCluster replaces the configuration. A running cluster restarts.
func editedCluster(req *apiRequest, r resource.Record) (resource.Record, error) {
	r = maps.Clone(r)
	for _, size := range []string{"num_workers", "autoscale"} {
		delete(r, size) // the body has one of them
	}
	maps.Copy(r, req.object())
	return restartFor(req, r), nil
}

func updatedCluster(req *apiRequest, r resource.Record) (resource.Record, error) {
	inner, _ := req.object()["cluster"].(map[string]any)
	return restartFor(req, merged(r, inner, req.mask())), nil
}

func restartFor(req *apiRequest, r resource.Record) resource.Record {
	if resource.Text(r["state"]) == "RUNNING" {
		req.become(r, resource.Record{"state": "RESTARTING"}, resource.Record{"state": "RUNNING"})
	}
	return r
}

func resizedCluster(req *apiRequest, r resource.Record) (resource.Record, error) {
	if state := resource.Text(r["state"]); state != "RUNNING" {
		return nil, apierror.New(400, "INVALID_STATE", "Cluster %s is in unexpected state %s.", apierror.Printable(resource.Text(r["cluster_id"])), state)
	}
	r = maps.Clone(r)
	for _, size := range []string{"num_workers", "autoscale"} {
		delete(r, size)
		if value, ok := req.object()[size]; ok {
			r[size] = value
		}
	}
	req.become(r, resource.Record{"state": "RESIZING"}, resource.Record{"state": "RUNNING"})
	return r, nil
}

func ownedCluster(req *apiRequest, r resource.Record) (resource.Record, error) {
	r = maps.Clone(r)
	r["creator_user_name"] = req.object()["owner_username"]
	return r, nil
}

func pinned(is bool) func(*apiRequest, resource.Record) (resource.Record, error) {
	return func(_ *apiRequest, r resource.Record) (resource.Record, error) {
		return merged(r, resource.Record{list.PinnedField: is}, nil), nil
	}
}

// eventsOfCluster is how many events every cluster has.
const eventsOfCluster = 130

// clusterEvents lists the events of a cluster. The answer contains the request for the next page.
func clusterEvents(req *apiRequest) (any, error) {
	const defaultLimit, maxLimit = 50, 500
	_, cluster, err := req.stored(req.route.target)
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
	if err := json.Unmarshal(req.body, &wanted); err != nil {
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
		event := clusterEvent(req, cluster, i)
		at, _ := event["timestamp"].(int64)
		if (len(wanted.EventTypes) == 0 || slices.Contains(wanted.EventTypes, resource.Text(event["type"]))) && at >= wanted.StartTime && (wanted.EndTime == 0 || at <= wanted.EndTime) {
			all = append(all, event)
		}
	}
	if wanted.Order != "ASC" {
		slices.Reverse(all) // the API's default is the newest first
	}
	from := min(wanted.Offset, len(all))
	to := min(from+limit, len(all))
	answer := resource.Record{"events": all[from:to], "total_count": int64(len(all))}
	if to < len(all) {
		next := maps.Clone(req.object())
		delete(next, "page_token")
		next["offset"], next["limit"] = int64(to), int64(limit)
		answer["next_page"] = next
	}
	return req.shaped(answer), nil
}

// clusterEvent makes one event of a cluster, by its index.
func clusterEvent(req *apiRequest, cluster resource.Record, i int) resource.Record {
	id := resource.Text(cluster["cluster_id"])
	d := req.home.company().Draw("events of " + id + strconv.Itoa(i))
	start, _ := cluster["start_time"].(int64)
	types := []string{"CREATING", "RUNNING", "DRIVER_HEALTHY", "UPSIZE_COMPLETED", "AUTOSCALING_STATS_REPORT", "RESIZING", "DRIVER_HEALTHY"}
	kind := types[min(i, 2+i%5)]
	details := resource.Record{"user": resource.Text(cluster["creator_user_name"])}
	if kind == "UPSIZE_COMPLETED" || kind == "RESIZING" {
		details = resource.Record{"current_num_workers": int64(1 + d.Below(4)), "target_num_workers": int64(2 + d.Below(4))}
	}
	return resource.Record{"cluster_id": id, "timestamp": start + int64(i)*1_800_000 + int64(d.Below(60_000)), "type": kind, "details": details}
}

func startCluster(req *apiRequest, r resource.Record) {
	delete(r, "terminated_time")
	delete(r, "termination_reason")
	r["start_time"] = req.now().UnixMilli()
	r["creator_user_name"], r["cluster_source"] = resource.TextOr(r["creator_user_name"], req.subject), resource.TextOr(r["cluster_source"], "API")
}
