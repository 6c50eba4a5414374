package emulator

import (
	"maps"

	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// finishers apply the rules of a kind to a new resource.
var finishers = map[string]func(*apiRequest, resource.Record){
	"/clusters":                 startCluster,
	"/unity-catalog/catalogs":   finishCatalog,
	"/unity-catalog/schemas":    finishSchema,
	"/unity-catalog/recipients": finishRecipient,
	"/sql/warehouses":           nameWarehouse,
	"/apps":                     finishApp,
	"@/budget-policies":         func(req *apiRequest, r resource.Record) { r["creator_user_name"] = req.subject },
	"@/workspaces":              func(req *apiRequest, r resource.Record) { r["account_id"] = req.home.company().AccountID() },
	"/secrets":                  finishSecret,
	"/token-management/tokens":  finishToken,
	"/pipelines":                finishPipeline,
	"/preview/scim/v2/Users":    finishUser,
	"@/scim/v2/Users":           finishUser,
	"/preview/scim/v2/Groups":   finishGroup("/preview/scim/v2/Groups"),
	"@/scim/v2/Groups":          finishGroup("@/scim/v2/Groups"),
	"/repos":                    finishRepo,
	"/mlflow/experiments":       func(_ *apiRequest, r resource.Record) { r["lifecycle_stage"] = "active" },
	"/mlflow/runs":              finishTraining,
	"/mlflow/logged-models":     finishModel,
}

// changers apply the rules of a kind to a changed resource.
var changers = map[string]func(req *apiRequest, r, content resource.Record){
	"/pipelines": func(_ *apiRequest, r, content resource.Record) {
		spec := resource.Record{}
		maps.Copy(spec, content)
		spec["id"] = r["pipeline_id"]
		r["spec"] = spec
	},
	"/preview/scim/v2/Groups": func(req *apiRequest, r, _ resource.Record) { nameMembers(req, "/preview/scim/v2/Groups", r) },
	"@/scim/v2/Groups":        func(req *apiRequest, r, _ resource.Record) { nameMembers(req, "@/scim/v2/Groups", r) },

	"/mlflow/runs":  changedTraining,
	"/secrets":      func(req *apiRequest, r, _ resource.Record) { finishSecret(req, r) },
	"/secrets/acls": func(req *apiRequest, r, _ resource.Record) { r["scope"] = req.value("scope") },
}

// narrowers return the ids that can fit the filters of a request.
var narrowers = map[string]func(*apiRequest, resource.Sequence) resource.Sequence{
	"/jobs/runs": func(req *apiRequest, all resource.Sequence) resource.Sequence {
		return company.RunsOfJob(all, req.query.Get("job_id"))
	},
}

func finishApp(_ *apiRequest, r resource.Record) {
	r["url"] = "https://" + resource.Text(r["name"]) + ".apps.localhost"
}

func finishPipeline(req *apiRequest, r resource.Record) {
	spec := resource.Record{}
	maps.Copy(spec, req.object())
	spec["id"] = r["pipeline_id"]
	r["spec"], r["state"], r["health"] = spec, "IDLE", "HEALTHY"
	r["creator_user_name"], r["run_as_user_name"] = req.subject, req.subject
	delete(r, "latest_updates")
}

func finishRepo(_ *apiRequest, r resource.Record) {
	if resource.Text(r["branch"]) == "" {
		r["branch"] = "main"
	}
}
