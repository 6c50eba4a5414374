package pipeline

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Worker carries out the runs of a store. Its zero value but for Store and Asker is ready.
type Worker struct {
	Store *Store
	Asker Asker
	// Logger gets one event a query, and those about runs; nil: none.
	Logger *slog.Logger
	// Pipelines are those to work for; none: all that the store has.
	Pipelines []string
	// Concurrency is the number of concurrent queries of a pipeline; 0: the setting of the pipeline.
	Concurrency int
	// Lease is the time without a sign of life after which others take over the tasks. 0: 15 seconds.
	Lease time.Duration
	// Schedules begins runs that are due.
	Schedules bool
	// Interval is how often it looks after the store. 0: a second.
	Interval time.Duration
	// Metrics count the worker's tasks; nil: no metrics.
	Metrics *Metrics
	// Trouble is called each time that the store fails. The worker tries again. nil: only the log reports it.
	// Several goroutines call it.
	Trouble func(err error)
	// Alerts run the checks after each run; nil: the worker leaves them to others.
	Alerts *Alerts

	id          string
	signs       signs
	budgets     budgets
	definitions sync.Map         // *Definition by hash
	jobs        inHand[int64]    // by River's number
	tasks       inHand[taskArgs] // those of the jobs that are tasks
	accounts    accounts
	ended       chan struct{} // a run ended, so that its checks are due
}

// inHand holds the current tasks or jobs of a worker, and those that ended recently: the store and River
// learn about their end later than this process.
type inHand[K comparable] struct {
	mu    sync.Mutex
	all   map[K]bool
	ended map[K]time.Time
}

// add begins one, and reports false if the worker works on it already.
func (h *inHand[K]) add(key K) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all, h.ended = map[K]bool{}, map[K]time.Time{}
	}
	there := h.all[key]
	h.all[key] = true
	return !there
}

// remove ends one.
func (h *inHand[K]) remove(key K) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, key)
	h.ended[key] = time.Now()
}

// list returns the current keys, and those that ended less than settling ago.
func (h *inHand[K]) list() []K {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, at := range h.ended {
		if time.Since(at) > settling {
			delete(h.ended, key)
		}
	}
	return slices.AppendSeq(slices.Collect(maps.Keys(h.all)), maps.Keys(h.ended))
}

const (
	defaultLease    = 15 * time.Second
	defaultInterval = time.Second
	// settling is the time after its start in which a job may be unknown to its worker, and after its end in
	// which River may not have recorded the end.
	settling = 10 * time.Second
	// stopTime bounds how long a worker that ends waits for its queries to let go.
	stopTime = 20 * time.Second
)

// owner is a database that one process at a time works on.
type owner interface{ own() error }

