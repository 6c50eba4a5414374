package pipeline

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/lakeql/lakeql/provider"
)

// Worker carries out the runs of a store. Its zero value but for Store and Asker is ready.
type Worker struct {
	Store *Store
	Asker Asker
	// Logger gets one event a query, and those about runs; nil: none.
	Logger *slog.Logger
	// Pipelines are those to work for; none: all that the store has.
	Pipelines []string
	// Concurrency is how many queries are asked at once for a pipeline; 0: what each says itself.
	Concurrency int
	// Lease is after how long without a sign of life others take over what it does. 0: 15 seconds.
	Lease time.Duration
	// Schedules has runs begun whose time has come.
	Schedules bool
	// Interval is how often it looks after the store. 0: a second.
	Interval time.Duration
	// Metrics count what it does; nil: nothing does.
	Metrics *Metrics

	id          string
	budgets     budgets
	definitions sync.Map // *Definition by hash
	active      active
}

// active are the jobs that are under way.
type active struct {
	mu   sync.Mutex
	jobs map[int64]bool
}

// add takes note of a job, and reports whether it was none of them.
func (a *active) add(id int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.jobs == nil {
		a.jobs = map[int64]bool{}
	}
	there := a.jobs[id]
	a.jobs[id] = true
	return !there
}

func (a *active) has(id int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.jobs[id]
}

func (a *active) remove(id int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.jobs, id)
}

// list gives them as a list for SQL, which has one at least.
func (a *active) list() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	ids := []string{"0"}
	for id := range a.jobs {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	return strings.Join(ids, ", ")
}

const (
	defaultLease    = 15 * time.Second
	defaultInterval = time.Second
	// settling is how long after it was begun a job may be unknown to the worker that has it.
	settling = 10 * time.Second
	// stopTime bounds how long a worker that ends waits for its queries to let go.
	stopTime = 20 * time.Second
)

// owner is a database that one process at a time works on.
type owner interface{ own() error }

// Work carries out what there is to do until the context ends, or until reports that it is enough; until
// is asked every [Worker.Interval]. What is under way then goes back to its queue, and it returns.
func (w *Worker) Work(ctx context.Context, until func(context.Context) (bool, error)) error {
	w.Logger = cmp.Or(w.Logger, discard())
	w.Lease = cmp.Or(w.Lease, defaultLease)
	w.Interval = min(cmp.Or(w.Interval, defaultInterval), w.Lease/4) // a sign of life that is late is none
	w.budgets.store = w.Store
	host, _ := os.Hostname() // it is only told
	w.id = fmt.Sprintf("%s-%d-%s", printableHost(host), os.Getpid(), strings.ToLower(rand.Text()[:8]))
	if o, ok := w.Store.db.(owner); ok {
		if err := o.own(); err != nil {
			return err
		}
		if err := w.Store.forgetWorkers(ctx); err != nil {
			return storeError(w.Store.place, err)
		}
	}
	if err := w.Store.beat(ctx, w, host); err != nil {
		return storeError(w.Store.place, err)
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx)) // queries are told to stop, and then may say so
	defer cancel()
	queue, err := w.Store.db.work(background, &queueWorker{id: w.id, logger: w.Logger, poll: min(w.Interval, 200*time.Millisecond), plan: w.planRun, task: w.carryOut})
	if err != nil {
		return storeError(w.Store.place, err)
	}
	err = w.lookAfter(ctx, queue, host, until)
	stopping, done := context.WithTimeout(background, stopTime)
	defer done()
	stopErr := queue.stop(stopping)
	return errors.Join(err, stopErr, storeError(w.Store.place, w.Store.retire(stopping, w.id)))
}

// printableHost is a host's name as a part of an id.
func printableHost(host string) string {
	return cmp.Or(strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, host[:min(len(host), 40)]), "host")
}

