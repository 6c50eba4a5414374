package pipeline

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// This is the only file that knows River: its client, its migrations and its tables. It uses River's calls
// where they exist. Four statements name River's tables: rescue, openTasks and forgetLeader, for which River has
// no call, and complete, for which its call costs too much.

const (
	// riverSchema is the version of River's tables that those statements were written for. TestRiverSchema
	// fails if River migrates to another version, or if a column that they use has another type.
	riverSchema = 8
	// riverPrefix begins the names of River's tables.
	riverPrefix = "river_"
)

// job is a job that River hands to a worker.
type job[T river.JobArgs] = river.Job[T]

// jobArgs are the arguments of a job of any kind.
type jobArgs = river.JobArgs

// snoozeJob is the outcome of a job that is to be worked again after a time. It counts as no attempt.
func snoozeJob(after time.Duration) error { return river.JobSnooze(after) }

// cancelJob is the outcome of a job that failed for good.
func cancelJob(cause error) error { return river.JobCancel(cause) }

// snoozes is how often a job was snoozed.
func snoozes(row *rivertype.JobRow) int {
	var kept struct{ Snoozes int }
	_ = json.Unmarshal(row.Metadata, &kept) // a job that was never snoozed may have none
	return kept.Snoozes
}

// openJobs are the states of jobs that have not ended.
func openJobs() []rivertype.JobState {
	return []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
	}
}

// riverQueue is the queue of a store's work, in tables beside the store's own.
type riverQueue[T any] struct {
	driver riverdriver.Driver[T]
	client *river.Client[T] // adds, removes and lists jobs, and works none
	d      *dialect
	done   *doneJobs
}

func openPostgresQueue(pool *pgxpool.Pool) (*riverQueue[pgx.Tx], error) {
	return openQueue(riverpgxv5.New(pool), &dialect{postgres: true})
}

func openSQLiteQueue(db *sql.DB) (*riverQueue[*sql.Tx], error) {
	return openQueue(riversqlite.New(db), &dialect{})
}

func openQueue[T any](driver riverdriver.Driver[T], d *dialect) (*riverQueue[T], error) {
	done := &doneJobs{ids: map[int64]bool{}}
	driver = knowingDriver[T]{driver, done}
	client, err := river.NewClient(driver, &river.Config{Logger: quiet(discard())})
	return &riverQueue[T]{driver, client, d, done}, err
}

// doneJobs are the jobs that a transaction of the store has completed, until their worker reports that.
type doneJobs struct {
	mu  sync.Mutex
	ids map[int64]bool
}

// knowingDriver is a driver whose executor knows the completed jobs.
type knowingDriver[T any] struct {
	riverdriver.Driver[T]

	done *doneJobs
}

// GetExecutor returns the executor of statements outside of transactions.
func (d knowingDriver[T]) GetExecutor() riverdriver.Executor {
	return knowingExecutor{d.Driver.GetExecutor(), d.done}
}

type knowingExecutor struct {
	riverdriver.Executor

	done *doneJobs
}

// JobSetStateIfRunningMany leaves out the jobs that are completed already. River completes each job when its
// worker returns. It does not distinguish those that are completed already, and looks for each of them
// in SQLite with two statements, which are 5 % of a run with nothing changed.
func (e knowingExecutor) JobSetStateIfRunningMany(ctx context.Context, all *riverdriver.JobSetStateIfRunningManyParams) ([]*rivertype.JobRow, error) {
	open := e.done.forget(all)
	if len(open.ID) == 0 {
		return nil, nil
	}
	return e.Executor.JobSetStateIfRunningMany(ctx, open)
}

func (d *doneJobs) add(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids[id] = true
}

// forget returns the changes of state without those that complete a completed job, and forgets all of the
// jobs. A job with another change was not completed: its transaction did not commit.
func (d *doneJobs) forget(all *riverdriver.JobSetStateIfRunningManyParams) *riverdriver.JobSetStateIfRunningManyParams {
	d.mu.Lock()
	defer d.mu.Unlock()
	open := &riverdriver.JobSetStateIfRunningManyParams{Now: all.Now, Schema: all.Schema}
	for i, id := range all.ID {
		done := d.ids[id] && all.State[i] == rivertype.JobStateCompleted
		delete(d.ids, id)
		if done {
			continue
		}
		open.ID = append(open.ID, id)
		open.Attempt = append(open.Attempt, all.Attempt[i])
		open.ErrData = append(open.ErrData, all.ErrData[i])
		open.FinalizedAt = append(open.FinalizedAt, all.FinalizedAt[i])
		open.MetadataDoMerge = append(open.MetadataDoMerge, all.MetadataDoMerge[i])
		open.MetadataUpdates = append(open.MetadataUpdates, all.MetadataUpdates[i])
		open.ScheduledAt = append(open.ScheduledAt, all.ScheduledAt[i])
		open.State = append(open.State, all.State[i])
	}
	return open
}

