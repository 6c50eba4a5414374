package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
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
		for _, statement := range []string{"DELETE FROM lakeql_worker", "DELETE FROM river_leader"} {
			if _, err := t.exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
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
		list := []string{"''"}
		for id := range living {
			list = append(list, literal(id))
		}
		workers := strings.Join(list, ", ")
		orphan := s.d.lastWorker() + " NOT IN (" + workers + ")"
		if w != nil {
			orphan = "(" + orphan + " OR " + s.d.lastWorker() + " = " + literal(w.id) + " AND id NOT IN (" + w.active.list() + ") AND attempted_at < " + s.d.time(now.Add(-settling)) + ")"
		}
		orphans := "UPDATE river_job SET state = 'available', scheduled_at = " + s.d.time(now) + ", attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END WHERE state = 'running' AND kind IN ('lakeql_task', 'lakeql_plan') AND " + orphan
		lost := "worker NOT IN (" + workers + ")"
		if w != nil {
			lost = "(" + lost + " OR worker = " + literal(w.id) + " AND job_id NOT IN (" + w.active.list() + ") AND begun_at < ?1)"
		} else {
			lost += " AND begun_at < ?1" // what is under way was begun before now
			now = now.Add(settling)
		}
		// Tasks before jobs, as whoever ends one has it.
		n, err := t.exec(ctx, fmt.Sprintf(`UPDATE lakeql_task SET state = CASE WHEN killed >= %d THEN 'failed' ELSE 'waiting' END, token = '', worker = '', throttled_since = NULL, killed = killed + 1,
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
		if _, err := t.exec(ctx, orphans); err != nil {
			return err
		}
		return s.requeue(ctx, t)
	})
}

// lastWorker is who has a job.
func (d *dialect) lastWorker() string {
	if d.postgres {
		return "coalesce(attempted_by[array_upper(attempted_by, 1)], '-')"
	}
	return "coalesce(json_extract(attempted_by, '$[#-1]'), '-')"
}

// runOfJob is the run that a job is of.
func (d *dialect) runOfJob(job string) string {
	if d.postgres {
		return "(" + job + ".args->>'run')::bigint"
	}
	return "CAST(json_extract(" + job + ".args, '$.run') AS INTEGER)"
}

// time is a time as River writes it.
func (d *dialect) time(t time.Time) string {
	if d.postgres {
		return literal(t.UTC().Format(time.RFC3339Nano)) + "::timestamptz"
	}
	return literal(t.UTC().Format("2006-01-02 15:04:05.000"))
}

// requeue makes jobs for tasks that wait and have none, and for runs that have no tasks yet: whoever ended
// theirs did not do it.
func (s *Store) requeue(ctx context.Context, t tx) error {
	live := "('available', 'pending', 'running', 'retryable', 'scheduled')"
	unplanned, err := s.runs(ctx, t, "WHERE state = 'planning' AND ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM river_job j WHERE j.kind = 'lakeql_plan' AND j.state IN "+live+
		" AND "+s.d.runOfJob("j")+" = lakeql_run.id)")
	if err != nil {
		return err
	}
	for _, r := range unplanned {
		if err := t.enqueue(ctx, []river.InsertManyParams{{Args: planArgs{Run: r.ID}, InsertOpts: once(r.Pipeline, defaultAttempts)}}); err != nil {
			return err
		}
	}
	// Jobs are made with their tasks and end with them, so there are as many at least, unless somebody took some out
	// of their queue. To look at each would cost more than to offer all again: what is there is not made twice.
	open, err := s.runs(ctx, t, "WHERE state = 'running' AND ended_at IS NULL AND (SELECT count(*) FROM lakeql_task t WHERE t.run_id = lakeql_run.id AND t.state IN ('waiting', 'running')) > "+
		"(SELECT count(*) FROM river_job j WHERE j.kind = 'lakeql_task' AND j.state IN "+live+" AND "+s.d.runOfJob("j")+" = lakeql_run.id)")
	if err != nil {
		return err
	}
	for _, r := range open {
		d, err := s.definition(ctx, t, r.Hash)
		if err != nil {
			return err
		}
		var tasks []taskArgs
		if err := each(ctx, t, "SELECT table_name, deployment_name FROM lakeql_task WHERE run_id = ?1 AND state = 'waiting'", []any{r.ID}, func(scan func(...any) error) error {
			a := taskArgs{Run: r.ID}
			err := scan(&a.Table, &a.Workspace)
			tasks = append(tasks, a)
			return err
		}); err != nil {
			return err
		}
		for chunk := range slices.Chunk(tasks, 1000) {
			if err := t.enqueue(ctx, jobsOf(r.Pipeline, d.Attempts, chunk)); err != nil {
				return err
			}
		}
	}
	return nil
}
