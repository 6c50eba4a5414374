package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// taskState is how far a task has come.
type taskState string

const (
	waiting   taskState = "waiting"
	running   taskState = "running"
	succeeded taskState = "done"
	failed    taskState = "failed"
	skipped   taskState = "skipped" // its run was stopped before it began
)

// task is one query against one workspace, while a worker carries it out.
type task struct {
	worker *Worker
	job    *job[taskArgs]
	def    *Definition
	table  *Table

	observed time.Time // when it was begun, by the store's clock
	// throttledSince is when the workspace turned it away first, without an answer since; zero: it did not.
	throttledSince time.Time
	effort         effort
}

// fence is the condition, of the row of a task, that holds until another worker takes the task over. Its
// parameters are the worker and the attempt that the claim wrote. A worker has one job of a task at a time, so
// they name one claim. Neither River's attempt alone does, nor River's row: see ARCHITECTURE.md.
func fence(worker, attempt int) string {
	return fmt.Sprintf("state = 'running' AND worker = ?%d AND attempts = ?%d", worker, attempt)
}

// errTaken is the error of a task that another worker has taken over.
var errTaken = errors.New("another worker has taken the task over")

// eachRow calls f for each row of an answer.
func eachRow(ctx context.Context, rows provider.Rows, f func(row []any) error) error {
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// carryOut is the work of a job: it asks the query, and puts the answer into the store.
func (w *Worker) carryOut(ctx context.Context, job *job[taskArgs]) error {
	if !w.jobs.add(job.ID) { // somebody put it back into its queue
		return snoozeJob(handover)
	}
	defer w.jobs.remove(job.ID)
	if !w.tasks.add(job.Args) { // somebody removed the job that it is under way with, and this is the new one
		return snoozeJob(handover)
	}
	defer w.tasks.remove(job.Args)
	t, wait, err := w.claim(ctx, job)
	switch {
	case err != nil && ctx.Err() != nil:
		return snoozeJob(0)
	case err != nil:
		return w.storeFailed(ctx, job, err)
	case wait > 0:
		return snoozeJob(wait)
	case t == nil:
		return nil // there is nothing left to do
	}
	began := time.Now()
	changes, err := t.attempt(ctx)
	took := time.Since(began)
	switch {
	case err == nil:
		w.observe(t, succeeded, changes, took)
		t.log(ctx, slog.LevelInfo, succeeded, changes, took, nil)
		return nil
	case errors.Is(err, errTaken):
		return t.lost(ctx, took)
	}
	return t.failed(ctx, err, began, took)
}

// handover is the time between two looks at a task that another worker has.
const handover = time.Second

// lost ends a job whose task another worker has taken over. River does not distinguish two workers of a
// job, so this may return the job to its queue while the other worker works on it. The next worker to take
// it finds the task running or done.
func (t *task) lost(ctx context.Context, took time.Duration) error {
	t.log(ctx, slog.LevelWarn, "taken over", Changes{}, took, errTaken)
	return snoozeJob(handover)
}

// storeFailed ends a job that the store kept from being done.
func (w *Worker) storeFailed(ctx context.Context, job *job[taskArgs], err error) error {
	w.storeFails(ctx, err, "run", job.Args.Run, "table", job.Args.Table, "workspace", job.Args.Workspace)
	return snoozeJob(pause(snoozes(job.JobRow))) // not the query's fault, and no attempt of it
}

// claimTime returns the time of a claim. PostgreSQL does not wait for the disk at the end of such a transaction.
// If it loses the claim in a crash, the fence refuses the answer, and the query is asked again.
func (s *Store) claimTime(ctx context.Context, c conn) (time.Time, error) {
	if !s.d.postgres {
		return s.now(ctx, c)
	}
	var now moment
	var setting string
	_, err := one(ctx, c, "SELECT clock_timestamp(), set_config('synchronous_commit', 'off', true)", nil, &now, &setting)
	return now.Time, err
}

// claim takes a task. It is nil where there is nothing to do; wait is how long the workspace is not to be
// called.
func (w *Worker) claim(ctx context.Context, job *job[taskArgs]) (t *task, wait time.Duration, err error) {
	s := w.Store
	a := job.Args
	err = s.db.transact(ctx, func(c tx) error {
		t, wait = nil, 0
		now, err := s.claimTime(ctx, c)
		if err != nil {
			return err
		}
		var state, runState, hash, holder string
		var throttledSince, blocked, seen moment
		var lease float64
		lock := ""
		if s.d.postgres {
			lock = " FOR UPDATE OF t"
		}
		found, err := one(ctx, c, `SELECT t.state, r.state, r.hash, t.throttled_since, w.blocked_until, t.worker, h.seen_at, coalesce(h.lease, 0)
			FROM lakeql_task t JOIN lakeql_run r ON r.id = t.run_id
			LEFT JOIN lakeql_workspace w ON w.deployment_name = t.deployment_name LEFT JOIN lakeql_worker h ON h.id = t.worker
			WHERE t.run_id = ?1 AND t.table_name = ?2 AND t.deployment_name = ?3`+lock, []any{a.Run, a.Table, a.Workspace},
			&state, &runState, &hash, &throttledSince, &blocked, &holder, &seen, &lease)
		if err != nil || !found || RunState(runState) != Running || taskState(state) != waiting && taskState(state) != running {
			return err
		}
		if taskState(state) == running && holder != w.id && !seen.IsZero() && now.Sub(seen.Time).Seconds() <= lease {
			wait = handover // who has it lives; to take it would only do the work again
			return nil
		}
		if blocked.After(now) {
			wait = blocked.Sub(now) + pause(1)/4
			_, err := c.exec(ctx, "UPDATE lakeql_task SET wait_until = ?1 WHERE run_id = ?2 AND table_name = ?3 AND deployment_name = ?4 AND state = 'waiting'",
				stamp(now.Add(wait)), a.Run, a.Table, a.Workspace)
			return err
		}
		t = &task{worker: w, job: job, observed: now, throttledSince: throttledSince.Time}
		if t.def, err = w.definition(ctx, c, hash); err != nil {
			return err
		}
		if t.table = t.def.table(a.Table); t.table == nil {
			return provider.Internalf("the pipeline of the run has no table %s", a.Table)
		}
		_, err = c.exec(ctx, `UPDATE lakeql_task SET state = 'running', worker = ?1, attempts = ?2, begun_at = ?3, wait_until = NULL
			WHERE run_id = ?4 AND table_name = ?5 AND deployment_name = ?6`,
			w.id, job.Attempt, stamp(now), a.Run, a.Table, a.Workspace)
		return err
	})
	return t, wait, err
}

// definition reads a definition once.
func (w *Worker) definition(ctx context.Context, c conn, hash string) (*Definition, error) {
	if d, ok := w.definitions.Load(hash); ok {
		return d.(*Definition), nil //nolint:forcetypeassert // nothing else is stored
	}
	d, err := w.Store.definition(ctx, c, hash)
	if err == nil {
		w.definitions.Store(hash, d)
	}
	return d, err
}

// attempt calls run, and turns a panic into an error, so that the worker continues with other tasks.
func (t *task) attempt(ctx context.Context) (changes Changes, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = provider.Internalf("the query ended in a fault of lakeql: %v", fault)
			t.worker.Logger.ErrorContext(ctx, "panic", "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
		}
	}()
	return t.run(ctx)
}