// migrate makes River's tables, or brings them to the version that the client needs.
func (q *riverQueue[T]) migrate(ctx context.Context) error {
	migrator, err := rivermigrate.New(q.driver, nil)
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	return err
}

// in is the queue in a transaction, which c runs the statements of.
func (q *riverQueue[T]) in(transaction T, c conn) queueTx { return &riverTx[T]{q, transaction, c} }

// riverTx is the queue in a transaction.
type riverTx[T any] struct {
	*riverQueue[T]

	tx   T
	conn conn
}

func (t *riverTx[T]) enqueue(ctx context.Context, pipeline string, attempts int, jobs ...jobArgs) error {
	all := make([]river.InsertManyParams, len(jobs))
	for i, args := range jobs {
		all[i] = river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{
			Queue:       queueOf(pipeline),
			MaxAttempts: attempts,
			UniqueOpts:  river.UniqueOpts{ByArgs: true, ByState: openJobs()},
		}}
	}
	_, err := t.client.InsertManyTx(ctx, t.tx, all)
	return err
}

// River's call, JobCompleteTx, is written for many jobs, errors and metadata. PostgreSQL plans it at each call,
// which was half of its work in a run with nothing changed. A job that is not running any more stays as it
// is, as with River's call: its task is done, and who takes the job finds that.
func (t *riverTx[T]) complete(ctx context.Context, j *job[taskArgs]) error {
	n, err := t.conn.exec(ctx, "UPDATE river_job SET state = 'completed', finalized_at = "+t.d.riverClock()+" WHERE id = ?1 AND state = 'running'", j.ID)
	if n > 0 {
		t.done.add(j.ID)
	}
	return err
}

// mostJobs is how many jobs a call of River's removes at most.
const mostJobs = 10_000

// River skips jobs that another transaction has locked: a worker is about to take them. Whoever takes one
// finds that its run has ended.
func (t *riverTx[T]) dequeue(ctx context.Context, run int64) error {
	all := river.NewJobDeleteManyParams().Kinds(taskKind, planKind).First(mostJobs).
		States(rivertype.JobStateAvailable, rivertype.JobStateScheduled, rivertype.JobStateRetryable).
		Where(t.d.runOfJob()+" = @run", river.NamedArgs{"run": run})
	for {
		removed, err := t.client.JobDeleteManyTx(ctx, t.tx, all)
		if err != nil || len(removed.Jobs) < mostJobs {
			return err
		}
	}
}

func (t *riverTx[T]) hasPlan(ctx context.Context, run int64) (bool, error) {
	found, err := t.client.JobListTx(ctx, t.tx, river.NewJobListParams().Kinds(planKind).States(openJobs()...).First(1).
		Where(t.d.runOfJob()+" = @run", river.NamedArgs{"run": run}))
	return err == nil && len(found.Jobs) > 0, err
}

// River can list jobs but not count those of a run, which may be a hundred thousand.
func (t *riverTx[T]) openTasks(ctx context.Context, run int64) (n int64, err error) {
	states := make([]string, 0, len(openJobs()))
	for _, s := range openJobs() {
		states = append(states, string(s))
	}
	_, err = one(ctx, t.conn, "SELECT count(*) FROM river_job WHERE kind = "+literal(taskKind)+" AND state IN ("+literals(states)+") AND "+t.d.runOfJob()+" = ?1", []any{run}, &n)
	return n, err
}

// River's own rescue goes by the time since a job began, and a query may take hours. It counts an attempt,
// and leaves jobs alone that have no time-out. JobRetry and JobCancel do not move a running job.
func (t *riverTx[T]) rescue(ctx context.Context, o *orphans) error {
	where := t.d.lastWorker() + " NOT IN (" + literals(o.living) + ")"
	if o.self != "" {
		where = fmt.Sprintf("(%s OR %s = %s AND id NOT IN (%s) AND attempted_at < %s)", where, t.d.lastWorker(), literal(o.self), idList(o.jobs), t.d.riverTime(o.stale))
	}
	_, err := t.conn.exec(ctx, "UPDATE river_job SET state = 'available', scheduled_at = "+t.d.riverTime(o.now)+", attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END "+
		"WHERE state = 'running' AND kind IN ("+literal(taskKind)+", "+literal(planKind)+") AND "+where)
	return err
}

