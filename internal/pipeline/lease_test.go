package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/lakeql/lakeql/provider"
)

// begun makes a store with a run whose tasks wait: the table things of two workspaces.
type begun struct {
	*Store

	worker *Worker
	run    *Run
}

func begin(t *testing.T) *begun {
	t.Helper()
	s, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "store.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	d := &Definition{Name: "p", Attempts: 3, Workspaces: Workspaces{Names: []string{"dbc-1", "dbc-2"}}, Tables: []Table{*things()}}
	run, _, err := s.Begin(t.Context(), d, "a test")
	if err == nil {
		err = s.db.transact(t.Context(), func(c tx) error { return s.makeTasks(t.Context(), c, run, d, d.Workspaces.Names) })
	}
	if err != nil {
		t.Fatal(err)
	}
	b := &begun{Store: s, worker: &Worker{Store: s, Lease: time.Minute, Logger: discard(), id: "w"}, run: run}
	b.do(t, "DELETE FROM river_job WHERE kind = 'lakeql_plan'")
	return b
}

func (b *begun) do(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := b.db.exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// want compares the rows of a query, as text, with the wanted ones.
func (b *begun) want(t *testing.T, want, query string) {
	t.Helper()
	var got sql.NullString
	if _, err := one(t.Context(), b.db, query, nil, &got); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if got.String != want {
		t.Errorf("%s gives %q, want %q", query, got.String, want)
	}
}

func (b *begun) rescue(t *testing.T) {
	t.Helper()
	if err := b.Store.rescue(t.Context(), b.worker); err != nil {
		t.Fatal(err)
	}
}

const (
	stateOfTasks = "SELECT group_concat(state, ' ' ORDER BY deployment_name) FROM lakeql_task"
	stateOfJobs  = "SELECT group_concat(state, ' ' ORDER BY id) FROM river_job"
)

// TestRescue rescues the work of a dead worker, and not that of a living one.
func TestRescue(t *testing.T) {
	b := begin(t)
	if err := b.beat(t.Context(), b.worker, "here"); err != nil {
		t.Fatal(err)
	}
	b.do(t, "INSERT INTO lakeql_worker (id, host, begun_at, seen_at, lease) VALUES ('gone', '', ?1, ?1, 1)", stamp(time.Now().Add(-time.Minute)))
	b.do(t, "UPDATE lakeql_task SET state = 'running', begun_at = ?1, worker = CASE deployment_name WHEN 'dbc-1' THEN 'gone' ELSE 'w' END", stamp(time.Now()))
	b.do(t, "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = ?1, attempted_by = jsonb(CASE json_extract(args, '$.workspace') WHEN 'dbc-1' THEN '[\"w\", \"gone\"]' ELSE '[\"gone\", \"w\"]' END)",
		time.Now().UTC().Format("2006-01-02 15:04:05.000"))
	b.rescue(t)
	b.want(t, "waiting running", stateOfTasks)
	b.want(t, "available running", stateOfJobs)
	b.want(t, "0 1", "SELECT group_concat(attempt, ' ' ORDER BY id) FROM river_job")
	b.want(t, "1 0", "SELECT group_concat(killed, ' ' ORDER BY deployment_name) FROM lakeql_task")
	b.want(t, "w", "SELECT group_concat(id) FROM lakeql_worker")

	// A worker that could give no sign of life does not take its own work from itself.
	b.do(t, "UPDATE lakeql_worker SET seen_at = ?1", stamp(time.Now().Add(-time.Hour)))
	b.rescue(t)
	b.want(t, "waiting running", stateOfTasks)

	// A worker returns jobs that it does not work on, after River has had the time to record their end.
	old := time.Now().Add(-2 * settling)
	b.do(t, "UPDATE lakeql_task SET begun_at = ?1 WHERE state = 'running'", stamp(old))
	b.do(t, "UPDATE river_job SET attempted_at = ?1 WHERE state = 'running'", old.UTC().Format("2006-01-02 15:04:05.000"))
	var job int64
	if _, err := one(t.Context(), b.db, "SELECT id FROM river_job WHERE state = 'running'", nil, &job); err != nil {
		t.Fatal(err)
	}
	mine := taskArgs{b.run.ID, "things", "dbc-2"}
	b.worker.jobs.add(job)
	b.worker.tasks.add(mine)
	b.rescue(t)
	b.want(t, "waiting running", stateOfTasks)
	b.worker.jobs.remove(job)
	b.worker.tasks.remove(mine)
	b.rescue(t)
	b.want(t, "waiting running", stateOfTasks)
	b.worker.jobs.ended[job] = old
	b.worker.tasks.ended[mine] = old
	b.rescue(t)
	b.want(t, "waiting waiting", stateOfTasks)
	b.want(t, "available available", stateOfJobs)
}

// TestRescueGivesUp fails a query after several of its workers have died.
func TestRescueGivesUp(t *testing.T) {
	b := begin(t)
	b.do(t, "UPDATE lakeql_task SET state = 'running', worker = 'gone', killed = ?1", mostKilled-1)
	b.rescue(t)
	b.want(t, "waiting waiting", stateOfTasks)
	b.do(t, "UPDATE lakeql_task SET state = 'running', worker = 'gone' WHERE deployment_name = 'dbc-2'")
	b.rescue(t)
	b.want(t, "waiting failed", stateOfTasks)
	b.want(t, fmt.Sprintf("each of %d workers that asked this query ended while it was under way", mostKilled), "SELECT error FROM lakeql_task WHERE state = 'failed'")
	b.want(t, "dbc-2", "SELECT group_concat(deployment_name) FROM lakeql_slice WHERE stale AND error LIKE 'each of % workers that asked%'")
}

// TestRequeue removes the job of a task. The task, and no other one, gets a new job with the attempts of its
// pipeline.
func TestRequeue(t *testing.T) {
	b := begin(t)
	b.do(t, "DELETE FROM river_job WHERE json_extract(args, '$.workspace') = 'dbc-2'")
	b.rescue(t)
	b.rescue(t)
	b.want(t, "dbc-1 3,dbc-2 3", "SELECT group_concat(json_extract(args, '$.workspace') || ' ' || max_attempts, ',' ORDER BY id) FROM river_job")
	b.do(t, "UPDATE river_job SET state = 'cancelled', finalized_at = '2026-01-01 00:00:00' WHERE json_extract(args, '$.workspace') = 'dbc-1'")
	b.rescue(t)
	b.want(t, "cancelled dbc-1,available dbc-2,available dbc-1", "SELECT group_concat(state || ' ' || json_extract(args, '$.workspace'), ',' ORDER BY id) FROM river_job")
}

// job makes a job as River passes it to a worker.
func (b *begun) job(workspace string) *river.Job[taskArgs] {
	return &river.Job[taskArgs]{JobRow: &rivertype.JobRow{ID: 1, Attempt: 1, MaxAttempts: 3}, Args: taskArgs{b.run.ID, "things", workspace}}
}

// TestClaim shows which tasks a worker takes.
func TestClaim(t *testing.T) {
	for state, taken := range map[string]bool{"waiting": true, "running": true, "done": false, "failed": false, "skipped": false} {
		t.Run(state, func(t *testing.T) {
			b := begin(t)
			b.do(t, "UPDATE lakeql_task SET state = ?1, worker = 'gone'", state)
			claimed, wait, err := b.worker.claim(t.Context(), b.job("dbc-1"))
			if err != nil || wait != 0 || (claimed != nil) != taken {
				t.Errorf("claimed %v, to wait %v, %v", claimed, wait, err)
			}
		})
	}
	t.Run("of a run that is over", func(t *testing.T) {
		b := begin(t)
		if _, err := b.Stop(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		if claimed, _, err := b.worker.claim(t.Context(), b.job("dbc-1")); claimed != nil || err != nil {
			t.Errorf("claimed %v, %v", claimed, err)
		}
		b.want(t, "skipped skipped", stateOfTasks)
		b.want(t, "", stateOfJobs)
	})
}

// TestPatienceWithThrottling counts how long a query waits for a workspace that throttles it: an hour from its
// first call, however long the query was in the queue before.
func TestPatienceWithThrottling(t *testing.T) {
	b := begin(t)
	busy := func(after time.Duration) error {
		return &provider.Error{Code: provider.API, Status: 429, Message: "busy", RetryAfter: after}
	}
	fail := func(err error) taskState {
		t.Helper()
		b.do(t, "UPDATE lakeql_workspace SET blocked_until = NULL")
		claimed, _, claimErr := b.worker.claim(t.Context(), b.job("dbc-1"))
		if claimErr != nil || claimed == nil {
			t.Fatalf("claimed %v, %v", claimed, claimErr)
		}
		_ = claimed.failed(t.Context(), err, time.Now(), 0)
		var state string
		if _, err := one(t.Context(), b.db, "SELECT state FROM lakeql_task WHERE deployment_name = 'dbc-1'", nil, &state); err != nil {
			t.Fatal(err)
		}
		return taskState(state)
	}
	if state := fail(busy(time.Second)); state != waiting {
		t.Errorf("turned away once it is %s", state)
	}
	b.do(t, "UPDATE lakeql_task SET throttled_since = ?1", stamp(time.Now().Add(-50*time.Minute)))
	if state := fail(busy(time.Second)); state != waiting {
		t.Errorf("after 50 minutes it is %s", state)
	}
	b.do(t, "UPDATE lakeql_task SET throttled_since = ?1", stamp(time.Now().Add(-30*time.Hour)))
	if _, before, err := b.Begin(t.Context(), &Definition{Name: "p", Attempts: 3, Workspaces: Workspaces{Names: []string{"dbc-1", "dbc-2"}}, Tables: []Table{*things()}}, "later"); err != nil || before == nil {
		t.Fatalf("%v, %v", before, err)
	}
	if state := fail(busy(time.Second)); state != waiting {
		t.Errorf("begun again the next day it is %s", state)
	}
	if state := fail(busy(2 * time.Hour)); state != failed {
		t.Errorf("asked to wait for longer than an hour it is %s", state)
	}
}

// TestPassing shows which errors of databases may be gone the next time.
func TestPassing(t *testing.T) {
	for text, test := range map[string]struct {
		err    error
		passes bool
	}{
		"a deadlock":             {&pgconn.PgError{Code: "40P01"}, true},
		"no room":                {&pgconn.PgError{Code: "53100"}, true},
		"a value of no use":      {&pgconn.PgError{Code: "22021"}, false},
		"a connection that ends": {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		"a time-out":             {context.DeadlineExceeded, true},
		"a fault of ours":        {errors.New("sql: expected 3 destination arguments in Scan, not 2"), false},
	} {
		if got := passing(test.err); got != test.passes {
			t.Errorf("%s passes: %v", text, got)
		}
	}
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // there is nothing in it to lose
	if err := db.Exec("CREATE TABLE t (a NOT NULL); INSERT INTO t VALUES (NULL)"); err == nil || passing(err) {
		t.Errorf("a constraint passes: %v", err)
	}
	if err := db.Exec("PRAGMA max_page_count = 3; CREATE TABLE u AS SELECT zeroblob(100000)"); err == nil || !passing(err) {
		t.Errorf("no room does not pass: %v", err)
	}
}

// TestBrokenSchedule stores an unreadable schedule. It is reported, and the other schedules run.
func TestBrokenSchedule(t *testing.T) {
	b := begin(t)
	good := &Definition{Name: "good", Schedule: "@hourly", Workspaces: Workspaces{Names: []string{"dbc-1"}}, Tables: []Table{*things()}}
	bad := &Definition{Name: "bad", Schedule: "@hourly", Timezone: "Atlantis/Capital", Tables: []Table{*things()}}
	due := stamp(time.Now().Add(-time.Minute))
	for _, d := range []*Definition{bad, good} {
		b.do(t, "INSERT INTO lakeql_definition (hash, body) VALUES (?1, ?2)", d.Hash(), string(d.encode()))
		b.do(t, "INSERT INTO lakeql_schedule (pipeline, hash, next_at, paused) VALUES (?1, ?2, ?3, ?4)", d.Name, d.Hash(), due, false)
	}
	for range 2 {
		if err := b.worker.fire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b.want(t, "p good", "SELECT group_concat(pipeline, ' ' ORDER BY id) FROM lakeql_run")
	all, err := b.Schedules(t.Context())
	if err != nil || len(all) != 2 || !strings.Contains(all[0].Error, "Atlantis/Capital") || all[1].Error != "" || all[1].Last.IsZero() || !all[0].Next.After(time.Now()) {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestTablesOfOthers applies a table whose name another program has used in the store. That object stays
// unchanged.
func TestTablesOfOthers(t *testing.T) {
	for _, made := range []string{"CREATE VIEW Things AS SELECT 1 AS mine", "CREATE TABLE things_history (mine)"} {
		k := keep(t, &Table{Name: "others", Key: []string{"id"}, Columns: []Column{{"id", Integer}}})
		if _, err := k.db.exec(t.Context(), made); err != nil {
			t.Fatal(err)
		}
		if err := k.tryAsk(t.Context(), things()); provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), "that no pipeline has made") {
			t.Errorf("%s: %v", made, err)
		}
		k.want(t, "SELECT count(*) FROM sqlite_schema WHERE sql = '"+made+"'", "1")
	}
}