// run asks the query. The answer, that the task is done, and that its job is, become part of the store in
// one transaction.
func (t *task) run(ctx context.Context) (Changes, error) {
	a, s := t.job.Args, t.worker.Store
	query, err := t.def.fill(ctx, t.table.Query, a.Workspace)
	if err != nil {
		return Changes{}, err
	}
	answer := newSpool(t.table)
	defer answer.close()
	limited, stop := t.def.limitTime(ctx)
	defer stop()
	err = t.worker.Asker.Ask(limited, a.Workspace, query, t.worker.pacer(t.def, &t.effort), func(rows provider.Rows) error {
		return answer.fill(a.Workspace, rows, func() ([]any, error) {
			if answer.rows > t.def.mostRows() {
				return nil, t.def.tooManyRows()
			}
			return rows.Next(limited)
		})
	})
	if err != nil {
		return Changes{}, t.def.timeError(ctx, limited, err)
	}
	var changes Changes
	err = s.db.transact(ctx, func(c tx) error {
		if err := s.d.bePatient(ctx, c); err != nil {
			return err
		}
		now, err := s.now(ctx, c)
		if err != nil {
			return err
		}
		calls, turnedAway := t.effort.counts()
		mine, err := c.exec(ctx, `UPDATE lakeql_task SET state = 'done', ended_at = ?1, calls = calls + ?2, throttled = throttled + ?3, row_count = ?4, code = NULL, error = NULL
			WHERE run_id = ?5 AND table_name = ?6 AND deployment_name = ?7 AND `+fence(8, 9),
			stamp(now), calls, turnedAway, answer.rows, a.Run, a.Table, a.Workspace, t.worker.id, t.job.Attempt)
		if err != nil {
			return err
		}
		if mine == 0 {
			return errTaken
		}
		if changes, err = s.apply(ctx, c, t.table, a.Workspace, a.Run, t.observed, answer); err != nil {
			return err
		}
		if _, err := c.exec(ctx, "UPDATE lakeql_task SET added = ?1, changed = ?2, removed = ?3 WHERE run_id = ?4 AND table_name = ?5 AND deployment_name = ?6",
			changes.Added, changes.Changed, changes.Removed, a.Run, a.Table, a.Workspace); err != nil {
			return err
		}
		return c.complete(ctx, t.job)
	})
	return changes, err
}

