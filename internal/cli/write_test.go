package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	roles    = "databricks_workspace.postgres.postgres_roles"
	catalogs = "databricks_workspace.catalog.catalogs"
	jobs     = "databricks_workspace.jobs.jobs"
)

// api is a workspace with answers from the test, which records its requests.
type api struct {
	env []string

	mu    sync.Mutex
	calls []string // "POST /path?query body", in the order of their ends
}

// newAPI starts one. Without answers every call gets {}.
func newAPI(t *testing.T, answer func(w http.ResponseWriter, call string)) *api {
	t.Helper()
	a := &api{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read a request: %v", err)
		}
		call := strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + string(body))
		w.Header().Set("Content-Type", "application/json")
		if answer == nil {
			_, _ = io.WriteString(w, "{}")
		} else {
			answer(w, call)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.calls = append(a.calls, call)
	}))
	t.Cleanup(server.Close)
	a.env = []string{"DATABRICKS_HOST=" + server.URL, "DATABRICKS_TOKEN=dapi-test"}
	return a
}

// sent returns the calls, a line each.
func (a *api) sent() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.calls, "\n")
}

// sorted is sent where calls ran at once.
func (a *api) sorted() string {
	calls := strings.Split(a.sent(), "\n")
	slices.Sort(calls)
	return strings.Join(calls, "\n")
}

// exec runs a text against it.
func (a *api) exec(t *testing.T, text string, flags ...string) result {
	t.Helper()
	return run{args: append([]string{"exec", "--notes", "-H", "-o", "csv"}, flags...), stdin: text, env: a.env}.do(t)
}

const pg = "/api/2.0/postgres/projects/"

