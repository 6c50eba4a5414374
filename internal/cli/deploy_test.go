//go:build unix

package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// deployed reads a file of docs/deploy.
func deployed(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// judge runs a program that setup.sh installs. Tests skip one that is not there, except under CI=1.
func judge(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: internal/testworld/setup.sh installs it", name)
		}
		t.Skipf("%s is missing: internal/testworld/setup.sh installs it", name)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = filepath.Join("..", "..", "docs", "deploy")
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// strictly decodes the documents of a YAML file into values that have a field for each key in it.
func strictly[T any](t *testing.T, name string) (all []T) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(deployed(t, name)))
	decoder.KnownFields(true)
	for {
		var one T
		err := decoder.Decode(&one)
		if err == io.EOF { //nolint:errorlint // the decoder returns it as it is
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, one)
	}
}

// parses shows that the command has the subcommands and flags of a command line, and takes its arguments.
func parses(t *testing.T, place string, args []string) {
	t.Helper()
	got := run{args: append(slices.Clone(args), "--help")}.do(t)
	if got.status != 0 || len(args) == 0 {
		t.Errorf("%s: lakeql %v: status %d\n%s", place, args, got.status, got.stderr)
	}
}

// wordsOf splits a command line as a shell does, as far as these files need it.
func wordsOf(line string) (all []string) {
	for _, word := range regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`).FindAllString(line, -1) {
		all = append(all, strings.Trim(word, `"'`))
	}
	return all
}

// put replaces words of a command line.
func put(args []string, pairs ...string) (made []string) {
	for _, arg := range args {
		made = append(made, strings.NewReplacer(pairs...).Replace(arg))
	}
	return made
}

// TestDeployCommands parses each command line of lakeql in the files of docs/deploy, in their comments, too.
func TestDeployCommands(t *testing.T) {
	t.Parallel()
	seen := 0
	root := filepath.Join("..", "..", "docs", "deploy")
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text := strings.ReplaceAll(deployed(t, strings.TrimPrefix(path, root)), "\\\n#", " ")
		for _, found := range regexp.MustCompile(`(?m)(?:^[# ]*(?:\d\. )?|run: |ExecStart=/usr/bin/)lakeql ((?:worker|pipeline|exec) [^\n]*)`).FindAllStringSubmatch(text, -1) {
			line := found[1]
			if i := strings.IndexAny(line, "."); i > 0 && strings.HasPrefix(line[i:], ". ") {
				line = line[:i]
			}
			seen++
			parses(t, path, wordsOf(line))
		}
		return nil
	})
	if err != nil || seen < 8 {
		t.Errorf("%d command lines, %v", seen, err)
	}
}

