package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// beat returns a sign of life.
func (s *Store) beat(ctx context.Context, w *Worker, host string) error {
	now := literal(stamp(time.Now()))
	if s.d.postgres {
		now = "clock_timestamp()"
	}
	_, err := s.db.signs().exec(ctx, "INSERT INTO lakeql_worker (id, host, begun_at, seen_at, lease, schedules) VALUES (?1, ?2, "+now+", "+now+", ?3, ?4) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
		w.id, host, w.Lease.Seconds(), w.Schedules)
	return err
}

// forgetWorkers deletes all workers, because this process is alone: no other one can be working or leading.
func (s *Store) forgetWorkers(ctx context.Context) error {
	return s.db.transact(ctx, func(t tx) error {
		if _, err := t.exec(ctx, "DELETE FROM lakeql_worker"); err != nil {
			return err
		}
		return t.forgetLeader(ctx)
	})
}

// retire records that a worker has ended, and requeues its unfinished tasks.
func (s *Store) retire(ctx context.Context, id string) error {
	if _, err := s.db.exec(ctx, "DELETE FROM lakeql_worker WHERE id = ?1", id); err != nil {
		return err
	}
	return s.rescue(ctx, nil)
}

const (
	// rescueLock is the advisory lock of rescue.
	rescueLock = 0x6c616b6571
	// mostKilled is how many workers may end while they ask one query, before it is the query that ends them.
	mostKilled = 20
)

// rescue requeues the tasks and jobs of dead workers. It also requeues those of the living worker w (nil:
// none) that w does not work on: a broken connection may have kept w from recording their end. A killed
// task does not count as an attempt.
func (s *Store) rescue(ctx context.Context, w *Worker) error {
	return s.db.transact(ctx, func(t tx) error {
		if s.d.postgres { // one at a time: they would be in each other's way
			var mine bool
			if _, err := one(ctx, t, fmt.Sprintf("SELECT pg_try_advisory_xact_lock(%d)", rescueLock), nil, &mine); err != nil || !mine && w != nil {
				return err
			}
		}
		now, err := s.now(ctx, t)
		if err != nil {
			return err
		}
		o := orphans{now: now, stale: now} // without w, all that began before now
		if w != nil {
			o = orphans{now: now, self: w.id, jobs: w.jobs.list(), tasks: w.tasks.list(), stale: now.Add(-settling)}
		}
		var dead []string
		if o.living, dead, err = s.forgetDead(ctx, t, now, o.self); err != nil {
			return err
		}
		// Tasks before jobs: a worker that ends a task locks them in this order.
		n, err := s.rescueTasks(ctx, t, &o)
		if err != nil {
			return err
		}
		if n > 0 && w != nil {
			w.Logger.WarnContext(ctx, "work of others is handed on", "queries", n, "workers", strings.Join(dead, " "))
		}
		if err := t.rescue(ctx, &o); err != nil {
			return err
		}
		return s.requeue(ctx, t)
	})
}

// forgetDead removes the workers with an expired lease, except self, and lists the living and the dead ones.
func (s *Store) forgetDead(ctx context.Context, t tx, now time.Time, self string) (living, dead []string, err error) {
	if err := each(ctx, t, "SELECT id, seen_at, lease FROM lakeql_worker", nil, func(scan func(...any) error) error {
		var id string
		var seen moment
		var lease float64
		err := scan(&id, &seen, &lease)
		if now.Sub(seen.Time).Seconds() > lease && id != self {
			dead = append(dead, id)
		} else {
			living = append(living, id)
		}
		return err
	}); err != nil {
		return nil, nil, err
	}
	for _, id := range dead {
		if _, err := t.exec(ctx, "DELETE FROM lakeql_worker WHERE id = ?1", id); err != nil {
			return nil, nil, err
		}
	}
	return living, dead, nil
}

