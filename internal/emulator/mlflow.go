package emulator

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// trackingHandlers are the operations that set tags, parameters and metrics of runs, experiments
// and models. These are arrays of {key, value}, in which searches look.
func trackingHandlers() map[string]handler {
	const root = "POST /api/2.0/mlflow/"
	runs, experiments := tracked{"/mlflow/runs", []string{"run_id"}}, tracked{"/mlflow/experiments", []string{"experiment_id"}}
	models, versions := tracked{"/mlflow/registered-models", []string{"name"}}, tracked{"/mlflow/model-versions", []string{"name", "version"}}
	return map[string]handler{
		root + "runs/set-tag":                                 runs.puts("data", "tags"),
		root + "runs/delete-tag":                              runs.drops("data", "tags"),
		root + "runs/log-parameter":                           runs.puts("data", "params"),
		root + "runs/log-metric":                              runs.puts("data", "metrics"),
		root + "runs/log-batch":                               runs.putsAll("data", "tags", "params", "metrics"),
		root + "experiments/set-experiment-tag":               experiments.puts("", "tags"),
		root + "registered-models/set-tag":                    models.puts("", "tags"),
		root + "model-versions/set-tag":                       versions.puts("", "tags"),
		"DELETE /api/2.0/mlflow/registered-models/delete-tag": models.drops("", "tags"),
		"DELETE /api/2.0/mlflow/model-versions/delete-tag":    versions.drops("", "tags"),
	}
}

// tracked is a kind of resource with tags, and the parameters that identify one.
type tracked struct {
	kind string
	ids  []string
}

// puts sets the key and value of the request in an array of the resource.
func (t tracked) puts(in, list string) handler {
	return t.change(func(req *apiRequest, held map[string]any) {
		entry := resource.Record{"key": req.value("key"), "value": req.object()["value"]}
		if list == "metrics" {
			for _, name := range []string{"timestamp", "step"} {
				if value, ok := req.object()[name]; ok {
					entry[name] = value
				}
			}
		}
		held[list] = withEntry(held[list], entry)
	}, in)
}

// putsAll sets the keys and values of several arrays.
func (t tracked) putsAll(in string, lists ...string) handler {
	return t.change(func(req *apiRequest, held map[string]any) {
		for _, list := range lists {
			entries, _ := req.object()[list].([]any)
			for _, entry := range entries {
				if said, ok := entry.(map[string]any); ok {
					held[list] = withEntry(held[list], said)
				}
			}
		}
	}, in)
}

// drops removes the key of the request from an array.
func (t tracked) drops(in, list string) handler {
	return t.change(func(req *apiRequest, held map[string]any) { held[list] = withoutKey(held[list], req.value("key")) }, in)
}

// change changes a resource, or the attribute of it that holds the arrays.
func (t tracked) change(change func(req *apiRequest, held map[string]any), in string) handler {
	return func(req *apiRequest) (any, error) {
		req.home.changing.Lock()
		defer req.home.changing.Unlock()
		k := req.emulator.kinds()[t.kind]
		if k == nil {
			return req.invented(nil), nil
		}
		name, old, err := req.stored(documents.Target{Kind: k, IDs: t.ids})
		if err != nil {
			return nil, err
		}
		r := maps.Clone(old)
		if in == "" {
			change(req, r)
		} else {
			held := maps.Clone(resource.Object(old, in)) // never nil
			change(req, held)
			r[in] = held
		}
		req.home.collections.Put(name, r)
		return json.RawMessage("{}"), nil
	}
}

// withEntry returns an array in which an entry replaces the entry of the same key.
func withEntry(list any, entry map[string]any) []any {
	return append(withoutKey(list, resource.Text(entry["key"])), entry)
}

func withoutKey(list any, key string) []any {
	entries, _ := list.([]any)
	return slices.DeleteFunc(slices.Clone(entries), func(entry any) bool { return slices.Contains(resource.ValuesAt(entry, []string{"key"}), key) })
}

// finishTraining returns a new run the form of MLflow.
func finishTraining(req *apiRequest, r resource.Record) {
	content := req.object()
	info := resource.Record{
		"run_id": r["run_id"], "run_uuid": r["run_id"], "status": "RUNNING", "lifecycle_stage": "active",
		"start_time": req.now().UnixMilli(), "user_id": req.subject,
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

// changedTraining copies a change into the attribute info of a run.
func changedTraining(_ *apiRequest, r, content resource.Record) {
	info := maps.Clone(resource.Object(r, "info"))
	for _, name := range []string{"status", "end_time", "run_name"} {
		if content[name] != nil {
			info[name] = content[name]
		}
	}
	r["info"] = info
}

// finishModel returns a new logged model the form of MLflow.
func finishModel(req *apiRequest, r resource.Record) {
	now := req.now().UnixMilli()
	info := resource.Record{"model_id": r["model_id"], "status": "LOGGED_MODEL_PENDING", "creation_timestamp_ms": now, "last_updated_timestamp_ms": now}
	for _, name := range []string{"experiment_id", "model_type", "name", "source_run_id", "tags"} {
		if value, ok := req.object()[name]; ok {
			info[name] = value
		}
	}
	r["info"], r["data"] = info, resource.Record{}
	if params := req.object()["params"]; params != nil {
		r["data"] = resource.Record{"params": params}
	}
}