// isFinal reports whether an error stays, however often the query is asked: the query is wrong, or the
// workspace says that it will not answer.
func isFinal(err error) bool {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		return false // a database's, or a fault of ours: there are attempts for it
	}
	switch e.Code {
	case provider.Usage, provider.Unknown, provider.Unauthorized, provider.Partial:
		return true
	case provider.API:
		return e.Status >= 400 && e.Status < 500 && e.Status != http.StatusTooManyRequests && e.Status != http.StatusRequestTimeout
	case provider.Internal, provider.Network, provider.Canceled:
	}
	return false
}

// storeAway reports whether an error is the store's, and may be gone the next time.
func storeAway(err error) bool {
	_, isOurs := errors.AsType[*provider.Error](err)
	return !isOurs && passing(err)
}

// throttled returns how long to wait before the next call of a workspace that answered 429 or 503; 0 for
// any other error.
func throttled(err error) time.Duration {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || e.Status != http.StatusTooManyRequests && e.Status != http.StatusServiceUnavailable {
		return 0
	}
	return max(e.RetryAfter, firstRetry) + pause(1)/4
}

// longestThrottled is how long a query waits for a workspace that turns it away, before that is a failure.
const longestThrottled = time.Hour

// failed records the error, and decides about the job.
func (t *task) failed(ctx context.Context, err error, began time.Time, took time.Duration) error {
	w, working := t.worker, ctx
	stopped := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	if stopped {
		if err := t.release(ctx, waiting, nil, 0); err != nil && !errors.Is(err, errTaken) {
			w.storeFails(ctx, err)
		}
		return snoozeJob(0) // whoever works next goes on with it
	}
	if storeAway(err) {
		if err := t.release(ctx, waiting, err, 0); err != nil && !errors.Is(err, errTaken) {
			w.storeFails(ctx, err)
		}
		return w.storeFailed(ctx, t.job, err)
	}
	err = withoutPlace(err)
	after := throttled(err)
	final := isFinal(err) || after == 0 && t.job.Attempt >= t.job.MaxAttempts || after > 0 && t.throttledFor(began)+after > longestThrottled
	if final {
		err = t.explain(working, err)
		ctx, cancel = context.WithTimeout(context.WithoutCancel(working), storeTime) // the account may have taken its time
		defer cancel()
	}
	state, outcome := waiting, err
	switch {
	case final:
		state, outcome = failed, cancelJob(err)
	case after > 0:
		outcome = snoozeJob(after)
	}
	switch err := t.release(ctx, state, err, after); {
	case errors.Is(err, errTaken):
		return t.lost(ctx, took)
	case err != nil:
		return w.storeFailed(ctx, t.job, err)
	}
	w.observe(t, state, Changes{}, took)
	level := slog.LevelWarn
	if final {
		level = slog.LevelError
	}
	t.log(ctx, level, state, Changes{}, took, err)
	return outcome
}