// lookAfter is the worker's loop: signs of life, work of those who are gone, runs that are over, schedules.
func (w *Worker) lookAfter(ctx context.Context, queue worker, host string, until func(context.Context) (bool, error)) error {
	ticker := time.NewTicker(w.Interval)
	defer ticker.Stop()
	var beaten time.Time
	working := map[string]bool{}
	for {
		var errs []error
		if time.Since(beaten) >= w.Lease/4 {
			if err := w.Store.beat(ctx, w, host); err != nil {
				errs = append(errs, err)
			} else {
				beaten = time.Now()
			}
			errs = append(errs, w.Store.rescue(ctx, w))
		}
		errs = append(errs, w.join(ctx, queue, working))
		if w.Schedules {
			errs = append(errs, w.fire(ctx))
		}
		errs = append(errs, w.finish(ctx))
		if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
			w.Logger.ErrorContext(ctx, "store fails", "error", storeError(w.Store.place, err).Error()) // it may come back
		}
		if until != nil && ctx.Err() == nil {
			enough, err := until(ctx)
			if err != nil || enough {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// join takes jobs from the queues of the pipelines that have runs.
func (w *Worker) join(ctx context.Context, queue worker, working map[string]bool) error {
	open, err := w.Store.runs(ctx, w.Store.db, "WHERE ended_at IS NULL ORDER BY id")
	if err != nil {
		return err
	}
	for _, r := range open {
		if working[r.Pipeline] || len(w.Pipelines) > 0 && !slices.Contains(w.Pipelines, r.Pipeline) {
			continue
		}
		d, err := w.definition(ctx, w.Store.db, r.Hash)
		if err != nil {
			return err
		}
		if err := queue.add(ctx, queueOf(r.Pipeline), cmp.Or(w.Concurrency, d.Concurrency)); err != nil {
			return err
		}
		working[r.Pipeline] = true
	}
	return nil
}

// beat gives a sign of life.
func (s *Store) beat(ctx context.Context, w *Worker, host string) error {
	return s.db.transact(ctx, func(t tx) error {
		now, err := s.now(ctx, t)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO lakeql_worker (id, host, begun_at, seen_at, lease) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`, w.id, host, stamp(now), stamp(now), w.Lease.Seconds())
		return err
	})
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

// rescue hands on what workers had that are gone, and what a living one (w; nil: none) does not know to
// have: a connection that broke may have kept it from saying how a job ended. Kills are no attempts.
func (s *Store) rescue(ctx context.Context, w *Worker) error {
	return s.db.transact(ctx, func(t tx) error {
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
			if now.Sub(seen.Time).Seconds() > lease {
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
		if _, err := t.exec(ctx, "UPDATE river_job SET state = 'available', scheduled_at = "+s.d.time(now)+", attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END WHERE state = 'running' AND kind IN ('lakeql_task', 'lakeql_plan') AND "+orphan); err != nil {
			return err
		}
		lost := "worker NOT IN (" + workers + ")"
		if w != nil {
			lost = "(" + lost + " OR worker = " + literal(w.id) + " AND job_id NOT IN (" + w.active.list() + ") AND begun_at < ?1)"
		} else {
			lost += " AND begun_at < ?1" // what is under way was begun before now
			now = now.Add(settling)
		}
		if _, err := t.exec(ctx, "UPDATE lakeql_task SET state = 'waiting', token = '', worker = '' WHERE state = 'running' AND "+lost, stamp(now.Add(-settling))); err != nil {
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
	lost := map[string][]taskArgs{}
	if err := each(ctx, t, `SELECT r.pipeline, t.run_id, t.table_name, t.deployment_name FROM lakeql_task t JOIN lakeql_run r ON r.id = t.run_id
		WHERE r.state = 'running' AND t.state = 'waiting' AND t.job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM river_job j WHERE j.id = t.job_id AND j.state IN `+live+")", nil,
		func(scan func(...any) error) error {
			var pipeline string
			var a taskArgs
			err := scan(&pipeline, &a.Run, &a.Table, &a.Workspace)
			lost[pipeline] = append(lost[pipeline], a)
			return err
		}); err != nil {
		return err
	}
	for pipeline, tasks := range lost {
		if err := t.enqueue(ctx, jobsOf(pipeline, defaultAttempts, tasks)); err != nil {
			return err
		}
	}
	return nil
}

// finish ends the runs that have nothing left to do, and prunes the history of their tables.
func (w *Worker) finish(ctx context.Context) error {
	s := w.Store
	over, err := s.runs(ctx, s.db, `WHERE ended_at IS NULL AND state IN ('running', 'stopping')
		AND NOT EXISTS (SELECT 1 FROM lakeql_task t WHERE t.run_id = lakeql_run.id AND (t.state = 'running' OR t.state = 'waiting' AND lakeql_run.state = 'running'))`)
	if err != nil {
		return err
	}
	for _, r := range over {
		ended := false
		if err := s.db.transact(ctx, func(t tx) error {
			now, err := s.now(ctx, t)
			if err != nil {
				return err
			}
			n, err := t.exec(ctx, `UPDATE lakeql_run SET ended_at = ?1, state = CASE WHEN state = 'stopping' OR EXISTS
				(SELECT 1 FROM lakeql_task t WHERE t.run_id = lakeql_run.id AND t.state <> 'done') THEN 'failed' ELSE 'done' END WHERE id = ?2 AND ended_at IS NULL`, stamp(now), r.ID)
			if ended = n > 0; err != nil || !ended {
				return err // somebody else has seen to it
			}
			return s.prune(ctx, t, r.Pipeline, now)
		}); err != nil {
			return err
		}
		if ended {
			if done, err := s.Run(ctx, r.ID); err == nil {
				w.Logger.InfoContext(ctx, "run ends", "pipeline", r.Pipeline, "run", r.ID, "state", string(done.State), "took", done.Ended.Sub(done.Begun))
			}
		}
	}
	return nil
}

// unknownPipeline is the error for a name that a store does not have.
func (s *Store) unknownPipeline(name string) error {
	return &provider.Error{
		Code: provider.Unknown, Message: fmt.Sprintf("the store %s has no schedule of a pipeline %s", provider.Printable(s.place), provider.Quote(name)),
		Hint: "see lakeql pipeline schedule list",
	}
}
