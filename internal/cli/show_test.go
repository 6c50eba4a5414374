package cli_test

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

// rowsOf runs a statement that makes no call, and returns its rows with the header first.
func rowsOf(t *testing.T, statement string) [][]string {
	t.Helper()
	got := run{args: []string{"exec", "-o", "csv", statement}}.do(t)
	if got.status != 0 {
		t.Fatalf("%s: status %d\n%s", statement, got.status, got.stderr)
	}
	rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestShow checks the columns that StackQL's users rely on, and a row or two of each answer.
func TestShow(t *testing.T) {
	t.Parallel()
	const credentials = "databricks_workspace.postgres.postgres_credentials"
	tests := map[string]struct {
		header string
		row    string // in the answer, its columns joined by a bar
		rows   int    // how many; 0: not said
	}{
		"SHOW PROVIDERS":                                                                               {"name,version", "databricks_workspace|v00.00.00000", 2},
		"SHOW SERVICES IN databricks_workspace":                                                        {"id,name,title", "postgres:v00.00.00000|postgres|Lakebase Postgres", 0},
		"SHOW EXTENDED SERVICES IN databricks_account":                                                 {"id,name,title,description,version,preferred", "", 0},
		"SHOW RESOURCES IN databricks_workspace.postgres":                                              {"name,id", "postgres_credentials|" + credentials, 0},
		"SHOW EXTENDED RESOURCES IN databricks_account.iam":                                            {"name,id,description", "", 0},
		"SHOW METHODS IN " + credentials:                                                               {"MethodName,RequiredParams,SQLVerb", "generate|deployment_name, endpoint|EXEC", 2},
		"SHOW EXTENDED METHODS IN databricks_workspace.postgres.postgres_branches":                     {"MethodName,RequiredParams,SQLVerb,description", "list|project_id, deployment_name|SELECT|Lists the branches of a project.", 0},
		"show methods from databricks_workspace.compute.clusters like 'PERM%'":                         {"MethodName,RequiredParams,SQLVerb", "permanent_delete|deployment_name, cluster_id|EXEC", 1},
		"SHOW METHODS IN databricks_workspace.compute.clusters WHERE SQLVerb = 'SELECT'":               {"MethodName,RequiredParams,SQLVerb", "list|deployment_name|SELECT", 2},
		"SHOW SERVICES IN databricks_workspace WHERE name IN ('jobs', 'sql') OR title LIKE 'lake%'":    {"id,name,title", "jobs:v00.00.00000|jobs|Jobs", 3},
		"SHOW SERVICES IN databricks_workspace WHERE NOT (name <> 'jobs') AND description IS NOT NULL": {"id,name,title", "jobs:v00.00.00000|jobs|Jobs", 1},
		"SHOW AUTH IN databricks_workspace":                                                            {"principal,type,source", "|none|", 1},
		"SHOW VERSION":                                                                                 {"version,documents,documents_date", "1.2.3-test|github.com/databricks/databricks-sdk-go v0.182.0|2026-09-21", 1},
		"SHOW EXTENDED VERSION":                                                                        {"version,documents,documents_date,commit,build_date,platform", "", 1},
		"REGISTRY LIST":                                                                                {"provider,version", "databricks_account|v00.00.00000", 2},
		"REGISTRY LIST databricks_account":                                                             {"provider,version", "databricks_account|v00.00.00000", 1},
		"REGISTRY PULL databricks_account v1":                                                          {"message", "databricks_account v00.00.00000 is part of lakeql: there is nothing to pull", 1},
		"DESCRIBE databricks_workspace.postgres.postgres_branches":                                     {"name,type", "create_time|string (date-time)", 0},
		"DESCRIBE EXTENDED databricks_workspace.postgres.postgres_branches":                            {"name,type,description", "uid|string|Identifier that the server assigned.", 0},
		"DESCRIBE METHOD " + credentials + ".generate":                                                 {"name,type,param_type,shape", `claims|array|input_optional|[{"permission_set": "READ_ONLY", "resources": [{"table_name": "string"}]}]`, 8},
		"DESCRIBE METHOD EXTENDED " + credentials + ".generate":                                        {"name,type,param_type,shape,description", "endpoint|string|input_required||Resource name of the endpoint that the credential is for.", 8},
		"SHOW INSERT /*+ REQUIRED */ INTO databricks_workspace.postgres.postgres_branches":             {"insert_statement", "INSERT INTO databricks_workspace.postgres.postgres_branches (\n  deployment_name,\n  project_id,\n  branch_id\n)\nSELECT\n  '{{ deployment_name }}',\n  '{{ project_id }}',\n  '{{ branch_id }}'\n;", 1},
	}
	for statement, test := range tests {
		t.Run(statement, func(t *testing.T) {
			t.Parallel()
			rows := rowsOf(t, statement)
			if got := strings.Join(rows[0], ","); got != test.header {
				t.Errorf("columns %s, want %s", got, test.header)
			}
			if test.rows != 0 && len(rows)-1 != test.rows {
				t.Errorf("%d rows, want %d: %v", len(rows)-1, test.rows, rows)
			}
			if test.row != "" && !slices.ContainsFunc(rows, func(row []string) bool { return strings.Join(row, "|") == test.row }) {
				t.Errorf("no row %q in %q", test.row, rows)
			}
		})
	}
}

func TestShowErrors(t *testing.T) {
	t.Parallel()
	for statement, want := range map[string]string{
		"SHOW METHODS IN databricks_workspace.compute.clusters WHERE verb = 'x'": `there is no column "verb"`,
		"SHOW PROVIDERS WHERE name = \"x":                                        "the quote that opens here is not closed",
		"SHOW PROVIDERS WHERE":                                                   "cannot be read",
		"SHOW PROVIDERS WHERE upper(name) = 'X'":                                 "cannot work out",
		"SHOW PROVIDERS LIKE databricks":                                         "expected a pattern between single quotes",
		"SHOW INSERT INTO databricks_workspace.postgres.postgres_credentials":    "no INSERT reaches",
		"SHOW AUTH IN nobody":                                                    `unknown provider "nobody"`,
		"REGISTRY PULL":                                                          "expected the provider to pull",
		"REGISTRY PUSH x":                                                        "expected LIST or PULL",
		"DESCRIBE METHOD databricks_workspace.postgres.postgres_credentials.generates": "unknown method",
	} {
		t.Run(statement, func(t *testing.T) {
			t.Parallel()
			got := run{args: []string{"exec", statement}}.do(t)
			if got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, want) {
				t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
			}
		})
	}
}