// TestWritesOnTheWire shows the requests of each form of a write. Concurrent calls are sorted.
func TestWritesOnTheWire(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		statement string
		wire      string
		note      string
	}{
		"a project": {
			"INSERT INTO " + projects + " (project_id, spec) VALUES ('shop', '{\"display_name\":\"Shop\"}')",
			`POST /api/2.0/postgres/projects?project_id=shop {"spec":{"display_name":"Shop"}}`, "1 row inserted",
		},
		"as the pages write it": {
			"INSERT INTO " + branches + " (\nspec,\nproject_id,\nbranch_id,\nreplace_existing\n)\nSELECT\n'{\"no_expiry\":true}',\n'p' /* required */,\n'b' /* required */,\ntrue\nRETURNING\nname\n;",
			`POST ` + pg + `p/branches?branch_id=b&replace_existing=true {"spec":{"no_expiry":true}}`, "1 row inserted",
		},
		"the parent's whole name and a part of an attribute": {
			"INSERT INTO " + branches + " (parent, branch_id, \"spec.ttl\", spec.is_protected) VALUES ('projects/p', 'b', '3600s', false)",
			`POST ` + pg + `p/branches?branch_id=b {"spec":{"is_protected":false,"ttl":"3600s"}}`, "1 row inserted",
		},
		"an attribute and a part of it, in any order": {
			"INSERT INTO " + branches + " (\"spec.ttl\", project_id, branch_id, spec) VALUES ('3600s', 'p', 'b', '{\"is_protected\":true}')",
			`POST ` + pg + `p/branches?branch_id=b {"spec":{"is_protected":true,"ttl":"3600s"}}`, "1 row inserted",
		},
		"names in another case": {
			"INSERT INTO " + branches + " (PROJECT_ID, Branch_Id, DATA__Spec) VALUES ('p', 'b', '{\"no_expiry\":true}')",
			`POST ` + pg + `p/branches?branch_id=b {"spec":{"no_expiry":true}}`, "1 row inserted",
		},
		"NULL is left out": {
			"INSERT INTO " + catalogs + " (name, comment) VALUES ('main', NULL)",
			`POST /api/2.1/unity-catalog/catalogs {"name":"main"}`, "1 row inserted",
		},
		"several rows": {
			"INSERT INTO " + catalogs + " (data__name, data__comment, properties) VALUES ('a', 'it''s', '{\"k\":\"v\"}'), ('b', '\"\\', json_object('k', 'w'))",
			`POST /api/2.1/unity-catalog/catalogs {"comment":"\"\\","name":"b","properties":{"k":"w"}}` + "\n" +
				`POST /api/2.1/unity-catalog/catalogs {"comment":"it's","name":"a","properties":{"k":"v"}}`, "2 rows inserted",
		},
		"a table expression before INSERT": {
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2) INSERT INTO " + catalogs + " (name) SELECT 'c' || i FROM n",
			"POST /api/2.1/unity-catalog/catalogs {\"name\":\"c1\"}\nPOST /api/2.1/unity-catalog/catalogs {\"name\":\"c2\"}", "2 rows inserted",
		},
		"no rows": {"INSERT INTO " + catalogs + " (name) SELECT 'a' WHERE 1 = 0", "", "0 rows inserted"},
		"integers of 64 bits and JSON": {
			"INSERT INTO " + jobs + " (name, timeout_seconds, budget_policy_id, tasks) VALUES ('nightly', 2147483647, '9007199254740993', '[{\"task_key\":\"a\",\"run_job_task\":{\"job_id\":9007199254740993}}]')",
			`POST /api/2.2/jobs/create {"budget_policy_id":"9007199254740993","name":"nightly","tasks":[{"run_job_task":{"job_id":9007199254740993},"task_key":"a"}],"timeout_seconds":2147483647}`, "1 row inserted",
		},
		"a secret": {
			"INSERT INTO databricks_workspace.workspace.secrets (scope, key, string_value) VALUES ('s', 'k', '{\"a\": \"b\"}')",
			`POST /api/2.0/secrets/put {"key":"k","scope":"s","string_value":"{\"a\": \"b\"}"}`, "1 row inserted",
		},
		"an update down to the leaf": {
			"UPDATE " + endpoints + " SET \"spec.autoscaling_limit_max_cu\" = 4.5, spec.disabled = true WHERE name = '" + endpoint + "'",
			`PATCH ` + strings.TrimSuffix(pg, "projects/") + endpoint + `?update_mask=spec.autoscaling_limit_max_cu%2Cspec.disabled {"spec":{"autoscaling_limit_max_cu":4.5,"disabled":true}}`, "1 row updated",
		},
		"an update by JSON, with a NULL in it": {
			"UPDATE " + projects + " SET spec = '{\"display_name\":\"Shop\",\"default_endpoint_settings\":{\"autoscaling_limit_min_cu\":1},\"budget_policy_id\":null}' WHERE project_id = 'p'",
			`PATCH ` + pg + `p?update_mask=spec.budget_policy_id%2Cspec.default_endpoint_settings.autoscaling_limit_min_cu%2Cspec.display_name {"spec":{"default_endpoint_settings":{"autoscaling_limit_min_cu":1},"display_name":"Shop"}}`, "1 row updated",
		},
		"an update of one of several choices": {
			"UPDATE " + branches + " SET \"spec.ttl\" = '3600s', \"spec.is_protected\" = 1 WHERE project_id = 'p' AND branch_id IN ('a', 'b')",
			`PATCH ` + pg + `p/branches/a?update_mask=spec.expiration%2Cspec.is_protected {"spec":{"is_protected":true,"ttl":"3600s"}}` + "\n" +
				`PATCH ` + pg + `p/branches/b?update_mask=spec.expiration%2Cspec.is_protected {"spec":{"is_protected":true,"ttl":"3600s"}}`, "2 rows updated",
		},
		"an update that clears": {
			"UPDATE " + roles + " SET \"spec.membership_roles\" = NULL WHERE project_id = 'p' AND branch_id = 'b' AND role_id = 'r'",
			`PATCH ` + pg + `p/branches/b/roles/r?update_mask=spec.membership_roles {}`, "1 row updated",
		},
		"an update with its own mask": {
			"UPDATE " + branches + " SET spec = '{\"ttl\":\"3600s\"}' WHERE project_id = 'p' AND branch_id = 'b' AND update_mask = '*'",
			`PATCH ` + pg + `p/branches/b?update_mask=%2A {"spec":{"ttl":"3600s"}}`, "1 row updated",
		},
		"alternatives of several parameters": {
			"UPDATE " + branches + " AS x SET spec.no_expiry = true WHERE (x.project_id = 'p' AND branch_id = 'a') OR (project_id = 'q' AND branch_id = 'b') OR (branch_id = 'b' AND project_id = 'q')",
			`PATCH ` + pg + `p/branches/a?update_mask=spec.expiration {"spec":{"no_expiry":true}}` + "\n" +
				`PATCH ` + pg + `q/branches/b?update_mask=spec.expiration {"spec":{"no_expiry":true}}`, "2 rows updated",
		},
		"a table expression before UPDATE": {
			"WITH gone(id) AS (VALUES ('a')) UPDATE " + branches + " SET spec.no_expiry = (SELECT true FROM gone) WHERE project_id = 'p' AND branch_id IN (SELECT id FROM gone)",
			`PATCH ` + pg + `p/branches/a?update_mask=spec.expiration {"spec":{"no_expiry":true}}`, "1 row updated",
		},
		"an update without a mask": {
			"UPDATE " + catalogs + " SET comment = 'c', new_name = 'n' WHERE name = 'a'",
			`PATCH /api/2.1/unity-catalog/catalogs/a {"comment":"c","new_name":"n"}`, "1 row updated",
		},
		"an update whose name is in the body": {
			"UPDATE " + jobs + " SET \"new_settings.max_concurrent_runs\" = 2 WHERE job_id IN (7, 9007199254740993)",
			`POST /api/2.2/jobs/update {"job_id":7,"new_settings":{"max_concurrent_runs":2}}` + "\n" +
				`POST /api/2.2/jobs/update {"job_id":9007199254740993,"new_settings":{"max_concurrent_runs":2}}`, "2 rows updated",
		},
		"the same as the pages write it": {
			"UPDATE " + jobs + "\nSET\njob_id = 7 /* required */,\nnew_settings = '{\"name\":\"n\"}'\nWHERE deployment_name = 'dbc-1' -- required\n;",
			`POST /api/2.2/jobs/update {"job_id":7,"new_settings":{"name":"n"}}`, "1 row updated",
		},
		"a mask in the body": {
			"UPDATE databricks_workspace.settings.default_namespace SET allow_missing = true, \"setting.namespace.value\" = 'main', setting.etag = 'e', setting.setting_name = 'default'",
			`PATCH /api/2.0/settings/types/default_namespace_ws/names/default {"allow_missing":true,"field_mask":"namespace.value,setting_name","setting":{"etag":"e","namespace":{"value":"main"},"setting_name":"default"}}`, "1 row updated",
		},
		"a mask in the body, from JSON": {
			"UPDATE databricks_workspace.sql.alerts SET alert = '{\"display_name\":\"a\",\"condition\":{\"op\":\"EQUAL\"}}', auto_resolve_display_name = false WHERE id = 'i'",
			`PATCH /api/2.0/sql/alerts/i {"alert":{"condition":{"op":"EQUAL"},"display_name":"a"},"auto_resolve_display_name":false,"update_mask":"condition.op,display_name"}`, "1 row updated",
		},
		"names that the body repeats": {
			"UPDATE databricks_workspace.catalog.entity_tag_assignments SET tag_value = 'v' WHERE entity_type = 'catalogs' AND entity_name = 'main' AND tag_key = 'k'",
			`PATCH /api/2.1/unity-catalog/entity-tag-assignments/catalogs/main/tags/k?update_mask=tag_value {"entity_name":"main","entity_type":"catalogs","tag_key":"k","tag_value":"v"}`, "1 row updated",
		},
		"the same with SET giving them": {
			"UPDATE databricks_workspace.catalog.entity_tag_assignments SET entity_type = 'catalogs', entity_name = 'main', tag_key = 'k', tag_value = 'v' WHERE entity_type = 'catalogs' AND entity_name = 'main' AND tag_key = 'k'",
			`PATCH /api/2.1/unity-catalog/entity-tag-assignments/catalogs/main/tags/k?update_mask=tag_value {"entity_name":"main","entity_type":"catalogs","tag_key":"k","tag_value":"v"}`, "1 row updated",
		},
		"what the mask leaves out though the resource requires it": {
			"UPDATE databricks_workspace.knowledgeassistants.knowledge_assistants SET description = 'd' WHERE knowledge_assistant_id = 'i'",
			`PATCH /api/2.1/knowledge-assistants/i?update_mask=description {"description":"d"}`, "1 row updated",
		},
		"an app": {
			"UPDATE databricks_workspace.apps.apps SET name = 'a', description = 'd' WHERE name = 'a'",
			`PATCH /api/2.0/apps/a {"description":"d","name":"a"}`, "1 row updated",
		},
		"permissions by REPLACE … SET": {
			"REPLACE databricks_workspace.iam.permissions SET access_control_list = '[{\"user_name\":\"u\",\"permission_level\":\"CAN_USE\"}]' WHERE request_object_type = 'clusters' AND request_object_id = 'c'",
			`PUT /api/2.0/permissions/clusters/c {"access_control_list":[{"permission_level":"CAN_USE","user_name":"u"}]}`, "1 row replaced",
		},
		"permissions by REPLACE INTO": {
			"REPLACE INTO databricks_workspace.iam.permissions (request_object_type, request_object_id, access_control_list) VALUES ('clusters', 'c', '[]')",
			`PUT /api/2.0/permissions/clusters/c {"access_control_list":[]}`, "1 row replaced",
		},
		"a job by INSERT OR REPLACE": {
			"INSERT OR REPLACE INTO " + jobs + " (job_id, new_settings) VALUES (7, '{}')",
			`POST /api/2.2/jobs/reset {"job_id":7,"new_settings":{}}`, "1 row replaced",
		},
		"a delete": {
			"DELETE FROM " + branches + " WHERE name = 'projects/p/branches/b'",
			`DELETE ` + pg + `p/branches/b`, "1 row deleted",
		},
		"a delete with a query parameter": {
			"DELETE FROM " + catalogs + " WHERE name IN ('a', 'b') AND force = true",
			"DELETE /api/2.1/unity-catalog/catalogs/a?force=true\nDELETE /api/2.1/unity-catalog/catalogs/b?force=true", "2 rows deleted",
		},
		"a delete whose name is in the body": {
			"DELETE FROM " + jobs + " WHERE job_id = 9223372036854775807",
			`POST /api/2.2/jobs/delete {"job_id":9223372036854775807}`, "1 row deleted",
		},
		"a delete with more in the body": {
			"DELETE FROM databricks_workspace.files.dbfs WHERE path = '/tmp/x y' AND recursive = true",
			`POST /api/2.0/dbfs/delete {"path":"/tmp/x y","recursive":true}`, "1 row deleted",
		},
		"a delete of what NULL names":     {"DELETE FROM " + catalogs + " WHERE name = NULL", "", "0 rows deleted"},
		"a delete of what nothing names":  {"DELETE FROM " + catalogs + " WHERE name IN (SELECT 'a' WHERE false)", "", "0 rows deleted"},
		"a delete under two conditions":   {"DELETE FROM " + catalogs + " WHERE name = 'a' AND name = 'b'", "", "0 rows deleted"},
		"a delete of one thing only once": {"DELETE FROM " + catalogs + " WHERE name = 'a' OR name = 'a' OR name IN ('a', 'a')", "DELETE /api/2.1/unity-catalog/catalogs/a", "1 row deleted"},
		"a setting without a name":        {"DELETE FROM databricks_workspace.settings.default_namespace", "DELETE /api/2.0/settings/types/default_namespace_ws/names/default", "1 row deleted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, nil)
			got := a.exec(t, test.statement)
			if sent := a.sorted(); got.status != 0 || sent != test.wire {
				t.Errorf("status %d, sent:\n%s\nwant:\n%s\n%s", got.status, sent, test.wire, got.stderr)
			}
			if !strings.Contains(got.stderr, test.note+"\n") {
				t.Errorf("stderr lacks %q:\n%s", test.note, got.stderr)
			}
		})
	}
}

