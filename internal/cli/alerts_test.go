//go:build unix

package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// webhook is a server that notifications are posted to. While it is down, it answers with 503.
type webhook struct {
	*httptest.Server

	mu     sync.Mutex
	down   bool
	bodies []string
}

func openWebhook(t *testing.T) *webhook {
	t.Helper()
	w := &webhook{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.down {
			answer.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(answer, "no_service at "+r.URL.Path)
			return
		}
		w.bodies = append(w.bodies, string(body))
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *webhook) turn(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

// taken returns a line for each message since the last call: its checks with their rows, and its tables.
func (w *webhook) taken(t *testing.T) (all []string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, body := range w.bodies {
		type rows struct {
			Count int
			Rows  []struct{ Text string }
		}
		var m struct {
			Run    int
			Checks []struct {
				Name, State, Before     string
				Added, Changed, Removed rows
			}
			Tables []struct {
				Name                    string
				Added, Changed, Removed rows
			}
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		text := func(kinds ...rows) string {
			var all []string
			for i, kind := range kinds {
				for _, row := range kind.Rows {
					all = append(all, "+~-"[i:i+1]+row.Text)
				}
			}
			return strings.Join(all, " ")
		}
		line := fmt.Sprintf("run %d", m.Run)
		for _, c := range m.Checks {
			line += strings.TrimRight(fmt.Sprintf("; %s %s>%s %s", c.Name, c.Before, c.State, text(c.Added, c.Changed, c.Removed)), " ")
		}
		for _, table := range m.Tables {
			line += "; table " + table.Name + " " + text(table.Added, table.Changed, table.Removed)
		}
		all = append(all, line)
	}
	w.bodies = nil
	return all
}

// alerting is a pipeline about branches of two workspaces, with a check of each outcome and three targets.
func alerting(t *testing.T, url string) string {
	t.Helper()
	dir := folder(t, map[string]string{
		"pipeline.yaml": "name: alerting\nworkspaces: [dbc-1, dbc-2]\nattempts: 1\n" + `notify:
  - name: hook
    webhook: ` + url + `/{{ env "LAKEQL_NOTIFY_PATH" }}
    on: [checks, changes]
    tables: [branches]
  - file: alerts.jsonl
    severity: critical
  - command: [/bin/sh, -c, /bin/cat >> input]
    on: changes
    tables: [branches]
`,
		"branches.sql": "-- table: branches\n-- key: name\n-- types: protected boolean\nSELECT name, status ->> 'is_protected' AS protected FROM databricks_workspace.postgres.postgres_branches WHERE project_id = 'p'",
	})
	addFile(t, dir, "checks/protected.sql", "-- key: deployment_name, name\n-- message: {{ deployment_name }}/{{ name }}\n-- severity: critical\nSELECT deployment_name, replace(name, 'projects/p/branches/', '') AS name FROM branches WHERE protected")
	addFile(t, dir, "checks/few.sql", "-- expect: <= 6\n-- severity: warning\nSELECT count(*) AS n FROM branches")
	return dir
}

// TestAlerts plays runs of a pipeline with notifications, over both kinds of store: each change is told once,
// with the rows that it is about; a notification that cannot be delivered is said, kept, and delivered after the
// next run.
func TestAlerts(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
			hook, s := openWebhook(t), open(t)
			dir := alerting(t, hook.URL)
			env = append(slices.Clone(env), "LAKEQL_NOTIFY_PATH=services/T0/a-secret-path")
			run := func(status int, want string, args ...string) {
				t.Helper()
				got := pipelineCommand(t, env, append([]string{"run", "-q", "--store", s.name, dir}, args...)...)
				if strings.Contains(got.stderr+got.stdout, "a-secret-path") {
					t.Errorf("a secret is printed: %s", got.stderr)
				}
				if got.status != status || !strings.Contains(got.stderr, want) {
					t.Errorf("status %d, want %d and %q\n%s", got.status, status, want, got.stderr)
				}
			}
			told := func(want ...string) {
				t.Helper()
				if got := hook.taken(t); !slices.Equal(got, want) {
					t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			protect := func(workspace, branch, to string) {
				t.Helper()
				mustExec(t, env, fmt.Sprintf(`UPDATE databricks_workspace.postgres.postgres_branches SET "spec.is_protected" = %s WHERE deployment_name = '%s' AND name = 'projects/p/branches/%s'`, to, workspace, branch))
			}

			run(0, "note: 2 of 2 checks passed\n")
			told() // what passes from the beginning is no news, nor are the first rows of a table

			protect("dbc-1", "b", "true")
			run(0, "note: check protected (critical): fail: dbc-1/b\nnote: 1 of 2 checks passed\n")
			told(`run 2; protected pass>fail +dbc-1/b; table branches ~deployment_name = dbc-1, name = projects/p/branches/b, protected: false → true`)

			run(1, "error: 1 check failed: protected\n", "--fail-on", "critical")
			told() // once

			protect("dbc-2", "b", "true")
			hook.turn(true)
			run(1, "note: notification hook was not delivered, and is sent again after the next run: 127.0.0.1 answers with HTTP 400: no_service at ****\nerror: notifications were not delivered: hook\n")
			protect("dbc-1", "b", "false")
			run(1, "notifications were not delivered: hook")
			hook.turn(false)
			run(0, "")
			told(
				`run 4; protected fail>fail +dbc-2/b; table branches ~deployment_name = dbc-2, name = projects/p/branches/b, protected: false → true`,
				`run 5; protected fail>fail -dbc-1/b; table branches ~deployment_name = dbc-1, name = projects/p/branches/b, protected: true → false`,
			)

			// A workspace that refuses leaves the number unknown, and the failing row as it is.
			fault, err := emulator.ParseFault("* dbc-2/*: 403")
			if err != nil {
				t.Fatal(err)
			}
			server.SetFaults(fault)
			run(1, "note: check few (warning): unknown: branches: the rows of 1 of 2 workspaces are old or missing")
			told(`run 7; few pass>unknown`)
			server.SetFaults()
			protect("dbc-2", "b", "false")
			run(0, "note: 2 of 2 checks passed\n")
			told(`run 8; protected fail>pass -dbc-2/b; few unknown>pass; table branches ~deployment_name = dbc-2, name = projects/p/branches/b, protected: true → false`)

			// The others had their part, too.
			for file, lines := range map[string]int{"alerts.jsonl": 4, "input": 4} {
				data, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil || strings.Count(string(data), "\n") != lines {
					t.Errorf("%s: %v\n%s", file, err, data)
				}
			}
			status := pipelineCommand(t, env, "status", "--checks", "--store", s.name, "-o", "csv")
			if !strings.Contains(status.stdout, "alerting,protected,critical,pass,") || !strings.Contains(status.stdout, "alerting,few,warning,pass,") {
				t.Errorf("%+v", status)
			}
			if rows := s.ask(t, "SELECT check_name, state FROM pipeline_status_checks ORDER BY 1"); len(rows) != 2 || rows[0]["state"] != "pass" {
				t.Errorf("%v", rows)
			}

			// A check that is gone is forgotten.
			if err := os.RemoveAll(filepath.Join(dir, "checks")); err != nil {
				t.Fatal(err)
			}
			run(0, "")
			if rows := s.ask(t, "SELECT check_name FROM pipeline_status_checks"); len(rows) != 0 {
				t.Errorf("%v", rows)
			}
			told()
		})
	}
}

// TestAlertsOnce shows that the checks of a run are run once and told once, though several workers share its
// store; that a worker runs no command and writes no file of a store unless it is told to; and that the work of a
// worker that died is done by another one.
func TestAlertsOnce(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
	hook, s := openWebhook(t), postgresStore(t, startCluster(t))
	evil := filepath.Join(t.TempDir(), "evil")
	dir := folder(t, map[string]string{
		"pipeline.yaml": "name: shared\nworkspaces: [dbc-1, dbc-2]\n" + never + "notify:\n  - webhook: " + hook.URL + "\n  - command: [/bin/touch, " + evil + "]\n  - file: " + evil + "\n",
		"branches.sql":  "-- table: branches\n-- key: name\nSELECT name FROM databricks_workspace.postgres.postgres_branches WHERE project_id = 'p'",
	})
	addFile(t, dir, "checks/none.sql", "-- key: deployment_name, name\n-- message: {{ deployment_name }}\nSELECT deployment_name, name FROM branches WHERE name LIKE '%/production' ORDER BY 1")
	install(t, env, s, dir)
	workers := []*machine{startWorker(t, env, s), startWorker(t, env, s), startWorker(t, env, s)}
	alive(t, s, workers...)
	checked := func(run int64) {
		t.Helper()
		over(t, s, run)
		eventually(t, "the checks are done", func() bool { return mustCount(t, s, "lakeql_check_run") == 0 })
	}
	trigger(t, env, s, "shared")
	checked(1)
	trigger(t, env, s, "shared")
	checked(2)
	if got := hook.taken(t); !slices.Equal(got, []string{"run 1; none >fail +dbc-1 +dbc-2"}) {
		t.Errorf("told %q", got)
	}
	if _, err := os.Stat(evil); err == nil {
		t.Error("a worker has run a command of the store, or written a file")
	}
	if n := mustCount(t, s, "lakeql_notification WHERE error LIKE 'this worker sends no notifications by %'"); n != 2 {
		t.Errorf("%d notifications are kept", n)
	}

	s.change(t, "INSERT INTO lakeql_notification (pipeline, run_id, target, made_at, body) SELECT pipeline, 7, 'webhook-1', now(), replace(body, '\"run\":1', '\"run\":7') FROM lakeql_notification LIMIT 1")
	s.change(t, "INSERT INTO lakeql_check_run (run_id, pipeline, hash, stage, worker) SELECT 7, pipeline, hash, 'deliver', 'dead' FROM lakeql_run WHERE id = 2")
	eventually(t, "another worker does the work of a dead one", func() bool { return mustCount(t, s, "lakeql_check_run") == 0 })
	if got := hook.taken(t); !slices.Equal(got, []string{"run 7; none >fail +dbc-1 +dbc-2"}) {
		t.Errorf("told %q", got)
	}
	for _, w := range workers {
		w.stop(t)
	}
}
