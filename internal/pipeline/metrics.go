package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Metrics count what a worker does, and tell what its store holds, in the format of Prometheus:
//
//   - lakeql_pipeline_queries_total{pipeline, state}: queries that this worker carried out, by how they ended:
//     done, failed, or waiting to be asked again;
//   - lakeql_pipeline_rows_total, _calls_total, _throttled_total{pipeline}: rows that they answered, calls of the API
//     that were answered, and those of them that were answered 429;
//   - lakeql_pipeline_changes_total{pipeline, change}: changes of rows: added, changed, removed;
//   - lakeql_pipeline_query_seconds{pipeline, table}: how long queries took, their way into the store included;
//   - lakeql_pipeline_jobs{pipeline, state}: queries of runs that are not over;
//   - lakeql_pipeline_lag_seconds{pipeline, workspace}: how old the oldest rows of a workspace are;
//   - lakeql_pipeline_stale_tables{pipeline, workspace}: its tables whose last query failed;
//   - lakeql_pipeline_workers: workers that gave a sign of life within their lease.
type Metrics struct {
	store *Store
	own   *metrics.Set
}

// NewMetrics makes the metrics of a worker on a store.
func NewMetrics(s *Store) *Metrics {
	metrics.ExposeMetadata(true) // their types, which Prometheus reads
	return &Metrics{s, metrics.NewSet()}
}

// scrapeTime bounds how long reading the store takes.
const scrapeTime = 10 * time.Second

// ServeHTTP answers with all of them, or, where the store cannot be read, with an error and none.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTime)
	defer cancel()
	var b bytes.Buffer
	m.own.WritePrometheus(&b)
	if err := m.store.writeMetrics(ctx, &b); err != nil {
		http.Error(w, storeError(m.store.place, err).Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // who asked may be gone
}

// metric names a metric with its labels, each with its value behind it. Values are names of pipelines, tables
// and workspaces, and none has a character that would have to be escaped otherwise than Go does.
func metric(name string, labels ...string) string {
	name = "lakeql_pipeline_" + name
	if len(labels) == 0 {
		return name
	}
	var pairs []string
	for pair := range slices.Chunk(labels, 2) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", pair[0], pair[1]))
	}
	slices.Sort(pairs)
	return name + "{" + strings.Join(pairs, ",") + "}"
}

// observe counts a query.
func (w *Worker) observe(t *task, state taskState, c Changes, took time.Duration) {
	if w.Metrics == nil {
		return
	}
	name := t.def.Name
	count := func(what string, n int64, labels ...string) {
		w.Metrics.own.GetOrCreateCounter(metric(what, append([]string{"pipeline", name}, labels...)...)).AddInt64(n)
	}
	calls, limited := t.effort.counts()
	count("queries_total", 1, "state", string(state))
	count("calls_total", calls)
	count("throttled_total", limited)
	if state != succeeded {
		return
	}
	count("rows_total", c.Rows)
	count("changes_total", c.Added, "change", addedRow)
	count("changes_total", c.Changed, "change", changedRow)
	count("changes_total", c.Removed, "change", removedRow)
	w.Metrics.own.GetOrCreatePrometheusHistogram(metric("query_seconds", "pipeline", name, "table", t.table.Name)).Update(took.Seconds())
}

// writeMetrics tells what the store holds.
func (s *Store) writeMetrics(ctx context.Context, out io.Writer) error {
	now, err := s.now(ctx, s.db)
	if err != nil {
		return err
	}
	for _, family := range []string{"jobs", "lag_seconds", "stale_tables", "workers"} {
		fmt.Fprintf(out, "# TYPE %s gauge\n", metric(family)) //nolint:errcheck // it is a buffer
	}
	gauge := func(value float64, name string, labels ...string) {
		fmt.Fprintf(out, "%s %v\n", metric(name, labels...), value) //nolint:errcheck // it is a buffer
	}
	if err := each(ctx, s.db, "SELECT r.pipeline, t.state, count(*) FROM lakeql_task t JOIN lakeql_run r ON r.id = t.run_id WHERE r.ended_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2", nil, func(scan func(...any) error) error {
		var pipeline, state string
		var n int64
		err := scan(&pipeline, &state, &n)
		gauge(float64(n), "jobs", "pipeline", pipeline, "state", state)
		return err
	}); err != nil {
		return err
	}
	if err := each(ctx, s.db, `SELECT t.pipeline, s.deployment_name, min(s.observed_at), sum(CASE WHEN s.stale THEN 1 ELSE 0 END)
		FROM lakeql_slice s JOIN lakeql_table t ON t.name = s.table_name GROUP BY 1, 2 ORDER BY 1, 2`, nil, func(scan func(...any) error) error {
		var pipeline, workspace string
		var oldest moment
		var stale int64
		err := scan(&pipeline, &workspace, &oldest, &stale)
		if err == nil && !oldest.IsZero() {
			gauge(now.Sub(oldest.Time).Seconds(), "lag_seconds", "pipeline", pipeline, "workspace", workspace)
		}
		gauge(float64(stale), "stale_tables", "pipeline", pipeline, "workspace", workspace)
		return err
	}); err != nil {
		return err
	}
	living := 0
	err = each(ctx, s.db, "SELECT seen_at, lease FROM lakeql_worker", nil, func(scan func(...any) error) error {
		var seen moment
		var lease float64
		err := scan(&seen, &lease)
		if now.Sub(seen.Time).Seconds() <= lease {
			living++
		}
		return err
	})
	gauge(float64(living), "workers")
	return err
}
