package pipeline

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/internal/pipeline/notify"
)

// Alerts are how a worker runs checks and sends notifications.
type Alerts struct {
	// Reader runs the queries of checks.
	Reader checks.Reader
	// Sender sends the notifications of pipelines from the store.
	Sender notify.Sender
	// Own is a pipeline from a folder of the person who runs it, with the sender of its notifications.
	// Definitions in a store with the same hash are the same; nil: none.
	Own       *Definition
	OwnSender notify.Sender
}

// keepChecking runs the checks of runs that are over, until the caller calls the returned function. It has its
// own goroutine, because a query or a notification may take its time while runs go on.
func (w *Worker) keepChecking(ctx context.Context) func() {
	if w.Alerts == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(w.Interval)
		defer ticker.Stop()
		for {
			if err := w.checkRuns(ctx); err != nil && ctx.Err() == nil {
				w.storeFails(ctx, err)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			case <-w.ended:
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// wakeChecks has the checks of a run that ended run at once.
func (w *Worker) wakeChecks() {
	select {
	case w.ended <- struct{}{}:
	default: // it is awake
	}
}

// checkRuns runs the checks of all runs that are over and have not been checked.
func (w *Worker) checkRuns(ctx context.Context) error {
	all, err := w.Store.checkRuns(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		r := &all[i]
		if len(w.Pipelines) > 0 && !slices.Contains(w.Pipelines, r.pipeline) {
			continue
		}
		claimed, err := w.Store.claimChecks(ctx, r, w.id)
		if err == nil && claimed {
			err = w.checkRun(ctx, r)
		}
		if errors.Is(err, errTaken) {
			continue // by a worker that took this one for dead
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkRun runs the checks of one run, and delivers the notifications of its pipeline.
func (w *Worker) checkRun(ctx context.Context, r *checkRun) error {
	s := w.Store
	d, err := w.definition(ctx, s.db, r.hash)
	if err != nil {
		if storeAway(err) || ctx.Err() != nil {
			return err
		}
		w.Logger.ErrorContext(ctx, "checks cannot be read", "pipeline", r.pipeline, "run", r.run, "error", err.Error())
		return s.endChecks(ctx, r.run, w.id)
	}
	if r.stage == toCheck {
		results, err := d.Evaluate(ctx, w.Alerts.Reader, nil)
		if err != nil {
			return err
		}
		if err := s.storeResults(ctx, d, r.run, w.id, results); err != nil {
			return err
		}
		for _, result := range results {
			if result.Outcome != checks.Pass {
				w.Logger.WarnContext(ctx, "check", "pipeline", r.pipeline, "run", r.run, "check", result.Check.Name, "severity", string(result.Check.Severity), "state", string(result.Outcome), "rows", len(result.Rows), "message", result.Summary())
			}
		}
	}
	sender := &w.Alerts.Sender
	if own := w.Alerts.Own; own != nil && own.Hash() == r.hash {
		sender = &w.Alerts.OwnSender
	}
	failed, err := s.deliver(ctx, d, sender)
	if err != nil {
		return err
	}
	for _, err := range failed {
		w.Logger.ErrorContext(ctx, "notification is not delivered", "pipeline", r.pipeline, "run", r.run, "error", err.Error())
	}
	return s.endChecks(ctx, r.run, w.id)
}

// storeResults stores the results of a run's checks, if the worker still has them.
func (s *Store) storeResults(ctx context.Context, d *Definition, id int64, worker string, results []*checks.Result) error {
	return s.db.transact(ctx, func(t tx) error {
		if err := s.holdChecks(ctx, t, id, worker); err != nil {
			return err
		}
		runs, err := s.runs(ctx, t, "WHERE id = ?1", id)
		if err != nil || len(runs) == 0 {
			return err
		}
		if err := s.record(ctx, t, d, &runs[0], results); err != nil {
			return err
		}
		_, err = t.exec(ctx, "UPDATE lakeql_check_run SET stage = ?1 WHERE run_id = ?2", toDeliver, id)
		return err
	})
}
