package emulator

import (
	"maps"
	"time"
)

// A resource that takes time to become what was asked for holds what it will be, and when. Nothing
// runs meanwhile: whoever looks after that time sees it done. The names are none of the API's, so
// no answer shows them.
const (
	dueField  = "\x00due"  // a time.Time
	thenField = "\x00then" // a record of the attributes that change then
)

// becoming is a record that takes on other attributes after Options.OperationTime.
func (c *call) becoming(r, then record) record {
	r = maps.Clone(r)
	r[dueField], r[thenField] = c.emulator.opts.Clock().Add(c.emulator.opts.OperationTime), then
	return r
}

// settled is a record as it is at a time.
func settled(r record, now time.Time) record {
	due, ok := r[dueField].(time.Time)
	if !ok || now.Before(due) {
		return r
	}
	then, _ := r[thenField].(record)
	r = maps.Clone(r)
	delete(r, dueField)
	delete(r, thenField)
	maps.Copy(r, then)
	return settled(r, now)
}

// way is how resources of a kind come to work: what they are at first, what they become, and what
// they become where a fault rule wants it to fail.
type way struct{ first, then, failed record }

// ways are those of the kinds that take time to make.
func ways() map[string]way {
	return map[string]way{
		"/clusters": {
			first: record{"state": "PENDING", "state_message": "Finding instances for new nodes, acquiring more instances if necessary"},
			then:  record{"state": "RUNNING", "state_message": ""},
			failed: record{
				"state": "TERMINATED", "state_message": toldToFail,
				"termination_reason": record{"code": "CLOUD_PROVIDER_LAUNCH_FAILURE", "type": "CLOUD_FAILURE", "parameters": record{}},
			},
		},
		"/sql/warehouses": {
			first:  record{"state": "STARTING", "num_clusters": int64(0)},
			then:   record{"state": "RUNNING", "num_clusters": int64(1)},
			failed: record{"state": "STOPPED", "health": record{"status": "FAILED", "message": toldToFail}},
		},
		"/serving-endpoints": {
			first:  record{"state": record{"ready": "NOT_READY", "config_update": "IN_PROGRESS"}},
			then:   record{"state": record{"ready": "READY", "config_update": "NOT_UPDATING"}},
			failed: record{"state": record{"ready": "NOT_READY", "config_update": "UPDATE_FAILED"}},
		},
		"/apps": {
			first:  record{"compute_status": record{"state": "STARTING", "message": ""}, "app_status": record{"state": "UNAVAILABLE", "message": ""}},
			then:   record{"compute_status": record{"state": "ACTIVE", "message": ""}, "app_status": record{"state": "RUNNING", "message": ""}},
			failed: record{"compute_status": record{"state": "ERROR", "message": toldToFail}},
		},
		"/apps/{}/deployments": {
			first:  record{"status": record{"state": "IN_PROGRESS", "message": ""}},
			then:   record{"status": record{"state": "SUCCEEDED", "message": ""}},
			failed: record{"status": record{"state": "FAILED", "message": toldToFail}},
		},
		"/apps/{}/update": {
			first:  record{"status": record{"state": "IN_PROGRESS", "message": ""}},
			then:   record{"status": record{"state": "SUCCEEDED", "message": ""}},
			failed: record{"status": record{"state": "FAILED", "message": toldToFail}},
		},
		"@/workspaces": {
			first:  record{"workspace_status": "PROVISIONING", "workspace_status_message": "Workspace resources are being set up."},
			then:   record{"workspace_status": "RUNNING", "workspace_status_message": "Workspace is running."},
			failed: record{"workspace_status": "FAILED", "workspace_status_message": toldToFail},
		},
		"/clean-rooms":        {first: record{"status": "PROVISIONING"}, then: record{"status": "ACTIVE"}, failed: record{"status": "FAILED"}},
		"/database/instances": {first: record{"state": "STARTING"}, then: record{"state": "AVAILABLE"}, failed: record{"state": "STOPPED"}},
		"/vector-search/endpoints": {
			first:  record{"endpoint_status": record{"state": "PROVISIONING", "message": ""}, "num_indexes": int64(0)},
			then:   record{"endpoint_status": record{"state": "ONLINE", "message": ""}},
			failed: record{"endpoint_status": record{"state": "OFFLINE", "message": toldToFail}},
		},
		"/online-tables": {
			first:  record{"unity_catalog_provisioning_state": "PROVISIONING"},
			then:   record{"unity_catalog_provisioning_state": "ACTIVE"},
			failed: record{"unity_catalog_provisioning_state": "FAILED"},
		},
		"/automl/forecasting-experiments": {first: record{"state": "RUNNING"}, then: record{"state": "SUCCEEDED"}, failed: record{"state": "FAILED"}},
		messageKind: {
			first: record{"status": "EXECUTING_QUERY"}, then: record{"status": "COMPLETED"},
			failed: record{"status": "FAILED", "error": record{"error": toldToFail}},
		},
		"/pipelines/{}/updates": {first: record{"state": "INITIALIZING"}, then: record{"state": "COMPLETED"}, failed: record{"state": "FAILED"}},
		contextKind:             {first: record{"status": "Pending"}, then: record{"status": "Running"}, failed: record{"status": "Error"}},
		commandKind: {
			first:  record{"status": "Running"},
			then:   record{"status": "Finished", "results": record{"resultType": "text", "data": ""}},
			failed: record{"status": "Error", "results": record{"resultType": "error", "cause": toldToFail}},
		},
	}
}

