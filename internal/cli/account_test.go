package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestAccountHosts shows where calls of the account's API go, and that a workspace's credential
// does not go with them.
func TestAccountHosts(t *testing.T) {
	t.Parallel()
	const statement = "EXEC databricks_account.provisioning.workspaces.workspaces_list"
	for host, want := range map[string]string{
		"":                                         "https://accounts.cloud.databricks.com/",
		"https://dbc-1.cloud.databricks.com":       "https://accounts.cloud.databricks.com/",
		"https://dbc-1.cloud.databricks.us":        "https://accounts.cloud.databricks.us/",
		"https://adb-1.2.azuredatabricks.net":      "https://accounts.azuredatabricks.net/",
		"https://adb-1.2.databricks.azure.us":      "https://accounts.databricks.azure.us/",
		"https://adb-1.2.databricks.azure.cn":      "https://accounts.databricks.azure.cn/",
		"https://1.2.gcp.databricks.com":           "https://accounts.gcp.databricks.com/",
		"https://accounts.azuredatabricks.net":     "https://accounts.azuredatabricks.net/",
		"https://accounts-dod.cloud.databricks.us": "https://accounts-dod.cloud.databricks.us/",
		"http://127.0.0.1:9":                       "http://127.0.0.1:9/",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			env := []string{"DATABRICKS_HOST=" + host, "DATABRICKS_TOKEN=x", "DATABRICKS_ACCOUNT_ID=1-2-3"}
			got := run{args: []string{"exec", "--dryrun", "-o", "jsonl", statement}, env: env}.do(t)
			if got.status != 0 || !strings.Contains(got.stdout, `"url":"`+want+`api/2.0/accounts/1-2-3/workspaces"`) {
				t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
			}
			if !strings.HasPrefix(host, "https://") || strings.HasPrefix(host, "https://accounts") {
				return
			}
			refused := run{args: []string{"exec", statement}, env: env}.do(t)
			if refused.status != 4 || !strings.Contains(refused.stderr, "is not sent to another host") {
				t.Errorf("status %d\n%s", refused.status, refused.stderr)
			}
		})
	}
	unnamed := run{args: []string{"exec", statement}, env: []string{"DATABRICKS_TOKEN=x"}}.do(t)
	if unnamed.status != 2 || !strings.Contains(unnamed.stderr, "missing required account_id") {
		t.Errorf("without an account: status %d\n%s", unnamed.status, unnamed.stderr)
	}
	custom := run{args: []string{"exec", statement}, env: []string{"DATABRICKS_TOKEN=x", "DATABRICKS_HOST=https://my.example.com", "DATABRICKS_ACCOUNT_ID=1"}}.do(t)
	if custom.status != 2 || !strings.Contains(custom.stderr, "the account's API is not at the configured host") {
		t.Errorf("at a host of another kind: status %d\n%s", custom.status, custom.stderr)
	}
}

// TestWorkspaceID shows that calls of a workspace carry the id that is configured, and that calls of
// the account do not.
func TestWorkspaceID(t *testing.T) {
	var ids []string
	_, env := record(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		ids = append(ids, r.Header.Get("X-Databricks-Workspace-Id"))
		_, _ = io.WriteString(w, "{}")
	})
	env = append(env, "DATABRICKS_WORKSPACE_ID=123", "DATABRICKS_ACCOUNT_ID=1-2-3")
	got := run{args: []string{
		"exec",
		"EXEC databricks_workspace.compute.clusters.list; " +
			"EXEC databricks_workspace.compute.clusters.list @deployment_name = 'dbc-1'; " +
			"EXEC databricks_account.oauth2.custom_app_integration.custom_app_integration_list",
	}, env: env}.do(t)
	if got.status != 0 || fmt.Sprint(ids) != "[123 123 ]" {
		t.Errorf("status %d, ids %q\n%s", got.status, ids, got.stderr)
	}
}
