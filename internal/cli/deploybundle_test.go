//go:build unix

package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestDeployBundleResources has the documents of the API judge the resources of the bundle: each becomes the body of
// the call that the databricks command makes of it. The documents come from the official SDK, as its schema of bundles
// does. Then a mistake is put into each kind of resource.
func TestDeployBundleResources(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	text := deployed(t, "databricks/databricks.yml")
	if err := bundleError(t, env, text); err != "" {
		t.Error(err)
	}
	for right, mistake := range map[string]struct{ wrong, says string }{
		"pause_status: UNPAUSED":           {"pause_status: ON", `continuous.pause_status: "ON" is not one of PAUSED, UNPAUSED`},
		"python_file: src":                 {"file: src", "tasks[0].spark_python_task.file: unknown attribute"},
		"num_workers: 0":                   {"num_workers: none", "job_clusters[0].new_cluster.num_workers: "},
		"spark_env_vars:":                  {"spark_env:", "job_clusters[0].new_cluster.spark_env: unknown attribute"},
		"service_principal_name:":          {"service_principal:", "run_as.service_principal: unknown attribute"},
		"kind: CLASSIC_PREVIEW":            {"kind: CLASSIC", `new_cluster.kind: "CLASSIC" is not one of`},
		"pg_version: 17":                   {"version: 17", "spec.version: unknown attribute"},
		"identity_type: SERVICE_PRINCIPAL": {"identity_type: ROBOT", `spec.identity_type: "ROBOT" is not one of`},
	} {
		if !strings.Contains(text, right) {
			t.Errorf("the bundle does not have %q", right)
		}
		if err := bundleError(t, env, strings.Replace(text, right, mistake.wrong, 1)); !strings.Contains(err, mistake.says) {
			t.Errorf("%s: the judge says %q, want %q", mistake.wrong, err, mistake.says)
		}
	}
}

// bundleError is what the API's documents say about the resources of a bundle; empty: they are right.
func bundleError(t *testing.T, env []string, text string) string {
	t.Helper()
	text = strings.NewReplacer("${var.project_id}", "lakeql-inventory", "${resources.postgres_projects.store.project_id}", "lakeql-inventory").Replace(text)
	var b struct {
		Resources map[string]map[string]map[string]any
	}
	if err := yaml.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	statements := ""
	for kind, all := range b.Resources {
		for _, r := range all {
			method, parameters, body := "", "", map[string]any(r)
			switch kind {
			case "jobs":
				method = "databricks_workspace.jobs.jobs.create"
			case "postgres_projects":
				method, parameters, body = "databricks_workspace.postgres.postgres_projects.create", taken(r, "project_id"), map[string]any{"spec": r}
			case "postgres_roles":
				method, parameters, body = "databricks_workspace.postgres.postgres_roles.create", taken(r, "parent", "role_id"), map[string]any{"spec": r}
			default:
				return kind + " has no method here"
			}
			data, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			statements += fmt.Sprintf("EXEC %s @deployment_name = 'dbc-1'%s, @@json = '%s';\n", method, parameters, strings.ReplaceAll(string(data), "'", "''"))
		}
	}
	if strings.Count(statements, "EXEC ") < 3 {
		return "the bundle has these resources only:\n" + statements
	}
	got := run{args: []string{"exec", "--dryrun", statements}, env: env}.do(t)
	if got.status != 0 {
		return got.stderr
	}
	return ""
}

// taken removes keys of a resource, and writes them as parameters.
func taken(r map[string]any, names ...string) (parameters string) {
	for _, name := range names {
		parameters += fmt.Sprintf(", @%s = '%v'", name, r[name])
		delete(r, name)
	}
	return parameters
}
