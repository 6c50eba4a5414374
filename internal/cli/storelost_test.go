//go:build unix

package cli_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestStoreComesBack shows that a run continues after the store's server was away or a message to it was
// lost: no row is stored twice, and nothing waits for ever.
func TestStoreComesBack(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	for name, test := range map[string]func(*testing.T, *cluster, store){
		"sessions": sessionsEnd,
		"queue":    queueFails,
		"plan":     planIsLost,
		"planning": planTakesLong,
	} {
		t.Run(name, func(t *testing.T) { test(t, c, c.database(t, name)) })
	}
	t.Run("new", func(t *testing.T) { storeIsNew(t, c.database(t, "new")) })
	t.Run("restart", func(t *testing.T) { serverRestarts(t, c, c.database(t, "restart")) })
}

// sessionsEnd: all that a worker has of connections is cut, again and again.
func sessionsEnd(t *testing.T, c *cluster, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(40)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	server.SetFaults(faults(t, "* *: slow=50ms")...)
	install(t, env, s, company(t, listed(names)+never+"concurrency: 4\n"))
	worker := startWorker(t, env, s)
	alive(t, s, worker)
	trigger(t, env, s, "company")
	for _, calls := range []int{8, 16, 24, 32, 40} {
		eventually(t, "the worker goes on", func() bool { return server.Counts().Total >= calls })
		c.do(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'sessions'")
	}
	over(t, s, 1)
	exact(t, server, s, names)
	onceAtMost(t, worker)
}

// onceAtMost shows that no query ran twice, except one whose worker did not learn of its end.
func onceAtMost(t *testing.T, worker *machine) {
	t.Helper()
	for task, n := range ends(t, "done", worker) {
		if n != 1 {
			t.Errorf("%s was done %d times", task, n)
		}
	}
}

// serverRestarts: the server goes, and comes back on the same port.
func serverRestarts(t *testing.T, c *cluster, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(40)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	server.SetFaults(faults(t, "* *: slow=50ms")...)
	install(t, env, s, company(t, listed(names)+never+"concurrency: 4\n"))
	worker := startWorker(t, env, s)
	alive(t, s, worker)
	trigger(t, env, s, "company")
	eventually(t, "the worker is about the run", func() bool { return server.Counts().Total >= 16 })
	c.Stop(t)
	eventually(t, "the worker sees that the store is away", func() bool { return len(worker.events(t, "store fails")) > 0 })
	if !c.Start(t) {
		t.Fatal("the server does not start again")
	}
	if n := mustCount(t, s, "lakeql_run WHERE ended_at IS NULL"); n != 1 {
		t.Fatal("the run was over before the server went")
	}
	over(t, s, 1)
	exact(t, server, s, names)
	onceAtMost(t, worker)
	worker.stop(t)
	for _, line := range worker.logged() {
		if strings.Contains(line, "own%20") || strings.Contains(line, c.Password) {
			t.Errorf("the log has the store's password: %s", line)
		}
	}
}

// queueFails: a worker that could not begin to take jobs from a queue does so later.
func queueFails(t *testing.T, _ *cluster, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(2)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	install(t, env, s, company(t, listed(names)+never))
	s.change(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$`)
	s.change(t, "CREATE TRIGGER refuse BEFORE INSERT ON river_queue FOR EACH ROW WHEN (NEW.name = 'pipeline_company') EXECUTE FUNCTION refuse()")
	worker := startWorker(t, env, s)
	alive(t, s, worker)
	trigger(t, env, s, "company")
	eventually(t, "the worker is refused", func() bool { return len(worker.events(t, "store fails")) > 0 })
	s.change(t, "DROP TRIGGER refuse ON river_queue")
	over(t, s, 1)
	exact(t, server, s, names)
}

// planIsLost: a run whose first job is lost, before it has tasks, gets a new one.
func planIsLost(t *testing.T, _ *cluster, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(2)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	install(t, env, s, company(t, listed(names)+never))
	trigger(t, env, s, "company")
	s.change(t, "UPDATE river_job SET state = 'discarded', finalized_at = now() WHERE kind = 'lakeql_plan'")
	worker := startWorker(t, env, s)
	alive(t, s, worker)
	over(t, s, 1)
	exact(t, server, s, names)
}

// planTakesLong: a worker that is about to find the workspaces does not begin to do so again.
func planTakesLong(t *testing.T, _ *cluster, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(4)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	env = append(env, "DATABRICKS_ACCOUNT_ID="+server.AccountID())
	install(t, env, s, company(t, "workspaces: all\n"+never))
	server.SetFaults(faults(t, "GET /api/2.0/accounts/*: slow=4s")...)
	worker := startWorker(t, env, s)
	alive(t, s, worker)
	trigger(t, env, s, "company")
	eventually(t, "the worker looks for the workspaces", func() bool {
		return mustCount(t, s, "river_job WHERE kind = 'lakeql_plan' AND state = 'running' AND attempted_at < now() - interval '1 second'") == 1
	})
	s.change(t, "UPDATE river_job SET attempted_at = now() - interval '1 minute' WHERE kind = 'lakeql_plan'")
	over(t, s, 1)
	worker.stop(t)
	asked := 0
	for _, r := range server.Requests() {
		if strings.HasPrefix(r.Path, "/api/2.0/accounts/") {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("the workspaces were asked for %d times", asked)
	}
	exact(t, server, s, names)
}

// storeIsNew: several commands come to a database at once in which there is nothing yet.
func storeIsNew(t *testing.T, s store) {
	t.Helper()
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			if got := pipelineCommand(t, nil, "status", "--store", s.name); got.status != 0 {
				t.Errorf("status %d, stderr:\n%s", got.status, got.stderr)
			}
		})
	}
	group.Wait()
}