// TestWritesRefused shows the errors before anything is sent, and their positions.
func TestWritesRefused(t *testing.T) {
	t.Parallel()
	insert := "INSERT INTO " + catalogs + " "
	update := "UPDATE " + branches + " SET "
	one := " WHERE project_id = 'p' AND branch_id = 'b'"
	tests := map[string]struct{ statement, message string }{
		"an unknown resource":             {"INSERT INTO databricks_workspace.catalog.catalog (name) VALUES ('a')", "line 1, column 42: unknown resource \"catalog\" in databricks_workspace.catalog"},
		"an unknown column":               {insert + "(nam) VALUES ('a')", "line 1, column 52: databricks_workspace.catalog.catalogs.create has no parameter or body attribute \"nam\""},
		"an unknown attribute inside":     {"INSERT INTO " + branches + " (project_id, branch_id, spec) VALUES ('p', 'b', '{\"tll\":\"1s\"}')", "spec.tll: unknown attribute"},
		"an unknown part":                 {update + "\"spec.tll\" = '1s'" + one, "line 1, column 60: spec.tll: unknown attribute"},
		"an unknown part that is NULL":    {update + "spec.tll = NULL" + one, "line 1, column 60: spec.tll: unknown attribute"},
		"a required column":               {insert + "(comment) VALUES ('a')", "line 1, column 1: INSERT INTO databricks_workspace.catalog.catalogs: databricks_workspace.catalog.catalogs.create needs name as well"},
		"a required column that is NULL":  {insert + "(name) VALUES (NULL)", "databricks_workspace.catalog.catalogs.create: missing required name"},
		"too few values":                  {insert + "(name, comment) VALUES ('a')", "line 1, column 52: INSERT INTO databricks_workspace.catalog.catalogs: 2 columns are named and 1 values given"},
		"no columns":                      {insert + "VALUES ('a')", "no columns are named"},
		"default values":                  {insert + "DEFAULT VALUES", "DEFAULT VALUES says nothing of what to make"},
		"a conflict clause":               {insert + "(name) VALUES ('a') ON CONFLICT DO NOTHING", "ON CONFLICT is for tables of the store"},
		"INSERT OR IGNORE":                {"INSERT OR IGNORE INTO " + catalogs + " (name) VALUES ('a')", "OR IGNORE is for tables of the store"},
		"UPDATE OR IGNORE":                {"UPDATE OR IGNORE " + catalogs + " SET comment = 'c' WHERE name = 'a'", "OR IGNORE is for tables of the store"},
		"UPDATE FROM":                     {"UPDATE " + catalogs + " SET comment = 'c' FROM x WHERE name = 'a'", "FROM is for tables of the store"},
		"an unknown hint":                 {"INSERT /*+ HURRY */ INTO " + catalogs + " (name) VALUES ('a')", "unknown hint \"HURRY\""},
		"a verb that reaches nothing":     {"DELETE FROM databricks_workspace.workspace.secrets WHERE scope = 's'", "DELETE"},
		"a fault in the second row":       {"INSERT INTO " + branches + " (project_id, branch_id, replace_existing) VALUES ('p', 'a', true), ('p', 'b', 'perhaps')", "line 1, column 85: row 2: replace_existing: \"perhaps\" is not a boolean"},
		"a fault in the second statement": {insert + "(name) VALUES ('a');\n" + insert + "(name) VALUES (1);", "line 2, column 52: name: 1 is not a string"},
		"no JSON where it has to be":      {insert + "(name, properties) VALUES ('a', '{k: v}')", "properties: \"****\" is not an object"},
		"a column twice":                  {insert + "(name, name) VALUES ('a', 'b')", "name is given twice with different values"},
		"a column twice by its prefix":    {insert + "(name, comment, data__comment) VALUES ('a', 'b', 'c')", "comment is given twice with different values"},
		"an attribute twice, once inside": {"INSERT INTO " + branches + " (\"spec.ttl\", project_id, branch_id, spec) VALUES ('1s', 'p', 'b', '{\"ttl\":\"2s\"}')", "spec.ttl is given twice with different values"},
		"a placeholder":                   {insert + "(name) VALUES ('{{ name }}')", "line 1, column 67: the placeholder {{ name }} was not filled in"},
		"a placeholder in a WHERE":        {"DELETE FROM " + catalogs + "\nWHERE name = '{{ name }}'", "line 2, column 15: the placeholder {{ name }} was not filled in"},
		"a path in a name":                {"DELETE FROM " + branches + " WHERE project_id = 'p' AND branch_id = '../../x'", "branch_id: \"../../x\" does not match the pattern"},
		"a path in a whole name":          {"DELETE FROM " + branches + " WHERE name = 'projects/p/branches/../..'", "does not have the form projects/{project_id}/branches/{branch_id}"},
		"dots for a name":                 {"DELETE FROM " + catalogs + " WHERE name = '..'", "\"..\" would lead to another path"},
		"a NUL in a name":                 {"DELETE FROM " + catalogs + " WHERE name = 'a' || char(0) || 'b'", "has a character that does not print"},
		"an escape in a name":             {"DELETE FROM " + catalogs + " WHERE name = 'a%2Fb'", "holds a percent-escape"},
		"an empty name":                   {"DELETE FROM " + catalogs + " WHERE name = ''", "empty where a path needs a name"},
		"an empty workspace":              {"DELETE FROM " + catalogs + " WHERE name = 'a' AND deployment_name = ''", "deployment_name is empty"},
		"a strange workspace":             {"DELETE FROM " + catalogs + " WHERE name = 'a' AND deployment_name = 'evil.com'", "evil.com"},
		"an integer beyond 64 bits":       {"DELETE FROM " + jobs + " WHERE job_id = 9223372036854775808", "job_id: SQLite rounds integers of more than 64 bits"},
		"the same as text":                {"DELETE FROM " + jobs + " WHERE job_id = '9223372036854775808'", "9223372036854775808 is not an integer of 64 bits"},
		"a large number for a name":       {"DELETE FROM " + catalogs + " WHERE name = 12345678901234567890", "name: SQLite rounds integers of more than 64 bits"},
		"an infinite number":              {"UPDATE " + endpoints + " SET \"spec.autoscaling_limit_max_cu\" = 9e999 WHERE name = '" + endpoint + "'", "spec.autoscaling_limit_max_cu: the number is too large"},
		"a number for a boolean":          {"DELETE FROM " + catalogs + " WHERE name = 'a' AND force = 2", "force: 2 is not a boolean"},
		"no WHERE":                        {"DELETE FROM " + catalogs, "databricks_workspace.catalog.catalogs.delete needs name"},
		"no WHERE for an update":          {update + "spec.ttl = '1s'", "databricks_workspace.postgres.postgres_branches.update needs project_id, branch_id"},
		"half of what identifies":         {"DELETE FROM " + branches + " WHERE project_id = 'p'", "databricks_workspace.postgres.postgres_branches.delete needs branch_id"},
		"a pattern":                       {"DELETE FROM " + catalogs + " WHERE name LIKE 'tmp%'", "databricks_workspace.catalog.catalogs.delete needs name"},
		"an alternative without a name":   {"DELETE FROM " + catalogs + " WHERE name = 'a' OR 1 = 1", "databricks_workspace.catalog.catalogs.delete needs name"},
		"a body's name that is not there": {"DELETE FROM " + jobs + " WHERE deployment_name = 'dbc-1'", "databricks_workspace.jobs.jobs.delete needs job_id"},
		"nothing of what could tell":      {"DELETE FROM databricks_workspace.catalog.external_lineage", "no WHERE tells what to delete"},
		"a condition on what is unknown":  {"DELETE FROM " + catalogs + " WHERE name = 'a' AND force <> true", "force has no value here"},
		"a condition on an attribute":     {"DELETE FROM " + catalogs + " WHERE name = 'a' AND owner = 'me'", "no such column: owner"},
		"another statement in the WHERE":  {"DELETE FROM " + catalogs + " WHERE name = 'a' UNION SELECT 'b'", "UNION"},
		"the name itself":                 {"UPDATE " + catalogs + " SET name = 'b' WHERE name = 'a'", "line 1, column 50: UPDATE databricks_workspace.catalog.catalogs: name identifies the resource to change, and cannot be changed itself"},
		"an empty object":                 {update + "spec = '{}'" + one, "spec: this does not say what to change"},
		"an empty object inside":          {"UPDATE " + projects + " SET spec = '{\"default_endpoint_settings\":{}}' WHERE project_id = 'p'", "spec.default_endpoint_settings: this does not say what to change"},
		"an entry of a map":               {"UPDATE " + projects + " SET \"spec.default_endpoint_settings.pg_settings.a\" = 'b' WHERE project_id = 'p'", "spec.default_endpoint_settings.pg_settings can only be changed as a whole"},
		"NULL without a mask":             {"UPDATE " + catalogs + " SET comment = NULL WHERE name = 'a'", "line 1, column 50: UPDATE databricks_workspace.catalog.catalogs: comment cannot be set to NULL"},
		"null in JSON without a mask":     {"UPDATE " + jobs + " SET new_settings = '{\"name\":\"n\",\"continuous\":{\"pause_status\":null}}' WHERE job_id = 1", "new_settings.continuous.pause_status cannot be set to NULL"},
		"RETURNING of nothing":            {"INSERT INTO databricks_workspace.workspace.secrets (scope, key, string_value) VALUES ('s', 'k', 'v') RETURNING key", "RETURNING: databricks_workspace.workspace.secrets.put answers nothing"},
		"RETURNING what is not there":     {insert + "(name) VALUES ('a') RETURNING nam", "no such column: nam"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, nil)
			got := a.exec(t, test.statement)
			if got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, test.message) || !strings.Contains(got.stderr, "error: line ") {
				t.Errorf("status %d, want the message %q:\n%s%s", got.status, test.message, got.stdout, got.stderr)
			}
			if sent := a.sent(); sent != "" {
				t.Errorf("sent:\n%s", sent)
			}
		})
	}
}