// TestDeploySystemd has systemd judge the units, and runs their commands.
func TestDeploySystemd(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	dir := t.TempDir()
	store := filepath.Join(dir, "inventory.db")
	execs := map[string][]string{}
	var units []string
	for _, name := range []string{"lakeql-worker.service", "lakeql-inventory.service", "lakeql-inventory.timer"} {
		text := deployed(t, filepath.Join("systemd", name))
		if found := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/lakeql (.*)$`).FindStringSubmatch(text); found != nil {
			execs[name] = put(wordsOf(found[1]), "${LAKEQL_STORE}", store, "/var/lib/lakeql/inventory.db", store,
				"/etc/lakeql/inventory", company(t, listed([]string{"dbc-1"})), "127.0.0.1:9187", "127.0.0.1:0")
		}
		unit := filepath.Join(dir, name)
		text = strings.ReplaceAll(text, "/usr/bin/lakeql", os.Getenv("LAKEQL_UNDER_TEST")) // verify looks for it
		if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		units = append(units, unit)
	}

	got := run{args: execs["lakeql-inventory.service"], env: env}.do(t)
	if got.status != 0 || got.stdout != "" || !strings.Contains(got.stderr, `"msg":"query"`) {
		t.Errorf("the timer's run: %+v", got)
	}
	args := execs["lakeql-worker.service"]
	if args[0] != "worker" {
		t.Fatalf("the service runs %v", args)
	}
	worker := startWorker(t, env, storeAt(t, store), args[1:]...)
	awaitReady(t, worker)
	worker.stop(t)

	if out := judge(t, "", "systemd-analyze", append([]string{"verify", "--man=no"}, units...)...); out != "" {
		t.Errorf("systemd-analyze verify prints\n%s", out)
	}
	for _, unit := range units[:2] {
		judge(t, "", "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit)
	}
}

// storeAt is the SQLite store of a file.
func storeAt(t *testing.T, name string) store {
	t.Helper()
	s := sqliteStore(t)
	s.name = name
	return s
}

// awaitReady waits until a worker is ready, and asks its other probe.
func awaitReady(t *testing.T, worker *machine) {
	t.Helper()
	eventually(t, "the worker is ready", func() bool {
		if !slices.ContainsFunc(worker.logged(), func(line string) bool { return strings.Contains(line, "metrics are at ") }) {
			return false
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, metricsOf(t, worker, "/readyz"), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		defer func() { _ = response.Body.Close() }() // its status is enough
		return response.StatusCode == http.StatusOK
	})
	testworld.Get(t, metricsOf(t, worker, "/livez"), http.StatusOK)
}

// composeFile has the fields of compose.yaml.
type composeFile struct {
	Name     string                    `yaml:"name"`
	Lakeql   composeService            `yaml:"x-lakeql"`
	Services map[string]composeService `yaml:"services"`
	Volumes  map[string]any            `yaml:"volumes"`
}

type composeService struct {
	Image       string            `yaml:"image"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	User            string   `yaml:"user"`
	ReadOnly        bool     `yaml:"read_only"`
	Tmpfs           []string `yaml:"tmpfs"`
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	Volumes         []string `yaml:"volumes"`
	Ports           []string `yaml:"ports"`
	Expose          []string `yaml:"expose"`
	Profiles        []string `yaml:"profiles"`
	Restart         string   `yaml:"restart"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	Deploy          struct {
		Replicas int `yaml:"replicas"`
	} `yaml:"deploy"`
	Healthcheck struct {
		Test     []string `yaml:"test"`
		Interval string   `yaml:"interval"`
		Timeout  string   `yaml:"timeout"`
		Retries  int      `yaml:"retries"`
	} `yaml:"healthcheck"`
}

// TestDeployCompose runs the commands of the compose file over a PostgreSQL server: the schedule is installed, a worker
// runs it, and its metrics are those of the alerts and the dashboard.
func TestDeployCompose(t *testing.T) {
	t.Parallel()
	file := strictly[composeFile](t, "compose/compose.yaml")[0]
	for name, s := range file.Services {
		for on := range s.DependsOn {
			if _, known := file.Services[on]; !known {
				t.Errorf("%s depends on %s, which is not there", name, on)
			}
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s opens %s to other machines", name, port)
			}
		}
		if s.Command != nil && (!s.ReadOnly || s.User != "65532:65532" || !slices.Equal(s.CapDrop, []string{"ALL"})) {
			t.Errorf("%s may more than it needs: %+v", name, s)
		}
	}
	example := deployed(t, "compose/environment.example")
	for _, variable := range regexp.MustCompile(`\$\{([A-Z_]+)`).FindAllStringSubmatch(deployed(t, "compose/compose.yaml"), -1) {
		if !strings.Contains(example, "\n"+variable[1]+"=") {
			t.Errorf("environment.example lacks %s", variable[1])
		}
	}

	c := startCluster(t)
	s := c.database(t, "inventory")
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	pairs := []string{"postgres://inventory@postgres/inventory?sslmode=disable", s.name, "/inventory", company(t, listed([]string{"dbc-1"})+never), ":9187", "127.0.0.1:0"}
	installed := run{args: put(file.Services["schedule"].Command, pairs...), env: env}.do(t)
	if installed.status != 0 || !strings.Contains(installed.stderr, "worker") {
		t.Fatalf("schedule: %+v", installed)
	}
	args := put(file.Services["worker"].Command, pairs...)
	worker := startWorker(t, env, s, args[1:]...)
	alive(t, s, worker)
	trigger(t, env, s, "company")
	eventually(t, "the run is done", func() bool { return mustCount(t, s, "lakeql_run WHERE state = 'done'") == 1 })
	text := testworld.Get(t, metricsOf(t, worker, "/metrics"), http.StatusOK)

	known := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^(?:# TYPE )?(lakeql_pipeline_\w+)`).FindAllStringSubmatch(text, -1) {
		known[found[1]] = true
	}
	for _, name := range []string{"monitoring/alerts.yaml", "monitoring/alerts_test.yaml", "monitoring/dashboard.json"} {
		used := regexp.MustCompile(`lakeql_pipeline_\w+`).FindAllString(deployed(t, name), -1)
		if len(used) < 4 {
			t.Errorf("%s uses %v", name, used)
		}
		for _, metric := range used {
			if !known[metric] {
				t.Errorf("%s uses %s, which the worker does not have:\n%s", name, metric, text)
			}
		}
	}
	if out := judge(t, text, "promtool", "check", "metrics"); out != "" {
		t.Errorf("promtool check metrics prints\n%s", out)
	}
}

// TestDeployAlerts has Prometheus judge the alert rules and play their test, and reads the dashboard.
func TestDeployAlerts(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		Panels []struct {
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal([]byte(deployed(t, "monitoring/dashboard.json")), &dashboard); err != nil || len(dashboard.Panels) < 8 {
		t.Fatalf("%d panels, %v", len(dashboard.Panels), err)
	}
	var rules bytes.Buffer
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	taken := map[string]string{}
	for i, p := range dashboard.Panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			place := fmt.Sprint(x, p.GridPos.Y)
			if x >= 24 || taken[place] != "" {
				t.Errorf("%s is where %s is", p.Title, taken[place])
			}
			taken[place] = p.Title
		}
		for j, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", `"$pipeline"`, `".*"`).Replace(target.Expr)
			fmt.Fprintf(&rules, "  - {record: 'panel_%d_%d', expr: '%s'}\n", i, j, expr)
		}
	}
	path := filepath.Join(t.TempDir(), "dashboard.yaml")
	if err := os.WriteFile(path, rules.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	judge(t, "", "promtool", "check", "rules", path)
	judge(t, "", "promtool", "check", "rules", "monitoring/alerts.yaml")
	judge(t, "", "promtool", "test", "rules", "monitoring/alerts_test.yaml")
}

