package company

import (
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// modelData is the company's experiments in MLflow and their runs.
var modelData = map[string]dataset{
	"/mlflow/experiments": {ids: experimentIDs, make: experimentRecord},
	"/mlflow/runs":        {ids: trainingIDs, make: trainingRecord},
}

const firstExperiment = 2_410_000_000_000_001

func experiments() []string { return []string{"churn-risk", "demand-forecast"} }

func experimentIDs(*Company, []string) resource.Sequence {
	return resource.Sequence{Names: numbersFrom(firstExperiment, len(experiments()))}
}

func experimentRecord(co *Company, _ []string, id string) resource.Record {
	name := experiments()[placeOf(id, firstExperiment)]
	made, changed := co.Draw("/mlflow/experiments/" + id).times()
	return resource.Record{
		"experiment_id": id, "name": "/Users/" + Humans()[2].Email + "/" + name, "lifecycle_stage": "active",
		"artifact_location": "dbfs:/databricks/mlflow-tracking/" + id, "creation_time": made.UnixMilli(), "last_update_time": changed.UnixMilli(),
	}
}

// trainingIDs lists four runs of each experiment. The first two digits are the experiment and the
// run.
func trainingIDs(co *Company, _ []string) resource.Sequence {
	var ids []string
	for e := range experiments() {
		for n := range 4 {
			d := co.Draw("training " + strconv.Itoa(e) + strconv.Itoa(n))
			ids = append(ids, strconv.Itoa(e)+strconv.Itoa(n)+strings.ReplaceAll(d.UUID(), "-", "")[2:])
		}
	}
	return resource.Sequence{Names: ids}
}

func trainingRecord(co *Company, _ []string, id string) resource.Record {
	e := int(id[0] - '0')
	d := co.Draw("/mlflow/runs/" + id)
	made, _ := d.times()
	experiment := strconv.Itoa(firstExperiment + e)
	info := resource.Record{
		"run_id": id, "run_uuid": id, "run_name": experiments()[e] + "-" + id[1:2], "experiment_id": experiment, "user_id": Humans()[2].Email,
		"status": "FINISHED", "start_time": made.UnixMilli(), "end_time": made.UnixMilli() + 600_000, "lifecycle_stage": "active",
		"artifact_uri": "dbfs:/databricks/mlflow-tracking/" + experiment + "/" + id + "/artifacts",
	}
	return resource.Record{"run_id": id, "info": info, "data": resource.Record{
		"params":  []any{resource.Record{"key": "depth", "value": strconv.Itoa(4 + d.Below(5))}},
		"metrics": []any{resource.Record{"key": "loss", "value": int64(1 + d.Below(3)), "timestamp": made.UnixMilli(), "step": int64(0)}},
	}}
}
