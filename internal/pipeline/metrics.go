package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Metrics count the work of a worker, and describe the contents of its store, in the format of Prometheus:
//
//   - lakeql_pipeline_queries_total{pipeline, state}: queries that this worker made, by their end: done,
//     failed, or waiting to be made again;
//   - lakeql_pipeline_rows_total, _calls_total, _throttled_total{pipeline}: the rows of these queries, their
//     answered calls of the API, and the calls that were answered with 429;
//   - lakeql_pipeline_changes_total{pipeline, change}: changes of rows: added, changed, removed;
//   - lakeql_pipeline_query_seconds{pipeline, table}: the duration of queries, with the time to store rows;
//   - lakeql_pipeline_jobs{pipeline, state}: queries of unfinished runs;
//   - lakeql_pipeline_lag_seconds{pipeline, workspace}: the age of the oldest rows of a workspace;
//   - lakeql_pipeline_stale_tables{pipeline, workspace}: its tables whose last query failed;
//   - lakeql_pipeline_workers: workers that have renewed their lease in time.
type Metrics struct {
	store *Store

	mu      sync.Mutex
	counted map[string]int64      // counters, by name with labels
	seconds map[string]*histogram // lakeql_pipeline_query_seconds, by labels
}

// NewMetrics makes the metrics of a worker on a store.
func NewMetrics(s *Store) *Metrics {
	return &Metrics{store: s, counted: map[string]int64{}, seconds: map[string]*histogram{}}
}

// scrapeTime bounds how long reading the store takes.
const scrapeTime = 10 * time.Second

// ServeHTTP answers with all of them, or, where the store cannot be read, with an error and none.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTime)
	defer cancel()
	var b bytes.Buffer
	m.writeOwn(&b)
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
	return name + "{" + joined(labels) + "}"
}

// joined writes labels in the order of their names.
func joined(labels []string) string {
	var pairs []string
	for pair := range slices.Chunk(labels, 2) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", pair[0], pair[1]))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ",")
}

// histogram counts durations by how long they were.
type histogram struct {
	counts [11]int64 // of those within each bound, and not within the one before
	count  int64
	sum    float64
}

// bounds are the upper ones, in seconds, that Prometheus' own clients have unless told otherwise.
func (histogram) bounds() [11]float64 {
	return [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

func (h *histogram) add(seconds float64) {
	bounds := h.bounds()
	if i, _ := slices.BinarySearch(bounds[:], seconds); i < len(bounds) {
		h.counts[i]++
	}
	h.count++
	h.sum += seconds
}

// write writes the histogram, each bucket with those below it, as the format has it.
func (h *histogram) write(out *bytes.Buffer, name, labels string) {
	var within int64
	for i, bound := range h.bounds() {
		within += h.counts[i]
		fmt.Fprintf(out, "%s_bucket{%s,le=\"%v\"} %d\n", name, labels, bound, within)
	}
	fmt.Fprintf(out, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, labels, h.count)
	fmt.Fprintf(out, "%s_sum{%s} %v\n%s_count{%s} %d\n", name, labels, h.sum, name, labels, h.count)
}

// count adds to a counter.
func (m *Metrics) count(name string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counted[name] += n
}

// observe adds a duration to the histogram with these labels.
func (m *Metrics) observe(took time.Duration, labels ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := joined(labels)
	if m.seconds[key] == nil {
		m.seconds[key] = &histogram{}
	}
	m.seconds[key].add(took.Seconds())
}

// writeOwn writes the worker's own counts.
func (m *Metrics) writeOwn(out *bytes.Buffer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	family := ""
	for _, name := range slices.Sorted(maps.Keys(m.counted)) {
		if f, _, _ := strings.Cut(name, "{"); f != family {
			family = f
			fmt.Fprintf(out, "# TYPE %s counter\n", family)
		}
		fmt.Fprintf(out, "%s %d\n", name, m.counted[name])
	}
	if len(m.seconds) > 0 {
		fmt.Fprintf(out, "# TYPE %s histogram\n", metric("query_seconds"))
	}
	for _, labels := range slices.Sorted(maps.Keys(m.seconds)) {
		m.seconds[labels].write(out, metric("query_seconds"), labels)
	}
}

// observe counts a query.
func (w *Worker) observe(t *task, state taskState, c Changes, took time.Duration) {
	if w.Metrics == nil {
		return
	}
	name := t.def.Name
	count := func(what string, n int64, labels ...string) {
		w.Metrics.count(metric(what, append([]string{"pipeline", name}, labels...)...), n)
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
	w.Metrics.observe(took, "pipeline", name, "table", t.table.Name)
}

// writeMetrics writes the metrics about the contents of the store.
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
