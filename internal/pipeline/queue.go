package pipeline

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// taskArgs are the arguments of a task's job: one query, one workspace. The queue does not hold the query's
// text, its credential or its answer.
type taskArgs struct {
	Run       int64  `json:"run"`
	Table     string `json:"table"`
	Workspace string `json:"workspace"`
}

// planArgs are the arguments of the job that finds the workspaces of a run, and makes its tasks.
type planArgs struct {
	Run int64 `json:"run"`
}

// The kinds of jobs.
const (
	taskKind = "lakeql_task"
	planKind = "lakeql_plan"
)

// Kind names the kind of job for the queue.
func (taskArgs) Kind() string { return taskKind }

// Kind names the kind of job for the queue.
func (planArgs) Kind() string { return planKind }

// queueOf is the queue of a pipeline. Each has its own, so that who runs one pipeline does not carry out
// another.
func queueOf(pipeline string) string { return "pipeline_" + pipeline }

// queueTx is the queue in a transaction of the store: jobs change together with tasks, or not at all.
type queueTx interface {
	// enqueue adds jobs to the queue of a pipeline. It adds no job twice: a job with the same arguments that
	// has not ended stays as it is.
	enqueue(ctx context.Context, pipeline string, attempts int, jobs ...jobArgs) error
	// complete ends the job of a task.
	complete(ctx context.Context, j *job[taskArgs]) error
	// dequeue removes the jobs of a run that no worker has.
	dequeue(ctx context.Context, run int64) error
	// rescue returns the orphans to their queues. The attempt that a worker lost does not count.
	rescue(ctx context.Context, o *orphans) error
	// hasPlan reports whether a run has a job of kind planKind that has not ended.
	hasPlan(ctx context.Context, run int64) (bool, error)
	// openTasks counts the jobs of a run of kind taskKind that have not ended.
	openTasks(ctx context.Context, run int64) (int64, error)
	// forgetLeader removes the leader of the workers. The caller knows that no worker runs.
	forgetLeader(ctx context.Context) error
}

// orphans selects the running tasks and jobs that their worker does not work on any more.
type orphans struct {
	now    time.Time // by the store's clock
	living []string  // the workers that live; what another one has is an orphan
	// self is the living worker that searches; empty: none. A task of self is an orphan if it began before
	// stale and neither jobs nor tasks list it.
	self  string
	jobs  []int64
	tasks []taskArgs
	stale time.Time
}

// queueWorker processes jobs.
type queueWorker struct {
	id     string
	logger *slog.Logger
	poll   time.Duration // how long a job may lie in a queue before somebody looks
	plan   func(ctx context.Context, j *job[planArgs]) error
	task   func(ctx context.Context, j *job[taskArgs]) error
}

const (
	firstRetry   = time.Second
	longestRetry = time.Minute
)

// pause is how long to wait before the attempt behind the one with a number, from 1. It grows, with full
// jitter, so that a thousand queries that failed together do not come back together.
func pause(attempt int) time.Duration {
	bound := min(firstRetry<<min(max(attempt, 1)-1, 10), longestRetry)
	return bound/4 + rand.N(bound) //nolint:gosec // jitter
}
