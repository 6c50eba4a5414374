//go:build unix

package cli_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// TestMetrics compares a worker's metrics for Prometheus with its work.
func TestMetrics(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	s := c.database(t, "metrics")
	names := emulator.WorkspaceNames(5)
	server, env := workspace(t, emulator.Options{Workspaces: names})
	busy, forbidden := names[1], names[2]
	// Once it is turned away for so short that the query itself tries again, then for long.
	server.SetFaults(faults(t, "GET "+names[0]+"/*: 429 retry-after=1 x1", "GET "+busy+"/*: 429 retry-after=60", "GET "+forbidden+"/*: 403")...)
	install(t, env, s, company(t, listed(names)+never+"concurrency: 1\n"))
	worker := startWorker(t, env, s, "--metrics", "127.0.0.1:0")
	alive(t, s, worker)
	trigger(t, env, s, "company")
	eventually(t, "one workspace waits, and the others are through", func() bool {
		return mustCount(t, s, "lakeql_task WHERE state = 'done'") == 6 && mustCount(t, s, "lakeql_task WHERE state = 'failed'") == 2 &&
			mustCount(t, s, "lakeql_task WHERE wait_until IS NOT NULL") == 2 && len(ends(t, "waiting", worker))+len(ends(t, "failed", worker)) == 3
	})

	m := scrape(t, worker)
	m.holds(t, map[string]float64{
		`lakeql_pipeline_jobs{pipeline="company",state="done"}`:                          6,
		`lakeql_pipeline_jobs{pipeline="company",state="failed"}`:                        2,
		`lakeql_pipeline_jobs{pipeline="company",state="waiting"}`:                       2,
		`lakeql_pipeline_queries_total{pipeline="company",state="done"}`:                 6,
		`lakeql_pipeline_queries_total{pipeline="company",state="failed"}`:               2,
		`lakeql_pipeline_queries_total{pipeline="company",state="waiting"}`:              1,
		`lakeql_pipeline_throttled_total{pipeline="company"}`:                            2,
		`lakeql_pipeline_calls_total{pipeline="company"}`:                                float64(server.Counts().Total),
		`lakeql_pipeline_stale_tables{pipeline="company",workspace="` + forbidden + `"}`: 2,
		`lakeql_pipeline_stale_tables{pipeline="company",workspace="` + names[0] + `"}`:  0,
		`lakeql_pipeline_rows_total{pipeline="company"}`:                                 float64(mustCount(t, s, "projects") + mustCount(t, s, "clusters")),
		`lakeql_pipeline_changes_total{change="added",pipeline="company"}`:               float64(mustCount(t, s, "projects_history") + mustCount(t, s, "clusters_history")),
		`lakeql_pipeline_changes_total{change="removed",pipeline="company"}`:             0,
		`lakeql_pipeline_query_seconds_count{pipeline="company",table="projects"}`:       3,
		`lakeql_pipeline_workers`:                                                        1,
	})
	for _, name := range names {
		lag, told := m[`lakeql_pipeline_lag_seconds{pipeline="company",workspace="`+name+`"}`]
		if answered := name != busy && name != forbidden; told != answered || lag < 0 || lag > 60 {
			t.Errorf("the lag of %s is %v, told: %v", name, lag, told)
		}
	}

	testworld.Get(t, metricsOf(t, worker, "/livez"), http.StatusOK)
	testworld.Get(t, metricsOf(t, worker, "/readyz"), http.StatusOK)

	// The metrics about the store come from the store: no query is running after the end of the run.
	if stop := pipelineCommand(t, env, "stop", "company", "--store", s.name); stop.status != 0 {
		t.Fatalf("stop: status %d, stderr:\n%s", stop.status, stop.stderr)
	}
	m = scrape(t, worker)
	if n, told := m[`lakeql_pipeline_jobs{pipeline="company",state="waiting"}`]; told {
		t.Errorf("%v queries wait after the run was stopped", n)
	}

	// Runs by their outcome, the last success, and what left. Nobody waits out the 60 s.
	server.SetFaults()
	s.change(t, "UPDATE lakeql_workspace SET blocked_until = NULL")
	trigger(t, env, s, "company")
	ended := func(runs int64) {
		t.Helper()
		eventually(t, "the run is over", func() bool {
			return mustCount(t, s, "lakeql_run WHERE ended_at IS NOT NULL") == runs && scrape(t, worker)[`lakeql_pipeline_runs_total{pipeline="company",state="done"}`] == float64(runs-1)
		})
	}
	ended(2)
	install(t, env, s, folder(t, map[string]string{
		"pipeline.yaml": "name: company\n" + listed(names[:4]) + never,
		"projects.sql":  "-- table: projects\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_projects",
	}), "--adopt")
	trigger(t, env, s, "company")
	ended(3)
	m = scrape(t, worker)
	m.holds(t, map[string]float64{
		`lakeql_pipeline_runs_total{pipeline="company",state="done"}`:                   2,
		`lakeql_pipeline_runs_total{pipeline="company",state="failed"}`:                 0,
		`lakeql_pipeline_left_workspaces{pipeline="company"}`:                           1,
		`lakeql_pipeline_left_tables{pipeline="company"}`:                               1,
		`lakeql_pipeline_stale_tables{pipeline="company",workspace="` + names[0] + `"}`: 0,
	})
	if n, told := m[`lakeql_pipeline_stale_tables{pipeline="company",workspace="`+names[4]+`"}`]; told {
		t.Errorf("%v tables of a workspace that left are stale", n)
	}
	now := float64(time.Now().Unix())
	if at := m[`lakeql_pipeline_last_success_timestamp_seconds{pipeline="company"}`]; at > now+1 || at < now-60 || at != m[`lakeql_pipeline_last_run_timestamp_seconds{pipeline="company"}`] {
		t.Errorf("the last success was at %v", at)
	}
	if took := m[`lakeql_pipeline_last_run_seconds{pipeline="company"}`]; took <= 0 || took > 60 {
		t.Errorf("the last run took %v s", took)
	}
	text := testworld.Get(t, metricsOf(t, worker, "/metrics"), http.StatusOK)
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok && !strings.Contains(text, "# HELP "+strings.Fields(name)[0]+" ") {
			t.Errorf("no help for %s", name)
		}
	}
}

