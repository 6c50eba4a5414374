package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
)

// Metrics count the work of a worker, and describe the contents of its store, in the format of Prometheus. Their
// names begin with lakeql_pipeline_; see families.
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

// family is a metric with all its labels.
type family struct{ name, kind, help string }

// families are all metrics: first those of the worker, which count since it began; then those that are read from
// the store, which are the same whichever of its workers tells them.
func families() []family {
	return []family{
		{"queries_total", "counter", "Queries that this worker made, by their end: done, failed, or waiting to be made again."},
		{"rows_total", "counter", "Rows of the queries that this worker made."},
		{"calls_total", "counter", "API calls of this worker that were answered."},
		{"throttled_total", "counter", "API calls of this worker that were answered with status 429."},
		{"changes_total", "counter", "Changes of rows that this worker stored: added, changed, removed."},
		{"runs_total", "counter", "Runs that ended while this worker looked after them, by their outcome: done or failed."},
		{"query_seconds", "histogram", "Duration of the queries of this worker, with the time to store their rows."},
		{"jobs", "gauge", "Queries of unfinished runs, by their state."},
		{"lag_seconds", "gauge", "Age of the oldest rows of a workspace that the pipeline queries."},
		{"stale_tables", "gauge", "Tables of a workspace whose last query failed or was not answered. Those that left do not count."},
		{"left_workspaces", "gauge", "Workspaces with rows in the store that the pipeline does not query any more."},
		{"left_tables", "gauge", "Tables in the store that the pipeline has no query for any more."},
		{"last_run_timestamp_seconds", "gauge", "End of the last run, in seconds since 1970."},
		{"last_run_seconds", "gauge", "Duration of the last run that ended."},
		{"last_success_timestamp_seconds", "gauge", "End of the last run whose queries were all answered, in seconds since 1970."},
		{"checks", "gauge", "Checks by their severity and their state after the last run: pass, fail, unknown, or error."},
		{"last_check_timestamp_seconds", "gauge", "Time when checks ran last, in seconds since 1970."},
		{"unchecked_runs", "gauge", "Runs that ended, and whose checks have not run, or whose notifications are being sent."},
		{"undelivered_notifications", "gauge", "Notifications that were not delivered yet, by their target."},
		{"workers", "gauge", "Workers of the store that have renewed their lease in time."},
	}
}