// fail answers with an error of the API.
func fail(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error_code":%q,"message":%q}`, code, message)
}

// TestWritesRunAtOnce has a workspace that answers no request before all have arrived.
func TestWritesRunAtOnce(t *testing.T) {
	t.Parallel()
	const rows = 8
	var all sync.WaitGroup
	all.Add(rows)
	a := newAPI(t, func(w http.ResponseWriter, _ string) {
		all.Done()
		all.Wait()
		_, _ = io.WriteString(w, "{}")
	})
	got := a.exec(t, fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO %s (name) SELECT 'c' || i FROM n", rows, catalogs))
	if got.status != 0 || strings.Count(a.sent(), "\n") != rows-1 || got.stderr != "note: 8 rows inserted\n" {
		t.Errorf("status %d, sent:\n%s\n%s", got.status, a.sent(), got.stderr)
	}
}

// TestWritesWait shows which rows wait for which. The first request is answered with a retry after a
// second, which leaves time for the rows that do not wait.
func TestWritesWait(t *testing.T) {
	t.Parallel()
	insert := "INSERT INTO " + branches + " (project_id, branch_id, \"spec.source_branch\", spec.no_expiry) VALUES "
	tests := map[string]struct {
		statement string
		order     []string // parts of the calls
	}{
		"for a branch that is another's source": {
			insert + "('p', 'a', 'projects/p/branches/main', true), ('p', 'b', 'projects/p/branches/a', true), ('p', 'c', 'projects/p/branches/b', true)",
			[]string{"branch_id=a", "branch_id=b", "branch_id=c"},
		},
		"for a name inside of JSON": {
			"INSERT INTO " + branches + " (project_id, branch_id, spec) VALUES ('p', 'a', '{\"no_expiry\":true}'), ('p', 'b', '{\"no_expiry\":true,\"source_branch\":\"projects/p/branches/a\"}')",
			[]string{"branch_id=a", "branch_id=b"},
		},
		"for a row far before it": {
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO " + branches + " (project_id, branch_id, spec) " +
				"SELECT 'p', 'b' || i, CASE i WHEN 200 THEN '{\"source_branch\":\"projects/p/branches/b1\",\"no_expiry\":true}' ELSE '{\"no_expiry\":true}' END FROM n",
			[]string{"branch_id=b1 ", "branch_id=b200 "},
		},
		"for the same thing": {
			"REPLACE INTO databricks_workspace.iam.permissions (request_object_type, request_object_id, access_control_list) VALUES ('clusters', 'c', '[{\"user_name\":\"first\"}]'), ('clusters', 'c', '[{\"user_name\":\"second\"}]')",
			[]string{"first", "second"},
		},
		"for the same thing, named in the body": {
			"REPLACE INTO " + jobs + " (job_id, new_settings) VALUES (1, '{\"name\":\"first\"}'), (1, '{\"name\":\"second\"}')",
			[]string{"first", "second"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var turnedAway atomic.Bool
			a := newAPI(t, func(w http.ResponseWriter, call string) {
				if strings.Contains(call+" ", test.order[0]) && !turnedAway.Swap(true) {
					w.Header().Set("Retry-After", "1")
					fail(w, http.StatusServiceUnavailable, "TEMPORARILY_UNAVAILABLE", "in a second")
					return
				}
				_, _ = io.WriteString(w, "{}")
			})
			got := a.exec(t, test.statement)
			if got.status != 0 {
				t.Fatalf("status %d\n%s", got.status, got.stderr)
			}
			want := slices.Concat(test.order[:1], test.order) // the first is sent twice
			for call := range strings.Lines(a.sent() + "\n") {
				if len(want) > 0 && strings.Contains(strings.ReplaceAll(call, "\n", " "), want[0]) {
					want = want[1:]
				}
			}
			if len(want) > 0 {
				t.Errorf("want the order %q:\n%s", test.order, a.sent())
			}
		})
	}
}

// TestWritesStopAtAFailure shows that nothing starts after a failure, and the messages about it.
func TestWritesStopAtAFailure(t *testing.T) {
	t.Parallel()
	answer := func(w http.ResponseWriter, call string) {
		if strings.Contains(call, "branch_id=b3") {
			fail(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "no such thing")
			return
		}
		_, _ = io.WriteString(w, `{"name":"operations/o"}`)
	}
	// Each row is made from the one before.
	chain := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6) INSERT INTO " + branches +
		" (project_id, branch_id, spec.source_branch, spec.no_expiry) SELECT 'p', 'b' || i, 'projects/p/branches/b' || (i - 1), true FROM n RETURNING name"
	t.Run("by default", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, answer)
		got := a.exec(t, chain)
		if got.status != 1 || got.stdout != "" || strings.Count(a.sent(), "\n") != 2 {
			t.Errorf("status %d, sent:\n%s\n%s", got.status, a.sent(), got.stdout)
		}
		for _, want := range []string{"error: line 1, column 1: row 3 of 6: ", "no such thing", "; 2 rows inserted before it stopped", "HTTP 400"} {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
			}
		}
	})
	t.Run("under --on-error partial", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, answer)
		got := a.exec(t, chain+"; SHOW ERRORS", "--on-error", "partial")
		if got.status != 3 || strings.Count(a.sent(), "\n") != 5 {
			t.Errorf("status %d, sent:\n%s", got.status, a.sent())
		}
		if rows := strings.Repeat("operations/o\n", 5); !strings.HasPrefix(got.stdout, rows) || !strings.Contains(got.stdout, "INVALID_PARAMETER_VALUE") {
			t.Errorf("stdout:\n%s", got.stdout)
		}
		for _, want := range []string{"5 rows inserted\n", "row 3 of 6: ", "no such thing"} {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
			}
		}
	})
	t.Run("of one row", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, answer)
		got := a.exec(t, "INSERT INTO "+branches+" (project_id, branch_id, spec) VALUES ('p', 'b3', '{}')")
		if got.status != 1 || strings.Contains(got.stderr, "row ") || !strings.Contains(got.stderr, "no such thing") {
			t.Errorf("status %d\n%s", got.status, got.stderr)
		}
	})
}

