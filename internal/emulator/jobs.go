package emulator

import (
	"maps"
	"strconv"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// jobHandlers handles the operations of jobs whose bodies are not the job itself.
func jobHandlers() map[string]handler {
	return map[string]handler{
		"POST /api/2.2/jobs/create":          createJob,
		"POST /api/2.2/jobs/update":          changeJob,
		"POST /api/2.2/jobs/reset":           changeJob,
		"POST /api/2.2/jobs/run-now":         runJob,
		"POST /api/2.2/jobs/runs/submit":     submitRun,
		"POST /api/2.2/jobs/runs/cancel":     cancelRun,
		"POST /api/2.2/jobs/runs/cancel-all": cancelAllRuns,
		"POST /api/2.2/jobs/runs/repair":     repairRun,
		"GET /api/2.2/jobs/runs/get-output":  getRunOutput,

		"GET /api/2.0/policies/jobs/get-compliance": getJobCompliance,
	}
}

const (
	jobKind = "/jobs"
	runKind = "/jobs/runs"
)

func createJob(req *apiRequest) (any, error) {
	settings := maps.Clone(req.object())
	delete(settings, "access_control_list")
	setJobDefaults(settings)
	id := req.home.nextNumber(company.FirstJob + 1_000_000)
	req.home.collections.Put(jobKind+"/"+strconv.FormatInt(id, 10), resource.Record{
		"job_id": id, "creator_user_name": req.subject, "run_as_user_name": req.subject, "settings": settings, "name": settings["name"],
		"created_time": req.now().UnixMilli(),
	})
	return resource.Record{"job_id": id}, nil
}

// setJobDefaults completes settings with what the service shows of every job.
func setJobDefaults(settings resource.Record) {
	for name, value := range map[string]any{
		"name": "Untitled", "format": "MULTI_TASK", "max_concurrent_runs": int64(1), "timeout_seconds": int64(0),
		"email_notifications": resource.Record{}, "webhook_notifications": resource.Record{},
	} {
		if settings[name] == nil {
			settings[name] = value
		}
	}
}

// findJob finds the job that the body names.
func findJob(req *apiRequest) (name string, r resource.Record, err error) {
	id := resource.Text(req.object()["job_id"])
	it, ok := req.home.collections.Get(jobKind + "/" + resource.Key(id))
	if !ok {
		return "", nil, apierror.New(400, "INVALID_PARAMETER_VALUE", "Job %s does not exist.", apierror.Printable(id))
	}
	return jobKind + "/" + resource.Key(id), it.Record, nil
}

// changeJob replaces the settings of a job (reset) or merges new settings into them (update).
func changeJob(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, old, err := findJob(req)
	if err != nil {
		return nil, err
	}
	settings := map[string]any{}
	if req.method.Name != "reset" {
		held, _ := old["settings"].(resource.Record)
		maps.Copy(settings, held)
	}
	wanted, _ := req.object()["new_settings"].(map[string]any)
	maps.Copy(settings, wanted)
	gone, _ := req.object()["fields_to_remove"].([]any)
	for _, g := range gone {
		delete(settings, resource.Text(g))
	}
	setJobDefaults(settings)
	r := maps.Clone(old)
	r["settings"], r["name"] = settings, settings["name"]
	req.home.collections.Put(name, r)
	return resource.Record{}, nil
}

func runJob(req *apiRequest) (any, error) {
	_, job, err := findJob(req)
	if err != nil {
		return nil, err
	}
	run := newRun(req, resource.Text(job["name"]), "JOB_RUN")
	run["job_id"] = job["job_id"]
	req.home.collections.Put(runKind+"/"+resource.Text(run["run_id"]), run)
	return resource.Record{"run_id": run["run_id"], "number_in_job": run["run_id"]}, nil
}

func submitRun(req *apiRequest) (any, error) {
	name := resource.Text(req.object()["run_name"])
	if name == "" {
		name = "Untitled"
	}
	run := newRun(req, name, "SUBMIT_RUN")
	run["job_id"] = req.home.nextNumber(company.FirstJob + 1_000_000)
	req.home.collections.Put(runKind+"/"+resource.Text(run["run_id"]), run)
	return resource.Record{"run_id": run["run_id"]}, nil
}

// newRun makes a run that begins now and succeeds after [Options].OperationTime.
func newRun(req *apiRequest, name, kind string) resource.Record {
	const firstNew = 900_000_000_000_001
	id := req.home.nextNumber(firstNew)
	now := req.now()
	r := resource.Record{
		"run_id": id, "job_run_id": id, "number_in_job": id, "original_attempt_run_id": id, "run_name": name, "run_type": kind, "trigger": "ONE_TIME",
		"creator_user_name": req.subject, "start_time": now.UnixMilli(), "attempt_number": int64(0),
		"run_page_url": req.base + "/#job/run/" + strconv.FormatInt(id, 10),
		"state":        resource.Record{"life_cycle_state": "RUNNING", "state_message": "In run", "user_cancelled_or_timedout": false},
		"status":       resource.Record{"state": "RUNNING"},
	}
	took := req.emulator.opts.OperationTime
	if req.fails() {
		return req.becoming(r, over(now.Add(took), took, "FAILED", toldToFail))
	}
	return req.becoming(r, over(now.Add(took), took, "SUCCESS", ""))
}

// over returns the attributes of a run that change when it ends.
func over(end time.Time, took time.Duration, result, message string) resource.Record {
	code, kind := "SUCCESS", "SUCCESS"
	switch result {
	case "CANCELED":
		code, kind = "USER_CANCELED", "CLIENT_ERROR"
	case "FAILED":
		code, kind = "RUN_EXECUTION_ERROR", "CLIENT_ERROR"
	}
	return resource.Record{
		"state":    resource.Record{"life_cycle_state": "TERMINATED", "result_state": result, "state_message": message, "user_cancelled_or_timedout": result == "CANCELED"},
		"status":   resource.Record{"state": "TERMINATED", "termination_details": resource.Record{"code": code, "type": kind, "message": message}},
		"end_time": end.UnixMilli(), "run_duration": took.Milliseconds(),
	}
}

func findRun(req *apiRequest, id string) (string, resource.Record, error) {
	name := runKind + "/" + resource.Key(id)
	it, ok := req.home.collections.Get(name)
	if !ok {
		return "", nil, apierror.New(400, "INVALID_PARAMETER_VALUE", "Run %s does not exist.", apierror.Printable(id))
	}
	return name, resource.Settled(it.Record, req.now()), nil
}

func cancelRun(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, r, err := findRun(req, resource.Text(req.object()["run_id"]))
	if err != nil {
		return nil, err
	}
	endRun(req, name, r)
	return resource.Record{}, nil
}

// endRun cancels a run that has not ended.
func endRun(req *apiRequest, name string, r resource.Record) {
	if !running(r) {
		return
	}
	r = maps.Clone(r)
	delete(r, resource.DueField)
	delete(r, resource.ThenField)
	now := req.now()
	start, _ := r["start_time"].(int64)
	maps.Copy(r, over(now, now.Sub(time.UnixMilli(start)), "CANCELED", "Run cancelled."))
	req.home.collections.Put(name, r)
}

func running(r resource.Record) bool {
	state, _ := r["state"].(resource.Record)
	return resource.Text(state["life_cycle_state"]) == "RUNNING"
}

func cancelAllRuns(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	job := resource.Text(req.object()["job_id"])
	everything := func(resource.Item) bool { return true }
	for _, it := range req.home.collections.Select(runKind, req.home.collections.GeneratedIDs(runKind), "", resource.MaxItems, true, everything) { // the newest, because others have ended
		r := resource.Settled(it.Record, req.now())
		if (job == "" || resource.Text(r["job_id"]) == job) && running(r) {
			endRun(req, runKind+"/"+it.ID, r)
		}
	}
	return resource.Record{}, nil
}

func repairRun(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, old, err := findRun(req, resource.Text(req.object()["run_id"]))
	if err != nil {
		return nil, err
	}
	fresh := newRun(req, resource.Text(old["run_name"]), resource.Text(old["run_type"]))
	repair := fresh["run_id"]
	r := maps.Clone(old)
	for _, field := range []string{"state", "status", resource.DueField, resource.ThenField} {
		r[field] = fresh[field]
	}
	req.home.collections.Put(name, r)
	return resource.Record{"repair_id": repair}, nil
}

func getRunOutput(req *apiRequest) (any, error) {
	_, r, err := findRun(req, req.query.Get("run_id"))
	if err != nil {
		return nil, err
	}
	return req.shaped(resource.Record{
		"metadata": r, "notebook_output": resource.Record{"result": "ok", "truncated": false}, "logs_truncated": false,
	}), nil
}

// getJobCompliance answers that a job complies with the policies of its clusters.
func getJobCompliance(req *apiRequest) (any, error) {
	id := req.query.Get("job_id")
	if _, ok := req.home.collections.Get(jobKind + "/" + resource.Key(id)); !ok {
		return nil, apierror.New(404, "RESOURCE_DOES_NOT_EXIST", "Job %s does not exist.", apierror.Printable(id))
	}
	return req.answer(req.home.inventory.Item("/policies/job-compliance", id).Record), nil
}
