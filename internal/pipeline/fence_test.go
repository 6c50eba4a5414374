package pipeline

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// onEachDatabase runs a test with an empty store on each kind of database.
func onEachDatabase(t *testing.T, test func(*testing.T, *Store)) {
	t.Helper()
	for name, place := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "store.db") },
		"PostgreSQL": startPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := OpenStore(t.Context(), place(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			test(t, s)
		})
	}
}

// inTx runs a function in a transaction of the store.
func inTx(t *testing.T, s *Store, f func(context.Context, tx) error) {
	t.Helper()
	if err := s.db.transact(t.Context(), func(c tx) error { return f(t.Context(), c) }); err != nil {
		t.Fatal(err)
	}
}

// TestQueue follows jobs of two runs into their queue and out of it.
func TestQueue(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		t.Helper()
		want := func(run, jobs int64, plan bool) {
			t.Helper()
			inTx(t, s, func(ctx context.Context, c tx) error {
				n, err := c.openTasks(ctx, run)
				if err != nil {
					return err
				}
				there, err := c.hasPlan(ctx, run)
				if n != jobs || there != plan {
					t.Errorf("run %d has %d jobs of tasks, want %d; its plan: %v, want %v", run, n, jobs, there, plan)
				}
				return err
			})
		}
		for range 2 { // the second time adds none
			inTx(t, s, func(ctx context.Context, c tx) error {
				return c.enqueue(ctx, "p", 3, planArgs{1}, taskArgs{1, "things", "dbc-1"}, taskArgs{1, "things", "dbc-2"}, taskArgs{1, "others", "dbc-1"}, taskArgs{2, "things", "dbc-1"})
			})
		}
		want(1, 3, true)
		want(2, 1, false)
		inTx(t, s, func(ctx context.Context, c tx) error { return c.dequeue(ctx, 1) })
		want(1, 0, false)
		want(2, 1, false)
	})
}

// TestFence shows that who took a task over ends it, and who had it before does not, although both have the
// same attempt of the same job.
func TestFence(t *testing.T) {
	b := begin(t)
	other := &Worker{Store: b.Store, Logger: discard(), id: "other"}
	claim := func(w *Worker) *task {
		t.Helper()
		claimed, _, err := w.claim(t.Context(), b.job("dbc-1"))
		if err != nil || claimed == nil {
			t.Fatalf("%s claims %v, %v", w.id, claimed, err)
		}
		return claimed
	}
	late, now := claim(b.worker), claim(other)
	if err := late.release(t.Context(), failed, errors.New("late"), 0); !errors.Is(err, errTaken) {
		t.Errorf("the first worker ends the task: %v", err)
	}
	if err := now.release(t.Context(), waiting, nil, 0); err != nil {
		t.Errorf("the second worker does not: %v", err)
	}
	if err := now.release(t.Context(), waiting, nil, 0); !errors.Is(err, errTaken) {
		t.Errorf("it ends the task twice: %v", err)
	}
}

// TestOneJobOfATask shows that a worker which has a task in hand does not begin it again, under whatever job.
func TestOneJobOfATask(t *testing.T) {
	b := begin(t)
	j := b.job("dbc-1")
	b.worker.tasks.add(j.Args)
	if err := b.worker.carryOut(t.Context(), j); err == nil || err.Error() != snoozeJob(handover).Error() {
		t.Errorf("the job ends with %v", err)
	}
	b.want(t, "waiting waiting", stateOfTasks)
	b.want(t, "0", "SELECT sum(attempts) FROM lakeql_task")
}

// TestRiverTakesLateWorkers shows why a task needs a separate fence: River gives two workers of a job the same
// attempt, so the late worker can change the job while the other one works on it. If River distinguishes them one
// day, its row can be the fence.
func TestRiverTakesLateWorkers(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		t.Helper()
		args := taskArgs{1, "things", "dbc-1"}
		inTx(t, s, func(ctx context.Context, c tx) error { return c.enqueue(ctx, "p", 3, args) })
		late := takeJob(t, s, "late")
		inTx(t, s, func(ctx context.Context, c tx) error {
			return c.rescue(ctx, &orphans{now: time.Now(), living: []string{"other"}})
		})
		other := takeJob(t, s, "other")
		if late.attempt != 1 || other.attempt != 1 {
			t.Errorf("the attempts are %d and %d", late.attempt, other.attempt)
		}
		close(late.end)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for state := "running"; state != "available"; time.Sleep(time.Millisecond) {
			if _, err := one(ctx, s.db, "SELECT CAST(state AS text) FROM river_job", nil, &state); err != nil {
				t.Fatal(err)
			}
		}
		close(other.end)
	})
}

// takenJob is a job that a worker has.
type takenJob struct {
	attempt int
	end     chan struct{} // closed, it lets the worker snooze the job
}

// takeJob starts a worker until the test ends, and returns the job that it takes from the queue of p.
func takeJob(t *testing.T, s *Store, id string) *takenJob {
	t.Helper()
	end, jobs := make(chan struct{}), make(chan int, 1)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w, err := s.db.work(ctx, &queueWorker{
		id: id, logger: discard(), poll: 10 * time.Millisecond,
		plan: func(context.Context, *job[planArgs]) error { return nil },
		task: func(ctx context.Context, j *job[taskArgs]) error {
			select {
			case jobs <- j.Attempt:
			default: // it took the job again
			}
			select {
			case <-end:
			case <-ctx.Done():
			}
			return snoozeJob(time.Second)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		if err := w.stop(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := w.add(ctx, queueOf("p"), 1); err != nil {
		t.Fatal(err)
	}
	select {
	case attempt := <-jobs:
		return &takenJob{attempt, end}
	case <-time.After(time.Minute):
		t.Fatalf("%s takes no job", id)
		return nil
	}
}
