package emulator

import (
	"maps"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// modelSeeds are what the company trains: experiments and their runs.
var modelSeeds = map[string]seed{
	"/mlflow/experiments": {ids: experimentIDs, make: experimentRecord},
	"/mlflow/runs":        {ids: trainingIDs, make: trainingRecord},
}

const firstExperiment = 2_410_000_000_000_001

func experiments() []string { return []string{"churn-risk", "demand-forecast"} }

func experimentIDs(*company, []string) resource.Sequence {
	return resource.Sequence{Names: numbersFrom(firstExperiment, len(experiments()))}
}

func experimentRecord(co *company, _ []string, id string) resource.Record {
	name := experiments()[placeOf(id, firstExperiment)]
	made, changed := co.draw("/mlflow/experiments/" + id).times()
	return resource.Record{
		"experiment_id": id, "name": "/Users/" + humans()[2].email + "/" + name, "lifecycle_stage": "active",
		"artifact_location": "dbfs:/databricks/mlflow-tracking/" + id, "creation_time": made.UnixMilli(), "last_update_time": changed.UnixMilli(),
	}
}

// trainingIDs lists four runs of each experiment: the first digits tell which.
func trainingIDs(co *company, _ []string) resource.Sequence {
	var ids []string
	for e := range experiments() {
		for n := range 4 {
			d := co.draw("training " + strconv.Itoa(e) + strconv.Itoa(n))
			ids = append(ids, strconv.Itoa(e)+strconv.Itoa(n)+strings.ReplaceAll(d.uuid(), "-", "")[2:])
		}
	}
	return resource.Sequence{Names: ids}
}

func trainingRecord(co *company, _ []string, id string) resource.Record {
	e := int(id[0] - '0')
	d := co.draw("/mlflow/runs/" + id)
	made, _ := d.times()
	experiment := strconv.Itoa(firstExperiment + e)
	info := resource.Record{
		"run_id": id, "run_uuid": id, "run_name": experiments()[e] + "-" + id[1:2], "experiment_id": experiment, "user_id": humans()[2].email,
		"status": "FINISHED", "start_time": made.UnixMilli(), "end_time": made.UnixMilli() + 600_000, "lifecycle_stage": "active",
		"artifact_uri": "dbfs:/databricks/mlflow-tracking/" + experiment + "/" + id + "/artifacts",
	}
	return resource.Record{"run_id": id, "info": info, "data": resource.Record{
		"params":  []any{resource.Record{"key": "depth", "value": strconv.Itoa(4 + d.below(5))}},
		"metrics": []any{resource.Record{"key": "loss", "value": int64(1 + d.below(3)), "timestamp": made.UnixMilli(), "step": int64(0)}},
	}}
}

// finishTraining is a run as it begins.
func finishTraining(c *call, r resource.Record) {
	content := c.object()
	info := resource.Record{
		"run_id": r["run_id"], "run_uuid": r["run_id"], "status": "RUNNING", "lifecycle_stage": "active",
		"start_time": c.emulator.opts.Clock().UnixMilli(), "user_id": c.subject,
	}
	for _, name := range []string{"experiment_id", "run_name", "start_time"} {
		if content[name] != nil {
			info[name] = content[name]
		}
	}
	for name := range content {
		delete(r, name)
	}
	r["info"], r["data"] = info, resource.Record{}
	if content["tags"] != nil {
		r["data"] = resource.Record{"tags": content["tags"]}
	}
	delete(r, "inputs")
	delete(r, "outputs")
}

// changedTraining takes a change over into what a run says of itself.
func changedTraining(_ *call, r, content resource.Record) {
	info := maps.Clone(resource.Object(r, "info"))
	for _, name := range []string{"status", "end_time", "run_name"} {
		if content[name] != nil {
			info[name] = content[name]
		}
	}
	r["info"] = info
}

// finishModel is a logged model as it is made.
func finishModel(c *call, r resource.Record) {
	now := c.emulator.opts.Clock().UnixMilli()
	info := resource.Record{"model_id": r["model_id"], "status": "LOGGED_MODEL_PENDING", "creation_timestamp_ms": now, "last_updated_timestamp_ms": now}
	for _, name := range []string{"experiment_id", "model_type", "name", "source_run_id", "tags"} {
		if value, ok := c.object()[name]; ok {
			info[name] = value
		}
	}
	r["info"], r["data"] = info, resource.Record{}
	if params := c.object()["params"]; params != nil {
		r["data"] = resource.Record{"params": params}
	}
}
