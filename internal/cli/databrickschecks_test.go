//go:build unix

package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestDatabricksChecks runs the checks that init writes against the emulator's company, over both kinds of store.
// Some fail from the beginning. Then the workspace gets one thing that each of the others is about, and each of
// them fails for it.
func TestDatabricksChecks(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
			s, dir := open(t), t.TempDir()
			if got := pipelineCommand(t, env, "init", dir); got.status != 0 {
				t.Fatalf("%+v", got)
			}
			config := filepath.Join(dir, "pipeline.yaml")
			text, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			few := strings.Replace(strings.Replace(string(text), `most_admins: "5"`, `most_admins: "2"`, 1), "workspaces: all", "workspaces: [dbc-1]", 1)
			if err := os.WriteFile(config, []byte(few), 0o600); err != nil {
				t.Fatal(err)
			}
			// failing lists the checks that fail, with the message of the last row that does; all others must pass.
			failing := func() map[string]string {
				t.Helper()
				mustRun(t, env, dir, s)
				got := pipelineCommand(t, env, "test", dir, "--store", s.name, "--format", "json")
				var doc struct {
					Unknown, Errors int
					Checks          []struct {
						Name, State, Error string
						Rows               []struct{ Message string }
					}
				}
				if err := json.Unmarshal([]byte(got.stdout), &doc); err != nil {
					t.Fatalf("%v: %+v", err, got)
				}
				all := map[string]string{}
				for _, c := range doc.Checks {
					if c.State == "error" {
						t.Errorf("%s: %s", c.Name, c.Error)
					}
					if c.State == "fail" {
						var messages []string
						for _, row := range c.Rows {
							messages = append(messages, row.Message)
						}
						slices.Sort(messages)
						all[c.Name] = strings.Join(messages, "\n")
					}
				}
				if len(doc.Checks) != 18 || doc.Unknown+doc.Errors > 0 {
					t.Errorf("%d checks, %d unknown, %d in error", len(doc.Checks), doc.Unknown, doc.Errors)
				}
				return all
			}
			before := failing()
			for name, want := range map[string]string{
				"branches_without_end":     "the branch projects/p/branches/development in dbc-1 never expires",
				"ip_access_lists_off":      "dbc-1 can be reached from every address",
				"jobs_failed_twice":        "the job refresh-loyalty in dbc-1 failed twice: RUN_EXECUTION_ERROR, then RUN_EXECUTION_ERROR",
				"public_serving_endpoints": "the serving endpoint churn-risk in dbc-1 can be reached from every address",
				"tokens_about_to_end":      "the token \"notebook on ada's laptop\" of ada.okafor@harbor-finch.example in dbc-1 ends at ",
				"tokens_without_end":       `the token "dashboards" of mei.tanaka@harbor-finch.example in dbc-1 never expires`,
				"unencrypted_disks":        "the cluster ingest in dbc-1 does not encrypt its local disks",
			} {
				if !strings.Contains(before[name], want) {
					t.Errorf("%s fails for %q, want %q", name, before[name], want)
				}
			}
			mustExec(t, env, `
				INSERT INTO databricks_workspace.compute.clusters (deployment_name, cluster_name, spark_version, num_workers, autotermination_minutes) VALUES ('dbc-1', 'awake', '15.4.x-scala2.12', 1, 0);
				INSERT INTO databricks_workspace.sql.warehouses (deployment_name, name, cluster_size, auto_stop_mins, max_num_clusters) VALUES ('dbc-1', 'awake', 'Small', 0, 1);
				UPDATE databricks_workspace.catalog.grants SET changes = '[{"principal": "account users", "add": ["SELECT"]}]' WHERE deployment_name = 'dbc-1' AND securable_type = 'catalog' AND full_name = 'main';
				UPDATE databricks_workspace.postgres.postgres_endpoints SET "spec.no_suspension" = true WHERE deployment_name = 'dbc-1' AND name = 'projects/orders/branches/production/endpoints/primary';
				INSERT INTO databricks_workspace.sharing.recipients (deployment_name, name, authentication_type) VALUES ('dbc-1', 'partner', 'TOKEN');
				UPDATE databricks_workspace.sharing.share_permissions SET changes = '[{"principal": "partner", "add": ["SELECT"]}]'
					WHERE deployment_name = 'dbc-1' AND name = (SELECT name FROM databricks_workspace.sharing.shares WHERE deployment_name = 'dbc-1' LIMIT 1);
				UPDATE databricks_workspace.settings.ip_access_lists SET enabled = false
					WHERE deployment_name = 'dbc-1' AND ip_access_list_id IN (SELECT list_id FROM databricks_workspace.settings.ip_access_lists WHERE deployment_name = 'dbc-1');
				UPDATE databricks_workspace.iam.groups SET Operations = '[{"op": "add", "path": "members", "value": [{"value": "7104220950318004"}]}]'
					WHERE deployment_name = 'dbc-1' AND id = '7104220950400001'`)
			after := failing()
			for name, want := range map[string]string{
				"admins_added":                 "Ines Duarte became an admin of dbc-1 at ",
				"clusters_that_never_stop":     "the cluster awake of ada.okafor@harbor-finch.example in dbc-1 has no auto-termination",
				"endpoints_that_never_sleep":   "the endpoint projects/orders/branches/production/endpoints/primary in dbc-1 never suspends",
				"grants_to_account_users":      "every user of the account has SELECT on the catalog main (dbc-1)",
				"ip_access_lists_missing":      "dbc-1 has no enabled list of allowed addresses",
				"many_admins":                  "dbc-1 has 3 admins",
				"recipient_tokens_without_end": "the recipient partner in dbc-1 has tokens that never expire: 1",
				"recipients_from_everywhere":   "the recipient partner in dbc-1 may use its token from every address",
				"shares_by_token":              " in dbc-1 goes to partner by a token",
				"warehouses_that_never_stop":   "the warehouse awake in dbc-1 has no auto stop",
			} {
				if before[name] != "" && name != "ip_access_lists_missing" {
					t.Errorf("%s fails from the beginning: %q", name, before[name])
				}
				if !strings.Contains(after[name], want) {
					t.Errorf("%s fails for %q, want %q", name, after[name], want)
				}
			}
			if len(after) != 17 {
				t.Errorf("%d checks fail", len(after))
			}
		})
	}
}
