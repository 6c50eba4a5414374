package pipeline

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// signs are a worker's own signs of life: when it last wrote one into the store.
type signs struct {
	mu     sync.Mutex
	at     time.Time // zero: it has not begun
	ending bool
}

func (s *signs) beaten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = time.Now()
}

func (s *signs) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
}

// Ready reports why the worker takes no queries: it has not begun, it is ending, or its store has not answered for
// the time of its lease, so that other workers take over.
func (w *Worker) Ready() error {
	w.signs.mu.Lock()
	at, ending := w.signs.at, w.signs.ending
	w.signs.mu.Unlock()
	switch silent := time.Since(at); {
	case ending:
		return provider.Errorf(provider.Canceled, "the worker is ending")
	case at.IsZero():
		return provider.Errorf(provider.Network, "the worker has not begun")
	case silent > w.Lease: // set before it began
		return provider.Errorf(provider.Network, "the store %s has not answered for %s", provider.Printable(w.Store.place), silent.Round(time.Second))
	}
	return nil
}

// Handler answers /metrics, if the worker has some, and the probes /livez and /readyz. A worker whose store is away
// is alive, and not ready: to start it again does not help.
func (w *Worker) Handler() http.Handler {
	mux := http.NewServeMux()
	if w.Metrics != nil {
		mux.Handle("GET /metrics", w.Metrics)
	}
	ok := func(out http.ResponseWriter) { _, _ = out.Write([]byte("ok\n")) } // who asked may be gone
	mux.HandleFunc("GET /livez", func(out http.ResponseWriter, _ *http.Request) { ok(out) })
	mux.HandleFunc("GET /readyz", func(out http.ResponseWriter, _ *http.Request) {
		if err := w.Ready(); err != nil {
			http.Error(out, err.Error(), http.StatusServiceUnavailable)
			return
		}
		ok(out)
	})
	return mux
}

// LivingWorker is a worker that has renewed its lease in time.
type LivingWorker struct {
	ID, Host string
	// Schedules: it begins scheduled runs. A lakeql pipeline run does not.
	Schedules bool
}

// Workers lists the workers of a store that live, those that were seen last first.
func (s *Store) Workers(ctx context.Context) ([]LivingWorker, error) {
	now, err := s.now(ctx, s.db)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	all, err := s.living(ctx, s.db, now)
	return all, storeError(s.place, err)
}

// living lists the workers of a store that live, by the store's clock.
func (s *Store) living(ctx context.Context, c conn, now time.Time) (all []LivingWorker, err error) {
	err = each(ctx, c, "SELECT id, host, seen_at, lease, schedules FROM lakeql_worker ORDER BY seen_at DESC, id", nil, func(scan func(...any) error) error {
		var l LivingWorker
		var seen moment
		var lease float64
		err := scan(&l.ID, &l.Host, &seen, &lease, &l.Schedules)
		if now.Sub(seen.Time).Seconds() <= lease {
			all = append(all, l)
		}
		return err
	})
	return all, err
}
