package emulator

import (
	"maps"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// becoming copies a record and lets it take on other attributes after [Options].OperationTime.
func (req *apiRequest) becoming(r, then resource.Record) resource.Record {
	return resource.Pending(r, then, req.now().Add(req.emulator.opts.OperationTime))
}

// way is how a resource starts: its first state, the state that follows, and the state that follows
// if a fault rule lets the start fail.
type way struct{ first, then, failed resource.Record }

// ways are the ways of kinds that take time to start.
func ways() map[string]way {
	return map[string]way{
		"/clusters": {
			first: resource.Record{"state": "PENDING", "state_message": "Finding instances for new nodes, acquiring more instances if necessary"},
			then:  resource.Record{"state": "RUNNING", "state_message": ""},
			failed: resource.Record{
				"state": "TERMINATED", "state_message": toldToFail,
				"termination_reason": resource.Record{"code": "CLOUD_PROVIDER_LAUNCH_FAILURE", "type": "CLOUD_FAILURE", "parameters": resource.Record{}},
			},
		},
		"/sql/warehouses": {
			first:  resource.Record{"state": "STARTING", "num_clusters": int64(0)},
			then:   resource.Record{"state": "RUNNING", "num_clusters": int64(1)},
			failed: resource.Record{"state": "STOPPED", "health": resource.Record{"status": "FAILED", "message": toldToFail}},
		},
		"/serving-endpoints": {
			first:  resource.Record{"state": resource.Record{"ready": "NOT_READY", "config_update": "IN_PROGRESS"}},
			then:   resource.Record{"state": resource.Record{"ready": "READY", "config_update": "NOT_UPDATING"}},
			failed: resource.Record{"state": resource.Record{"ready": "NOT_READY", "config_update": "UPDATE_FAILED"}},
		},
		"/apps": {
			first:  resource.Record{"compute_status": resource.Record{"state": "STARTING", "message": ""}, "app_status": resource.Record{"state": "UNAVAILABLE", "message": ""}},
			then:   resource.Record{"compute_status": resource.Record{"state": "ACTIVE", "message": ""}, "app_status": resource.Record{"state": "RUNNING", "message": ""}},
			failed: resource.Record{"compute_status": resource.Record{"state": "ERROR", "message": toldToFail}},
		},
		"/apps/{}/deployments": {
			first:  resource.Record{"status": resource.Record{"state": "IN_PROGRESS", "message": ""}},
			then:   resource.Record{"status": resource.Record{"state": "SUCCEEDED", "message": ""}},
			failed: resource.Record{"status": resource.Record{"state": "FAILED", "message": toldToFail}},
		},
		"/apps/{}/update": {
			first:  resource.Record{"status": resource.Record{"state": "IN_PROGRESS", "message": ""}},
			then:   resource.Record{"status": resource.Record{"state": "SUCCEEDED", "message": ""}},
			failed: resource.Record{"status": resource.Record{"state": "FAILED", "message": toldToFail}},
		},
		"@/workspaces": {
			first:  resource.Record{"workspace_status": "PROVISIONING", "workspace_status_message": "Workspace resources are being set up."},
			then:   resource.Record{"workspace_status": "RUNNING", "workspace_status_message": "Workspace is running."},
			failed: resource.Record{"workspace_status": "FAILED", "workspace_status_message": toldToFail},
		},
		"/clean-rooms":        {first: resource.Record{"status": "PROVISIONING"}, then: resource.Record{"status": "ACTIVE"}, failed: resource.Record{"status": "FAILED"}},
		"/database/instances": {first: resource.Record{"state": "STARTING"}, then: resource.Record{"state": "AVAILABLE"}, failed: resource.Record{"state": "STOPPED"}},
		"/vector-search/endpoints": {
			first:  resource.Record{"endpoint_status": resource.Record{"state": "PROVISIONING", "message": ""}, "num_indexes": int64(0)},
			then:   resource.Record{"endpoint_status": resource.Record{"state": "ONLINE", "message": ""}},
			failed: resource.Record{"endpoint_status": resource.Record{"state": "OFFLINE", "message": toldToFail}},
		},
		"/online-tables": {
			first:  resource.Record{"unity_catalog_provisioning_state": "PROVISIONING"},
			then:   resource.Record{"unity_catalog_provisioning_state": "ACTIVE"},
			failed: resource.Record{"unity_catalog_provisioning_state": "FAILED"},
		},
		"/automl/forecasting-experiments": {first: resource.Record{"state": "RUNNING"}, then: resource.Record{"state": "SUCCEEDED"}, failed: resource.Record{"state": "FAILED"}},
		messageKind: {
			first: resource.Record{"status": "EXECUTING_QUERY"}, then: resource.Record{"status": "COMPLETED"},
			failed: resource.Record{"status": "FAILED", "error": resource.Record{"error": toldToFail}},
		},
		"/pipelines/{}/updates": {first: resource.Record{"state": "INITIALIZING"}, then: resource.Record{"state": "COMPLETED"}, failed: resource.Record{"state": "FAILED"}},
		contextKind:             {first: resource.Record{"status": "Pending"}, then: resource.Record{"status": "Running"}, failed: resource.Record{"status": "Error"}},
		commandKind: {
			first:  resource.Record{"status": "Running"},
			then:   resource.Record{"status": "Finished", "results": resource.Record{"resultType": "text", "data": ""}},
			failed: resource.Record{"status": "Error", "results": resource.Record{"resultType": "error", "cause": toldToFail}},
		},
	}
}

const toldToFail = "The emulator was told to let this fail."

// goes starts a resource on the way of its kind. It modifies the record.
func (req *apiRequest) goes(kindName string, r resource.Record) {
	w, ok := ways()[kindName]
	if !ok {
		return
	}
	then := w.then
	if req.fails() {
		then = w.failed
	}
	req.become(r, w.first, then)
}

// become changes the attributes of a record, now and after [Options].OperationTime. It modifies the
// record.
func (req *apiRequest) become(r, now, then resource.Record) {
	maps.Copy(r, now)
	maps.Copy(r, req.becoming(r, then))
}

// operationHandlers are the operations of services other than Lakebase that get a long-running
// operation.
func operationHandlers() map[string]handler {
	return map[string]handler{
		"GET /api/2.0/app-spaces/{}/operation": getOperation,
		"GET /api/environments/v1/{}":          getOperation,
	}
}

// operationName names a new long-running operation of a service other than Lakebase.
func operationName(req *apiRequest, r resource.Record) string {
	if strings.HasPrefix(req.kind.Name, "/app-spaces") {
		return resource.Text(r["name"]) // a space has one operation at a time
	}
	return "operations-" + resource.NewID()
}

// operationSubject is the type of the resource that an operation is about.
func operationSubject(req *apiRequest) string {
	service := strings.Split(req.method.FullName(), ".")[1]
	return service + ".v1." + req.kind.Item().SchemaName
}

func getOperation(req *apiRequest) (any, error) {
	return req.home.operations.Get(strings.Trim(req.params["name"], "/"))
}