// writeHead writes the description of a family.
func writeHead(out *bytes.Buffer, name string) {
	for _, f := range families() {
		if full := metric(f.name); full == name {
			fmt.Fprintf(out, "# HELP %s %s\n# TYPE %[1]s %[3]s\n", full, f.help, f.kind)
		}
	}
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

// metric names a metric with its labels, each with its value behind it. Values are names of pipelines, tables,
// workspaces and targets, and none has a character that would have to be escaped otherwise than Go does.
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
			writeHead(out, family)
		}
		fmt.Fprintf(out, "%s %d\n", name, m.counted[name])
	}
	if len(m.seconds) > 0 {
		writeHead(out, metric("query_seconds"))
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

// countRun counts a run that has ended.
func (w *Worker) countRun(pipeline string, state RunState) {
	if w.Metrics == nil {
		return
	}
	for _, outcome := range []RunState{Done, Failed} { // both, so that the first failure is an increase
		var n int64
		if state == outcome {
			n = 1
		}
		w.Metrics.count(metric("runs_total", "pipeline", pipeline, "state", string(outcome)), n)
	}
}

// gauges collects values of the store's metrics, by their family.
type gauges map[string][]string

func (g gauges) set(value float64, name string, labels ...string) {
	g[name] = append(g[name], metric(name, labels...)+" "+strconv.FormatFloat(value, 'f', -1, 64))
}

// writeMetrics writes the metrics about the contents of the store.
func (s *Store) writeMetrics(ctx context.Context, out *bytes.Buffer) error {
	now, err := s.now(ctx, s.db)
	if err != nil {
		return err
	}
	g := gauges{}
	for _, read := range []func(context.Context, gauges, time.Time) error{s.readJobs, s.readAges, s.readLeft, s.readRuns, s.readChecks, s.readNotifications, s.readWorkers} {
		if err := read(ctx, g, now); err != nil {
			return err
		}
	}
	for _, f := range families() {
		if f.kind != "gauge" {
			continue
		}
		writeHead(out, metric(f.name))
		for _, line := range g[f.name] {
			fmt.Fprintln(out, line)
		}
	}
	return nil
}

func (s *Store) readJobs(ctx context.Context, g gauges, _ time.Time) error {
	return each(ctx, s.db, "SELECT r.pipeline, t.state, count(*) FROM lakeql_task t JOIN lakeql_run r ON r.id = t.run_id WHERE r.ended_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2", nil, func(scan func(...any) error) error {
		var pipeline, state string
		var n int64
		err := scan(&pipeline, &state, &n)
		g.set(float64(n), "jobs", "pipeline", pipeline, "state", state)
		return err
	})
}

func (s *Store) readAges(ctx context.Context, g gauges, now time.Time) error {
	return each(ctx, s.db, `SELECT t.pipeline, s.deployment_name, min(s.observed_at), sum(CASE WHEN s.stale THEN 1 ELSE 0 END)
		FROM lakeql_slice s JOIN lakeql_table t ON t.name = s.table_name WHERE s.asked GROUP BY 1, 2 ORDER BY 1, 2`, nil, func(scan func(...any) error) error {
		var pipeline, workspace string
		var oldest moment
		var stale int64
		err := scan(&pipeline, &workspace, &oldest, &stale)
		if err == nil && !oldest.IsZero() {
			g.set(now.Sub(oldest.Time).Seconds(), "lag_seconds", "pipeline", pipeline, "workspace", workspace)
		}
		g.set(float64(stale), "stale_tables", "pipeline", pipeline, "workspace", workspace)
		return err
	})
}

// readLeft counts the workspaces, and the tables, of which no query asks any more.
func (s *Store) readLeft(ctx context.Context, g gauges, _ time.Time) error {
	for column, name := range map[string]string{"deployment_name": "left_workspaces", "table_name": "left_tables"} {
		if err := each(ctx, s.db, `SELECT pipeline, count(*) FILTER (WHERE asked = 0) FROM (SELECT t.pipeline, s.`+column+`, sum(CASE WHEN s.asked THEN 1 ELSE 0 END) AS asked
			FROM lakeql_slice s JOIN lakeql_table t ON t.name = s.table_name GROUP BY 1, 2) slices GROUP BY 1 ORDER BY 1`, nil, func(scan func(...any) error) error {
			var pipeline string
			var n int64
			err := scan(&pipeline, &n)
			g.set(float64(n), name, "pipeline", pipeline)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// readRuns reads when each pipeline last ran, and last succeeded.
func (s *Store) readRuns(ctx context.Context, g gauges, _ time.Time) error {
	const last = "WHERE id IN (SELECT max(id) FROM lakeql_run WHERE ended_at IS NOT NULL %sGROUP BY pipeline) ORDER BY pipeline"
	ended, err := s.runs(ctx, s.db, fmt.Sprintf(last, ""))
	if err != nil {
		return err
	}
	succeeded, err := s.runs(ctx, s.db, fmt.Sprintf(last, "AND state = 'done' "))
	if err != nil {
		return err
	}
	for _, r := range ended {
		g.set(unix(r.Ended), "last_run_timestamp_seconds", "pipeline", r.Pipeline)
		g.set(r.Ended.Sub(r.Begun).Seconds(), "last_run_seconds", "pipeline", r.Pipeline)
	}
	for _, r := range succeeded {
		g.set(unix(r.Ended), "last_success_timestamp_seconds", "pipeline", r.Pipeline)
	}
	return nil
}

// unix is a time in seconds since 1970.
func unix(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

// readChecks counts the checks of each pipeline. Each severity that has checks has all states, so that a check
// that fails first is an increase.
func (s *Store) readChecks(ctx context.Context, g gauges, _ time.Time) error {
	type group struct{ pipeline, severity string }
	counts := map[group]map[string]int64{}
	last := map[string]time.Time{}
	err := each(ctx, s.db, "SELECT pipeline, severity, state, count(*), max(checked_at) FROM lakeql_check GROUP BY 1, 2, 3", nil, func(scan func(...any) error) error {
		var of group
		var state string
		var n int64
		var at moment
		err := scan(&of.pipeline, &of.severity, &state, &n, &at)
		if counts[of] == nil {
			counts[of] = map[string]int64{}
		}
		counts[of][state] = n
		if at.After(last[of.pipeline]) {
			last[of.pipeline] = at.Time
		}
		return err
	})
	byName := func(a, b group) int {
		return cmp.Or(cmp.Compare(a.pipeline, b.pipeline), cmp.Compare(a.severity, b.severity))
	}
	for _, of := range slices.SortedFunc(maps.Keys(counts), byName) {
		for _, state := range []checks.Outcome{checks.Pass, checks.Fail, checks.Unknown, checks.Broken} {
			g.set(float64(counts[of][string(state)]), "checks", "pipeline", of.pipeline, "severity", of.severity, "state", string(state))
		}
	}
	for _, pipeline := range slices.Sorted(maps.Keys(last)) {
		g.set(unix(last[pipeline]), "last_check_timestamp_seconds", "pipeline", pipeline)
	}
	return err
}

// readNotifications counts what is still to be done about runs that ended.
func (s *Store) readNotifications(ctx context.Context, g gauges, _ time.Time) error {
	if err := each(ctx, s.db, `SELECT p.pipeline, count(r.run_id) FROM (SELECT pipeline FROM lakeql_check UNION SELECT pipeline FROM lakeql_check_run) p
		LEFT JOIN lakeql_check_run r ON r.pipeline = p.pipeline GROUP BY 1 ORDER BY 1`, nil, func(scan func(...any) error) error {
		var pipeline string
		var n int64
		err := scan(&pipeline, &n)
		g.set(float64(n), "unchecked_runs", "pipeline", pipeline)
		return err
	}); err != nil {
		return err
	}
	return each(ctx, s.db, "SELECT pipeline, target, count(*) FROM lakeql_notification GROUP BY 1, 2 ORDER BY 1, 2", nil, func(scan func(...any) error) error {
		var pipeline, target string
		var n int64
		err := scan(&pipeline, &target, &n)
		g.set(float64(n), "undelivered_notifications", "pipeline", pipeline, "target", target)
		return err
	})
}

func (s *Store) readWorkers(ctx context.Context, g gauges, now time.Time) error {
	living, err := s.living(ctx, s.db, now)
	g.set(float64(len(living)), "workers")
	return err
}
