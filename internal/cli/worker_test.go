//go:build unix

package cli_test

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestWorkers follows runs that several machines carry out together.
func TestWorkers(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	for name, test := range map[string]func(*testing.T, store){
		"share":     workersShare,
		"killed":    workerKilled,
		"paused":    workerPaused,
		"overtaken": workerOvertaken,
		"planning":  plannerPaused,
		"frozen":    workerFrozen,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, c.database(t, name))
		})
	}
}

// listed is the part of pipeline.yaml that names workspaces.
func listed(names []string) string { return "workspaces: [" + strings.Join(names, ", ") + "]\n" }

// workersShare: two workers carry out one run, each of them a part.
func workersShare(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(40)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	server.SetFaults(faults(t, "GET "+names[0]+"/*: slow=3s", "GET "+names[1]+"/*: slow=3s", "* *: slow=20ms")...) // three leases
	install(t, env, s, company(t, listed(names)+never+"concurrency: 4\n"))
	one, two := startWorker(t, env, s), startWorker(t, env, s)
	alive(t, s, one, two)
	trigger(t, env, s, "company")
	over(t, s, 1)
	one.stop(t)
	two.stop(t)

	done := ends(t, "done", one, two)
	for task, n := range done {
		if n != 1 {
			t.Errorf("%s was done %d times", task, n)
		}
	}
	if len(done) != 2*len(names) || len(ends(t, "done", one)) == 0 || len(ends(t, "done", two)) == 0 {
		t.Errorf("one worker has done %d queries and the other %d, of %d", len(ends(t, "done", one)), len(ends(t, "done", two)), 2*len(names))
	}
	if n := server.Counts().Total; n != 2*len(names) {
		t.Errorf("there were %d calls for %d queries of one call", n, 2*len(names))
	}
	exact(t, server, s, names)
	if n := mustCount(t, s, "lakeql_worker"); n != 0 {
		t.Errorf("%d workers are there after all have ended", n)
	}
}

// workerKilled: another worker takes over the tasks of a dead one.
func workerKilled(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(40)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	server.SetFaults(faults(t, "* *: slow=100ms")...)
	install(t, env, s, company(t, listed(names)+never+"concurrency: 4\n"))
	victim, other := startWorker(t, env, s), startWorker(t, env, s)
	alive(t, s, victim, other)
	trigger(t, env, s, "company")
	eventually(t, "the worker has done something, and is about more", func() bool {
		return server.Counts().Total >= 24 && len(ends(t, "done", victim)) > 0 && mustCount(t, s, "lakeql_task WHERE state = 'running' AND "+victim.named("worker")) > 0
	})
	victim.kill(t)
	if n := mustCount(t, s, "lakeql_run WHERE ended_at IS NULL"); n != 1 {
		t.Fatal("the run was over before the worker was killed")
	}
	over(t, s, 1)
	exact(t, server, s, names)
	for task, n := range ends(t, "done", victim, other) {
		if n != 1 {
			t.Errorf("%s was done %d times", task, n)
		}
	}
	if n := mustCount(t, s, "lakeql_task WHERE attempts <> 1"); n != 0 {
		t.Errorf("to be killed counted as an attempt of %d queries", n)
	}
	if n := mustCount(t, s, "lakeql_worker WHERE "+victim.named("id")); n != 0 {
		t.Error("the worker that was killed is still listed")
	}
}

// workerPaused: a worker that wakes up after others have done its tasks writes nothing.
func workerPaused(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(8)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	sleeper := pausedWorker(t, server, env, s, names)
	other := startWorker(t, env, s)
	over(t, s, 1)
	exact(t, server, s, names)
	sleeper.signal(t, syscall.SIGCONT)
	eventually(t, "the worker sees that others have its queries", func() bool { return len(ends(t, "taken over", sleeper)) == 4 })
	if n := len(ends(t, "done", sleeper)); n != 0 {
		t.Errorf("it ended %d queries that were taken over", n)
	}
	if n := len(ends(t, "done", other)); n != 2*len(names) {
		t.Errorf("the other one has done %d queries of %d", n, 2*len(names))
	}
	exact(t, server, s, names)
}

// pausedWorker returns a worker that is asleep, with four queries in hand.
func pausedWorker(t *testing.T, server *emulator.Server, env []string, s store, names []string) *machine {
	t.Helper()
	server.SetFaults(faults(t, "* *: slow=1s")...)
	install(t, env, s, company(t, listed(names)+never+"concurrency: 4\n"))
	sleeper := startWorker(t, env, s)
	alive(t, s, sleeper)
	trigger(t, env, s, "company")
	eventually(t, "the worker has queries", func() bool {
		return mustCount(t, s, "lakeql_task WHERE state = 'running' AND "+sleeper.named("worker")) == 4
	})
	sleeper.signal(t, syscall.SIGSTOP)
	server.SetFaults()
	if n := mustCount(t, s, "lakeql_task WHERE state = 'done'"); n != 0 {
		t.Fatalf("%d queries were done before the worker fell asleep", n)
	}
	return sleeper
}

