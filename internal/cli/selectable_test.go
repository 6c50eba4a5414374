package cli_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// onTheWire is all of a request that reaches a server.
func onTheWire(r emulator.Request) string {
	headers := make([]string, 0, len(r.Header))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		headers = append(headers, fmt.Sprintf("%s: %q", name, r.Header[name]))
	}
	return fmt.Sprintf("%s %s%s?%s\n%s\n%s", r.Method, r.Host, r.Path, r.Query, strings.Join(headers, "\n"), r.Body)
}

// TestSelectSendsWhatExecSends compares the requests of a SELECT that is a POST with those of the EXEC,
// byte for byte.
func TestSelectSendsWhatExecSends(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	for name, test := range map[string]struct{ query, exec string }{
		"required": {
			"SELECT token FROM databricks_workspace.postgres.postgres_credentials WHERE endpoint = '" + endpoint + "'",
			generate + "@endpoint = '" + endpoint + "'",
		},
		"a workspace": {
			"SELECT token FROM databricks_workspace.postgres.postgres_credentials WHERE deployment_name = 'dbc-1' AND endpoint = '" + endpoint + "'",
			generate + "@deployment_name = 'dbc-1', @endpoint = '" + endpoint + "'",
		},
		"claims as JSON": {
			"SELECT * FROM databricks_workspace.postgres.postgres_credentials WHERE endpoint = '" + endpoint + `' AND claims = '[{"permission_set": "READ_ONLY"}]'`,
			generate + "@endpoint = '" + endpoint + `', @claims = '[{"permission_set": "READ_ONLY"}]'`,
		},
		"ttl": {
			"SELECT expire_time FROM databricks_workspace.postgres.postgres_credentials WHERE endpoint = '" + endpoint + "' AND ttl = '600s'",
			generate + "@endpoint = '" + endpoint + "', @ttl = '600s'",
		},
		"expire_time, which is a column too": {
			"SELECT token FROM databricks_workspace.postgres.postgres_credentials WHERE endpoint = '" + endpoint + "' AND expire_time = '2030-01-02T03:04:05Z'",
			generate + "@endpoint = '" + endpoint + "', @expire_time = '2030-01-02T03:04:05Z'",
		},
		"a number": {
			`SELECT aws_temp_credentials FROM databricks_workspace.catalog.temporary_table_credentials WHERE table_id = 7 AND operation = 'READ'`,
			`EXEC databricks_workspace.catalog.temporary_table_credentials.generate @table_id = '7', @operation = 'READ'`,
		},
		"beside a list of the same rows": {
			`SELECT name FROM databricks_workspace.ml.experiments WHERE filter = 'name LIKE ''/x%''' AND max_results = 5`,
			`EXEC databricks_workspace.ml.experiments.search @filter = 'name LIKE ''/x%''', @max_results = 5`,
		},
		"a column that is an attribute too": {
			`SELECT version FROM databricks_workspace.ml.model_registry_model_versions WHERE name = 'm' AND stages = '["Production"]'`,
			`EXEC databricks_workspace.ml.model_registry_model_versions.get_latest @name = 'm', @stages = '["Production"]'`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var sent []string
			for _, text := range []string{test.exec, test.query} {
				server.Reset()
				got := run{args: []string{"exec", "--retry-timeout", "0", "-o", "json", text}, env: env}.do(t)
				requests := server.Requests()
				if len(requests) != 1 || got.status > 1 {
					t.Fatalf("%s: %d requests, status %d: %s", text, len(requests), got.status, got.stderr)
				}
				sent = append(sent, onTheWire(requests[0]))
			}
			if sent[0] != sent[1] {
				t.Errorf("SELECT sends\n%s\nEXEC sends\n%s", sent[1], sent[0])
			}
		})
	}
}

// TestSelectOfPostIsSentOnce counts the calls that statements make: those of the plan, none ahead of the
// statement, none to plan it.
func TestSelectOfPostIsSentOnce(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	const (
		credentials = "databricks_workspace.postgres.postgres_credentials"
		primary     = "'projects/orders/branches/production/endpoints/primary'"
		one         = " FROM " + credentials + " WHERE endpoint = " + primary
		ofBranch    = " FROM databricks_workspace.postgres.postgres_endpoints e JOIN " + credentials +
			" c ON c.endpoint = e.name WHERE e.project_id = 'orders' AND e.branch_id = 'production'"
	)
	for statement, want := range map[string]int{
		"SELECT token" + one:                       1,
		"EXPLAIN SELECT token" + one:               0,
		"EXPLAIN ANALYZE SELECT token" + one:       1,
		"SELECT token" + one + " AND claims = '{'": 0,
		"SELECT a.token = b.token FROM " + credentials + " a, " + credentials + " b WHERE a.endpoint = " + primary + " AND b.endpoint = " + primary: 1,
		"SELECT token FROM " + credentials + " WHERE endpoint IN (" + primary + ", " + primary + ")":                                                1,
		"SELECT token FROM " + credentials + " WHERE endpoint = 'orders'":                                                                           0,
		"SELECT token FROM " + credentials:                                                                                       0,
		"SELECT token FROM " + credentials + " WHERE endpoint > " + primary:                                                      0,
		"SELECT token FROM " + credentials + " WHERE endpoint = NULL":                                                            0,
		"SELECT c.token" + ofBranch + " LIMIT 1":                                                                                 1,
		"SELECT count(*)" + ofBranch + " AND e.name = " + primary:                                                                1,
		"SELECT token" + one + " AND ttl IN (SELECT (600 + value) || 's' FROM json_each('[1, 2, 3, 4, 5, 6, 7, 8, 9]')) LIMIT 5": 5,
		"SELECT count(*)" + ofBranch + " AND 1 = 0":                                                                              0,
		"WITH w AS (SELECT *" + one + ") SELECT (SELECT token FROM w) = (SELECT token FROM w)":                                   1,
		"SELECT n, (SELECT expire_time" + one + ") FROM (SELECT 1 AS n UNION ALL SELECT 2)":                                      1,
		"SELECT e.name" + ofBranch + " AND EXISTS (SELECT 1" + one + " AND ttl = '60s') LIMIT 1":                                 2,
	} {
		server.Reset()
		got := run{args: []string{"exec", "-o", "jsonl", statement}, env: env}.do(t)
		posts := 0
		for _, r := range server.Requests() {
			if r.Method == "POST" {
				posts++
			}
		}
		if posts != want {
			t.Errorf("%s: %d calls, want %d\n%s", statement, posts, want, got.stderr)
		}
	}
}