// Work processes tasks until the context ends, or until reports true; it calls until every [Worker.Interval].
// At the end, it returns running tasks to their queue.
func (w *Worker) Work(ctx context.Context, until func(context.Context) (bool, error)) error {
	w.Logger = cmp.Or(w.Logger, discard())
	w.Lease = cmp.Or(w.Lease, defaultLease)
	w.Interval = min(cmp.Or(w.Interval, defaultInterval), w.Lease/4) // a sign of life that is late is none
	w.budgets.store, w.ended = w.Store, make(chan struct{}, 1)
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
	w.signs.beaten()
	defer w.signs.end()
	beating := w.keepBeating(ctx, host)
	defer beating()
	checking := w.keepChecking(ctx)
	defer checking()
	background, cancel := context.WithCancel(context.WithoutCancel(ctx)) // queries are told to stop, and then may say so
	defer cancel()
	queue, err := w.Store.db.work(background, &queueWorker{id: w.id, logger: w.Logger, poll: min(w.Interval/4, 200*time.Millisecond), plan: w.planRun, task: w.carryOut})
	if err != nil {
		return storeError(w.Store.place, err)
	}
	w.Logger.InfoContext(ctx, "worker begins", "worker", w.id, "store", w.Store.place, "lease", w.Lease.Seconds())
	err = w.lookAfter(ctx, queue, until)
	w.signs.end()
	checking()
	stopping, done := context.WithTimeout(background, stopTime)
	defer done()
	stopErr := queue.stop(stopping)
	beating()
	w.Logger.InfoContext(background, "worker ends", "worker", w.id)
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

// keepBeating writes the worker's heartbeat until the caller calls the returned function, also while the
// queries of the worker are stopping.
func (w *Worker) keepBeating(ctx context.Context, host string) func() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(w.Lease / 4)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			// A statement that is canceled may still run on the server, behind the one that retires the worker.
			writing, written := context.WithTimeout(context.WithoutCancel(ctx), w.Lease)
			err := w.Store.beat(writing, w, host)
			written()
			switch {
			case err == nil:
				w.signs.beaten()
			case ctx.Err() == nil:
				w.storeFails(ctx, err, "worker", w.id)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// lookAfter is the worker's loop: work of those who are gone, runs that are over, schedules.
func (w *Worker) lookAfter(ctx context.Context, queue worker, until func(context.Context) (bool, error)) error {
	ticker := time.NewTicker(w.Interval)
	defer ticker.Stop()
	var rescued time.Time
	working := map[string]bool{}
	for {
		var errs []error
		if time.Since(rescued) >= w.Lease/4 {
			errs = append(errs, w.Store.rescue(ctx, w))
			rescued = time.Now()
		}
		errs = append(errs, w.join(ctx, queue, working))
		if w.Schedules {
			errs = append(errs, w.fire(ctx))
		}
		errs = append(errs, w.finish(ctx))
		if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
			w.storeFails(ctx, err) // it may come back
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

// storeFails logs an error of the store. attrs describe the current work.
func (w *Worker) storeFails(ctx context.Context, err error, attrs ...any) {
	err = storeError(w.Store.place, err)
	w.Logger.ErrorContext(ctx, "store fails", append(attrs, "error", err.Error())...)
	if w.Trouble != nil {
		w.Trouble(err)
	}
}

// join takes jobs from the queues of the pipelines that have runs.
func (w *Worker) join(ctx context.Context, queue worker, working map[string]bool) error {
	open, err := w.Store.runs(ctx, w.Store.db, "WHERE ended_at IS NULL ORDER BY id")
	if err != nil {
		return err
	}
	var errs []error // of one pipeline, which are no reason to leave the others
	for _, r := range open {
		if working[r.Pipeline] || len(w.Pipelines) > 0 && !slices.Contains(w.Pipelines, r.Pipeline) {
			continue
		}
		d, err := w.definition(ctx, w.Store.db, r.Hash)
		if err == nil {
			err = queue.add(ctx, queueOf(r.Pipeline), cmp.Or(w.Concurrency, d.Concurrency))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("take the queries of %s: %w", r.Pipeline, err))
			continue
		}
		working[r.Pipeline] = true
	}
	return errors.Join(errs...)
}

// finish ends the runs that have nothing left to do, and prunes the history of their tables.
func (w *Worker) finish(ctx context.Context) error {
	s := w.Store
	const nothingLeft = ` AND ended_at IS NULL AND state IN ('running', 'stopping')
		AND NOT EXISTS (SELECT 1 FROM lakeql_task t WHERE t.run_id = lakeql_run.id AND (t.state = 'running' OR t.state = 'waiting' AND lakeql_run.state = 'running'))`
	over, err := s.runs(ctx, s.db, "WHERE id = id"+nothingLeft)
	if err != nil {
		return err
	}
	for _, r := range over {
		ended := false
		d, err := w.definition(ctx, s.db, r.Hash)
		if err != nil {
			d = nil // the checks report it
		}
		if err := s.db.transact(ctx, func(t tx) error {
			now, err := s.now(ctx, t)
			if err != nil {
				return err
			}
			n, err := t.exec(ctx, `UPDATE lakeql_run SET ended_at = ?1, state = CASE WHEN state = 'stopping' OR EXISTS
				(SELECT 1 FROM lakeql_task t WHERE t.run_id = lakeql_run.id AND t.state <> 'done') THEN 'failed' ELSE 'done' END WHERE id = ?2`+nothingLeft, stamp(now), r.ID)
			if ended = n > 0; err != nil || !ended {
				return err // somebody else has seen to it, or some query began again
			}
			if err := s.skip(ctx, t, r.ID, false, now); err != nil { // of a run that stops
				return err
			}
			return s.askChecks(ctx, t, r.ID, d)
		}); err != nil {
			return err
		}
		if !ended {
			continue
		}
		w.wakeChecks()
		if done, err := s.Run(ctx, r.ID); err == nil {
			w.countRun(r.Pipeline, done.State)
			w.Logger.InfoContext(ctx, "run ends", "pipeline", r.Pipeline, "run", r.ID, "state", string(done.State), "seconds", done.Ended.Sub(done.Begun).Seconds())
		}
		if err := s.pruneNow(ctx, r.Pipeline); err != nil {
			return err
		}
	}
	return nil
}

// pruneNow prunes the history of a pipeline's tables.
func (s *Store) pruneNow(ctx context.Context, pipeline string) error {
	return s.db.transact(ctx, func(t tx) error {
		now, err := s.now(ctx, t)
		if err != nil {
			return err
		}
		return s.prune(ctx, t, pipeline, now)
	})
}
