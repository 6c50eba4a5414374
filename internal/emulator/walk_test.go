package emulator_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/provider"
)

// unlisted are operations on resources that are in no list and that no test has made.
var unlisted = []string{
	"databricks_workspace.compute.command_execution.command_status",
	"databricks_workspace.compute.execution_contexts.get",
	"databricks_workspace.apps.app_space_operations.get",
	"databricks_workspace.ml.experiment_runs.get",
	"databricks_workspace.postgres.postgres_data_apis.get",
	"databricks_workspace.sql.statement_execution.get_result_chunk",
}

// TestEveryReadAnswersByItsDocuments calls each operation that only reads.
func TestEveryReadAnswersByItsDocuments(t *testing.T) {
	c := newCaller(t, emulator.Options{})
	for _, m := range c.methods {
		if m.Verb != http.MethodGet {
			continue
		}
		status, text := c.call(m, c.target(m, nil), "")
		if status == http.StatusNotFound && strings.Contains(c.target(m, nil), "missing-") || slices.Contains(unlisted, m.FullName()) {
			continue // nothing lists such; TestEveryOperation makes one
		}
		if status != http.StatusOK {
			t.Errorf("%s %s: %d %s", m.FullName(), c.target(m, nil), status, messageOf(text))
		}
	}
}

func messageOf(body string) string {
	var e apiError
	if json.Unmarshal([]byte(body), &e) != nil {
		return body
	}
	return e.Message
}

// TestEveryOperationIsAnswered calls each documented operation, and has its answer judged.
func TestEveryOperationIsAnswered(t *testing.T) {
	c := newCaller(t, emulator.Options{})
	order := slices.Clone(c.methods)
	rank := func(m *provider.Method) int {
		switch {
		case strings.HasSuffix(m.Path, "/undelete"):
			return 3002 - strings.Count(m.Path, "/") // after its deletion, and before that of what it is in
		case strings.HasSuffix(m.Path, "/delete-tag"):
			return 2500
		case m.Verb == http.MethodDelete, strings.HasSuffix(m.Path, "/delete"), strings.HasSuffix(m.Path, "/remove"), strings.HasSuffix(m.Path, "destroy"), strings.Contains(m.Path, "permanent-delete"):
			return 3000 - strings.Count(m.Path, "/")
		case m.SQLVerb == provider.Insert, strings.HasSuffix(m.Path, "/execute"), strings.HasSuffix(m.Path, "/downloads"), m.Verb == http.MethodPost && strings.HasSuffix(m.Path, "/updates"):
			return strings.Count(m.Path, "/") + 10*strings.Count(m.Path, "contexts")*-1
		case m.Verb == http.MethodGet:
			return 1000
		default:
			return 2000
		}
	}
	slices.SortStableFunc(order, func(a, b *provider.Method) int { return rank(a) - rank(b) })
	doomed, doomedBranch := "", ""
	for _, m := range order {
		body := c.body(m)
		raw := ""
		if body != nil {
			encoded, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			raw = string(encoded)
		} else if m.Body != nil {
			raw = "data"
		}
		target := c.target(m, body)
		switch m.FullName() { // what the rules beyond the documents need
		case "databricks_workspace.postgres.postgres_roles.delete":
			target = strings.Replace(target, "/roles/ada-okafor", "/roles/bruno-keller", 1)
		case "databricks_workspace.postgres.postgres_projects.delete":
			doomed = target
		case "databricks_workspace.postgres.postgres_projects.undelete":
			target = doomed + "/undelete"
		case "databricks_workspace.postgres.postgres_branches.delete":
			doomedBranch = target
		case "databricks_workspace.postgres.postgres_branches.undelete":
			target = doomedBranch + "/undelete"
		case "databricks_workspace.files.files.upload":
			target += "?overwrite=true"
		case "databricks_workspace.files.files.delete_directory":
			target = "/api/2.0/fs/directories/Volumes/main/shop/product_images"
		case "databricks_workspace.serving.serving_endpoints_pt.update_config":
			target = "/api/2.0/serving-endpoints/pt/made-throughput/config"
		case "databricks_workspace.ml.forecasting.get":
			target = "/api/2.0/automl/get-forecasting-experiment/" + c.pool["/api/2.0/automl/create-forecasting-experiment"]["experiment_id"]
		}
		if status, text := c.call(m, target, raw); status != http.StatusOK {
			t.Errorf("%s %s %.150s: %d %s", m.FullName(), target, raw, status, messageOf(text))
		}
	}
	t.Logf("%d of %d operations answered", len(c.called), len(c.methods))
	if len(c.called) != len(c.methods) {
		t.Error("the rest is above")
	}
}
