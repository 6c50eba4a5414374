package pipeline

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics count what a worker does, and tell what the store holds, for Prometheus.
type Metrics struct {
	registry *prometheus.Registry
	queries  *prometheus.CounterVec
	rows     *prometheus.CounterVec
	changes  *prometheus.CounterVec
	calls    *prometheus.CounterVec
	limited  *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

// NewMetrics makes the metrics of a worker on a store.
func NewMetrics(s *Store) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lakeql_pipeline_" + name, Help: help}, append([]string{"pipeline"}, labels...))
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		queries:  counter("queries_total", "Queries that this worker carried out, by how they ended: done, failed, or waiting to be asked again.", "state"),
		rows:     counter("rows_total", "Rows that queries of this worker answered."),
		changes:  counter("changes_total", "Changes of rows that this worker found: added, changed, removed.", "change"),
		calls:    counter("calls_total", "Calls of the API that were answered."),
		limited:  counter("throttled_total", "Calls that were answered with 429."),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lakeql_pipeline_query_seconds", Help: "How long queries took, their way into the store included.", Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 12),
		}, []string{"pipeline", "table"}),
	}
	m.registry.MustRegister(m.queries, m.rows, m.changes, m.calls, m.limited, m.took, &storeMetrics{s})
	return m
}

// Handler serves them over HTTP.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError})
}

// observe counts a query.
func (w *Worker) observe(t *task, state taskState, c Changes, took time.Duration) {
	m := w.Metrics
	if m == nil {
		return
	}
	name := t.def.Name
	calls, limited := t.effort.counts()
	m.queries.WithLabelValues(name, string(state)).Inc()
	m.calls.WithLabelValues(name).Add(float64(calls))
	m.limited.WithLabelValues(name).Add(float64(limited))
	if state != succeeded {
		return
	}
	m.rows.WithLabelValues(name).Add(float64(c.Rows))
	m.changes.WithLabelValues(name, addedRow).Add(float64(c.Added))
	m.changes.WithLabelValues(name, changedRow).Add(float64(c.Changed))
	m.changes.WithLabelValues(name, removedRow).Add(float64(c.Removed))
	m.took.WithLabelValues(name, t.table.Name).Observe(took.Seconds())
}

// storeMetrics are read from the store when they are asked for.
type storeMetrics struct{ store *Store }

// What storeMetrics tells.
var (
	jobsMetric = prometheus.NewDesc("lakeql_pipeline_jobs", "Queries of runs that are not over, by state.", []string{"pipeline", "state"}, nil)                                           //nolint:gochecknoglobals // a description, as the library has them
	lagMetric  = prometheus.NewDesc("lakeql_pipeline_lag_seconds", "How old the oldest rows of a workspace are.", []string{"pipeline", "workspace"}, nil)                                 //nolint:gochecknoglobals // a description, as the library has them
	stale      = prometheus.NewDesc("lakeql_pipeline_stale_tables", "Tables of a workspace whose last query failed, so that their rows are old.", []string{"pipeline", "workspace"}, nil) //nolint:gochecknoglobals // a description, as the library has them
	workers    = prometheus.NewDesc("lakeql_pipeline_workers", "Workers that gave a sign of life within their lease.", nil, nil)                                                          //nolint:gochecknoglobals // a description, as the library has them
)

// scrapeTime bounds how long reading the store takes.
const scrapeTime = 10 * time.Second

// Describe implements prometheus.Collector.
func (*storeMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{jobsMetric, lagMetric, stale, workers} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *storeMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	s := m.store
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	fail := func(err error) { out <- prometheus.NewInvalidMetric(jobsMetric, storeError(s.place, err)) }
	now, err := s.now(ctx, s.db)
	if err != nil {
		fail(err)
		return
	}
	if err := each(ctx, s.db, `SELECT r.pipeline, t.state, count(*) FROM lakeql_task t JOIN lakeql_run r ON r.id = t.run_id WHERE r.ended_at IS NULL GROUP BY 1, 2`, nil, func(scan func(...any) error) error {
		var pipeline, state string
		var n int64
		err := scan(&pipeline, &state, &n)
		gauge(jobsMetric, float64(n), pipeline, state)
		return err
	}); err != nil {
		fail(err)
		return
	}
	if err := each(ctx, s.db, `SELECT t.pipeline, s.deployment_name, min(s.observed_at), sum(CASE WHEN s.stale THEN 1 ELSE 0 END) FROM lakeql_slice s JOIN lakeql_table t ON t.name = s.table_name GROUP BY 1, 2`, nil, func(scan func(...any) error) error {
		var pipeline, workspace string
		var oldest moment
		var old int64
		err := scan(&pipeline, &workspace, &oldest, &old)
		if err == nil && !oldest.IsZero() {
			gauge(lagMetric, now.Sub(oldest.Time).Seconds(), pipeline, workspace)
		}
		gauge(stale, float64(old), pipeline, workspace)
		return err
	}); err != nil {
		fail(err)
		return
	}
	n := 0
	if err := each(ctx, s.db, "SELECT seen_at, lease FROM lakeql_worker", nil, func(scan func(...any) error) error {
		var seen moment
		var lease float64
		err := scan(&seen, &lease)
		if now.Sub(seen.Time).Seconds() <= lease {
			n++
		}
		return err
	}); err != nil {
		fail(err)
		return
	}
	gauge(workers, float64(n))
}