// TestMetricsOfChecks compares the metrics of checks with their states over some runs.
func TestMetricsOfChecks(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	hook, s := openWebhook(t), postgresStore(t, startCluster(t))
	dir := folder(t, map[string]string{
		"pipeline.yaml": "name: checked\nworkspaces: [dbc-1]\n" + never + "notify:\n  - webhook: " + hook.URL + "\n",
		"branches.sql":  "-- table: branches\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_branches WHERE project_id = 'p'",
	})
	addFile(t, dir, "checks/some.sql", "-- severity: critical\nSELECT name FROM branches")
	addFile(t, dir, "checks/none.sql", "-- severity: critical\nSELECT name FROM branches WHERE name IS NULL")
	addFile(t, dir, "checks/broken.sql", "-- severity: info\nSELECT name FROM rivers")
	install(t, env, s, dir)
	worker := startWorker(t, env, s, "--metrics", "127.0.0.1:0")
	alive(t, s, worker)
	if m := scrape(t, worker); m[`lakeql_pipeline_last_check_timestamp_seconds{pipeline="checked"}`] != 0 {
		t.Error("checks have run before the first run")
	}
	hook.turn(true)
	trigger(t, env, s, "checked")
	eventually(t, "the checks are done", func() bool {
		return mustCount(t, s, "lakeql_run WHERE ended_at IS NOT NULL") == 1 && mustCount(t, s, "lakeql_check_run") == 0 && mustCount(t, s, "lakeql_check") == 3
	})
	m := scrape(t, worker)
	m.holds(t, map[string]float64{
		`lakeql_pipeline_checks{pipeline="checked",severity="critical",state="fail"}`:      1,
		`lakeql_pipeline_checks{pipeline="checked",severity="critical",state="pass"}`:      1,
		`lakeql_pipeline_checks{pipeline="checked",severity="critical",state="error"}`:     0,
		`lakeql_pipeline_checks{pipeline="checked",severity="critical",state="unknown"}`:   0,
		`lakeql_pipeline_checks{pipeline="checked",severity="info",state="error"}`:         1,
		`lakeql_pipeline_unchecked_runs{pipeline="checked"}`:                               0,
		`lakeql_pipeline_undelivered_notifications{pipeline="checked",target="webhook-1"}`: 1,
	})
	if at, ended := m[`lakeql_pipeline_last_check_timestamp_seconds{pipeline="checked"}`], m[`lakeql_pipeline_last_run_timestamp_seconds{pipeline="checked"}`]; at < ended || at > ended+60 {
		t.Errorf("checks ran at %v, and the run ended at %v", at, ended)
	}
	s.change(t, "INSERT INTO lakeql_check_run (run_id, pipeline, hash, stage, worker) SELECT 7, 'other', hash, 'check', (SELECT id FROM lakeql_worker) FROM lakeql_run WHERE id = 1")
	scrape(t, worker).holds(t, map[string]float64{`lakeql_pipeline_unchecked_runs{pipeline="other"}`: 1})
	worker.stop(t)
}

// samples are the values that Prometheus reads, by name and labels.
type samples map[string]float64

func (m samples) holds(t *testing.T, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if got, ok := m[name]; !ok || got != value {
			t.Errorf("%s is %v, told: %v; want %v", name, got, ok, value)
		}
	}
}

// metricsOf is the address of a path beside a worker's metrics, which is in its log.
func metricsOf(t *testing.T, worker *machine, path string) string {
	t.Helper()
	for _, line := range worker.logged() {
		if _, after, ok := strings.Cut(line, "metrics are at "); ok {
			return strings.TrimSuffix(after, "/metrics") + path
		}
	}
	t.Fatalf("the worker tells no address:\n%s", strings.Join(worker.logged(), "\n"))
	return ""
}

// scrape reads a worker's metrics.
func scrape(t *testing.T, worker *machine) samples {
	t.Helper()
	body := testworld.Get(t, metricsOf(t, worker, "/metrics"), http.StatusOK)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
	all := samples{}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			switch family.GetType() {
			case dto.MetricType_COUNTER:
				all[name+labels(metric)] = metric.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				all[name+labels(metric)] = metric.GetGauge().GetValue()
			case dto.MetricType_HISTOGRAM:
				all[name+"_count"+labels(metric)] = float64(metric.GetHistogram().GetSampleCount())
			default:
				t.Errorf("%s is of the type %s", name, family.GetType())
			}
		}
	}
	return all
}

func labels(m *dto.Metric) string {
	var parts []string
	for _, l := range m.GetLabel() {
		parts = append(parts, l.GetName()+`="`+l.GetValue()+`"`)
	}
	if len(parts) == 0 {
		return ""
	}
	return "{" + strings.Join(parts, ",") + "}"
}