// TestWritesInterrupted interrupts a write of three rows, each of which needs the one before, while the
// second is under way.
func TestWritesInterrupted(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	ended := make(chan struct{})
	a := newAPI(t, func(w http.ResponseWriter, call string) {
		if strings.Contains(call, "branch_id=b2") {
			close(arrived)
			<-ended
		}
		_, _ = io.WriteString(w, "{}")
	})
	t.Cleanup(func() { close(ended) }) // before the server is closed
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := run{args: []string{"exec", "INSERT INTO " + branches + " (project_id, branch_id, spec.source_branch) VALUES ('p', 'b1', 'main'), ('p', 'b2', 'projects/p/branches/b1'), ('p', 'b3', 'projects/p/branches/b2')"}, env: a.env}.command(ctx, t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-arrived:
	case <-ctx.Done():
		t.Fatal("the second call never came")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() == 0 {
		t.Fatalf("the command ended with %v", err)
	}
	for _, want := range []string{"row 2 of 3: ", "canceled: it was sent, and the workspace may have carried it out; 1 row inserted before it stopped", "hint: look whether it was done before you repeat it"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr.String())
		}
	}
	if sent := a.sent(); strings.Contains(sent, "b3") {
		t.Errorf("sent:\n%s", sent)
	}
}

// TestWritesDryRun shows the requests of a write, which is never sent, and no secret.
func TestWritesDryRun(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	got := a.exec(t, "INSERT INTO databricks_workspace.workspace.secrets (scope, key, string_value) VALUES ('s', 'k', 'hush-1'), ('s', 'l', 'hush-2') RETURNING 1;\n"+
		"DELETE FROM "+catalogs+" WHERE name IN ('a', 'b')", "--dryrun")
	if got.status == 0 {
		t.Errorf("RETURNING of what answers nothing is taken:\n%s", got.stdout)
	}
	got = a.exec(t, "INSERT INTO databricks_workspace.workspace.secrets (scope, key, string_value) VALUES ('s', 'k', 'hush-1'), ('s', 'l', 'hush-2');\n"+
		"DELETE FROM "+catalogs+" WHERE name IN ('a', 'b')", "--dryrun")
	if got.status != 0 || strings.Count(got.stdout, "POST,") != 2 || strings.Count(got.stdout, "DELETE,") != 2 || strings.Contains(got.stdout+got.stderr, "hush") || strings.Contains(got.stderr, "inserted") {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	got = a.exec(t, "INSERT INTO "+catalogs+" (name) SELECT name FROM databricks_workspace.catalog.schemas WHERE catalog_name = 'a'", "--dryrun")
	if got.status != 2 || !strings.Contains(got.stderr, "a dry run asks nothing") {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	if sent := a.sent(); sent != "" {
		t.Errorf("sent:\n%s", sent)
	}
}

// TestReturning shows the rows of RETURNING, made from the calls' answers, in the order of the rows.
func TestReturning(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ returning, rows string }{
		"columns":               {"name, owner", "a,o\nb,o\n"},
		"an alias":              {"name AS n, updated_at", "a,1700000000000\nb,1700000000000\n"},
		"expressions":           {"upper(name) || '!', updated_at / 1000", "A!,1700000000\nB!,1700000000\n"},
		"JSON":                  {"properties ->> 'k', json_extract(properties, '$.n')", "v,9007199254740993\nv,9007199254740993\n"},
		"an aggregate":          {"count(*), group_concat(name)", "2,\"a,b\"\n"},
		"the resource's name":   {"catalogs.name", "a\nb\n"},
		"names of four parts":   {catalogs + ".name", "a\nb\n"},
		"what was not answered": {"name, comment", "a,\nb,\n"},
		"a subquery":            {"(SELECT count(*) FROM (VALUES (1), (2)))", "2\n2\n"},
	}
	answer := func(w http.ResponseWriter, call string) {
		name := "a"
		if strings.Contains(call, `"name":"b"`) {
			name = "b"
		}
		_, _ = fmt.Fprintf(w, `{"name":%q,"owner":"o","updated_at":1700000000000,"properties":{"k":"v","n":"9007199254740993"}}`, name)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, answer)
			got := a.exec(t, "INSERT INTO "+catalogs+" (name) VALUES ('a'), ('b') RETURNING "+test.returning)
			if got.status != 0 || got.stdout != test.rows || got.stderr != "note: 2 rows inserted\n" {
				t.Errorf("status %d, rows:\n%swant:\n%s%s", got.status, got.stdout, test.rows, got.stderr)
			}
		})
	}
	t.Run("everything, by an alias of the statement's", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, answer)
		got := run{args: []string{"exec", "-o", "json", "INSERT INTO " + catalogs + " AS c (name) VALUES ('a') RETURNING c.*"}, env: a.env}.do(t)
		for _, want := range []string{`"name":"a"`, `"updated_at":1700000000000`, `"comment":null`, `"properties":{"k":"v","n":"9007199254740993"}`} {
			if !strings.Contains(got.stdout, want) {
				t.Errorf("status %d, %s lacks %s\n%s", got.status, got.stdout, want, got.stderr)
			}
		}
	})
	t.Run("a fault in the rows alone", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, answer)
		got := a.exec(t, "INSERT INTO "+catalogs+" (name) VALUES ('a') RETURNING json_extract(name, '$')")
		if got.status != 2 || !strings.Contains(got.stderr, "1 row inserted\n") || !strings.Contains(got.stderr, "malformed JSON") {
			t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
		}
	})
}