// rescueTasks makes the tasks of orphans wait again, and fails those that have killed mostKilled workers. It
// returns the number of failed tasks.
func (s *Store) rescueTasks(ctx context.Context, t tx, o *orphans) (int64, error) {
	where := "worker NOT IN (" + literals(o.living) + ")"
	if o.self == "" {
		where += " AND begun_at < ?1"
	} else {
		where = "(" + where + " OR worker = " + literal(o.self) + " AND (run_id, table_name, deployment_name) NOT IN (" + taskList(o.tasks) + ") AND begun_at < ?1)"
	}
	n, err := t.exec(ctx, fmt.Sprintf(`UPDATE lakeql_task SET state = CASE WHEN killed >= %d THEN 'failed' ELSE 'waiting' END, worker = '', throttled_since = NULL, killed = killed + 1,
		error = CASE WHEN killed >= %[1]d THEN 'each of %[1]d workers that asked this query ended while it was under way' ELSE error END WHERE state = 'running' AND `, mostKilled)+where, stamp(o.stale))
	if err != nil || n == 0 {
		return n, err
	}
	_, err = t.exec(ctx, fmt.Sprintf(`INSERT INTO lakeql_slice (table_name, deployment_name, stale, error)
		SELECT t.table_name, t.deployment_name, TRUE, t.error FROM lakeql_task t JOIN lakeql_run r ON r.id = t.run_id WHERE r.ended_at IS NULL AND t.state = 'failed' AND t.killed > %d
		ON CONFLICT (table_name, deployment_name) DO UPDATE SET stale = excluded.stale, error = excluded.error`, mostKilled))
	if err == nil {
		err = s.recordStates(ctx, t, o.now, "s.stale")
	}
	return n, err
}

// taskList writes tasks as rows for SQL, which must have one.
func taskList(tasks []taskArgs) string {
	list := []string{"(0, '', '')"}
	for _, t := range tasks {
		list = append(list, fmt.Sprintf("(%d, %s, %s)", t.Run, literal(t.Table), literal(t.Workspace)))
	}
	return "VALUES " + strings.Join(list, ", ")
}

// requeue adds missing jobs: for runs without a plan, and for waiting tasks.
func (s *Store) requeue(ctx context.Context, t tx) error {
	unplanned, err := s.runs(ctx, t, "WHERE state = 'planning' AND ended_at IS NULL")
	if err != nil {
		return err
	}
	for _, r := range unplanned {
		there, err := t.hasPlan(ctx, r.ID)
		if err == nil && !there {
			err = t.enqueue(ctx, r.Pipeline, defaultAttempts, planArgs{Run: r.ID})
		}
		if err != nil {
			return err
		}
	}
	open, err := s.runs(ctx, t, "WHERE state = 'running' AND ended_at IS NULL")
	if err != nil {
		return err
	}
	for i := range open {
		if err := s.requeueTasks(ctx, t, &open[i]); err != nil {
			return err
		}
	}
	return nil
}

// requeueTasks adds the missing jobs of a run. A job is added with its task and ends with it, so a run has at
// least as many jobs as tasks, unless somebody removed some. To look for each job would cost more than to add
// all again: the queue adds no job twice.
func (s *Store) requeueTasks(ctx context.Context, t tx, r *Run) error {
	jobs, err := t.openTasks(ctx, r.ID) // before the tasks: some may end in between
	if err != nil {
		return err
	}
	var tasks int64
	if _, err := one(ctx, t, "SELECT count(*) FROM lakeql_task WHERE run_id = ?1 AND state IN ('waiting', 'running')", []any{r.ID}, &tasks); err != nil || tasks <= jobs {
		return err
	}
	d, err := s.definition(ctx, t, r.Hash)
	if err != nil {
		return err
	}
	var waiting []jobArgs
	if err := each(ctx, t, "SELECT table_name, deployment_name FROM lakeql_task WHERE run_id = ?1 AND state = 'waiting'", []any{r.ID}, func(scan func(...any) error) error {
		a := taskArgs{Run: r.ID}
		err := scan(&a.Table, &a.Workspace)
		waiting = append(waiting, a)
		return err
	}); err != nil {
		return err
	}
	for chunk := range slices.Chunk(waiting, 1000) {
		if err := t.enqueue(ctx, r.Pipeline, d.Attempts, chunk...); err != nil {
			return err
		}
	}
	return nil
}
