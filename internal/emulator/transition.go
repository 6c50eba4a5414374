package emulator

import (
	"maps"

	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// becoming is a record that takes on other attributes after Options.OperationTime.
func (c *call) becoming(r, then resource.Record) resource.Record {
	return resource.Pending(r, then, c.emulator.opts.Clock().Add(c.emulator.opts.OperationTime))
}

// way is how resources of a kind come to work: what they are at first, what they become, and what
// they become where a fault rule wants it to fail.
type way struct{ first, then, failed resource.Record }

// ways are those of the kinds that take time to make.
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

// goes sets a record that nobody else has yet on the way of its kind.
func (c *call) goes(kindName string, r resource.Record) {
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
var finishers = map[string]func(*call, resource.Record){
	"/clusters":                startCluster,
	"/unity-catalog/catalogs":  finishCatalog,
	"/unity-catalog/schemas":   finishSchema,
	"/sql/warehouses":          nameWarehouse,
	"/apps":                    finishApp,
	"@/budget-policies":        func(c *call, r resource.Record) { r["creator_user_name"] = c.subject },
	"@/workspaces":             func(c *call, r resource.Record) { r["account_id"] = c.home.company().AccountID() },
	"/secrets":                 finishSecret,
	"/token-management/tokens": finishToken,
	"/pipelines":               finishPipeline,
	"/preview/scim/v2/Users":   finishUser,
	"@/scim/v2/Users":          finishUser,
	"/repos":                   finishRepo,
	"/mlflow/experiments":      func(_ *call, r resource.Record) { r["lifecycle_stage"] = "active" },
	"/mlflow/runs":             finishTraining,
	"/mlflow/logged-models":    finishModel,
}

// become changes a record that nobody else has yet, now and for later.
func (c *call) become(r, now, then resource.Record) {
	maps.Copy(r, now)
	maps.Copy(r, c.becoming(r, then))
}

func startCluster(c *call, r resource.Record) {
	delete(r, "terminated_time")
	delete(r, "termination_reason")
	r["start_time"] = c.emulator.opts.Clock().UnixMilli()
	r["creator_user_name"], r["cluster_source"] = resource.TextOr(r["creator_user_name"], c.subject), resource.TextOr(r["cluster_source"], "API")
}

func nameWarehouse(_ *call, r resource.Record) {
	r["name"], r["health"] = resource.TextOr(r["name"], "warehouse"), resource.Record{"status": "HEALTHY"}
}

func finishApp(_ *call, r resource.Record) {
	r["url"] = "https://" + resource.Text(r["name"]) + ".apps.localhost"
}

func finishPipeline(c *call, r resource.Record) {
	spec := resource.Record{}
	maps.Copy(spec, c.object())
	spec["id"] = r["pipeline_id"]
	r["spec"], r["state"], r["health"] = spec, "IDLE", "HEALTHY"
	r["creator_user_name"], r["run_as_user_name"] = c.subject, c.subject
	delete(r, "latest_updates")
}

func finishUser(_ *call, r resource.Record) {
	if _, said := r["active"]; !said {
		r["active"] = true
	}
	if resource.Text(r["displayName"]) == "" {
		r["displayName"] = r["userName"]
	}
}

func finishRepo(_ *call, r resource.Record) {
	if resource.Text(r["branch"]) == "" {
		r["branch"] = "main"
	}
}

// changers see to what depends on the kind when a resource is changed.
var changers = map[string]func(c *call, r, content resource.Record){
	"/pipelines": func(_ *call, r, content resource.Record) {
		spec := resource.Record{}
		maps.Copy(spec, content)
		spec["id"] = r["pipeline_id"]
		r["spec"] = spec
	},
	"/mlflow/runs":  changedTraining,
	"/secrets":      func(c *call, r, _ resource.Record) { finishSecret(c, r) },
	"/secrets/acls": func(c *call, r, _ resource.Record) { r["scope"] = c.value("scope") },
}

// narrowers give lists the ids that can fit their filters, where that is known beforehand.
var narrowers = map[string]func(*call, resource.Sequence) resource.Sequence{
	"/jobs/runs": func(c *call, all resource.Sequence) resource.Sequence {
		return company.RunsOfJob(all, c.query.Get("job_id"))
	},
}
