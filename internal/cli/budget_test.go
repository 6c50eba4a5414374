//go:build unix

package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestBudgets shows how workers spare workspaces: workers together keep to the rate, and send no more queries
// to a workspace that throttles.
func TestBudgets(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	t.Run("rate", func(t *testing.T) {
		t.Parallel()
		ratesAreShared(t, c.database(t, "rate"))
	})
	t.Run("retry", func(t *testing.T) {
		t.Parallel()
		throttledIsLeftAlone(t, c.database(t, "retry"))
	})
}

// ratesAreShared: two workers together make no more calls to a workspace in a second than its rate and their
// reserved calls.
func ratesAreShared(t *testing.T, s store) {
	t.Helper()
	const rate, inHand = 20, 5 // a quarter of a second
	names := emulator.WorkspaceNames(2)
	server, env := workspace(t, emulator.Options{Workspaces: names, PageSize: 1, Scale: 4})
	files := map[string]string{"pipeline.yaml": fmt.Sprintf("name: company\n%s%sconcurrency: 2\nrate: %d\n", listed(names), never, rate)}
	const tables = 6
	for i := range tables {
		files[fmt.Sprintf("t%d.sql", i)] = fmt.Sprintf("-- table: t%d\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects", i)
	}
	install(t, env, s, folder(t, files))
	one, two := startWorker(t, env, s), startWorker(t, env, s)
	alive(t, s, one, two)
	trigger(t, env, s, "company")
	over(t, s, 1)
	if len(ends(t, "done", one)) == 0 || len(ends(t, "done", two)) == 0 || len(ends(t, "done", one, two)) != tables*len(names) {
		t.Errorf("one worker has done %v, the other %v", ends(t, "done", one), ends(t, "done", two))
	}
	calls := map[string][]time.Time{}
	for _, r := range server.Requests() {
		calls[r.Workspace] = append(calls[r.Workspace], r.Time)
	}
	for _, name := range names {
		times := calls[name]
		slices.SortFunc(times, time.Time.Compare)
		if len(times) < 2*rate {
			t.Fatalf("%d calls to %s are too few to tell a rate", len(times), name)
		}
		most := 0
		for first, last := 0, 0; last < len(times); last++ {
			for times[last].Sub(times[first]) >= time.Second {
				first++
			}
			most = max(most, last-first+1)
		}
		if bound := rate + 2*inHand; most > bound {
			t.Errorf("%s was sent %d calls within a second, more than %d", name, most, bound)
		}
	}
}

// throttledIsLeftAlone: a workspace that asks for time gets it, from every query, and none of them loses an
// attempt; the others are asked meanwhile.
func throttledIsLeftAlone(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(4)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	busy := names[1]
	server.SetFaults(faults(t, "GET "+busy+"/*: 429 retry-after=30")...)
	install(t, env, s, company(t, listed(names)+never+"concurrency: 1\n"))
	worker := startWorker(t, env, s)
	alive(t, s, worker)
	trigger(t, env, s, "company")
	eventually(t, "the other workspaces are done, and both queries of the one wait", func() bool {
		return mustCount(t, s, "lakeql_task WHERE state = 'done'") == 6 &&
			mustCount(t, s, "lakeql_task WHERE state = 'waiting' AND wait_until > now() + interval '15 seconds' AND deployment_name = '"+busy+"'") == 2 &&
			mustCount(t, s, "river_job WHERE kind = 'lakeql_task' AND state IN ('scheduled', 'available') AND scheduled_at > now() + interval '15 seconds' AND attempt = 0") == 2
	})
	asked := 0
	for _, r := range server.Requests() {
		if r.Workspace == busy {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("the workspace was called %d times: the second query should have waited with the first", asked)
	}
	if n := len(ends(t, "waiting", worker)); n != 1 {
		t.Errorf("the log tells %d times of a query that waits", n)
	}
	rows := jsonRows(t, pipelineCommand(t, env, "status", "--store", s.name, "-o", "json").stdout)
	if got := fmt.Sprintf("%v %v %v %v", rows[0]["done"], rows[0]["waiting"], rows[0]["failed"], rows[0]["throttled"]); got != "6 2 0 1" {
		t.Errorf("status tells of queries done, waiting, failed, and calls throttled: %s", got)
	}

	server.SetFaults()
	s.change(t, "UPDATE lakeql_workspace SET blocked_until = now() - interval '1 second'")
	s.change(t, "UPDATE lakeql_task SET wait_until = now() - interval '1 second' WHERE wait_until IS NOT NULL")
	s.change(t, "UPDATE river_job SET scheduled_at = now() - interval '1 second' WHERE scheduled_at > now()")
	over(t, s, 1)
	exact(t, server, s, names)
	if attempts := s.ask(t, "SELECT DISTINCT attempts FROM lakeql_task"); len(attempts) != 1 || fmt.Sprint(attempts[0]["attempts"]) != "1" {
		t.Errorf("to be turned away counted as an attempt: %v", attempts)
	}
	if strings.Contains(strings.Join(worker.logged(), ""), `"level":"ERROR"`) {
		t.Error("the log has an error")
	}
}
