package redact_test

import (
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/redact"
	"github.com/lakeql/lakeql/internal/testworld"
)

func judge(tb testing.TB) redact.Judge {
	tb.Helper()
	return redact.Judge{Client: &dispatch.Client{Catalogue: testworld.Catalogue(tb)}}
}

// TestKept keeps references to variables in a history, and masks what Shown masks.
func TestKept(t *testing.T) {
	t.Parallel()
	j := judge(t)
	isVariable := func(name string) bool { return name == "branch" || name == "pw" }
	const put = "EXEC databricks_workspace.workspace.secrets.put "
	const list = "SELECT name FROM databricks_workspace.postgres.postgres_endpoints WHERE parent = "
	for text, want := range map[string]string{
		list + ":'branch';": "",
		list + ":'branch' AND name <> 'hunter2' AND x = :branch":              list + ":'branch' AND name <> '****' AND x = :branch",
		put + "@scope = :'branch', @key = 'k', @string_value = :'pw';":        "",
		put + "@scope = :'branch', @key = 'k', @string_value = 'hunter2:pw';": put + "@scope = :'branch', @key = 'k', @string_value = '****';",
		"SELECT :'hunter2', :hunter2":                                         "SELECT :'****', ****",
		"SELECT ':branch', \":branch\"":                                       "SELECT '****', \"****\"",
		"SELECT :branch, lakeql_variable_0_":                                  "SELECT :branch, ****",
		"'hunter2 :branch":                                                    "",
	} {
		if want == "" && text[0] != '\'' {
			want = text
		}
		if got := j.Kept(text, isVariable); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

// TestShown shows the visible parts of statements: everything but the credentials if a statement is
// understood.
func TestShown(t *testing.T) {
	j := judge(t)
	const put = "EXEC databricks_workspace.workspace.secrets.put "
	const connection = "databricks_workspace.catalog.connections"
	for _, test := range []struct{ text, want string }{
		{"SHOW PROVIDERS;", ""},
		{"SHOW METHODS IN databricks_workspace.postgres.projects", ""},
		{"EXEC databricks_workspace.postgres.postgres_credentials.generate @endpoint='projects/p/branches/b/endpoints/e', @deployment_name = 'dbc-1';", ""},
		{`EXEC databricks_workspace.postgres.postgres_credentials.generate @@json='{"endpoint": "projects/p", "claims": [{"permission_set": "WRITE"}]}'`, ""},
		{"EXEC /*+ AWAIT */ databricks_workspace.postgres.postgres_projects.list @page_size = 100", ""},
		{put + "@scope='it''s', @key='k', @string_value='hunter2';", put + "@scope='it''s', @key='k', @string_value='****';"},
		{put + `@@json='{"scope": "s", "string_value": "hunter2", "key": "it''s"}'`, put + `@@json='{"scope": "s", "string_value": "****", "key": "it''s"}'`},
		{put + "@scope='s', @kex='k', @string_value='hunter2'", put + "@scope='****', @kex='****', @string_value='****'"},
		{put + `@@json='{"scope": "s", "string_value": "hunter2"'`, put + `@@json='****'`},
		{put + "@scope='s, @key='k', @string_value='hunter2'", "EXEC databricks_workspace.workspace.secrets.put****"},
		{put + "@scope='s', @string_value=\"hunter2\"", put + "@scope='****', @string_value=\"****\""},
		{put + "@scope='s', @string_value=hunter", put + "@scope='****', @string_value=****"},
		{"SELECT 'hunter2' AS a", "SELECT '****' AS a"},
		{"SELECT name, settings ->> 'name' FROM databricks_workspace.jobs.jobs j WHERE j.name = 'etl' AND job_id IN (12345, 23456) AND expand_tasks = true", ""},
		{"SELECT nme FROM databricks_workspace.jobs.jobs WHERE name LIKE 'etl%' ORDER BY 1 LIMIT 3", "SELECT nme FROM databricks_workspace.jobs.jobs WHERE name LIKE '****' ORDER BY 1 LIMIT 3"},
		{"SELECT name FROM databricks_workspace.jobs.jobs WHERE creator_user_name = 'a' AND name <> 'b'", "SELECT name FROM databricks_workspace.jobs.jobs WHERE creator_user_name = '****' AND name <> '****'"},
		{"SELECT hunter2 FROM databricks_workspace.jobs.jobs", "SELECT **** FROM databricks_workspace.jobs.jobs"},
		{"SELECT foo FROM databricks_workspace.jobs.jobs -- a remark", "SELECT foo FROM databricks_workspace.jobs.jobs --****"},
		{"INSERT INTO databricks_workspace.workspace.secrets (scope, key, string_value) VALUES ('s', 'k', 'hunter2')", "INSERT INTO databricks_workspace.workspace.secrets (scope, key, string_value) VALUES ('s', 'k', '****')"},
		{"INSERT INTO databricks_workspace.workspace.secrets (scope, string_value) VALUES ('s', 'k', 'hunter2')", "INSERT INTO databricks_workspace.workspace.secrets (scope, string_value) VALUES ('****', '****', '****')"},
		{"INSERT INTO " + connection + ` (name, options) VALUES ('n', '{"host": "h", "password": "hunter2"}')`, "INSERT INTO " + connection + ` (name, options) VALUES ('n', '{"host": "****", "password": "****"}')`},
		{"UPDATE databricks_workspace.catalog.catalogs SET comment = 'c' WHERE name = 'a'", ""},
		{"UPDATE " + connection + ` SET options = '{"password": "hunter2"}' WHERE name = 'n'`, "UPDATE " + connection + ` SET options = '{"password": "****"}' WHERE name = 'n'`},
		{"SELECT token, hunterName FROM databricks_workspace.postgres.postgres_credentials WHERE hunter = 'hunter2' AND c.isOld = 1 -- required", "SELECT token, hunterName FROM databricks_workspace.postgres.postgres_credentials WHERE hunter = '****' AND c.isOld = 1 -- required"},
		{"INSERT INTO databricks_workspace.workspace.secrets (scope, hunter) VALUES ('s', hunter) /* required */", "INSERT INTO databricks_workspace.workspace.secrets (scope, hunter) VALUES ('s', ****) /* required */"},
		{"SELECT token, coalesce(hunter, 'x') FROM databricks_workspace.postgres.postgres_credentials WHERE token = hunter", "SELECT token, coalesce(****, '****') FROM databricks_workspace.postgres.postgres_credentials WHERE token = ****"},
		{"CREATE TABLE t AS SELECT 'hunter2' AS token", "CREATE TABLE t AS SELECT '****' AS token"},
		{"SET page_limit = 'hunter2'", "SET page_limit = '****'"},
		{"NATIVEQUERY 'SELECT hunter2'", "NATIVEQUERY '****'"},
		{"EXEC a.b.c.d @password='hunter2' oops", "EXEC****"},
		{"dapi0123456789abcdef0123456789abcdef", "****"},
		{"'", "****"},
		{"", ""},
	} {
		want := test.want
		if want == "" {
			want = test.text
		}
		if got := j.Read(test.text).String(); got != want {
			t.Errorf("%s\n     got: %s\n    want: %s", test.text, got, want)
		}
	}
}