// throttledFor returns how long the workspace has throttled the query, by the store's clock. began is by this
// machine's clock.
func (t *task) throttledFor(began time.Time) time.Duration {
	if t.throttledSince.IsZero() {
		return 0
	}
	return t.observed.Add(time.Since(began)).Sub(t.throttledSince)
}

// withoutPlace removes the position of the query's beginning from a call's error, because it does not help.
func withoutPlace(err error) error {
	return provider.Change(err, func(e *provider.Error) {
		if e.Code != provider.Usage && e.Code != provider.Unknown {
			e.Position = provider.Position{}
		}
	})
}

// storeTime bounds how long a worker that is asked to stop tries to say so.
const storeTime = 10 * time.Second

// release lets a task go that did not come to its end. One that failed for good makes the rows that are
// there stale; they stay.
func (t *task) release(ctx context.Context, state taskState, cause error, after time.Duration) error {
	a, s := t.job.Args, t.worker.Store
	return s.db.transact(ctx, func(c tx) error {
		stops := state == failed && t.def.OnError == Stop
		if stops { // the run before its tasks, as whoever stops it has it
			if _, err := s.runs(ctx, c, "WHERE id = ?1"+s.d.forUpdate(), a.Run); err != nil {
				return err
			}
		}
		now, err := s.now(ctx, c)
		if err != nil {
			return err
		}
		var message, code, until, since, ended any
		if cause != nil {
			message, code = told(cause), int64(provider.CodeOf(cause))
		}
		if after > 0 {
			until, since = stamp(now.Add(after)), stamp(now)
			if !t.throttledSince.IsZero() {
				since = stamp(t.throttledSince)
			}
		}
		if state == failed {
			ended = stamp(now)
		}
		calls, turnedAway := t.effort.counts()
		mine, err := c.exec(ctx, `UPDATE lakeql_task SET state = ?1, worker = '', calls = calls + ?2, throttled = throttled + ?3, wait_until = ?4, throttled_since = ?5, ended_at = ?6, code = ?7, error = ?8
			WHERE run_id = ?9 AND table_name = ?10 AND deployment_name = ?11 AND `+fence(12, 13),
			string(state), calls, turnedAway, until, since, ended, code, message, a.Run, a.Table, a.Workspace, t.worker.id, t.job.Attempt)
		if err != nil {
			return err
		}
		if mine == 0 {
			return errTaken
		}
		if e, ok := errors.AsType[*provider.Error](cause); ok && e.Status == http.StatusTooManyRequests && until != nil {
			if err := s.block(ctx, c, a.Workspace, now.Add(after)); err != nil {
				return err
			}
		}
		if state != failed {
			return nil
		}
		if err := s.failSlice(ctx, c, a.Table, a.Workspace, message, now); err != nil {
			return err
		}
		if !stops {
			return nil
		}
		if _, err := c.exec(ctx, "UPDATE lakeql_run SET state = ?1 WHERE id = ?2 AND ended_at IS NULL", string(Stopping), a.Run); err != nil {
			return err
		}
		return s.skip(ctx, c, a.Run, false, now)
	})
}

// log writes one line about the end of a task.
func (t *task) log(ctx context.Context, level slog.Level, state taskState, c Changes, took time.Duration, err error) {
	calls, turnedAway := t.effort.counts()
	attrs := []slog.Attr{
		slog.String("pipeline", t.def.Name), slog.Int64("run", t.job.Args.Run), slog.String("table", t.job.Args.Table),
		slog.String("workspace", t.job.Args.Workspace), slog.String("state", string(state)), slog.Int("attempt", t.job.Attempt),
		slog.Int64("calls", calls), slog.Int64("throttled", turnedAway), slog.Float64("seconds", took.Seconds()),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	} else {
		attrs = append(attrs, slog.Int64("rows", c.Rows), slog.Int64("added", c.Added), slog.Int64("changed", c.Changed), slog.Int64("removed", c.Removed))
	}
	t.worker.Logger.LogAttrs(ctx, level, "query", attrs...)
}