// TestWritesFromAnswers feeds writes from other resources.
func TestWritesFromAnswers(t *testing.T) {
	t.Parallel()
	lists := func(w http.ResponseWriter, call string) {
		switch {
		case strings.HasPrefix(call, "GET /api/2.1/unity-catalog/catalogs"):
			_, _ = io.WriteString(w, `{"catalogs":[{"name":"a","comment":"{{ x }}","properties":{"k":"v"}},{"name":"b","comment":"plain"}]}`)
		default:
			_, _ = io.WriteString(w, "{}")
		}
	}
	broken := func(w http.ResponseWriter, call string) {
		if strings.HasPrefix(call, "GET ") && strings.Contains(call, "page_token=2") {
			fail(w, http.StatusForbidden, "PERMISSION_DENIED", "not yours")
			return
		}
		_, _ = io.WriteString(w, `{"catalogs":[{"name":"a"}],"next_page_token":"2"}`)
	}
	const list = "GET /api/2.1/unity-catalog/catalogs"
	tests := map[string]struct {
		statement string
		answer    func(http.ResponseWriter, string)
		flags     []string
		status    int
		writes    string // without the reading
		stderr    string
	}{
		"INSERT … SELECT": {
			"INSERT INTO " + catalogs + " (name, comment, properties) SELECT name || '_copy', comment, properties FROM " + catalogs, lists, nil, 0,
			`POST /api/2.1/unity-catalog/catalogs {"comment":"plain","name":"b_copy"}` + "\n" + `POST /api/2.1/unity-catalog/catalogs {"comment":"{{ x }}","name":"a_copy","properties":{"k":"v"}}`, "2 rows inserted",
		},
		"DELETE … IN (SELECT …)": {
			"DELETE FROM " + catalogs + " WHERE name IN (SELECT name FROM " + catalogs + " WHERE comment = 'plain')", lists, nil, 0,
			`DELETE /api/2.1/unity-catalog/catalogs/b`, "1 row deleted",
		},
		"UPDATE with a subquery": {
			"UPDATE " + catalogs + " SET comment = (SELECT count(*) || ' catalogs' FROM " + catalogs + ") WHERE name = 'a'", lists, nil, 0,
			`PATCH /api/2.1/unity-catalog/catalogs/a {"comment":"2 catalogs"}`, "1 row updated",
		},
		"a fault in the second row": {
			"INSERT INTO " + catalogs + " (name, properties) SELECT name, CASE name WHEN 'b' THEN 'x' END FROM " + catalogs, lists, nil, 2, "", `row 2: properties: "x" is not an object`,
		},
		"a page that fails": {
			"DELETE FROM " + catalogs + " WHERE name IN (SELECT name FROM " + catalogs + ")", broken, nil, 4, "", "not yours",
		},
		"a page that fails and is forgiven": {
			"DELETE FROM " + catalogs + " WHERE name IN (SELECT name FROM " + catalogs + ")", broken, []string{"--on-error", "partial"}, 3, "", "nothing was sent, because the result of the query for its rows is not complete",
		},
		"a page limit": {
			"INSERT INTO " + catalogs + " (name) SELECT name || '_copy' FROM " + catalogs, broken, []string{"--on-error", "partial", "--http.response.pageLimit", "1"}, 3, "", "nothing was sent",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, test.answer)
			got := a.exec(t, test.statement, test.flags...)
			var writes []string
			for _, call := range strings.Split(a.sorted(), "\n") {
				if !strings.HasPrefix(call, list) {
					writes = append(writes, call)
				}
			}
			if sent := strings.Join(writes, "\n"); got.status != test.status || sent != test.writes || !strings.Contains(got.stderr, test.stderr) {
				t.Errorf("status %d, want %d; sent:\n%s\nwant:\n%s\n%s", got.status, test.status, sent, test.writes, got.stderr)
			}
		})
	}
}