// workerOvertaken: a worker wakes up while another one does its tasks. Neither disturbs the other: the
// first one writes nothing, and no query runs a third time.
func workerOvertaken(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(2)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	sleeper := pausedWorker(t, server, env, s, names)
	server.SetFaults(faults(t, "* *: slow=4s")...)
	other := startWorker(t, env, s)
	eventually(t, "the other worker has the queries", func() bool {
		return mustCount(t, s, "lakeql_task WHERE state = 'running' AND "+other.named("worker")) == 4
	})
	sleeper.signal(t, syscall.SIGCONT)
	eventually(t, "the worker sees that another has its queries", func() bool { return len(ends(t, "taken over", sleeper)) == 4 })
	over(t, s, 1)
	asked := map[string]int{}
	for _, r := range server.Requests() {
		asked[r.Workspace+r.Path]++
	}
	for what, n := range asked {
		if n > 2 {
			t.Errorf("%s was asked %d times, by two workers", what, n)
		}
	}
	if n := len(ends(t, "done", other)); n != 4 {
		t.Errorf("the other worker has done %d queries: %v", n, fmt.Sprint(ends(t, "done", sleeper)))
	}
	exact(t, server, s, names)
}

// plannerPaused: a worker that wakes up after another one has planned and done its run leaves the run alone.
func plannerPaused(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(4)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	env = append(env, "DATABRICKS_ACCOUNT_ID="+server.AccountID())
	install(t, env, s, company(t, "workspaces: all\n"+never))
	server.SetFaults(faults(t, "GET /api/2.0/accounts/*: slow=2s")...)
	sleeper := startWorker(t, env, s)
	alive(t, s, sleeper)
	trigger(t, env, s, "company")
	// By then it has read the run, and waits for the account.
	planning := "river_job WHERE kind = 'lakeql_plan' AND state = 'running' AND attempted_at < now() - interval '500 milliseconds'"
	eventually(t, "the worker looks for the workspaces", func() bool { return mustCount(t, s, planning) == 1 })
	sleeper.signal(t, syscall.SIGSTOP)
	server.SetFaults()
	other := startWorker(t, env, s)
	over(t, s, 1)
	sleeper.signal(t, syscall.SIGCONT)
	eventually(t, "the worker sees that the run was planned", func() bool { return len(sleeper.events(t, "run was planned by another worker, or stopped")) == 1 })
	over(t, s, 1)
	if n := len(ends(t, "done", other)); n != 2*len(names) {
		t.Errorf("the other worker has done %d queries of %d", n, 2*len(names))
	}
	exact(t, server, s, names)
}

// workerFrozen: a worker falls asleep in a transaction, in which it has a query's place. The server ends the
// transaction, and another worker does the query.
func workerFrozen(t *testing.T, s store) {
	t.Helper()
	names := emulator.WorkspaceNames(1)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	install(t, env, s, company(t, listed(names)+never+"concurrency: 1\n"))
	sleeper := startWorker(t, env, store{name: s.name + "&idle_in_transaction_session_timeout=1000"})
	alive(t, s, sleeper)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // there is nothing left to lose
	server.SetFaults(faults(t, "* *: slow=2s")...)
	trigger(t, env, s, "company")
	eventually(t, "the worker has a query", func() bool { return mustCount(t, s, "lakeql_task WHERE state = 'running'") == 1 })
	if _, err := conn.Exec(ctx, "BEGIN; LOCK TABLE lakeql_slice IN SHARE ROW EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	server.SetFaults()
	waits := "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INTO lakeql_slice%'"
	eventually(t, "the worker waits in its transaction", func() bool { return mustCount(t, s, waits) == 1 })
	sleeper.signal(t, syscall.SIGSTOP)
	if _, err := conn.Exec(ctx, "COMMIT"); err != nil {
		t.Fatal(err)
	}
	s.change(t, "CREATE TABLE seen (setting text)")
	s.change(t, `CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO seen VALUES (current_setting('idle_in_transaction_session_timeout')); RETURN NEW; END $$`)
	s.change(t, "CREATE TRIGGER see BEFORE INSERT ON lakeql_worker FOR EACH ROW EXECUTE FUNCTION see()")
	other := startWorker(t, env, s)
	over(t, s, 1)
	if got := s.one(t, "SELECT min(setting) AS setting FROM seen"); got != "15s" {
		t.Errorf("a worker whose store does not say it may be idle in a transaction for %s", got)
	}
	if n := len(ends(t, "done", other)); n != 2 {
		t.Errorf("the other worker has done %d queries of 2", n)
	}
	sleeper.signal(t, syscall.SIGCONT)
	sleeper.stop(t)
	exact(t, server, s, names)
}
