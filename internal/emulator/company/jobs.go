package company

import (
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// jobData is the company's jobs and their runs.
var jobData = map[string]dataset{
	"/jobs":      {ids: jobIDs, make: jobRecord},
	"/jobs/runs": {ids: runIDs, make: runRecord},
}

// story is one of the company's jobs.
type story struct {
	name, cron string
	owner      int // among humans
	minutes    int // that a run takes
	task       string
	paused     bool
}

func stories() []story {
	return []story{
		{name: "ingest-orders", cron: "0 0 * * * ?", owner: 0, minutes: 6, task: "notebook"},
		{name: "nightly-inventory", cron: "0 30 2 * * ?", owner: 1, minutes: 24, task: "pipeline"},
		{name: "refresh-loyalty", cron: "0 15 4 * * ?", owner: 2, minutes: 11, task: "sql"},
		{name: "roastery-sensors", cron: "0 0/15 * * * ?", owner: 3, minutes: 3, task: "pipeline"},
		{name: "forecast-demand", cron: "0 0 5 ? * MON", owner: 2, minutes: 95, task: "notebook"},
		{name: "monday-report", cron: "0 0 7 ? * MON", owner: 4, minutes: 8, task: "sql"},
		{name: "vacuum-tables", cron: "0 0 3 ? * SUN", owner: 0, minutes: 41, task: "notebook"},
		{name: "backfill-2024", owner: 5, minutes: 180, task: "notebook", paused: true},
	}
}

// Ids of jobs and runs. The ids of runs grow with their start: first the runs that the scale adds,
// then those of the stories, then those that clients start.
const (
	runsEach = 12
	// FirstJob is the lowest id of a job.
	FirstJob = 512_040_318_700_101
	moreRuns = "60000000"   // then numberWidth digits
	firstRun = "640000000"  // then the day's four digits and the job's two
	lastDay  = 1767_139_200 // 2025-12-31T00:00:00Z, the last day of the runs
	// taskRuns lie between a run's id and that of its task.
	taskRuns = 100_000_000_000_000
)

func (co *Company) jobNumber(i int) int64 { return FirstJob + int64(i)*7 }

func jobIDs(co *Company, _ []string) resource.Sequence {
	ids := make([]string, len(stories()))
	for i := range ids {
		ids[i] = strconv.FormatInt(co.jobNumber(i), 10)
	}
	return resource.Sequence{Names: ids}
}

// jobOf returns the place of a job among the stories, from its id.
func jobOf(id string) int {
	n, _ := strconv.ParseInt(id, 10, 64)
	return int(n-FirstJob) / 7
}

func jobRecord(co *Company, _ []string, id string) resource.Record {
	at := jobOf(id)
	s := stories()[at]
	owner := Humans()[s.owner].Email
	made, _ := co.Draw("/jobs/" + id).times()
	settings := resource.Record{
		"name": s.name, "description": "Runs " + s.name + " of Harbor Finch.", "format": "MULTI_TASK", "max_concurrent_runs": int64(1),
		"timeout_seconds": int64(s.minutes * 240), "tags": resource.Record{"team": teamOf(s.owner)},
		"email_notifications": resource.Record{"on_failure": []any{owner}}, "queue": resource.Record{"enabled": true},
		"tasks": []any{co.taskRecord(s)},
	}
	if s.cron != "" {
		settings["schedule"] = resource.Record{"quartz_cron_expression": s.cron, "timezone_id": "America/Los_Angeles", "pause_status": pausedOr(s.paused)}
	}
	return resource.Record{
		"job_id": co.jobNumber(at), "creator_user_name": owner, "run_as_user_name": owner,
		"created_time": made.UnixMilli(), "settings": settings, "name": s.name,
	}
}

func pausedOr(paused bool) string {
	if paused {
		return "PAUSED"
	}
	return "UNPAUSED"
}

func (co *Company) taskRecord(s story) resource.Record {
	task := resource.Record{"task_key": "main", "run_if": "ALL_SUCCESS", "timeout_seconds": int64(0)}
	switch s.task {
	case "pipeline":
		task["pipeline_task"] = resource.Record{"pipeline_id": co.pipelineID(0), "full_refresh": false}
	case "sql":
		task["sql_task"] = resource.Record{"warehouse_id": co.warehouseID(0), "file": resource.Record{"path": "/Workspace/Shared/sql/" + s.name + ".sql", "source": "WORKSPACE"}}
	default:
		task["notebook_task"] = resource.Record{"notebook_path": "/Workspace/Shared/jobs/" + s.name, "source": "WORKSPACE"}
		task["existing_cluster_id"] = co.clusterID(0)
	}
	return task
}

// runIDs lists the runs of all jobs: those of the stories, and those that the scale adds.
func runIDs(co *Company, _ []string) resource.Sequence {
	ids := make([]string, 0, len(stories())*runsEach)
	for day := range runsEach {
		for j := range stories() {
			ids = append(ids, storyRun(j, day))
		}
	}
	return resource.Sequence{Names: ids, Prefix: moreRuns, Count: co.Scale}
}

func storyRuns(job int) []string {
	ids := make([]string, runsEach)
	for k := range ids {
		ids[k] = storyRun(job, k)
	}
	return ids
}

// storyRun is the id of the run of a job on one of the days.
func storyRun(job, day int) string { return firstRun + resource.Pad(day*100 + job)[1:] }

// RunsOfJob narrows runs to those of a job. Without an id it returns all runs.
func RunsOfJob(all resource.Sequence, id string) resource.Sequence {
	at := jobOf(id)
	jobs := len(stories())
	switch {
	case id == "":
		return all
	case at < 0 || at >= jobs || strconv.FormatInt(FirstJob+int64(at)*7, 10) != id:
		return resource.Sequence{}
	}
	narrow := resource.Sequence{Names: storyRuns(at), Prefix: moreRuns, First: at + 1, Step: jobs}
	if all.Count > at {
		narrow.Count = (all.Count - at - 1 + jobs) / jobs
	}
	return narrow
}

func runRecord(co *Company, _ []string, id string) resource.Record {
	draw := co.Draw("/jobs/runs/" + id)
	at, start := co.startOf(id, draw)
	s := stories()[at]
	number, _ := strconv.ParseInt(id, 10, 64)
	took := time.Duration(s.minutes*60+draw.Below(s.minutes*30)) * time.Second
	failed := draw.Below(9) == 0
	state, status := resource.Record{"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "state_message": "", "user_cancelled_or_timedout": false},
		resource.Record{"state": "TERMINATED", "termination_details": resource.Record{"code": "SUCCESS", "type": "SUCCESS", "message": ""}}
	if failed {
		state["result_state"], state["state_message"] = "FAILED", "Task main failed: the table was changed by another job."
		status["termination_details"] = resource.Record{"code": "RUN_EXECUTION_ERROR", "type": "CLIENT_ERROR", "message": state["state_message"]}
	}
	r := resource.Record{
		"job_id": co.jobNumber(at), "run_id": number, "job_run_id": number, "number_in_job": number, "original_attempt_run_id": number,
		"run_name": s.name, "creator_user_name": Humans()[s.owner].Email, "run_type": "JOB_RUN", "trigger": "PERIODIC",
		"start_time": start.UnixMilli(), "end_time": start.Add(took).UnixMilli(), "run_duration": took.Milliseconds(),
		"execution_duration": int64(0), "setup_duration": int64(0), "cleanup_duration": int64(0), "queue_duration": int64(0),
		"state": state, "status": status, "attempt_number": int64(0),
		"run_page_url": "https://" + co.Workspace + ".localhost/#job/" + strconv.FormatInt(co.jobNumber(at), 10) + "/run/" + id,
	}
	if id == storyRun(3, runsEach-1) { // this run never ends
		r["state"] = resource.Record{"life_cycle_state": "RUNNING", "state_message": "In run", "user_cancelled_or_timedout": false}
		r["status"] = resource.Record{"state": "RUNNING"}
		r["end_time"], r["run_duration"] = int64(0), int64(0)
	}
	task := co.taskRecord(s)
	for _, name := range []string{"start_time", "end_time", "run_duration", "state", "status", "execution_duration", "setup_duration", "cleanup_duration", "attempt_number"} {
		task[name] = r[name]
	}
	task["run_id"] = number + taskRuns
	r["tasks"] = []any{task}
	return r
}

// startOf returns the job of a run and when the run started: each job once a day, one after the
// other. Runs that the scale adds are spread over the 360 days before.
func (co *Company) startOf(id string, draw *Draw) (job int, start time.Time) {
	last := time.Unix(lastDay, 0).UTC()
	if text, ok := strings.CutPrefix(id, moreRuns); ok {
		n, _ := strconv.Atoi(text)
		every := 360 * 86_400 / max(co.Scale, n)
		seconds := (n-1)*every + draw.Below(every)
		return (n - 1) % len(stories()), last.AddDate(0, 0, -360-runsEach).Add(time.Duration(seconds) * time.Second)
	}
	n, _ := strconv.Atoi(id[len(firstRun):])
	day, job := n/100, n%100
	return job, last.AddDate(0, 0, day+1-runsEach).Add(time.Duration(2*3600+job*1800+draw.Below(600)) * time.Second)
}