// idList writes numbers as a list for SQL, which must have one.
func idList(ids []int64) string {
	list := []string{"0"}
	for _, id := range ids {
		list = append(list, strconv.FormatInt(id, 10))
	}
	return strings.Join(list, ", ")
}

// Until the time of a leader that was killed is over, about 15 seconds, no other client would be elected. A
// client resigns only for itself.
func (t *riverTx[T]) forgetLeader(ctx context.Context) error {
	_, err := t.conn.exec(ctx, "DELETE FROM river_leader")
	return err
}

// lastWorker is the worker that took a job last.
func (d *dialect) lastWorker() string {
	if d.postgres {
		return "coalesce(attempted_by[array_upper(attempted_by, 1)], '-')"
	}
	return "coalesce(json_extract(attempted_by, '$[#-1]'), '-')"
}

// runOfJob is the run of a job, which is in the arguments of each kind.
func (d *dialect) runOfJob() string {
	if d.postgres {
		return "(args->>'run')::bigint"
	}
	return "CAST(json_extract(args, '$.run') AS INTEGER)"
}

// riverClock is the database's time as River writes it.
func (d *dialect) riverClock() string {
	if d.postgres {
		return "clock_timestamp()"
	}
	return "strftime('%Y-%m-%d %H:%M:%f', 'now')"
}

// riverTime is a time as River writes it.
func (d *dialect) riverTime(t time.Time) string {
	if d.postgres {
		return literal(t.UTC().Format(time.RFC3339Nano)) + "::timestamptz"
	}
	return literal(t.UTC().Format("2006-01-02 15:04:05.000"))
}

// riverWorker is a River client that works.
type riverWorker[T any] struct {
	client *river.Client[T]
	poll   time.Duration
}

// patience is River's time limit of a job. Requests have their own time-outs, and leases detect dead workers.
const patience = -1

// work begins to work. The queues are added later.
func (q *riverQueue[T]) work(ctx context.Context, w *queueWorker) (worker, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(w.plan))
	river.AddWorker(workers, river.WorkFunc(w.task))
	client, err := river.NewClient(q.driver, &river.Config{
		ID:                w.id,
		Logger:            quiet(w.logger),
		Workers:           workers,
		Queues:            map[string]river.QueueConfig{"lakeql_idle": {MaxWorkers: 1, FetchPollInterval: time.Hour}}, // there must be one
		FetchCooldown:     2 * time.Millisecond,
		FetchPollInterval: w.poll,
		PollOnly:          !q.d.postgres,
		JobTimeout:        patience,
		RetryPolicy:       retryPolicy{},
		// A day is enough: the leases of workers detect dead ones within seconds.
		RescueStuckJobsAfter: 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	if err := client.Start(ctx); err != nil {
		return nil, err
	}
	return &riverWorker[T]{client, w.poll}, nil
}

func (w *riverWorker[T]) add(ctx context.Context, queue string, atOnce int) error {
	err := w.client.Queues().Add(queue, river.QueueConfig{MaxWorkers: atOnce, FetchCooldown: 2 * time.Millisecond, FetchPollInterval: w.poll})
	if err == nil {
		return nil
	}
	if _, there := errors.AsType[*river.QueueAlreadyAddedError](err); there {
		return nil
	}
	// River keeps a queue that could not start, and would never start it.
	return errors.Join(err, w.client.Queues().Remove(ctx, queue))
}

func (w *riverWorker[T]) stop(ctx context.Context) error { return w.client.StopAndCancel(ctx) }

// retryPolicy waits for pause.
type retryPolicy struct{}

// NextRetry returns the time of the next attempt.
func (retryPolicy) NextRetry(row *rivertype.JobRow) time.Time {
	return time.Now().Add(pause(row.Attempt))
}

// quiet removes events from River's log that this package logs itself, such as a failed job.
func quiet(logger *slog.Logger) *slog.Logger { return slog.New(levelHandler{logger.Handler()}) }

// levelHandler lets errors through, and nothing below.
type levelHandler struct{ slog.Handler }

// Enabled reports whether an event is let through.
func (h levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}
