//go:build unix

package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestSchedules follows pipelines that run by themselves.
func TestSchedules(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	for name, test := range map[string]func(*testing.T, store){
		"fires":   scheduleFires,
		"changes": scheduleChanges,
		"misses":  scheduleMisses,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, c.database(t, name))
		})
	}
}

// come makes it the time of a schedule.
func (s store) come(t *testing.T) {
	t.Helper()
	s.change(t, "UPDATE lakeql_schedule SET next_at = now() - interval '1 second'")
}

// looked waits until so many workers have looked after the schedules twice since now: they do so each second.
func looked(t *testing.T, s store, workers int64) {
	t.Helper()
	since := s.one(t, "SELECT now() + interval '2100 milliseconds' AS at")
	eventually(t, "the workers have looked", func() bool {
		return mustCount(t, s, "lakeql_worker WHERE seen_at > '"+since+"'") == workers
	})
}

// scheduleFires: a time of a schedule has one run, whoever of the workers is gone.
func scheduleFires(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(6)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	install(t, env, s, company(t, listed(names)+never))
	workers := []*machine{startWorker(t, env, s), startWorker(t, env, s), startWorker(t, env, s)}
	alive(t, s, workers...)

	s.come(t)
	over(t, s, 1)
	looked(t, s, 3)
	over(t, s, 1)
	exact(t, server, s, names)

	leader := s.one(t, "SELECT leader_id FROM river_leader")
	i := slices.IndexFunc(workers, func(m *machine) bool { return strings.Contains(leader, fmt.Sprintf("-%d-", m.pid())) })
	if i < 0 {
		t.Fatalf("the leader is %s, which is none of the workers", leader)
	}
	workers[i].kill(t)
	s.come(t)
	over(t, s, 2)
	looked(t, s, 2)
	over(t, s, 2)
	exact(t, server, s, names)
	runs := s.ask(t, "SELECT period, started_by FROM lakeql_run ORDER BY id")
	for _, run := range runs {
		if run["period"] == nil || run["started_by"] != "schedule" {
			t.Errorf("a run of a schedule is %v", run)
		}
	}
	if len(runs) != 2 || runs[0]["period"] == runs[1]["period"] {
		t.Errorf("the runs are %v", runs)
	}
	if n := mustCount(t, s, "lakeql_schedule WHERE next_at > now() AND last_at > now() - interval '1 minute' AND error IS NULL"); n != 1 {
		t.Errorf("the schedule is %v", s.ask(t, "SELECT * FROM lakeql_schedule"))
	}
}

// scheduleChanges: which changes of a schedule are allowed, and which are refused.
func scheduleChanges(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(2)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	schedule := func(args ...string) result {
		t.Helper()
		return pipelineCommand(t, env, append([]string{"schedule", "-o", "json", "--store", s.name}, args...)...)
	}
	listing := func(args ...string) []map[string]any {
		t.Helper()
		got := schedule(args...)
		if got.status != 0 {
			t.Fatalf("%v: status %d, stderr:\n%s", args, got.status, got.stderr)
		}
		return jsonRows(t, got.stdout)
	}
	refused := func(status int, message string, args ...string) {
		t.Helper()
		if got := schedule(args...); got.status != status || !strings.Contains(got.stderr, message) || got.stdout != "" {
			t.Errorf("%v: status %d, stdout %q, stderr:\n%s", args, got.status, got.stdout, got.stderr)
		}
	}

	refused(2, "the pipeline company has no schedule", "install", company(t, listed(names)))
	rows := listing("install", company(t, listed(names)+"schedule: \"30 4 29 2 *\"\ntimezone: Europe/Lisbon\n"))
	if len(rows) != 1 || rows[0]["pipeline"] != "company" || rows[0]["schedule"] != "30 4 29 2 *" || rows[0]["timezone"] != "Europe/Lisbon" || rows[0]["paused"] != false ||
		!strings.HasSuffix(fmt.Sprint(rows[0]["next_at"]), "-02-29T04:30:00Z") || rows[0]["last_at"] != nil || rows[0]["error"] != nil {
		t.Errorf("install tells %v", rows)
	}
	for _, change := range []string{"pause", "resume", "trigger", "remove"} {
		refused(2, `has no schedule of a pipeline "other"`, change, "other")
	}

	worker := startWorker(t, env, s)
	alive(t, s, worker)
	if rows := listing("pause", "company"); rows[0]["paused"] != true {
		t.Errorf("pause tells %v", rows)
	}
	s.come(t)
	looked(t, s, 1)
	if n := mustCount(t, s, "lakeql_run"); n != 0 {
		t.Errorf("a schedule that is paused has begun %d runs", n)
	}
	if rows := listing("resume", "company"); rows[0]["paused"] != false || !strings.HasSuffix(fmt.Sprint(rows[0]["next_at"]), "-02-29T04:30:00Z") {
		t.Errorf("resume tells %v", rows)
	}
	looked(t, s, 1)
	if n := mustCount(t, s, "lakeql_run"); n != 0 {
		t.Errorf("a schedule that goes on from its next time has begun %d runs", n)
	}

	server.SetFaults(faults(t, "* *: 429 retry-after=60")...)
	trigger(t, env, s, "company")
	refused(2, "a run of company is not over yet", "trigger", "company")
	if stop := pipelineCommand(t, env, "stop", "company", "--store", s.name); stop.status != 0 {
		t.Errorf("stop: status %d, stderr:\n%s", stop.status, stop.stderr)
	}
	if n := mustCount(t, s, "lakeql_run WHERE state = 'stopped' AND period IS NULL"); n != 1 {
		t.Errorf("the runs are %v", s.ask(t, "SELECT * FROM lakeql_run"))
	}

	if rows := listing("remove", "company"); len(rows) != 0 {
		t.Errorf("remove leaves %v", rows)
	}
	if rows := listing("list"); len(rows) != 0 {
		t.Errorf("list tells %v", rows)
	}
	refused(2, `has no schedule of a pipeline "company"`, "trigger", "company")
}

// scheduleMisses: if the last run is not over at the scheduled time, no run begins, and list reports it.
func scheduleMisses(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(2)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	install(t, env, s, company(t, listed(names)+never))
	server.SetFaults(faults(t, "* *: 429 retry-after=60")...)
	worker := startWorker(t, env, s)
	alive(t, s, worker)
	trigger(t, env, s, "company")
	s.come(t)
	told := func() string {
		rows := jsonRows(t, pipelineCommand(t, env, "schedule", "list", "-o", "json", "--store", s.name).stdout)
		return fmt.Sprint(rows[0]["error"])
	}
	eventually(t, "list tells of a time without a run", func() bool {
		return strings.Contains(told(), "had no run: the one before was not over")
	})
	if n := mustCount(t, s, "lakeql_run"); n != 1 {
		t.Errorf("there are %d runs", n)
	}
	if got := len(worker.events(t, "run skipped")); got != 1 {
		t.Errorf("the log tells %d times of a run that was left out", got)
	}

	// The next time has one again.
	server.SetFaults()
	if stop := pipelineCommand(t, env, "stop", "company", "--store", s.name); stop.status != 0 {
		t.Errorf("stop: status %d, stderr:\n%s", stop.status, stop.stderr)
	}
	s.change(t, "UPDATE lakeql_workspace SET blocked_until = NULL")
	s.come(t)
	eventually(t, "the next time has a run", func() bool { return mustCount(t, s, "lakeql_run WHERE state = 'done'") == 1 })
	if got := told(); got != "<nil>" {
		t.Errorf("list still tells %s", got)
	}
	exact(t, server, s, names)
}
