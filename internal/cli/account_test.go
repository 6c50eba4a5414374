package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
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
		"https://acme.databricks.com":              "https://acme.databricks.com/",
		"https://acme.cloud.databricks.com/?o=7":   "https://acme.cloud.databricks.com/",
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
			if !strings.HasPrefix(host, "https://") || strings.HasPrefix(host, "https://a") && !strings.HasPrefix(host, "https://adb-") {
				return // the credential is for this host
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
	custom := run{args: []string{"exec", statement + " @account_id = '1'"}, env: []string{"DATABRICKS_TOKEN=x", "DATABRICKS_HOST=https://my.example.com"}}.do(t)
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

// TestIDsInHost shows that the ids in the query of a host, as it stands in the address bar of a browser,
// say which workspace and account are called.
func TestIDsInHost(t *testing.T) {
	t.Parallel()
	const statements = "EXEC databricks_workspace.compute.clusters.list; " +
		"EXEC databricks_account.oauth2.custom_app_integration.custom_app_integration_list"
	for name, from := range map[string]func(host string) run{
		"environment": func(host string) run { return run{env: []string{"DATABRICKS_TOKEN=x", "DATABRICKS_HOST=" + host}} },
		"flag":        func(host string) run { return run{args: []string{"--host", host}, env: []string{"DATABRICKS_TOKEN=x"}} },
		"flag, before the environment": func(host string) run {
			return run{args: []string{"--host", host}, env: []string{"DATABRICKS_TOKEN=x", "DATABRICKS_WORKSPACE_ID=8", "DATABRICKS_ACCOUNT_ID=4-5"}}
		},
		"profile": func(host string) run {
			return run{args: []string{"--profile", "p"}, env: []string{"DATABRICKS_CONFIG_FILE=" + configured(t, "[p]\ntoken = x\nhost = "+host)}}
		},
		"default profile": func(host string) run {
			return run{env: []string{"DATABRICKS_CONFIG_FILE=" + configured(t, "[p]\ntoken = x\nhost = "+host+"\n[__settings__]\ndefault_profile = p")}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent []string
			server, _ := record(t, func(w http.ResponseWriter, r *http.Request, _ string) {
				sent = append(sent, r.URL.Path+" "+r.Header.Get("X-Databricks-Workspace-Id"))
				_, _ = io.WriteString(w, "{}")
			})
			r := from(server.URL + "/?o=7&a=1-2-3")
			r.args = append([]string{"exec", statements}, r.args...)
			got := r.do(t)
			want := "[/api/2.1/clusters/list 7 /api/2.0/accounts/1-2-3/oauth2/custom-app-integrations ]"
			if got.status != 0 || fmt.Sprint(sent) != want {
				t.Errorf("status %d, sent %q, want %s\n%s", got.status, sent, want, got.stderr)
			}
		})
	}
}

// TestGroup shows that a call takes the role of a group if its credential can, and is not sent otherwise.
func TestGroup(t *testing.T) {
	t.Parallel()
	const statement = "EXEC databricks_workspace.compute.clusters.list"
	server, env := record(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"token_endpoint": "http://`+r.Host+`/token", "access_token": "t", "token_type": "Bearer"}`)
	})
	refused := run{args: []string{"exec", statement}, env: append(env, "DATABRICKS_GROUP_ID=g-1")}.do(t)
	if refused.status != 4 || !strings.Contains(refused.stderr, "does not support group role assumption") ||
		!strings.Contains(refused.stderr, "or remove DATABRICKS_GROUP_ID") || len(server.sent()) > 0 {
		t.Errorf("a token: status %d, sent %q\n%s", refused.status, server.sent(), refused.stderr)
	}
	client := run{args: []string{"exec", statement}, env: []string{
		"DATABRICKS_HOST=" + server.URL, "DATABRICKS_CLIENT_ID=c", "DATABRICKS_CLIENT_SECRET=s", "DATABRICKS_GROUP_ID=g-1",
	}}.do(t)
	want := "POST /token assume_group=g-1&grant_type=client_credentials&scope=all-apis"
	if sent := server.sent(); client.status == 4 || len(sent) != 3 || sent[1] != want {
		t.Errorf("a client: status %d, sent %q, want %s\n%s", client.status, sent, want, client.stderr)
	}
}

// configured writes a configuration file and returns its path.
func configured(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