// TestDeployBundle runs the command of the job as the job does.
func TestDeployBundle(t *testing.T) {
	t.Parallel()
	type bundle struct {
		Bundle    struct{ Name string }
		Variables map[string]struct{ Description, Default string }
		Sync      struct{ Include []string }
		Resources struct {
			Projects map[string]struct {
				ID      string `yaml:"project_id"`
				Display string `yaml:"display_name"`
				Version int    `yaml:"pg_version"`
			} `yaml:"postgres_projects"`
			Roles map[string]struct {
				Parent   string
				ID       string `yaml:"role_id"`
				Role     string `yaml:"postgres_role"`
				Identity string `yaml:"identity_type"`
			} `yaml:"postgres_roles"`
			Jobs map[string]struct {
				Name, Description string
				RunAs             struct {
					Name string `yaml:"service_principal_name"`
				} `yaml:"run_as"`
				Continuous struct {
					Pause string `yaml:"pause_status"`
				}
				Tasks []struct {
					Key     string `yaml:"task_key"`
					Cluster string `yaml:"job_cluster_key"`
					Python  struct {
						File       string `yaml:"python_file"`
						Parameters []string
					} `yaml:"spark_python_task"`
				}
				Clusters []struct {
					Key string `yaml:"job_cluster_key"`
					New struct {
						Version  string            `yaml:"spark_version"`
						Node     string            `yaml:"node_type_id"`
						Workers  int               `yaml:"num_workers"`
						Single   bool              `yaml:"is_single_node"`
						Kind     string            `yaml:"kind"`
						Security string            `yaml:"data_security_mode"`
						Env      map[string]string `yaml:"spark_env_vars"`
					} `yaml:"new_cluster"`
				} `yaml:"job_clusters"`
			}
		}
		Targets map[string]struct {
			Mode      string
			Default   bool
			Workspace struct {
				Root string `yaml:"root_path"`
			}
		}
	}
	b := strictly[bundle](t, "databricks/databricks.yml")[0]
	for _, found := range regexp.MustCompile(`\$\{var\.(\w+)\}`).FindAllStringSubmatch(deployed(t, "databricks/databricks.yml"), -1) {
		if _, declared := b.Variables[found[1]]; !declared {
			t.Errorf("the bundle has no variable %s", found[1])
		}
	}
	task := b.Resources.Jobs["worker"].Tasks[0]
	parses(t, "databricks.yml", task.Python.Parameters[1:])
	for _, secret := range []string{"DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"} {
		if value := b.Resources.Jobs["worker"].Clusters[0].New.Env[secret]; !strings.HasPrefix(value, "{{secrets/") {
			t.Errorf("%s is %q", secret, value)
		}
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is missing: internal/testworld/setup.sh installs it")
	}
	script := filepath.Join("..", "..", "docs", "deploy", "databricks", task.Python.File)
	if out, err := exec.CommandContext(t.Context(), python, script, os.Getenv("LAKEQL_UNDER_TEST"), "version").CombinedOutput(); err != nil || !strings.Contains(string(out), testworld.CommandVersion) {
		t.Errorf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), python, script, os.Getenv("LAKEQL_UNDER_TEST"), "no-such-command")
	if out, err := cmd.CombinedOutput(); err == nil || cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDeployWorkflow reads the workflow of GitHub.
func TestDeployWorkflow(t *testing.T) {
	t.Parallel()
	type workflow struct {
		Name string
		On   struct {
			PullRequest struct{ Paths []string } `yaml:"pull_request"`
			Schedule    []struct{ Cron string }  `yaml:"schedule"`
			Dispatch    map[string]any           `yaml:"workflow_dispatch"`
		}
		Permissions map[string]string
		Concurrency struct {
			Group  string
			Cancel bool `yaml:"cancel-in-progress"`
		}
		Jobs map[string]struct {
			If          string
			RunsOn      string `yaml:"runs-on"`
			Timeout     int    `yaml:"timeout-minutes"`
			Permissions map[string]string
			Env         map[string]string
			Steps       []struct {
				Name, Uses, If, Run string
				Env                 map[string]string
				With                map[string]string
			}
		}
	}
	w := strictly[workflow](t, "github/inventory.yml")[0]
	if w.Permissions["contents"] != "read" || len(w.Permissions) != 1 || w.Jobs["run"].Permissions["id-token"] != "write" || w.Jobs["check"].Permissions != nil {
		t.Errorf("permissions: %v, %+v", w.Permissions, w.Jobs)
	}
	for name, job := range w.Jobs {
		for _, step := range job.Steps {
			if (step.Uses == "") == (step.Run == "") {
				t.Errorf("%s: a step of %s has either uses or run", step.Name, name)
			}
			if strings.Contains(step.Run, "${{") {
				t.Errorf("%s: an expression in a script runs what it says", step.Name)
			}
		}
	}
}