// TestWritesWithTables takes the rows of writes from tables that the same text makes.
func TestWritesWithTables(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	store := filepath.Join(t.TempDir(), "store.db")
	got := a.exec(t, "CREATE TABLE gone AS SELECT 'a' AS id UNION SELECT 'b';\nDELETE FROM "+catalogs+" WHERE name IN (SELECT id FROM gone);\n"+
		"INSERT INTO "+catalogs+" (name) SELECT id || '2' FROM gone;", "--store", store)
	const want = "DELETE /api/2.1/unity-catalog/catalogs/a\nDELETE /api/2.1/unity-catalog/catalogs/b\n" +
		`POST /api/2.1/unity-catalog/catalogs {"name":"a2"}` + "\n" + `POST /api/2.1/unity-catalog/catalogs {"name":"b2"}`
	if sent := a.sorted(); got.status != 0 || sent != want {
		t.Errorf("status %d, sent:\n%s\n%s", got.status, sent, got.stderr)
	}
}

// TestWritesAwait waits for the work of a write, and reads its result.
func TestWritesAwait(t *testing.T) {
	t.Parallel()
	const operation = "GET /api/2.0/postgres/projects/p/branches/b/operations/o"
	began := `{"name":"projects/p/branches/b/operations/o","done":false}`
	tests := map[string]struct {
		statement, done string // what the second poll answers
		status          int
		rows, stderr    string
	}{
		"a branch": {
			"INSERT /*+ AWAIT */ INTO " + branches + " (project_id, branch_id, spec) VALUES ('p', 'b', '{\"no_expiry\":true}') RETURNING uid, spec ->> '$.no_expiry'",
			`{"name":"projects/p/branches/b/operations/o","done":true,"response":{"name":"projects/p/branches/b","uid":"br-1","spec":{"no_expiry":true}}}`, 0, "br-1,1\n", "note: 1 row inserted\n",
		},
		"a branch that cannot be made": {
			"INSERT /*+ AWAIT */ INTO " + branches + " (project_id, branch_id, spec) VALUES ('p', 'b', '{\"no_expiry\":true}') RETURNING uid",
			`{"name":"projects/p/branches/b/operations/o","done":true,"error":{"error_code":"RESOURCE_EXHAUSTED","message":"too many branches"}}`, 1, "", "too many branches",
		},
		"a change": {
			"UPDATE /*+ AWAIT */ " + branches + " SET spec.is_protected = true WHERE name = 'projects/p/branches/b' RETURNING uid",
			`{"name":"projects/p/branches/b/operations/o","done":true,"response":{"name":"projects/p/branches/b","uid":"br-1"}}`, 0, "br-1\n", "note: 1 row updated\n",
		},
		"a deletion": {
			"DELETE /*+ AWAIT */ FROM " + branches + " WHERE name = 'projects/p/branches/b'",
			`{"name":"projects/p/branches/b/operations/o","done":true,"response":{}}`, 0, "", "note: 1 row deleted\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var polls atomic.Int64
			a := newAPI(t, func(w http.ResponseWriter, call string) {
				if call == operation && polls.Add(1) > 1 {
					_, _ = io.WriteString(w, test.done)
					return
				}
				_, _ = io.WriteString(w, began)
			})
			got := a.exec(t, test.statement)
			if got.status != test.status || got.stdout != test.rows || !strings.Contains(got.stderr, test.stderr) {
				t.Errorf("status %d, want %d, rows:\n%swant:\n%s%s", got.status, test.status, got.stdout, test.rows, got.stderr)
			}
			if polls.Load() != 2 {
				t.Errorf("%d polls, want 2:\n%s", polls.Load(), a.sent())
			}
		})
	}
}