const toldToFail = "The emulator was told to let this fail."

// goes sets a record that nobody else has yet on the way of its kind.
func (c *call) goes(kindName string, r record) {
	w, ok := ways()[kindName]
	if !ok {
		return
	}
	then := w.then
	if c.fails() {
		then = w.failed
	}
	c.become(r, w.first, then)
}

// finishers see to what depends on the kind when a resource is made.
var finishers = map[string]func(*call, record){
	"/clusters":                startCluster,
	"/unity-catalog/catalogs":  finishCatalog,
	"/unity-catalog/schemas":   finishSchema,
	"/sql/warehouses":          nameWarehouse,
	"/apps":                    finishApp,
	"@/budget-policies":        func(c *call, r record) { r["creator_user_name"] = c.subject },
	"@/workspaces":             func(c *call, r record) { r["account_id"] = c.state.company().accountID() },
	"/secrets":                 finishSecret,
	"/token-management/tokens": finishToken,
	"/pipelines":               finishPipeline,
	"/preview/scim/v2/Users":   finishUser,
	"@/scim/v2/Users":          finishUser,
	"/repos":                   finishRepo,
	"/mlflow/experiments":      func(_ *call, r record) { r["lifecycle_stage"] = "active" },
	"/mlflow/runs":             finishTraining,
	"/mlflow/logged-models":    finishModel,
}

// become changes a record that nobody else has yet, now and for later.
func (c *call) become(r, now, then record) {
	maps.Copy(r, now)
	maps.Copy(r, c.becoming(r, then))
}

func startCluster(c *call, r record) {
	delete(r, "terminated_time")
	delete(r, "termination_reason")
	r["start_time"] = c.emulator.opts.Clock().UnixMilli()
	r["creator_user_name"], r["cluster_source"] = orText(r["creator_user_name"], c.subject), orText(r["cluster_source"], "API")
}

func orText(value any, other string) string {
	if text, ok := value.(string); ok && text != "" {
		return text
	}
	return other
}

func nameWarehouse(_ *call, r record) {
	r["name"], r["health"] = orText(r["name"], "warehouse"), record{"status": "HEALTHY"}
}

func finishApp(_ *call, r record) { r["url"] = "https://" + plain(r["name"]) + ".apps.localhost" }

func finishPipeline(c *call, r record) {
	spec := record{}
	maps.Copy(spec, c.object())
	spec["id"] = r["pipeline_id"]
	r["spec"], r["state"], r["health"] = spec, "IDLE", "HEALTHY"
	r["creator_user_name"], r["run_as_user_name"] = c.subject, c.subject
	delete(r, "latest_updates")
}

func finishUser(_ *call, r record) {
	if _, said := r["active"]; !said {
		r["active"] = true
	}
	if plain(r["displayName"]) == "" {
		r["displayName"] = r["userName"]
	}
}

func finishRepo(_ *call, r record) {
	if plain(r["branch"]) == "" {
		r["branch"] = "main"
	}
}

// changers see to what depends on the kind when a resource is changed.
var changers = map[string]func(c *call, r, content record){
	"/pipelines": func(_ *call, r, content record) {
		spec := record{}
		maps.Copy(spec, content)
		spec["id"] = r["pipeline_id"]
		r["spec"] = spec
	},
	"/mlflow/runs":  changedTraining,
	"/secrets":      func(c *call, r, _ record) { finishSecret(c, r) },
	"/secrets/acls": func(c *call, r, _ record) { r["scope"] = c.value("scope") },
}

// narrowers give lists the ids that can fit their filters, where that is known beforehand.
var narrowers = map[string]func(*call, sequence) sequence{
	"/jobs/runs": runsOfOneJob,
}
