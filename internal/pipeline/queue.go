package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// taskArgs are the arguments of the job of a task: one query, one workspace. What is asked, with which
// credential, and what was answered is no business of the queue.
type taskArgs struct {
	Run       int64  `json:"run"`
	Table     string `json:"table"`
	Workspace string `json:"workspace"`
}

// Kind names the kind of job for River.
func (taskArgs) Kind() string { return "lakeql_task" }

// planArgs are the arguments of the job that finds the workspaces of a run, and makes its tasks.
type planArgs struct {
	Run int64 `json:"run"`
}

// Kind names the kind of job for River.
func (planArgs) Kind() string { return "lakeql_plan" }

// queueOf is the queue of a pipeline. Each has its own, so that who runs one pipeline does not carry out
// another.
func queueOf(pipeline string) string { return "pipeline_" + pipeline }

// once is how a job is put into its queue: while it is there, a second one with its arguments is none.
// That what was done is not done again, the tasks of a run see to.
func once(pipeline string, attempts int) *river.InsertOpts {
	return &river.InsertOpts{
		Queue:       queueOf(pipeline),
		MaxAttempts: attempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}},
	}
}

// queueWorker is what carries out jobs.
type queueWorker struct {
	id     string
	logger *slog.Logger
	poll   time.Duration // how long a job may lie in a queue before somebody looks
	plan   func(ctx context.Context, job *river.Job[planArgs]) error
	task   func(ctx context.Context, job *river.Job[taskArgs]) error
}

// riverWorker is a River client that works.
type riverWorker[T any] struct {
	client *river.Client[T]
	poll   time.Duration
}

// patience is how long River lets a job be under way. Requests have time-outs of their own, and who is gone
// is found out by its lease.
const patience = -1

func startRiver[T any](ctx context.Context, driver riverdriver.Driver[T], w *queueWorker, pollOnly bool) (worker, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(w.plan))
	river.AddWorker(workers, river.WorkFunc(w.task))
	client, err := river.NewClient(driver, &river.Config{
		ID:                w.id,
		Logger:            quiet(w.logger),
		Workers:           workers,
		Queues:            map[string]river.QueueConfig{"lakeql_idle": {MaxWorkers: 1, FetchPollInterval: time.Hour}}, // there must be one
		FetchCooldown:     2 * time.Millisecond,
		FetchPollInterval: w.poll,
		PollOnly:          pollOnly,
		JobTimeout:        patience,
		RetryPolicy:       retryPolicy{},
		// A day: the leases of workers find those that are gone within seconds.
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
	// River keeps a queue whose work could not begin, and would never begin it.
	return errors.Join(err, w.client.Queues().Remove(ctx, queue))
}

func (w *riverWorker[T]) stop(ctx context.Context) error { return w.client.StopAndCancel(ctx) }

// retryPolicy waits longer each time, with full jitter, so that a thousand queries that failed together
// do not come back together.
type retryPolicy struct{}

const (
	firstRetry   = time.Second
	longestRetry = time.Minute
)

// NextRetry gives the time of the next attempt.
func (retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().Add(pause(job.Attempt))
}

// pause is how long to wait before the attempt behind the one with a number, from 1.
func pause(attempt int) time.Duration {
	bound := min(firstRetry<<min(max(attempt, 1)-1, 10), longestRetry)
	return bound/4 + rand.N(bound) //nolint:gosec // jitter
}

// quiet takes from River's log what is told better elsewhere: a job that fails is an event of ours.
func quiet(logger *slog.Logger) *slog.Logger { return slog.New(levelHandler{logger.Handler()}) }

// levelHandler lets errors through, and nothing below.
type levelHandler struct{ slog.Handler }

// Enabled reports whether an event is let through.
func (h levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}
