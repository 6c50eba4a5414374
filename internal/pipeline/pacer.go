package pipeline

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// effort counts the calls of a query.
type effort struct {
	calls, throttled atomic.Int64
}

func (e *effort) counts() (calls, throttled int64) { return e.calls.Load(), e.throttled.Load() }

// pacer paces the calls of one query.
type pacer struct {
	budgets *budgets
	effort  *effort
	rate    float64 // calls a second to a workspace; 0: no bound
}

func (w *Worker) pacer(d *Definition, e *effort) Pacer { return &pacer{&w.budgets, e, d.Rate} }

// Wait waits for a call of the workspace's budget.
func (p *pacer) Wait(ctx context.Context, workspace string) error {
	if p.rate <= 0 {
		return nil
	}
	return p.budgets.take(ctx, workspace, p.rate)
}

// Answered counts.
func (p *pacer) Answered(_ string, status int) {
	if status != 0 {
		p.effort.calls.Add(1)
	}
	if status == http.StatusTooManyRequests {
		p.effort.throttled.Add(1)
	}
}

// budgets hand out the calls that workspaces may be sent. They belong to the store, so that all workers
// together keep to the rate; each takes a few at a time.
type budgets struct {
	store *Store

	mu  sync.Mutex
	all map[string]*budget
}

// budget is a worker's share of a workspace's calls.
type budget struct {
	mu   sync.Mutex
	left int
	next time.Time // of the first that is left
}

const (
	// leased is for how long calls are taken ahead of time, and how many a workspace may be sent at once
	// that was left alone.
	leased = 250 * time.Millisecond
	// mostLeased bounds them.
	mostLeased = 50
)

// take waits for the next call.
func (b *budgets) take(ctx context.Context, workspace string, rate float64) error {
	b.mu.Lock()
	if b.all == nil {
		b.all = map[string]*budget{}
	}
	own, ok := b.all[workspace]
	if !ok {
		own = &budget{}
		b.all[workspace] = own
	}
	b.mu.Unlock()
	own.mu.Lock()
	defer own.mu.Unlock() // who comes later waits longer
	each := time.Duration(float64(time.Second) / rate)
	if own.left == 0 || time.Since(own.next) > leased { // what was not used in time is lost
		n := min(max(int(leased/each), 1), mostLeased)
		from, err := b.store.lease(ctx, workspace, n, each)
		if err != nil {
			return err
		}
		own.left, own.next = n, from
	}
	at := own.next
	own.left--
	own.next = own.next.Add(each)
	if wait := time.Until(at); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// lease reserves n calls of a workspace, with a distance of each between two calls, and returns the time of
// the first call, by this machine's clock.
func (s *Store) lease(ctx context.Context, workspace string, n int, each time.Duration) (time.Time, error) {
	var from time.Time
	err := s.db.transact(ctx, func(c tx) error {
		if _, err := c.exec(ctx, "INSERT INTO lakeql_workspace (deployment_name) VALUES (?1) ON CONFLICT DO NOTHING", workspace); err != nil {
			return err
		}
		var next moment
		if _, err := one(ctx, c, "SELECT next_at FROM lakeql_workspace WHERE deployment_name = ?1"+s.d.forUpdate(), []any{workspace}, &next); err != nil {
			return err
		}
		now, err := s.now(ctx, c) // behind the lock, for which one may have waited
		if err != nil {
			return err
		}
		start := now // not before: what was not used in time is lost
		if next.After(now) {
			start = next.Time
		}
		from = time.Now().Add(start.Sub(now))
		_, err = c.exec(ctx, "UPDATE lakeql_workspace SET next_at = ?1 WHERE deployment_name = ?2", stamp(start.Add(time.Duration(n)*each)), workspace)
		return err
	})
	return from, storeError(s.place, err)
}

// block leaves a workspace alone until a time, whoever works.
func (s *Store) block(ctx context.Context, c conn, workspace string, until time.Time) error {
	_, err := c.exec(ctx, `INSERT INTO lakeql_workspace (deployment_name, blocked_until) VALUES (?1, ?2)
		ON CONFLICT (deployment_name) DO UPDATE SET blocked_until = excluded.blocked_until
		WHERE lakeql_workspace.blocked_until IS NULL OR lakeql_workspace.blocked_until < excluded.blocked_until`, workspace, stamp(until))
	return err
}
