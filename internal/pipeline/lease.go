package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// beat gives a sign of life.
func (s *Store) beat(ctx context.Context, w *Worker, host string) error {
	now := literal(stamp(time.Now()))
	if s.d.postgres {
		now = "clock_timestamp()"
	}
	_, err := s.db.signs().exec(ctx, "INSERT INTO lakeql_worker (id, host, begun_at, seen_at, lease) VALUES (?1, ?2, "+now+", "+now+", ?3) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
		w.id, host, w.Lease.Seconds())
	return err
}

// forgetWorkers takes note that this process is alone: nobody else can be at work, or lead the others.
func (s *Store) forgetWorkers(ctx context.Context) error {
	return s.db.transact(ctx, func(t tx) error {
		if _, err := t.exec(ctx, "DELETE FROM lakeql_worker"); err != nil {
			return err
		}
		return t.forgetLeader(ctx)
	})
}

// retire takes note that a worker has ended, and hands on what it has left.
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

// rescue hands on what workers had that are gone, and what a living one (w; nil: none) does not know to
// have: a connection that broke may have kept it from saying how a job ended. Kills are no attempts.
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
		var gone []string
		living := map[string]bool{}
		if err := each(ctx, t, "SELECT id, seen_at, lease FROM lakeql_worker", nil, func(scan func(...any) error) error {
			var id string
			var seen moment
			var lease float64
			err := scan(&id, &seen, &lease)
			if now.Sub(seen.Time).Seconds() > lease && (w == nil || id != w.id) { // who asks lives
				gone = append(gone, id)
			} else {
				living[id] = true
			}
			return err
		}); err != nil {
			return err
		}
		for _, id := range gone {
			if _, err := t.exec(ctx, "DELETE FROM lakeql_worker WHERE id = ?1", id); err != nil {
				return err
			}
		}
		o := orphans{now: now, living: slices.Collect(maps.Keys(living))}
		list := []string{"''"}
		for _, id := range o.living {
			list = append(list, literal(id))
		}
		workers := strings.Join(list, ", ")
		if w != nil {
			o.self, o.inHand, o.stale = w.id, w.jobs.list(), now.Add(-settling)
		}
		lost := "worker NOT IN (" + workers + ")"
		if w != nil {
			lost = "(" + lost + " OR worker = " + literal(w.id) + " AND (run_id, table_name, deployment_name) NOT IN (" + taskList(w.tasks.list()) + ") AND begun_at < ?1)"
		} else {
			lost += " AND begun_at < ?1" // what is under way was begun before now
			now = now.Add(settling)
		}
		// Tasks before jobs, as whoever ends one has it.
		n, err := t.exec(ctx, fmt.Sprintf(`UPDATE lakeql_task SET state = CASE WHEN killed >= %d THEN 'failed' ELSE 'waiting' END, worker = '', throttled_since = NULL, killed = killed + 1,
			error = CASE WHEN killed >= %[1]d THEN 'each of %[1]d workers that asked this query ended while it was under way' ELSE error END WHERE state = 'running' AND `, mostKilled)+lost, stamp(now.Add(-settling)))
		if err != nil {
			return err
		}
		if n > 0 && w != nil {
			w.Logger.WarnContext(ctx, "work of others is handed on", "queries", n, "workers", strings.Join(gone, " "))
		}
		if n > 0 { // those that failed by this
			if _, err := t.exec(ctx, fmt.Sprintf(`INSERT INTO lakeql_slice (table_name, deployment_name, stale, error)
				SELECT t.table_name, t.deployment_name, TRUE, t.error FROM lakeql_task t JOIN lakeql_run r ON r.id = t.run_id WHERE r.ended_at IS NULL AND t.state = 'failed' AND t.killed > %d
				ON CONFLICT (table_name, deployment_name) DO UPDATE SET stale = excluded.stale, error = excluded.error`, mostKilled)); err != nil {
				return err
			}
		}
		if err := t.rescue(ctx, &o); err != nil {
			return err
		}
		return s.requeue(ctx, t)
	})
}

// taskList writes tasks as rows for SQL, which must have one.
func taskList(tasks []taskArgs) string {
	list := []string{"(0, '', '')"}
	for _, t := range tasks {
		list = append(list, fmt.Sprintf("(%d, %s, %s)", t.Run, literal(t.Table), literal(t.Workspace)))
	}
	return "VALUES " + strings.Join(list, ", ")
}

// requeue makes jobs for tasks that wait and have none, and for runs that have no tasks yet: whoever ended
// theirs did not do it.
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
	for _, r := range open {
		// Jobs are made with their tasks and end with them, so there are as many at least, unless somebody took some out
		// of their queue. To look at each would cost more than to offer all again: what is there is not made twice.
		// Jobs are counted first: a task that ends in between makes the tasks fewer.
		jobs, err := t.openTasks(ctx, r.ID)
		if err != nil {
			return err
		}
		var tasks int64
		if _, err := one(ctx, t, "SELECT count(*) FROM lakeql_task WHERE run_id = ?1 AND state IN ('waiting', 'running')", []any{r.ID}, &tasks); err != nil {
			return err
		}
		if tasks <= jobs {
			continue
		}
		d, err := s.definition(ctx, t, r.Hash)
		if err != nil {
			return err
		}
		var missing []jobArgs
		if err := each(ctx, t, "SELECT table_name, deployment_name FROM lakeql_task WHERE run_id = ?1 AND state = 'waiting'", []any{r.ID}, func(scan func(...any) error) error {
			a := taskArgs{Run: r.ID}
			err := scan(&a.Table, &a.Workspace)
			missing = append(missing, a)
			return err
		}); err != nil {
			return err
		}
		for chunk := range slices.Chunk(missing, 1000) {
			if err := t.enqueue(ctx, r.Pipeline, d.Attempts, chunk...); err != nil {
				return err
			}
		}
	}
	return nil
}
